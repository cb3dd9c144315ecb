/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_send.h"

#include "analyzer/source/rrd_record.h"

#include <string.h>

void rrd_send_begin(struct rrd_sender *s, struct rrd_lane *lane, char *ring)
{
  *s = (struct rrd_sender){.lane = lane, .ring = ring};
  s->at = atomic_load(&lane->written);
  s->complete = lane->cursor;
}

void rrd_send_publish(struct rrd_sender *s)
{
  atomic_store(&s->lane->written, s->at);
  /* A worker that dies just here makes its successor send the last devices again: the receiver
   * knows them by their numbers. */
  s->lane->cursor = s->complete;
  rrd_bell_ring(&s->lane->data_bell, &s->lane->reader_waits);
}

static void wait_for_room(struct rrd_sender *s, uint64_t end)
{
  struct rrd_lane *lane = s->lane;
  if (end - atomic_load(&lane->taken) <= RRD_RING_SIZE)
    return;
  rrd_send_publish(s);
  for (;;) {
    uint32_t seen = atomic_load(&lane->room_bell);
    atomic_store(&lane->writer_waits, 1);
    if (end - atomic_load(&lane->taken) <= RRD_RING_SIZE)
      break;
    rrd_bell_wait(&lane->room_bell, seen, NULL);
  }
  atomic_store(&lane->writer_waits, 0);
}

/* A record of this size in one piece. Nothing that is sent is larger than half of the ring. */
static struct rrd_record *reserve(struct rrd_sender *s, size_t size, enum rrd_record_kind kind,
                                  size_t device)
{
  size = (size + 15) / 16 * 16;
  size_t at = s->at % RRD_RING_SIZE;
  size_t rest = RRD_RING_SIZE - at;
  if (rest < size) {
    wait_for_room(s, s->at + rest + size);
    *(struct rrd_record *)(void *)(s->ring + at) =
        (struct rrd_record){.size = (uint32_t)rest, .kind = RRD_RECORD_WRAP};
    s->at += rest;
    at = 0;
  }
  wait_for_room(s, s->at + size);
  struct rrd_record *r = (struct rrd_record *)(void *)(s->ring + at);
  *r = (struct rrd_record){.size = (uint32_t)size, .kind = kind, .device = device};
  s->at += size;
  return r;
}

void rrd_send_refusal(struct rrd_sender *s, size_t device, uint32_t k, const char *text)
{
  size_t n = strnlen(text, RRD_RECORD_TEXT);
  struct rrd_refusal_record *r = (struct rrd_refusal_record *)(void *)reserve(
      s, sizeof(struct rrd_refusal_record) + n, RRD_RECORD_REFUSAL, device);
  r->k = k;
  r->len = (uint32_t)n;
  memcpy(r->text, text, n);
}

static char *put(char *to, const void *from, size_t n)
{
  if (n > 0) /* a device of which nothing was read has no arrays */
    memcpy(to, from, n);
  return to + n;
}

static void put_unit(char out[RRD_RECORD_UNIT], const char *unit)
{
  memset(out, 0, RRD_RECORD_UNIT);
  if (unit != NULL)
    memcpy(out, unit, strnlen(unit, RRD_RECORD_UNIT - 1));
}

static void put_levels(char *to, const struct series *x)
{
  for (size_t i = 0; i < x->n_levels; i++) {
    const struct series_level *level = &x->levels[i];
    size_t len = strlen(level->name);
    struct rrd_level_record l = {level->now, (uint32_t)len, level->values != NULL};
    to = put(to, &l, sizeof(l));
    memcpy(to, level->name, len);
    to += rrd_record_padded(len);
    if (level->values != NULL)
      to = put(to, level->values, x->n * sizeof(double));
  }
}

void rrd_send_series(struct rrd_sender *s, size_t device, const struct series *x)
{
  size_t size = sizeof(struct rrd_series_record) + 2 * x->n * sizeof(double) +
                x->maxima.n * sizeof(struct maxima_day);
  for (size_t i = 0; i < x->n_levels; i++)
    size += sizeof(struct rrd_level_record) + rrd_record_padded(strlen(x->levels[i].name)) +
            (x->levels[i].values != NULL ? x->n * sizeof(double) : 0);
  struct rrd_series_record *r =
      (struct rrd_series_record *)(void *)reserve(s, size, RRD_RECORD_SERIES, device);
  r->n = (uint32_t)x->n;
  r->n_days = (uint32_t)x->maxima.n;
  r->n_levels = (uint32_t)x->n_levels;
  r->source = x->maxima.source;
  r->first = x->n > 0 ? x->time[0] : 0;
  r->step = x->step_s;
  r->last = x->n > 0 ? x->time[x->n - 1] : 0;
  r->observed_at = x->observed_at;
  r->read_at = x->read_at;
  r->interval_s = x->maxima.interval_s;
  r->used_now = x->used_now;
  r->capacity_now = x->capacity_now;
  put_unit(r->unit, x->unit);
  put_unit(r->measure, x->maxima.unit);
  char *to = (char *)(r + 1);
  to = put(to, x->used, x->n * sizeof(double));
  to = put(to, x->capacity, x->n * sizeof(double));
  to = put(to, x->maxima.day, x->maxima.n * sizeof(struct maxima_day));
  put_levels(to, x);
  s->complete = device + 1;
  if (s->at - atomic_load(&s->lane->written) > RRD_RING_SIZE / 4)
    rrd_send_publish(s);
}

void rrd_send_end(struct rrd_sender *s)
{
  reserve(s, sizeof(struct rrd_record), RRD_RECORD_END, 0);
  rrd_send_publish(s);
}
