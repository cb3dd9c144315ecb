/* SPDX-License-Identifier: MIT */
/*
 * One check for a monitoring system, by the conventions of the Monitoring Plugins: a first line
 * with the state, a line for every device that is not fine, performance data; exit status 0 OK, 1
 * WARNING, 2 CRITICAL, 3 UNKNOWN. The middle of the fill date decides: the early edge would cry
 * wolf one time in ten.
 */
#include "analyzer/report/report.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (16U << 20)

enum state { OK, WARNING, CRITICAL, UNKNOWN };
static const char *const state_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

struct report {
  struct report_settings settings;
  size_t count[UNKNOWN + 1];
  size_t devices;
  char worst[320]; /* what the first line says of the most urgent device */
  int64_t worst_time;
  struct tm_buf details;
  struct tm_buf perfdata;
};

static struct report *nagios_begin(const struct report_settings *settings)
{
  struct report *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return NULL;
  r->settings = *settings;
  r->details = r->perfdata = (struct tm_buf)TM_BUF_INIT(TEXT_BYTES);
  r->worst_time = INT64_MAX;
  return r;
}

static void nagios_free(struct report *r)
{
  if (r == NULL)
    return;
  tm_buf_release(&r->details);
  tm_buf_release(&r->perfdata);
  free(r);
}

/* A name as it may stand in both texts: '|' begins performance data, quotes end a label. */
static void put_name(char *out, size_t size, const json_t *summary)
{
  const char *host = tm_json_get_string(json_object_get(summary, "customer"), "host");
  const char *device = tm_json_get_string(json_object_get(summary, "product"), "device");
  snprintf(out, size, "%s/%s", host != NULL ? host : "?", device != NULL ? device : "?");
  for (char *p = out; *p != '\0'; p++) {
    if (strchr("|'=\"\\", *p) != NULL)
      *p = '_';
  }
}

static int add_perfdata(struct report *r, const char *name, const json_t *status)
{
  double used = tm_json_get_number(status, "used_bytes");
  double capacity = tm_json_get_number(status, "capacity_bytes");
  if (isnan(used))
    return 0;
  int rc = tm_buf_printf(&r->perfdata, " '%s'=%.0fB;;;0;", name, used);
  return rc == 0 && !isnan(capacity) ? tm_buf_printf(&r->perfdata, "%.0f", capacity) : rc;
}

static enum state state_of(const struct report *r, int64_t now, int64_t full)
{
  if (full == INT64_MAX)
    return OK;
  if (full - now <= r->settings.critical_s)
    return CRITICAL;
  return full - now <= r->settings.warning_s ? WARNING : OK;
}

static int nagios_add(struct report *r, const char *line, size_t len, const json_t *summary)
{
  (void)line;
  (void)len;
  char name[256];
  char date[TM_DATE_SIZE];
  const json_t *forecast = json_object_get(summary, "forecast");
  int64_t now = 0;
  int64_t full = INT64_MAX;
  tm_json_get_time(summary, "generated_at", &now);
  tm_json_get_time(json_object_get(forecast, "fill"), "0.5", &full);
  put_name(name, sizeof(name), summary);
  enum state state = state_of(r, now, full);
  r->devices++;
  r->count[state]++;
  int rc = 0;
  if (state != OK) {
    bool is_full = full <= now;
    char what[320];
    snprintf(what, sizeof(what), "%s %s %s", name, is_full ? "is full since" : "fills up on",
             tm_date_format_utc(date, full));
    if (full < r->worst_time) {
      r->worst_time = full;
      memcpy(r->worst, what, sizeof(what));
    }
    rc = tm_buf_printf(&r->details, "%s: %s\n", state_names[state], what);
  }
  return rc < 0 ? rc : add_perfdata(r, name, json_object_get(summary, "status"));
}

/* A device that nobody could read may be the one that is full: then nothing is well. */
static int nagios_end(struct report *r, size_t unread)
{
  enum state state = r->count[CRITICAL] > 0  ? CRITICAL
                     : r->count[WARNING] > 0 ? WARNING
                     : unread > 0            ? UNKNOWN
                     : r->devices > 0        ? OK
                                             : UNKNOWN;
  FILE *f = r->settings.out;
  fprintf(f, "TIDEMARK %s - ", state_names[state]);
  if (r->devices == 0)
    fputs("no device was found", f);
  else if (state == OK || state == UNKNOWN)
    fprintf(f, "%zu device%s, none fills up soon", r->devices, r->devices == 1 ? "" : "s");
  else
    fprintf(f, "%s; %zu critical, %zu warning of %zu device%s", r->worst, r->count[CRITICAL],
            r->count[WARNING], r->devices, r->devices == 1 ? "" : "s");
  if (unread > 0)
    fprintf(f, "; %zu could not be read", unread);
  if (r->perfdata.len > 0)
    fprintf(f, " |%s", r->perfdata.ptr);
  fputc('\n', f);
  if (r->details.len > 0)
    fputs(r->details.ptr, f);
  return (int)state;
}

int report_nagios_unknown(const char *why)
{
  printf("TIDEMARK %s - ", state_names[UNKNOWN]);
  for (; *why != '\0'; why++) /* '|' begins performance data */
    putchar(*why == '|' ? '_' : *why);
  putchar('\n');
  return UNKNOWN;
}

const struct report_format report_nagios = {
    .name = "nagios",
    .begin = nagios_begin,
    .add = nagios_add,
    .end = nagios_end,
    .free = nagios_free,
};
