/* SPDX-License-Identifier: MIT */
/* covers: common/number.c common/text.c common/address.c common/clock.c analyzer/version_order.c
 * plugins/part_name.c plugins/source/snmp_values.c */
/* The small readers that many others stand on: numbers, times, texts, addresses in texts, versions,
 * names of parts. The first byte says which values an SNMP agent's answer has. */
#include "analyzer/version_order.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/number.h"
#include "common/text.h"
#include "plugins/part_name.h"
#include "plugins/reading.h"
#include "plugins/source/snmp_rows.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void numbers(const char *text)
{
  uint64_t u;
  int64_t i;
  double d;
  char out[64];
  if (tm_parse_u64(text, 3, 1000000, &u) == 0)
    assert(u >= 3 && u <= 1000000);
  if (tm_parse_i64(text, -5, INT64_MAX, &i) == 0)
    assert(i >= -5);
  if (tm_parse_double(text, &d) == 0)
    assert(isfinite(d));
  if (tm_parse_duration(text, &i) == 0)
    assert(i >= 0 && i <= (int64_t)3660 * TM_DAY);
  if (tm_parse_bytes(text, &u) == 0)
    tm_format_bytes(out, sizeof(out), (double)u);
  tm_format_count(out, sizeof(out), strtod(text, NULL));
  tm_percent(strtod(text, NULL), 100);
}

/* A time that was read is written, and read again, as the same one. */
static void times(const char *text)
{
  char out[TM_TIME_SIZE], date[TM_DATE_SIZE];
  int64_t t, again;
  if (tm_time_parse(text, &t) < 0)
    return;
  tm_time_format(out, t);
  if (t > -62135596800 && t < 253402300800)
    assert(tm_time_parse(out, &again) == 0 && again == t);
  if (t < -62135596800 || t > 253402300799)
    return;
  int64_t start = tm_day_start(t), next = tm_day_next(t);
  assert(start <= t && next > t);
  tm_date_format(date, t);
  tm_date_format_utc(date, t);
  assert(tm_time_parse(date, &again) == 0);
  tm_date_format_days(date, tm_date_days(t));
}

static void texts(const char *text, size_t len)
{
  static const char *const names[] = {"capacity", "customer", "serial", NULL};
  char clean[80], hidden[80];
  size_t n = tm_text_clean(clean, sizeof(clean), text, len);
  assert(n == strlen(clean) && n < sizeof(clean) && tm_text_is_utf8(clean));
  assert(!tm_text_has_control(clean) && tm_text_characters(clean) <= n);
  assert(!tm_address_is_loopback(clean, n) || n >= 5);
  tm_text_nearest(clean, names);
  assert(tm_text_columns(clean) <= 2 * n);
  tm_address_hide(hidden, sizeof(hidden), text);
  assert(strlen(hidden) < sizeof(hidden));
}

/* A zone's name from a configuration; whichever it is, days have an end. */
static void zone(const char *name)
{
  struct tm_error err = {0};
  int rc = tm_zone_use(name, &err);
  assert(rc == 0 || err.text[0] != '\0');
  int64_t start = tm_day_start(1795133100), next = tm_day_next(1795133100);
  assert(start <= 1795133100 && next > 1795133100 && next - start <= 25 * 3600);
  assert(tm_zone_use("UTC", &err) == 0);
}

/* Two halves of a line. */
static void versions(char *text)
{
  char *second = strchr(text, '\n');
  if (second == NULL)
    return;
  *second++ = '\0';
  if (version_known(text) && version_known(second)) {
    int order = version_order(text, second);
    assert((order < 0) == (version_order(second, text) > 0) && version_order(text, text) == 0);
  }
  second[-1] = '\n';
}

/* A line each: NAME or NAME=ID, as long as a reading has them. Different parts have different names
 * of files. */
static void parts(char *text)
{
  struct part_name part[12] = {0};
  json_t *shared = NULL;
  size_t n = 0;
  char *copy = strdup(text), *save = NULL;
  for (char *line = strtok_r(copy, "\n", &save); line != NULL && n < 12;
       line = strtok_r(NULL, "\n", &save)) {
    char *id = strchr(line, '=');
    if (id != NULL)
      *id++ = '\0';
    if (strlen(line) >= READING_NAME || (id != NULL && strlen(id) >= READING_ID))
      continue;
    part[n].name = line;
    part[n++].id = id != NULL ? id : "";
  }
  for (size_t i = 0; i < n; i++)
    snprintf(part[i].place, sizeof(part[i].place), "%zu", i);
  for (int again = 0; again < 2; again++)
    if (part_names_make(part, n, "capacity", "_used", &shared) == 0)
      for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
          assert(strcmp(part[i].instance, part[k].instance) != 0 ||
                 (strcmp(part[i].name, part[k].name) == 0 && strcmp(part[i].id, part[k].id) == 0));
  json_decref(shared);
  free(copy);
}

static void snmp(const char *text, size_t len, uint8_t how)
{
  struct snmp_value v = {.type = (enum snmp_type)(how % 5), .bytes = text, .len = len};
  char out[64];
  double unit;
  if (v.type == SNMP_INTEGER || v.type == SNMP_UNSIGNED)
    memcpy(&v.number, text, len < sizeof(v.number) ? len : sizeof(v.number));
  if (v.type == SNMP_INTEGER)
    v.integer = (int32_t)v.integer;
  if (v.type == SNMP_REAL)
    memcpy(&v.real, text, len < sizeof(v.real) ? len : sizeof(v.real));
  double number = snmp_value_number(&v, &unit), bytes = snmp_value_size(&v, &unit);
  assert(isnan(number) || isfinite(number));
  assert(!(bytes < 0) || bytes > -10); /* -1, -2, -3 have a meaning */
  double word = snmp_value_word(&v);
  assert(isnan(word) || (word >= 0 && word < 4294967296.0));
  assert(snmp_value_text(&v, out, sizeof(out)) == strlen(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1 || size > 4000)
    return 0;
  char *text = strndup((const char *)data + 1, size - 1);
  if (text == NULL)
    return 0;
  numbers(text);
  times(text);
  if (size < 40)
    zone(text);
  assert(tm_now() > 1700000000 && tm_monotonic() > 0);
  texts(text, strlen(text));
  versions(text);
  parts(text);
  snmp((const char *)data + 1, size - 1, data[0]);
  free(text);
  return 0;
}
