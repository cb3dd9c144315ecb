/* SPDX-License-Identifier: MIT */
#include "common/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char tm_digit_pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233"
    "34353637383940414243444546474849505152535455565758596061626364656667"
    "68697071727374757677787980818283848586878889909192939495969798"
    "99";

#define TEN_YEARS (3653LL * 86400)

int tm_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
  /* strtoull takes "-1", "+1" and " 1". */
  if (!isdigit((unsigned char)text[0]))
    return -EINVAL;
  char *end = NULL;
  errno = 0;
  unsigned long long v = strtoull(text, &end, 10);
  if (*end != '\0')
    return -EINVAL;
  if (errno == ERANGE || v < min || v > max)
    return -ERANGE;
  *value = v;
  return 0;
}

int tm_parse_i64(const char *text, int64_t min, int64_t max, int64_t *value)
{
  if (!isdigit((unsigned char)text[text[0] == '-'])) /* a sign, then a digit */
    return -EINVAL;
  char *end = NULL;
  errno = 0;
  long long v = strtoll(text, &end, 10);
  if (*end != '\0')
    return -EINVAL;
  if (errno == ERANGE || v < min || v > max)
    return -ERANGE;
  *value = v;
  return 0;
}

int tm_parse_double(const char *text, double *value)
{
  /* Only characters of a decimal number: strtod also takes "nan", "inf", "0x1p3" and blanks. */
  if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
    return -EINVAL;
  char *end = NULL;
  errno = 0;
  double v = strtod(text, &end);
  if (end == text || *end != '\0')
    return -EINVAL;
  if (!isfinite(v))
    return -ERANGE;
  *value = v;
  return 0;
}

struct unit {
  const char *name;
  uint64_t factor;
};

/* digits, then one of the units (the first one is the default when there is none) */
static int parse_with_unit(const char *text, const struct unit *units, uint64_t *value)
{
  size_t n = strspn(text, "0123456789");
  char number[24];
  if (n == 0)
    return -EINVAL;
  if (n >= sizeof(number))
    return -ERANGE;
  memcpy(number, text, n);
  number[n] = '\0';
  uint64_t v = 0;
  int rc = tm_parse_u64(number, 0, UINT64_MAX, &v);
  if (rc < 0)
    return rc;
  for (; units->name != NULL; units++) {
    if (text[n] != '\0' && strcmp(text + n, units->name) != 0)
      continue;
    return __builtin_mul_overflow(v, units->factor, value) ? -ERANGE : 0;
  }
  return -EINVAL;
}

int tm_parse_duration(const char *text, int64_t *seconds)
{
  static const struct unit units[] = {{"s", 1},     {"m", 60},        {"min", 60}, {"h", 3600},
                                      {"d", 86400}, {"w", 7 * 86400}, {NULL, 0}};
  uint64_t v = 0;
  int rc = parse_with_unit(text, units, &v);
  if (rc == 0 && v > TEN_YEARS)
    rc = -ERANGE;
  if (rc == 0)
    *seconds = (int64_t)v;
  return rc;
}

int tm_parse_bytes(const char *text, uint64_t *bytes)
{
  static const struct unit units[] = {{"", 1},           {"B", 1},
                                      {"K", 1ULL << 10}, {"KiB", 1ULL << 10},
                                      {"M", 1ULL << 20}, {"MiB", 1ULL << 20},
                                      {"G", 1ULL << 30}, {"GiB", 1ULL << 30},
                                      {"T", 1ULL << 40}, {"TiB", 1ULL << 40},
                                      {"P", 1ULL << 50}, {"PiB", 1ULL << 50},
                                      {NULL, 0}};
  return parse_with_unit(text, units, bytes);
}

/* Three significant figures of v < 1024. */
static int figures(double v)
{
  if (v >= 99.95)
    return 0;
  return v >= 9.995 ? 1 : 2;
}

double tm_percent(double part, double whole)
{
  /* 29 of 100 are 28.999999999999996 %. */
  return whole > 0 ? floor(100 * part / whole * (1 + 1e-12)) : NAN;
}

char *tm_format_bytes(char *out, size_t size, double bytes)
{
  static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (!isfinite(bytes)) {
    snprintf(out, size, "unknown");
    return out;
  }
  double v = fabs(bytes);
  size_t i = 0;
  while (v >= 999.5 && i + 1 < sizeof(names) / sizeof(names[0])) {
    v /= 1024;
    i++;
  }
  snprintf(out, size, "%s%.*f %s", bytes < 0 ? "-" : "", i == 0 ? 0 : figures(v), v, names[i]);
  return out;
}

char *tm_format_count(char *out, size_t size, double count)
{
  static const char *const names[] = {"", " k", " M", " G", " T"};
  if (!isfinite(count)) {
    snprintf(out, size, "unknown");
    return out;
  }
  double v = fabs(count);
  size_t i = 0;
  while (v >= 999.5 && i + 1 < sizeof(names) / sizeof(names[0])) {
    v /= 1000;
    i++;
  }
  int places = i == 0 && v == floor(v) ? 0 : figures(v);
  snprintf(out, size, "%s%.*f%s", count < 0 ? "-" : "", places, v, names[i]);
  return out;
}

char *tm_format_grouped(char *out, size_t size, const char *decimal)
{
  size_t sign = *decimal == '-', whole = sign + strspn(decimal + sign, "0123456789"), n = 0;
  for (size_t i = 0; decimal[i] != '\0'; i++) {
    bool comma = i > sign && i < whole && (whole - i) % 3 == 0;
    if (n + comma + 1 >= size)
      break;
    if (comma)
      out[n++] = ',';
    out[n++] = decimal[i];
  }
  out[n] = '\0';
  return out;
}
