/* SPDX-License-Identifier: MIT */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 16384 }; /* of one read(2) */

static const char *type_name(mode_t mode)
{
  if (S_ISDIR(mode))
    return "a directory";
  if (S_ISFIFO(mode))
    return "a FIFO";
  if (S_ISSOCK(mode))
    return "a socket";
  return "a device";
}

int tm_file_open(const char *path, struct stat *st, struct tm_error *err)
{
  return tm_file_open_at(AT_FDCWD, "", path, 0, st, err);
}

int tm_file_open_at(int folder_fd, const char *folder, const char *name, int flags, struct stat *st,
                    struct tm_error *err)
{
  const char *slash = folder[0] != '\0' ? "/" : "";
  int fd =
      openat(folder_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags);
  if (fd < 0) {
    int code = -errno;
    const char *why = strerror(-code);
    if (code == -ELOOP)
      why = "is a symbolic link, not a regular file";
    if (code == -ENXIO)
      why = "is a socket or device, not a regular file";
    return tm_fail(err, code, "%s%s%s: %s", folder, slash, name, why);
  }
  struct stat own;
  if (st == NULL)
    st = &own;
  int rc = 0;
  if (fstat(fd, st) < 0)
    rc = tm_fail(err, -errno, "%s%s%s: %s", folder, slash, name, strerror(errno));
  else if (!S_ISREG(st->st_mode))
    rc = tm_fail(err, -EINVAL, "%s%s%s: is %s, not a regular file", folder, slash, name,
                 type_name(st->st_mode));
  if (rc < 0) {
    close(fd);
    return rc;
  }
  return fd;
}

/* Into the buffer itself: what may be a secret leaves no copy on the stack. */
int tm_file_read_fd(int fd, const char *path, struct tm_buf *b, struct tm_error *err)
{
  size_t before = b->len;
  int rc = 0;
  for (;;) {
    size_t room = b->max - b->len < READ_BYTES ? b->max - b->len : READ_BYTES;
    char beyond; /* tells a file as large as the limit from a larger one */
    rc = tm_buf_reserve(b, room);
    if (rc < 0)
      break;
    ssize_t n = room > 0 ? read(fd, b->ptr + b->len, room) : read(fd, &beyond, 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      rc = -errno;
    else if (n > 0 && room == 0)
      rc = -EFBIG;
    else
      b->len += (size_t)n;
    if (n <= 0 || rc < 0)
      break;
  }
  if (rc < 0) {
    tm_fail(err, rc, "%s: %s", path, rc == -EFBIG ? "larger than is accepted here" : strerror(-rc));
    b->len = before;
  }
  if (b->ptr != NULL)
    b->ptr[b->len] = '\0';
  return rc;
}

int tm_file_read(const char *path, struct tm_buf *b, struct tm_error *err)
{
  int fd = tm_file_open(path, NULL, err);
  if (fd < 0)
    return fd;
  int rc = tm_file_read_fd(fd, path, b, err);
  close(fd);
  return rc;
}

int tm_file_read_input(struct tm_buf *b, struct tm_error *err)
{
  char chunk[65536];
  size_t n;
  int rc = 0;
  while (rc == 0 && (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
    rc = tm_buf_add(b, chunk, n);
  if (rc < 0 || ferror(stdin))
    return tm_fail(err, rc < 0 ? rc : -EIO, "standard input: %s",
                   rc == -EFBIG ? "too large"
                   : rc < 0     ? strerror(-rc)
                                : "cannot be read");
  return 0;
}

int tm_dir_sync(const char *path, struct tm_error *err)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  int rc = 0;
  if (fsync(fd) < 0)
    rc = tm_fail(err, -errno, "%s: cannot sync: %s", path, strerror(errno));
  close(fd);
  return rc;
}

int tm_dir_make(const char *path, mode_t mode, struct tm_error *err)
{
  char *copy = strdup(path);
  if (copy == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  int rc = 0;
  for (char *p = copy + 1;; p++) {
    if (*p != '/' && *p != '\0')
      continue;
    char end = *p;
    *p = '\0';
    if (mkdir(copy, mode) < 0 && errno != EEXIST) {
      /* On a read-only disk mkdir of a folder that exists may say EROFS. */
      struct stat st;
      int code = -errno;
      if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode)) {
        rc = tm_fail(err, code, "%s: cannot create: %s", copy, strerror(-code));
        break;
      }
    }
    if (end == '\0')
      break;
    *p = end;
  }
  free(copy);
  return rc;
}

bool tm_file_name_is_safe(const char *name)
{
  size_t len = strlen(name);
  if (len == 0 || len > 255 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return false;
  for (; *name != '\0'; name++) {
    if (*name == '/' || (unsigned char)*name < 0x20 || *name == 0x7f)
      return false;
  }
  return true;
}

/* The folder that holds path; the caller frees. */
static char *folder_of(const char *path)
{
  const char *slash = strrchr(path, '/');
  if (slash == NULL)
    return strdup(".");
  if (slash == path)
    return strdup("/");
  return strndup(path, (size_t)(slash - path));
}

bool tm_path_is_there(const char *path)
{
  return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int tm_dir_next(DIR *dir, const struct dirent **entry)
{
  do {
    errno = 0;
    *entry = readdir(dir);
    if (*entry == NULL)
      return -errno;
  } while (strcmp((*entry)->d_name, ".") == 0 || strcmp((*entry)->d_name, "..") == 0);
  return 1;
}

#define STREAM_BUFFER 65536

static int open_temporary(struct tm_output *out, mode_t mode, struct tm_error *err)
{
  char *name = NULL;
  if (asprintf(&name, "%s.XXXXXX", out->path) < 0)
    return tm_fail(err, -ENOMEM, "%s: out of memory", out->path);
  int fd = mkostemp(name, O_CLOEXEC);
  if (fd < 0) {
    int code = -errno;
    free(name);
    /* No folder is no reader's "no input". */
    return tm_fail(err, code == -ENOENT ? -ENOTDIR : code, "%s: cannot write: %s", out->path,
                   strerror(-code));
  }
  out->temporary = name;
  if (fchmod(fd, mode) == 0)
    out->stream = fdopen(fd, "w");
  /* A report of ten thousand devices in as few writes as can be. The buffer has to be ours: given
   * none, glibc passes over the size. Without memory the usual one is left. */
  out->buffer = out->stream != NULL ? malloc(STREAM_BUFFER) : NULL;
  if (out->buffer != NULL)
    setvbuf(out->stream, out->buffer, _IOFBF, STREAM_BUFFER);
  if (out->stream == NULL) {
    int code = -errno;
    close(fd);
    return tm_fail(err, code, "%s: cannot write: %s", out->path, strerror(-code));
  }
  return 0;
}

/* /dev/null, /dev/full, a FIFO: written as they are, for a rename would put a file in their place.
 */
static int open_special(struct tm_output *out, const char *path, struct tm_error *err)
{
  out->stream = fopen(path, "we");
  if (out->stream == NULL)
    return tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
  return 0;
}

int tm_output_open(struct tm_output *out, const char *path, mode_t mode, struct tm_error *err)
{
  struct stat st;
  *out = (struct tm_output){0};
  if (path != NULL && path[0] == '\0')
    return tm_fail(err, -ENOTDIR, "'': cannot write: no file's name");
  if (path == NULL || strcmp(path, "-") == 0) {
    out->stream = stdout;
    return 0;
  }
  bool there = stat(path, &st) == 0;
  /* What it is must be known: a device of which that cannot be told would be replaced. */
  if (!there && errno != ENOENT)
    return tm_fail(err, -errno, "%s: cannot write: %s", path, strerror(errno));
  if (there && S_ISDIR(st.st_mode))
    return tm_fail(err, -EISDIR, "%s: cannot write: is a directory", path);
  if (there && !S_ISREG(st.st_mode))
    return open_special(out, path, err);
  out->path = strdup(path);
  if (out->path == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  int rc = open_temporary(out, mode, err);
  if (rc < 0)
    tm_output_release(out);
  return rc;
}

void tm_output_ahead(struct tm_output *out)
{
  if (out->path != NULL) /* what fails here fails again when the file is committed */
    sync_file_range(fileno(out->stream), 0, 0, SYNC_FILE_RANGE_WRITE);
}

int tm_output_failed(const struct tm_output *out, struct tm_error *err)
{
  int code = errno != 0 ? -errno : -EIO;
  const char *name = out->path != NULL       ? out->path
                     : out->stream == stdout ? "standard output"
                                             : "the output";
  return tm_fail(err, code, "%s: cannot write: %s", name, strerror(-code));
}

static int commit_stream(struct tm_output *out, struct tm_error *err)
{
  errno = 0;
  if (fflush(out->stream) != 0 || ferror(out->stream))
    return tm_output_failed(out, err);
  if (out->path != NULL && fsync(fileno(out->stream)) < 0)
    return tm_fail(err, -errno, "%s: cannot sync: %s", out->path, strerror(errno));
  return 0;
}

int tm_output_commit(struct tm_output *out, struct tm_error *err)
{
  int rc = commit_stream(out, err);
  if (out->path == NULL || rc < 0)
    goto out;
  FILE *stream = out->stream;
  out->stream = NULL;
  if (fclose(stream) != 0) {
    rc = tm_fail(err, -errno, "%s: cannot write: %s", out->path, strerror(errno));
    goto out;
  }
  if (rename(out->temporary, out->path) < 0) {
    rc = tm_fail(err, -errno, "%s: cannot rename: %s", out->path, strerror(errno));
    goto out;
  }
  free(out->temporary);
  out->temporary = NULL;
  char *folder = folder_of(out->path);
  rc = folder == NULL ? tm_fail(err, -ENOMEM, "%s: out of memory", out->path)
                      : tm_dir_sync(folder, err);
  free(folder);
out:
  tm_output_release(out);
  return rc;
}

void tm_output_release(struct tm_output *out)
{
  if (out->stream != NULL && out->stream != stdout)
    fclose(out->stream);
  if (out->temporary != NULL)
    unlink(out->temporary);
  free(out->temporary);
  free(out->path);
  free(out->buffer);
  *out = (struct tm_output){0};
}

int tm_file_write(const char *path, const void *data, size_t len, mode_t mode, struct tm_error *err)
{
  struct tm_output out;
  int rc = tm_output_open(&out, path, mode, err);
  if (rc < 0)
    return rc;
  errno = 0;
  if (len > 0 && fwrite(data, 1, len, out.stream) != len) {
    rc = tm_output_failed(&out, err);
    tm_output_release(&out);
    return rc;
  }
  return tm_output_commit(&out, err);
}
