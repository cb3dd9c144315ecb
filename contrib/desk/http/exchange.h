/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_EXCHANGE_H
#define TM_DESK_EXCHANGE_H

/* A request and its answer as the server holds them; handlers see struct request alone. */

#include "contrib/desk/http/guard.h"
#include "contrib/desk/http/request.h"
#include "contrib/desk/http/route.h"

struct pair {
  const char *name, *value;
};
struct pairs {
  struct pair *list;
  size_t len;
};

struct kept; /* memory that lives as long as the request */

struct exchange {
  struct request request; /* first, so that the one is found from the other */
  struct route_match match;
  struct visitor visitor;
  struct response response;
  struct header headers[GUARD_HEADERS];
  size_t headers_len;
  const char *parts[ROUTE_PARTS];
  struct pairs query, form, cookies;
  struct tm_buf body;
  struct kept *kept;
  bool starved;       /* memory was short: what is kept lacks something */
  int found;          /* of route_find(): 200, 404 or 405 */
  int refused;        /* a status that the guard has already decided on, or 0 */
  const char *reason; /* of it, or of the handler's failure */
};

/* Empty; body.max says how much is taken, at first nothing. NULL when memory is short. */
struct exchange *exchange_new(void);
void exchange_free(struct exchange *x);

/*
 * After method, path, headers, match and body are there: parts, query, cookies and form are
 * decoded. 0, or the status with x->reason: 400, 415 for a form that is none, or 503 when memory
 * is short.
 */
int exchange_decode(struct exchange *x, const char *query);

/* Memory that lives as long as the request; NULL when it is short. */
char *exchange_alloc(struct exchange *x, size_t len);

#endif
