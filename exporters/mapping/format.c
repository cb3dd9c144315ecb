/* SPDX-License-Identifier: MIT */
/* The ways in which other systems write what we have. */
#include "exporters/mapping/mapping.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/json_out.h"
#include "common/number.h"
#include "common/sign.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *const mapping_formats[] = {"date", "datetime", "epoch-ms", "number", "percent", "minor",
                                       "text", "colons",   "digest",   "html",   NULL};

enum { MAX_TEXT = 65536 };

static int misfit(const char *format, struct tm_error *err)
{
  return tm_fail(err, -EBADMSG, "cannot be written as %s", format);
}

/* A number, or a decimal text. NAN for others. */
static double number_of(const json_t *value)
{
  double number = NAN;
  if (json_is_number(value))
    return json_number_value(value);
  if (json_is_string(value) && tm_parse_double(json_string_value(value), &number) == 0)
    return number;
  return NAN;
}

static json_t *as_time(const char *format, const json_t *value)
{
  char text[TM_TIME_SIZE];
  int64_t t = 0;
  if (!json_is_string(value) || tm_time_parse(json_string_value(value), &t) < 0)
    return NULL;
  if (strcmp(format, "epoch-ms") == 0)
    return json_integer(t * 1000);
  tm_time_format(text, t);
  if (strcmp(format, "date") == 0)
    text[strcspn(text, "T")] = '\0';
  return json_string(text);
}

/* How many digits a currency has behind its point (ISO 4217); most have two. */
static int digits_of(const char *currency)
{
  static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
  static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
  if (strlen(currency) != 3)
    return 2;
  return strstr(none, currency) != NULL ? 0 : strstr(three, currency) != NULL ? 3 : 2;
}

/* {"amount","currency"} in the smallest unit of its currency. */
static json_t *as_minor(const json_t *price)
{
  const char *currency = tm_json_get_string(price, "currency");
  double amount = number_of(json_object_get(price, "amount"));
  if (currency == NULL || !isfinite(amount))
    return NULL;
  double minor = round(amount * pow(10, digits_of(currency)));
  return fabs(minor) < 9007199254740992.0 ? json_integer((json_int_t)minor) : NULL;
}

static json_t *as_text(const json_t *value)
{
  struct tm_buf text = TM_BUF_INIT(MAX_TEXT);
  json_t *out = NULL;
  if (json_is_string(value))
    return json_incref((json_t *)value);
  if (tm_json_append(&text, value) == 0)
    out = json_string(text.ptr);
  tm_buf_release(&text);
  return out;
}

/* The same text where it is shown as HTML. */
static json_t *as_html(const char *text)
{
  struct tm_buf b = TM_BUF_INIT(MAX_TEXT);
  int rc = 0;
  for (const char *p = text; rc == 0 && *p != '\0'; p++) {
    if (*p == '&')
      rc = tm_buf_puts(&b, "&amp;");
    else if (*p == '<')
      rc = tm_buf_puts(&b, "&lt;");
    else if (*p == '>')
      rc = tm_buf_puts(&b, "&gt;");
    else if (*p == '"')
      rc = tm_buf_puts(&b, "&quot;");
    else if (*p == '\n')
      rc = tm_buf_puts(&b, "<br>");
    else
      rc = tm_buf_add(&b, p, 1);
  }
  json_t *out = rc == 0 ? json_string(b.ptr != NULL ? b.ptr : "") : NULL;
  tm_buf_release(&b);
  return out;
}

/* A key without the character that parts the segments of a URL. */
static json_t *as_colons(const char *text)
{
  char out[1024];
  size_t n = strlen(text);
  if (n >= sizeof(out))
    return NULL;
  for (size_t i = 0; i <= n; i++)
    out[i] = text[i] == '/' ? ':' : text[i];
  return json_string(out);
}

int mapping_format(json_t **out, const char *format, const json_t *value, struct tm_error *err)
{
  json_t *made = NULL;
  double number = number_of(value);
  const char *text = json_string_value(value);
  if (strcmp(format, "number") == 0)
    made = isfinite(number) ? tm_json_number(number) : NULL;
  else if (strcmp(format, "percent") == 0)
    made = isfinite(number) ? tm_json_number(round(number * 1e4) / 1e2) : NULL;
  else if (strcmp(format, "minor") == 0)
    made = as_minor(value);
  else if (strcmp(format, "text") == 0)
    made = as_text(value);
  else if (strcmp(format, "html") == 0)
    made = text != NULL ? as_html(text) : NULL;
  else if (strcmp(format, "colons") == 0)
    made = text != NULL ? as_colons(text) : NULL;
  else if (strcmp(format, "digest") == 0 && text != NULL) {
    char hex[TM_SHA256_HEX];
    made = json_string(tm_sha256_hex(hex, text, strlen(text)));
  } else
    made = as_time(format, value);
  if (made == NULL)
    return misfit(format, err);
  *out = made;
  return 0;
}
