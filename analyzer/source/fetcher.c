/* SPDX-License-Identifier: MIT */
#include "analyzer/source/fetcher.h"

#include "common/child.h"
#include "common/fd.h"
#include "common/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER "tidemark-fetch"

extern char **environ;

struct fetcher {
  pid_t pid;
  int fd; /* both ways */
};

static bool receive_all(int fd, char *data, size_t len)
{
  while (len > 0) {
    ssize_t n = recv(fd, data, len, 0);
    if (n == 0 || (n < 0 && errno != EINTR))
      return false;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
    }
  }
  return true;
}

static int spawn(pid_t *pid, const char *path, int fd)
{
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
  int rc = posix_spawn(pid, path, &actions, NULL, (char *[]){(char *)HELPER, NULL}, environ);
  posix_spawn_file_actions_destroy(&actions);
  return -rc;
}

static bool send_text(int fd, const char *text)
{
  return tm_send_all(fd, text, strlen(text)) == 0;
}

static bool send_line(int fd, const char *name, const char *value)
{
  return value == NULL || (send_text(fd, name) && send_text(fd, value) && send_text(fd, "\n"));
}

/* All of it or nothing: a helper that has lost a line waits for ever, or asks as somebody else. */
static bool introduce(int fd, const char *base_url, const struct tm_conf_prometheus *access)
{
  return send_line(fd, "", base_url) &&
         (access == NULL ||
          (send_line(fd, "tenant ", access->tenant) &&
           send_line(fd, "token_file ", access->token_file) &&
           send_line(fd, "user ", access->user) &&
           send_line(fd, "password_file ", access->password_file) &&
           send_line(fd, "ca_file ", access->tls.ca_file) &&
           send_line(fd, "crl_file ", access->tls.crl_file) &&
           send_line(fd, "ocsp_stapling ", access->tls.ocsp_stapling ? "yes" : NULL))) &&
         send_line(fd, "", "");
}

int fetcher_start(struct fetcher **out, const char *base_url,
                  const struct tm_conf_prometheus *access, struct tm_error *err)
{
  char path[PATH_MAX];
  int pair[2];
  int rc = tm_child_find(HELPER, path, err);
  if (rc < 0)
    return rc;
  struct fetcher *f = calloc(1, sizeof(*f));
  if (f == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
    rc = tm_fail(err, -errno, "%s: %s", path, strerror(errno));
    free(f);
    return rc;
  }
  f->fd = pair[0];
  rc = spawn(&f->pid, path, pair[1]);
  close(pair[1]);
  if (rc < 0) {
    tm_fail(err, rc, "%s: %s", path, strerror(-rc));
    close(f->fd);
    free(f);
    return rc;
  }
  if (!introduce(f->fd, base_url, access)) {
    rc = tm_fail(err, -EPIPE, "%s cannot be told whom to ask: %s", HELPER, strerror(errno));
    fetcher_stop(f);
    return rc;
  }
  *out = f;
  return 0;
}

void fetcher_stop(struct fetcher *f)
{
  if (f == NULL)
    return;
  shutdown(f->fd,
           SHUT_RDWR); /* also where a request is under way: its answer can be written no more */
  close(f->fd);
  kill(f->pid, SIGTERM);
  while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
    continue;
  free(f);
}

/* "STATUS LENGTH\n", read byte by byte, for what follows is counted. */
static bool receive_head(int fd, long *status, size_t *len)
{
  char head[64];
  size_t n = 0;
  while (n < sizeof(head) - 1 && receive_all(fd, head + n, 1) && head[n] != '\n')
    n++;
  if (n == sizeof(head) - 1 || n == 0 || head[n] != '\n')
    return false;
  head[n] = '\0';
  char *space = strchr(head, ' ');
  int64_t number = 0;
  uint64_t bytes = 0;
  if (space == NULL)
    return false;
  *space = '\0';
  if (tm_parse_i64(head, -4096, 999, &number) < 0 ||
      tm_parse_u64(space + 1, 0, UINT32_MAX, &bytes) < 0)
    return false;
  *status = (long)number;
  *len = (size_t)bytes;
  return true;
}

int fetcher_ask(struct fetcher *f, const char *path, const char *form, long *status,
                struct tm_buf *body, struct tm_error *err)
{
  char chunk[16384];
  size_t len = 0;
  int rc = 0;
  tm_buf_reset(body);
  bool sent = send_text(f->fd, path) &&
              (form == NULL || (send_text(f->fd, " ") && send_text(f->fd, form))) &&
              send_text(f->fd, "\n");
  if (!sent || !receive_head(f->fd, status, &len))
    return tm_fail(err, -EPIPE, "%s has ended before its time", HELPER);
  while (len > 0) {
    size_t part = len < sizeof(chunk) ? len : sizeof(chunk);
    if (!receive_all(f->fd, chunk, part))
      return tm_fail(err, -EPIPE, "%s has ended before its time", HELPER);
    rc = rc < 0 ? rc : tm_buf_add(body, chunk, part);
    len -= part;
  }
  if (rc < 0)
    return tm_fail(err, rc, "%s: the answer is too large", path);
  if (*status < 0)
    return tm_fail(err, (int)*status, "%s", body->ptr != NULL ? body->ptr : "no answer");
  return 0;
}
