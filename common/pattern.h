/* SPDX-License-Identifier: MIT */
#ifndef TM_PATTERN_H
#define TM_PATTERN_H

#include <stdbool.h>

/*
 * The patterns of our schemas: whether a text fits one, asked many thousand times a second. PCRE2
 * matches them, over bytes, compiled to machine code where the system lets it (a hardened service
 * may not write code: there it interprets). `$` is the very end, and `.` fits every byte.
 */
struct tm_pattern;

/* 0, -EINVAL where it is no pattern, or -ENOMEM. */
int tm_pattern_new(struct tm_pattern **pattern, const char *text);
void tm_pattern_free(struct tm_pattern *pattern); /* NULL is fine */

/* Threads may share it. A text that takes beyond reason does not fit; nor does one for which there
 * is no memory, and this thread's JSON starves then, so that its document is put off and not
 * refused. */
bool tm_pattern_fits(const struct tm_pattern *pattern, const char *text);

#endif
