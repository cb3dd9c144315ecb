/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLERK_H
#define TM_DESK_CLERK_H

#include "common/error.h"

struct desk;

/*
 * The desk's own hand at the factory, a thread behind the pages: asks the back end for what is due,
 * keeps its answers, tells who asked, has goods kept and given back, and issues demand. All of it
 * is due by rows of the store: what is under way when the desk ends is done later, by this one or
 * another.
 */
struct clerk;

int clerk_start(struct clerk **clerk, const struct desk *desk, struct tm_error *err);
/* There is something to do now. NULL is fine. */
void clerk_hurry(struct clerk *clerk);
void clerk_end(struct clerk *clerk); /* NULL is fine */

#endif
