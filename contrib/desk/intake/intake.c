/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/intake.h"

#include "common/json_out.h"
#include "common/number.h"
#include "contrib/desk/intake/event.h"
#include "contrib/desk/intake/keep.h"

#include <errno.h>
#include <string.h>

enum { ID_MAX = 256 };

int intake_verify(const struct intake_message *m, const struct credential *from, int64_t now,
                  bool skew_checked, struct tm_error *err)
{
  struct tm_secret secret;
  int64_t timestamp = 0;
  if (m->id == NULL || m->timestamp == NULL || m->signature == NULL || strlen(m->id) > ID_MAX ||
      tm_parse_i64(m->timestamp, 0, INT64_MAX / 2, &timestamp) < 0)
    return tm_fail(err, -EACCES, "webhook-id, webhook-timestamp and webhook-signature are wanted");
  int rc = tm_secret_parse(&secret, from->secret, err);
  if (rc < 0)
    return rc;
  bool right = tm_sign_verify(m->signature, &secret, m->id, timestamp, m->body, m->len);
  tm_secret_release(&secret);
  if (!right)
    return tm_fail(err, -EACCES, "the signature is not that of the site's secret");
  if (skew_checked && (timestamp > now + INTAKE_SKEW_S || timestamp < now - INTAKE_SKEW_S))
    return tm_fail(err, -ETIME, "the timestamp is %lld s off",
                   (long long)(timestamp > now ? timestamp - now : now - timestamp));
  return 0;
}

static void count(struct intake_counts *counts, const struct event *e)
{
  counts->accepted += e->status == EVENT_ACCEPTED;
  counts->duplicate += e->status == EVENT_DUPLICATE;
  counts->refused += e->status == EVENT_REFUSED;
  counts->foreign += e->foreign;
}

static int write_receipt(struct tm_buf *out, const struct event *events, size_t n,
                         const json_t *requests)
{
  static const char *const names[] = {
      [EVENT_ACCEPTED] = "accepted", [EVENT_DUPLICATE] = "duplicate", [EVENT_REFUSED] = "refused"};
  struct json_out o = JSON_OUT_INIT(out);
  json_out_open(&o, '{');
  json_out_key(&o, "schema");
  json_out_plain(&o, "tidemark.receipt/1");
  json_out_key(&o, "results");
  json_out_open(&o, '[');
  for (size_t i = 0; i < n; i++) {
    const struct event *e = &events[i];
    if (e->id[0] == '\0')
      continue; /* it cannot be named: the site tries it alone and is told then */
    json_out_open(&o, '{');
    json_out_key(&o, "id");
    json_out_string(&o, e->id);
    json_out_key(&o, "status");
    json_out_plain(&o, names[e->status]);
    json_out_key(&o, "sha256");
    json_out_plain(&o, e->sha256);
    if (e->status == EVENT_REFUSED) {
      json_out_key(&o, "field");
      json_out_string(&o, e->field);
      json_out_key(&o, "error");
      json_out_string(&o, e->error);
    }
    json_out_close(&o, '}');
  }
  json_out_close(&o, ']');
  json_out_key(&o, "requests");
  json_out_value(&o, requests);
  json_out_close(&o, '}');
  return o.rc;
}

int intake_take(struct store *store, const struct credential *from, const struct intake_message *m,
                int64_t now, struct tm_buf *receipt, struct intake_counts *counts,
                struct tm_error *err)
{
  struct event *events = NULL;
  json_t *requests = NULL;
  size_t n = 0;
  int rc = m->len > 0 ? events_split(m->body, m->len, m->batch, &events, &n, err) : 0;
  for (size_t i = 0; rc == 0 && i < n; i++)
    event_read(&events[i], from, now);
  /* A single one without a legible id has nothing that a receipt could name. */
  if (rc == 0 && n == 1 && events[0].id[0] == '\0')
    rc = tm_fail(err, -EBADMSG, "%s%s%s", events[0].field, events[0].field[0] != '\0' ? ": " : "",
                 events[0].error);
  if (rc == 0)
    rc = keep_events(store, from, events, n, now, &requests, err);
  if (rc == 0) {
    rc = write_receipt(receipt, events, n, requests);
    if (rc < 0)
      tm_fail(err, rc, "the receipt cannot be written: %s", strerror(-rc));
  }
  for (size_t i = 0; rc == 0 && i < n; i++)
    count(counts, &events[i]);
  json_decref(requests);
  events_free(events, n);
  return rc;
}
