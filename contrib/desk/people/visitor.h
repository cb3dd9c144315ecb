/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_VISITOR_H
#define TM_DESK_VISITOR_H

#include "contrib/desk/http/exchange.h"

/*
 * Who asks: by the session's cookie, or by a bearer token (of a person, or of a site). Fills
 * x->visitor, the request's scope and its CSRF token. 0, also for nobody; -EACCES for a token that
 * is none; else what the store said.
 */
int visitor_find(struct exchange *x, struct tm_error *err);

#endif
