/* SPDX-License-Identifier: MIT */
#include "common/inventory_file.h"

#include <errno.h>
#include <stdio.h>

static const char *as_name(char out[256], const char *given)
{
  snprintf(out, 256, "%s", given);
  for (char *p = out; *p != '\0'; p++)
    if (*p == '/')
      *p = '_';
  if (out[0] == '.')
    out[0] = '_';
  return out;
}

int tm_inventory_path(char path[PATH_MAX], const char *state_dir, const char *host,
                      const char *device, struct tm_error *err)
{
  char folder[256];
  char file[256];
  int n = device == NULL
              ? snprintf(path, PATH_MAX, "%s/inventory/%s", state_dir, as_name(folder, host))
              : snprintf(path, PATH_MAX, "%s/inventory/%s/%s.json", state_dir,
                         as_name(folder, host), as_name(file, device));
  return n > 0 && n < PATH_MAX ? 0 : tm_fail(err, -ENAMETOOLONG, "%s: too long", state_dir);
}
