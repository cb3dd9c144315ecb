/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_DISPATCH_H
#define TM_DESK_DISPATCH_H

#include "contrib/desk/http/exchange.h"

/*
 * What happens to a whole request, in a worker: who asks, may they, does the form come from our own
 * page, then the route's handler, then what its result means. Nobody who is signed out: 401 as JSON
 * or the way to the sign-in page; a role that may not: 403; no such thing, or another customer's:
 * 404.
 */
void dispatch(struct exchange *x);

/* The same for the listener of the administrator, which has no accounts. */
void dispatch_admin(struct exchange *x);

/* "sec-fetch-site", "origin" and "host" of a request that changes something: does a browser say
 * that it comes from our own page? NULL where a header is absent; own may be NULL. */
bool dispatch_is_own(const char *fetch_site, const char *origin, const char *host, const char *own);

#endif
