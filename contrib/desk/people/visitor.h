/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_VISITOR_H
#define TM_DESK_VISITOR_H

#include "common/sign.h"
#include "contrib/desk/http/exchange.h"

/*
 * Who asks: by the session's cookie, by a bearer token (of a person, or of a site), or, where a
 * trusted proxy has verified it (X-SSL-Client-Verify: SUCCESS), by a site's client certificate in
 * X-SSL-Client-Cert. Fills x->visitor, the request's scope and its CSRF token. 0, also for nobody;
 * -EACCES for a token or certificate that is none; else what the store said.
 */
int visitor_find(struct exchange *x, struct tm_error *err);

/* The SHA-256 of the certificate in DER that a header holds as percent-encoded PEM, in lower-case
 * hexadecimal. False when it holds none. */
bool visitor_certificate(const char *escaped, char out[TM_SHA256_HEX]);

#endif
