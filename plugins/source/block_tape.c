/* SPDX-License-Identifier: MIT */
/* Tape drives of this host, by the kernel's statistics (Documentation/scsi/st.rst). */
#include "plugins/source/block_parts.h"

#include "common/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool block_is_tape(const char *name)
{
  name += name[0] == 'n';
  return strncmp(name, "st", 2) == 0 && name[2] != '\0' &&
         name[2 + strspn(name + 2, "0123456789")] == '\0';
}

static void attribute(const struct block_paths *paths, const char *name, const char *file,
                      char *out, size_t size)
{
  char path[128];
  snprintf(path, sizeof(path), "class/scsi_tape/%s/%s", name, file);
  block_sys_text(paths, path, out, size);
}

/* False when the drive has no such number. */
static bool number(const struct block_paths *paths, const char *name, const char *file,
                   uint64_t *value)
{
  char text[64];
  attribute(paths, name, file, text, sizeof(text));
  return tm_parse_u64(text, 0, UINT64_MAX, value) == 0;
}

static int add_counter(struct reading *r, const char *name, uint64_t writes)
{
  struct reading_counter *c = reading_add_counter(r);
  if (c == NULL)
    return tm_fail(&r->error, -ENOMEM, "out of memory");
  snprintf(c->name, sizeof(c->name), "%s", name);
  c->value = writes;
  c->bits = 64;
  r->transfers = (double)writes;
  return 0;
}

int block_tape_read(const struct block_paths *paths, const char *name, struct reading *r)
{
  char folder[4096];
  r->kind = READING_MEDIA_LIBRARY;
  snprintf(folder, sizeof(folder), "%s/class/scsi_tape/%s", paths->sys, name);
  if (access(folder, F_OK) < 0)
    return tm_fail(&r->error, -ENODEV, "%s: no such tape drive", name);
  struct reading_drive *d = reading_add_drive(r);
  if (d == NULL)
    return tm_fail(&r->error, -ENOMEM, "out of memory");
  r->drives = 1;
  attribute(paths, name, "device/vendor", r->vendor, sizeof(r->vendor));
  attribute(paths, name, "device/model", r->model, sizeof(r->model));
  attribute(paths, name, "device/rev", r->firmware, sizeof(r->firmware));
  snprintf(d->name, sizeof(d->name), "%s", name);
  snprintf(d->vendor, sizeof(d->vendor), "%s", r->vendor);
  snprintf(d->model, sizeof(d->model), "%s", r->model);
  uint64_t value = 0;
  if (number(paths, name, "stats/read_cnt", &value))
    r->reads = (double)value;
  if (number(paths, name, "stats/read_byte_cnt", &value))
    r->read_bytes = d->read_bytes = (double)value;
  if (number(paths, name, "stats/write_byte_cnt", &value))
    r->write_bytes = d->written_bytes = (double)value;
  return number(paths, name, "stats/write_cnt", &value) ? add_counter(r, name, value) : 0;
}
