/* SPDX-License-Identifier: MIT */
#include "plugins/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_START INT64_MIN
/* A step over the end of 32 bits that is larger than this is taken for a reset: 268 million
 * completions between two reads are more than any device does, and 1/16 of the range. */
#define PLAUSIBLE_STEP (UINT64_C(1) << 28)

void interval_init(struct interval *iv, int64_t t)
{
  *iv = (struct interval){.t = t, .start = NO_START};
}

void interval_release(struct interval *iv)
{
  free(iv->counters);
  interval_init(iv, iv->t);
}

double interval_bound(int64_t t)
{
  double bound = (double)t / 100;
  return bound < 1 ? bound : 1;
}

static bool wrapped(uint64_t older, uint64_t newer, unsigned bits, bool certain, uint64_t *step)
{
  if (bits == 32 && (older > UINT32_MAX || newer > UINT32_MAX))
    return false;
  uint64_t over = newer - older; /* modulo 2^64 */
  if (bits == 32)
    over &= UINT32_MAX;
  if (!certain && over > PLAUSIBLE_STEP)
    return false;
  *step = over;
  return true;
}

bool interval_step(const struct reading_counter *older, const struct reading_counter *newer,
                   uint64_t *step)
{
  if (older->epoch != newer->epoch)
    return false;
  if (newer->value >= older->value) {
    *step = newer->value - older->value;
    return true;
  }
  bool certain = newer->epoch != 0 && newer->bits == 32;
  if (newer->bits != 0)
    return wrapped(older->value, newer->value, newer->bits, certain, step);
  return wrapped(older->value, newer->value, 32, false, step) ||
         wrapped(older->value, newer->value, 64, false, step);
}

static const struct reading_counter *find(const struct interval_sample *s, const char *name,
                                          size_t hint)
{
  /* Devices list their disks in one order, so that the first look nearly always hits. */
  if (hint < s->len && strcmp(s->counters[hint].name, name) == 0)
    return &s->counters[hint];
  for (size_t i = 0; i < s->len; i++) {
    if (strcmp(s->counters[i].name, name) == 0)
      return &s->counters[i];
  }
  return NULL;
}

/* Adds what all counters did since the newest sample, or breaks the interval. */
static void advance(struct interval *iv, const struct interval_sample *s)
{
  if (s->len != iv->len || s->len == 0)
    iv->broken = true;
  for (size_t i = 0; !iv->broken && i < iv->len; i++) {
    const struct reading_counter *newer = find(s, iv->counters[i].name, i);
    uint64_t step = 0;
    if (newer == NULL || !interval_step(&iv->counters[i], newer, &step))
      iv->broken = true;
    iv->count += step;
  }
}

/* Takes the sample as the newest; a sample that cannot be kept breaks the interval. */
static void keep(struct interval *iv, const struct interval_sample *s)
{
  if (s->len != iv->len) {
    struct reading_counter *list = realloc(iv->counters, (s->len + 1) * sizeof(*list));
    if (list == NULL) {
      iv->broken = true;
      return;
    }
    iv->counters = list;
    iv->len = s->len;
  }
  if (s->len > 0)
    memcpy(iv->counters, s->counters, s->len * sizeof(*s->counters));
  iv->newest = s->answered_at;
}

void interval_add(struct interval *iv, const struct interval_sample *s)
{
  bool inside = iv->start != NO_START && s->asked_at >= iv->newest &&
                s->answered_at < (double)(iv->start + iv->t);
  if (!inside)
    return;
  advance(iv, s);
  keep(iv, s);
}

double interval_border(struct interval *iv, int64_t border, const struct interval_sample *s)
{
  double bound = interval_bound(iv->t);
  bool on_time = s != NULL && s->len > 0 && s->asked_at >= (double)border &&
                 s->answered_at <= (double)border + bound;
  double result = NAN;
  if (on_time && iv->start != NO_START && border == iv->start + iv->t) {
    advance(iv, s);
    /* A clock that was set in between shows as an interval of another length. */
    double length = s->steady_at - iv->start_steady;
    if (!iv->broken && fabs(length - (double)iv->t) <= bound)
      result = (double)iv->count;
  }
  iv->start = on_time ? border : NO_START;
  iv->count = 0;
  iv->broken = false;
  if (on_time) {
    iv->start_steady = s->steady_at;
    keep(iv, s);
  }
  return result;
}
