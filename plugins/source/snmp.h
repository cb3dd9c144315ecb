/* SPDX-License-Identifier: MIT */
#ifndef TM_SNMP_H
#define TM_SNMP_H

#include "common/error.h"
#include "plugins/credentials.h"
#include "plugins/profile.h"
#include "plugins/reading.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Asks many devices side by side in one thread: one event loop, one kept session a device, no
 * select(). SNMP v1 and v2c by net-snmp's single-session calls, without its global state: no MIB
 * and no configuration file is read, and another user of the library in the same process is not
 * touched. SNMPv3 needs that state, and so a process that has said snmp_allow_v3().
 */

/* For processes that are ours alone (tidemark-probe): sets the library up, without any file of it.
 * Before threads start. */
void snmp_allow_v3(void);
bool snmp_v3_is_allowed(void);
/* 0 when the library on this system has the user's digest and cipher; else -EINVAL, with where they
 * stand. In any process, and from any thread. */
int snmp_v3_check_user(const struct credential *user, struct tm_error *err);

struct snmp_target {
  const char *host; /* a name, or an address of either family */
  unsigned port;
  bool v1;
  const char *community;         /* v1 and v2c */
  const struct credential *user; /* v3; it must live as long as the device. NULL: v1 or v2c */
  double timeout_s;              /* until a request is sent again; 0: 1 s */
  unsigned attempts;             /* how often it is sent; 0: 3 */
};

/* One device. It belongs to one thread at a time; two of them for the same address are two. */
struct snmp_device;

/* What the device was found to be, and its restarts, of which all must think alike: their counters
 * are compared with each other's. Shared by those that are asked at the same address. */
struct snmp_known {
  _Atomic(const struct profile *) profile;
  pthread_mutex_t lock; /* of what follows */
  double started_at;    /* when the agent started, on tm_monotonic()'s clock; NAN: not told yet */
  uint64_t uptime;      /* as it was told last, in hundredths of a second */
  uint64_t epoch;       /* rises whenever it started anew */
};

void snmp_known_init(struct snmp_known *known);
void snmp_known_release(struct snmp_known *known);

/* Copies the target and borrows the profiles and what is known. Nothing is sent and no name is
 * resolved yet. NULL with err filled. */
struct snmp_device *snmp_device_new(const struct snmp_target *target,
                                    const struct profiles *profiles, struct snmp_known *known,
                                    struct tm_error *err);
void snmp_device_free(struct snmp_device *d);

struct snmp_question {
  struct snmp_device *device;
  double deadline;          /* on tm_monotonic()'s clock */
  bool counters;            /* reading.counters alone, as fast as can be */
  const char *const *items; /* NULL, or names that end with NULL: these alone */
  json_t *explain;          /* NULL, or an object that gets which SNMP object gave each value */
  void (*done)(struct snmp_question *q); /* may be NULL */
  void *user;

  /* The answer, which is the caller's to release. It is initialised by snmp_ask(). */
  struct reading *reading;
  double asked_at; /* CLOCK_REALTIME: the numbers are of a moment between these two */
  double answered_at;

  struct snmp_question *next; /* of those that are to be told: snmp_ask()'s own */
};

/* Asks all of them side by side and returns when the last is answered or past its deadline; done()
 * is called for each as soon as it is. A device may stand in one question only. */
void snmp_ask(struct snmp_question *questions, size_t len);

/* For sources of configuration: the source's table, for ask_new(). */
extern const struct ask_source source_snmp;

#endif
