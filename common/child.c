/* SPDX-License-Identifier: MIT */
#include "common/child.h"

#include "common/clock.h"
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 32 };

extern char **environ;

/* A program while it runs. fd goes both ways: sockets, for a write to a pipe whose reader has ended
 * raises a signal that is the whole process's. */
struct running {
  const struct tm_child *child;
  pid_t pid;
  int fd;
  size_t fed;
  bool unread;  /* not all of it could be given */
  double until; /* of tm_monotonic(); 0: never */
};

static bool is_there(char path[PATH_MAX], const char *folder, int len, const char *name)
{
  int n = snprintf(path, PATH_MAX, "%.*s/%s", len, folder, name);
  return n > 0 && n < PATH_MAX && access(path, X_OK) == 0;
}

int tm_child_find(const char *name, char path[PATH_MAX], struct tm_error *err)
{
  char self[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
  if (n > 0) {
    self[n] = '\0';
    if (is_there(path, self, (int)(strrchr(self, '/') - self), name))
      return 0;
  }
  if (is_there(path, TM_BINDIR, (int)strlen(TM_BINDIR), name) ||
      is_there(path, TM_LIBEXECDIR, (int)strlen(TM_LIBEXECDIR), name))
    return 0;
  return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
}

/* Nothing is inherited but standard error: no descriptors, no signal mask, no ignored SIGPIPE. */
static int start(struct running *r, const char *name, const char *path, int theirs)
{
  char *argv[MAX_ARGUMENTS + 2] = {(char *)name};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  sigset_t none;
  sigset_t pipe_signal;
  for (size_t i = 0; r->child->arguments != NULL && r->child->arguments[i] != NULL; i++) {
    if (i == MAX_ARGUMENTS)
      return -E2BIG;
    argv[i + 1] = (char *)r->child->arguments[i];
  }
  sigemptyset(&none);
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attr);
  posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_setsigmask(&attr, &none);
  posix_spawnattr_setsigdefault(&attr, &pipe_signal);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int rc = posix_spawn(&r->pid, path, &actions, &attr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attr);
  return -rc;
}

/* The next piece of input. A program that ends early leaves some unread: that is its own matter
 * where it says by its status why. 0, or a negative errno. */
static int feed(struct running *r)
{
  const char *data = r->child->input;
  size_t left = r->child->input_len - r->fed;
  if (left > 0) {
    ssize_t n = send(r->fd, data + r->fed, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return 0;
    r->unread = n < 0;
    r->fed += n > 0 ? (size_t)n : left;
  }
  /* Without an end it would wait for more for ever. */
  if (r->fed == r->child->input_len && shutdown(r->fd, SHUT_WR) < 0 && errno != ENOTCONN)
    return -errno;
  return 0;
}

/* 1 at the end of the output. */
static int drain(struct running *r)
{
  char chunk[65536];
  ssize_t n = recv(r->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
  if (n > 0)
    return tm_buf_add(r->child->output, chunk, (size_t)n);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  r->unread = r->unread || n < 0; /* a reset: it ended with input unread */
  return 1;
}

static int talk(struct running *r)
{
  int rc = feed(r);
  while (rc == 0) {
    bool feeding = r->fed < r->child->input_len;
    struct pollfd p = {.fd = r->fd, .events = feeding ? POLLIN | POLLOUT : POLLIN};
    double left = r->until - tm_monotonic();
    int wait = r->until <= 0 ? -1 : left <= 0 ? 0 : left > 3600 ? 3600000 : (int)(left * 1000) + 1;
    int n = poll(&p, 1, wait);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (r->until > 0 && tm_monotonic() >= r->until)
      return -ETIMEDOUT;
    if (n <= 0)
      continue;
    if (feeding && (p.revents & POLLOUT) != 0)
      rc = feed(r);
    if (rc == 0 && (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
      rc = drain(r);
  }
  return rc < 0 ? rc : 0;
}

int tm_child_run(const char *name, const struct tm_child *child, int *status, struct tm_error *err)
{
  struct running r = {.child = child};
  char path[PATH_MAX];
  int pair[2];
  int state = 0;
  int rc = tm_child_find(name, path, err);
  if (rc < 0)
    return rc;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  r.fd = pair[0];
  r.until = child->timeout_s > 0 ? tm_monotonic() + child->timeout_s : 0;
  rc = start(&r, name, path, pair[1]);
  close(pair[1]);
  if (rc == 0) {
    rc = talk(&r);
    if (rc < 0)
      kill(r.pid, SIGKILL);
    while (waitpid(r.pid, &state, 0) < 0 && errno == EINTR)
      continue;
  }
  close(r.fd);
  if (rc == -ETIMEDOUT)
    return tm_fail(err, rc, "%s: no answer in %g s", path, child->timeout_s);
  if (rc < 0)
    return tm_fail(err, rc, "%s: %s", path,
                   rc == -EFBIG ? "its answer is too large" : strerror(-rc));
  *status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  if (r.unread && *status == 0)
    return tm_fail(err, -EIO, "%s: ended before it had read everything", path);
  return 0;
}

int tm_child_must(const char *name, const struct tm_child *child, struct tm_error *err)
{
  int status = 0;
  int rc = tm_child_run(name, child, &status, err);
  if (rc < 0 || status == 0)
    return rc;
  return tm_fail(err, -EIO, "%s: ended with status %d", name, status);
}
