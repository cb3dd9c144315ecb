/* SPDX-License-Identifier: MIT */
#include "plugins/source/block_parts.h"

#include "common/buf.h"
#include "common/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DISKSTATS_BYTES = 8 << 20 };

/* major minor name reads merged sectors ms writes merged sectors ms ... (iostats.rst) */
static bool parse_line(const char *line, struct block_disk *d)
{
  char name[BLOCK_NAME];
  int n = sscanf(line, "%u %u %47s %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64 " %*u",
                 &d->major, &d->minor, name, &d->reads, &d->read_sectors, &d->writes,
                 &d->written_sectors);
  if (n != 7)
    return false;
  memcpy(d->name, name, sizeof(name));
  return true;
}

int block_disks_parse(struct block_disks *out, const char *text)
{
  struct block_disks disks = {0};
  size_t cap = 0;
  while (*text != '\0') {
    size_t len = strcspn(text, "\n");
    char line[512];
    struct block_disk d = {0};
    if (len < sizeof(line)) {
      memcpy(line, text, len);
      line[len] = '\0';
      if (parse_line(line, &d)) {
        if (disks.len == cap) {
          cap = cap == 0 ? 32 : cap * 2;
          struct block_disk *list = realloc(disks.list, cap * sizeof(*list));
          if (list == NULL) {
            block_disks_release(&disks);
            return -ENOMEM;
          }
          disks.list = list;
        }
        disks.list[disks.len++] = d;
      }
    }
    text += len;
    text += *text == '\n';
  }
  *out = disks;
  return 0;
}

int block_disks_read(struct block_disks *out, const struct block_paths *paths, struct tm_error *err)
{
  char path[4096];
  snprintf(path, sizeof(path), "%s/diskstats", paths->proc);
  struct tm_buf text = TM_BUF_INIT(MAX_DISKSTATS_BYTES);
  int rc = tm_file_read(path, &text, err);
  if (rc == 0) {
    rc = block_disks_parse(out, text.ptr);
    if (rc < 0)
      tm_fail(err, rc, "%s: out of memory", path);
  }
  tm_buf_release(&text);
  return rc;
}

void block_disks_release(struct block_disks *disks)
{
  free(disks->list);
  *disks = (struct block_disks){0};
}

const struct block_disk *block_disks_find(const struct block_disks *disks, const char *name)
{
  for (size_t i = 0; i < disks->len; i++) {
    if (strcmp(disks->list[i].name, name) == 0)
      return &disks->list[i];
  }
  return NULL;
}

const struct block_disk *block_disks_at(const struct block_disks *disks, unsigned major,
                                        unsigned minor)
{
  for (size_t i = 0; i < disks->len; i++) {
    if (disks->list[i].major == major && disks->list[i].minor == minor)
      return &disks->list[i];
  }
  return NULL;
}
