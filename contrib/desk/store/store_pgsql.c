/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/store_own.h"

#include <errno.h>

int store_pgsql_open(struct store **store, const struct store_settings *settings,
                     struct tm_error *err)
{
  (void)store;
  return tm_fail(err, -ENOTSUP, "%.60s: this build has no PostgreSQL yet", settings->url);
}
