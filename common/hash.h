/* SPDX-License-Identifier: MIT */
#ifndef TM_HASH_H
#define TM_HASH_H

/*
 * uthash, which by itself ends the program when memory runs out, and with it a desk that serves
 * everybody. Here an element that found no room is not in its table: ask after each HASH_ADD.
 */
#define HASH_NONFATAL_OOM 1
#include <stdlib.h>
#include <uthash.h> // IWYU pragma: export

/* True when the element is not in the table that it was just added to. */
#define TM_HASH_MISSED(element) ((element)->hh.tbl == NULL)

/* Frees the table and all its elements, each one piece of memory; it is empty (NULL) after. */
#define TM_HASH_FREE(table)                                                                        \
  do {                                                                                             \
    __typeof__(table) element_ = (table);                                                          \
    HASH_CLEAR(hh, table); /* the elements stay chained */                                         \
    while (element_ != NULL) {                                                                     \
      __typeof__(table) following_ = element_->hh.next;                                            \
      free(element_);                                                                              \
      element_ = following_;                                                                       \
    }                                                                                              \
  } while (0)

#endif
