/* SPDX-License-Identifier: MIT */
/* A profile as a field engineer, or anybody, might write it. */
#include "plugins/profile_read.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct profiles p;
  struct tm_error err = {0};
  if (size > 1U << 16 || profiles_parse(&p, (const char *)data, size, &err) < 0)
    return 0;
  /* What was accepted must also be followed. */
  struct snmp_rows rows;
  struct reading r;
  snmp_rows_init(&rows);
  struct snmp_value v = {.type = SNMP_STRING, .bytes = "12 TB", .len = 5};
  for (size_t i = 0; i < p.list[0].wants_len; i++) {
    const struct oid_path *o = &p.list[0].wants[i].oid;
    uint32_t id[OID_PATH_MAX + 1] = {0};
    for (size_t k = 0; k < o->len; k++)
      id[k] = o->id[k];
    snmp_rows_add(&rows, id, o->len + (p.list[0].wants[i].column ? 1 : 0), &v);
  }
  reading_init(&r, p.list[0].kind);
  profiles_recognise(&p, &rows);
  profile_read(&p.list[0], &rows, NULL, NULL, &r);
  reading_release(&r);
  snmp_rows_release(&rows);
  profiles_release(&p);
  return 0;
}
