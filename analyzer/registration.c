/* SPDX-License-Identifier: MIT */
#include "analyzer/registration.h"

#include "analyzer/price.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/json_check.h"
#include "common/room.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE_BYTES = 256 * 1024, MAX_DEPTH = 4, MAX_SOFTWARE = 100, KEY_SIZE = 840 };

static const char *const text_keys[] = {"vendor", "model",         "name", "product_number",
                                        "serial", "configuration", NULL};
static const char *const number_keys[] = {"capacity_bytes_sold", "cache_bytes", "slots_sold", NULL};

static int check_software(const struct tm_json_file *f, struct tm_error *err)
{
  static const char *const known[] = {"name", "version", NULL};
  const json_t *list = json_object_get(f->root, "software");
  if (list == NULL || json_is_null(list))
    return 0;
  if (!json_is_array(list))
    return tm_json_refuse(f, f->root, "software", err, "\"software\" is not a list");
  if (json_array_size(list) > MAX_SOFTWARE)
    return tm_json_refuse(f, f->root, "software", err, "\"software\" has more than %d entries",
                          MAX_SOFTWARE);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *entry = json_array_get(list, i);
    const char *text = NULL;
    if (!json_is_object(entry))
      return tm_json_refuse_at(f, list, i, err, "an entry of \"software\" is not an object");
    int rc = tm_json_known_keys(f, entry, known, err);
    if (rc == 0)
      rc = tm_json_want_string(f, entry, "name", true, 200, &text, err);
    if (rc == 0)
      rc = tm_json_want_string(f, entry, "version", false, 200, &text, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_kind(const struct tm_json_file *f, struct tm_error *err)
{
  static const char *const kinds[] = {"disk_array", "media_library", "printer",
                                      "computer",   "network",       NULL};
  const char *kind = NULL;
  int rc = tm_json_want_string(f, f->root, "kind", true, 40, &kind, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; kinds[i] != NULL; i++)
    if (strcmp(kinds[i], kind) == 0)
      return 0;
  return tm_json_refuse(f, f->root, "kind", err,
                        "\"kind\" is \"%s\", not disk_array, media_library, printer, computer or "
                        "network",
                        kind);
}

static int check_document(const struct tm_json_file *f, struct tm_error *err)
{
  static const char *const known[] = {
      "schema",      "device",     "host",           "kind",
      "vendor",      "model",      "name",           "serial",
      "price",       "sold_on",    "product_number", "capacity_bytes_sold",
      "cache_bytes", "slots_sold", "configuration",  "software",
      NULL};
  struct price price;
  const char *text = NULL;
  double number;
  int64_t day;
  int rc = tm_json_want_schema(f, REGISTRATION_SCHEMA, err);
  if (rc == 0)
    rc = tm_json_known_keys(f, f->root, known, err);
  if (rc == 0)
    rc = check_kind(f, err);
  for (size_t i = 0; rc == 0 && text_keys[i] != NULL; i++)
    rc = tm_json_want_string(f, f->root, text_keys[i], false,
                             strcmp(text_keys[i], "configuration") == 0 ? 500 : 200, &text, err);
  for (size_t i = 0; rc == 0 && number_keys[i] != NULL; i++)
    rc = tm_json_want_number(f, f->root, number_keys[i], false, 0, 1e21, &number, err);
  if (rc == 0)
    rc = tm_json_want_name(f, f->root, "host", false, 255, &text, err);
  if (rc == 0)
    rc = tm_json_want_name(f, f->root, "device", false, 200, &text, err);
  if (rc == 0)
    rc = tm_json_want_date(f, f->root, "sold_on", false, &day, err);
  const json_t *paid = json_object_get(f->root, "price");
  if (rc == 0 && paid != NULL && !json_is_null(paid))
    rc = price_want(f, f->root, "price", &price, err);
  if (rc == 0)
    rc = check_software(f, err);
  if (rc == 0 && tm_json_get_string(f->root, "serial") == NULL &&
      (tm_json_get_string(f->root, "host") == NULL ||
       tm_json_get_string(f->root, "device") == NULL))
    rc = tm_json_refuse(f, f->root, NULL, err,
                        "neither \"serial\" nor \"host\" and \"device\": no device can be found by "
                        "this");
  return rc;
}

void registration_free(struct registration *r)
{
  if (r == NULL)
    return;
  json_decref(r->product);
  free(r->host);
  free(r->path);
  free(r);
}

/* The members of the product; schema and host are about the file. */
static int take(struct registration **out, const struct tm_json_file *f, struct tm_error *err)
{
  struct registration *r = calloc(1, sizeof(*r));
  const char *host = tm_json_get_string(f->root, "host");
  if (r == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  r->path = strdup(f->name);
  r->product = json_copy(f->root);
  r->host = host != NULL ? strdup(host) : NULL;
  if (r->path == NULL || r->product == NULL || (host != NULL && r->host == NULL)) {
    registration_free(r);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  json_object_del(r->product, "schema");
  json_object_del(r->product, "host");
  r->device = tm_json_get_string(r->product, "device");
  r->serial = tm_json_get_string(r->product, "serial");
  *out = r;
  return 0;
}

static int build(struct registration **out, struct tm_json_file *f, int rc, struct tm_error *err)
{
  if (rc == 0)
    rc = check_document(f, err);
  if (rc == 0)
    rc = take(out, f, err);
  tm_json_file_release(f);
  return rc;
}

int registration_parse(struct registration **out, const char *data, size_t len, const char *name,
                       struct tm_error *err)
{
  struct tm_json_file f = {0};
  int rc = tm_json_file_parse(&f, data, len, name, err);
  return build(out, &f, rc, err);
}

/* --- the folder ------------------------------------------------------------------------------- */

struct loading {
  struct registrations *made;
  size_t cap;
  registration_refused *refused;
  void *user;
};

static int by_path(const void *a, const void *b)
{
  return strcmp((*(struct registration *const *)a)->path, (*(struct registration *const *)b)->path);
}

static int read_file(struct loading *l, const char *path, struct tm_error *err)
{
  struct tm_json_file f = {0};
  struct registration *r = NULL;
  struct tm_error why = {0};
  int rc = build(&r, &f, tm_json_file_read(&f, path, MAX_FILE_BYTES, &why), &why);
  if (rc == -ENOMEM)
    return tm_fail(err, rc, "%s", why.text);
  if (rc < 0) {
    l->refused(l->user, why.text);
    return 0;
  }
  if (TM_ROOM(l->made->list, l->cap, l->made->n) < 0) {
    registration_free(r);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  l->made->list[l->made->n++] = r;
  return 0;
}

static int read_folder(struct loading *l, const char *dir, int depth, struct tm_error *err);

/* A file that is no registration by its name is passed over; a place where there may be one, and
 * that cannot be read, is refused as a registration is. */
static int read_entry(struct loading *l, const char *dir, const char *name, int depth,
                      struct tm_error *err)
{
  char path[PATH_MAX];
  struct tm_error why = {0};
  struct stat st;
  size_t len = strlen(name);
  int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
  if (n < 0 || (size_t)n >= sizeof(path))
    tm_fail(&why, -ENAMETOOLONG, "%s/%s: the path is too long", dir, name);
  else if (lstat(path, &st) < 0)
    tm_fail(&why, -errno, "%s: %s", path, strerror(errno));
  else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
    return read_folder(l, path, depth + 1, err);
  else if (S_ISDIR(st.st_mode))
    tm_fail(&why, -ELOOP, "%s: is deeper than %d folders", path, MAX_DEPTH);
  else if (len > 5 && strcmp(name + len - 5, ".json") == 0)
    return read_file(l, path, err);
  if (why.code != 0 && why.code != -ENOENT) /* gone by now */
    l->refused(l->user, why.text);
  return 0;
}

static int read_folder(struct loading *l, const char *dir, int depth, struct tm_error *err)
{
  DIR *d = opendir(dir);
  const struct dirent *e;
  if (d == NULL)
    return tm_fail(err, -errno, "%s: %s", dir, strerror(errno));
  int rc = 0;
  while (rc == 0) {
    rc = tm_dir_next(d, &e);
    if (rc < 0)
      tm_fail(err, rc, "%s: %s", dir, strerror(-rc));
    if (rc <= 0)
      break;
    rc = e->d_name[0] != '.' ? read_entry(l, dir, e->d_name, depth, err) : 0;
  }
  closedir(d);
  return rc;
}

/* "serial X", or "device Y of HOST": the keys under which a registration is found. */
struct registration_key {
  struct registration *of;
  UT_hash_handle hh;
  char text[];
};

static void serial_key(char out[KEY_SIZE], const char *serial)
{
  snprintf(out, KEY_SIZE, "serial %s", serial);
}

static void place_key(char out[KEY_SIZE], const char *host, const char *device)
{
  snprintf(out, KEY_SIZE, "device %s of %s", device, host);
}

static struct registration *look_up(const struct registrations *r, const char *key)
{
  struct registration_key *found = NULL;
  HASH_FIND_STR(r->index, key, found);
  return found != NULL ? found->of : NULL;
}

static int add_key(struct registrations *r, const char *key, struct registration *of)
{
  size_t len = strlen(key);
  struct registration_key *k = calloc(1, sizeof(*k) + len + 1);
  if (k == NULL)
    return -ENOMEM;
  memcpy(k->text, key, len + 1);
  k->of = of;
  HASH_ADD_KEYPTR(hh, r->index, k->text, len, k);
  if (TM_HASH_MISSED(k)) {
    free(k);
    return -ENOMEM;
  }
  return 0;
}

/* Two papers for one device: the first by path stands, for no reader could choose. */
static int index_one(struct loading *l, struct registration *one)
{
  char keys[2][KEY_SIZE];
  int n = 0;
  if (one->serial != NULL)
    serial_key(keys[n++], one->serial);
  if (one->host != NULL && one->device != NULL)
    place_key(keys[n++], one->host, one->device);
  for (int i = 0; i < n; i++) {
    const struct registration *first = look_up(l->made, keys[i]);
    if (first == NULL)
      continue;
    struct tm_error why = {0};
    tm_fail(&why, -EEXIST, "%s:1: %s has a registration already, in %s", one->path, keys[i],
            first->path);
    l->refused(l->user, why.text);
    return 1;
  }
  int rc = 0;
  for (int i = 0; rc == 0 && i < n; i++)
    rc = add_key(l->made, keys[i], one);
  return rc;
}

static int make_index(struct loading *l, struct tm_error *err)
{
  struct registrations *r = l->made;
  size_t kept = 0;
  int rc = 0;
  for (size_t i = 0; i < r->n; i++) {
    struct registration *one = r->list[i];
    int doubled = rc == 0 ? index_one(l, one) : 0;
    if (doubled < 0)
      rc = tm_fail(err, doubled, "out of memory");
    if (doubled == 1)
      registration_free(one);
    else
      r->list[kept++] = one;
  }
  r->n = kept;
  return rc;
}

int registrations_load(struct registrations *r, const char *dir, registration_refused *refused,
                       void *user, struct tm_error *err)
{
  struct registrations made = {0};
  struct loading l = {.made = &made, .refused = refused, .user = user};
  int rc = read_folder(&l, dir, 0, err);
  if (rc == 0 && made.n > 0)
    qsort(made.list, made.n, sizeof(*made.list), by_path);
  if (rc == 0)
    rc = make_index(&l, err);
  if (rc == 0) {
    *r = made;
    made = (struct registrations){0};
  }
  registrations_release(&made);
  return rc;
}

void registrations_release(struct registrations *r)
{
  TM_HASH_FREE(r->index);
  for (size_t i = 0; i < r->n; i++)
    registration_free(r->list[i]);
  free(r->list);
  *r = (struct registrations){0};
}

const struct registration *registration_find(const struct registrations *r, const char *host,
                                             const char *device, const char *serial)
{
  char key[KEY_SIZE];
  const struct registration *found = NULL;
  if (serial != NULL) {
    serial_key(key, serial);
    found = look_up(r, key);
  }
  if (found != NULL)
    return found;
  place_key(key, host, device);
  found = look_up(r, key);
  return found == NULL || serial == NULL || found->serial == NULL ? found : NULL;
}
