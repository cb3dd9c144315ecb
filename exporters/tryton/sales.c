/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/sales.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/sign.h"
#include "exporters/envelope.h"
#include "exporters/tryton/lead.h"
#include "exporters/tryton/party.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL "sale.opportunity"
enum { TRIES = 3, PAGE = 500 };

void sales_init(struct sales *s, struct tryton_rpc *rpc, json_t *known, bool create_parties)
{
  *s = (struct sales){.rpc = rpc,
                      .known = known,
                      .create_parties = create_parties,
                      .parties = json_object(),
                      .products = json_object(),
                      .digits = -1};
  if (!json_is_object(json_object_get(known, "opportunities")))
    json_object_set_new(known, "opportunities", json_object());
}

void sales_release(struct sales *s)
{
  json_decref(s->parties);
  json_decref(s->products);
  *s = (struct sales){0};
}

/* --- what is known -------------------------------------------------------------------------- */

static json_t *known_of(const struct sales *s, const char *key)
{
  return json_object_get(json_object_get(s->known, "opportunities"), key);
}

/* Keeps the state of a record; what else is known of it (the digest) stays. */
static void remember(struct sales *s, const char *key, const json_t *record)
{
  json_t *one = known_of(s, key);
  json_t *now =
      json_pack("{s:I,s:O?,s:O?,s:O?}", "id", tryton_id(record, "id"), "number",
                json_object_get(record, "number"), "state", json_object_get(record, "state"),
                "lost_reason", json_object_get(record, "lost_reason"));
  int64_t end = tryton_day_of(json_object_get(record, "end_date"));
  char date[TM_DATE_SIZE];
  if (end != INT64_MIN)
    json_object_set_new(now, "end_date", json_string(tm_date_format_days(date, end)));
  if (one == NULL) {
    one = json_object();
    json_object_set_new(json_object_get(s->known, "opportunities"), key, one);
  }
  json_object_update(one, now);
  json_decref(now);
  s->dirty = true;
}

/* --- one record ----------------------------------------------------------------------------- */

/* The oldest of those with this key; *record is null where there is none. */
static int find(struct sales *s, const char *key, json_t **record, struct tm_error *err)
{
  json_t *found = NULL;
  int rc =
      tryton_find(s->rpc, MODEL, json_pack("[[s,s,s]]", "reference", "=", key), 1,
                  json_pack("[s,s,s,s,s,s,s,s,s]", "number", "state", "lost_reason", "end_date",
                            "write_uid", "lines", "description", "comment", "_timestamp"),
                  NULL, &found, err);
  if (rc == 0)
    *record = json_array_size(found) > 0 ? json_incref(json_array_get(found, 0)) : json_null();
  json_decref(found);
  return rc;
}

/* Two writers that are not on one machine may both have found nothing: the first record stays. */
static int create(struct sales *s, const char *key, json_t *values, struct tm_error *err)
{
  json_int_t id = -1;
  json_t *first = NULL;
  int rc = tryton_create(s->rpc, MODEL, values, &id, err);
  if (rc == 0)
    rc = find(s, key, &first, err);
  if (rc == 0 && tryton_id(first, "id") >= 0 && tryton_id(first, "id") != id)
    rc = tryton_press(s->rpc, "model." MODEL ".delete", id, NULL, err);
  json_decref(first);
  return rc;
}

/* A lead that only we have written, its lines included. */
static int is_ours(struct sales *s, const json_t *record, bool *ours, struct tm_error *err)
{
  const char *state = tryton_text(record, "state");
  json_int_t writer = tryton_id(record, "write_uid");
  json_int_t me = tryton_user(s->rpc);
  json_t *lines = NULL;
  *ours = state != NULL && strcmp(state, "lead") == 0 && (writer < 0 || writer == me);
  if (!*ours)
    return 0;
  int rc = tryton_find(s->rpc, MODEL ".line",
                       json_pack("[[s,s,I]]", "opportunity", "=", tryton_id(record, "id")), 0,
                       json_pack("[s,s]", "create_uid", "write_uid"), NULL, &lines, err);
  size_t i;
  json_t *line;
  json_array_foreach(lines, i, line)
  {
    writer = tryton_id(line, "write_uid");
    *ours = *ours && tryton_id(line, "create_uid") == me && (writer < 0 || writer == me);
  }
  json_decref(lines);
  return rc;
}

/* The lines that are there are replaced, where others are given. -ESTALE when a person was faster.
 */
static int rewrite(struct sales *s, const json_t *record, json_t *values, struct tm_error *err)
{
  char name[64];
  json_int_t id = tryton_id(record, "id");
  json_t *lines = json_object_get(values, "lines");
  if (lines != NULL && json_array_size(json_object_get(record, "lines")) > 0)
    json_array_insert_new(lines, 0, json_pack("[s,O]", "delete", json_object_get(record, "lines")));
  json_object_del(values, "reference");
  json_object_del(values, "company");
  json_object_del(values, "start_date"); /* when it was first seen */
  snprintf(name, sizeof(name), MODEL ",%lld", (long long)id);
  json_t *more = json_pack("{s:{s:O?}}", "_timestamp", name, json_object_get(record, "_timestamp"));
  return tryton_call(s->rpc, "model." MODEL ".write", json_pack("[[I],o]", id, values), more, NULL,
                     err);
}

/* Whether these very values were written before: then there is nothing to write. */
static bool is_written(const struct sales *s, const char *key, const json_t *values,
                       char digest[TM_SHA256_HEX])
{
  const char *had = tm_json_get_string(known_of(s, key), "digest");
  envelope_digest(digest, values);
  return had != NULL && strcmp(had, digest) == 0;
}

static void note_written(struct sales *s, const char *key, const char *digest)
{
  json_object_set_new(known_of(s, key), "digest", json_string(digest));
  s->dirty = true;
}

/* --- offering ------------------------------------------------------------------------------- */

/* What a person has deleted, or what was closed and then removed, is not offered again. */
static bool is_dismissed(struct sales *s, const char *key)
{
  json_t *one = known_of(s, key);
  if (tryton_id(one, "id") < 0)
    return false;
  const char *state = tm_json_get_string(one, "state");
  if (state == NULL || (strcmp(state, "won") != 0 && strcmp(state, "lost") != 0)) {
    json_object_set_new(one, "state", json_string("deleted"));
    s->dirty = true;
  }
  return true;
}

/* One look and what follows from it. -ESTALE: somebody else wrote between the two. */
static int bring_up_to_date(struct sales *s, const struct lead *lead, json_t **record, bool *ours,
                            struct tm_error *err)
{
  char digest[TM_SHA256_HEX];
  int rc = find(s, lead->key, record, err);
  if (rc < 0)
    return rc;
  *ours = true;
  if (json_is_null(*record)) {
    if (is_dismissed(s, lead->key))
      return 0;
    json_t *values = lead_values(lead);
    is_written(s, lead->key, values, digest);
    rc = create(s, lead->key, values, err);
    if (rc == 0 && !tryton_rpc_is_only_shown(s->rpc))
      rc = find(s, lead->key, record, err);
    else if (rc == 0) {
      json_decref(*record);
      *record = json_pack("{s:i,s:s}", "id", 0, "state", "lead");
    }
  } else {
    rc = is_ours(s, *record, ours, err);
    json_t *values = lead_values(lead);
    if (rc == 0 && *ours && !is_written(s, lead->key, values, digest)) {
      rc = rewrite(s, *record, values, err);
    } else {
      json_decref(values);
      if (rc == 0)
        remember(s, lead->key, *record);
      return rc;
    }
  }
  if (rc == 0) {
    remember(s, lead->key, *record);
    note_written(s, lead->key, digest);
  }
  return rc;
}

/* "C-1001/osaka-1/gw/array-01": whose needs are looked at together. NULL when memory is out. */
static char *origin_of(const json_t *summary)
{
  const json_t *customer = json_object_get(summary, "customer");
  const char *const part[] = {tm_json_get_string(customer, "id"),
                              tm_json_get_string(customer, "site"),
                              tm_json_get_string(customer, "host"),
                              tm_json_get_string(json_object_get(summary, "product"), "device")};
  struct tm_buf b = TM_BUF_INIT(4096);
  for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
    tm_buf_printf(&b, "%s%s", i > 0 ? "/" : "", part[i] != NULL ? part[i] : "");
  return tm_buf_take(&b);
}

/* Whose need it is and when it was seen last; it is not withdrawn, or no more. */
static void note_origin(struct sales *s, const char *key, const json_t *summary)
{
  json_t *one = known_of(s, key);
  char *origin = one != NULL ? origin_of(summary) : NULL;
  if (origin == NULL)
    return;
  json_object_set_new(one, "origin", json_string(origin));
  json_object_set(one, "advised_at", json_object_get(summary, "generated_at"));
  json_object_del(one, "withdrawn");
  s->dirty = true;
  free(origin);
}

int sales_offer(struct sales *s, const json_t *summary, const json_t *recommendation,
                const struct sales_file *files, size_t files_len, json_t *warnings,
                struct tm_error *err)
{
  struct lead lead;
  json_t *record = NULL;
  bool ours = false;
  int rc = lead_make(&lead, s, summary, recommendation, warnings, err);
  if (rc == 0)
    rc = -ESTALE;
  for (int i = 0; rc == -ESTALE && i < TRIES; i++) {
    json_decref(record);
    record = NULL;
    rc = bring_up_to_date(s, &lead, &record, &ours, err);
  }
  if (rc == 0)
    note_origin(s, lead.key, summary);
  json_int_t id = tryton_id(record, "id");
  if (rc == 0 && id >= 0)
    rc = lead_attach_note(s, id, lead.note, ours, err);
  for (size_t i = 0; rc == 0 && id >= 0 && i < files_len; i++)
    rc = lead_attach_file(s, id, &files[i], ours, err);
  json_decref(record);
  lead_release(&lead);
  return rc;
}

/* --- withdrawing ---------------------------------------------------------------------------- */

/* An open lead of this origin that a newer summary advises no more. */
static bool is_over(const json_t *one, const char *key, const json_t *summary, const char *origin)
{
  const char *state = tm_json_get_string(one, "state"), *its = tm_json_get_string(one, "origin");
  int64_t advised = 0, generated = 0;
  if (state == NULL || strcmp(state, "lead") != 0 || its == NULL || strcmp(its, origin) != 0 ||
      json_object_get(one, "withdrawn") != NULL ||
      tm_json_find(json_object_get(summary, "recommendations"), "key", key) != NULL)
    return false;
  return tm_json_get_time(summary, "generated_at", &generated) &&
         (!tm_json_get_time(one, "advised_at", &advised) || generated > advised);
}

#define WITHDRAWN "no longer advised: "

/* Also when the note of it was lost: it is not said twice. */
static bool is_marked(const json_t *record)
{
  const char *text = tryton_text(record, "description");
  return text != NULL && strncmp(text, WITHDRAWN, strlen(WITHDRAWN)) == 0;
}

static json_t *make_withdrawal(const json_t *record, const char *day)
{
  const char *description = tryton_text(record, "description");
  const char *comment = tryton_text(record, "comment");
  json_t *v = json_pack("{s:f}", "conversion_probability", 0.0);
  json_object_set_new(v, "description",
                      json_sprintf(WITHDRAWN "%s", description != NULL ? description : ""));
  json_object_set_new(v, "comment",
                      json_sprintf("As of %s Tidemark no longer advises this.\n\n%s", day,
                                   comment != NULL ? comment : ""));
  return v;
}

/* One look and what follows from it, as bring_up_to_date(). */
static int mark(struct sales *s, const char *key, const char *day, struct tm_error *err)
{
  json_t *record = NULL;
  bool ours = false;
  int rc = find(s, key, &record, err);
  if (rc == 0 && json_is_null(record)) {
    is_dismissed(s, key);
    goto out;
  }
  if (rc == 0)
    rc = is_ours(s, record, &ours, err);
  if (rc == 0 && ours && !is_marked(record))
    rc = rewrite(s, record, make_withdrawal(record, day), err);
  if (rc == 0 && ours) {
    char note[64];
    snprintf(note, sizeof(note), "Tidemark, %s: no longer advised.", day);
    rc = lead_attach_note(s, tryton_id(record, "id"), note, true, err);
  }
  if (rc == 0) {
    remember(s, key, record);
    json_object_set_new(known_of(s, key), "withdrawn", json_string(day));
    if (ours)
      json_object_del(known_of(s, key), "digest"); /* any offer differs from what is there now */
  }
out:
  json_decref(record);
  return rc;
}

int sales_withdraw(struct sales *s, const json_t *summary, struct tm_error *err)
{
  const char *key, *at = tm_json_get_string(summary, "generated_at");
  json_t *one;
  int rc = 0;
  char *origin = origin_of(summary), day[TM_DATE_SIZE];
  if (origin == NULL || at == NULL || !json_is_array(json_object_get(summary, "recommendations"))) {
    free(origin);
    return 0;
  }
  snprintf(day, sizeof(day), "%.10s", at);
  json_object_foreach(json_object_get(s->known, "opportunities"), key, one)
  {
    if (!is_over(one, key, summary, origin))
      continue;
    rc = -ESTALE;
    for (int i = 0; rc == -ESTALE && i < TRIES; i++)
      rc = mark(s, key, day, err);
    if (rc < 0)
      break;
  }
  free(origin);
  return rc;
}

/* --- reading back --------------------------------------------------------------------------- */

static int read_page(struct sales *s, int64_t since, int offset, json_t **page,
                     struct tm_error *err)
{
  json_t *domain =
      json_pack("[[s,s,o],[s,[s,s,o],[s,s,o]]]", "reference", "!=", json_null(), "OR", "write_date",
                ">=", tryton_datetime(since), "create_date", ">=", tryton_datetime(since));
  json_t *fields = json_pack("[s,s,s,s,s,s,s,s]", "reference", "number", "state", "lost_reason",
                             "end_date", "create_uid", "create_date", "write_date");
  json_t *params = json_pack("[o,i,i,[[s,s]],o]", domain, offset, PAGE, "id", "ASC", fields);
  return tryton_call(s->rpc, "model." MODEL ".search_read", params, NULL, page, err);
}

static int64_t newest_of(const json_t *record)
{
  int64_t written = tryton_time_of(json_object_get(record, "write_date"));
  int64_t created = tryton_time_of(json_object_get(record, "create_date"));
  return written > created ? written : created;
}

int sales_read_back(struct sales *s, struct tm_error *err)
{
  int64_t since = 0;
  tm_json_get_time(s->known, "read_to", &since);
  int64_t newest = since;
  size_t n = PAGE, i;
  json_t *record;
  for (int offset = 0; n == PAGE; offset += PAGE) {
    json_t *page = NULL;
    int rc = read_page(s, since, offset, &page, err);
    if (rc < 0)
      return rc;
    n = json_array_size(page);
    json_array_foreach(page, i, record)
    {
      const char *key = tryton_text(record, "reference");
      if (key != NULL &&
          (known_of(s, key) != NULL || tryton_id(record, "create_uid") == tryton_user(s->rpc)))
        remember(s, key, record);
      if (newest_of(record) > newest)
        newest = newest_of(record);
    }
    json_decref(page);
  }
  if (newest != since) {
    json_object_set_new(s->known, "read_to", tm_json_time(newest));
    s->dirty = true;
  }
  return 0;
}
