/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/conf.c */
/* desk.conf: any bytes are accepted or refused with a message. */
#include "contrib/desk/conf.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct desk_conf conf;
  struct tm_error err = {0};
  int rc = desk_conf_parse(&conf, (const char *)data, size, "desk.conf", &err);
  assert(rc == 0 || (err.text[0] != '\0' && err.code == rc));
  if (rc == 0) {
    assert(conf.listen != NULL && conf.database != NULL && conf.limits.workers > 0);
    desk_conf_release(&conf);
  }
  return 0;
}
