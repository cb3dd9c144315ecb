/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_NAV_H
#define TM_DESK_NAV_H

#include "contrib/desk/http/request.h"

/*
 * What stands in the head of a page, by role. A row counts once a route leads there for the role,
 * so that a room that is not built in leaves no dead link.
 */
struct nav_row {
  unsigned roles;
  const char *path; /* a fragment may follow */
  const char *text;
};
extern const struct nav_row desk_nav[]; /* ends with a row without path; in routes.c */

/* [{"path", "text", "current"}] for the visitor. New reference. */
json_t *nav_model(const struct request *r);
/* The first place of a role, or NULL. */
const char *nav_first(enum role role);

#endif
