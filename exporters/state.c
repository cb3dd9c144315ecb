/* SPDX-License-Identifier: MIT */
#include "exporters/state.h"

#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BYTES = 64 << 20 };

json_t *state_read(const char *state_dir, const char *name)
{
  char *path = NULL;
  if (asprintf(&path, "%s/export/%s.json", state_dir, name) < 0)
    return NULL;
  struct tm_error err = {0};
  json_t *note = tm_json_read(path, MAX_BYTES, &err);
  free(path);
  if (err.code == -ENOMEM)
    return NULL;
  if (note != NULL && !json_is_object(note)) {
    json_decref(note);
    note = NULL;
  }
  return note != NULL ? note : json_object();
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

int state_log(const char *state_dir, const json_t *entry, struct tm_error *err)
{
  char *path = NULL, *line = NULL;
  char *text = json_dumps(entry, JSON_COMPACT);
  int fd = -1, rc = 0;
  if (text == NULL || asprintf(&line, "%s\n", text) < 0 ||
      asprintf(&path, "%s/history.ndjson", state_dir) < 0) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  rc = tm_dir_make(state_dir, 0750, err);
  if (rc < 0)
    goto out;
  errno = EIO; /* for a write that is cut short */
  fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line))
    rc = tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
out:
  if (fd >= 0)
    close(fd);
  free(line);
  free(path);
  free(text);
  return rc;
}
