/* SPDX-License-Identifier: MIT */
#include "common/number.h"
#include "common/text.h"
#include "plugins/source/snmp_rows.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TWO_TO_32 4294967296.0

static double suffix_unit(const char *suffix)
{
  static const struct {
    const char *name;
    double bytes;
  } units[] = {
      {"B", 1},        {"bytes", 1},    {"KB", 1e3},     {"MB", 1e6},     {"GB", 1e9},
      {"TB", 1e12},    {"PB", 1e15},    {"K", 0x1p10},   {"M", 0x1p20},   {"G", 0x1p30},
      {"T", 0x1p40},   {"P", 0x1p50},   {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
      {"TiB", 0x1p40}, {"PiB", 0x1p50},
  };
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
    if (strcasecmp(suffix, units[i].name) == 0)
      return units[i].bytes;
  return NAN;
}

/* "12", "132.9", "0xAEA5", "5.46 TB", "1,234": a comma is passed over where it groups thousands. */
static double text_number(const char *text, double *unit)
{
  char digits[64];
  size_t n = 0;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    n = strspn(text + 2, "0123456789abcdefABCDEF");
    /* More than 16 figures do not fit 64 bits. */
    return n == 0 || n > 16 || text[2 + n] != '\0' ? NAN : (double)strtoull(text + 2, NULL, 16);
  }
  for (; strchr("0123456789.,-+", *text) != NULL && *text != '\0'; text++) {
    if (*text == ',' && strspn(text + 1, "0123456789") != 3)
      return NAN;
    if (*text == ',')
      continue;
    if (n + 1 == sizeof(digits))
      return NAN;
    digits[n++] = *text;
  }
  digits[n] = '\0';
  double value = NAN;
  if (tm_parse_double(digits, &value) < 0)
    return NAN;
  while (*text == ' ')
    text++;
  if (*text == '\0')
    return value;
  *unit = suffix_unit(text);
  return isnan(*unit) ? NAN : value;
}

/* Some agents put a text into quotes, which are no part of it. */
static size_t value_string(const struct snmp_value *v, char *out, size_t size)
{
  size_t len = tm_text_clean(out, size, v->bytes, v->len);
  if (len < 2 || out[0] != '"' || out[len - 1] != '"' || memchr(out + 1, '"', len - 2) != NULL)
    return len;
  size_t start = 1;
  len--;
  while (start < len && out[start] == ' ')
    start++;
  while (len > start && out[len - 1] == ' ')
    len--;
  memmove(out, out + start, len - start);
  out[len - start] = '\0';
  return len - start;
}

double snmp_value_number(const struct snmp_value *v, double *unit)
{
  double ignored = 1;
  char text[128];
  if (unit == NULL)
    unit = &ignored;
  *unit = 1;
  switch (v->type) {
  case SNMP_INTEGER:
    return (double)v->integer;
  case SNMP_UNSIGNED:
    return (double)v->number;
  case SNMP_REAL:
    return isfinite(v->real) ? v->real : NAN;
  case SNMP_STRING:
    value_string(v, text, sizeof(text));
    return text_number(text, unit);
  case SNMP_IDENTITY:
    break;
  }
  return NAN;
}

double snmp_value_size(const struct snmp_value *v, double *unit)
{
  double value = snmp_value_number(v, unit);
  if (!(value < 0))
    return value;
  /* Only an Integer32 can have wrapped: a negative text or float is nonsense for a size. */
  if (v->type != SNMP_INTEGER || value >= -9)
    return NAN;
  return value + TWO_TO_32;
}

double snmp_value_word(const struct snmp_value *v)
{
  if (v->type == SNMP_INTEGER)
    return (double)(uint32_t)v->integer;
  double value = snmp_value_number(v, NULL);
  return value >= 0 && value < TWO_TO_32 ? value : NAN;
}

size_t snmp_value_text(const struct snmp_value *v, char *out, size_t size)
{
  switch (v->type) {
  case SNMP_INTEGER:
    snprintf(out, size, "%" PRId64, v->integer);
    break;
  case SNMP_UNSIGNED:
    snprintf(out, size, "%" PRIu64, v->number);
    break;
  case SNMP_REAL:
    snprintf(out, size, "%.15g", v->real);
    break;
  default:
    return value_string(v, out, size);
  }
  return strlen(out);
}
