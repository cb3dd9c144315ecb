/* SPDX-License-Identifier: MIT */
#ifndef TM_MEMBER_H
#define TM_MEMBER_H

#include "plugins/ask.h"
#include "plugins/dispatch.h"
#include "plugins/interval.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One configured device within collectd, and what becomes of its answers: values, unit interval
 * counts, inventory, and one line in the log for each change of state.
 */
struct member {
  char *name;
  char *host; /* NULL: collectd's own */
  struct ask_device *device;
  json_t *asked; /* how it is asked, for its inventory file */
  enum reading_kind kind;
  double interval_s;
  int64_t unit_s;
  const char *state_dir; /* the configuration's */
  struct member *next;

  /* the read thread's */
  struct dispatch values;
  uint64_t inventory_mark;
  bool inventory_failed;
  bool down;
  double down_since;
  int fault; /* code of what a device that answers could not tell, 0: nothing */

  /* both threads', under the lock */
  pthread_mutex_t lock;
  struct interval counter;
  bool counts; /* it has told a counter at least once */
  bool answers;

  /* the border thread's */
  int64_t border;          /* the one that is being asked about */
  int64_t last_border;     /* dispatched */
  unsigned failed_borders; /* in a row */
  bool counts_lost;        /* said in the log */
};

/* NULL when out of memory. The device is the member's from then on. */
struct member *member_new(const char *name, const char *host, struct ask_device *device);
void member_free(struct member *m);

/* An answer to ASK_EVERYTHING. Writes nothing to a disk: others are being asked meanwhile. */
void member_take_reading(struct member *m, const struct ask_job *job);
/* What the same answer says of the device itself, to its inventory file. */
void member_keep_inventory(struct member *m, const struct ask_job *job);
/* An answer to ASK_COUNTERS that was asked at m->border. */
void member_take_border(struct member *m, const struct ask_job *job);

#endif
