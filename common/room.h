/* SPDX-License-Identifier: MIT */
#ifndef TM_ROOM_H
#define TM_ROOM_H

#include <stddef.h>

/*
 * Room in an array that grows, for `more` elements of `size` bytes behind its first `len`. list is
 * the address of the pointer to it (of any type; NULL at first), *cap the elements that there is
 * room for, which are doubled at least. 0, or -ENOMEM with both as they were.
 */
int tm_room(void *list, size_t *cap, size_t len, size_t more, size_t size);

/* The same, for one more. */
#define TM_ROOM(list, cap, len) tm_room(&(list), &(cap), (len), 1, sizeof(*(list)))

#endif
