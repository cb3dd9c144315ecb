/* SPDX-License-Identifier: MIT */
#include "contrib/desk/customers/crm.h"

#include "common/json.h"
#include "common/log.h"
#include "contrib/desk/intake/erase.h"
#include "exporters/spool.h"
#include "exporters/tryton/party.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TIMEOUT_S = 20, AT_ONCE = 50 };

/* --- the queue ------------------------------------------------------------------------------ */

static int insert_job(struct db *db, const char *customer, const char *what, const char *arg,
                      int64_t now, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO crm_jobs (subject, what, arg_json, made_at, due_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?4)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  db_bind_text(stmt, 2, what);
  db_bind_text(stmt, 3, arg);
  db_bind_int(stmt, 4, now);
  return db_exec(stmt, err);
}

/* A customer who is to be forgotten has nothing to be told any more. */
static int drop_changes(struct db *db, const char *customer, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "DELETE FROM crm_jobs WHERE subject = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  return db_exec(stmt, err);
}

int crm_want(struct db *db, const char *customer, const char *what, const json_t *arg, int64_t now,
             struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(1 << 20);
  int rc = 0;
  /* "C-1001/" alone: all of the customer's. */
  const char *head = json_string_value(json_array_get(arg, 0));
  if (head != NULL && strncmp(head, customer, strlen(customer)) == 0 &&
      strcmp(head + strlen(customer), "/") == 0)
    rc = drop_changes(db, customer, err);
  if (rc == 0)
    rc = tm_json_append(&text, arg) < 0 ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  if (rc == 0)
    rc = insert_job(db, customer, what, text.ptr, now, err);
  tm_buf_release(&text);
  return rc;
}

/* Changes of a customer are told together, as one: a later one that came first would look for
 * values that are not there yet, and leave those that are. */
struct job {
  int64_t now, first, last, tries; /* ids of those that are told */
  json_t *row;
  bool done;
  char error[512];
};

/* From what it was at first to what it is in the end. */
static void add_change(json_t *all, json_t *change)
{
  const char *field = tm_json_get_string(change, "field");
  size_t i;
  json_t *one;
  json_array_foreach(all, i, one)
  {
    const char *other = tm_json_get_string(one, "field");
    if (field != NULL && other != NULL && strcmp(field, other) == 0) {
      json_object_set(one, "new", json_object_get(change, "new"));
      return;
    }
  }
  json_array_append_new(all, json_copy(change));
}

static int take_changes(struct db *db, struct job *j, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  json_t *rows = NULL, *row, *change, *all = json_array();
  size_t i, k;
  int rc = db_prepare(db,
                      "SELECT id, tries, arg_json FROM crm_jobs WHERE subject = ?1"
                      " AND what = 'change' ORDER BY id",
                      &stmt, err);
  if (rc == 0) {
    db_bind_text(stmt, 1, tm_json_get_string(j->row, "subject"));
    rc = db_take_rows(stmt, &rows, err);
  }
  json_array_foreach(rows, i, row)
  {
    int64_t id = json_integer_value(json_object_get(row, "id"));
    int64_t tries = json_integer_value(json_object_get(row, "tries")) + 1;
    j->first = id < j->first ? id : j->first;
    j->last = id > j->last ? id : j->last;
    j->tries = tries > j->tries ? tries : j->tries;
    json_array_foreach(json_object_get(row, "arg"), k, change) add_change(all, change);
  }
  json_decref(rows);
  json_object_set_new(j->row, "arg", all);
  return rc;
}

static int take_job(struct db *db, void *arg, struct tm_error *err)
{
  struct job *j = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT id, tries, subject, what, arg_json FROM crm_jobs WHERE due_at <= ?1"
                      " ORDER BY due_at, id LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, j->now);
  rc = db_take_row(stmt, &j->row, NULL, err);
  if (rc < 0 || j->row == NULL)
    return rc;
  j->first = j->last = json_integer_value(json_object_get(j->row, "id"));
  j->tries = json_integer_value(json_object_get(j->row, "tries")) + 1;
  return strcmp(tm_json_get_string(j->row, "what"), "change") == 0 ? take_changes(db, j, err) : 0;
}

#define JOB " WHERE subject = ?1 AND what = ?2 AND id >= ?3 AND id <= ?4"

static int end_job(struct db *db, void *arg, struct tm_error *err)
{
  const struct job *j = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      j->done ? "DELETE FROM crm_jobs" JOB
                              : "UPDATE crm_jobs SET tries = ?5, due_at = ?6, error = ?7" JOB,
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, tm_json_get_string(j->row, "subject"));
  db_bind_text(stmt, 2, tm_json_get_string(j->row, "what"));
  db_bind_int(stmt, 3, j->first);
  db_bind_int(stmt, 4, j->last);
  if (!j->done) {
    db_bind_int(stmt, 5, j->tries);
    db_bind_int(stmt, 6, j->now + spool_backoff_s((int)j->tries, randombytes_random()));
    db_bind_text(stmt, 7, j->error);
  }
  return db_exec(stmt, err);
}

/* --- Tryton: a changed value ---------------------------------------------------------------- */

/* The ways to reach a party that are of one of two types: [{"id", "value", "type"}]. */
static int mechanisms(struct sales *s, json_int_t party, bool phone, json_t **found,
                      struct tm_error *err)
{
  json_t *types = phone ? json_pack("[s,s]", "phone", "mobile") : json_pack("[s]", "email");
  return tryton_find(s->rpc, "party.contact_mechanism",
                     json_pack("[[s,s,I],[s,s,o]]", "party", "=", party, "type", "in", types), 0,
                     json_pack("[s,s]", "value", "type"), NULL, found, err);
}

/* Tryton may write a number with blanks: only its digits count. */
static bool same_value(const char *a, const char *b, bool phone)
{
  if (a == NULL || b == NULL)
    return false;
  if (!phone)
    return strcasecmp(a, b) == 0;
  for (;;) {
    while (*a != '\0' && strchr(" -()./", *a) != NULL)
      a++;
    while (*b != '\0' && strchr(" -()./", *b) != NULL)
      b++;
    if (*a != *b || *a == '\0')
      return *a == *b;
    a++;
    b++;
  }
}

static json_int_t find_value(const json_t *found, const char *value, bool phone)
{
  size_t i;
  const json_t *row;
  json_array_foreach(found, i, row)
  {
    if (same_value(tryton_text(row, "value"), value, phone))
      return tryton_id(row, "id");
  }
  return -1;
}

/* The next of a list that is separated by semicolons, which the other does not have; NULL: none. */
static bool next_only(const char **list, const char *other, char *one, size_t size)
{
  while (**list != '\0') {
    size_t len = strcspn(*list, ";");
    snprintf(one, size, "%.*s", (int)(len < size ? len : size - 1), *list);
    *list += len + ((*list)[len] == ';');
    bool there = false;
    for (const char *p = other; *p != '\0' && !there;) {
      size_t n = strcspn(p, ";");
      there = strlen(one) == n && strncmp(p, one, n) == 0;
      p += n + (p[n] == ';');
    }
    if (!there)
      return true;
  }
  return false;
}

/* A value that went away becomes the one that came; what only came is added; what only went, and
 * stood there, is taken off. */
static int write_list(struct sales *s, json_int_t party, const json_t *change, bool phone,
                      struct tm_error *err)
{
  const char *old = tm_json_get_string(change, "old"), *new = tm_json_get_string(change, "new");
  const char *went = old, *came = new;
  char from[256], to[256];
  json_t *found = NULL;
  int rc = mechanisms(s, party, phone, &found, err);
  while (rc == 0) {
    bool goes = next_only(&went, new, from, sizeof(from));
    bool comes = next_only(&came, old, to, sizeof(to));
    json_int_t id = goes ? find_value(found, from, phone) : -1;
    if (!goes && !comes)
      break;
    if (comes && find_value(found, to, phone) >= 0)
      continue; /* a try before this one got so far */
    if (comes && id >= 0)
      rc = tryton_call(s->rpc, "model.party.contact_mechanism.write",
                       json_pack("[[I],{s:s}]", id, "value", to), NULL, NULL, err);
    else if (comes)
      rc = tryton_create(s->rpc, "party.contact_mechanism",
                         json_pack("{s:I,s:s,s:s}", "party", party, "type",
                                   phone ? "phone" : "email", "value", to),
                         NULL, err);
    else if (id >= 0)
      rc = tryton_call(s->rpc, "model.party.contact_mechanism.delete", json_pack("[[I]]", id), NULL,
                       NULL, err);
  }
  json_decref(found);
  return rc;
}

/* Whom to ask for stands beside the ways to reach a party: beside those that named nobody, or who
 * it was before. */
static int write_contact(struct sales *s, json_int_t party, const json_t *change,
                         struct tm_error *err)
{
  const char *old = tm_json_get_string(change, "old"), *new = tm_json_get_string(change, "new");
  json_t *found = NULL, *ids = json_array();
  size_t i;
  const json_t *row;
  int rc = tryton_find(s->rpc, "party.contact_mechanism",
                       json_pack("[[s,s,I],[s,s,[s,s,s]]]", "party", "=", party, "type", "in",
                                 "phone", "mobile", "email"),
                       0, json_pack("[s]", "name"), NULL, &found, err);
  json_array_foreach(found, i, row)
  {
    const char *name = tryton_text(row, "name");
    if (name == NULL || name[0] == '\0' || (old != NULL && strcmp(name, old) == 0))
      json_array_append_new(ids, json_integer(tryton_id(row, "id")));
  }
  if (rc == 0 && json_array_size(ids) > 0)
    rc = tryton_call(s->rpc, "model.party.contact_mechanism.write",
                     json_pack("[O,{s:s?}]", ids, "name", new), NULL, NULL, err);
  json_decref(ids);
  json_decref(found);
  return rc;
}

/* "ja" is Tryton's "ja_JP", "en-GB" its "en". One that it does not have is no reason to try again.
 */
static int write_language(struct sales *s, json_int_t party, const json_t *change,
                          struct tm_error *err)
{
  const char *wish = tm_json_get_string(change, "new");
  json_t *found = NULL, *lang = json_null();
  size_t i, len = wish != NULL ? strcspn(wish, "-_") : 0;
  const json_t *row;
  int rc = tryton_find(s->rpc, "ir.lang",
                       json_pack("[[s,s,o]]", "code", "ilike",
                                 json_sprintf("%.*s%%", len > 0 ? 2 : 0, len > 0 ? wish : "")),
                       0, json_pack("[s]", "code"), NULL, &found, err);
  json_array_foreach(found, i, row)
  {
    const char *code = tryton_text(row, "code");
    bool exact = code != NULL && wish != NULL && strcasecmp(code, wish) == 0;
    bool near = code != NULL && len > 0 && strncasecmp(code, wish, len) == 0 &&
                (code[len] == '_' || code[len] == '\0');
    if (!exact && (!near || !json_is_null(lang)))
      continue;
    json_decref(lang);
    lang = json_integer(tryton_id(row, "id"));
    if (exact)
      break;
  }
  if (rc == 0 && (len == 0 || !json_is_null(lang)))
    rc = tryton_call(s->rpc, "model.party.party.write",
                     json_pack("[[I],{s:O}]", party, "lang", lang), NULL, NULL, err);
  json_decref(lang);
  json_decref(found);
  return rc;
}

static int write_changes(struct sales *s, json_int_t party, const json_t *changes,
                         struct tm_error *err)
{
  size_t i;
  const json_t *change;
  int rc = 0;
  json_array_foreach(changes, i, change)
  {
    const char *field = tm_json_get_string(change, "field");
    if (rc < 0 || field == NULL)
      break;
    if (strcmp(field, "phone") == 0 || strcmp(field, "email") == 0)
      rc = write_list(s, party, change, strcmp(field, "phone") == 0, err);
    else if (strcmp(field, "contact") == 0)
      rc = write_contact(s, party, change, err);
    else if (strcmp(field, "language") == 0)
      rc = write_language(s, party, change, err);
  }
  return rc;
}

/* --- Tryton: what came from us goes --------------------------------------------------------- */

static int delete_of(struct sales *s, const char *model, const json_t *resources,
                     struct tm_error *err)
{
  char method[64];
  json_t *found = NULL, *ids = json_array();
  size_t i;
  const json_t *row;
  int rc = tryton_find(s->rpc, model,
                       json_pack("[[s,s,O],[s,s,I]]", "resource", "in", resources, "create_uid",
                                 "=", tryton_user(s->rpc)),
                       0, json_pack("[s]", "id"), NULL, &found, err);
  json_array_foreach(found, i, row) json_array_append_new(ids, json_integer(tryton_id(row, "id")));
  snprintf(method, sizeof(method), "model.%s.delete", model);
  if (rc == 0 && json_array_size(ids) > 0)
    rc = tryton_call(s->rpc, method, json_pack("[O]", ids), NULL, NULL, err);
  json_decref(ids);
  json_decref(found);
  return rc;
}

/* Our charts and notes beside the opportunities whose keys begin so. What a letter of the pattern
 * lets in besides is left out by the comparison. */
static int forget(struct sales *s, const char *head, struct tm_error *err)
{
  json_t *found = NULL, *resources = json_array();
  size_t i;
  const json_t *row;
  int rc = tryton_find(s->rpc, "sale.opportunity",
                       json_pack("[[s,s,o]]", "reference", "like", json_sprintf("%s%%", head)), 0,
                       json_pack("[s]", "reference"), NULL, &found, err);
  json_array_foreach(found, i, row)
  {
    const char *key = tryton_text(row, "reference");
    if (key != NULL && strncmp(key, head, strlen(head)) == 0)
      json_array_append_new(resources,
                            json_sprintf("sale.opportunity,%lld", (long long)tryton_id(row, "id")));
  }
  if (rc == 0 && json_array_size(resources) > 0) {
    rc = delete_of(s, "ir.attachment", resources, err);
    if (rc == 0)
      rc = delete_of(s, "ir.note", resources, err);
  }
  json_decref(resources);
  json_decref(found);
  return rc;
}

/* --- doing ---------------------------------------------------------------------------------- */

static int tell(struct sales *s, const struct job *j, struct tm_error *err)
{
  struct party party;
  const json_t *arg = json_object_get(j->row, "arg");
  if (strcmp(tm_json_get_string(j->row, "what"), "erase") == 0)
    return forget(s, json_string_value(json_array_get(arg, 0)), err);
  json_t *summary = json_pack("{s:{s:O}}", "customer", "id", json_object_get(j->row, "subject"));
  int rc = party_find(s, summary, &party, err);
  json_decref(summary);
  return rc == 0 ? write_changes(s, party.id, arg, err) : rc;
}

/* Whatever went wrong is noted with the job, which is tried again later. */
static int finish(struct store *store, struct job *j, int rc, const struct tm_error *own,
                  struct tm_error *err)
{
  bool erases = strcmp(tm_json_get_string(j->row, "what"), "erase") == 0;
  j->done = rc == 0;
  snprintf(j->error, sizeof(j->error), "%s", own->text);
  if (!j->done && j->tries == 1)
    tm_log_warning("the CRM cannot be told of a customer yet: %s", own->text);
  rc = store_write(store, &db_everyone, end_job, j, err);
  if (rc == 0 && j->done && erases)
    erase_tidy(store);
  return rc;
}

static int open_rpc(struct tryton_rpc **rpc, const struct desk_conf *conf, struct tm_error *err)
{
  const struct tryton_options options = {.url = conf->factory.url,
                                         .user = conf->factory.user,
                                         .password_file = conf->factory.password_file,
                                         .timeout_s = TIMEOUT_S};
  return tryton_rpc_new(rpc, &options, err);
}

int crm_due(struct store *store, const struct desk_conf *conf, int64_t now, struct tm_error *err)
{
  struct job j = {.now = now};
  struct tryton_rpc *rpc = NULL;
  struct sales sales;
  json_t *known = json_object();
  int rc = conf->factory.tryton ? store_read(store, &db_everyone, take_job, &j, err) : 0;
  for (int n = 0; rc == 0 && j.row != NULL && n < AT_ONCE; n++) {
    struct tm_error own = {0};
    int told = rpc == NULL ? open_rpc(&rpc, conf, &own) : 0;
    if (told == 0) {
      sales_init(&sales, rpc, known, false);
      told = tell(&sales, &j, &own);
      sales_release(&sales);
    }
    rc = finish(store, &j, told, &own, err);
    if (rc == 0 && !j.done)
      break; /* the server is away for all of them, as a rule */
    if (rc == 0)
      rc = store_read(store, &db_everyone, take_job, &j, err);
  }
  tryton_rpc_free(rpc);
  json_decref(j.row);
  json_decref(known);
  return rc;
}
