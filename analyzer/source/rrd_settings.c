/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_settings.h"

#include "analyzer/source/rrd_file.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/number.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOUR_S      3600
#define EXACT_DAYS  30 /* days that a report shows */
#define MAX_CONF    (1 << 20)
#define ROWS_ADVICE "RRARows 17664, RRATimespan 3600, RRATimespan 5299200, RRATimespan 63590400"

int64_t rrd_settings_interval(const struct rrd_file *f)
{
  struct rrd_data_source source;
  rrd_file_source(f, 0, &source);
  int64_t half = source.heartbeat / 2 < 7 * TM_DAY ? (int64_t)(source.heartbeat / 2) : 0;
  return half > f->step && half % f->step == 0 ? half : f->step;
}

struct speaker {
  rrd_finding_fn *say;
  void *ctx;
  char where[512]; /* "FILE" or "FILE:LINE" */
};

static void say(const struct speaker *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const struct speaker *s, const char *fmt, ...)
{
  struct tm_error text; /* for its masking of control bytes */
  char what[384];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(what, sizeof(what), fmt, ap);
  va_end(ap);
  tm_fail(&text, -EINVAL, "%s: %s", s->where, what);
  s->say(s->ctx, text.text);
}

/* --- files ----------------------------------------------------------------------------------- */

/* How far back, in days, maxima are exact for every zone of whole hours. */
static int64_t exact_days(const struct rrd_file *f, int64_t *worst_span)
{
  int64_t days = 0;
  *worst_span = 0;
  for (size_t i = 0; i < f->shape.n_archives; i++) {
    const struct rrd_archive *a = &f->archive[i];
    if (a->cf != RRD_CF_MAX)
      continue;
    int64_t reach = (int64_t)a->rows * a->span / TM_DAY;
    if (a->span <= HOUR_S && HOUR_S % a->span == 0)
      days = reach > days ? reach : days;
    else if (*worst_span == 0)
      *worst_span = a->span;
  }
  return days;
}

void rrd_settings_check(const struct rrd_file *f, int64_t interval_s, rrd_finding_fn *fn, void *ctx)
{
  struct speaker s = {.say = fn, .ctx = ctx};
  struct rrd_data_source source;
  int64_t t = interval_s > 0 ? interval_s : rrd_settings_interval(f);
  int64_t span;
  snprintf(s.where, sizeof(s.where), "%s%s%s", f->folder, f->folder[0] != '\0' ? "/" : "", f->name);
  rrd_file_source(f, 0, &source);
  if (f->shape.n_ds != 1 || strcmp(source.type, "GAUGE") != 0)
    say(&s, "is no gauge of one value, as a count has to be; use plugins/types.db and remove it");
  if (t % f->step != 0)
    say(&s,
        "a step of %lld s does not divide the unit interval of %lld s; in <Plugin rrdtool> remove "
        "StepSize or write 'StepSize %lld', and remove the file",
        (long long)f->step, (long long)t, (long long)t);
  if (source.heartbeat < 2 * (uint64_t)t)
    say(&s,
        "a heartbeat of %llu s makes late counts unknown; in <Plugin rrdtool> write 'HeartBeat "
        "%lld', and for this file: rrdtool tune FILE --heartbeat %s:%lld",
        (unsigned long long)source.heartbeat, 2 * (long long)t, source.name, 2 * (long long)t);
  if (rrd_file_archive(f, RRD_CF_MAX, 0) < 0)
    say(&s, "has no archive of maxima; in <Plugin rrdtool> RRDs need MAX among their functions");
  else if (exact_days(f, &span) < EXACT_DAYS)
    say(&s,
        "maxima are exact for %lld days only, for rows of %lld s do not divide an hour; in <Plugin "
        "rrdtool> write " ROWS_ADVICE " (new files only)",
        (long long)exact_days(f, &span), (long long)span);
}

/* --- collectd's configuration ---------------------------------------------------------------- */

/* "Key Value" or "<Plugin rrdtool>": the first two words of a line, quotes taken off. */
static void split(char *line, char **key, char **value)
{
  static const char blanks[] = " \t\r<>\"";
  *key = line + strspn(line, blanks);
  char *end = *key + strcspn(*key, blanks);
  *value = end + strspn(end, blanks);
  if (**key == '#' || **value == '#')
    **value = '\0';
  (*value)[strcspn(*value, blanks)] = '\0';
  *end = '\0';
  if (**key == '#')
    **key = '\0';
}

static void check_key(const struct speaker *s, const char *key, const char *value, int64_t t)
{
  int64_t n = 0;
  double seconds = 0;
  if (tm_parse_double(value, &seconds) < 0 || seconds < 0 || seconds > 1e9)
    return; /* collectd will complain of it */
  n = (int64_t)seconds;
  if (strcasecmp(key, "StepSize") == 0 && n > 0 && t % n != 0)
    say(s, "StepSize %s does not divide the unit interval of %lld s; write 'StepSize %lld'", value,
        (long long)t, (long long)t);
  if (strcasecmp(key, "HeartBeat") == 0 && n > 0 && n < 2 * t)
    say(s, "HeartBeat %s makes late counts unknown; write 'HeartBeat %lld'", value,
        2 * (long long)t);
  if (strcasecmp(key, "CacheTimeout") == 0 && n > 0)
    say(s,
        "CacheTimeout %s: counts of as many seconds are lost with a kill or a power cut; "
        "'CacheTimeout "
        "0' loses none",
        value);
}

int rrd_settings_conf(const char *path, int64_t interval_s, rrd_finding_fn *fn, void *ctx,
                      struct tm_error *err)
{
  struct speaker s = {.say = fn, .ctx = ctx};
  struct tm_buf b = TM_BUF_INIT(MAX_CONF);
  bool inside = false;
  int line_number = 0;
  int rc = tm_file_read(path, &b, err);
  char *rest = rc < 0 ? NULL : b.ptr;
  char *line;
  while ((line = strsep(&rest, "\n")) != NULL) {
    char *key;
    char *value;
    line_number++;
    split(line, &key, &value);
    snprintf(s.where, sizeof(s.where), "%s:%d", path, line_number);
    if (strcasecmp(key, "Plugin") == 0)
      inside = strcasecmp(value, "rrdtool") == 0;
    else if (strcasecmp(key, "/Plugin") == 0)
      inside = false;
    else if (inside)
      check_key(&s, key, value, interval_s);
  }
  tm_buf_release(&b);
  return rc;
}
