/* SPDX-License-Identifier: MIT */
/* The configuration reader: any bytes are accepted or refused with a message. */
#include "common/conf.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tm_conf conf;
  struct tm_error err = {0};
  int rc = tm_conf_parse(&conf, (const char *)data, size, "fuzz.conf", &err);
  if (rc == 0)
    tm_conf_release(&conf);
  else
    assert(err.text[0] != '\0' && err.code == rc);
  return 0;
}
