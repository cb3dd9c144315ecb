/* SPDX-License-Identifier: MIT */
#ifndef TM_SNMP_FETCH_H
#define TM_SNMP_FETCH_H

#include "common/error.h"
#include "plugins/profile.h"
#include "plugins/source/snmp_rows.h"

/*
 * What to ask an agent next, and what its answer means: the one walker of tables, apart from
 * net-snmp and sockets. It never trusts an answer: a column ends where an identifier does not
 * increase or leaves the column, after 10,000 rows, and where an answer is empty; every answer
 * either brings the work forward or ends a part of it, so that it always comes to an end.
 */

#define SNMP_REQUEST_MAX 24 /* objects named in one request */
#define SNMP_COLUMN_ROWS 10000

/* What an agent bears; kept for a device from one reading to the next. */
struct snmp_manners {
  bool v1;              /* no GETBULK, one wrong name fails the whole request */
  unsigned repetitions; /* of GETBULK */
  unsigned columns;     /* walked side by side */
  unsigned gets;        /* objects in one GET */
};

void snmp_manners_init(struct snmp_manners *m, bool v1);

enum snmp_ask { SNMP_ASK_GET, SNMP_ASK_NEXT, SNMP_ASK_BULK };

struct snmp_request {
  enum snmp_ask ask;
  unsigned repetitions;
  size_t len;
  struct {
    const uint32_t *id; /* valid until the answer is taken */
    size_t id_len;
  } objects[SNMP_REQUEST_MAX];
};

/* One variable of an answer. value NULL: none (no such object, end of the view, a type that is not
 * understood); end: nothing follows in the agent's tree. */
struct snmp_variable {
  const uint32_t *id;
  size_t id_len;
  const struct snmp_value *value;
  bool end;
};

struct snmp_fetch {
  struct snmp_rows *rows; /* the caller's */
  struct snmp_manners *manners;
  struct snmp_place *places;
  size_t len;
  size_t open;                    /* places that are not done */
  size_t asked[SNMP_REQUEST_MAX]; /* places of the request that is under way */
  size_t asked_len;
  enum snmp_ask ask;
  size_t taken;            /* variables of the answer that is being taken */
  bool moved;              /* the answer brought something forward */
  struct tm_error trouble; /* the first thing that an agent did wrong; code 0: nothing */
};

/* Prepares the fetching of wants into rows. 0 or -ENOMEM. */
int snmp_fetch_init(struct snmp_fetch *f, const struct profile_want *wants, size_t len,
                    bool counters_only, struct snmp_manners *manners, struct snmp_rows *rows);
void snmp_fetch_release(struct snmp_fetch *f);

/* The next request; false when everything is fetched. */
bool snmp_fetch_next(struct snmp_fetch *f, struct snmp_request *request);
/* The answer's variables, in order, and after the last of them its end. status and index are the
 * error-status and error-index of the PDU; with a status, no variable is given. */
void snmp_fetch_variable(struct snmp_fetch *f, const struct snmp_variable *v);
void snmp_fetch_end(struct snmp_fetch *f, long status, long index);
/* No answer came in time: ask for less, in case it was too large for the way. True when there was
 * something to make smaller. */
bool snmp_fetch_lost(struct snmp_fetch *f);
/* Where the time ended: the column that was being walked, and its rows so far. False where none
 * came. */
bool snmp_fetch_halfway(const struct snmp_fetch *f, char *oid, size_t oid_size, size_t *rows);

#endif
