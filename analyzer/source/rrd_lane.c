/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_lane.h"

#include "analyzer/source/rrd.h"
#include "common/text.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define UNIT_SIZE    16
#define MAX_LEVELS   128
#define MAX_REFUSALS 100000
#define MAX_TEXT     1024
#define CACHE_LINE   64

enum record_kind { RECORD_WRAP = 1, RECORD_REFUSAL, RECORD_SERIES, RECORD_END };

struct record {
  uint32_t size; /* with this head, a multiple of 16 */
  uint32_t kind;
  uint64_t device;
};

struct refusal_record {
  struct record head;
  uint32_t k;
  uint32_t len;
  char text[];
};

/* Followed by used[n], capacity[n], the days, the levels. */
struct series_record {
  struct record head;
  uint32_t n;
  uint32_t n_days;
  uint32_t n_levels;
  uint32_t source;
  int64_t first; /* time of row 0; the others follow by step, but for the last one */
  int64_t step;
  int64_t last;
  int64_t observed_at;
  int64_t read_at;
  int64_t interval_s;
  double used_now;
  double capacity_now;
  char unit[UNIT_SIZE];
  char measure[UNIT_SIZE];
};

struct level_record {
  double now;
  uint32_t name_len; /* without NUL; the name follows, padded to 8 */
  uint32_t followed; /* n values follow */
};

static const char *const units[] = {"bytes", "slots", "transfers", "pages", "load", "percent"};

static size_t aligned(size_t n)
{
  return (n + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static size_t chunks(size_t devices)
{
  return (devices + RRD_LANE_CHUNK - 1) / RRD_LANE_CHUNK;
}

size_t rrd_shared_size(unsigned lanes, size_t devices)
{
  return aligned(sizeof(struct rrd_shared) + lanes * sizeof(struct rrd_lane)) +
         aligned(chunks(devices) * sizeof(uint16_t)) + (size_t)lanes * RRD_RING_SIZE;
}

void rrd_shared_init(struct rrd_shared *s, unsigned lanes, size_t devices)
{
  s->n_devices = devices;
  s->owner_offset = aligned(sizeof(struct rrd_shared) + lanes * sizeof(struct rrd_lane));
  s->ring_offset = s->owner_offset + aligned(chunks(devices) * sizeof(uint16_t));
}

char *rrd_ring(struct rrd_shared *s, unsigned lane)
{
  return (char *)s + s->ring_offset + (size_t)lane * RRD_RING_SIZE;
}

static _Atomic uint16_t *owners(struct rrd_shared *s)
{
  return (_Atomic uint16_t *)(void *)((char *)s + s->owner_offset);
}

size_t rrd_lane_claim(struct rrd_shared *s, unsigned lane)
{
  size_t n = chunks(s->n_devices);
  for (size_t i = atomic_load(&s->free_hint); i < n; i++) {
    uint16_t nobody = 0;
    if (!atomic_compare_exchange_strong(&owners(s)[i], &nobody, (uint16_t)(lane + 1)))
      continue;
    atomic_store(&s->free_hint, i); /* only a hint: it may go back, and then costs a few looks */
    return i * RRD_LANE_CHUNK;
  }
  return s->n_devices;
}

size_t rrd_lane_last(struct rrd_shared *s, unsigned lane)
{
  for (size_t i = chunks(s->n_devices); i-- > 0;)
    if (atomic_load(&owners(s)[i]) == lane + 1)
      return i * RRD_LANE_CHUNK;
  return s->n_devices;
}

static int wait_bell(_Atomic uint32_t *bell, uint32_t seen, const struct timespec *limit)
{
  return syscall(SYS_futex, bell, FUTEX_WAIT, seen, limit, NULL, 0) < 0 ? -errno : 0;
}

static void ring_bell(_Atomic uint32_t *bell, _Atomic uint32_t *waits)
{
  atomic_fetch_add(bell, 1);
  if (atomic_exchange(waits, 0) != 0)
    syscall(SYS_futex, bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* --- the worker's side ----------------------------------------------------------------------- */

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
  ring_bell(&s->lane->data_bell, &s->lane->reader_waits);
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
    wait_bell(&lane->room_bell, seen, NULL);
  }
  atomic_store(&lane->writer_waits, 0);
}

/* A record of this size in one piece. Nothing that is sent is larger than half of the ring. */
static struct record *reserve(struct rrd_sender *s, size_t size, enum record_kind kind,
                              size_t device)
{
  size = (size + 15) / 16 * 16;
  size_t at = s->at % RRD_RING_SIZE;
  size_t rest = RRD_RING_SIZE - at;
  if (rest < size) {
    wait_for_room(s, s->at + rest + size);
    *(struct record *)(void *)(s->ring + at) =
        (struct record){.size = (uint32_t)rest, .kind = RECORD_WRAP};
    s->at += rest;
    at = 0;
  }
  wait_for_room(s, s->at + size);
  struct record *r = (struct record *)(void *)(s->ring + at);
  *r = (struct record){.size = (uint32_t)size, .kind = kind, .device = device};
  s->at += size;
  return r;
}

void rrd_send_refusal(struct rrd_sender *s, size_t device, uint32_t k, const char *text)
{
  size_t n = strnlen(text, MAX_TEXT);
  struct refusal_record *r = (struct refusal_record *)(void *)reserve(
      s, sizeof(struct refusal_record) + n, RECORD_REFUSAL, device);
  r->k = k;
  r->len = (uint32_t)n;
  memcpy(r->text, text, n);
}

static size_t padded(size_t n)
{
  return (n + 7) / 8 * 8;
}

static char *put(char *to, const void *from, size_t n)
{
  if (n > 0) /* a device of which nothing was read has no arrays */
    memcpy(to, from, n);
  return to + n;
}

static void put_unit(char out[UNIT_SIZE], const char *unit)
{
  memset(out, 0, UNIT_SIZE);
  if (unit != NULL)
    memcpy(out, unit, strnlen(unit, UNIT_SIZE - 1));
}

static char *put_levels(char *to, const struct series *x)
{
  for (size_t i = 0; i < x->n_levels; i++) {
    const struct series_level *level = &x->levels[i];
    size_t len = strlen(level->name);
    struct level_record l = {level->now, (uint32_t)len, level->values != NULL};
    to = put(to, &l, sizeof(l));
    memcpy(to, level->name, len);
    to += padded(len);
    if (level->values != NULL)
      to = put(to, level->values, x->n * sizeof(double));
  }
  return to;
}

void rrd_send_series(struct rrd_sender *s, size_t device, const struct series *x)
{
  size_t size = sizeof(struct series_record) + 2 * x->n * sizeof(double) +
                x->maxima.n * sizeof(struct maxima_day);
  for (size_t i = 0; i < x->n_levels; i++)
    size += sizeof(struct level_record) + padded(strlen(x->levels[i].name)) +
            (x->levels[i].values != NULL ? x->n * sizeof(double) : 0);
  struct series_record *r = (struct series_record *)(void *)reserve(s, size, RECORD_SERIES, device);
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
  reserve(s, sizeof(struct record), RECORD_END, 0);
  rrd_send_publish(s);
}

/* --- the job's side -------------------------------------------------------------------------- */

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
    ring_bell(&lane->room_bell, &lane->writer_waits);
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
    bool over = wait_bell(&lane->data_bell, seen, &limit) == -ETIMEDOUT && r->ended(r->ctx);
    r->known = atomic_load(&lane->written);
    if (over && r->known == r->at)
      return -EIO;
  }
  atomic_store(&lane->reader_waits, 0);
  return 0;
}

/* The next record, its head copied out and checked; NULL: nonsense. */
static char *next_record(struct rrd_receiver *r, struct record *head)
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

static int take_refusal(struct rrd_receiver *r, const char *p, const struct record *head)
{
  struct refusal_record c;
  if (head->size < sizeof(c))
    return -EBADMSG;
  memcpy(&c, p, sizeof(c));
  if (c.len > head->size - sizeof(c) || c.len > MAX_TEXT || head->device >= r->n_devices)
    return -EBADMSG;
  if (r->refused_device != head->device)
    forget_refusals(r);
  r->refused_device = head->device;
  /* What a successor says again has been heard. */
  if (c.k < r->n_refused || r->n_refused == MAX_REFUSALS)
    return 0;
  if (r->n_refused == r->refused_cap) {
    size_t cap = r->refused_cap * 2 + 16;
    struct series_refusal *list = reallocarray(r->refused, cap, sizeof(*list));
    if (list == NULL)
      return -ENOMEM;
    r->refused = list;
    r->refused_cap = cap;
  }
  char text[MAX_TEXT + 1];
  tm_text_clean(text, sizeof(text), p + sizeof(c), c.len);
  struct series_refusal *slot = &r->refused[r->n_refused];
  slot->text = strdup(text);
  if (slot->text == NULL)
    return -ENOMEM;
  r->n_refused++;
  return 0;
}

static const char *known_unit(const char text[UNIT_SIZE])
{
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
    if (strncmp(units[i], text, UNIT_SIZE) == 0)
      return units[i];
  return NULL;
}

/* Times of the rows. Most devices of a site have the same ones. */
static void make_times(struct rrd_receiver *r, const struct series_record *c)
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
    struct level_record l;
    if ((size_t)(end - p) < sizeof(l))
      return -EBADMSG;
    memcpy(&l, p, sizeof(l));
    p += sizeof(l);
    size_t values = l.followed != 0 ? n * sizeof(double) : 0;
    if (l.name_len >= RRD_FILE_NAME || (size_t)(end - p) < padded(l.name_len) + values)
      return -EBADMSG;
    tm_text_clean(r->name[i], sizeof(r->name[i]), p, l.name_len);
    p += padded(l.name_len);
    const double *followed = l.followed != 0 ? (const double *)(const void *)p : NULL;
    r->level[i] = (struct series_level){r->name[i], l.now, followed};
    p += values;
  }
  return 0;
}

static int take_series(struct rrd_receiver *r, char *p, const struct record *head, struct series *s)
{
  struct series_record c;
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
    struct record head;
    char *p = next_record(r, &head);
    if (p == NULL)
      return -EBADMSG;
    if (head.kind == RECORD_END) {
      r->done = true;
      return 0;
    }
    if (head.kind == RECORD_REFUSAL && head.device >= r->next)
      rc = take_refusal(r, p, &head);
    else if (head.kind == RECORD_SERIES && head.device >= r->next)
      rc = take_series(r, p, &head, s);
    else if (head.kind != RECORD_WRAP && head.device >= r->next)
      rc = -EBADMSG;
    if (rc < 0)
      return rc;
    if (head.kind == RECORD_SERIES && r->next == head.device + 1 && r->clear)
      return 1;
    give_room(r);
  }
}
