/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DESK_H
#define TM_DESK_DESK_H

#include "contrib/desk/http/template.h"
#include "contrib/desk/store/store.h"

#include <stdint.h>

/*
 * What every handler can reach. Made once at start, read-only afterwards but for what locks itself
 * (the store, the topics, the rate limits). There are no globals.
 */
struct desk_conf; /* desk.conf, see conf.h */
struct topics;    /* server-sent events, see http/topics.h */
struct limits;    /* token buckets, see http/limits.h */

struct desk {
  const struct desk_conf *conf;
  struct store *store;
  struct templates *templates;
  struct topics *topics;
  struct limits *limits;
  int64_t (*now)(void); /* tm_now; a test's own clock */
};

#endif
