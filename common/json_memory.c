/* SPDX-License-Identifier: MIT */
#include "common/json_memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

static _Thread_local bool starved;

static void *take(size_t size)
{
  void *p = starved ? NULL : malloc(size);
  if (p == NULL) {
    starved = true;
    errno = ENOMEM;
  }
  return p;
}

void tm_json_guard_memory(void)
{
  json_set_alloc_funcs(take, free);
}

bool tm_json_starved(void)
{
  return starved;
}

void tm_json_starve(void)
{
  starved = true;
}

void tm_json_forgive(void)
{
  starved = false;
}
