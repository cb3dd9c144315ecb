/* SPDX-License-Identifier: MIT */
#include "analyzer/shops.h"

#include "common/json.h"
#include "common/json_check.h"

#include <stdio.h>

#define SHOPS_MAX_BYTES ((size_t)16 << 20)

static int check(const struct tm_json_file *f, struct tm_error *err)
{
  static const char *const known[] = {"schema", "otherwise", "shops", NULL};
  const char *text = NULL;
  const char *key;
  json_t *value;
  int rc = tm_json_want_schema(f, "tidemark.shops/1", err);
  if (rc == 0)
    rc = tm_json_known_keys(f, f->root, known, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "otherwise", false, 200, &text, err);
  if (rc < 0)
    return rc;
  json_t *map = json_object_get(f->root, "shops");
  if (!json_is_object(map))
    return tm_json_refuse(f, f->root, "shops", err,
                          "\"shops\" is not an object from customer to shop");
  json_object_foreach(map, key, value)
  {
    rc = tm_json_want_string(f, map, key, true, 200, &text, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

/* Takes over what was read, when it is in order; releases the file in any case. */
static int build(struct shops *s, struct tm_json_file *f, int rc, struct tm_error *err)
{
  if (rc == 0)
    rc = check(f, err);
  if (rc == 0) {
    s->document = f->root;
    f->root = NULL;
  }
  tm_json_file_release(f);
  return rc;
}

int shops_load(struct shops *s, const char *path, struct tm_error *err)
{
  struct tm_json_file f = {0};
  int rc = tm_json_file_read(&f, path, SHOPS_MAX_BYTES, err);
  return build(s, &f, rc, err);
}

int shops_parse(struct shops *s, const char *data, size_t len, const char *name,
                struct tm_error *err)
{
  struct tm_json_file f = {0};
  int rc = tm_json_file_parse(&f, data, len, name, err);
  return build(s, &f, rc, err);
}

void shops_release(struct shops *s)
{
  json_decref(s->document);
  s->document = NULL;
}

const char *shops_of(const struct shops *s, const json_t *summary)
{
  const json_t *customer = json_object_get(summary, "customer");
  const json_t *map = json_object_get(s->document, "shops");
  const char *id = tm_json_get_string(customer, "id");
  const char *site = tm_json_get_string(customer, "site");
  const char *shop = NULL;
  char both[420];
  if (id != NULL && site != NULL) {
    snprintf(both, sizeof(both), "%.200s/%.200s", id, site);
    shop = tm_json_get_string(map, both);
  }
  if (shop == NULL && id != NULL)
    shop = tm_json_get_string(map, id);
  return shop != NULL ? shop : tm_json_get_string(s->document, "otherwise");
}
