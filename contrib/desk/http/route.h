/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ROUTE_H
#define TM_DESK_ROUTE_H

#include "contrib/desk/http/request.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * One row a route. The tables of all rooms stand in routes.c; `tidemark-desk routes` prints them,
 * and the tests of tenancy, roles and load walk that list, so that no route is forgotten.
 */
struct route {
  const char *method;  /* "GET" (HEAD too), "POST", "PUT", "PATCH", "DELETE" */
  const char *pattern; /* "/devices/{id}": a part in braces matches one segment */
  unsigned roles;      /* bits of enum role; ROLE_NONE: everybody, signed in or not */
  size_t max_body;     /* bytes; 0: no body is taken */
  const char *help;    /* one sentence, printed by `routes` and put into the OpenAPI file */
  /* 0 with a filled response, or a negative errno with err: 404 for -ENOENT, 409 for -EEXIST,
   * 422 for -EINVAL, 503 for -EAGAIN, 500 else. */
  int (*handle)(const struct request *r, struct response *to, struct tm_error *err);
};

/* A NULL-terminated list of tables, each of which ends with a row without method. */
extern const struct route *const desk_routes[];
/* The same for the listener of the administrator, which has no login: health and metrics. */
extern const struct route *const desk_admin_routes[];

enum { ROUTE_PARTS = 6 };

/* What a path was found to be. Values point into the path and are still percent-encoded. */
struct route_match {
  const struct route *route;
  struct route_part {
    const char *name, *value;
    size_t name_len, value_len;
  } parts[ROUTE_PARTS];
  size_t parts_len;
  char allow[48]; /* for 405: "GET, HEAD, POST" */
};

/*
 * The route for a method and a path as it came (without query string, percent-encoded). Where two
 * patterns fit, the one with fewer parts in braces is taken. 200, or 404, or 405 with m->allow.
 */
int route_find(const struct route *const *tables, const char *method, const char *path,
               struct route_match *m);

/* Whether a link to this path leads somewhere for somebody of these roles. */
bool route_leads(const struct route *const *tables, const char *path, unsigned roles);

/* "sales", "site"...; NULL for a set of several. */
const char *role_name(enum role role);
/* The role of that name, 0 for none and for NULL. */
enum role role_of(const char *name);

/* The list of `routes`: columns, or an array of JSON objects. */
int routes_print(const struct route *const *tables, bool json, FILE *out);

#endif
