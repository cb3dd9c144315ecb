/* SPDX-License-Identifier: MIT */
#include "exporters/spool_own.h"

#include "common/fd.h"
#include "common/file.h"
#include "common/lock.h"
#include "common/room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *const state_names[] = {"new", "sent", "dead", "corrupt"};

const char *spool_state_name(enum spool_state state)
{
  return state_names[state];
}

int spool_path(const struct spool *s, const char *folder, const char *name, const char *suffix,
               char out[PATH_MAX], struct tm_error *err)
{
  int n = snprintf(out, PATH_MAX, "%s/%s%s%s%s", s->dir, folder, name[0] != '\0' ? "/" : "", name,
                   suffix);
  if (n < 0 || n >= PATH_MAX)
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", s->dir);
  return 0;
}

int spool_open(struct spool *s, const char *root, const char *target,
               const struct tm_conf_spool *limits, struct tm_error *err)
{
  static const char *const folders[] = {"tmp", "new", "sent", "dead", "corrupt"};
  *s = (struct spool){.limits = *limits, .lock = -1};
  if (asprintf(&s->dir, "%s/%s", root, target) < 0) {
    s->dir = NULL;
    return tm_fail(err, -ENOMEM, "%s: out of memory", root);
  }
  int rc = 0;
  bool made = false;
  for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
    char path[PATH_MAX];
    rc = spool_path(s, folders[i], "", "", path, err);
    if (rc < 0 || access(path, F_OK) == 0)
      continue;
    rc = tm_dir_make(path, 0700, err);
    made = true;
  }
  /* A promise is worth nothing in a folder that a power cut takes away. */
  if (rc == 0 && made)
    rc = tm_dir_sync(s->dir, err);
  if (rc == 0 && made)
    rc = tm_dir_sync(root, err);
  if (rc < 0)
    spool_close(s);
  return rc;
}

void spool_unlock(struct spool *s)
{
  if (s->lock >= 0)
    close(s->lock);
  s->lock = -1;
}

void spool_close(struct spool *s)
{
  spool_unlock(s);
  free(s->dir);
  *s = (struct spool){.lock = -1};
}

int spool_lock(struct spool *s, const char *what, bool wait, struct tm_error *err)
{
  char path[PATH_MAX];
  int rc = spool_path(s, what, "", ".lock", path, err);
  if (rc < 0)
    return rc;
  int fd = tm_lock_take(path, 0600, wait ? TM_LOCK_FOREVER : 0, err);
  if (fd < 0)
    return fd;
  s->lock = fd;
  return 0;
}

/* --- adding ------------------------------------------------------------------------------- */

/* Counts what is unsent, once; after that spool_add keeps the numbers. */
static int count(struct spool *s, struct tm_error *err)
{
  struct spool_list list = {0};
  char path[PATH_MAX];
  if (s->counted)
    return 0;
  s->items = s->bytes = 0;
  int rc = spool_scan(s, SPOOL_NEW, &list, NULL, err);
  for (size_t i = 0; rc == 0 && i < list.len; i++) {
    struct stat st;
    rc = spool_path(s, "new", list.entries[i].name, "", path, err);
    if (rc == 0 && stat(path, &st) == 0) {
      s->items++;
      s->bytes += (uint64_t)st.st_size;
    }
  }
  s->counted = rc == 0;
  spool_list_release(&list);
  return rc;
}

static int check_caps(struct spool *s, size_t size, struct tm_error *err)
{
  int rc = count(s, err);
  if (rc < 0)
    return rc;
  if (s->items + 1 > s->limits.max_items || s->bytes + size > s->limits.max_bytes)
    return tm_fail(err, -EDQUOT,
                   "%s: full: %llu items, %llu bytes wait there; nothing more is taken "
                   "before some of them are sent",
                   s->dir, (unsigned long long)s->items, (unsigned long long)s->bytes);
  struct statvfs fs;
  if (statvfs(s->dir, &fs) < 0)
    return tm_fail(err, -errno, "%s: %s", s->dir, strerror(errno));
  uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
  if (free_bytes < s->limits.free_bytes || free_bytes - s->limits.free_bytes < size)
    return tm_fail(err, -EDQUOT, "%s: the disk is too full: %llu bytes are free, %llu are kept",
                   s->dir, (unsigned long long)free_bytes,
                   (unsigned long long)s->limits.free_bytes);
  return 0;
}

/* After a failed fsync the pages may be gone though a second call would say 0: so never twice. */
int spool_write_synced(const char *path, const void *data, size_t len, struct tm_error *err)
{
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  int fd = open(path, flags, 0600);
  if (fd < 0 && errno == EEXIST && unlink(path) == 0) /* of one who was ended in the middle of it */
    fd = open(path, flags, 0600);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: cannot create: %s", path, strerror(errno));
  int rc = tm_write_all(fd, data, len);
  if (rc == 0 && fsync(fd) < 0)
    rc = -errno;
  if (close(fd) < 0 && rc == 0)
    rc = -errno;
  if (rc < 0) {
    unlink(path);
    return tm_fail(err, rc, "%s: cannot write: %s", path, strerror(-rc));
  }
  return 0;
}

int spool_sync_folder(const struct spool *s, const char *folder, struct tm_error *err)
{
  char path[PATH_MAX];
  int rc = spool_path(s, folder, "", "", path, err);
  return rc < 0 ? rc : tm_dir_sync(path, err);
}

static int render(struct tm_buf *file, json_t *head, const void *body, size_t len)
{
  struct tm_buf rest = TM_BUF_INIT(SPOOL_ITEM_MAX);
  char hash[TM_SHA256_HEX];
  char *line = json_dumps(head, JSON_COMPACT);
  int rc = line == NULL ? -ENOMEM : tm_buf_puts(&rest, line);
  free(line);
  if (rc == 0)
    rc = tm_buf_puts(&rest, "\n");
  if (rc == 0)
    rc = tm_buf_add(&rest, body, len);
  if (rc == 0)
    rc = tm_buf_printf(file, "tidemark-spool/1 %s\n", tm_sha256_hex(hash, rest.ptr, rest.len));
  if (rc == 0)
    rc = tm_buf_add(file, rest.ptr, rest.len);
  tm_buf_release(&rest);
  return rc;
}

int spool_add(struct spool *s, enum spool_class order_class, const char *key, json_t *head,
              const void *body, size_t len, int64_t due, int64_t now_ms, struct tm_error *err)
{
  struct spool_entry e = {.due = due, .order_class = (int)order_class, .queued_ms = now_ms};
  struct tm_buf file = TM_BUF_INIT(SPOOL_ITEM_MAX);
  char from[PATH_MAX], to[PATH_MAX];
  snprintf(e.key, sizeof(e.key), "%s", key);
  spool_name_make(&e);
  int rc = spool_path(s, "tmp", e.name, "", from, err);
  if (rc == 0)
    rc = spool_path(s, "new", e.name, "", to, err);
  if (rc < 0)
    return rc;
  json_object_set_new(head, "key", json_string(key));
  rc = render(&file, head, body, len);
  if (rc < 0) {
    rc = tm_fail(err, rc, "%s: item %.12s: %s", s->dir, key,
                 rc == -EFBIG ? "larger than an item may be" : "out of memory");
    goto out;
  }
  rc = check_caps(s, file.len, err);
  if (rc == 0)
    rc = spool_write_synced(from, file.ptr, file.len, err);
  if (rc < 0)
    goto out;
  if (rename(from, to) < 0) {
    rc = tm_fail(err, -errno, "%s: cannot rename: %s", from, strerror(errno));
    unlink(from);
    goto out;
  }
  rc = spool_sync_folder(s, "new", err);
  if (rc < 0) {
    unlink(to); /* not promised: it must not be sent though the caller was told of a failure */
    goto out;
  }
  s->items++;
  s->bytes += file.len;
out:
  tm_buf_release(&file);
  return rc;
}

/* --- listing ------------------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
  const struct spool_entry *x = a, *y = b;
  if (x->order_class != y->order_class)
    return x->order_class < y->order_class ? -1 : 1;
  if (x->queued_ms != y->queued_ms)
    return x->queued_ms < y->queued_ms ? -1 : 1;
  return strcmp(x->key, y->key);
}

static int list_add(struct spool_list *list, const struct spool_entry *e)
{
  if (TM_ROOM(list->entries, list->cap, list->len) < 0)
    return -ENOMEM;
  list->entries[list->len++] = *e;
  return 0;
}

void spool_list_release(struct spool_list *list)
{
  free(list->entries);
  *list = (struct spool_list){0};
}

const struct spool_entry *spool_list_find(const struct spool_list *list, const char *key)
{
  const struct spool_entry *found = NULL;
  size_t len = strlen(key);
  if (len < 8 || len >= SPOOL_KEY_SIZE)
    return NULL;
  for (size_t i = 0; i < list->len; i++) {
    if (strncmp(list->entries[i].key, key, len) != 0)
      continue;
    if (found != NULL)
      return NULL;
    found = &list->entries[i];
  }
  return found;
}

/* A file that is no item: out of the way, never deleted, since nobody knows what it is. */
static void move_strange(const struct spool *s, const char *name, size_t *strange)
{
  char from[PATH_MAX], to[PATH_MAX];
  if (spool_path(s, "new", name, "", from, NULL) == 0 &&
      spool_path(s, "corrupt", name, "", to, NULL) == 0 && rename(from, to) == 0)
    (*strange)++;
}

int spool_open_folder(const struct spool *s, const char *folder, char path[PATH_MAX], DIR **dir,
                      struct tm_error *err)
{
  int rc = spool_path(s, folder, "", "", path, err);
  if (rc < 0)
    return rc;
  *dir = opendir(path);
  return *dir != NULL ? 0 : tm_fail(err, -errno, "%s: %s", path, strerror(errno));
}

int spool_scan(const struct spool *s, enum spool_state state, struct spool_list *list,
               size_t *strange, struct tm_error *err)
{
  char path[PATH_MAX];
  DIR *d = NULL;
  *list = (struct spool_list){0};
  int rc = spool_open_folder(s, state_names[state], path, &d, err);
  if (rc < 0)
    return rc;
  const struct dirent *entry;
  while ((rc = tm_dir_next(d, &entry)) > 0) {
    struct spool_entry e;
    if (!spool_name_parse(entry->d_name, &e)) {
      if (state == SPOOL_NEW && strange != NULL)
        move_strange(s, entry->d_name, strange);
      continue;
    }
    rc = list_add(list, &e);
    if (rc < 0)
      break;
  }
  closedir(d);
  if (rc < 0)
    tm_fail(err, rc, "%s: %s", path, rc == -ENOMEM ? "out of memory" : strerror(-rc));
  if (rc < 0)
    spool_list_release(list);
  else if (list->len > 1)
    qsort(list->entries, list->len, sizeof(list->entries[0]), compare_entries);
  return rc;
}
