/* SPDX-License-Identifier: MIT */
#ifndef TM_LOOKUP_H
#define TM_LOOKUP_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The address of a host by its name, asked for in the background, so that a name server that does
 * not answer keeps nobody waiting but those who need it.
 */
struct lookup;

/* True when the text is an address already. */
bool lookup_is_address(const char *host);
/* Begins. NULL with err filled. */
struct lookup *lookup_start(const char *host, struct tm_error *err);
/* 0 with the address, which the system prefers, as text; -EAGAIN: not yet; else the reason. */
int lookup_poll(struct lookup *l, char *address, size_t size, struct tm_error *err);
/* Gives it up, if need be; NULL is fine. */
void lookup_free(struct lookup *l);

#endif
