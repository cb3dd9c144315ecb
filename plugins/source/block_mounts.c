/* SPDX-License-Identifier: MIT */
#include "plugins/source/block_parts.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_MOUNTINFO_BYTES = 32 << 20 };

static bool one_of(const char *word, const char *const *words)
{
  for (; *words != NULL; words++) {
    if (strcmp(word, *words) == 0)
      return true;
  }
  return false;
}

/* The kernel writes blank, tab, newline and backslash as \ooo. In place. */
static void unescape(char *text)
{
  char *out = text;
  for (const char *p = text; *p != '\0'; p++) {
    if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
        p[3] <= '7') {
      *out++ = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
      p += 3;
    } else {
      *out++ = *p;
    }
  }
  *out = '\0';
}

/* "8:1" */
static bool parse_device(char *text, struct block_mount *m)
{
  uint64_t major = 0;
  uint64_t minor = 0;
  char *colon = strchr(text, ':');
  if (colon == NULL)
    return false;
  *colon = '\0';
  if (!block_number(text, UINT32_MAX, &major) || !block_number(colon + 1, UINT32_MAX, &minor))
    return false;
  m->major = (unsigned)major;
  m->minor = (unsigned)minor;
  return true;
}

/* id parent major:minor root point options [tags...] - type source super-options (proc(5)).
 * -EINVAL: not such a line. */
static int parse_line(char *line, struct block_mount *m)
{
  char *first[5];
  char *last[2];
  char *tail = strstr(line, " - ");
  if (tail == NULL)
    return -EINVAL;
  *tail = '\0';
  if (block_words(line, first, 5) < 5 || block_words(tail + 3, last, 2) < 2 ||
      !block_number(first[0], UINT64_MAX, &m->id) || !parse_device(first[2], m) ||
      first[4][0] != '/')
    return -EINVAL;
  unescape(first[4]);
  unescape(last[1]);
  snprintf(m->type, sizeof(m->type), "%.*s", (int)sizeof(m->type) - 1, last[0]);
  snprintf(m->source, sizeof(m->source), "%.*s", (int)sizeof(m->source) - 1, last[1]);
  m->point = strdup(first[4]);
  return m->point != NULL ? 0 : -ENOMEM;
}

static int parse(struct block_mounts *out, const char *text)
{
  struct block_mounts mounts = {0};
  size_t cap = 0;
  char *copy = strdup(text);
  int rc = copy != NULL ? 0 : -ENOMEM;
  char *rest = copy;
  for (char *line = NULL; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
    struct block_mount m = {0};
    int parsed = parse_line(line, &m);
    if (parsed == -EINVAL)
      continue;
    if (parsed == 0 && TM_ROOM(mounts.list, cap, mounts.len) < 0) {
      free(m.point);
      parsed = -ENOMEM;
    }
    if (parsed == 0)
      mounts.list[mounts.len++] = m;
    rc = parsed;
  }
  free(copy);
  if (rc == 0)
    *out = mounts;
  else
    block_mounts_release(&mounts);
  return rc;
}

int block_mounts_read(struct block_mounts *out, const struct block_paths *paths,
                      struct tm_error *err)
{
  char path[4096];
  /* Behind a foreign ProcPath (a container that sees its host's /proc) the first process's mounts
   * are the host's; our own are those of the container. */
  bool own = strcmp(paths->proc, "/proc") == 0;
  snprintf(path, sizeof(path), "%s/%s/mountinfo", paths->proc, own ? "self" : "1");
  if (!own && access(path, R_OK) < 0)
    snprintf(path, sizeof(path), "%s/self/mountinfo", paths->proc);
  struct tm_buf text = TM_BUF_INIT(MAX_MOUNTINFO_BYTES);
  int rc = tm_file_read(path, &text, err);
  if (rc == 0) {
    rc = parse(out, text.ptr);
    if (rc < 0)
      tm_fail(err, rc, "%s: out of memory", path);
  }
  tm_buf_release(&text);
  return rc;
}

void block_mounts_release(struct block_mounts *mounts)
{
  for (size_t i = 0; i < mounts->len; i++)
    free(mounts->list[i].point);
  free(mounts->list);
  *mounts = (struct block_mounts){0};
}

bool block_mount_is_capacity(const struct block_mount *m)
{
  static const char *const images[] = {"squashfs", "iso9660", "udf",    "erofs",
                                       "cramfs",   "romfs",   "zisofs", NULL};
  /* These span devices, or have none, and so carry an anonymous number as /proc and NFS do. */
  static const char *const anonymous[] = {"btrfs", "zfs", "bcachefs", "ubifs", NULL};
  if (one_of(m->type, images))
    return false;
  return m->major != 0 || one_of(m->type, anonymous);
}

static bool is_remote(const struct block_mount *m)
{
  static const char *const types[] = {"nfs",   "nfs4",     "cifs",      "smb3",   "smbfs",  "ceph",
                                      "9p",    "afs",      "glusterfs", "lustre", "beegfs", "coda",
                                      "ncpfs", "orangefs", "virtiofs",  "fuse",   NULL};
  return m->major == 0 && (one_of(m->type, types) || strncmp(m->type, "fuse.", 5) == 0);
}

static bool is_below(const char *path, const char *folder)
{
  size_t len = strlen(folder);
  return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

bool block_mount_may_hang(const struct block_mounts *mounts, const struct block_mount *m)
{
  if (is_remote(m))
    return true;
  for (size_t i = 0; i < mounts->len; i++) {
    /* A remote mount above it, or over it. A remote root cannot be avoided by anybody. */
    const struct block_mount *other = &mounts->list[i];
    if (is_remote(other) && strcmp(other->point, "/") != 0 && is_below(m->point, other->point))
      return true;
  }
  return false;
}
