/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_LANE_H
#define TM_RRD_LANE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * A lane: one worker process gives histories to one job of the program, through a ring in shared
 * memory. Histories are published some at a time, so that neither side waits for the other at each
 * one; a worker that takes over from one that died goes on after what was published last.
 */
#define RRD_RING_SIZE  (640 * 1024)
#define RRD_LANE_CHUNK 16 /* devices that a lane takes at once */
#define RRD_LANE_SKIPS 64
#define RRD_FILE_NAME  256

struct rrd_lane {
  /* the ring: bytes ever published, and ever taken */
  _Atomic uint64_t written;
  _Atomic uint64_t taken;
  _Atomic uint32_t data_bell; /* futexes */
  _Atomic uint32_t room_bell;
  _Atomic uint32_t reader_waits;
  _Atomic uint32_t writer_waits;

  /* what the worker works on; its successor reads it */
  size_t cursor;            /* the next device whose history is not published */
  size_t working;           /* the device that is being read */
  _Atomic uint32_t in_hand; /* odd while a file is being read; counts up */
  size_t hand_device;
  char hand_file[RRD_FILE_NAME];

  /* what the keeper found out about dead workers */
  uint32_t n_skips;
  struct rrd_skip {
    size_t device;
    char file[RRD_FILE_NAME]; /* "": the whole device */
    char why[96];
  } skip[RRD_LANE_SKIPS];
};

/* Lanes take chunks of RRD_LANE_CHUNK devices by setting their owner, in one step, so that none is
 * lost when a worker dies; each takes ascending ones, so that only its last can be incomplete. */
struct rrd_shared {
  size_t n_devices;
  _Atomic size_t free_hint; /* chunks below this have an owner */
  _Atomic uint32_t cold;    /* a worker has waited for the disk */
  _Atomic size_t warm_next; /* the next chunk to be brought into the page cache */
  size_t owner_offset;      /* of the owners, from here: lane + 1, or 0 */
  size_t ring_offset;
  struct rrd_lane lane[];
};

/* Bytes of shared memory for so many lanes and devices. */
size_t rrd_shared_size(unsigned lanes, size_t devices);
/* Lays out memory that is all zeros. */
void rrd_shared_init(struct rrd_shared *s, unsigned lanes, size_t devices);
char *rrd_ring(struct rrd_shared *s, unsigned lane);

/* The first device of a chunk that is this lane's from now on; n_devices when none is left. */
size_t rrd_lane_claim(struct rrd_shared *s, unsigned lane);
/* The first device of the chunk that this lane took last; n_devices when it has none. */
size_t rrd_lane_last(struct rrd_shared *s, unsigned lane);

/*
 * One side waits at a bell until the other rings it. The one that waits reads the bell first, says
 * in `waits` that it does, and looks once more whether it has to: `seen` is what it read. limit
 * NULL: without an end. 0, or a negative errno (-EAGAIN: it was rung meanwhile, -EINTR,
 * -ETIMEDOUT).
 */
int rrd_bell_wait(_Atomic uint32_t *bell, uint32_t seen, const struct timespec *limit);
void rrd_bell_ring(_Atomic uint32_t *bell, _Atomic uint32_t *waits);

#endif
