/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_LANE_H
#define TM_RRD_LANE_H

#include "analyzer/series.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A lane: one worker process gives histories to one job of the program, through a ring in shared
 * memory. Histories are published some at a time, so that neither side waits for the other at each
 * one; a worker that takes over from one that died goes on after what was published last.
 *
 * The receiving side trusts nothing in the ring: sizes are copied, then checked, texts are cut and
 * cleaned, and pointers are never taken from it.
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

/* --- the worker's side ----------------------------------------------------------------------- */

struct rrd_sender {
  struct rrd_lane *lane;
  char *ring;
  uint64_t at;     /* bytes written so far, published or not */
  size_t complete; /* devices below this are written */
};

void rrd_send_begin(struct rrd_sender *s, struct rrd_lane *lane, char *ring);
/* A refusal of the device that is being read: the k-th, from 0. */
void rrd_send_refusal(struct rrd_sender *s, size_t device, uint32_t k, const char *text);
/* The device is complete. */
void rrd_send_series(struct rrd_sender *s, size_t device, const struct series *series);
/* No more devices. */
void rrd_send_end(struct rrd_sender *s);
/* Makes visible what was written. */
void rrd_send_publish(struct rrd_sender *s);

/* --- the job's side -------------------------------------------------------------------------- */

struct rrd_receiver;

/* One job, one receiver. NULL when memory is out. ended() is asked now and then while nothing
 * comes. */
struct rrd_receiver *rrd_receiver_new(struct rrd_lane *lane, char *ring, size_t n_devices,
                                      bool (*ended)(void *ctx), void *ctx);
void rrd_receiver_free(struct rrd_receiver *r);
/* The next history: 1, 0 at the end, -EIO when the workers ended before it, -EBADMSG when the ring
 * holds nonsense, -ENOMEM. The series has index, numbers, units and refusals; valid until the next
 * call. */
int rrd_receive(struct rrd_receiver *r, struct series *s);
/* True when the end was received. */
bool rrd_receiver_done(const struct rrd_receiver *r);

#endif
