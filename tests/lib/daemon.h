/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_DAEMON_H
#define TM_TESTS_DAEMON_H

#include "plugins/part_name.h"

#include "collectd/core/daemon/plugin.h"
#include "collectd/core/utils/common/common.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* collectd, as a unit test of a plugin needs it: it keeps what was dispatched and logged. */

enum { MAX_SENT = 64, MAX_LOG = 32 };

struct sent {
  char file[6 * PART_INSTANCE];
  value_t values[2];
  size_t len;
  cdtime_t time;
  cdtime_t interval;
};

static struct sent sent[MAX_SENT];
static size_t sent_len;
static char logged[MAX_LOG][600];
static size_t logged_len;

static char host_name[] = "testhost";
char *hostname_g = host_name;

int plugin_dispatch_values(value_list_t const *vl)
{
  assert_true(sent_len < MAX_SENT && vl->values_len >= 1 && vl->values_len <= 2);
  struct sent *s = &sent[sent_len++];
  snprintf(s->file, sizeof(s->file), "%s%s%s-%s/%s%s%s", vl->host, vl->host[0] != '\0' ? "/" : "",
           vl->plugin, vl->plugin_instance, vl->type, vl->type_instance[0] != '\0' ? "-" : "",
           vl->type_instance);
  memcpy(s->values, vl->values, vl->values_len * sizeof(value_t));
  s->len = vl->values_len;
  s->time = vl->time;
  s->interval = vl->interval;
  return 0;
}

void daemon_log(int level, const char *format, ...)
{
  (void)level;
  va_list ap;
  va_start(ap, format);
  assert_true(logged_len < MAX_LOG);
  vsnprintf(logged[logged_len++], sizeof(logged[0]), format, ap);
  va_end(ap);
}

char *sstrncpy(char *dest, const char *src, size_t n)
{
  snprintf(dest, n, "%s", src);
  return dest;
}

static inline int forget(void **state)
{
  (void)state;
  sent_len = 0;
  logged_len = 0;
  return 0;
}

static inline const struct sent *find(const char *file)
{
  const struct sent *found = NULL;
  for (size_t i = 0; i < sent_len; i++) {
    if (strcmp(sent[i].file, file) == 0) {
      assert_null(found); /* never two values of one identifier from one reading */
      found = &sent[i];
    }
  }
  return found;
}

static inline void assert_gauge(const char *file, double wanted)
{
  const struct sent *s = find(file);
  if (s == NULL)
    fail_msg("%s was not dispatched", file);
  else if (isnan(wanted) ? !isnan(s->values[0].gauge) : fabs(s->values[0].gauge - wanted) > 0)
    fail_msg("%s: want %g, got %g", file, wanted, s->values[0].gauge);
}

#endif
