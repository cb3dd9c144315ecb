/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_scan.h"

#include "analyzer/source/shard.h"
#include "common/room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTING_SIZE 32768
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)

/* The names in one folder, sorted, so that devices come in the same order everywhere. */
struct names {
  char *text;
  size_t len, cap;
  struct name {
    size_t at; /* in text, while they are gathered */
    const char *name;
    unsigned char type;
  } * item;
  size_t n, item_cap;
};

struct walk {
  struct rrd_scan *scan;
  const struct rrd_options *options;
  struct names root;
  struct names host;
  char listing[LISTING_SIZE] __attribute__((aligned(16)));
};

const char *rrd_scan_text(const struct rrd_scan *scan, uint32_t at)
{
  return scan->text + at;
}

static int keep_text(struct rrd_scan *s, const char *text, size_t n, uint32_t *at)
{
  if (s->text_len + n + 1 > UINT32_MAX)
    return -ENOMEM;
  if (tm_room(&s->text, &s->text_cap, s->text_len, n + 1, 1) < 0)
    return -ENOMEM;
  *at = (uint32_t)s->text_len;
  memcpy(s->text + s->text_len, text, n);
  s->text[s->text_len + n] = '\0';
  s->text_len += n + 1;
  return 0;
}

static int refuse(struct rrd_scan *s, const char *folder, const char *name, const char *why)
{
  struct tm_error err;
  tm_fail(&err, -EINVAL, "%s%s%s%s%s: %s", s->path, folder[0] != '\0' ? "/" : "", folder,
          name[0] != '\0' ? "/" : "", name, why);
  return refusals_add(&s->refused, err.text, NULL);
}

/* Adds a device. host_at: the host's name in the text. */
static int add(struct walk *w, uint32_t host_at, const char *folder, const char *place,
               const char *only, const struct rrd_recipe *recipe)
{
  struct rrd_scan *s = w->scan;
  const struct rrd_options *o = w->options;
  if (!shard_holds(o->shard, o->shards, s->text + host_at, folder)) {
    s->elsewhere = true;
    return 0;
  }
  struct rrd_entry e = {.host = host_at, .recipe = recipe};
  size_t folder_len = strlen(folder);
  size_t place_len = strlen(place);
  int rc = keep_text(s, place, place_len, &e.place);
  /* A folder's name is the end of its place: kept once. */
  bool within =
      only == NULL && place_len > folder_len && strcmp(place + place_len - folder_len, folder) == 0;
  if (within)
    e.folder = e.place + (uint32_t)(place_len - folder_len);
  else if (rc == 0)
    rc = keep_text(s, folder, folder_len, &e.folder);
  if (rc == 0 && only != NULL)
    rc = keep_text(s, only, strlen(only), &e.only);
  if (rc < 0 || TM_ROOM(s->entry, s->cap, s->n) < 0)
    return -ENOMEM;
  s->entry[s->n++] = e;
  return 0;
}

/* --- folders ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
  return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

static int take_name(struct names *names, int fd, const struct dirent64 *e)
{
  size_t n = strlen(e->d_name) + 1;
  if (tm_room(&names->text, &names->cap, names->len, n, 1) < 0 ||
      TM_ROOM(names->item, names->item_cap, names->n) < 0)
    return -ENOMEM;
  unsigned char type = e->d_type;
  struct stat st;
  if (type == DT_UNKNOWN && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : -errno; /* gone by now */
  if (type == DT_UNKNOWN)
    type = (unsigned char)IFTODT(st.st_mode);
  memcpy(names->text + names->len, e->d_name, n);
  names->item[names->n++] = (struct name){.at = names->len, .type = type};
  names->len += n;
  return 0;
}

/* Reads the names in an open folder, but for hidden ones. */
static int list_names(struct walk *w, int fd, struct names *names)
{
  names->len = names->n = 0;
  for (;;) {
    ssize_t n = getdents64(fd, w->listing, sizeof(w->listing));
    if (n < 0)
      return -errno;
    if (n == 0)
      break;
    for (ssize_t at = 0; at < n;) {
      const struct dirent64 *e = (const struct dirent64 *)(const void *)(w->listing + at);
      at += e->d_reclen;
      int rc = e->d_name[0] != '.' ? take_name(names, fd, e) : 0;
      if (rc < 0)
        return rc;
    }
  }
  for (size_t i = 0; i < names->n; i++)
    names->item[i].name = names->text + names->item[i].at;
  if (names->n > 1)
    qsort(names->item, names->n, sizeof(names->item[0]), by_name);
  return 0;
}

static bool holds_rrds(const struct names *names)
{
  for (size_t i = 0; i < names->n; i++)
    if (rrd_recipe_is_history(names->item[i].name) && names->item[i].type != DT_DIR)
      return true;
  return false;
}

/* A host's folder holds folders; a folder with files alone is one of a plugin that is not read. */
static bool holds_folders(const struct names *names)
{
  for (size_t i = 0; i < names->n; i++)
    if (names->item[i].type == DT_DIR)
      return true;
  return false;
}

/* Something named x.rrd outside a device's folder: a device of its own, or refused for what it
 * is when it is read. */
static int add_loose(struct walk *w, uint32_t host, const char *place, const struct name *file)
{
  char device[NAME_MAX + 1];
  if (file->type == DT_DIR)
    return refuse(w->scan, strcmp(place, ".") == 0 ? "" : place, file->name,
                  "is a directory, not a regular file");
  snprintf(device, sizeof(device), "%.*s", (int)(strlen(file->name) - 4), file->name);
  return add(w, host, device, place, file->name, rrd_recipe_loose());
}

/* What lies in the folder of one host. */
static int add_host_entry(struct walk *w, uint32_t host, const char *prefix, const struct name *e)
{
  char place[2 * NAME_MAX + 3];
  const struct rrd_recipe *recipe = rrd_recipe_for(e->name);
  if (rrd_recipe_is_history(e->name))
    return add_loose(w, host, prefix[0] != '\0' ? prefix : ".", e);
  if (recipe == NULL || (!w->options->all && rrd_recipe_is_hidden(e->name)))
    return 0;
  if (e->type == DT_LNK)
    return refuse(w->scan, prefix, e->name, "is a symbolic link, not a directory");
  if (e->type != DT_DIR)
    return 0;
  snprintf(place, sizeof(place), "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", e->name);
  return add(w, host, e->name, place, NULL, recipe);
}

static int walk_host(struct walk *w, const char *name)
{
  uint32_t host;
  int fd = openat(w->scan->root, name, FOLDER_FLAGS | O_NOFOLLOW);
  if (fd < 0)
    return refuse(w->scan, "", name, strerror(errno));
  int rc = list_names(w, fd, &w->host);
  close(fd);
  if (rc < 0 && rc != -ENOMEM)
    return refuse(w->scan, "", name, strerror(-rc));
  if (rc < 0 || !holds_folders(&w->host))
    return rc;
  rc = keep_text(w->scan, name, strlen(name), &host);
  for (size_t i = 0; rc == 0 && i < w->host.n; i++)
    rc = add_host_entry(w, host, name, &w->host.item[i]);
  return rc;
}

/* A folder of the root that has a device folder's name: a host may be called "disk-server". */
static int is_device_folder(struct walk *w, const struct name *e)
{
  if (e->type != DT_DIR || rrd_recipe_for(e->name) == NULL)
    return 0;
  int fd = openat(w->scan->root, e->name, FOLDER_FLAGS | O_NOFOLLOW);
  if (fd < 0)
    return -errno;
  int rc = list_names(w, fd, &w->host);
  close(fd);
  return rc < 0 ? rc : holds_rrds(&w->host);
}

static int walk_root_entry(struct walk *w, uint32_t own_at, const struct name *e)
{
  int is_device = is_device_folder(w, e);
  if (is_device < 0 && is_device != -ENOMEM)
    return refuse(w->scan, "", e->name, strerror(-is_device));
  if (is_device < 0)
    return is_device;
  if (is_device || rrd_recipe_is_history(e->name))
    return add_host_entry(w, own_at, "", e);
  if (e->type == DT_DIR)
    return walk_host(w, e->name);
  return e->type == DT_LNK ? refuse(w->scan, "", e->name, "is a symbolic link, not a directory")
                           : 0;
}

/* The last part of a path after links are resolved; "" for the root folder. The caller frees. NULL
 * where it cannot be known: a device is not read under a name that is not its host's. */
static char *last_name(const char *path, const char *more, struct tm_error *err)
{
  char *joined;
  if (asprintf(&joined, "%s%s", path, more) < 0)
    return NULL;
  char *real = realpath(joined, NULL);
  char *name = real != NULL ? strdup(strrchr(real, '/') + 1) : NULL;
  if (name == NULL)
    tm_fail(err, -errno, "%s: %s", joined, strerror(errno));
  free(real);
  free(joined);
  return name;
}

/* Why there is no last_name(). */
static int no_name(const struct tm_error *err)
{
  return err->code < 0 ? err->code : -ENOMEM;
}

static int walk_root(struct walk *w, const char *own, uint32_t own_at, struct tm_error *err)
{
  struct rrd_scan *s = w->scan;
  int rc = list_names(w, s->root, &w->root);
  if (rc == 0 && rrd_recipe_for(own) != NULL && holds_rrds(&w->root)) {
    /* One device's folder. */
    char *host = last_name(s->path, "/..", err);
    uint32_t host_at = 0;
    if (host == NULL)
      return no_name(err);
    rc = keep_text(s, host, strlen(host), &host_at);
    if (rc == 0)
      rc = add(w, host_at, own, ".", NULL, rrd_recipe_for(own));
    free(host);
    return rc;
  }
  for (size_t i = 0; rc == 0 && i < w->root.n; i++)
    rc = walk_root_entry(w, own_at, &w->root.item[i]);
  return rc;
}

/* A single file: its folder becomes the root. */
static int walk_file(struct walk *w, const char *path, struct tm_error *err)
{
  struct rrd_scan *s = w->scan;
  char *folder = NULL;
  char *host = NULL;
  uint32_t host_at = 0;
  const char *slash = strrchr(path, '/');
  const char *file = slash != NULL ? slash + 1 : path;
  int rc = -ENOMEM;
  free(s->path);
  s->path = slash == NULL ? strdup(".") : strndup(path, slash > path ? (size_t)(slash - path) : 1);
  if (s->path == NULL)
    goto out;
  s->root = open(s->path, FOLDER_FLAGS);
  if (s->root < 0) {
    rc = tm_fail(err, -errno, "%s: %s", s->path, strerror(errno));
    goto out;
  }
  folder = last_name(s->path, "", err);
  const struct rrd_recipe *recipe = folder != NULL ? rrd_recipe_for(folder) : NULL;
  host = folder != NULL ? last_name(s->path, recipe != NULL ? "/.." : "", err) : NULL;
  if (folder == NULL || host == NULL) {
    rc = no_name(err);
    goto out;
  }
  rc = keep_text(s, host, strlen(host), &host_at);
  if (rc == 0 && recipe != NULL && rrd_recipe_role(recipe, file) != NULL)
    rc = add(w, host_at, folder, ".", file, recipe);
  else if (rc == 0)
    rc = add(w, host_at, file, ".", file, rrd_recipe_loose());
out:
  free(host);
  free(folder);
  return rc;
}

static int walk_path(struct walk *w, const char *path, struct tm_error *err)
{
  struct rrd_scan *s = w->scan;
  s->path = strdup(path);
  if (s->path == NULL)
    return -ENOMEM;
  size_t n = strlen(s->path);
  while (n > 1 && s->path[n - 1] == '/')
    s->path[--n] = '\0';
  s->root = open(path, FOLDER_FLAGS);
  if (s->root < 0 && errno == ENOTDIR)
    return walk_file(w, path, err);
  if (s->root < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  char *own = last_name(path, "", err);
  uint32_t own_at = 0;
  if (own == NULL)
    return no_name(err);
  int rc = keep_text(s, own, strlen(own), &own_at);
  if (rc == 0)
    rc = walk_root(w, own, own_at, err);
  free(own);
  return rc;
}

static void release_names(struct names *names)
{
  free(names->text);
  free(names->item);
}

int rrd_scan(struct rrd_scan *scan, const struct rrd_options *options, struct tm_error *err)
{
  *scan = (struct rrd_scan){.root = -1};
  struct tm_error own = {0};
  uint32_t zero;
  struct walk *w = calloc(1, sizeof(*w));
  int rc = w == NULL ? -ENOMEM : keep_text(scan, "", 0, &zero); /* offset 0 is no text */
  if (rc == 0) {
    w->scan = scan;
    w->options = options;
    rc = walk_path(w, options->path, &own);
    release_names(&w->root);
    release_names(&w->host);
  }
  free(w);
  if (rc < 0 && own.code == 0)
    return tm_fail(err, rc, "%s: %s", options->path, strerror(-rc));
  if (rc < 0 && err != NULL)
    *err = own;
  if (rc == 0 && scan->n == 0 && scan->refused.n == 0 && !scan->elsewhere)
    return tm_fail(err, -ENOENT, "%s: holds no RRD files of devices", options->path);
  return rc;
}

void rrd_scan_release(struct rrd_scan *scan)
{
  if (scan->root >= 0)
    close(scan->root);
  refusals_release(&scan->refused);
  free(scan->entry);
  free(scan->text);
  free(scan->path);
  *scan = (struct rrd_scan){.root = -1};
}
