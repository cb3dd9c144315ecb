/* SPDX-License-Identifier: MIT */
#include "common/clock.h"

#include "common/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_SECOND (-62162035200LL) /* 0000-03-01 */
#define LAST_SECOND  253402300799LL   /* 9999-12-31 */

enum { ZONE_PATH_MAX = 256, ZONE_FILE_MAX = 65536 };

int64_t tm_now(void)
{
  return (int64_t)time(NULL);
}

double tm_monotonic(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Two digits of v < 100. */
static inline char *put_two(char *p, unsigned v)
{
  return mempcpy(p, tm_digit_pairs + 2 * (size_t)v, 2);
}

/*
 * Year, month and day of the days since 1970-01-01, by counting in eras of 400 years that begin
 * with March. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
 * gmtime_r and strftime cost ten times as much, and a summary holds forty times.
 */
static char *put_civil(char *p, int64_t days)
{
  days += 719468; /* from 0000-03-01 */
  unsigned era_day = (unsigned)(days % 146097);
  unsigned era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
  unsigned year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
  unsigned march_month = (5 * year_day + 2) / 153;
  unsigned day = year_day - (153 * march_month + 2) / 5 + 1;
  unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
  unsigned year = era_year + (unsigned)(days / 146097) * 400 + (month <= 2);
  p = put_two(put_two(p, year / 100), year % 100);
  *p++ = '-';
  p = put_two(p, month);
  *p++ = '-';
  return put_two(p, day);
}

char *tm_time_format(char out[TM_TIME_SIZE], int64_t t)
{
  if (t < FIRST_SECOND)
    t = FIRST_SECOND;
  if (t > LAST_SECOND)
    t = LAST_SECOND;
  /* Counted from the year 0, so that nothing is negative. */
  uint64_t seconds = (uint64_t)(t - FIRST_SECOND);
  unsigned in_day = (unsigned)(seconds % TM_DAY);
  char *p = put_civil(out, (int64_t)(seconds / TM_DAY) + FIRST_SECOND / TM_DAY);
  *p++ = 'T';
  p = put_two(p, in_day / 3600);
  *p++ = ':';
  p = put_two(p, in_day / 60 % 60);
  *p++ = ':';
  p = put_two(p, in_day % 60);
  *p++ = 'Z';
  *p = '\0';
  return out;
}

/* Reads exactly n digits. */
static bool digits(const char **p, int n, int *value)
{
  *value = 0;
  for (; n > 0; n--, (*p)++) {
    if (**p < '0' || **p > '9')
      return false;
    *value = *value * 10 + (**p - '0');
  }
  return true;
}

static bool literal(const char **p, char c)
{
  if (**p != c)
    return false;
  (*p)++;
  return true;
}

static bool parse_zone(const char **p, int *offset_s)
{
  *offset_s = 0;
  if (**p == 'Z' || **p == 'z') {
    (*p)++;
    return true;
  }
  int sign = **p == '-' ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  if (**p != '+' && **p != '-')
    return false;
  (*p)++;
  if (!digits(p, 2, &hours) || !literal(p, ':') || !digits(p, 2, &minutes))
    return false;
  if (hours > 23 || minutes > 59)
    return false;
  *offset_s = sign * (hours * 3600 + minutes * 60);
  return true;
}

static bool parse_clock(const char **p, struct tm *tm, int *offset_s)
{
  if (**p != 'T' && **p != 't' && **p != ' ')
    return false;
  (*p)++;
  if (!digits(p, 2, &tm->tm_hour) || !literal(p, ':') || !digits(p, 2, &tm->tm_min) ||
      !literal(p, ':') || !digits(p, 2, &tm->tm_sec))
    return false;
  if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
    return false;
  if (literal(p, '.')) {
    const char *first = *p;
    while (**p >= '0' && **p <= '9')
      (*p)++;
    if (*p == first)
      return false;
  }
  return parse_zone(p, offset_s);
}

int tm_time_parse(const char *text, int64_t *t)
{
  if (text[0] == '@')
    return tm_parse_i64(text + 1, FIRST_SECOND, LAST_SECOND, t);
  const char *p = text;
  struct tm tm = {0};
  int year = 0;
  int month = 0;
  int offset_s = 0;
  if (!digits(&p, 4, &year) || !literal(&p, '-') || !digits(&p, 2, &month) || !literal(&p, '-') ||
      !digits(&p, 2, &tm.tm_mday))
    return -EINVAL;
  if (*p != '\0' && !parse_clock(&p, &tm, &offset_s))
    return -EINVAL;
  if (*p != '\0' || month < 1 || month > 12 || tm.tm_mday < 1)
    return -EINVAL;
  tm.tm_year = year - 1900;
  tm.tm_mon = month - 1;
  struct tm check = tm;
  check.tm_hour = check.tm_min = check.tm_sec = 0;
  timegm(&check); /* normalises: 30 February becomes 2 March */
  if (check.tm_mday != tm.tm_mday)
    return -EINVAL;
  *t = (int64_t)timegm(&tm) - offset_s;
  return 0;
}

/* False: no file is needed, or none can be so called. */
static bool zone_path(char path[ZONE_PATH_MAX], const char *name)
{
  int n = snprintf(path, ZONE_PATH_MAX, "/usr/share/zoneinfo/%s", name);
  return strcmp(name, "UTC") != 0 && n > 0 && n < ZONE_PATH_MAX && name[0] != '/' &&
         strstr(name, "..") == NULL;
}

bool tm_zone_is_known(const char *name)
{
  char path[ZONE_PATH_MAX];
  return strcmp(name, "UTC") == 0 || (zone_path(path, name) && access(path, R_OK) == 0);
}

/*
 * The zone's file as the C library reads it (RFC 8536). Bytes are looked at only where they are.
 */
struct zone_file {
  unsigned char bytes[ZONE_FILE_MAX];
  size_t len;
};

static int64_t zone_number(const unsigned char *p, unsigned size)
{
  uint64_t v = (p[0] & 0x80) != 0 ? UINT64_MAX : 0;
  for (unsigned i = 0; i < size; i++)
    v = v << 8 | p[i];
  return (int64_t)v;
}

/* The newest moment at which the file has an offset other than that of UTC; false: it has none, or
 * cannot be understood. */
static bool zone_witness(const struct zone_file *z, int64_t *t)
{
  enum { HEAD = 44, TYPE = 6 };
  size_t at = 0;
  for (unsigned size = 4;; size = 8) {
    const unsigned char *head = z->bytes + at;
    if (z->len - at < HEAD || memcmp(head, "TZif", 4) != 0)
      return false;
    uint64_t n[6] = {0}; /* UTC and standard flags, leap seconds, times, types, letters */
    for (size_t i = 0; i < 6; i++)
      n[i] = (uint64_t)zone_number(head + 20 + 4 * i, 4) & UINT32_MAX;
    uint64_t times = at + HEAD, kinds = times + n[3] * size, types = kinds + n[3];
    uint64_t end = types + n[4] * TYPE + n[5] + n[2] * (size + 4) + n[1] + n[0];
    if (end > z->len)
      return false;
    if (size == 4 && head[4] >= '2') {
      at = (size_t)end; /* the same again, with times of 64 bits */
      continue;
    }
    *t = 0;
    if (n[3] == 0)
      return n[4] > 0 && zone_number(z->bytes + types, 4) != 0;
    for (uint64_t i = n[3]; i-- > 0;) {
      unsigned kind = z->bytes[kinds + i];
      if (kind < n[4] && zone_number(z->bytes + types + (uint64_t)kind * TYPE, 4) != 0) {
        *t = zone_number(z->bytes + times + i * size, size);
        return true;
      }
    }
    return false;
  }
}

/* tzset() tells no failure: without memory, or a descriptor, local days would silently be those of
 * UTC. */
static bool zone_was_loaded(const char *path)
{
  struct zone_file z = {.len = 0};
  ssize_t n = 0;
  int64_t t;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  while (z.len < sizeof(z.bytes) && ((n = read(fd, z.bytes + z.len, sizeof(z.bytes) - z.len)) > 0 ||
                                     (n < 0 && errno == EINTR)))
    z.len += n > 0 ? (size_t)n : 0;
  close(fd);
  if (n < 0)
    return false;
  if (!zone_witness(&z, &t))
    return true;
  time_t s = (time_t)t;
  struct tm tm;
  return localtime_r(&s, &tm) != NULL && tm.tm_gmtoff != 0;
}

int tm_zone_use(const char *name, struct tm_error *err)
{
  char path[ZONE_PATH_MAX];
  if (name == NULL || name[0] == '\0') {
    tzset();
    return 0;
  }
  if (!tm_zone_is_known(name))
    return tm_fail(err, -EINVAL, "timezone '%s': no such zone on this system (package tzdata)",
                   name);
  if (setenv("TZ", strcmp(name, "UTC") == 0 ? "UTC0" : name, 1) < 0)
    return tm_fail(err, -errno, "timezone '%s': %s", name, strerror(errno));
  tzset();
  if (zone_path(path, name) && !zone_was_loaded(path))
    return tm_fail(err, -EIO, "timezone '%s': %s cannot be read, or memory runs out", name, path);
  return 0;
}

/* The first second of the local day that lies `days` days after that of t. */
static int64_t day_edge(int64_t t, int days)
{
  time_t s = (time_t)t;
  struct tm tm;
  localtime_r(&s, &tm);
  struct tm want = {
      .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday + days, .tm_isdst = -1};
  struct tm got = want;
  time_t edge = mktime(&got);
  if (got.tm_hour != 0) {
    /* No midnight on that day, or the later of two: step back to the day's first second. */
    time_t noon_back = edge - (time_t)got.tm_hour * 3600 - got.tm_min * 60 - got.tm_sec;
    struct tm probe;
    localtime_r(&noon_back, &probe);
    if (probe.tm_mday == got.tm_mday)
      edge = noon_back;
    else
      edge = noon_back + (time_t)(24 - probe.tm_hour) * 3600 - probe.tm_min * 60 - probe.tm_sec;
  }
  /* Where clocks go back over midnight the earlier of two midnights begins the day. */
  time_t before = edge - 3600;
  struct tm probe;
  localtime_r(&before, &probe);
  localtime_r(&edge, &got);
  if (probe.tm_mday == got.tm_mday)
    edge = before;
  return (int64_t)edge;
}

int64_t tm_day_start(int64_t t)
{
  return day_edge(t, 0);
}

int64_t tm_day_next(int64_t t)
{
  return day_edge(t, 1);
}

int64_t tm_date_days(int64_t t)
{
  time_t s = (time_t)t;
  struct tm tm;
  localtime_r(&s, &tm);
  /* The clock's reading taken for UTC: whole days of it are the local date. */
  int64_t local = t + tm.tm_gmtoff;
  return local >= 0 ? local / TM_DAY : (local - TM_DAY + 1) / TM_DAY;
}

char *tm_date_format_days(char out[TM_DATE_SIZE], int64_t days)
{
  const int64_t first = FIRST_SECOND / TM_DAY;
  const int64_t last = LAST_SECOND / TM_DAY;
  *put_civil(out, days < first ? first : days > last ? last : days) = '\0';
  return out;
}

char *tm_date_format_utc(char out[TM_DATE_SIZE], int64_t t)
{
  return tm_date_format_days(out, t >= 0 ? t / TM_DAY : (t - TM_DAY + 1) / TM_DAY);
}

char *tm_date_format(char out[TM_DATE_SIZE], int64_t t)
{
  return tm_date_format_days(out, tm_date_days(t));
}
