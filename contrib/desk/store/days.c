/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/days.h"

#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { VERSION = 1, MONTH_MAX = 12 * 9000 };

#define WHOLE_MAX 4503599627370496.0 /* 2^52 */

#define EACH_NAME(F)                                                                               \
  F("capacity_bytes"), F("used_bytes"), F("slots_total"), F("slots_used"), F("transfers_max"),     \
      F("transfers_max_at"), F("transfers_mean"), F("transfers_p95"), F("covered")
#define NAME(s)   s
#define LENGTH(s) (sizeof(s) - 1)
static const char *const names[DAY_FIELDS] = {EACH_NAME(NAME)};
static const size_t name_len[DAY_FIELDS] = {EACH_NAME(LENGTH)};

const char *day_field_name(enum day_field field)
{
  return names[field];
}

/* --- dates -------------------------------------------------------------------------------- */

/* Howard Hinnant's civil calendar, which has no table and no loop. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t days_month(int64_t date)
{
  date += 719468;
  int64_t era = (date >= 0 ? date : date - 146096) / 146097;
  int64_t of_era = date - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return (year + era * 400 + (month <= 2) - 1970) * 12 + month - 1;
}

int64_t days_month_start(int64_t month)
{
  int64_t year = month >= 0 ? month / 12 : (month - 11) / 12;
  return days_of(1970 + year, month - year * 12 + 1, 1);
}

/* --- JSON --------------------------------------------------------------------------------- */

int day_read(struct day *day, const json_t *json, int64_t arrived_on)
{
  const char *date = tm_json_get_string(json, "date");
  int64_t t;
  *day = (struct day){.arrived_on = arrived_on};
  if (date == NULL || strlen(date) != 10 || tm_time_parse(date, &t) < 0)
    return -EBADMSG;
  day->date = t / TM_DAY;
  for (int i = 0; i < DAY_FIELDS; i++) {
    const json_t *v = json_object_get(json, names[i]);
    int64_t time;
    if (v == NULL)
      continue;
    day->state[i] = DAY_NULL;
    if (json_is_number(v))
      day->value[i] = json_number_value(v);
    else if (i == DAY_MAX_AT && json_is_string(v) &&
             tm_time_parse(json_string_value(v), &time) == 0)
      day->value[i] = (double)time;
    else
      continue;
    day->state[i] = DAY_KNOWN;
  }
  return 0;
}

json_t *day_json(const struct day *day, int arrived)
{
  char date[TM_DATE_SIZE];
  json_t *o = json_object();
  json_object_set_new(o, "date", json_string(tm_date_format_days(date, day->date)));
  for (int i = 0; i < DAY_FIELDS; i++) {
    if (day->state[i] == DAY_ABSENT)
      continue;
    json_t *v = day->state[i] == DAY_NULL ? json_null()
                : i == DAY_MAX_AT         ? tm_json_time((int64_t)day->value[i])
                                          : tm_json_number(day->value[i]);
    json_object_set_new(o, names[i], v);
  }
  if (arrived)
    json_object_set_new(o, "arrived_on", json_string(tm_date_format_days(date, day->arrived_on)));
  return o;
}

void day_write(struct json_out *out, const struct day *day, int arrived)
{
  enum { FIELD_SIZE = 24 /* "name": and a comma */ + JSON_TIME_SIZE };
  char *p = json_out_begin(out, 80 + DAY_FIELDS * FIELD_SIZE);
  if (p == NULL)
    return;
  p = json_put(p, "{\"date\":\"");
  p = json_put(tm_date_format_days(p, day->date) + TM_DATE_LEN, "\"");
  for (int i = 0; i < DAY_FIELDS; i++) {
    if (day->state[i] == DAY_ABSENT)
      continue;
    double v = day->value[i];
    p = mempcpy(json_put(p, ",\""), names[i], name_len[i]);
    p = json_put(p, "\":");
    p = day->state[i] == DAY_NULL ? json_put(p, "null")
        : i == DAY_MAX_AT         ? json_put_time(p, (int64_t)v)
                                  : json_put_real(p, v);
  }
  if (arrived) {
    p = json_put(p, ",\"arrived_on\":\"");
    p = json_put(tm_date_format_days(p, day->arrived_on) + TM_DATE_LEN, "\"");
  }
  json_out_end(out, json_put(p, "}"));
}

/* --- packing ------------------------------------------------------------------------------ */

/*
 * A version, the number of days, then for each: the day of the month, the days until it arrived,
 * two bits a field (absent, null, as the day before, a value), and the values: whole numbers as the
 * difference from the field's number before, doubled; others as a 1 and their eight bytes.
 */
enum { CODE_ABSENT, CODE_NULL, CODE_SAME, CODE_VALUE, MASK_BYTES = (2 * DAY_FIELDS + 7) / 8 };

static int put_number(struct tm_buf *out, uint64_t v)
{
  unsigned char bytes[10];
  size_t n = 0;
  do {
    bytes[n++] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
    v >>= 7;
  } while (v > 0);
  return tm_buf_add(out, bytes, n);
}

static uint64_t zigzag(int64_t v)
{
  return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static bool is_whole(double v)
{
  return fabs(v) < WHOLE_MAX && v == floor(v);
}

static int put_value(struct tm_buf *out, double v, int64_t *before)
{
  if (is_whole(v)) {
    int64_t whole = (int64_t)v, from = *before;
    *before = whole;
    return put_number(out, zigzag(whole - from) << 1);
  }
  int rc = put_number(out, 1);
  return rc < 0 ? rc : tm_buf_add(out, &v, sizeof(v));
}

static unsigned code_of(const struct day *day, const struct day *last, int field)
{
  if (day->state[field] == DAY_ABSENT)
    return CODE_ABSENT;
  if (day->state[field] == DAY_NULL)
    return CODE_NULL;
  bool same =
      last != NULL && last->state[field] == DAY_KNOWN && last->value[field] == day->value[field];
  return same ? CODE_SAME : CODE_VALUE;
}

int days_pack(struct tm_buf *out, const struct day *days, size_t n)
{
  int64_t before[DAY_FIELDS] = {0};
  int64_t start = n > 0 ? days_month_start(days_month(days[0].date)) : 0;
  const unsigned char head[] = {VERSION, (unsigned char)n};
  int rc = tm_buf_add(out, head, sizeof(head));
  for (size_t d = 0; rc == 0 && d < n; d++) {
    unsigned char mask[MASK_BYTES] = {0};
    const struct day *last = d > 0 ? &days[d - 1] : NULL;
    for (int i = 0; i < DAY_FIELDS; i++)
      mask[i / 4] |= (unsigned char)(code_of(&days[d], last, i) << (i % 4 * 2));
    rc = put_number(out, (uint64_t)(days[d].date - start));
    if (rc == 0)
      rc = put_number(out, zigzag(days[d].arrived_on - days[d].date));
    if (rc == 0)
      rc = tm_buf_add(out, mask, sizeof(mask));
    for (int i = 0; rc == 0 && i < DAY_FIELDS; i++) {
      if (code_of(&days[d], last, i) == CODE_VALUE)
        rc = put_value(out, days[d].value[i], &before[i]);
    }
  }
  return rc;
}

struct reader {
  const unsigned char *p, *end;
  bool bad;
};

static uint64_t take_number(struct reader *r)
{
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (r->p == r->end)
      break;
    unsigned char byte = *r->p++;
    v |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      return v;
  }
  r->bad = true;
  return 0;
}

static int64_t unzigzag(uint64_t v)
{
  return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static double take_value(struct reader *r, int64_t *before)
{
  double v = NAN;
  uint64_t n = take_number(r);
  if ((n & 1) == 0) {
    /* Unsigned, for what is damaged may not overflow. */
    *before = (int64_t)((uint64_t)*before + (uint64_t)unzigzag(n >> 1));
    return (double)*before;
  }
  if ((size_t)(r->end - r->p) < sizeof(v)) {
    r->bad = true;
    return v;
  }
  memcpy(&v, r->p, sizeof(v));
  r->p += sizeof(v);
  return v;
}

static void take_fields(struct reader *r, struct day *day, const struct day *last,
                        int64_t before[DAY_FIELDS])
{
  unsigned char mask[MASK_BYTES];
  if ((size_t)(r->end - r->p) < sizeof(mask)) {
    r->bad = true;
    return;
  }
  memcpy(mask, r->p, sizeof(mask));
  r->p += sizeof(mask);
  for (int i = 0; i < DAY_FIELDS; i++) {
    unsigned code = mask[i / 4] >> (i % 4 * 2) & 3;
    day->state[i] = code == CODE_ABSENT ? DAY_ABSENT : code == CODE_NULL ? DAY_NULL : DAY_KNOWN;
    if (code == CODE_VALUE)
      day->value[i] = take_value(r, &before[i]);
    else if (code == CODE_SAME && last != NULL)
      day->value[i] = last->value[i];
    else if (code == CODE_SAME)
      r->bad = true;
  }
}

int days_unpack(const void *data, size_t len, int64_t month, struct day days[DAYS_OF_MONTH],
                size_t *n, struct tm_error *err)
{
  struct reader r = {.p = data, .end = (const unsigned char *)data + len};
  int64_t before[DAY_FIELDS] = {0};
  *n = 0;
  r.bad = len < 2 || r.p[0] != VERSION || r.p[1] > DAYS_OF_MONTH || month > MONTH_MAX ||
          month < -MONTH_MAX;
  size_t count = r.bad ? 0 : r.p[1];
  int64_t start = r.bad ? 0 : days_month_start(month);
  r.p += r.bad ? 0 : 2;
  for (size_t d = 0; !r.bad && d < count; d++) {
    uint64_t of_month = take_number(&r);
    days[d] = (struct day){.date = start + (int64_t)(of_month & 31)};
    days[d].arrived_on = (int64_t)((uint64_t)days[d].date + (uint64_t)unzigzag(take_number(&r)));
    take_fields(&r, &days[d], d > 0 ? &days[d - 1] : NULL, before);
    r.bad |= of_month >= DAYS_OF_MONTH || (d > 0 && days[d].date <= days[d - 1].date);
  }
  if (r.bad || r.p != r.end)
    return tm_fail(err, -EBADMSG, "the history of month %lld is damaged", (long long)month);
  *n = count;
  return 0;
}

/* --- merging ------------------------------------------------------------------------------ */

static bool is_equal(const struct day *a, const struct day *b)
{
  for (int i = 0; i < DAY_FIELDS; i++) {
    if (a->state[i] != b->state[i] || (a->state[i] == DAY_KNOWN && a->value[i] != b->value[i]))
      return false;
  }
  return true;
}

/* A part that is not told is not less. */
static bool covers_less(const struct day *a, const struct day *b)
{
  return a->state[DAY_COVERED] == DAY_KNOWN && b->state[DAY_COVERED] == DAY_KNOWN &&
         a->value[DAY_COVERED] < b->value[DAY_COVERED];
}

size_t days_merge(struct day days[DAYS_OF_MONTH], size_t *n, const struct day *sent, size_t sent_n)
{
  size_t changed = 0;
  for (size_t s = 0; s < sent_n; s++) {
    size_t at = *n;
    while (at > 0 && days[at - 1].date >= sent[s].date)
      at--;
    if (at < *n && days[at].date == sent[s].date) {
      if (covers_less(&sent[s], &days[at]) || is_equal(&sent[s], &days[at]))
        continue;
    } else {
      if (*n == DAYS_OF_MONTH)
        continue;
      memmove(&days[at + 1], &days[at], (*n - at) * sizeof(days[0]));
      (*n)++;
    }
    days[at] = sent[s];
    changed++;
  }
  return changed;
}
