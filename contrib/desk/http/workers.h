/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_WORKERS_H
#define TM_DESK_WORKERS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Threads that do what blocks, so that those that talk to the network never do. */
struct workers;

typedef void worker_fn(void *arg);

int workers_new(struct workers **w, unsigned threads, size_t max_waiting, struct tm_error *err);
/* False when too much is waiting already: the caller says 503. */
bool workers_do(struct workers *w, worker_fn *fn, void *arg);
size_t workers_waiting(struct workers *w);
/* Does what is waiting, then ends the threads. */
void workers_free(struct workers *w);

#endif
