/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrdcached.h"

#include "common/buf.h"
#include "common/fd.h"
#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define IN_FLIGHT 64 /* commands; their answers fit into any socket's buffer */
#define ANSWER_S  60 /* a large file on a slow disk */
#define MAX_SEND  (IN_FLIGHT * (2 * PATH_MAX + 16))

struct connection {
  const char *name;
  int fd;
  struct tm_buf send;
  unsigned waiting; /* answers that have not come yet */
  char answer[4096];
  size_t len;
};

static int failed(const struct connection *c, int code, const char *why, struct tm_error *err)
{
  return tm_fail(err, code, "%s: rrdcached: %s; newest values may be missing", c->name, why);
}

static int connect_to(struct connection *c, struct tm_error *err)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = strncmp(c->name, "unix:", 5) == 0 ? c->name + 5 : c->name;
  if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path))
    return failed(c, -EINVAL, "not the absolute path of a Unix socket", err);
  memcpy(address.sun_path, path, strlen(path) + 1);
  c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0)
    return failed(c, -errno, strerror(errno), err);
  struct timeval limit = {.tv_sec = ANSWER_S};
  setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
    return failed(c, -errno, strerror(errno), err);
  return 0;
}

/* Takes whole lines of what has come. Each is an answer: "0 Successfully flushed ...", or a
 * negative number, when the file is none of its. */
static int take_answers(struct connection *c)
{
  char *line = c->answer;
  char *end;
  while ((end = memchr(line, '\n', c->len - (size_t)(line - c->answer))) != NULL) {
    if (c->waiting == 0 || (line[0] != '0' && line[0] != '-'))
      return -EPROTO;
    c->waiting--;
    line = end + 1;
  }
  c->len -= (size_t)(line - c->answer);
  memmove(c->answer, line, c->len);
  return c->len == sizeof(c->answer) ? -EPROTO : 0;
}

static int exchange(struct connection *c, struct tm_error *err)
{
  int rc = tm_send_all(c->fd, c->send.ptr, c->send.len);
  if (rc < 0)
    return failed(c, rc, strerror(-rc), err);
  tm_buf_reset(&c->send);
  while (c->waiting > 0) {
    ssize_t n = recv(c->fd, c->answer + c->len, sizeof(c->answer) - c->len, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return failed(c, -errno, errno == EAGAIN ? "no answer in time" : strerror(errno), err);
    if (n == 0)
      return failed(c, -ECONNRESET, "hung up", err);
    c->len += (size_t)n;
    if (take_answers(c) < 0)
      return failed(c, -EPROTO, "answers nonsense", err);
  }
  return 0;
}

/* Blanks end an argument, unless a backslash stands before them. */
static int add_escaped(struct tm_buf *b, const char *text)
{
  int rc = 0;
  for (; *text != '\0' && rc == 0; text++) {
    if (*text == '\n')
      return -EINVAL;
    if (*text == ' ' || *text == '\\')
      rc = tm_buf_add(b, "\\", 1);
    if (rc == 0)
      rc = tm_buf_add(b, text, 1);
  }
  return rc;
}

static int add_command(struct connection *c, const char *root, const char *place, const char *file)
{
  size_t before = c->send.len;
  const char *const parts[] = {root, "/", place, "/", file};
  int rc = tm_buf_puts(&c->send, "FLUSH ");
  for (size_t i = 0; rc == 0 && i < 5; i++)
    if (strcmp(place, ".") != 0 || i < 2 || i == 4)
      rc = add_escaped(&c->send, parts[i]);
  if (rc == 0)
    rc = tm_buf_puts(&c->send, "\n");
  if (rc == -EINVAL) { /* a name that cannot be said: rrdcached cannot have it either */
    c->send.len = before;
    return 0;
  }
  c->waiting += rc == 0;
  return rc;
}

static int flush_entry(struct connection *c, const struct rrd_scan *scan, const struct rrd_entry *e,
                       const char *root, struct tm_error *err)
{
  const char *place = rrd_scan_text(scan, e->place);
  const char *only = e->only != 0 ? rrd_scan_text(scan, e->only) : NULL;
  int fd = openat(scan->root, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
  const struct dirent *entry;
  int rc = 0;
  if (d == NULL) { /* the reader will say why */
    if (fd >= 0)
      close(fd);
    return 0;
  }
  while (rc == 0 && tm_dir_next(d, &entry) > 0) { /* the same: it reads the folder, too */
    if (rrd_recipe_role(e->recipe, entry->d_name) == NULL ||
        (only != NULL && strcmp(only, entry->d_name) != 0))
      continue;
    rc = add_command(c, root, place, entry->d_name);
    if (rc < 0)
      rc = failed(c, rc, strerror(-rc), err);
    else if (c->waiting == IN_FLIGHT)
      rc = exchange(c, err);
  }
  closedir(d);
  return rc;
}

int rrdcached_flush(const char *socket_path, const struct rrd_scan *scan, struct tm_error *err)
{
  struct connection c = {.name = socket_path, .fd = -1, .send = TM_BUF_INIT(MAX_SEND)};
  char *root = realpath(scan->path, NULL);
  int rc = root == NULL ? failed(&c, -errno, strerror(errno), err) : connect_to(&c, err);
  for (size_t i = 0; rc == 0 && i < scan->n; i++)
    rc = flush_entry(&c, scan, &scan->entry[i], root, err);
  if (rc == 0)
    rc = exchange(&c, err);
  if (c.fd >= 0)
    close(c.fd);
  tm_buf_release(&c.send);
  free(root);
  return rc;
}
