/* SPDX-License-Identifier: MIT */
#include "plugins/border.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BORDER_NICE (-10)

struct border {
  int64_t t;
  void (*at)(int64_t border, void *user);
  void *user;
  int timer;
  int stop;
  pthread_t thread;
};

static int64_t last_border(int64_t t)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec / t * t;
}

/* Waits until the wall clock shows `border`. 1: it does; 0: the clock was set; -1: stop. */
static int wait_for(const struct border *b, int64_t border)
{
  struct itimerspec when = {.it_value.tv_sec = (time_t)border};
  if (timerfd_settime(b->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) < 0)
    return -1;
  struct pollfd fds[] = {{.fd = b->timer, .events = POLLIN}, {.fd = b->stop, .events = POLLIN}};
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR)
      return -1;
    if (fds[1].revents != 0)
      return -1;
    uint64_t expirations = 0;
    if (fds[0].revents != 0) {
      if (read(b->timer, &expirations, sizeof(expirations)) == sizeof(expirations))
        return 1;
      if (errno == ECANCELED)
        return 0;
    }
  }
}

/*
 * On a machine whose processors are all busy a thread that wakes waits its turn, 40 ms and more: a
 * tenth of a second decides whether the counts of a short interval are known. The lowest real-time
 * priority is enough to be first. Without it a better nice value is asked for, and without
 * that the thread stays as it is. What it starts does not inherit the priority.
 */
static void be_punctual(void)
{
  const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
  if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) < 0)
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), BORDER_NICE);
}

static void *run(void *user)
{
  struct border *b = user;
  be_punctual();
  int64_t next = last_border(b->t) + b->t;
  int woken = 0;
  while ((woken = wait_for(b, next)) >= 0) {
    int64_t reached = last_border(b->t);
    if (woken > 0 && reached >= next)
      b->at(reached, b->user);
    next = reached + b->t;
  }
  return NULL;
}

static void release(struct border *b)
{
  if (b->timer >= 0)
    close(b->timer);
  if (b->stop >= 0)
    close(b->stop);
  free(b);
}

int border_start(struct border **out, int64_t t, void (*at)(int64_t border, void *user), void *user,
                 struct tm_error *err)
{
  struct border *b = calloc(1, sizeof(*b));
  if (b == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  *b = (struct border){.t = t, .at = at, .user = user, .timer = -1, .stop = -1};
  b->timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  b->stop = eventfd(0, EFD_CLOEXEC);
  int rc = 0;
  if (b->timer < 0 || b->stop < 0) {
    rc = tm_fail(err, -errno, "cannot make a timer: %s", strerror(errno));
  } else {
    /* A thread begins with the mask of its maker. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = -pthread_create(&b->thread, NULL, run, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
      tm_fail(err, rc, "cannot start a thread: %s", strerror(-rc));
  }
  if (rc < 0)
    release(b);
  else
    *out = b;
  return rc;
}

void border_stop(struct border *b)
{
  if (b == NULL)
    return;
  const uint64_t one = 1;
  if (write(b->stop, &one, sizeof(one)) == sizeof(one))
    pthread_join(b->thread, NULL);
  release(b);
}
