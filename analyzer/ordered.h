/* SPDX-License-Identifier: MIT */
#ifndef TM_ORDERED_H
#define TM_ORDERED_H

#include <stddef.h>

/*
 * Puts the results of parallel jobs back into the order of their index, holding no more than a
 * window of them: a job that is too far ahead waits. Results are handed to the sink one at a time,
 * by whichever job closes the gap.
 */
struct ordered;

/* Takes one result in order; data is NULL for an index that gave none. A negative errno stops the
 * hand-over: later results are dropped and ordered_put returns that code. */
typedef int ordered_sink(void *user, size_t index, char *data, size_t len);

/* count: how many indices will come, each once. NULL when out of memory. */
struct ordered *ordered_new(size_t count, ordered_sink *sink, void *user);
void ordered_free(struct ordered *o);

/*
 * Gives the result of an index (data from malloc, or NULL); the data is freed here after the sink
 * has seen it. 0, or what the sink returned at its first failure.
 */
int ordered_put(struct ordered *o, size_t index, char *data, size_t len);

/* A job that cannot go on: nobody waits for its results any more. */
void ordered_abort(struct ordered *o, int code);

#endif
