/* SPDX-License-Identifier: MIT */
#include "plugins/source/snmp_fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOO_BIG        1 /* error-status of RFC 3416 */
#define NO_SUCH_NAME   2
#define BULK_VARIABLES 48
#define BULK_START     24
#define COLUMNS_START  6
#define GETS_START     16

/* One object or column on its way. */
struct snmp_place {
  bool column;
  bool first;
  bool done;
  size_t prefix_len;
  size_t count;
  size_t at_len;
  uint32_t at[SNMP_ARCS]; /* the last identifier that was answered; at first the prefix */
};

void snmp_manners_init(struct snmp_manners *m, bool v1)
{
  *m = (struct snmp_manners){
      .v1 = v1, .repetitions = BULK_START, .columns = COLUMNS_START, .gets = GETS_START};
}

int snmp_fetch_init(struct snmp_fetch *f, const struct profile_want *wants, size_t len,
                    bool counters_only, struct snmp_manners *manners, struct snmp_rows *rows)
{
  *f = (struct snmp_fetch){.rows = rows, .manners = manners};
  f->places = calloc(len > 0 ? len : 1, sizeof(*f->places));
  if (f->places == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < len; i++) {
    if (counters_only && !wants[i].counter)
      continue;
    struct snmp_place *p = &f->places[f->len++];
    p->column = wants[i].column;
    p->first = wants[i].column && wants[i].first;
    p->prefix_len = p->at_len = wants[i].oid.len;
    memcpy(p->at, wants[i].oid.id, wants[i].oid.len * sizeof(*p->at));
  }
  f->open = f->len;
  return 0;
}

void snmp_fetch_release(struct snmp_fetch *f)
{
  free(f->places);
  f->places = NULL;
  f->len = f->open = f->asked_len = 0;
}

static void finish(struct snmp_fetch *f, struct snmp_place *p)
{
  if (!p->done)
    f->open--;
  p->done = true;
  f->moved = true;
}

static void blame(struct snmp_fetch *f, const struct snmp_place *p, const char *what)
{
  char oid[SNMP_OID_TEXT];
  if (f->trouble.code == 0)
    tm_fail(&f->trouble, -EPROTO, "walk of %s: %s",
            oid_format(oid, sizeof(oid), p->at, p->prefix_len), what);
}

/* Ends a place that the agent answered with an error. Where a column had begun, its rows are not
 * all there, and their sum would be a smaller device: none of them is told. Not so with v1, which
 * has no other way to say that a column is over. */
static void fail(struct snmp_fetch *f, struct snmp_place *p, long status)
{
  if (p->column && p->count > 0 && status != NO_SUCH_NAME && !f->manners->v1) {
    blame(f, p, "the device ended it by an error");
    snmp_rows_drop(f->rows, p->at, p->prefix_len);
  }
  finish(f, p);
}

/* Takes the open places of one sort into the request, scalars or columns. */
static void choose(struct snmp_fetch *f, bool column, bool first, size_t max)
{
  f->asked_len = 0;
  for (size_t i = 0; i < f->len && f->asked_len < max; i++) {
    const struct snmp_place *p = &f->places[i];
    if (!p->done && p->column == column && p->first == first)
      f->asked[f->asked_len++] = i;
  }
}

static unsigned at_most(unsigned a, size_t b)
{
  return a < b ? a : (unsigned)b;
}

bool snmp_fetch_next(struct snmp_fetch *f, struct snmp_request *request)
{
  const struct snmp_manners *m = f->manners;
  if (f->open == 0)
    return false;
  f->ask = SNMP_ASK_GET;
  choose(f, false, false, at_most(m->gets, SNMP_REQUEST_MAX));
  if (f->asked_len == 0) {
    f->ask = SNMP_ASK_NEXT;
    choose(f, true, true, at_most(m->gets, SNMP_REQUEST_MAX));
  }
  if (f->asked_len == 0) {
    f->ask = m->v1 ? SNMP_ASK_NEXT : SNMP_ASK_BULK;
    choose(f, true, false, at_most(m->columns, SNMP_REQUEST_MAX));
  }
  if (f->asked_len == 0)
    return false;
  *request = (struct snmp_request){.ask = f->ask, .len = f->asked_len};
  if (f->ask == SNMP_ASK_BULK)
    request->repetitions = at_most(m->repetitions, BULK_VARIABLES / f->asked_len);
  for (size_t i = 0; i < f->asked_len; i++) {
    const struct snmp_place *p = &f->places[f->asked[i]];
    request->objects[i].id = p->at;
    request->objects[i].id_len = p->at_len;
  }
  f->taken = 0;
  f->moved = false;
  return true;
}

static void keep(struct snmp_fetch *f, struct snmp_place *p, const struct snmp_variable *v)
{
  if (v->value == NULL)
    return;
  if (snmp_rows_add(f->rows, v->id, v->id_len, v->value) < 0) {
    blame(f, p, "more than a reading may hold");
    finish(f, p);
  }
}

/* A scalar's answer stands wherever its identifier is: some agents change the order. */
static void take_scalar(struct snmp_fetch *f, const struct snmp_variable *v)
{
  for (size_t i = 0; i < f->asked_len; i++) {
    struct snmp_place *p = &f->places[f->asked[i]];
    if (p->done || oid_compare(p->at, p->at_len, v->id, v->id_len) != 0)
      continue;
    keep(f, p, v);
    finish(f, p);
    return;
  }
}

static void take_cell(struct snmp_fetch *f, const struct snmp_variable *v)
{
  struct snmp_place *p = &f->places[f->asked[f->taken++ % f->asked_len]];
  if (p->done)
    return;
  if (v->end || !oid_under(p->at, p->prefix_len, v->id, v->id_len)) {
    finish(f, p);
    return;
  }
  if (oid_compare(p->at, p->at_len, v->id, v->id_len) >= 0) {
    blame(f, p, "identifiers do not increase");
    finish(f, p);
    return;
  }
  keep(f, p, v);
  memcpy(p->at, v->id, v->id_len * sizeof(*p->at));
  p->at_len = v->id_len;
  f->moved = true;
  if (++p->count >= SNMP_COLUMN_ROWS) {
    blame(f, p, "more than 10000 rows");
    finish(f, p);
  } else if (p->first) {
    finish(f, p);
  }
}

void snmp_fetch_variable(struct snmp_fetch *f, const struct snmp_variable *v)
{
  if (f->asked_len == 0 || v->id_len > SNMP_ARCS)
    return;
  if (f->ask == SNMP_ASK_GET)
    take_scalar(f, v);
  else
    take_cell(f, v);
}

/* Asks for less at a time. False when it is the least already. */
static bool ask_less(struct snmp_fetch *f)
{
  struct snmp_manners *m = f->manners;
  if (f->ask == SNMP_ASK_BULK && m->repetitions > 1)
    m->repetitions /= 2;
  else if (f->ask == SNMP_ASK_GET || f->places[f->asked[0]].first) {
    if (f->asked_len < 2)
      return false;
    m->gets = (unsigned)f->asked_len / 2;
  } else {
    if (f->asked_len < 2)
      return false;
    m->columns = (unsigned)f->asked_len / 2;
  }
  return true;
}

void snmp_fetch_end(struct snmp_fetch *f, long status, long index)
{
  if (f->asked_len == 0)
    return;
  if (status != 0 && index >= 1 && (size_t)index <= f->asked_len && status != TOO_BIG) {
    fail(f, &f->places[f->asked[index - 1]], status);
  } else if (status != 0 || !f->moved) {
    /* Too big, or a failure that names no object: halve until the culprit stands alone. An empty
     * answer ends what was asked, else the agent would be asked for ever. */
    if (status == 0 || !ask_less(f))
      for (size_t i = 0; i < f->asked_len; i++)
        fail(f, &f->places[f->asked[i]], status == 0 ? NO_SUCH_NAME : status);
  }
  f->asked_len = 0;
}

bool snmp_fetch_lost(struct snmp_fetch *f)
{
  bool smaller = f->asked_len > 0 && f->ask == SNMP_ASK_BULK && f->manners->repetitions > 4;
  if (smaller)
    f->manners->repetitions /= 2;
  f->asked_len = 0;
  return smaller;
}

bool snmp_fetch_halfway(const struct snmp_fetch *f, char *oid, size_t oid_size, size_t *rows)
{
  for (size_t i = 0; i < f->len; i++) {
    const struct snmp_place *p = &f->places[i];
    if (p->done || p->count == 0)
      continue;
    oid_format(oid, oid_size, p->at, p->prefix_len);
    *rows = p->count;
    return true;
  }
  return false;
}
