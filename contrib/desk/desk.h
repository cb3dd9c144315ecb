/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DESK_H
#define TM_DESK_DESK_H

#include "contrib/desk/conf.h"
#include "contrib/desk/http/assets.h"
#include "contrib/desk/http/template.h"
#include "contrib/desk/http/topics.h"
#include "contrib/desk/store/store.h"

#include <stdint.h>

struct server;
struct clerk; /* see factory/clerk.h */
struct workers;
struct people;   /* see people/people.h */
struct products; /* see public/products.h */

/*
 * What every handler can reach. Made once at start, read-only afterwards but for what locks itself
 * (the store, the topics, the people). There are no globals.
 */
struct desk {
  const struct desk_conf *conf;
  struct store *store;
  struct templates *templates;
  struct assets *assets;
  struct topics *topics;
  struct people *people;
  struct products *products;
  struct workers *workers;
  struct clerk *clerk;           /* NULL in commands */
  struct server *server, *admin; /* for the metrics; admin may be NULL */
  int64_t (*now)(void);          /* tm_now; a test's own clock */
  int64_t started_at;
};

/* Where people find the desk that serves: public_url, or the address that it listens on. No '/' at
 * its end. */
const char *desk_url(const struct desk *desk);

/* The templates of the pages and mails; templates_free() in the end. Fails as templates_load(). */
int desk_load_pages(struct desk *desk, struct tm_error *err);

#endif
