/* SPDX-License-Identifier: MIT */
#include "plugins/source/block_parts.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/number.h"
#include "common/room.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DISKSTATS_BYTES = 8 << 20 };

size_t block_words(char *line, char **words, size_t max)
{
  size_t n = 0;
  for (char *word = NULL; n < max && (word = strsep(&line, " \t")) != NULL;) {
    if (word[0] != '\0')
      words[n++] = word;
  }
  return n;
}

bool block_number(const char *word, uint64_t max, uint64_t *value)
{
  return tm_parse_u64(word, 0, max, value) == 0;
}

static double number_or_unknown(const char *word)
{
  uint64_t value = 0;
  return block_number(word, UINT64_MAX, &value) ? (double)value : NAN;
}

/* major minor name, then numbers: reads merged sectors ms, writes merged sectors ms, ...
 * (iostats.rst) */
static bool parse_line(char *line, struct block_disk *d)
{
  char *words[11];
  uint64_t major = 0;
  uint64_t minor = 0;
  if (block_words(line, words, 11) < 11 || strlen(words[2]) >= sizeof(d->name) ||
      !block_number(words[0], UINT32_MAX, &major) || !block_number(words[1], UINT32_MAX, &minor) ||
      !block_number(words[7], UINT64_MAX, &d->writes))
    return false;
  d->reads = number_or_unknown(words[3]);
  d->read_sectors = number_or_unknown(words[5]);
  d->written_sectors = number_or_unknown(words[9]);
  d->major = (unsigned)major;
  d->minor = (unsigned)minor;
  snprintf(d->name, sizeof(d->name), "%s", words[2]);
  return true;
}

static int parse(struct block_disks *out, const char *text)
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
        if (TM_ROOM(disks.list, cap, disks.len) < 0) {
          block_disks_release(&disks);
          return -ENOMEM;
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
    rc = parse(out, text.ptr);
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
