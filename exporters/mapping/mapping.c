/* SPDX-License-Identifier: MIT */
#include "exporters/mapping/check.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20 };

/* --- requests --------------------------------------------------------------------------------- */

static int check_placeholder(const struct mapping_check *c, const json_t *request, const char *text,
                             size_t len, struct tm_error *err)
{
  char name[MAPPING_MAX_TOKEN];
  struct mapping_place at = {.container = request, .key = "path"};
  if (len == 0 || len >= sizeof(name))
    return mapping_refuse(c, &at, err,
                          "a placeholder is {key}, {/pointer}, {record:/pointer} or "
                          "{lookup:NAME}",
                          "{}", NULL);
  memcpy(name, text, len);
  name[len] = '\0';
  if (strcmp(name, "key") == 0)
    return 0;
  if (strncmp(name, "record:", 7) == 0)
    return c->has_record ? 0
                         : mapping_refuse(c, &at, err, "only an update knows a record", name, NULL);
  if (strncmp(name, "lookup:", 7) == 0)
    return json_object_get(c->lookups, name + 7) != NULL
               ? 0
               : mapping_refuse(c, &at, err, "there is no such lookup", name, NULL);
  return mapping_find_field(c, &at, name, NULL, err);
}

static int check_path(const struct mapping_check *c, const json_t *request, const char *path,
                      struct tm_error *err)
{
  struct mapping_place at = {.container = request, .key = "path"};
  if (path[0] != '/' || path[1] == '/' || strpbrk(path, " #\\") != NULL)
    return mapping_refuse(c, &at, err, "a path begins with one '/' and has no blank, '#' or '\\'",
                          path, NULL);
  for (const char *p = path; (p = strchr(p, '{')) != NULL;) {
    const char *end = strchr(p, '}');
    if (end == NULL)
      return mapping_refuse(c, &at, err, "a placeholder is not closed", path, NULL);
    int rc = check_placeholder(c, request, p + 1, (size_t)(end - p) - 1, err);
    if (rc < 0)
      return rc;
    p = end;
  }
  return 0;
}

static int check_statuses(const struct mapping_check *c, const json_t *request, const char *key,
                          struct tm_error *err)
{
  const json_t *list = json_object_get(request, key);
  size_t i;
  json_t *status;
  if (list != NULL && !json_is_array(list))
    return tm_json_refuse(c->f, request, key, err, "%s: an array of statuses is wanted", key);
  json_array_foreach(list, i, status)
  {
    if (!json_is_integer(status) || json_integer_value(status) < 200 ||
        json_integer_value(status) > 599)
      return tm_json_refuse_at(c->f, list, i, err, "%s: a status is 200 to 599", key);
  }
  return 0;
}

/* [{"record": "/stage_id/0", "in": [1]}] */
static int check_conditions(const struct mapping_check *c, const json_t *request,
                            struct tm_error *err)
{
  static const char *const known[] = {"record", "in", NULL};
  const json_t *list = json_object_get(request, "if");
  size_t i;
  json_t *one;
  if (list != NULL && !json_is_array(list))
    return tm_json_refuse(c->f, request, "if", err, "if: an array of conditions is wanted");
  json_array_foreach(list, i, one)
  {
    const char *pointer = NULL;
    if (!json_is_object(one))
      return tm_json_refuse_at(c->f, list, i, err, "if: {\"record\", \"in\"} is wanted");
    int rc = tm_json_known_keys(c->f, one, known, err);
    if (rc == 0)
      rc = tm_json_want_string(c->f, one, "record", true, 1000, &pointer, err);
    if (rc == 0 && json_array_size(json_object_get(one, "in")) == 0)
      rc = tm_json_refuse(c->f, one, "in", err, "in: an array of values is wanted");
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_method(const struct mapping_check *c, const json_t *request, struct tm_error *err)
{
  static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", NULL};
  const char *method = NULL;
  int rc = tm_json_want_string(c->f, request, "method", true, 10, &method, err);
  struct mapping_place at = {.container = request, .key = "method"};
  for (size_t i = 0; rc == 0; i++) {
    if (methods[i] == NULL)
      return mapping_refuse(c, &at, err, "GET, POST, PUT and PATCH are known", method, NULL);
    if (strcmp(method, methods[i]) == 0)
      break;
  }
  return rc;
}

/* more: members that this kind of request has beside the common ones. */
static int check_request(struct mapping_check *c, const json_t *owner, const char *name,
                         const char *const more[3], struct tm_error *err)
{
  const json_t *r = json_object_get(owner, name);
  const char *known[] = {"method", "path", "body", "accept", more[0], more[1], more[2], NULL};
  const char *path = NULL, *pointer = NULL;
  if (r == NULL)
    return 0;
  if (!json_is_object(r))
    return tm_json_refuse(c->f, owner, name, err, "%s: a request is wanted", name);
  int rc = tm_json_known_keys(c->f, r, known, err);
  if (rc == 0)
    rc = check_method(c, r, err);
  if (rc == 0)
    rc = tm_json_want_string(c->f, r, "path", true, 2000, &path, err);
  if (rc == 0)
    rc = check_path(c, r, path, err);
  if (rc == 0)
    rc = check_statuses(c, r, "accept", err);
  if (rc == 0)
    rc = check_statuses(c, r, "none", err);
  if (rc == 0)
    rc = tm_json_want_string(c->f, r, "record", false, 1000, &pointer, err);
  if (rc == 0)
    rc = tm_json_want_string(c->f, r, "value", false, 1000, &pointer, err);
  if (rc == 0)
    rc = check_conditions(c, r, err);
  return rc == 0 ? mapping_check_member(c, r, "body", 0, err) : rc;
}

static int check_lookups(struct mapping_check *c, struct tm_error *err)
{
  static const char *const more[3] = {"none", "value", "required"};
  const json_t *lookups = json_object_get(c->f->root, "lookups");
  const char *name;
  json_t *one;
  if (lookups != NULL && !json_is_object(lookups))
    return tm_json_refuse(c->f, c->f->root, "lookups", err, "lookups: an object is wanted");
  json_object_foreach((json_t *)lookups, name, one)
  {
    int rc = check_request(c, lookups, name, more, err);
    if (rc == 0 && tm_json_get_string(one, "value") == NULL)
      rc = tm_json_refuse(c->f, lookups, name, err, "value: a pointer into the answer is wanted");
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_requests(struct mapping_check *c, struct tm_error *err)
{
  static const char *const none[3] = {NULL, NULL, NULL};
  static const char *const find[3] = {"none", "record", NULL};
  static const char *const update[3] = {"if", NULL, NULL};
  const json_t *root = c->f->root;
  bool upsert = json_object_get(root, "upsert") != NULL;
  bool pair = json_object_get(root, "find") != NULL && json_object_get(root, "create") != NULL;
  bool any = json_object_get(root, "find") != NULL || json_object_get(root, "create") != NULL ||
             json_object_get(root, "update") != NULL;
  if (upsert ? any : !pair)
    return tm_json_refuse(c->f, root, NULL, err, "find and create are wanted, or upsert alone");
  int rc = check_lookups(c, err); /* they do not know of one another */
  if (rc == 0)
    rc = check_request(c, root, "find", find, err);
  c->lookups = json_object_get(root, "lookups");
  if (rc == 0)
    rc = check_request(c, root, "create", none, err);
  if (rc == 0)
    rc = check_request(c, root, "upsert", none, err);
  c->has_record = true;
  return rc == 0 ? check_request(c, root, "update", update, err) : rc;
}

/* --- headers ---------------------------------------------------------------------------------- */

static bool is_header_name(const char *name)
{
  size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
  return n > 0 && n <= 100 && name[n] == '\0';
}

static int check_headers(const struct mapping_check *c, struct tm_error *err)
{
  static const char *const known[] = {"before", "file", NULL};
  const json_t *headers = json_object_get(c->f->root, "headers");
  const char *name;
  json_t *value;
  if (headers != NULL && !json_is_object(headers))
    return tm_json_refuse(c->f, c->f->root, "headers", err, "headers: an object is wanted");
  json_object_foreach((json_t *)headers, name, value)
  {
    const char *text = NULL, *file = NULL;
    int rc = 0;
    if (!is_header_name(name) || strcasecmp(name, "Host") == 0 ||
        strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
      return tm_json_refuse(c->f, headers, name, err, "'%s': is no header that may be set", name);
    if (!json_is_object(value)) {
      rc = tm_json_want_string(c->f, headers, name, true, 1000, &text, err);
    } else {
      rc = tm_json_known_keys(c->f, value, known, err);
      if (rc == 0)
        rc = tm_json_want_string(c->f, value, "before", false, 100, &text, err);
      if (rc == 0)
        rc = tm_json_want_string(c->f, value, "file", false, 4000, &file, err);
      if (rc == 0 && file != NULL && file[0] != '/')
        rc = tm_json_refuse(c->f, value, "file", err, "file: an absolute path is wanted");
    }
    if (rc < 0)
      return rc;
  }
  return 0;
}

/* --- the file --------------------------------------------------------------------------------- */

static int check_file(const struct tm_json_file *f, const struct schema *schema,
                      struct tm_error *err)
{
  static const char *const known[] = {"schema",  "name", "headers", "key",    "error",  "later",
                                      "lookups", "find", "create",  "update", "upsert", NULL};
  const char *text = NULL;
  struct mapping_check c = {.f = f, .summary = &schema->root};
  for (size_t i = 0; i < schema->root.members_len; i++) {
    if (strcmp(schema->root.members[i].name, "recommendations") == 0)
      c.advice = schema->root.members[i].items;
  }
  int rc = tm_json_want_schema(f, "tidemark.mapping/1", err);
  if (rc == 0)
    rc = tm_json_known_keys(f, f->root, known, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "name", false, 200, &text, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "error", false, 1000, &text, err);
  if (rc == 0)
    rc = check_statuses(&c, f->root, "later", err);
  if (rc == 0)
    rc = check_headers(&c, err);
  if (rc == 0 && json_object_get(f->root, "key") == NULL)
    rc = tm_json_refuse(f, f->root, NULL, err, "key: is required: what a record is found by");
  if (rc == 0)
    rc = mapping_check_member(&c, f->root, "key", 0, err);
  return rc == 0 ? check_requests(&c, err) : rc;
}

int mapping_load(struct mapping *m, const char *path, struct tm_error *err)
{
  struct tm_json_file f = {0};
  struct schema schema = {0};
  *m = (struct mapping){0};
  int rc = tm_json_file_read(&f, path, MAX_BYTES, err);
  if (rc == 0)
    rc = schema_load(&schema, SCHEMA_SUMMARY, err);
  if (rc == 0) {
    rc = check_file(&f, &schema, err);
    schema_release(&schema);
  }
  if (rc == 0 && (m->path = strdup(f.name)) == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (rc == 0) {
    m->root = f.root;
    f.root = NULL;
  }
  tm_json_file_release(&f);
  return rc;
}

void mapping_release(struct mapping *m)
{
  json_decref(m->root);
  free(m->path);
  *m = (struct mapping){0};
}
