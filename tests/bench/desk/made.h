/* SPDX-License-Identifier: MIT */
#ifndef TM_BENCH_DESK_MADE_H
#define TM_BENCH_DESK_MADE_H

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Events as tidemark-export sends them, made from event.template: what it sent of the
 * demonstration's array after a week. What differs from event to event stands there between '@'s.
 *
 * A site has devices, each of which tells its weeks one after another, MADE_WEEKS of them until
 * now: each event has a week of days that are new, and a day that was told before. Then come the
 * next devices.
 */
enum { MADE_WEEKS = 104, MADE_PARTS = 256 };

struct made {
  char *text;
  const char *part[MADE_PARTS]; /* text and names by turns */
  size_t len[MADE_PARTS], parts;
};

static inline void made_load(struct made *m, const char *path)
{
  struct tm_buf text = TM_BUF_INIT(1 << 20);
  struct tm_error err = {0};
  if (tm_file_read(path, &text, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    exit(1);
  }
  while (text.len > 0 && text.ptr[text.len - 1] == '\n')
    text.ptr[--text.len] = '\0';
  m->text = tm_buf_take(&text);
  for (const char *p = m->text; m->parts < MADE_PARTS;) {
    size_t n = strcspn(p, "@");
    m->part[m->parts] = p;
    m->len[m->parts++] = n;
    if (p[n] == '\0')
      return;
    p += n + 1;
  }
  fprintf(stderr, "%s: too many names\n", path);
  exit(1);
}

/* The n-th event of a site. */
struct made_event {
  const char *customer, *site;
  unsigned number; /* of the site */
  uint64_t n;
  unsigned devices; /* that tell by turns */
  int64_t today;    /* days since 1970 */
};

static inline void made_put(struct tm_buf *out, const struct made_event *e, const char *key,
                            const char *name, size_t len)
{
  uint64_t week = e->n / e->devices % MADE_WEEKS;
  uint64_t device = e->n % e->devices + e->n / e->devices / MADE_WEEKS * e->devices;
  int64_t date = e->today - 7 * (int64_t)(MADE_WEEKS - 1 - week) - (name[len - 1] - '0');
  /* Something that looks like chance, and is the same for the same day of a device. */
  uint64_t mix = ((uint64_t)date * 2654435761u) ^ (device * 40503u + e->number * 2246822519u);
  mix ^= mix >> 15;
  char text[128];
  if (strncmp(name, "key", len) == 0)
    snprintf(text, sizeof(text), "%s", key);
  else if (strncmp(name, "customer", len) == 0)
    snprintf(text, sizeof(text), "%s", e->customer);
  else if (strncmp(name, "site", len) == 0)
    snprintf(text, sizeof(text), "%s", e->site);
  else if (strncmp(name, "device", len) == 0)
    snprintf(text, sizeof(text), "array-%llu", (unsigned long long)device);
  else if (strncmp(name, "day", 3) == 0)
    tm_date_format_days(text, date);
  else if (strncmp(name, "used", 4) == 0)
    snprintf(text, sizeof(text), "%lld",
             (long long)(date - e->today) * 133973287332 + 121402553394231 +
                 (int)(mix % 100000000));
  else if (strncmp(name, "max", 3) == 0)
    snprintf(text, sizeof(text), "%llu", (unsigned long long)(1500000 + mix % 1000000));
  else if (strncmp(name, "mean", 4) == 0)
    snprintf(text, sizeof(text), "%llu.%04llu", (unsigned long long)(250000 + mix % 600000),
             (unsigned long long)(mix % 9999 + 1));
  else
    snprintf(text, sizeof(text), "%llu", (unsigned long long)(500000 + mix % 900000));
  tm_buf_add(out, text, strlen(text));
}

/* Appends it; key becomes its id. */
static inline void made_add(const struct made *m, struct tm_buf *out, const struct made_event *e,
                            char key[TM_SHA256_HEX])
{
  char name[64];
  int n = snprintf(name, sizeof(name), "%u %llu", e->number, (unsigned long long)e->n);
  tm_sha256_hex(key, name, (size_t)n);
  for (size_t i = 0; i < m->parts; i++) {
    if (i % 2 == 0)
      tm_buf_add(out, m->part[i], m->len[i]);
    else
      made_put(out, e, key, m->part[i], m->len[i]);
  }
}

#endif
