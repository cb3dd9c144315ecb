/* SPDX-License-Identifier: MIT */
#include "exporters/spool_own.h"

#include "common/file.h"
#include "common/json_memory.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TMP_AGE_S = 3600, MAX_REASON = 1024 };
#define WHY ".why"

/* --- transitions -------------------------------------------------------------------------- */

static int move(struct spool *s, const char *from_folder, const char *from_name,
                const char *to_folder, const char *to_name, struct tm_error *err)
{
  char from[PATH_MAX], to[PATH_MAX];
  int rc = spool_path(s, from_folder, from_name, "", from, err);
  if (rc == 0)
    rc = spool_path(s, to_folder, to_name, "", to, err);
  if (rc == 0 && rename(from, to) < 0)
    rc = tm_fail(err, -errno, "%s: cannot move to %s/: %s", from, to_folder, strerror(errno));
  if (rc == 0)
    s->counted = false;
  return rc;
}

int spool_sent(struct spool *s, const struct spool_entry *entry, struct tm_error *err)
{
  return move(s, "new", entry->name, "sent", entry->name, err);
}

int spool_again(struct spool *s, struct spool_entry *entry, int64_t due, struct tm_error *err)
{
  struct spool_entry next = *entry;
  next.due = due;
  if (next.attempt < SPOOL_ATTEMPTS)
    next.attempt++;
  spool_name_make(&next);
  int rc = move(s, "new", entry->name, "new", next.name, err);
  if (rc == 0)
    *entry = next;
  return rc;
}

/* The reason first, so that an item in dead/ has one; but on a full disk the move alone is done. */
static int give_up(struct spool *s, const struct spool_entry *entry, const char *folder,
                   const char *reason, struct tm_error *err)
{
  /* What cannot be undone is not done by somebody who may have misread the item. */
  if (tm_json_starved())
    return tm_fail(err, -ENOMEM, "%.12s: out of memory", entry->key);
  char draft[PATH_MAX], path[PATH_MAX], text[MAX_REASON];
  int n = snprintf(text, sizeof(text), "%s\n", reason);
  size_t len = n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1;
  int rc = spool_path(s, "tmp", entry->name, WHY, draft, err);
  if (rc == 0)
    rc = spool_path(s, folder, entry->name, WHY, path, err);
  if (rc < 0)
    return rc;
  unlink(draft);
  struct tm_error unsaid = {0};
  if (spool_write_synced(draft, text, len, &unsaid) < 0) {
    tm_log_warning("%s", unsaid.text);
  } else if (rename(draft, path) < 0) {
    tm_log_warning("%s: %s", path, strerror(errno));
    unlink(draft);
  }
  rc = move(s, "new", entry->name, folder, entry->name, err);
  if (rc < 0) {
    unlink(path);
    return rc;
  }
  rc = spool_sync_folder(s, folder, err);
  return rc < 0 ? rc : spool_sync_folder(s, "new", err);
}

int spool_dead(struct spool *s, const struct spool_entry *entry, const char *reason,
               struct tm_error *err)
{
  return give_up(s, entry, "dead", reason, err);
}

int spool_corrupt(struct spool *s, const struct spool_entry *entry, const char *reason,
                  struct tm_error *err)
{
  return give_up(s, entry, "corrupt", reason, err);
}

int spool_requeue(struct spool *s, const struct spool_entry *entry, int64_t now_ms,
                  struct tm_error *err)
{
  struct spool_entry next = *entry;
  next.due = now_ms / 1000;
  next.queued_ms = now_ms;
  next.attempt = 0;
  spool_name_make(&next);
  char path[PATH_MAX];
  int rc = spool_path(s, "dead", entry->name, WHY, path, err);
  rc = rc < 0 ? rc : move(s, "dead", entry->name, "new", next.name, err);
  rc = rc < 0 ? rc : spool_sync_folder(s, "new", err);
  if (rc == 0 && unlink(path) < 0 && errno != ENOENT)
    rc = tm_fail(err, -errno, "%s: it is back in the line, but this cannot be removed: %s", path,
                 strerror(errno));
  return rc;
}

int spool_reason(const struct spool *s, enum spool_state state, const struct spool_entry *entry,
                 struct tm_buf *b, struct tm_error *err)
{
  char path[PATH_MAX];
  int rc = spool_path(s, spool_state_name(state), entry->name, WHY, path, err);
  size_t before = b->len;
  if (rc == 0)
    rc = tm_file_read(path, b, err);
  if (rc == 0 && b->len > before && b->ptr[b->len - 1] == '\n')
    b->ptr[--b->len] = '\0';
  return rc;
}

int spool_sync(const struct spool *s, struct tm_error *err)
{
  int rc = spool_sync_folder(s, "sent", err);
  int rc2 = spool_sync_folder(s, "new", rc < 0 ? NULL : err);
  return rc < 0 ? rc : rc2;
}

/* --- housekeeping ------------------------------------------------------------------------- */

int spool_clean(const struct spool *s, int64_t now, struct tm_error *err)
{
  char path[PATH_MAX];
  DIR *d = NULL;
  int rc = spool_open_folder(s, "tmp", path, &d, err);
  if (rc < 0)
    return rc;
  for (const struct dirent *e; (rc = tm_dir_next(d, &e)) > 0;) {
    struct stat st;
    if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        st.st_mtime < now - TMP_AGE_S)
      unlinkat(dirfd(d), e->d_name, 0);
  }
  closedir(d);
  return rc < 0 ? tm_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int spool_expire(struct spool *s, int64_t now, size_t *moved, struct tm_error *err)
{
  struct spool_list list;
  int rc = spool_scan(s, SPOOL_NEW, &list, NULL, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; rc == 0 && i < list.len; i++) {
    int64_t age = now - list.entries[i].queued_ms / 1000;
    if (age <= s->limits.expire_s)
      continue;
    char reason[128];
    snprintf(reason, sizeof(reason), "expired: not delivered within %lld hours of being queued",
             (long long)s->limits.expire_s / 3600);
    rc = spool_dead(s, &list.entries[i], reason, err);
    if (rc == -ENOENT)
      rc = 0;
    else if (rc == 0)
      (*moved)++;
  }
  spool_list_release(&list);
  return rc;
}

int spool_purge(struct spool *s, enum spool_state state, int64_t before, size_t *removed,
                struct tm_error *err)
{
  struct spool_list list;
  char path[PATH_MAX];
  int rc = spool_scan(s, state, &list, NULL, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; i < list.len; i++) {
    const struct spool_entry *e = &list.entries[i];
    if (e->queued_ms / 1000 >= before)
      continue;
    if (spool_path(s, spool_state_name(state), e->name, "", path, NULL) == 0) {
      if (unlink(path) == 0)
        (*removed)++;
      else if (errno != ENOENT && rc == 0)
        rc = tm_fail(err, -errno, "%s: cannot remove: %s", path, strerror(errno));
    }
    if (spool_path(s, spool_state_name(state), e->name, WHY, path, NULL) == 0)
      unlink(path);
  }
  spool_list_release(&list);
  return rc < 0 ? rc : spool_sync_folder(s, spool_state_name(state), err);
}

int spool_count_corrupt(const struct spool *s, size_t *n, struct tm_error *err)
{
  char path[PATH_MAX];
  DIR *d = NULL;
  int rc = spool_open_folder(s, "corrupt", path, &d, err);
  if (rc < 0)
    return rc;
  for (const struct dirent *e; (rc = tm_dir_next(d, &e)) > 0;) {
    size_t len = strlen(e->d_name);
    bool why = len > strlen(WHY) && strcmp(e->d_name + len - strlen(WHY), WHY) == 0;
    if (!why)
      (*n)++;
  }
  closedir(d);
  return rc < 0 ? tm_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}
