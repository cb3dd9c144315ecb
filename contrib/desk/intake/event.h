/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_EVENT_H
#define TM_DESK_EVENT_H

#include "common/buf.h"
#include "common/sign.h"
#include "contrib/desk/intake/credential.h"
#include "contrib/desk/store/days.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * CloudEvents out of a request's body: split, read and checked, each for itself, before anything is
 * stored. Pure but for the time that is handed in.
 */
enum event_type { EVENT_SUMMARY, EVENT_HISTORY, EVENT_ITEM_VALUES, EVENT_DELETE_REQUEST };
enum event_status { EVENT_ACCEPTED, EVENT_DUPLICATE, EVENT_REFUSED };

enum { EVENT_MAX = 4 << 20, EVENTS_MAX = 1000 };

struct event {
  const char *bytes; /* as they stood in the body, which they are a part of */
  size_t len;
  char id[TM_SHA256_HEX]; /* 1 to 64 characters; "" when it could not be read */
  char sha256[TM_SHA256_HEX];
  enum event_status status;
  bool foreign; /* refused, for it names another tenant than its credential */
  char field[200], error[200];

  enum event_type type;
  json_t *root;       /* owned */
  const json_t *data; /* borrowed from root: the document */
  size_t data_at, data_len;
  int64_t generated_at, period_from, period_to; /* INT64_MIN: not told */
  struct day *days;                             /* owned, by ascending dates */
  size_t days_len;
  struct tm_buf packed; /* the bytes, see store/pack.h; empty where that does not pay */
};

/* Splits a batch; a single event is a batch of one that need not stand in brackets. *events is the
 * caller's, by events_free(). -EBADMSG when the body is not even an array. */
int events_split(const char *body, size_t len, bool batch, struct event **events, size_t *n,
                 struct tm_error *err);
void events_free(struct event *events, size_t n);

/* Reads and checks one: status, field and error tell. */
void event_read(struct event *e, const struct credential *from, int64_t now);

/* Marks it as refused. */
void event_refuse(struct event *e, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *event_type_name(enum event_type type); /* "tidemark.summary.v1" */

#endif
