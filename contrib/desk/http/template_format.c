/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/template_own.h"

#include "common/clock.h"
#include "common/number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NBSP  "\xc2\xa0"
#define MINUS "\xe2\x88\x92"
#define TIB   1099511627776.0

enum { DECIMAL = 128 }; /* room for a decimal number and its commas */

#define LAST_SECOND 253402300799 /* of the year 9999 */

static const char *const names[] = {
    [FORMAT_BYTES] = "bytes", [FORMAT_TIB] = "tib",     [FORMAT_COUNT] = "count",
    [FORMAT_MONEY] = "money", [FORMAT_SHARE] = "share", [FORMAT_DAY] = "day",
    [FORMAT_DATE] = "date",   [FORMAT_TIME] = "time",   [FORMAT_ISO] = "iso",
    [FORMAT_AGO] = "ago",     [FORMAT_IN] = "in",       [FORMAT_URL] = "url",
    [FORMAT_TEXT] = "text",
};

int format_of(const char *name, size_t len)
{
  for (int i = FORMAT_BYTES; i <= FORMAT_TEXT; i++) {
    if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
      return i;
  }
  return -1;
}

static int put_unknown(struct tm_buf *out)
{
  return tm_buf_puts(out, "unknown");
}

/* A decimal text, its whole part grouped, its sign as one reads it. */
static int put_decimal(struct tm_buf *out, const char *text)
{
  char grouped[DECIMAL];
  bool below = *text == '-';
  return tm_buf_printf(out, "%s%s", below ? MINUS : "",
                       tm_format_grouped(grouped, sizeof(grouped), text + below));
}

/* Three figures, as a column of them is read: 0.29, 97.6, 120, 1,204. */
static int put_figures(struct tm_buf *out, double value)
{
  char text[64];
  double size = fabs(value);
  int digits = 0;
  if (size > 0 && size < 99.95)
    digits = size < 9.995 ? 2 : 1;
  snprintf(text, sizeof(text), "%.*f", digits, value);
  return put_decimal(out, text);
}

static int put_count(struct tm_buf *out, const json_t *value)
{
  char text[64];
  double v = json_number_value(value);
  if (json_is_real(value) && v != floor(v) && fabs(v) < 100)
    return put_figures(out, v);
  snprintf(text, sizeof(text), "%.0f", v);
  if (json_is_integer(value))
    snprintf(text, sizeof(text), "%" PRId64, (int64_t)json_integer_value(value));
  return put_decimal(out, text);
}

static int put_bytes(struct tm_buf *out, double bytes)
{
  char text[32];
  tm_format_bytes(text, sizeof(text), bytes);
  char *blank = strchr(text, ' ');
  if (blank == NULL)
    return tm_buf_puts(out, text);
  *blank = '\0';
  return tm_buf_printf(out, "%s" NBSP "%s", text, blank + 1);
}

static int put_share(struct tm_buf *out, double share)
{
  double percent = 100 * share;
  if (percent > 0 && percent < 0.5)
    return tm_buf_puts(out, "under 1" NBSP "%");
  if (percent > 99.5 && percent < 100)
    return tm_buf_puts(out, "over 99" NBSP "%");
  return tm_buf_printf(out, "%.0f" NBSP "%%", percent);
}

/* "-1234.50": what the documents write; nothing else is money. */
static bool is_amount(const char *text)
{
  text += *text == '-';
  size_t whole = strspn(text, "0123456789");
  if (whole == 0 || whole > 18)
    return false;
  text += whole;
  if (*text == '\0')
    return true;
  size_t rest = *text == '.' ? strspn(text + 1, "0123456789") : 0;
  return rest > 0 && rest <= 6 && text[1 + rest] == '\0';
}

static int put_money(struct tm_buf *out, const json_t *value)
{
  static const struct {
    const char *code, *sign;
  } signs[] = {{"JPY", "¥"}, {"EUR", "€"}, {"USD", "$"}, {"GBP", "£"}};
  const char *amount = json_string_value(json_object_get(value, "amount"));
  const char *currency = json_string_value(json_object_get(value, "currency"));
  if (amount == NULL || currency == NULL || !is_amount(amount))
    return put_unknown(out);
  for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
    if (strcmp(signs[i].code, currency) == 0)
      currency = signs[i].sign;
  }
  int rc = tm_buf_printf(out, "%s" NBSP, currency);
  return rc == 0 ? put_decimal(out, amount) : rc;
}

/* A time of seconds or RFC 3339; what no calendar has is no time. */
static bool time_of(const json_t *value, int64_t *t)
{
  if (json_is_string(value) ? tm_time_parse(json_string_value(value), t) < 0
                            : !json_is_integer(value))
    return false;
  if (json_is_integer(value))
    *t = json_integer_value(value);
  return *t > -LAST_SECOND && *t < LAST_SECOND;
}

static bool is_date(const json_t *value)
{
  const char *text = json_string_value(value);
  if (text == NULL || strlen(text) != 10)
    return false;
  for (int i = 0; i < 10; i++) {
    if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
      return false;
  }
  return true;
}

static int put_date(struct tm_buf *out, const json_t *value, bool days)
{
  char date[TM_DATE_SIZE];
  int64_t t;
  if (is_date(value))
    return tm_buf_puts(out, json_string_value(value));
  t = json_integer_value(value);
  if (days && json_is_integer(value) && t > -LAST_SECOND / TM_DAY && t < LAST_SECOND / TM_DAY)
    return tm_buf_puts(out, tm_date_format_days(date, t));
  if (!days && time_of(value, &t))
    return tm_buf_puts(out, tm_date_format(date, t));
  return put_unknown(out);
}

static int put_time(struct tm_buf *out, const json_t *value, const struct template_clock *clock,
                    bool iso)
{
  int64_t t;
  struct tm tm;
  char text[64];
  if (!time_of(value, &t))
    return put_unknown(out);
  time_t seconds = (time_t)t;
  if (localtime_r(&seconds, &tm) == NULL)
    return put_unknown(out);
  if (!iso) {
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
    return tm_buf_printf(out, "%s" NBSP "%s", text, clock->zone != NULL ? clock->zone : tm.tm_zone);
  }
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
  long offset = labs(tm.tm_gmtoff) / 60;
  return tm_buf_printf(out, "%s%c%02ld:%02ld", text, tm.tm_gmtoff < 0 ? '-' : '+', offset / 60,
                       offset % 60);
}

static int put_span(struct tm_buf *out, int64_t n, const char *unit, bool past)
{
  return tm_buf_printf(out, "%s%" PRId64 NBSP "%s%s%s", past ? "" : "in ", n, unit,
                       n == 1 ? "" : "s", past ? " ago" : "");
}

/* Whole local days between now and a date: what a person counts. */
static int put_days(struct tm_buf *out, int64_t days)
{
  if (days == 0)
    return tm_buf_puts(out, "today");
  if (days == 1)
    return tm_buf_puts(out, "tomorrow");
  if (days == -1)
    return tm_buf_puts(out, "yesterday");
  return put_span(out, days < 0 ? -days : days, "day", days < 0);
}

static int put_distance(struct tm_buf *out, const json_t *value, const struct template_clock *clock,
                        bool ago)
{
  int64_t t;
  int64_t today = tm_date_days(clock->now);
  if (is_date(value)) {
    if (tm_time_parse(json_string_value(value), &t) < 0)
      return put_unknown(out);
    return put_days(out, t / TM_DAY - today);
  }
  if (!time_of(value, &t))
    return put_unknown(out);
  int64_t away = t > clock->now ? t - clock->now : clock->now - t;
  bool past = t <= clock->now;
  if (!ago || away >= (int64_t)2 * TM_DAY)
    return put_days(out, tm_date_days(t) - today);
  if (away < 60)
    return tm_buf_puts(out, past ? "just now" : "at once");
  if (away < 3600)
    return put_span(out, away / 60, "minute", past);
  return put_span(out, away / 3600, "hour", past);
}

/* What a value is without a format. */
static int put_plain(struct tm_buf *out, const json_t *value)
{
  switch (json_typeof(value)) {
  case JSON_STRING:
    return tm_buf_add(out, json_string_value(value), json_string_length(value));
  case JSON_INTEGER:
    return tm_buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
  case JSON_REAL:
    return tm_buf_printf(out, "%.10g", json_real_value(value));
  case JSON_TRUE:
    return tm_buf_puts(out, "true");
  case JSON_FALSE:
    return tm_buf_puts(out, "false");
  default:
    return 0;
  }
}

static int put_url(struct tm_buf *out, const json_t *value)
{
  struct tm_buf plain = TM_BUF_INIT(1 << 16);
  int rc = put_plain(&plain, value);
  if (rc == 0 && plain.ptr != NULL)
    rc = tm_buf_percent(out, plain.ptr);
  tm_buf_release(&plain);
  return rc;
}

int format_value(enum template_format format, const json_t *value,
                 const struct template_clock *clock, struct tm_buf *out)
{
  bool wants_number = format >= FORMAT_BYTES && format <= FORMAT_SHARE && format != FORMAT_MONEY;
  if (format == FORMAT_NONE || format == FORMAT_TEXT)
    return value != NULL ? put_plain(out, value) : 0;
  if (value == NULL || json_is_null(value))
    return format == FORMAT_URL ? 0 : put_unknown(out);
  if (wants_number && (!json_is_number(value) || !isfinite(json_number_value(value))))
    return put_unknown(out);
  switch (format) {
  case FORMAT_BYTES:
    return put_bytes(out, json_number_value(value));
  case FORMAT_TIB:
    return put_figures(out, json_number_value(value) / TIB);
  case FORMAT_COUNT:
    return put_count(out, value);
  case FORMAT_MONEY:
    return put_money(out, value);
  case FORMAT_SHARE:
    return put_share(out, json_number_value(value));
  case FORMAT_DAY:
  case FORMAT_DATE:
    return put_date(out, value, format == FORMAT_DAY);
  case FORMAT_TIME:
  case FORMAT_ISO:
    return put_time(out, value, clock, format == FORMAT_ISO);
  case FORMAT_AGO:
  case FORMAT_IN:
    return put_distance(out, value, clock, format == FORMAT_AGO);
  default:
    return put_url(out, value);
  }
}
