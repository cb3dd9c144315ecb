/* SPDX-License-Identifier: MIT */
#ifndef TM_HELPER_H
#define TM_HELPER_H

#include "plugins/ask.h"

/*
 * Libraries that must not run within collectd (libcurl, libcups, the part of net-snmp with global
 * state) run in a process of its own: `tidemark-probe --serve` at the other end of a socket pair,
 * one JSON request a line, one JSON reply a line. This is collectd's side of it: sources of the
 * same names and settings, which hand every question over. serve.h is the other side.
 *
 * The helper is started by the first question, one for all sources of a plugin, and ends when the
 * plugin or collectd ends, however that happens: its socket is then closed. When it dies or hangs,
 * its questions fail, it is ended and started again, after 1 s, 2 s, ... 60 s.
 *
 * Setting "Helper": the program; TM_BINDIR/tidemark-probe where it is not set.
 */
extern const struct ask_source helper_redfish;
extern const struct ask_source helper_ipp;
/* Source "snmp3": SNMPv3, by the user of the credentials. */
extern const struct ask_source helper_snmp3;

/* --- the process, for these sources and for tests ------------------------------------------- */

struct helper;

struct helper_question {
  json_t *request; /* the caller's; "id" and "more" are added */
  json_t *reply;   /* NULL: none came. The caller's, a new reference */
  void *user;
  /* private */
  uint64_t id;
  bool told;
  bool finished;
  struct helper_question *next;
};

/* Starts nothing yet. NULL when out of memory. */
struct helper *helper_new(const char *program);
/* Ends the process, if need be by force after 3 s. */
void helper_free(struct helper *h);
/*
 * Asks all of them and calls answered() for each reply as it comes, in this thread. Returns when
 * all have come, or 1.5 s after the deadline (of tm_monotonic(): the helper keeps to it by itself),
 * or when the helper ended. 0, or the reason why questions are left without a reply.
 */
int helper_ask(struct helper *h, struct helper_question *questions, size_t len, double deadline,
               void (*answered)(struct helper_question *q), struct tm_error *err);
/* The helper's process id, 0 while there is none. */
int helper_pid(struct helper *h);

#endif
