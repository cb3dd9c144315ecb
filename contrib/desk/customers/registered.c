/* SPDX-License-Identifier: MIT */
#include "contrib/desk/customers/registered.h"

#include "common/json.h"
#include "common/mail.h"
#include "common/text.h"
#include "contrib/desk/customers/crm.h"
#include "contrib/desk/public/contact.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a list: what a cell of an import may have (import/rows.c), and its end. */
enum { LIST_SIZE = 4001, CONTACT_MAX = 200, LANGUAGE_MAX = 16 };

/* --- reading -------------------------------------------------------------------------------- */

static int read_addresses(struct db *db, const char *customer, const char *kind, json_t *row,
                          const char *name, struct tm_error *err)
{
  struct tm_buf list = TM_BUF_INIT(LIST_SIZE);
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT address FROM addresses WHERE customer_id = ?1 AND kind = ?2"
                      " ORDER BY address",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  db_bind_text(stmt, 2, kind);
  while (rc >= 0 && (rc = db_step(stmt, err)) == 1) {
    rc = tm_buf_printf(&list, "%s%s", list.len > 0 ? ";" : "", db_text(stmt, 0));
    if (rc < 0)
      tm_fail(err, rc, "%s: %s: %s", customer, name, strerror(-rc));
  }
  db_done(stmt);
  json_object_set_new(row, name, json_string(list.len > 0 ? list.ptr : ""));
  tm_buf_release(&list);
  return rc;
}

int registered_read(struct db *db, const char *customer, json_t **out, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *row = NULL;
  int rc = db_prepare(db,
                      "SELECT customer_id, name, region, contact, shop, language, version"
                      " FROM customers WHERE customer_id = ?1 AND deleted_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  rc = db_take_row(stmt, &row, "there is no such customer", err);
  if (rc == 0)
    rc = read_addresses(db, customer, "phone", row, "phone", err);
  if (rc == 0)
    rc = read_addresses(db, customer, "email", row, "email", err);
  if (rc == 0)
    *out = row;
  else
    json_decref(row);
  return rc;
}

int registered_changes(struct db *db, const char *customer, json_t **rows, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT at, by_name, field, old_value, new_value, version"
                      " FROM customer_changes WHERE customer_id = ?1 ORDER BY id DESC LIMIT 50",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  return db_take_rows(stmt, rows, err);
}

/* --- checking ------------------------------------------------------------------------------- */

static bool list_has(const char *list, const char *one)
{
  size_t len = strlen(one);
  for (const char *p = list; p != NULL && *p != '\0'; p = strchr(p, ';'), p += p != NULL)
    if (strncmp(p, one, len) == 0 && (p[len] == ';' || p[len] == '\0'))
      return true;
  return false;
}

static bool put_one(char *out, size_t size, const char *one)
{
  size_t at = strlen(out);
  if (list_has(out, one))
    return true;
  int n = snprintf(out + at, size - at, "%s%s", at > 0 ? ";" : "", one);
  return n > 0 && (size_t)n < size - at;
}

/* Digits and a '+' at its head; false where something else stands in it than what divides digits.
 */
static bool plain_phone(char *out, size_t size, const char *typed)
{
  size_t n = 0;
  for (; *typed != '\0'; typed++) {
    if (isdigit((unsigned char)*typed) || (*typed == '+' && n == 0))
      out[n++] = *typed;
    else if (strchr(" -()./", *typed) == NULL)
      return false;
    if (n + 1 >= size)
      return false;
  }
  out[n] = '\0';
  return true;
}

typedef bool check_one(const char *typed, const char *known, char *out, size_t size);

static bool check_list(const char *typed, const char *known, check_one *check, char *out,
                       size_t size, const char **bad)
{
  static _Thread_local char wrong[100];
  const char *p = typed;
  out[0] = '\0';
  while (*p != '\0') {
    char one[256], plain[256];
    p += strspn(p, " ;\t\r\n");
    size_t len = strcspn(p, ";\r\n");
    while (len > 0 && p[len - 1] == ' ')
      len--;
    if (len == 0)
      break;
    snprintf(one, sizeof(one), "%.*s", (int)(len < 255 ? len : 255), p);
    p += len;
    if (!check(one, known, plain, sizeof(plain)) || !put_one(out, size, plain)) {
      tm_text_clean(wrong, sizeof(wrong), one, strlen(one));
      *bad = wrong;
      return false;
    }
  }
  return true;
}

static bool check_phone(const char *typed, const char *known, char *out, size_t size)
{
  if (!plain_phone(out, size, typed))
    return false;
  size_t digits = strlen(out) - 1;
  return list_has(known, out) || (out[0] == '+' && digits >= 7 && digits <= 15);
}

static bool check_email(const char *typed, const char *known, char *out, size_t size)
{
  (void)known;
  size_t len = strlen(typed);
  if (len >= size || !tm_mail_is_address(typed))
    return false;
  for (size_t i = 0; i <= len; i++)
    out[i] = (char)tolower((unsigned char)typed[i]);
  return true;
}

bool registered_phones(const char *typed, const char *known, char *out, size_t size,
                       const char **bad)
{
  return check_list(typed, known, check_phone, out, size, bad);
}

bool registered_emails(const char *typed, char *out, size_t size, const char **bad)
{
  return check_list(typed, NULL, check_email, out, size, bad);
}

/* --- changing ------------------------------------------------------------------------------- */

struct wanted {
  char phone[LIST_SIZE], email[LIST_SIZE], contact[CONTACT_MAX + 1], language[LANGUAGE_MAX + 1];
};

static bool trim(char *out, size_t size, const char *typed)
{
  typed += strspn(typed, " \t\r\n");
  size_t len = strlen(typed);
  while (len > 0 && isspace((unsigned char)typed[len - 1]))
    len--;
  snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), typed);
  return len < size && strpbrk(out, "\r\n") == NULL;
}

static bool is_language(const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!isalnum((unsigned char)*c) && *c != '-')
      return false;
  return text[0] == '\0' || strlen(text) >= 2;
}

static int refuse(struct registered *c, const char *field, struct tm_error *err, const char *text)
{
  c->field = field;
  return tm_fail(err, -EINVAL, "%s", text);
}

static int check(struct registered *c, const json_t *old, struct wanted *w, struct tm_error *err)
{
  const char *bad = NULL;
  if (c->contact != NULL && !trim(w->contact, sizeof(w->contact), c->contact))
    return refuse(c, "contact", err, "Write one line of at most 200 letters.");
  if (c->language != NULL &&
      (!trim(w->language, sizeof(w->language), c->language) || !is_language(w->language)))
    return refuse(c, "language", err, "Write a language as in ja or en-GB.");
  if (c->phone != NULL && !registered_phones(c->phone, tm_json_get_string(old, "phone"), w->phone,
                                             sizeof(w->phone), &bad)) {
    c->field = "phone";
    return tm_fail(err, -EINVAL, "%s: write the number with its country, as in +81 6 0000 0199.",
                   bad);
  }
  if (c->email != NULL && !registered_emails(c->email, w->email, sizeof(w->email), &bad)) {
    c->field = "email";
    return tm_fail(err, -EINVAL, "%s: write an e-mail address, as in a.sato@example.com.", bad);
  }
  return 0;
}

static int note_change(struct db *db, const struct registered *c, const char *field,
                       const char *old, const char *new, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO customer_changes (customer_id, version, at, by_user, by_name,"
                      " field, old_value, new_value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->customer);
  db_bind_int(stmt, 2, c->version + 1);
  db_bind_int(stmt, 3, c->now);
  db_bind_int(stmt, 4, c->by_user);
  db_bind_text(stmt, 5, c->by);
  db_bind_text(stmt, 6, field);
  db_bind_text(stmt, 7, old);
  db_bind_text(stmt, 8, new);
  return db_exec(stmt, err);
}

static int bind_three(struct db *db, const char *sql, const char *a, const char *b, const char *c,
                      struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, a);
  db_bind_text(stmt, 2, b);
  if (c != NULL)
    db_bind_text(stmt, 3, c);
  return db_exec(stmt, err);
}

/* Those that are gone go, those that are new come: names beside the others stay. */
static int write_list(struct db *db, const char *customer, const char *kind, const char *old,
                      const char *new, struct tm_error *err)
{
  static const char *const sql[] = {
      "DELETE FROM addresses WHERE customer_id = ?1 AND kind = ?2 AND address = ?3",
      "INSERT INTO addresses (customer_id, kind, address) VALUES (?1, ?2, ?3)"
      " ON CONFLICT (kind, address, customer_id) DO NOTHING"};
  int rc = 0;
  for (int i = 0; i < 2; i++) {
    const char *other = i == 0 ? new : old;
    for (const char *p = i == 0 ? old : new; rc == 0 && p != NULL &&*p != '\0';) {
      char one[256];
      size_t len = strcspn(p, ";");
      snprintf(one, sizeof(one), "%.*s", (int)(len < 255 ? len : 255), p);
      p += len + (p[len] == ';');
      if (!list_has(other, one))
        rc = bind_three(db, sql[i], customer, kind, one, err);
    }
  }
  return rc;
}

/* One field: written where it is different, and noted in `changes` for the letter and the CRM. */
static int apply(struct db *db, struct registered *c, const json_t *row, const char *field,
                 const char *new, json_t *changes, struct tm_error *err)
{
  const char *old = tm_json_get_string(row, field);
  int rc;
  old = old != NULL ? old : "";
  if (strcmp(old, new) == 0)
    return 0;
  if (strcmp(field, "contact") == 0)
    rc = bind_three(db, "UPDATE customers SET contact = ?2 WHERE customer_id = ?1", c->customer,
                    new[0] != '\0' ? new : NULL, NULL, err);
  else if (strcmp(field, "language") == 0)
    rc = bind_three(db, "UPDATE customers SET language = ?2 WHERE customer_id = ?1", c->customer,
                    new[0] != '\0' ? new : NULL, NULL, err);
  else
    rc = write_list(db, c->customer, field, old, new, err);
  if (rc == 0)
    rc = note_change(db, c, field, old, new, err);
  if (rc == 0) {
    json_array_append_new(changes,
                          json_pack("{s:s, s:s, s:s}", "field", field, "old", old, "new", new));
    c->changed++;
  }
  return rc;
}

/* The next version; -EEXIST where it is not the one that was seen any more. */
static int count_up(struct db *db, const struct registered *c, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE customers SET version = version + 1 WHERE customer_id = ?1"
                      " AND version = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->customer);
  db_bind_int(stmt, 2, c->version);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc = tm_fail(err, -EEXIST,
                 "This was changed by somebody else meanwhile. Look at it again, then save.");
  return rc;
}

static int tell(struct db *db, const struct registered *c, const json_t *row, json_t *changes,
                struct tm_error *err)
{
  struct responsible person;
  char key[300];
  int rc = contact_person(db, c->customer, c->now, &person, err);
  if (rc < 0)
    return rc;
  snprintf(key, sizeof(key), "change/%.200s/%lld", c->customer, (long long)c->version + 1);
  json_t *model = json_pack("{s:O, s:s, s:I, s:O}", "customer", row, "by", c->by, "at",
                            (json_int_t)c->now, "changes", changes);
  rc = contact_tell(db, c->desk, &person, c->customer, key, NULL, "mail-change.txt", model, c->now,
                    err);
  json_decref(model);
  return rc == 0 && c->desk->conf->factory.tryton
             ? crm_want(db, c->customer, "change", changes, c->now, err)
             : rc;
}

int registered_change(struct db *db, void *arg, struct tm_error *err)
{
  struct registered *c = arg;
  struct wanted w = {0};
  json_t *row = NULL, *changes = json_array();
  c->field = NULL;
  c->changed = 0;
  int rc = registered_read(db, c->customer, &row, err);
  if (rc == 0 && json_integer_value(json_object_get(row, "version")) != c->version)
    rc = tm_fail(err, -EEXIST,
                 "This was changed by somebody else meanwhile. Look at it again, then save.");
  if (rc == 0)
    rc = check(c, row, &w, err);
  const struct {
    const char *field, *typed, *new;
  } fields[] = {{"contact", c->contact, w.contact},
                {"phone", c->phone, w.phone},
                {"email", c->email, w.email},
                {"language", c->language, w.language}};
  for (size_t i = 0; rc == 0 && i < 4; i++)
    if (fields[i].typed != NULL)
      rc = apply(db, c, row, fields[i].field, fields[i].new, changes, err);
  if (rc == 0 && c->changed > 0)
    rc = count_up(db, c, err);
  if (rc == 0 && c->changed > 0)
    rc = tell(db, c, row, changes, err);
  json_decref(changes);
  json_decref(row);
  return rc;
}
