/* SPDX-License-Identifier: MIT */
#ifndef TM_SNMP_OWN_H
#define TM_SNMP_OWN_H

/* Between the loop (snmp.c) and its devices (snmp_device.c). Nobody else includes this. */

#include "plugins/source/lookup.h"
#include "plugins/source/snmp.h"
#include "plugins/source/snmp_session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNMP_FAILURES 3 /* in a row, until it is asked anew what the device is */

enum snmp_phase { SNMP_IDLE, SNMP_LOOKUP, SNMP_IDENTIFY, SNMP_PROBE, SNMP_FETCH };

struct snmp_device {
  char *host;
  char *community;
  struct snmp_target target;
  const struct profiles *profiles;
  struct snmp_known *known;
  bool named;            /* the host is a name, not an address */
  struct lookup *lookup; /* of the name; NULL: none under way */
  struct agent *session; /* NULL: not open */
  struct snmp_manners manners;
  const struct profile *profile; /* NULL: not recognised yet */
  double recognised_at;
  unsigned failures; /* in a row */

  /* the question that is under way */
  struct snmp_device *prev, *next; /* in the loop's list, the next to wake first */
  struct snmp_loop *loop;
  struct snmp_question *question;
  enum snmp_phase phase;
  struct snmp_fetch fetch;
  struct snmp_rows rows;
  bool waiting; /* a request is under way */
  unsigned attempt;
  double wake; /* when the request, or the whole, is over */
  double begun;
  double fetched_from; /* when its values were asked for, the uptime among the first of them */
};

struct snmp_loop {
  int epoll;
  struct snmp_device *devices; /* those under way */
  size_t under_way;
  struct snmp_question *finished; /* answered, but not yet told: the first to be told first */
  struct snmp_question **finished_end;
};

/* For messages. */
const char *snmp_name_of(const struct snmp_device *d);

/* Goes on with the question: after an answer, or at its beginning (SNMP_IDLE). */
void snmp_go_on(struct snmp_device *d);
/* Ends the question. err NULL: everything was fetched. */
void snmp_finish(struct snmp_device *d, const struct tm_error *err);
/* Ends it because the device's time is over. */
void snmp_give_up(struct snmp_device *d);

/* When the loop is to look at the device again, on tm_monotonic()'s clock; at the deadline in any
 * case. */
void snmp_wake_at(struct snmp_device *d, double at);
/* The device's question was answered: it leaves the loop, which tells of it when it has the time.
 */
void snmp_leave(struct snmp_device *d, struct snmp_question *q);

#endif
