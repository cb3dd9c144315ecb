/* SPDX-License-Identifier: MIT */
#include "contrib/desk/advice/advise.h"

#include "analyzer/catalogue.h"
#include "analyzer/expansion.h"
#include "common/merge.h"
#include "common/text.h"
#include "analyzer/recommend.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/json.h"
#include "contrib/desk/advice/items.h"
#include "contrib/desk/store/document.h"
#include "contrib/desk/store/history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who has taken a device has this long; then another may. */
enum { LEASE_S = 600, AT_ONCE = 32 };

struct adviser {
  struct store *store;
  struct catalogue catalogue;
  int64_t catalogue_id; /* 0: none */
  struct rule_thresholds thresholds;
};

struct adviser *adviser_new(struct store *store)
{
  struct adviser *a = calloc(1, sizeof(*a));
  if (a != NULL) {
    a->store = store;
    rule_thresholds_init(&a->thresholds);
  }
  return a;
}

void adviser_free(struct adviser *a)
{
  if (a != NULL)
    catalogue_release(&a->catalogue);
  free(a);
}

/* --- today's catalogue -------------------------------------------------------------------- */

struct newest {
  int64_t known, id;
  struct tm_buf text;
};

static int read_catalogue(struct db *db, void *arg, struct tm_error *err)
{
  struct newest *n = arg;
  struct db_stmt *stmt = NULL;
  size_t len = 0;
  tm_buf_reset(&n->text);
  int rc = db_prepare(
      db, "SELECT id, document FROM catalogues WHERE id > ?1 ORDER BY id DESC LIMIT 1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, n->known);
  rc = db_step(stmt, err);
  if (rc == 1) {
    n->id = db_int(stmt, 0);
    const void *data = db_blob(stmt, 1, &len);
    rc = tm_buf_add(&n->text, data, len);
    if (rc < 0)
      tm_fail(err, rc, "the catalogue: %s", strerror(-rc));
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int renew_catalogue(struct adviser *a, struct tm_error *err)
{
  struct newest n = {.known = a->catalogue_id, .text = TM_BUF_INIT(CATALOGUE_MAX_BYTES)};
  struct catalogue c = {0};
  int rc = store_read(a->store, &db_everyone, read_catalogue, &n, err);
  if (rc == 0 && n.id != 0) {
    rc = catalogue_parse(&c, n.text.ptr, n.text.len, "catalogue", err);
    if (rc == 0) {
      catalogue_release(&a->catalogue);
      a->catalogue = c;
      a->catalogue_id = n.id;
    }
  }
  tm_buf_release(&n.text);
  return rc;
}

/* --- what is due -------------------------------------------------------------------------- */

struct due {
  int64_t id, lease, last_day, consent;
  char customer[260], site[260], region[128], kind[32];
  json_t *list; /* what recommend() gave; NULL: there was no summary to advise from */
  char since[16];
  bool grew;
  char error[200];
};

struct batch {
  struct adviser *a;
  int64_t now;
  int limit;
  struct due *due;
  int n;
};

static int lease(struct db *db, const struct due *d, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "UPDATE devices SET advise_at = ?2 WHERE id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, d->id);
  db_bind_int(stmt, 2, d->lease);
  return db_exec(stmt, err);
}

static int take_due(struct db *db, void *arg, struct tm_error *err)
{
  struct batch *b = arg;
  struct db_stmt *stmt = NULL;
  b->n = 0;
  int rc = db_prepare(db,
                      "SELECT d.id, d.customer_id, c.region, d.kind, d.site, d.last_day,"
                      " d.consent FROM devices d"
                      " JOIN customers c ON c.customer_id = d.customer_id"
                      " WHERE d.advise_at <= ?1 ORDER BY d.advise_at, d.id LIMIT ?2",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, b->now);
  db_bind_int(stmt, 2, b->limit);
  while (b->n < b->limit && (rc = db_step(stmt, err)) == 1) {
    struct due *d = &b->due[b->n++];
    *d = (struct due){.id = db_int(stmt, 0),
                      .lease = b->now + LEASE_S,
                      .last_day = db_int(stmt, 5),
                      .consent = db_int(stmt, 6)};
    tm_text_copy(d->customer, sizeof(d->customer), db_text(stmt, 1));
    tm_text_copy(d->region, sizeof(d->region), db_text(stmt, 2));
    tm_text_copy(d->kind, sizeof(d->kind), db_text(stmt, 3));
    tm_text_copy(d->site, sizeof(d->site), db_text(stmt, 4));
  }
  db_done(stmt);
  for (int i = 0; rc >= 0 && i < b->n; i++)
    rc = lease(db, &b->due[i], err);
  return rc < 0 ? rc : 0;
}

/* --- one device --------------------------------------------------------------------------- */

/* The key of a recommendation begins with whose it is: what the site left out is put in. */
static void name_owner(json_t *summary, const struct due *d)
{
  json_t *customer = json_object_get(summary, "customer");
  if (tm_json_get_string(customer, "id") == NULL)
    json_object_set_new(customer, "id", json_string(d->customer));
  if (tm_json_get_string(customer, "site") == NULL)
    json_object_set_new(customer, "site", json_string(d->site));
}

/* The summary as it would be if the site sent all that it ever sent, once more. */
static int read_summary(struct db *db, const struct due *d, json_t **out, struct tm_error *err)
{
  struct document document;
  int rc = document_newest(db, d->id, &document, err);
  if (rc < 0)
    return rc;
  json_t *summary = document_json(&document, err);
  json_t *history = history_json(db, d->id, d->last_day, MERGE_KEEP_DAYS, 0, err);
  document_release(&document);
  if (summary == NULL || history == NULL) {
    json_decref(summary);
    json_decref(history);
    return -EIO;
  }
  json_object_set_new(summary, "history", history);
  name_owner(summary, d);
  *out = summary;
  return 0;
}

/* Since when the device has its capacity, and whether that was more than before: by the days that
 * were kept, else as the site tells it. */
static void read_capacity(const json_t *summary, struct due *d)
{
  const json_t *history = json_object_get(summary, "history");
  const json_t *status = json_object_get(summary, "status");
  const char *told = tm_json_get_string(status, "capacity_changed_on");
  int64_t time[MERGE_KEEP_DAYS], since = INT64_MIN;
  double capacity[MERGE_KEEP_DAYS], before = NAN;
  double now = tm_json_get_number(status, "slots_total");
  size_t n = 0;
  for (size_t i = 0; i < json_array_size(history) && n < MERGE_KEEP_DAYS; i++) {
    const json_t *day = json_array_get(history, i);
    double slots = tm_json_get_number(day, "slots_total");
    capacity[n] = slots > 0 ? slots : tm_json_get_number(day, "capacity_bytes");
    time[n++] = tm_json_time_or(day, "date", 0) + TM_DAY;
  }
  if (told == NULL || tm_time_parse(told, &since) < 0)
    since = expansion_last(time, capacity, n);
  if (since == INT64_MIN)
    return;
  tm_date_format_utc(d->since, since);
  for (size_t i = 0; i < n; i++) {
    if (!isnan(capacity[i]) && time[i] <= since)
      before = capacity[i];
  }
  if (!(now > 0))
    now = tm_json_get_number(status, "capacity_bytes");
  /* Where the days before are not known, a change is taken as what nearly all changes are. */
  d->grew = isnan(before) || now > before;
}

static int advise_device(struct db *db, struct batch *b, struct due *d, struct tm_error *err)
{
  json_t *summary = NULL;
  json_decref(d->list);
  d->list = NULL;
  if ((d->consent & TM_PURPOSE_SALES) == 0) { /* nothing may be offered on what it shows */
    d->list = json_array();
    return 0;
  }
  int rc = read_summary(db, d, &summary, err);
  if (rc == -ENOENT) /* only its history came so far */
    return 0;
  if (rc < 0)
    return rc;
  read_capacity(summary, d);
  rc = recommend(summary, &b->a->catalogue, &b->a->thresholds, b->now, &d->list, err);
  json_decref(summary);
  return rc;
}

static int advise_batch(struct db *db, void *arg, struct tm_error *err)
{
  struct batch *b = arg;
  for (int i = 0; i < b->n; i++) {
    struct tm_error own = {0};
    int rc = advise_device(db, b, &b->due[i], &own);
    if (rc == -EAGAIN || rc == -ENOMEM)
      return tm_fail(err, rc, "%s", own.text);
    tm_text_copy(b->due[i].error, sizeof(b->due[i].error), rc < 0 ? own.text : NULL);
  }
  return 0;
}

/* Where something new came meanwhile, it stays due. */
static int finish(struct db *db, const struct batch *b, const struct due *d, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE devices SET advised_at = ?3, advice_error = ?4,"
                      " advise_at = CASE WHEN advise_at = ?2 THEN NULL ELSE advise_at END"
                      " WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, d->id);
  db_bind_int(stmt, 2, d->lease);
  db_bind_int(stmt, 3, b->now);
  db_bind_text(stmt, 4, d->error[0] != '\0' ? d->error : NULL);
  return db_exec(stmt, err);
}

static int keep_batch(struct db *db, void *arg, struct tm_error *err)
{
  const struct batch *b = arg;
  int rc = 0;
  for (int i = 0; rc == 0 && i < b->n; i++) {
    const struct due *d = &b->due[i];
    const struct item_device device = {
        .id = d->id,
        .customer = d->customer,
        .site = d->site,
        .region = d->region[0] != '\0' ? d->region : NULL,
        .kind = d->kind[0] != '\0' ? d->kind : NULL,
        .capacity_since = d->since[0] != '\0' ? d->since : NULL,
        .capacity_grew = d->grew,
        .gone_reason =
            d->consent & TM_PURPOSE_SALES ? "not needed any more" : "the site shares it no more",
    };
    if (d->list != NULL && d->error[0] == '\0')
      rc = items_advise(db, &device, d->list, b->now, err);
    if (rc == 0)
      rc = finish(db, b, d, err);
  }
  return rc;
}

int adviser_work(struct adviser *a, int64_t now, int limit, int *done, struct tm_error *err)
{
  struct due due[AT_ONCE];
  *done = 0;
  int rc = renew_catalogue(a, err);
  if (rc < 0 || a->catalogue_id == 0)
    return rc;
  while (rc == 0 && *done < limit) {
    struct batch b = {.a = a, .now = now, .due = due};
    b.limit = limit - *done < AT_ONCE ? limit - *done : AT_ONCE;
    rc = store_write(a->store, &db_everyone, take_due, &b, err);
    if (rc < 0 || b.n == 0)
      break;
    rc = store_read(a->store, &db_everyone, advise_batch, &b, err);
    if (rc == 0)
      rc = store_write(a->store, &db_everyone, keep_batch, &b, err);
    for (int i = 0; i < b.n; i++)
      json_decref(due[i].list);
    *done += b.n;
  }
  return rc;
}

/* A part at a time, so that what sites send is not kept waiting. */
struct marking {
  int64_t now, after, until; /* after stays as it is, for a part may be done again */
  bool more;
};

static int mark_some(struct db *db, void *arg, struct tm_error *err)
{
  struct marking *m = arg;
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT max(id) FROM (SELECT id FROM devices WHERE id > ?1 ORDER BY id"
                      " LIMIT 2000) part",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->after);
  rc = db_step(stmt, err);
  m->more = rc == 1 && !db_is_null(stmt, 0);
  m->until = db_int(stmt, 0);
  db_done(stmt);
  if (rc < 0 || !m->more)
    return rc < 0 ? rc : 0;
  rc = db_prepare(db,
                  "UPDATE devices SET advise_at = ?1 WHERE id > ?2 AND id <= ?3"
                  " AND summary_id IS NOT NULL AND (advise_at IS NULL OR advise_at > ?1)",
                  &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, m->now);
  db_bind_int(stmt, 2, m->after);
  db_bind_int(stmt, 3, m->until);
  return db_exec(stmt, err);
}

int advise_all(struct store *store, int64_t now, struct tm_error *err)
{
  struct marking m = {.now = now};
  int rc;
  do {
    rc = store_write(store, &db_everyone, mark_some, &m, err);
    m.after = m.until;
  } while (rc == 0 && m.more);
  return rc;
}
