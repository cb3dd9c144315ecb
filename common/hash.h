/* SPDX-License-Identifier: MIT */
#ifndef TM_HASH_H
#define TM_HASH_H

/*
 * uthash, which by itself ends the program when memory runs out, and with it a desk that serves
 * everybody. Here an element that found no room is not in its table: ask after each HASH_ADD.
 */
#define HASH_NONFATAL_OOM 1
#include <uthash.h> // IWYU pragma: export

/* True when the element is not in the table that it was just added to. */
#define TM_HASH_MISSED(element) ((element)->hh.tbl == NULL)

#endif
