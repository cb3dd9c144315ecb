/* SPDX-License-Identifier: MIT */
#include "contrib/desk/public/contact.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/mail/mail.h"
#include "contrib/desk/people/buckets.h"
#include "contrib/desk/public/products.h"
#include "contrib/desk/public/whose.h"
#include "contrib/desk/sales/words.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { HOUR = 3600 };

const char *contact_word(const char *kind)
{
  static const char *const words[][2] = {{"quote", "A quote"},
                                         {"material", "Material to read"},
                                         {"call", "A call back"},
                                         {"question", "An answer to a question"}};
  for (size_t i = 0; kind != NULL && i < sizeof(words) / sizeof(words[0]); i++)
    if (strcmp(words[i][0], kind) == 0)
      return words[i][1];
  return "A contact";
}

/* --- to whom -------------------------------------------------------------------------------- */

static int region_of(struct db *db, const char *customer, char *region, size_t size,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  region[0] = '\0';
  int rc = db_prepare(db, "SELECT region FROM customers WHERE customer_id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  rc = db_step(stmt, err);
  if (rc == 1 && !db_is_null(stmt, 0))
    snprintf(region, size, "%s", db_text(stmt, 0));
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int contact_person(struct db *db, const char *customer, int64_t now, struct responsible *out,
                   struct tm_error *err)
{
  char region[200];
  *out = (struct responsible){0};
  if (customer == NULL || customer[0] == '\0')
    return 0;
  int rc = region_of(db, customer, region, sizeof(region), err);
  if (rc < 0)
    return rc;
  const struct responsible_ask ask = {.role = "sales",
                                      .customer = customer,
                                      .region = region[0] != '\0' ? region : NULL,
                                      .day = tm_date_days(now)};
  return responsible_find(db, &ask, out, err);
}

int contact_tell(struct db *db, const struct desk *desk, const struct responsible *person,
                 const char *customer, const char *key, const char *reply_to, const char *page,
                 const json_t *model, int64_t now, struct tm_error *err)
{
  bool own = tm_mail_is_address(person->email);
  const struct desk_conf_mail *conf = &desk->conf->mail;
  const char *to = own ? person->email : conf->team != NULL ? conf->team : conf->from;
  if (to == NULL)
    return 0; /* no mail is sent here: the task stands in the desk all the same */
  json_t *whole = json_copy((json_t *)model);
  if (person->name[0] != '\0')
    json_object_set_new(whole, "person", json_string(person->name));
  if (person->instead_of[0] != '\0')
    json_object_set_new(whole, "instead_of", json_string(person->instead_of));
  const struct mail mail = {.key = key,
                            .customer = customer,
                            .to = to,
                            .to_name = own ? person->name : NULL,
                            .reply_to = tm_mail_is_address(reply_to) ? reply_to : NULL,
                            .page = page,
                            .model = whole};
  int rc = mail_put(db, desk, &mail, now, err);
  json_decref(whole);
  return rc;
}

/* --- what is known of one ------------------------------------------------------------------- */

static int one_row(struct db *db, const char *sql, const char *text, int64_t number, json_t **row,
                   struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *row = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  if (text != NULL)
    db_bind_text(stmt, 1, text);
  else
    db_bind_int(stmt, 1, number);
  return db_take_row(stmt, row, NULL, err);
}

static int add_devices(struct db *db, const char *customer, json_t *view, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  size_t i;
  json_t *row;
  int rc = db_prepare(db,
                      "SELECT id, site, device, kind, model, used_bytes, capacity_bytes,"
                      " used_fraction, fill_early, fill_middle, fill_late FROM devices"
                      " WHERE customer_id = ?1 ORDER BY fill_middle IS NULL, fill_middle, id"
                      " LIMIT 50",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  json_t *rows = NULL;
  rc = db_take_rows(stmt, &rows, err);
  if (rc < 0)
    return rc;
  json_array_foreach(rows, i, row)
  {
    json_object_set_new(row, "kind_word", json_string(words_kind(tm_json_get_string(row, "kind"))));
  }
  json_object_set_new(view, "devices", rows);
  json_object_set_new(view, "has_devices", json_boolean(json_array_size(rows) > 0));
  return 0;
}

static int add_customer(struct db *db, const char *customer, json_t *view, struct tm_error *err)
{
  json_t *row = NULL;
  int rc = one_row(db,
                   "SELECT customer_id, name, region, contact AS contact_person, shop, language"
                   " FROM customers"
                   " WHERE customer_id = ?1",
                   customer, 0, &row, err);
  if (rc < 0 || row == NULL)
    return rc;
  json_object_set_new(view, "customer", row);
  return add_devices(db, customer, view, err);
}

/* Each line of what was written on its own: a letter's template prints no line ends of a value. */
static json_t *lines_of(const char *text)
{
  json_t *lines = json_array();
  while (text != NULL && *text != '\0') {
    size_t len = strcspn(text, "\r\n");
    json_array_append_new(lines, json_stringn(text, len));
    text += len;
    text += *text == '\r';
    text += *text == '\n';
  }
  return lines;
}

int contact_view(struct db *db, int64_t id, json_t **view, struct tm_error *err)
{
  json_t *contact = NULL;
  int rc = one_row(db,
                   "SELECT id, number, customer_id, found_by, kind, sku, product_json, page_at,"
                   " sent_at, name, email, phone, given_number, text FROM product_contacts"
                   " WHERE id = ?1",
                   NULL, id, &contact, err);
  if (rc < 0)
    return rc;
  if (contact == NULL)
    return tm_fail(err, -ENOENT, "there is no such contact");
  json_t *all = json_object();
  json_object_set(all, "product", json_object_get(contact, "product"));
  json_object_del(contact, "product");
  json_object_set_new(contact, "kind_word",
                      json_string(contact_word(tm_json_get_string(contact, "kind"))));
  json_object_set_new(contact, "lines", lines_of(tm_json_get_string(contact, "text")));
  json_object_set_new(all, "contact", contact);
  const char *customer = tm_json_get_string(contact, "customer_id");
  if (customer != NULL)
    rc = add_customer(db, customer, all, err);
  if (rc == 0)
    *view = all;
  else
    json_decref(all);
  return rc;
}

/* --- keeping it ----------------------------------------------------------------------------- */

static int take_token(struct db *db, struct contact *c, struct tm_error *err)
{
  const struct bucket bucket = {.kind = "contact",
                                .name = c->address,
                                .size = (double)c->desk->conf->limits.contacts,
                                .per_s = HOUR};
  return bucket_take(db, &bucket, c->now, &c->wait_s, err);
}

/* 1: it was here before, and its number is told. */
static int find_again(struct db *db, struct contact *c, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "SELECT number FROM product_contacts WHERE key = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->key);
  rc = db_step(stmt, err);
  if (rc == 1)
    snprintf(c->number, sizeof(c->number), "%s", db_text(stmt, 0));
  db_done(stmt);
  return rc;
}

/* Read aloud on the telephone: no letters that are taken for others. */
static void make_number(char out[CONTACT_NUMBER])
{
  static const char letters[] = "ABCDEFGHJKMNPQRSTVWXYZ23456789";
  snprintf(out, CONTACT_NUMBER, "R-");
  for (size_t i = 2; i < 10; i++)
    out[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
  out[10] = '\0';
}

static int insert(struct db *db, struct contact *c, const struct whose *whose,
                  const json_t *product, int64_t *id, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(1 << 20);
  struct db_stmt *stmt = NULL;
  int rc = tm_json_append(&text, product) < 0 ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  if (rc == 0)
    rc = db_prepare(db,
                    "INSERT INTO product_contacts (number, key, customer_id, found_by, kind, sku,"
                    " product_json, page_at, sent_at, name, email, phone, given_number, text)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
                    " RETURNING id",
                    &stmt, err);
  if (rc == 0) {
    const char *const texts[] = {c->name, c->email, c->phone, c->given_number, c->text};
    make_number(c->number);
    db_bind_text(stmt, 1, c->number);
    db_bind_text(stmt, 2, c->key);
    db_bind_text(stmt, 3, whose->customer[0] != '\0' ? whose->customer : NULL);
    db_bind_text(stmt, 4, whose->found_by);
    db_bind_text(stmt, 5, c->kind);
    db_bind_text(stmt, 6, c->sku);
    db_bind_text(stmt, 7, text.ptr);
    db_bind_int(stmt, 8, c->page_at);
    db_bind_int(stmt, 9, c->now);
    for (int i = 0; i < 5; i++)
      db_bind_text(stmt, 10 + i, texts[i]);
    rc = db_step(stmt, err);
    *id = rc == 1 ? db_int(stmt, 0) : 0;
    db_done(stmt);
    rc = rc < 0 ? rc : 0;
  }
  tm_buf_release(&text);
  return rc;
}

static int insert_todo(struct db *db, int64_t contact, const struct contact *c,
                       const struct whose *whose, const struct responsible *person, int64_t *id,
                       struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  char title[400];
  bool known = whose->customer[0] != '\0';
  snprintf(title, sizeof(title), "%s: %.200s", known ? contact_word(c->kind) : "Whose is this?",
           c->sku);
  int rc = db_prepare(db,
                      "INSERT INTO todos (customer_id, kind, title, contact_id, staff, made_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, known ? whose->customer : NULL);
  db_bind_text(stmt, 2, known ? "contact" : "whose");
  db_bind_text(stmt, 3, title);
  db_bind_int(stmt, 4, contact);
  db_bind_text(stmt, 5, person->staff[0] != '\0' ? person->staff : NULL);
  db_bind_int(stmt, 6, c->now);
  rc = db_step(stmt, err);
  *id = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* key: "contact/R-…", and once more when a person has said whose it is. */
static int write_letter(struct db *db, const struct desk *desk, int64_t contact, int64_t todo,
                        const struct responsible *person, const char *key, int64_t now,
                        struct tm_error *err)
{
  json_t *view = NULL;
  int rc = contact_view(db, contact, &view, err);
  if (rc < 0)
    return rc;
  const json_t *row = json_object_get(view, "contact");
  json_object_set_new(view, "todo", json_integer(todo));
  rc = contact_tell(db, desk, person, tm_json_get_string(row, "customer_id"), key,
                    tm_json_get_string(row, "email"), "mail-contact.txt", view, now, err);
  json_decref(view);
  return rc;
}

static int find_whose(struct db *db, const struct contact *c, struct whose *whose,
                      struct tm_error *err)
{
  if (c->customer == NULL)
    return whose_find(db, c->given_number, c->email, whose, err);
  *whose = (struct whose){.found_by = c->found_by};
  snprintf(whose->customer, sizeof(whose->customer), "%s", c->customer);
  return 0;
}

int contact_store(struct db *db, void *arg, struct tm_error *err)
{
  struct contact *c = arg;
  struct whose whose = {0};
  struct responsible person = {0};
  json_t *product = NULL;
  char key[64];
  int64_t id = 0, todo = 0;
  int rc = find_again(db, c, err);
  if (rc != 0)
    return rc < 0 ? rc : 0;
  rc = take_token(db, c, err);
  if (rc == 0)
    rc = product_read(c->desk->products, db, c->sku, tm_date_days(c->now), &product, err);
  if (rc == 0)
    rc = find_whose(db, c, &whose, err);
  if (rc == 0)
    rc = insert(db, c, &whose, product, &id, err);
  if (rc == 0)
    rc = contact_person(db, whose.customer, c->now, &person, err);
  if (rc >= 0)
    rc = insert_todo(db, id, c, &whose, &person, &todo, err);
  if (rc == 0) {
    snprintf(key, sizeof(key), "contact/%s", c->number);
    rc = write_letter(db, c->desk, id, todo, &person, key, c->now, err);
  }
  json_decref(product);
  return rc;
}

/* --- whose it is, by a person --------------------------------------------------------------- */

static int set_customer(struct db *db, int64_t id, const char *customer, const char *by,
                        struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE product_contacts SET customer_id = ?2, found_by = ?3 WHERE id = ?1"
                      " AND customer_id IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, id);
  db_bind_text(stmt, 2, customer);
  db_bind_text(stmt, 3, by);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc = tm_fail(err, -EEXIST, "somebody has said already whose it is: look at it again");
  return rc;
}

static int move_todo(struct db *db, int64_t contact, const char *customer,
                     const struct responsible *person, int64_t *todo, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE todos SET customer_id = ?2, kind = 'contact', staff = ?3, title ="
                      " (SELECT p.sku FROM product_contacts p WHERE p.id = ?1)"
                      " WHERE contact_id = ?1 RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, contact);
  db_bind_text(stmt, 2, customer);
  db_bind_text(stmt, 3, person->staff[0] != '\0' ? person->staff : NULL);
  rc = db_step(stmt, err);
  *todo = rc == 1 ? db_int(stmt, 0) : 0;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

int contact_assign(struct db *db, const struct desk *desk, int64_t id, const char *customer,
                   const char *by, int64_t now, struct tm_error *err)
{
  struct responsible person;
  json_t *row = NULL;
  char key[64];
  int64_t todo = 0;
  int rc = one_row(db, "SELECT name FROM customers WHERE customer_id = ?1", customer, 0, &row, err);
  if (rc == 0 && row == NULL)
    rc = tm_fail(err, -EINVAL, "%s: there is no such customer", customer);
  json_decref(row);
  if (rc == 0)
    rc = set_customer(db, id, customer, by, err);
  if (rc == 0)
    rc = contact_person(db, customer, now, &person, err);
  if (rc >= 0)
    rc = move_todo(db, id, customer, &person, &todo, err);
  if (rc == 0) {
    snprintf(key, sizeof(key), "contact/%lld/assigned", (long long)id);
    rc = write_letter(db, desk, id, todo, &person, key, now, err);
  }
  return rc;
}
