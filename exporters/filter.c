/* SPDX-License-Identifier: MIT */
#include "exporters/filter.h"

#include "common/json.h"
#include "common/json_memory.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_PURPOSE ((1u << TM_PURPOSES) - 1)

enum verdict { LEFT_OUT, KEPT, REPLACED };

struct walk {
  const struct filter *f;
  struct tm_error *err;
  size_t substance; /* fields kept that do not leave with every purpose */
};

void filter_pseudonym(char out[FILTER_PSEUDONYM_SIZE], const struct tm_secret *key,
                      const char *label, const char *text)
{
  char hex[TM_SHA256_HEX];
  tm_hmac_hex(hex, key, label, text);
  snprintf(out, FILTER_PSEUDONYM_SIZE, "p-%.24s", hex);
}

/* --- is the value what the schema wants? ---------------------------------------------------- */

static const char *check_string(const struct schema_node *n, const char *s)
{
  if (tm_text_characters(s) > n->max_length)
    return "longer than is allowed";
  if (tm_text_has_control(s))
    return "holds control characters";
  if (n->pattern != NULL && !tm_pattern_fits(n->pattern, s))
    return "not of the form that is allowed";
  return NULL;
}

/* NULL, or what is wrong. Members and items are looked at when they are walked. */
static const char *check_value(const struct schema_node *n, const json_t *v)
{
  unsigned type = tm_json_type(v);
  if ((n->types & type) == 0)
    return "of a type that is not allowed";
  if (n->constant != NULL && !json_equal(n->constant, v))
    return "not the value that is allowed";
  if (n->allowed != NULL && !tm_json_is_listed(n->allowed, v))
    return "not one of the values that are allowed";
  if ((type & TM_TYPE_NUMBER) != 0 &&
      (json_number_value(v) < n->minimum || json_number_value(v) > n->maximum))
    return "out of range";
  if (type == TM_TYPE_ARRAY && json_array_size(v) > n->max_items)
    return "has more items than are allowed";
  return type == TM_TYPE_STRING ? check_string(n, json_string_value(v)) : NULL;
}

/* --- may it leave? -------------------------------------------------------------------------- */

static void note(const struct walk *w, const char *path, const char *why)
{
  char text[SCHEMA_PATH_SIZE + 128];
  if (w->f->left_out == NULL)
    return;
  snprintf(text, sizeof(text), "%s: %s", path, why);
  size_t i;
  json_t *had;
  json_array_foreach(w->f->left_out, i, had)
  {
    if (strcmp(json_string_value(had), text) == 0)
      return; /* each day of a history would say the same */
  }
  json_array_append_new(w->f->left_out, json_string(text));
}

/* "sales or service" */
static void name_purposes(char *out, size_t size, unsigned purposes)
{
  size_t at = 0;
  out[0] = '\0';
  for (unsigned i = 0; i < TM_PURPOSES && at < size; i++) {
    if (purposes & 1u << i)
      at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? " or " : "",
                             tm_purpose_name((enum tm_purpose)(1u << i)));
  }
}

/* Those of the purposes that are on and were agreed to with this field in sight. */
static unsigned open_for(const struct walk *w, const char *path, unsigned purposes)
{
  unsigned open = purposes & w->f->purposes;
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    const json_t *agreed = w->f->agreed[i];
    if ((open & 1u << i) && agreed != NULL && json_object_get(agreed, path) == NULL)
      open &= ~(1u << i);
  }
  return open;
}

static enum verdict may_leave(const struct walk *w, const struct schema_node *n, const char *path,
                              const json_t *v)
{
  char why[128], names[96];
  bool leaf = n->members_len == 0 && n->by_pattern == NULL && n->items == NULL;
  bool on = ((n->purposes | n->pseudonym) & w->f->purposes) != 0;
  if (!leaf && on)
    return KEPT; /* what it holds is looked at one by one */
  if (open_for(w, path, n->purposes) != 0)
    return KEPT;
  if (open_for(w, path, n->pseudonym) != 0) {
    if (json_is_string(v))
      note(w, path, "not in clear: a pseudonym leaves instead");
    return REPLACED;
  }
  if (on) {
    note(w, path, "new since consent was given");
    return LEFT_OUT;
  }
  name_purposes(names, sizeof(names), n->purposes);
  snprintf(why, sizeof(why), "needs %s", names);
  note(w, path, why);
  return LEFT_OUT;
}

/* CUSTOMER/SITE/HOST/DEVICE/...: the names within it are replaced as they are elsewhere. */
static json_t *replace_in_path(const struct filter *f, const char *text)
{
  struct tm_buf b = TM_BUF_INIT(4096);
  const char *p = text;
  for (int part = 0;; part++) {
    size_t len = strcspn(p, "/");
    char *one = strndup(p, len);
    char pseudonym[FILTER_PSEUDONYM_SIZE];
    if (one != NULL && (part == 2 || part == 3)) {
      filter_pseudonym(pseudonym, f->key, "name", one);
      tm_buf_puts(&b, pseudonym);
    } else if (one != NULL) {
      tm_buf_puts(&b, one);
    }
    free(one);
    if (p[len] == '\0')
      break;
    tm_buf_puts(&b, "/");
    p += len + 1;
  }
  json_t *out = json_string(b.ptr != NULL ? b.ptr : "");
  tm_buf_release(&b);
  return out;
}

static json_t *make_leaf(const struct walk *w, const struct schema_node *n, enum verdict verdict,
                         const char *path, const json_t *v)
{
  char pseudonym[FILTER_PSEUDONYM_SIZE];
  const char *text = json_string_value(v);
  if (text == NULL)
    return json_deep_copy(v);
  if (verdict == REPLACED)
    filter_pseudonym(pseudonym, w->f->key, n->name, text);
  else if (n->is_name && !w->f->names_clear)
    filter_pseudonym(pseudonym, w->f->key, "name", text);
  else if (n->is_name_path && !w->f->names_clear)
    return replace_in_path(w->f, text);
  else
    return json_deep_copy(v);
  if (verdict != REPLACED)
    note(w, path, "not in clear: a pseudonym leaves instead");
  return json_string(pseudonym);
}

/* --- the walk ------------------------------------------------------------------------------- */

static int walk_value(struct walk *w, const struct schema_node *n, const char *path,
                      const json_t *v, json_t **out);

static int walk_member(struct walk *w, const struct schema_node *n, const char *path,
                       const char *name, const json_t *v, json_t *object)
{
  json_t *kept = NULL;
  int rc = walk_value(w, n, path, v, &kept);
  if (kept != NULL)
    json_object_set_new(object, name, kept);
  return rc;
}

static const struct schema_node *find_member(const struct schema_node *n, const char *name)
{
  for (size_t i = 0; i < n->members_len; i++) {
    if (strcmp(n->members[i].name, name) == 0)
      return &n->members[i];
  }
  return NULL;
}

/* Members that the schema does not list by name. */
static int walk_others(struct walk *w, const struct schema_node *n, const char *path,
                       const json_t *v, json_t *object)
{
  char child[SCHEMA_PATH_SIZE];
  const char *name;
  json_t *member;
  const char *dot = path[0] != '\0' ? "." : "";
  json_object_foreach((json_t *)v, name, member)
  {
    if (find_member(n, name) != NULL)
      continue;
    if (n->by_pattern != NULL && tm_pattern_fits(n->by_pattern_key, name)) {
      snprintf(child, sizeof(child), "%s.*", path);
      int rc = walk_member(w, n->by_pattern, child, name, member, object);
      if (rc < 0)
        return rc;
      continue;
    }
    char clean[64];
    tm_text_clean(clean, sizeof(clean), name, strlen(name));
    snprintf(child, sizeof(child), "%s%s%s", path, dot, clean);
    note(w, child, "not in the schema");
  }
  return 0;
}

static int walk_object(struct walk *w, const struct schema_node *n, const char *path,
                       const json_t *v, json_t **out)
{
  char child[SCHEMA_PATH_SIZE];
  json_t *object = json_object();
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < n->members_len; i++) {
    const struct schema_node *m = &n->members[i];
    const json_t *member = json_object_get(v, m->name);
    snprintf(child, sizeof(child), "%s%s%s", path, path[0] != '\0' ? "." : "", m->name);
    if (member != NULL)
      rc = walk_member(w, m, child, m->name, member, object);
    else if (m->required)
      rc = tm_fail(w->err, -EBADMSG, "%s: missing", child);
  }
  if (rc == 0)
    rc = walk_others(w, n, path, v, object);
  if (rc < 0 || json_object_size(object) == 0) {
    json_decref(object);
    return rc;
  }
  *out = object;
  return 0;
}

static int walk_array(struct walk *w, const struct schema_node *n, const char *path,
                      const json_t *v, json_t **out)
{
  char child[SCHEMA_PATH_SIZE];
  json_t *array = json_array();
  size_t i;
  json_t *item;
  int rc = 0;
  snprintf(child, sizeof(child), "%s[]", path);
  json_array_foreach(v, i, item)
  {
    json_t *kept = NULL;
    rc = walk_value(w, n->items, child, item, &kept);
    if (kept != NULL)
      json_array_append_new(array, kept);
    if (rc < 0)
      break;
  }
  if (rc < 0 || (json_array_size(array) == 0 && json_array_size(v) > 0)) {
    json_decref(array);
    return rc;
  }
  *out = array;
  return 0;
}

static int walk_value(struct walk *w, const struct schema_node *n, const char *path,
                      const json_t *v, json_t **out)
{
  enum verdict verdict = may_leave(w, n, path, v);
  if (verdict == LEFT_OUT)
    return 0;
  const char *wrong = check_value(n, v);
  if (wrong != NULL)
    return tm_fail(w->err, -EBADMSG, "%s: %s", path, wrong);
  if (json_is_object(v))
    return walk_object(w, n, path, v, out);
  if (json_is_array(v))
    return walk_array(w, n, path, v, out);
  if (n->purposes != EVERY_PURPOSE)
    w->substance++;
  *out = make_leaf(w, n, verdict, path, v);
  return *out == NULL ? tm_fail(w->err, -ENOMEM, "%s: out of memory", path) : 0;
}

int filter_apply(const struct filter *f, const struct schema *schema, const json_t *document,
                 json_t **out, struct tm_error *err)
{
  struct walk w = {.f = f, .err = err};
  *out = NULL;
  if (!json_is_object(document))
    return tm_fail(err, -EBADMSG, "not an object");
  int rc = walk_object(&w, &schema->root, "", document, out);
  if (tm_json_starved()) /* whatever was found wrong with it */
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if ((rc < 0 || w.substance == 0) && *out != NULL) {
    json_decref(*out);
    *out = NULL;
  }
  return rc;
}
