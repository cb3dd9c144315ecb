/* SPDX-License-Identifier: MIT */
#include "analyzer/helper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int helper_find(const char *name, char path[PATH_MAX], struct tm_error *err)
{
  char self[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
  if (n > 0) {
    self[n] = '\0';
    int folder = (int)(strrchr(self, '/') - self);
    int len = snprintf(path, PATH_MAX, "%.*s/%s", folder, self, name);
    if (len < PATH_MAX && access(path, X_OK) == 0)
      return 0;
  }
  snprintf(path, PATH_MAX, "%s/%s", TM_LIBEXECDIR, name);
  if (access(path, X_OK) == 0)
    return 0;
  return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
}
