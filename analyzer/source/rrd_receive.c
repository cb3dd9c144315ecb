/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_receive.h"

#include "analyzer/source/rrd.h"
#include "analyzer/source/rrd_record.h"
#include "common/room.h"
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_LEVELS   128
#define MAX_REFUSALS 100000

struct rrd_receiver {
  struct rrd_lane *lane;
  char *ring;
  size_t n_devices;
  bool (*ended)(void *ctx);
  void *ctx;
  uint64_t at;    /* bytes that were looked at */
  uint64_t known; /* bytes that were seen to be published */
  size_t next;    /* devices below this were given already */
  int64_t time_first, time_step;
  size_t time_n; /* how many of the rows below follow by time_step */
  int64_t time[SERIES_MAX_ROWS + 1];
  struct series_level level[MAX_LEVELS];
  char name[MAX_LEVELS][RRD_FILE_NAME];
  struct series_refusal *refused;
  size_t n_refused, refused_cap;
  size_t refused_device;
  bool clear; /* the refusals have been given */
  bool done;  /* the end was seen */
};

struct rrd_receiver *rrd_receiver_new(struct rrd_lane *lane, char *ring, size_t n_devices,
                                      bool (*ended)(void *ctx), void *ctx)
{
  struct rrd_receiver *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return NULL;
  r->lane = lane;
  r->ring = ring;
  r->n_devices = n_devices;
  r->ended = ended;
  r->ctx = ctx;
  return r;
}

bool rrd_receiver_done(const struct rrd_receiver *r)
{
  return r->done;
}

static void forget_refusals(struct rrd_receiver *r)
{
  for (size_t i = 0; i < r->n_refused; i++)
    free((char *)r->refused[i].text);
  r->n_refused = 0;
  r->clear = false;
}

void rrd_receiver_free(struct rrd_receiver *r)
{
  if (r == NULL)
    return;
  forget_refusals(r);
  free(r->refused);
  free(r);
}

/* Gives back the room of what was looked at. */
static void give_room(struct rrd_receiver *r)
{
  struct rrd_lane *lane = r->lane;
  atomic_store(&lane->taken, r->at);
  if (atomic_load(&lane->writer_waits) != 0 &&
      (r->at == r->known || atomic_load(&lane->written) - r->at < RRD_RING_SIZE / 2))
    rrd_bell_ring(&lane->room_bell, &lane->writer_waits);
}

/* Waits until there is something beyond `at`. 0 or -EIO. */
static int wait_for_data(struct rrd_receiver *r)
{
  struct rrd_lane *lane = r->lane;
  static const struct timespec limit = {.tv_sec = 1};
  while (r->known == r->at) {
    uint32_t seen = atomic_load(&lane->data_bell);
    atomic_store(&lane->reader_waits, 1);
    r->known = atomic_load(&lane->written);
    if (r->known != r->at)
      break;
    bool over = rrd_bell_wait(&lane->data_bell, seen, &limit) == -ETIMEDOUT && r->ended(r->ctx);
    r->known = atomic_load(&lane->written);
    if (over && r->known == r->at)
      return -EIO;
  }
  atomic_store(&lane->reader_waits, 0);
  return 0;
}

/* The next record, its head copied out and checked; NULL: nonsense. */
static char *next_record(struct rrd_receiver *r, struct rrd_record *head)
{
  size_t at = r->at % RRD_RING_SIZE;
  uint64_t there = r->known - r->at;
  if (there < sizeof(*head) || there > RRD_RING_SIZE || at % 16 != 0)
    return NULL;
  memcpy(head, r->ring + at, sizeof(*head));
  if (head->size < sizeof(*head) || head->size % 16 != 0 || head->size > there ||
      head->size > RRD_RING_SIZE - at)
    return NULL;
  r->at += head->size;
  return r->ring + at;
}

static int take_refusal(struct rrd_receiver *r, const char *p, const struct rrd_record *head)
{
  struct rrd_refusal_record c;
  if (head->size < sizeof(c))
    return -EBADMSG;
  memcpy(&c, p, sizeof(c));
  if (c.len > head->size - sizeof(c) || c.len > RRD_RECORD_TEXT || head->device >= r->n_devices)
    return -EBADMSG;
  if (r->refused_device != head->device)
    forget_refusals(r);
  r->refused_device = head->device;
  /* What a successor says again has been heard. */
  if (c.k < r->n_refused || r->n_refused == MAX_REFUSALS)
    return 0;
  if (TM_ROOM(r->refused, r->refused_cap, r->n_refused) < 0)
    return -ENOMEM;
  char text[RRD_RECORD_TEXT + 1];
  tm_text_clean(text, sizeof(text), p + sizeof(c), c.len);
  struct series_refusal *slot = &r->refused[r->n_refused];
  slot->text = strdup(text);
  if (slot->text == NULL)
    return -ENOMEM;
  r->n_refused++;
  return 0;
}

static const char *const units[] = {"bytes", "slots", "transfers", "pages", "load", "percent"};

static const char *known_unit(const char text[RRD_RECORD_UNIT])
{
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
    if (strncmp(units[i], text, RRD_RECORD_UNIT) == 0)
      return units[i];
  return NULL;
}

/* Times of the rows. Most devices of a site have the same ones. */
static void make_times(struct rrd_receiver *r, const struct rrd_series_record *c)
{
  if (c->first != r->time_first || c->step != r->time_step)
    r->time_n = 0;
  r->time_first = c->first;
  r->time_step = c->step;
  for (size_t i = r->time_n; i < c->n; i++)
    r->time[i] = (int64_t)((uint64_t)c->first + i * (uint64_t)c->step);
  if (r->time_n < c->n)
    r->time_n = c->n;
  if (c->n > 0 && r->time[c->n - 1] != c->last) {
    r->time[c->n - 1] = c->last;
    r->time_n = c->n - 1;
  }
}

static int take_levels(struct rrd_receiver *r, const char *p, const char *end, uint32_t n_levels,
                       size_t n)
{
  for (uint32_t i = 0; i < n_levels; i++) {
    struct rrd_level_record l;
    if ((size_t)(end - p) < sizeof(l))
      return -EBADMSG;
    memcpy(&l, p, sizeof(l));
    p += sizeof(l);
    size_t values = l.followed != 0 ? n * sizeof(double) : 0;
    if (l.name_len >= RRD_FILE_NAME || (size_t)(end - p) < rrd_record_padded(l.name_len) + values)
      return -EBADMSG;
    tm_text_clean(r->name[i], sizeof(r->name[i]), p, l.name_len);
    p += rrd_record_padded(l.name_len);
    const double *followed = l.followed != 0 ? (const double *)(const void *)p : NULL;
    r->level[i] = (struct series_level){r->name[i], l.now, followed};
    p += values;
  }
  return 0;
}

static int take_series(struct rrd_receiver *r, char *p, const struct rrd_record *head,
                       struct series *s)
{
  struct rrd_series_record c;
  if (head->size < sizeof(c) || head->device >= r->n_devices)
    return -EBADMSG;
  memcpy(&c, p, sizeof(c));
  size_t rows = (size_t)c.n * sizeof(double);
  size_t days = (size_t)c.n_days * sizeof(struct maxima_day);
  if (c.n > SERIES_MAX_ROWS + 1 || c.n_days > RRD_MAX_DAYS || c.n_levels > MAX_LEVELS ||
      c.source > MAXIMA_RATE || sizeof(c) + 2 * rows + days > head->size)
    return -EBADMSG;
  char *at = p + sizeof(c);
  make_times(r, &c);
  *s = (struct series){.index = head->device,
                       .unit = known_unit(c.unit),
                       .n = c.n,
                       .step_s = c.step,
                       .time = r->time,
                       .used = (const double *)(const void *)at,
                       .capacity = (const double *)(const void *)(at + rows),
                       .observed_at = c.observed_at,
                       .read_at = c.read_at,
                       .used_now = c.used_now,
                       .capacity_now = c.capacity_now};
  s->maxima = (struct maxima){.source = (enum maxima_source)c.source,
                              .unit = known_unit(c.measure),
                              .interval_s = c.interval_s,
                              .n = c.n_days,
                              .day = (struct maxima_day *)(void *)(at + 2 * rows)};
  s->levels = r->level;
  s->n_levels = c.n_levels;
  if (r->refused_device == head->device) {
    s->refused = r->refused;
    s->n_refused = r->n_refused;
  }
  r->clear = true;
  r->next = head->device + 1;
  return take_levels(r, at + 2 * rows + days, p + head->size, c.n_levels, c.n);
}

int rrd_receive(struct rrd_receiver *r, struct series *s)
{
  if (r->done)
    return 0;
  give_room(r);
  if (r->clear)
    forget_refusals(r);
  for (;;) {
    int rc = wait_for_data(r);
    if (rc < 0)
      return rc;
    struct rrd_record head;
    char *p = next_record(r, &head);
    if (p == NULL)
      return -EBADMSG;
    if (head.kind == RRD_RECORD_END) {
      r->done = true;
      return 0;
    }
    if (head.kind == RRD_RECORD_REFUSAL && head.device >= r->next)
      rc = take_refusal(r, p, &head);
    else if (head.kind == RRD_RECORD_SERIES && head.device >= r->next)
      rc = take_series(r, p, &head, s);
    else if (head.kind != RRD_RECORD_WRAP && head.device >= r->next)
      rc = -EBADMSG;
    if (rc < 0)
      return rc;
    if (head.kind == RRD_RECORD_SERIES && r->next == head.device + 1 && r->clear)
      return 1;
    give_room(r);
  }
}
