/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_lane.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CACHE_LINE 64

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

int rrd_bell_wait(_Atomic uint32_t *bell, uint32_t seen, const struct timespec *limit)
{
  return syscall(SYS_futex, bell, FUTEX_WAIT, seen, limit, NULL, 0) < 0 ? -errno : 0;
}

void rrd_bell_ring(_Atomic uint32_t *bell, _Atomic uint32_t *waits)
{
  atomic_fetch_add(bell, 1);
  if (atomic_exchange(waits, 0) != 0)
    syscall(SYS_futex, bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
