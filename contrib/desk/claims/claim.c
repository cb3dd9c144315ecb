/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/claim.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/number.h"
#include "common/text.h"
#include "contrib/desk/claims/cluster.h"
#include "contrib/desk/claims/letters.h"
#include "contrib/desk/intake/schemas.h"
#include "contrib/desk/people/responsible.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int claim_check(const json_t *document, char field[200], struct tm_error *err)
{
  struct json_fault fault;
  if (json_schema_check(schema_of(SCHEMA_OF_CLAIM), document, 0, &fault) == 0)
    return 0;
  snprintf(field, 200, "%s", fault.field);
  return tm_fail(err, -EINVAL, "%s", fault.why);
}

int64_t claim_number(const char *text)
{
  int64_t id;
  if (strncmp(text, "K-", 2) == 0)
    text += 2;
  return tm_parse_i64(text, 1, INT64_MAX, &id) == 0 ? id : 0;
}

int claim_note(struct db *db, int64_t claim, int64_t now, const char *by, const char *what,
               const char *from, const char *to, const char *text, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO claim_events (customer_id, claim_id, at, by_name, what,"
                      " from_state, to_state, text) SELECT customer_id, id, ?2, ?3, ?4, ?5, ?6, ?7"
                      " FROM claims WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, claim);
  db_bind_int(stmt, 2, now);
  db_bind_text(stmt, 3, by);
  db_bind_text(stmt, 4, what);
  db_bind_text(stmt, 5, from);
  db_bind_text(stmt, 6, to);
  db_bind_text(stmt, 7, text);
  return db_exec(stmt, err);
}

int claim_read(struct db *db, int64_t id, json_t **claim, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT c.*, 'K-' || c.id AS id_text, u.name AS customer, u.region, d.site,"
                      " d.host, d.device, d.kind, d.serial, d.consent AS device_consent,"
                      " s.name AS owner_name, s.email AS owner_email FROM claims c"
                      " LEFT JOIN customers u ON u.customer_id = c.customer_id"
                      " LEFT JOIN devices d ON d.id = c.device_id"
                      " LEFT JOIN staff s ON s.staff = c.owner"
                      " WHERE (?1 IS NULL OR c.customer_id = ?1) AND c.id = ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_customer(stmt, 1);
  db_bind_int(stmt, 2, id);
  return db_take_row(stmt, claim, "there is no claim with this number", err);
}

/* --- a new one -----------------------------------------------------------------------------------
 */

static const char *external_of(const struct claim_intake *in)
{
  const char *external = tm_json_get_string(in->document, "external_id");
  if (in->external_id != NULL)
    return in->external_id;
  if (external == NULL && strcmp(in->via, "form") != 0)
    external = tm_json_get_string(in->document, "id");
  return external;
}

/* What was said of the device that is not known here stays in the document. */
static void bind_claim(struct db_stmt *stmt, const struct claim_intake *in,
                       const struct claim_device *d, const char *customer, const char *document)
{
  const char *model = tm_json_get_string(in->document, "model");
  const char *compare = tm_json_get_string(in->document, "compare");
  const char *type = tm_json_get_string(in->document, "type");
  db_bind_text(stmt, 1, customer);
  db_bind_text(stmt, 2, in->source);
  db_bind_text(stmt, 3, in->via);
  db_bind_text(stmt, 4, external_of(in));
  db_bind_int(stmt, 5, tm_json_time_or(in->document, "claimed_at", in->now));
  db_bind_int(stmt, 6, in->now);
  db_bind_text(stmt, 7, tm_json_get_string(in->document, "by"));
  db_bind_int_or_null(stmt, 8, d->id != 0, d->id);
  db_bind_text(stmt, 9, d->id != 0 ? d->vendor : NULL);
  db_bind_text(stmt, 10, d->id != 0 ? d->model : model);
  db_bind_text(stmt, 11, type);
  db_bind_text(stmt, 12, tm_json_get_string(in->document, "text"));
  db_bind_text(stmt, 13, compare != NULL ? compare : "both");
  db_bind_text(stmt, 14, document);
}

static int insert_claim(struct db *db, struct claim_intake *in, const struct claim_device *d,
                        const char *customer, struct tm_error *err)
{
  struct tm_buf document = TM_BUF_INIT(1 << 17);
  struct db_stmt *stmt = NULL;
  int rc = tm_json_append(&document, in->document);
  if (rc == -ENOMEM)
    tm_fail(err, rc, "out of memory");
  else if (rc < 0)
    rc = tm_fail(err, -EINVAL, "too large");
  else
    rc = db_prepare(db,
                    "INSERT INTO claims (customer_id, source, via, external_id, claimed_at,"
                    " arrived_at, by_name, device_id, vendor, model, type, text, compare, state_at,"
                    " document_json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                    " ?13, ?6, ?14) ON CONFLICT (source, external_id) DO NOTHING RETURNING id",
                    &stmt, err);
  if (rc == 0) {
    bind_claim(stmt, in, d, customer, document.ptr);
    rc = db_step(stmt, err);
    if (rc == 1)
      in->id = db_int(stmt, 0);
    db_done(stmt);
  }
  tm_buf_release(&document);
  return rc;
}

static int find_known(struct db *db, struct claim_intake *in, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "SELECT id FROM claims WHERE source = ?1 AND external_id = ?2", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, in->source);
  db_bind_text(stmt, 2, external_of(in));
  rc = db_step(stmt, err);
  in->id = rc == 1 ? db_int(stmt, 0) : 0;
  in->duplicate = rc == 1;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* A customer that the desk does not know is nobody yet. */
static int known_customer(struct db *db, const char *id, const char **customer,
                          struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  *customer = NULL;
  if (id == NULL)
    return 0;
  int rc = db_prepare(db, "SELECT 1 FROM customers WHERE customer_id = ?1 AND deleted_at IS NULL",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, id);
  rc = db_step(stmt, err);
  db_done(stmt);
  if (rc == 1)
    *customer = id;
  return rc < 0 ? rc : 0;
}

static int set_owner(struct db *db, int64_t claim, int64_t now, struct tm_error *err)
{
  json_t *row = NULL;
  struct responsible who = {0};
  struct db_stmt *stmt = NULL;
  int rc = claim_read(db, claim, &row, err);
  if (rc == 0) {
    const struct responsible_ask ask = {.role = "service",
                                        .customer = tm_json_get_string(row, "customer_id"),
                                        .site = tm_json_get_string(row, "site"),
                                        .region = tm_json_get_string(row, "region"),
                                        .kind = tm_json_get_string(row, "kind"),
                                        .day = tm_date_days(now)};
    rc = responsible_find(db, &ask, &who, err);
  }
  json_decref(row);
  if (rc == 1)
    rc = db_prepare(db, "UPDATE claims SET owner = ?2 WHERE id = ?1", &stmt, err);
  else
    return rc;
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, claim);
  db_bind_text(stmt, 2, who.staff);
  return db_exec(stmt, err);
}

int claim_take(struct db *db, void *intake, struct tm_error *err)
{
  struct claim_intake *in = intake;
  const json_t *said = json_object_get(in->document, "customer");
  struct claim_device d = {0};
  const char *customer = NULL;
  /* Asked first, so that what comes again takes no number of its own. */
  int rc = find_known(db, in, err);
  if (rc < 0 || in->duplicate)
    return rc;
  rc = claim_device_find(db, in->document, &d, err);
  if (rc == 0)
    rc =
        known_customer(db, d.id != 0 ? d.customer : tm_json_get_string(said, "id"), &customer, err);
  if (rc == 0)
    rc = insert_claim(db, in, &d, customer, err);
  if (rc == 0)
    return find_known(db, in, err);
  if (rc == 1)
    rc = claim_note(db, in->id, in->now, in->entered_by != NULL ? in->entered_by : "desk", "came",
                    NULL, "open", NULL, err);
  if (rc == 0)
    rc = set_owner(db, in->id, in->now, err);
  if (rc == 0 && in->entered_by == NULL)
    rc = letters_claim(db, in->desk, in->id, "came", "mail-claim-new.txt", NULL, in->now, err);
  return rc == 0 ? cluster_tell(db, in->desk, in->id, in->now, err) : rc;
}

/* --- which device --------------------------------------------------------------------------------
 */

/* Takes the only row of a statement that gives a device's columns; of several none. Gives the
 * statement back. */
static int take_only(struct db_stmt *stmt, struct claim_device *out, struct tm_error *err)
{
  struct claim_device d = {0};
  int rc = db_step(stmt, err);
  if (rc == 1) {
    d.id = db_int(stmt, 0);
    tm_text_copy(d.customer, sizeof(d.customer), db_text(stmt, 1));
    tm_text_copy(d.site, sizeof(d.site), db_text(stmt, 2));
    tm_text_copy(d.host, sizeof(d.host), db_text(stmt, 3));
    tm_text_copy(d.device, sizeof(d.device), db_text(stmt, 4));
    tm_text_copy(d.kind, sizeof(d.kind), db_text(stmt, 5));
    tm_text_copy(d.vendor, sizeof(d.vendor), db_text(stmt, 6));
    tm_text_copy(d.model, sizeof(d.model), db_text(stmt, 7));
    rc = db_step(stmt, err);
    if (rc == 0)
      *out = d;
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

#define COLUMNS "SELECT id, customer_id, site, host, device, kind, vendor, model FROM devices"

static int by_serial(struct db *db, const char *serial, const char *customer,
                     struct claim_device *out, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      COLUMNS " WHERE serial = ?1 AND (?2 IS NULL OR customer_id = ?2)"
                              " ORDER BY id LIMIT 2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, serial);
  db_bind_text(stmt, 2, customer);
  return take_only(stmt, out, err);
}

/* Not one whose serial number is known to be another. */
static int by_name(struct db *db, const json_t *document, const char *customer,
                   struct claim_device *out, struct tm_error *err)
{
  const json_t *said = json_object_get(document, "customer");
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      COLUMNS " WHERE customer_id = ?1 AND device = ?2"
                              " AND (?3 IS NULL OR site = ?3) AND (?4 IS NULL OR host = ?4)"
                              " AND (?5 IS NULL OR serial IS NULL OR serial LIKE 'p-%')"
                              " ORDER BY id LIMIT 2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  db_bind_text(stmt, 2, tm_json_get_string(document, "device"));
  db_bind_text(stmt, 3, tm_json_get_string(said, "site"));
  db_bind_text(stmt, 4, tm_json_get_string(said, "host"));
  db_bind_text(stmt, 5, tm_json_get_string(document, "serial"));
  return take_only(stmt, out, err);
}

/* A serial number that stands in the text: a word with a figure in it, of five characters or more.
 */
static int by_text(struct db *db, const json_t *document, const char *customer,
                   struct claim_device *out, struct tm_error *err)
{
  static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/";
  const char *text = tm_json_get_string(document, "text");
  int rc = 0, tries = 0;
  for (const char *p = text; rc == 0 && out->id == 0 && p != NULL && *p != '\0' && tries < 64;) {
    char serial[65];
    p += strcspn(p, word);
    size_t n = strspn(p, word);
    if (n >= 5 && n < sizeof(serial) && strcspn(p, "0123456789") < n) {
      snprintf(serial, sizeof(serial), "%.*s", (int)n, p);
      rc = by_serial(db, serial, customer, out, err);
      tries++;
    }
    p += n;
  }
  return rc;
}

int claim_device_find(struct db *db, const json_t *document, struct claim_device *out,
                      struct tm_error *err)
{
  const char *serial = tm_json_get_string(document, "serial");
  const char *customer = tm_json_get_string(json_object_get(document, "customer"), "id");
  int rc = 0;
  *out = (struct claim_device){0};
  if (serial != NULL)
    rc = by_serial(db, serial, customer, out, err);
  if (rc == 0 && out->id == 0 && customer != NULL && tm_json_get_string(document, "device") != NULL)
    rc = by_name(db, document, customer, out, err);
  if (rc == 0 && out->id == 0 && serial == NULL)
    rc = by_text(db, document, customer, out, err);
  return rc;
}

int claim_device_set(struct db *db, int64_t claim, int64_t device, const char *by, int64_t now,
                     struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(
      db,
      "UPDATE claims SET device_id = ?2, version = version + 1,"
      " customer_id = (SELECT customer_id FROM devices WHERE id = ?2),"
      " vendor = (SELECT vendor FROM devices WHERE id = ?2),"
      " model = (SELECT model FROM devices WHERE id = ?2)"
      " WHERE id = ?1 AND asked_at IS NULL AND EXISTS (SELECT 1 FROM devices WHERE id = ?2)",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, claim);
  db_bind_int(stmt, 2, device);
  rc = db_exec(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    rc = tm_fail(err, -EINVAL, "no such device, or its items were asked for already");
  if (rc == 0)
    rc = claim_note(db, claim, now, by, "device", NULL, NULL, NULL, err);
  return rc == 0 ? set_owner(db, claim, now, err) : rc;
}
