/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/event.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/intake/schemas.h"
#include "contrib/desk/store/pack.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD_S = TM_DAY };

static const struct {
  const char *name;
  enum schema_of schema;
} types[] = {
    [EVENT_SUMMARY] = {"tidemark.summary.v1", SCHEMA_OF_SUMMARY},
    [EVENT_HISTORY] = {"tidemark.history.v1", SCHEMA_OF_HISTORY},
    [EVENT_ITEM_VALUES] = {"tidemark.item-values.v1", SCHEMA_OF_ITEM_VALUES},
    [EVENT_DELETE_REQUEST] = {"tidemark.delete-request.v1", SCHEMA_OF_DELETE_REQUEST},
};

const char *event_type_name(enum event_type type)
{
  return types[type].name;
}

void event_refuse(struct event *e, const char *field, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  vsnprintf(e->error, sizeof(e->error), fmt, args);
  va_end(args);
  snprintf(e->field, sizeof(e->field), "%s", field);
  e->status = EVENT_REFUSED;
}

/* --- splitting ---------------------------------------------------------------------------- */

static const char *skip_blanks(const char *p, const char *end)
{
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    p++;
  return p;
}

static const char *skip_string(const char *p, const char *end)
{
  for (p++; p < end && *p != '"'; p++)
    p += *p == '\\';
  return p < end ? p + 1 : end;
}

/* The end of the JSON value at p, by its brackets and quotes alone: whether it is one is found out
 * by the parser, for each value by itself. */
static const char *skip_value(const char *p, const char *end)
{
  size_t depth = 0;
  while (p < end) {
    if (*p == '"') {
      p = skip_string(p, end);
    } else {
      if (depth == 0 && (*p == ',' || *p == ']' || *p == '}'))
        return p;
      depth += *p == '{' || *p == '[';
      depth -= *p == '}' || *p == ']';
      p++;
    }
    if (depth == 0 && p > end - 1)
      return end;
    if (depth == 0 && (p[-1] == '}' || p[-1] == ']' || p[-1] == '"'))
      return p;
  }
  return p;
}

static int add_event(struct event **events, size_t *n, size_t *room, const char *at,
                     const char *end, struct tm_error *err)
{
  if (*n == EVENTS_MAX)
    return tm_fail(err, -E2BIG, "more than %d events in one request", EVENTS_MAX);
  if (*n == *room) {
    size_t more = *room > 0 ? 2 * *room : 16;
    struct event *grown = realloc(*events, more * sizeof(**events));
    if (grown == NULL)
      return tm_fail(err, -ENOMEM, "out of memory");
    *events = grown;
    *room = more;
  }
  while (end > at && strchr(" \t\r\n", end[-1]) != NULL)
    end--;
  (*events)[(*n)++] = (struct event){.bytes = at, .len = (size_t)(end - at)};
  return 0;
}

static int split_array(const char *p, const char *end, struct event **events, size_t *n,
                       struct tm_error *err)
{
  size_t room = 0;
  int rc = 0;
  p = skip_blanks(p, end);
  if (p == end || *p != '[')
    return tm_fail(err, -EBADMSG, "a JSON array of events is wanted");
  do {
    const char *at = skip_blanks(p + 1, end);
    p = skip_value(at, end);
    if (p == at)
      return tm_fail(err, -EBADMSG, "event %zu of the batch is none", *n + 1);
    rc = add_event(events, n, &room, at, p, err);
    p = skip_blanks(p, end);
  } while (rc == 0 && p < end && *p == ',');
  if (rc == 0 && (p == end || *p != ']' || skip_blanks(p + 1, end) != end))
    rc = tm_fail(err, -EBADMSG, "the array of events does not end as one");
  return rc;
}

int events_split(const char *body, size_t len, bool batch, struct event **events, size_t *n,
                 struct tm_error *err)
{
  size_t room = 0;
  *events = NULL;
  *n = 0;
  int rc = batch ? split_array(body, body + len, events, n, err)
                 : add_event(events, n, &room, skip_blanks(body, body + len), body + len, err);
  if (rc < 0) {
    events_free(*events, *n);
    *events = NULL;
    *n = 0;
  }
  return rc;
}

void events_free(struct event *events, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    json_decref(events[i].root);
    free(events[i].days);
    tm_buf_release(&events[i].packed);
  }
  free(events);
}

/* --- the envelope ------------------------------------------------------------------------- */

/* Where the document's bytes stand: the member "data" of an object that was parsed already. */
static bool find_data(struct event *e)
{
  const char *end = e->bytes + e->len;
  const char *p = skip_blanks(e->bytes, end);
  while (p < end && *p != '}') {
    const char *name = skip_blanks(p + 1, end);
    const char *after = skip_string(name, end);
    const char *value = skip_blanks(skip_blanks(after, end) + 1, end);
    p = skip_value(value, end);
    if (after - name == 6 && memcmp(name, "\"data\"", 6) == 0) {
      e->data_at = (size_t)(value - e->bytes);
      e->data_len = (size_t)(p - value);
      return true;
    }
    p = skip_blanks(p, end);
  }
  return false;
}

static bool is_id(const char *text)
{
  size_t n = text != NULL ? strlen(text) : 0;
  return n >= 1 && n <= 64 &&
         text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")] ==
             '\0';
}

/* An event whose id is not legible cannot be answered for by it. */
static void read_id(struct event *e)
{
  const char *id = tm_json_get_string(e->root, "id");
  if (is_id(id))
    snprintf(e->id, sizeof(e->id), "%s", id);
  else
    event_refuse(e, "id", "1 to 64 letters, digits, '.', '_', ':' or '-' are wanted");
}

static void read_type(struct event *e)
{
  const char *type = tm_json_get_string(e->root, "type");
  for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
    if (strcmp(types[i].name, type) == 0) {
      e->type = (enum event_type)i;
      return;
    }
  }
  event_refuse(e, "type", type == NULL ? "missing" : "not known here");
}

static void read_envelope(struct event *e)
{
  struct tm_error err = {0};
  tm_sha256_hex(e->sha256, e->bytes, e->len);
  if (e->len > EVENT_MAX) {
    event_refuse(e, "", "larger than %d bytes", EVENT_MAX);
    return;
  }
  e->root = tm_json_parse(e->bytes, e->len, "event", &err);
  if (!json_is_object(e->root)) {
    event_refuse(e, "", "%.150s", e->root == NULL ? err.text : "an object is wanted");
    return;
  }
  read_id(e);
  if (e->status == EVENT_REFUSED)
    return;
  const char *version = tm_json_get_string(e->root, "specversion");
  e->data = json_object_get(e->root, "data");
  if (version == NULL || strcmp(version, "1.0") != 0)
    event_refuse(e, "specversion", "'1.0' is wanted");
  else if (!json_is_object(e->data) || !find_data(e))
    event_refuse(e, "data", "an object is wanted");
  else
    read_type(e);
}

/* --- whose it is -------------------------------------------------------------------------- */

/* The credential says whose everything is; what says otherwise is an error, or an attempt. */
static bool is_other(const json_t *object, const char *key, const char *own)
{
  const json_t *v = json_object_get(object, key);
  return v != NULL && !json_is_null(v) &&
         (!json_is_string(v) || strcmp(json_string_value(v), own) != 0);
}

static void check_owner(struct event *e, const struct credential *from)
{
  const json_t *customer = json_object_get(e->data, "customer");
  const char *source = tm_json_get_string(e->root, "source");
  char own[2 * CREDENTIAL_ID + 32];
  snprintf(own, sizeof(own), "/customers/%s/sites/%s", from->customer, from->site);
  e->foreign = true;
  if (is_other(customer, "id", from->customer))
    event_refuse(e, "customer.id", "another customer than the credential's");
  else if (is_other(customer, "site", from->site))
    event_refuse(e, "customer.site", "another site than the credential's");
  else if (source != NULL && strncmp(source, "/customers/", 11) == 0 && strcmp(source, own) != 0)
    event_refuse(e, "source", "another one than the credential's");
  else
    e->foreign = false;
}

/* --- what no schema can say --------------------------------------------------------------- */

static bool read_time(struct event *e, const json_t *object, const char *key, const char *field,
                      int64_t now, int64_t *out)
{
  const char *text = tm_json_get_string(object, key);
  *out = INT64_MIN;
  if (text == NULL)
    return true;
  if (tm_time_parse(text, out) < 0)
    event_refuse(e, field, "not a time");
  else if (*out > now + AHEAD_S)
    event_refuse(e, field, "in the future");
  return e->status != EVENT_REFUSED;
}

static void check_times(struct event *e, int64_t now)
{
  const json_t *period = json_object_get(e->data, "period");
  if (read_time(e, e->data, "generated_at", "generated_at", now, &e->generated_at) &&
      read_time(e, period, "from", "period.from", now, &e->period_from) &&
      read_time(e, period, "to", "period.to", now, &e->period_to) && e->period_from != INT64_MIN &&
      e->period_from > e->period_to)
    event_refuse(e, "period.from", "later than its end");
}

/* Sizes of which there is never less than nothing. The place is only written for a fault: INDEX is
 * that of a day, SIZE_MAX for the status. */
static void refuse_size(struct event *e, size_t index, const char *name, const char *why)
{
  char field[160];
  if (index == SIZE_MAX)
    snprintf(field, sizeof(field), "status.%s", name);
  else
    snprintf(field, sizeof(field), "history[%zu].%s", index, name);
  event_refuse(e, field, "%s", why);
}

static void check_sizes(struct event *e, const json_t *object, size_t index)
{
  static const char *const sizes[] = {"capacity_bytes", "used_bytes",    "slots_total",
                                      "slots_used",     "transfers_max", "transfers_mean"};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    if (tm_json_get_number(object, sizes[i]) < 0) {
      refuse_size(e, index, sizes[i], "less than 0");
      return;
    }
  }
  double capacity = tm_json_get_number(object, "capacity_bytes");
  double used = tm_json_get_number(object, "used_bytes");
  if (used > 2 * capacity)
    refuse_size(e, index, "used_bytes", "more than twice what there is");
}

static int compare_days(const void *a, const void *b)
{
  const struct day *x = a, *y = b;
  return (x->date > y->date) - (x->date < y->date);
}

static void read_days(struct event *e, int64_t now)
{
  const json_t *history = json_object_get(e->data, "history");
  size_t n = json_array_size(history);
  /* It came on the desk's own day; what is in the future is asked by days that no zone moves. */
  int64_t arrived_on = tm_date_days(now);
  bool ascending = true;
  char field[64];
  if (n == 0)
    return;
  e->days = malloc(n * sizeof(*e->days));
  for (size_t i = 0; i < n && e->days != NULL && e->status != EVENT_REFUSED; i++) {
    const json_t *json = json_array_get(history, i);
    struct day *day = &e->days[e->days_len++];
    check_sizes(e, json, i);
    const char *why = day_read(day, json, arrived_on) < 0     ? "not a date"
                      : day->date > now / TM_DAY + DAYS_AHEAD ? "in the future"
                                                              : NULL;
    if (why != NULL) {
      snprintf(field, sizeof(field), "history[%zu]", i);
      event_refuse(e, field, "%s", why);
    }
    ascending = ascending && (i == 0 || day[-1].date < day->date);
  }
  if (e->days == NULL)
    event_refuse(e, "history", "too much to be held");
  else if (!ascending)
    qsort(e->days, e->days_len, sizeof(*e->days), compare_days);
}

/* --- one event ---------------------------------------------------------------------------- */

void event_read(struct event *e, const struct credential *from, int64_t now)
{
  struct json_fault fault;
  read_envelope(e);
  if (e->status == EVENT_REFUSED)
    return;
  check_owner(e, from);
  if (e->status == EVENT_REFUSED)
    return;
  if (json_schema_check(schema_of(types[e->type].schema), e->data, JSON_SCHEMA_UNKNOWN_PASS,
                        &fault) < 0) {
    event_refuse(e, fault.field, "%s", fault.why);
    return;
  }
  check_times(e, now);
  if (e->status != EVENT_REFUSED && e->type == EVENT_SUMMARY)
    check_sizes(e, json_object_get(e->data, "status"), SIZE_MAX);
  if (e->status != EVENT_REFUSED && (e->type == EVENT_SUMMARY || e->type == EVENT_HISTORY))
    read_days(e, now);
  if (e->status == EVENT_REFUSED)
    return;
  e->packed = (struct tm_buf)TM_BUF_INIT(2 * EVENT_MAX);
  pack_bytes(&e->packed, e->bytes, e->len);
}
