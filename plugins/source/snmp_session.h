/* SPDX-License-Identifier: MIT */
#ifndef TM_SNMP_SESSION_H
#define TM_SNMP_SESSION_H

#include "common/error.h"
#include "plugins/source/snmp.h"
#include "plugins/source/snmp_fetch.h"

/*
 * One net-snmp session: the only file that knows the library. Requests go out, answers come in as
 * checked variables; whether to ask again, and when to stop, is the engine's business.
 */
struct agent;

/* What a session tells about a request. answer: variables were given to the fetch and it was
 * ended; otherwise the time was up. */
typedef void agent_told(void *owner, bool answer);

/*
 * The library sets itself up in its first call, without a lock. To be called before threads of any
 * plugin open sessions; harmless again.
 */
void agent_prepare(void);

/* address: that of the target's host, as text. Nothing is sent. NULL with err filled. */
struct agent *agent_open(const struct snmp_target *target, const char *address,
                         struct tm_error *err);
void agent_close(struct agent *s);
int agent_fd(const struct agent *s);
const char *agent_name(const struct agent *s);

/*
 * Sends a request for fetch; the one before is forgotten. told() is called with owner once it is
 * answered (from agent_receive) or timeout_s is over (from agent_expire). 0, or a negative errno
 * with err filled.
 */
int agent_send(struct agent *s, const struct snmp_request *request, struct snmp_fetch *fetch,
               agent_told *told, void *owner, struct tm_error *err);
/* Forgets the request: whatever still comes for it is dropped. */
void agent_forget(struct agent *s);
/* The descriptor is readable. */
void agent_receive(struct agent *s);
/* Lets requests whose time is over end. */
void agent_expire(struct agent *s);

#endif
