/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ROUTE_H
#define TM_DESK_ROUTE_H

#include "contrib/desk/http/request.h"

/*
 * One row a route. The tables of all rooms stand in routes.c; `tidemark-desk routes` prints them,
 * and the tests of tenancy, roles and load walk that list, so that no route is forgotten.
 */
struct route {
  const char *method;  /* "GET" (HEAD too), "POST", "PATCH", "DELETE" */
  const char *pattern; /* "/devices/{id}": a part in braces matches one segment */
  unsigned roles;      /* bits of enum role */
  size_t max_body;     /* bytes; 0: no body is taken */
  const char *help;    /* one sentence, printed by `routes` and put into the OpenAPI file */
  /* 0 with a filled response, or a negative errno with err: 404 for -ENOENT, 409 for -EEXIST,
   * 422 for -EINVAL, 503 for -EAGAIN, 500 else. */
  int (*handle)(const struct request *r, struct response *to, struct tm_error *err);
};

/* A NULL-terminated list of tables, each of which ends with a row without method. */
extern const struct route *const desk_routes[];

/* The route for a method and path; its parts are kept in the request. NULL with *status 404 or 405.
 */
const struct route *route_find(const char *method, const char *path, int *status);

#endif
