/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_LISTEN_H
#define TM_DESK_LISTEN_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A listening TCP socket on "ADDRESS:PORT" ("[::1]:80" for IPv6; numbers only, port 0 for a free
 * one). Returns the descriptor and writes "http://ADDRESS:PORT" to url. */
int listen_on(const char *address, char *url, size_t size, struct tm_error *err);

/* Whether such an address is one of this machine alone; false also when it is no address. */
bool listen_is_loopback(const char *address);

#endif
