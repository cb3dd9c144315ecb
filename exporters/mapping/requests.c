/* SPDX-License-Identifier: MIT */
#include "exporters/mapping/requests.h"

#include "common/json.h"
#include "common/sign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BODY = 4 << 20, MAX_PATH = 8192 };

static int make_key(struct mapping_scope *scope, const struct mapping *m, struct tm_error *err)
{
  json_t *key = NULL;
  int rc = mapping_render(&key, json_object_get(m->root, "key"), scope, err);
  if (rc == 0 && (!json_is_string(key) || json_string_value(key)[0] == '\0'))
    rc = tm_fail(err, -EBADMSG, "key: is no text");
  if (rc < 0)
    json_decref(key);
  else
    scope->key = key;
  return rc;
}

int mapping_each(const struct mapping *m, const char *event, size_t len,
                 int (*take)(void *arg, struct mapping_scope *scope, struct tm_error *err),
                 void *arg, struct tm_error *err)
{
  json_t *root = tm_json_parse(event, len, "the event", err);
  const json_t *summary = json_object_get(root, "data");
  const char *schema = tm_json_get_string(summary, "schema");
  int rc = root == NULL ? -EBADMSG : 0;
  if (rc == 0 && (schema == NULL || strcmp(schema, "tidemark.summary/1") != 0))
    rc = tm_fail(err, -EBADMSG, "a mapping has no place for %s",
                 schema != NULL ? schema : "what is no document");
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(summary, "recommendations"), i, one)
  {
    json_t *opportunity = mapping_opportunity(summary, one);
    struct mapping_scope scope = {.opportunity = opportunity};
    if (rc == 0)
      rc = make_key(&scope, m, err);
    if (rc == 0)
      rc = take(arg, &scope, err);
    json_decref(scope.key);
    json_decref(opportunity);
  }
  json_decref(root);
  return rc;
}

int mapping_request(struct tm_buf *path, struct tm_buf *body, const json_t *request,
                    const struct mapping_scope *scope, struct tm_error *err)
{
  const json_t *template = json_object_get(request, "body");
  json_t *made = NULL;
  int rc = mapping_render_path(path, tm_json_get_string(request, "path"), scope, err);
  if (rc < 0 && err->code == 0)
    rc = tm_fail(err, -EBADMSG, "the path is too long");
  if (rc < 0 || template == NULL)
    return rc;
  rc = mapping_render(&made, template, scope, err);
  if (rc == 0 && tm_json_append(body, made) < 0)
    rc = tm_fail(err, -EBADMSG, "the body is too large");
  json_decref(made);
  return rc;
}

/* --- preview ---------------------------------------------------------------------------------- */

struct preview {
  const struct tm_conf_target *target;
  const struct mapping *mapping;
};

/* The origin of a URL: what stands before its path. */
static int origin_length(const char *url)
{
  const char *host = strstr(url, "://");
  return host != NULL ? (int)(host + 3 - url + (ptrdiff_t)strcspn(host + 3, "/?#")) : 0;
}

static int show_request(const struct preview *p, const char *what, const json_t *request,
                        const struct mapping_scope *scope, struct tm_error *err)
{
  struct tm_buf path = TM_BUF_INIT(MAX_PATH);
  struct tm_buf body = TM_BUF_INIT(MAX_BODY);
  char hash[TM_SHA256_HEX];
  int rc = 0;
  if (request != NULL)
    rc = mapping_request(&path, &body, request, scope, err);
  if (request != NULL && rc == 0) {
    printf("# %s: %s %.*s%s", what, tm_json_get_string(request, "method"),
           origin_length(p->target->url), p->target->url, path.ptr);
    if (body.len > 0)
      printf(", %zu bytes, sha256 %s\n%s", body.len, tm_sha256_hex(hash, body.ptr, body.len),
             body.ptr);
    putchar('\n');
  }
  tm_buf_release(&path);
  tm_buf_release(&body);
  return rc;
}

static int show_recommendation(void *arg, struct mapping_scope *scope, struct tm_error *err)
{
  static const char *const order[][2] = {
      {"find", "find"},
      {"create", "create, where none is found"},
      {"update", "update, where one is found and may be changed"},
      {"upsert", "create or update"}};
  const struct preview *p = arg;
  const json_t *root = p->mapping->root;
  const char *name;
  json_t *lookup;
  int rc = 0;
  scope->dry = true;
  printf("# record %s\n", json_string_value(scope->key));
  json_object_foreach(json_object_get(root, "lookups"), name, lookup)
  {
    if (rc == 0)
      rc = show_request(p, name, lookup, scope, err);
  }
  for (size_t i = 0; rc == 0 && i < sizeof(order) / sizeof(order[0]); i++)
    rc = show_request(p, order[i][1], json_object_get(root, order[i][0]), scope, err);
  return rc;
}

int mapping_preview(const struct tm_conf_target *target, const char *event, size_t len,
                    struct tm_error *err)
{
  struct mapping m;
  struct preview p = {target, &m};
  int rc = mapping_load(&m, target->mapping, err);
  if (rc == 0)
    rc = mapping_each(&m, event, len, show_recommendation, &p, err);
  mapping_release(&m);
  return rc;
}
