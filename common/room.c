/* SPDX-License-Identifier: MIT */
#include "common/room.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST = 32 };

/* Whatever the pointer is to. */
typedef void *__attribute__((may_alias)) any_pointer;

int tm_room(void *list, size_t *cap, size_t len, size_t more, size_t size)
{
  any_pointer *place = list;
  size_t want = 0;
  size_t bytes = 0;
  if (more <= *cap && len <= *cap - more)
    return 0;
  if (__builtin_add_overflow(len, more, &want))
    return -ENOMEM;
  if (want < *cap * 2)
    want = *cap * 2;
  if (want < FIRST)
    want = FIRST;
  /* What reallocarray() would check, too, but a sanitizer takes for a mistake. */
  if (__builtin_mul_overflow(want, size, &bytes))
    return -ENOMEM;
  void *grown = realloc(*place, bytes);
  if (grown == NULL)
    return -ENOMEM;
  *place = grown;
  *cap = want;
  return 0;
}
