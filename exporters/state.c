/* SPDX-License-Identifier: MIT */
#include "exporters/state.h"

#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_BYTES = 64 << 20 };

json_t *state_read(const char *state_dir, const char *name, struct tm_error *err)
{
  char *path = NULL;
  struct tm_error why = {0};
  if (asprintf(&path, "%s/export/%s.json", state_dir, name) < 0) {
    tm_fail(err, -ENOMEM, "out of memory");
    return NULL;
  }
  json_t *note = tm_json_read(path, MAX_BYTES, &why);
  free(path);
  if (note == NULL && why.code != -ENOENT && why.code != -EBADMSG) {
    tm_fail(err, why.code, "%s", why.text);
    return NULL;
  }
  if (note != NULL && !json_is_object(note)) {
    json_decref(note);
    note = NULL;
  }
  if (note == NULL)
    note = json_object();
  if (note == NULL)
    tm_fail(err, -ENOMEM, "out of memory");
  return note;
}

int state_write(const char *state_dir, const char *name, const json_t *note, struct tm_error *err)
{
  char *folder = NULL, *path = NULL;
  char *text = json_dumps(note, JSON_COMPACT);
  int rc = 0;
  if (text == NULL || asprintf(&folder, "%s/export", state_dir) < 0 ||
      asprintf(&path, "%s/%s.json", folder, name) < 0) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  rc = tm_dir_make(folder, 0750, err);
  if (rc == 0)
    rc = tm_file_write(path, text, strlen(text), 0640, err);
out:
  free(path);
  free(folder);
  free(text);
  return rc;
}

/* In one call, so that lines of two processes do not mix. Of one that does not fit nothing stays:
 * the next would continue it. */
static int write_line(int fd, const char *line, size_t len)
{
  struct stat before;
  ssize_t n;
  if (fstat(fd, &before) < 0)
    return -1;
  do
    n = write(fd, line, len);
  while (n < 0 && errno == EINTR);
  if (n == (ssize_t)len)
    return 0;
  int why = n < 0 ? errno : ENOSPC;
  if (n > 0 && ftruncate(fd, before.st_size) < 0)
    why = errno;
  errno = why;
  return -1;
}

int state_append(const char *state_dir, const char *name, const json_t *entry, bool sync,
                 struct tm_error *err)
{
  char *path = NULL, *line = NULL;
  char *text = json_dumps(entry, JSON_COMPACT);
  int fd = -1, rc = 0;
  if (text == NULL || asprintf(&line, "%s\n", text) < 0 ||
      asprintf(&path, "%s/%s", state_dir, name) < 0) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  rc = tm_dir_make(state_dir, 0750, err);
  if (rc < 0)
    goto out;
  fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0 || write_line(fd, line, strlen(line)) < 0 || (sync && fsync(fd) < 0))
    rc = tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
out:
  if (fd >= 0)
    close(fd);
  free(line);
  free(path);
  free(text);
  return rc;
}

int state_log(const char *state_dir, const json_t *entry, struct tm_error *err)
{
  return state_append(state_dir, "history.ndjson", entry, false, err);
}
