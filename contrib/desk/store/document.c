/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/document.h"

#include "common/json.h"
#include "contrib/desk/store/pack.h"

#include <errno.h>
#include <stdio.h>

enum { EVENT_MAX = 4 << 20 };

static int read_row(struct db_stmt *stmt, struct document *d, struct tm_error *err)
{
  size_t len = 0;
  *d = (struct document){
      .id = db_int(stmt, 0),
      .device_id = db_int(stmt, 1),
      .period_from = db_is_null(stmt, 4) ? INT64_MIN : db_int(stmt, 4),
      .period_to = db_int(stmt, 5),
      .generated_at = db_int(stmt, 6),
      .arrived_at = db_int(stmt, 7),
      .data_at = (size_t)db_int(stmt, 10),
      .data_len = (size_t)db_int(stmt, 11),
  };
  snprintf(d->kind, sizeof(d->kind), "%s", db_text(stmt, 2));
  snprintf(d->event, sizeof(d->event), "%s", db_text(stmt, 3));
  snprintf(d->sha256, sizeof(d->sha256), "%s", db_text(stmt, 8));
  const void *data = db_blob(stmt, 13, &len);
  char which[40];
  d->bytes = (struct tm_buf)TM_BUF_INIT(EVENT_MAX + 1);
  int rc = pack_read(&d->bytes, db_text(stmt, 12), data, len, (size_t)db_int(stmt, 9), err);
  if (rc < 0) {
    snprintf(which, sizeof(which), "document %lld", (long long)d->id);
    tm_fail_prefix(err, which);
  }
  if (rc == 0 && (d->data_at > d->bytes.len || d->data_len > d->bytes.len - d->data_at))
    rc = tm_fail(err, -EIO, "document %lld is damaged", (long long)d->id);
  if (rc < 0)
    document_release(d);
  return rc;
}

static int find(struct db *db, const char *sql, int64_t id, struct document *out,
                struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, id);
  db_bind_customer(stmt, 2);
  rc = db_step(stmt, err);
  if (rc == 1)
    rc = read_row(stmt, out, err);
  else if (rc == 0)
    rc = tm_fail(err, -ENOENT, "there is no such document");
  db_done(stmt);
  return rc;
}

#define SELECT                                                                                     \
  "SELECT s.id, s.device_id, s.kind, s.event, s.period_from, s.period_to, s.generated_at,"         \
  " s.arrived_at, s.sha256, s.size, s.data_at, s.data_len, s.encoding, s.body FROM summaries s"
#define SCOPE " AND (?2 IS NULL OR s.customer_id = ?2)"

int document_read(struct db *db, int64_t id, struct document *out, struct tm_error *err)
{
  return find(db, SELECT " WHERE s.id = ?1" SCOPE, id, out, err);
}

int document_newest(struct db *db, int64_t device_id, struct document *out, struct tm_error *err)
{
  return find(db, SELECT " JOIN devices d ON d.summary_id = s.id WHERE d.id = ?1" SCOPE, device_id,
              out, err);
}

void document_release(struct document *d)
{
  tm_buf_release(&d->bytes);
}

json_t *document_json(const struct document *d, struct tm_error *err)
{
  return tm_json_parse(d->bytes.ptr + d->data_at, d->data_len, d->event, err);
}
