/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/value.h"

#include "common/clock.h"
#include "common/json.h"

#include <ctype.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_FIGURES = 18, MAX_DAYS = 36525 };

/* The date of a moment, UTC. */
static json_t *date_of(int64_t t)
{
  time_t when = (time_t)t;
  struct tm tm;
  if (gmtime_r(&when, &tm) == NULL)
    return json_null();
  return json_pack("{s:s,s:i,s:i,s:i}", "__class__", "date", "year", tm.tm_year + 1900, "month",
                   tm.tm_mon + 1, "day", tm.tm_mday);
}

json_t *tryton_day(int64_t days)
{
  return date_of(days * TM_DAY);
}

json_t *tryton_date(const char *text)
{
  int64_t t;
  return text != NULL && tm_time_parse(text, &t) == 0 ? date_of(t) : json_null();
}

json_t *tryton_datetime(int64_t t)
{
  json_t *out = date_of(t);
  int64_t of_day = (t % TM_DAY + TM_DAY) % TM_DAY;
  json_t *rest = json_pack("{s:s,s:I,s:I,s:I,s:i}", "__class__", "datetime", "hour",
                           (json_int_t)(of_day / 3600), "minute", (json_int_t)(of_day / 60 % 60),
                           "second", (json_int_t)(of_day % 60), "microsecond", 0);
  json_object_update(out, rest);
  json_decref(rest);
  return out;
}

json_t *tryton_bytes(const void *data, size_t len)
{
  size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
  char *text = malloc(size);
  if (text == NULL)
    return NULL;
  sodium_bin2base64(text, size, data, len, sodium_base64_VARIANT_ORIGINAL);
  json_t *out = json_pack("{s:s,s:s}", "__class__", "bytes", "base64", text);
  free(text);
  return out;
}

/* The figures without the point, as many behind it as `digits`; false when it is no decimal. */
static bool scale(const char *text, int digits, int64_t *scaled)
{
  int64_t value = 0;
  int figures = 0, places = -1;
  bool up = false;
  for (; *text != '\0'; text++) {
    if (*text == '.' && places < 0 && figures > 0) {
      places = 0;
      continue;
    }
    if (!isdigit((unsigned char)*text) || ++figures > MAX_FIGURES)
      return false;
    if (places >= 0 && places >= digits) {
      up = places == digits ? *text >= '5' : up; /* only the first that is dropped counts */
      places++;
      continue;
    }
    value = value * 10 + (*text - '0');
    places += places >= 0;
  }
  if (figures == 0)
    return false;
  for (int have = places > 0 ? places : 0; have < digits; have++, figures++) {
    if (figures >= MAX_FIGURES)
      return false;
    value *= 10;
  }
  *scaled = value + up;
  return true;
}

json_t *tryton_decimal(const char *text, int digits)
{
  int64_t scaled = 0;
  char out[64];
  bool negative = text != NULL && text[0] == '-';
  if (text == NULL || digits < 0 || digits > 6 || !scale(text + negative, digits, &scaled))
    return json_null();
  int64_t unit = 1;
  for (int i = 0; i < digits; i++)
    unit *= 10;
  if (digits == 0)
    snprintf(out, sizeof(out), "%s%lld", negative ? "-" : "", (long long)scaled);
  else
    snprintf(out, sizeof(out), "%s%lld.%0*lld", negative ? "-" : "", (long long)(scaled / unit),
             digits, (long long)(scaled % unit));
  return json_pack("{s:s,s:s}", "__class__", "Decimal", "decimal", out);
}

/* --- reading -------------------------------------------------------------------------------- */

static bool is_class(const json_t *value, const char *name)
{
  const char *is = tm_json_get_string(value, "__class__");
  return is != NULL && strcmp(is, name) == 0;
}

double tryton_days(const json_t *value)
{
  double days = is_class(value, "timedelta") ? tm_json_get_number(value, "seconds") / 86400 : NAN;
  return fabs(days) <= MAX_DAYS ? days : NAN;
}

static int part(const json_t *value, const char *key)
{
  double v = tm_json_get_number(value, key);
  return v >= 0 && v <= 9999 ? (int)v : 0;
}

int64_t tryton_time_of(const json_t *value)
{
  char text[64];
  int64_t t = INT64_MIN;
  if (!is_class(value, "date") && !is_class(value, "datetime"))
    return t;
  snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", part(value, "year"),
           part(value, "month"), part(value, "day"), part(value, "hour"), part(value, "minute"),
           part(value, "second"));
  return tm_time_parse(text, &t) < 0 ? INT64_MIN : t;
}

int64_t tryton_day_of(const json_t *value)
{
  int64_t t = tryton_time_of(value);
  return t == INT64_MIN ? t : (t >= 0 ? t : t - (TM_DAY - 1)) / TM_DAY;
}

const char *tryton_text(const json_t *record, const char *key)
{
  return tm_json_get_string(record, key);
}

json_int_t tryton_id(const json_t *record, const char *key)
{
  const json_t *id = json_object_get(record, key);
  return json_is_integer(id) ? json_integer_value(id) : -1;
}
