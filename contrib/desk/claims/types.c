/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/types.h"

#include "common/json.h"
#include "common/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS " ,;\t\r\n"

/* --- names ---------------------------------------------------------------------------------------
 */

static bool is_item(const char *name, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
      return false;
  return len > 0 && len <= 64;
}

static bool has_item(const json_t *items, const char *name, size_t len)
{
  size_t i;
  const json_t *one;
  json_array_foreach(items, i, one)
  {
    const char *text = json_string_value(one);
    if (strlen(text) == len && memcmp(text, name, len) == 0)
      return true;
  }
  return false;
}

int claim_items_read(const char *text, json_t **items, struct tm_error *err)
{
  json_t *list = json_array();
  int rc = 0;
  for (const char *p = text + strspn(text, SEPARATORS); rc == 0 && *p != '\0';) {
    size_t n = strcspn(p, SEPARATORS);
    if (!is_item(p, n)) {
      char shown[65];
      tm_text_clean(shown, sizeof(shown), p, n);
      rc = tm_fail(err, -EINVAL, "%s: not the name of a data item", shown);
    } else if (!has_item(list, p, n)) {
      json_array_append_new(list, json_stringn(p, n));
    }
    p += n;
    p += strspn(p, SEPARATORS);
  }
  if (rc == 0 && json_array_size(list) > TYPE_ITEMS)
    rc = tm_fail(err, -EINVAL, "at most %d data items", TYPE_ITEMS);
  if (rc == 0)
    *items = list;
  else
    json_decref(list);
  return rc;
}

char *claim_item_label(char *out, size_t size, const char *name)
{
  static const struct {
    const char *name, *label;
  } known[] = {
      {"pages_total", "Pages in all"},
      {"copies_total", "Copies in all"},
      {"prints_total", "Prints in all"},
      {"scans_total", "Scans in all"},
      {"copies_feed", "Copies by paper feed"},
      {"copies_size", "Copies by paper size"},
      {"copies_by_function", "Copies by function"},
      {"density_black", "Image density, black"},
      {"density_set", "Image density that is set"},
      {"density_auto", "Automatic density adjustment"},
      {"drum_charge", "Drum charge adjustment"},
      {"console_message", "Message on the panel"},
  };
  size_t len = strcspn(name, "-");
  const char *label = NULL;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
      label = known[i].label;
  if (label != NULL)
    snprintf(out, size, "%s", label);
  else
    snprintf(out, size, "%.*s", (int)len, name);
  if (label == NULL && out[0] != '\0')
    out[0] = (char)toupper((unsigned char)out[0]);
  size_t n = strlen(out);
  if (name[len] == '-' && name[len + 1] != '\0')
    snprintf(out + n, size - n, ", %s", name + len + 1);
  for (char *c = out; *c != '\0'; c++)
    if (*c == '_')
      *c = ' ';
  return out;
}

/* --- the table -----------------------------------------------------------------------------------
 */

int claim_types_read(struct db *db, void *list, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db,
                 "SELECT type, version, items, hints, changed_at, changed_by FROM claim_types t"
                 " WHERE version = (SELECT MAX(version) FROM claim_types o WHERE o.type = t.type)"
                 " AND items <> '' ORDER BY type",
                 &stmt, err);
  return rc < 0 ? rc : db_take_rows(stmt, list, err);
}

/* Whether text holds words, in any case and between other characters than letters and figures. */
static bool holds(const char *text, const char *words, size_t len)
{
  for (const char *p = text; *p != '\0'; p++) {
    bool begins = p == text || !isalnum((unsigned char)p[-1]);
    if (begins && strncasecmp(p, words, len) == 0 && !isalnum((unsigned char)p[len]))
      return true;
  }
  return false;
}

static bool is_hinted(const char *hints, const char *type, const char *text)
{
  for (const char *p = hints + strspn(hints, ", "); *p != '\0';) {
    size_t n = strcspn(p, ","), len = n;
    while (len > 0 && p[len - 1] == ' ')
      len--;
    if (len > 0 && (holds(type, p, len) || holds(text, p, len)))
      return true;
    p += n;
    p += strspn(p, ", ");
  }
  return false;
}

static const json_t *choose(const json_t *list, const char *type, const char *text,
                            const char **how)
{
  size_t i;
  const json_t *row, *common = NULL, *hinted = NULL;
  json_array_foreach(list, i, row)
  {
    const char *name = tm_json_get_string(row, "type");
    *how = "type";
    if (name[0] == '\0')
      common = row;
    else if (strcasecmp(name, type) == 0)
      return row;
    else if (hinted == NULL && is_hinted(tm_json_get_string(row, "hints"), type, text))
      hinted = row;
  }
  *how = hinted != NULL ? "hint" : "common";
  return hinted != NULL ? hinted : common;
}

int claim_type_find(struct db *db, const char *type, const char *text, struct claim_type *out,
                    struct tm_error *err)
{
  json_t *list = NULL;
  int rc = claim_types_read(db, &list, err);
  if (rc < 0)
    return rc;
  const json_t *row = choose(list, type, text, &out->how);
  rc = row == NULL ? tm_fail(err, -EINVAL, "there is no common set of data items")
                   : claim_items_read(tm_json_get_string(row, "items"), &out->items, err);
  if (rc == 0) {
    snprintf(out->type, sizeof(out->type), "%s", tm_json_get_string(row, "type"));
    out->version = json_integer_value(json_object_get(row, "version"));
  }
  json_decref(list);
  return rc;
}

/* --- changes -------------------------------------------------------------------------------------
 */

/* *there is false for one that was never made, or was taken away. */
static int version_of(struct db *db, const char *type, int64_t *version, bool *there,
                      struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT version, items FROM claim_types WHERE type = ?1"
                      " ORDER BY version DESC LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, type);
  rc = db_step(stmt, err);
  *version = rc == 1 ? db_int(stmt, 0) : 0;
  *there = rc == 1 && db_text(stmt, 1)[0] != '\0';
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int insert_version(struct db *db, const struct claim_type_change *c, int64_t version,
                          const char *items, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO claim_types (type, version, items, hints, changed_at,"
                      " changed_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->type);
  db_bind_int(stmt, 2, version);
  db_bind_text(stmt, 3, items);
  db_bind_text(stmt, 4, c->hints != NULL ? c->hints : "");
  db_bind_int(stmt, 5, c->now);
  db_bind_text(stmt, 6, c->by);
  return db_exec(stmt, err);
}

static int check_change(struct claim_type_change *c, json_t **items, struct tm_error *err)
{
  c->field = "type";
  if (c->type == NULL || strlen(c->type) >= TYPE_NAME)
    return tm_fail(err, -EINVAL, "a name of at most 200 bytes is wanted");
  c->field = "hints";
  if (c->hints != NULL && strlen(c->hints) > 2000)
    return tm_fail(err, -EINVAL, "at most 2000 bytes");
  c->field = "items";
  int rc = claim_items_read(c->items != NULL ? c->items : "", items, err);
  if (rc == 0 && json_array_size(*items) == 0 && c->type[0] == '\0')
    rc = tm_fail(err, -EINVAL, "the common set must have an item");
  if (rc == 0)
    c->field = NULL;
  return rc;
}

int claim_type_put(struct db *db, void *change, struct tm_error *err)
{
  struct claim_type_change *c = change;
  struct tm_buf text = TM_BUF_INIT(16384);
  json_t *items = NULL;
  int64_t version = 0;
  bool there = false;
  size_t i;
  const json_t *one;
  int rc = check_change(c, &items, err);
  if (rc == 0)
    rc = version_of(db, c->type, &version, &there, err);
  if (rc == 0 && c->seen != (there ? version : 0))
    rc = tm_fail(err, -EEXIST, "%s: changed meanwhile, to version %lld", c->type,
                 (long long)version);
  json_array_foreach(items, i, one)
      tm_buf_printf(&text, "%s%s", i > 0 ? " " : "", json_string_value(one));
  if (rc == 0)
    rc = insert_version(db, c, version + 1, text.ptr != NULL ? text.ptr : "", err);
  tm_buf_release(&text);
  json_decref(items);
  return rc;
}
