/* SPDX-License-Identifier: MIT */
#include "exporters/schedule.h"

#include "common/file.h"
#include "common/json.h"
#include "common/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = 65536, FARTHEST_DAY = 3000000 /* past the year 9999 */ };

static struct tm local(int64_t t)
{
  time_t when = (time_t)t;
  struct tm out;
  localtime_r(&when, &out);
  return out;
}

/* The time of day on a local date; day may lie outside of the month. Where clocks go forward over
 * it, mktime gives the moment after. */
static int64_t time_on(int year, int month, int day, int minute)
{
  struct tm tm = {.tm_year = year,
                  .tm_mon = month,
                  .tm_mday = day,
                  .tm_hour = minute / 60,
                  .tm_min = minute % 60,
                  .tm_isdst = -1};
  return (int64_t)mktime(&tm);
}

int64_t schedule_day(int64_t t)
{
  struct tm tm = local(t);
  struct tm midnight = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
  return (int64_t)timegm(&midnight) / TM_DAY;
}

static int64_t time_on_day(int64_t day, int minute)
{
  time_t utc = (time_t)(day * TM_DAY);
  struct tm tm;
  gmtime_r(&utc, &tm);
  return time_on(tm.tm_year, tm.tm_mon, tm.tm_mday, minute);
}

static int days_of_month(int year, int month)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int y = year + 1900;
  bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
  return month == 1 && leap ? 29 : days[month];
}

static int64_t latest_of_month(const struct tm_conf_schedule *s, int64_t t)
{
  struct tm tm = local(t);
  for (int back = 0; back < 2; back++) {
    int month = (tm.tm_mon + 12 - back) % 12;
    int year = tm.tm_year - (month > tm.tm_mon);
    int last = days_of_month(year, month);
    int64_t set = time_on(year, month, s->monthday < last ? s->monthday : last, s->at_minute);
    if (set <= t)
      return set;
  }
  return INT64_MIN;
}

int64_t schedule_latest(const struct tm_conf_schedule *s, int64_t anchor_day, int64_t t)
{
  if (s->rule == TM_MONTHDAY)
    return latest_of_month(s, t);
  int64_t day = schedule_day(t);
  int64_t step = 1;
  if (s->rule == TM_WEEKDAY) {
    step = 7;
    day -= (local(t).tm_wday + 7 - s->weekday) % 7;
  } else {
    step = s->days;
    if (day < anchor_day)
      return INT64_MIN;
    day -= (day - anchor_day) % step;
  }
  int64_t set = time_on_day(day, s->at_minute);
  if (set <= t)
    return set;
  day -= step;
  return s->rule == TM_EVERY_DAYS && day < anchor_day ? INT64_MIN : time_on_day(day, s->at_minute);
}

/* --- what was done --------------------------------------------------------------------------- */

static char *state_path(const char *state_dir)
{
  char *path = NULL;
  return asprintf(&path, "%s/schedule.json", state_dir) < 0 ? NULL : path;
}

int schedule_load(struct schedule_state *state, const char *state_dir, struct tm_error *err)
{
  struct tm_error own = {0};
  *state = (struct schedule_state){INT64_MIN, INT64_MIN};
  char *path = state_path(state_dir);
  if (path == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = 0;
  json_t *json = tm_json_read(path, MAX_BYTES, &own);
  if (json == NULL && own.code != -ENOENT) {
    rc = tm_fail(err, own.code, "%s", own.text);
  } else if (json != NULL) {
    const char *last = tm_json_get_string(json, "last");
    const json_t *anchor = json_object_get(json, "anchor_day");
    if (last == NULL || tm_time_parse(last, &state->last) < 0 || !json_is_integer(anchor))
      rc =
          tm_fail(err, -EBADMSG, "%s: not a record of the schedule; remove it to begin anew", path);
    else
      state->anchor_day = json_integer_value(anchor);
    if (rc == 0 && (state->anchor_day < -FARTHEST_DAY || state->anchor_day > FARTHEST_DAY))
      rc = tm_fail(err, -EBADMSG, "%s: begins on no day; remove it to begin anew", path);
  }
  json_decref(json);
  free(path);
  return rc;
}

int schedule_save(const struct schedule_state *state, const char *state_dir, struct tm_error *err)
{
  char text[128], last[TM_TIME_SIZE];
  char *path = state_path(state_dir);
  if (path == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int n = snprintf(text, sizeof(text), "{\"anchor_day\":%lld,\"last\":\"%s\"}\n",
                   (long long)state->anchor_day, tm_time_format(last, state->last));
  int rc = tm_dir_make(state_dir, 0750, err);
  if (rc == 0)
    rc = tm_file_write(path, text, (size_t)n, 0640, err);
  free(path);
  return rc;
}

/* --- asking ---------------------------------------------------------------------------------- */

void schedule_ask(struct schedule_answer *out, const struct tm_conf_schedule *s,
                  const struct schedule_state *state, int64_t now)
{
  *out = (struct schedule_answer){.to = INT64_MIN, .next = *state};
  if (state->last != INT64_MIN && now < state->last) {
    out->clock_went_back = true;
    return;
  }
  int64_t anchor = state->anchor_day;
  if (anchor == INT64_MIN) {
    /* The first record is made at once; N days are counted from it. */
    anchor = schedule_day(now);
    if (time_on_day(anchor, s->at_minute) > now)
      anchor--;
  }
  int64_t set = schedule_latest(s, anchor, now);
  if (set == INT64_MIN || (state->last != INT64_MIN && set <= state->last))
    return;
  out->due = true;
  out->to = set;
  out->next = (struct schedule_state){.anchor_day = anchor, .last = set};
}

int64_t schedule_jitter(const struct tm_conf_schedule *s, const char *customer, const char *site)
{
  char text[256], hex[TM_SHA256_HEX];
  if (s->jitter_s == 0)
    return 0;
  int n = snprintf(text, sizeof(text), "%s/%s", customer != NULL ? customer : "",
                   site != NULL ? site : "");
  tm_sha256_hex(hex, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
  hex[8] = '\0';
  return (int64_t)strtoul(hex, NULL, 16) % (s->jitter_s + 1);
}

bool schedule_is_quiet(const struct tm_conf_schedule *s, int64_t now)
{
  struct tm tm = local(now);
  int minute = tm.tm_hour * 60 + tm.tm_min;
  if (s->quiet_from <= s->quiet_to)
    return minute >= s->quiet_from && minute < s->quiet_to;
  return minute >= s->quiet_from || minute < s->quiet_to;
}
