/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_MHD_RESPONSE_H
#define TM_DESK_MHD_RESPONSE_H

#include "contrib/desk/http/exchange.h"
#include "contrib/desk/http/topics.h"

/*
 * Our answers as libmicrohttpd sends them, with the headers that every one of them has. Both return
 * a new response, and in *len how many bytes its body has.
 */
struct MHD_Connection;
struct MHD_Response;

/* Of a request that a worker has answered; its body is moved out of x. An answer of a topic is a
 * stream on the connection. NULL: out of memory, or no further stream is opened. */
struct MHD_Response *mhd_response(struct exchange *x, struct topics *topics,
                                  struct MHD_Connection *connection, size_t *len);

/* "400: WHY" in plain text, with which the connection ends: to a program that does not speak HTTP
 * as it should, before there is an exchange. NULL: out of memory. */
struct MHD_Response *mhd_refusal(int status, const char *why, size_t *len);

#endif
