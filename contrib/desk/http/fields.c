/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/fields.h"

#include "common/clock.h"
#include "common/number.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const char *field_filled(const struct request *r, const char *name)
{
  const char *text = request_field(r, name);
  return text != NULL && text[strspn(text, " \t\r\n")] != '\0' ? text : NULL;
}

int field_must(const struct request *r, const char *name, size_t max, const char **out,
               const char **bad, struct tm_error *err)
{
  const char *text = field_filled(r, name);
  *bad = name;
  if (text == NULL)
    return tm_fail(err, -EINVAL, "say something here");
  if (strlen(text) > max)
    return tm_fail(err, -EINVAL, "at most %zu bytes", max);
  *bad = NULL;
  *out = text;
  return 0;
}

int field_may(const struct request *r, const char *name, size_t max, const char **out,
              const char **bad, struct tm_error *err)
{
  const char *text = request_field(r, name);
  *out = NULL;
  return text == NULL || text[0] == '\0' ? 0 : field_must(r, name, max, out, bad, err);
}

int field_day(const struct request *r, const char *name, int64_t *out, const char **bad,
              struct tm_error *err)
{
  const char *text = request_field(r, name);
  int64_t t;
  *out = INT64_MIN;
  if (text == NULL || text[0] == '\0')
    return 0;
  *bad = name;
  if (strlen(text) != strlen("2026-11-20") || tm_time_parse(text, &t) != 0)
    return tm_fail(err, -EINVAL, "a day is written as 2026-11-20");
  *bad = NULL;
  *out = t / TM_DAY;
  return 0;
}

int field_number(const struct request *r, const char *name, int64_t min, int64_t max, int64_t *out,
                 const char **bad, struct tm_error *err)
{
  const char *text = request_field(r, name);
  *out = 0;
  if (text == NULL || text[0] == '\0' || tm_parse_i64(text, min, max, out) == 0)
    return 0;
  *bad = name;
  return tm_fail(err, -EINVAL, "a whole number from %" PRId64 " to %" PRId64, min, max);
}

int part_number(const struct request *r, const char *name, int64_t *out, const char *missing,
                struct tm_error *err)
{
  if (tm_parse_i64(request_part(r, name), 1, INT64_MAX, out) == 0)
    return 0;
  return tm_fail(err, -ENOENT, "%s", missing);
}
