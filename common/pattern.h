/* SPDX-License-Identifier: MIT */
#ifndef TM_PATTERN_H
#define TM_PATTERN_H

#include <stdbool.h>

/*
 * Whether a text fits a pattern (POSIX extended, over bytes, in the C locale), asked many thousand
 * times a second.
 *
 * Nearly all patterns of the schemas are a row of classes, each so many times, from ^ to $, with a
 * choice here or there: such a one is matched by walking along the text once. regexec() takes
 * twenty times as long for it, and a lock that threads wait for. Every other pattern is left to
 * regexec().
 */
struct tm_pattern;

/* 0, -EINVAL when regcomp() does not take it, or -ENOMEM. */
int tm_pattern_new(struct tm_pattern **pattern, const char *text);
void tm_pattern_free(struct tm_pattern *pattern); /* NULL is fine */

/* Threads may share it. */
bool tm_pattern_fits(const struct tm_pattern *pattern, const char *text);

/* Whether it is one that is walked along. */
bool tm_pattern_is_row(const struct tm_pattern *pattern);

#endif
