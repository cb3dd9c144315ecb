/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/helper.h"

#include "analyzer/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER "tidemark-graph"

extern char **environ;

/* in[0] and out[1] are the child's. */
static int helper_start(pid_t *pid, const char *path, const int in[2], const int out[2])
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  int rc = posix_spawn(pid, path, &actions, &attributes, (char *[]){(char *)HELPER, NULL}, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return -rc;
}

/* The helper reads everything before it writes, so one after the other cannot block. A helper that
 * ends early gives EPIPE; its exit status tells why. */
static void feed(int fd, const struct tm_buf *document)
{
  size_t done = 0;
  while (done < document->len) {
    ssize_t n = write(fd, document->ptr + done, document->len - done);
    if (n < 0 && errno != EINTR)
      return;
    done += n > 0 ? (size_t)n : 0;
  }
}

static int drain(int fd, struct tm_buf *picture)
{
  char chunk[65536];
  ssize_t n;
  int rc = 0;
  while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n > 0 && rc == 0)
      rc = tm_buf_add(picture, chunk, (size_t)n);
  }
  return rc;
}

static void close_pair(int pair[2])
{
  for (int i = 0; i < 2; i++) {
    if (pair[i] >= 0)
      close(pair[i]);
    pair[i] = -1;
  }
}

int graph_helper_run(const struct tm_buf *document, struct tm_buf *picture, struct tm_error *err)
{
  char path[PATH_MAX];
  int in[2] = {-1, -1};
  int out[2] = {-1, -1};
  int status = 0;
  pid_t pid = 0;
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  struct sigaction before;
  int rc = helper_find(HELPER, path, err);
  if (rc < 0)
    return rc;
  if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
    rc = -errno;
  if (rc == 0)
    rc = helper_start(&pid, path, in, out);
  if (rc < 0) {
    close_pair(in);
    close_pair(out);
    return tm_fail(err, rc, "%s: %s", path, strerror(-rc));
  }
  close(in[0]);
  close(out[1]);
  in[0] = out[1] = -1;
  sigaction(SIGPIPE, &ignore, &before);
  feed(in[1], document);
  close_pair(in);
  sigaction(SIGPIPE, &before, NULL);
  rc = drain(out[0], picture);
  close_pair(out);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (rc < 0)
    return tm_fail(err, rc, "%s: %s", path, strerror(-rc));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return tm_fail(err, -EIO, "%s: ended with status %d", path,
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
