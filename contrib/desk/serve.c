/* SPDX-License-Identifier: MIT */
#include "contrib/desk/serve.h"

#include "common/clock.h"
#include "common/log.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/clerk.h"
#include "contrib/desk/http/dispatch.h"
#include "contrib/desk/hooks/deliver.h"
#include "contrib/desk/http/server.h"
#include "contrib/desk/mail/sender.h"
#include "contrib/desk/people/accounts.h"
#include "contrib/desk/people/people.h"
#include "contrib/desk/public/products.h"
#include "contrib/desk/work/relay.h"
#include "contrib/desk/work/chores.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { WAITING = 1024, DRAIN_S = 20, ADMIN_THREADS = 1, OWN_FILES = 256 };

/* How many connections the system has descriptors for, beside those that the desk itself needs: a
 * crowd must not take them. Said once where that is less than was asked for. */
static uint64_t connections_held(const struct desk_conf *conf)
{
  struct rlimit limit;
  uint64_t wanted = conf->limits.connections;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted + OWN_FILES)
    return wanted;
  struct rlimit more = {.rlim_cur = wanted + OWN_FILES, .rlim_max = limit.rlim_max};
  if (more.rlim_cur > limit.rlim_max)
    more.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &more) == 0)
    limit = more;
  if (limit.rlim_cur >= wanted + OWN_FILES)
    return wanted;
  uint64_t held = limit.rlim_cur > 2 * OWN_FILES ? limit.rlim_cur - OWN_FILES : limit.rlim_cur / 2;
  if (held > wanted)
    held = wanted;
  tm_log_warning("only %llu files may be open: connections: %llu, not %llu",
                 (unsigned long long)limit.rlim_cur, (unsigned long long)held,
                 (unsigned long long)wanted);
  return held;
}

/* "READY=1" to the service manager that started us, if one did: what sd_notify(3) does. */
static void notify(const char *state)
{
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
    return;
  memcpy(to.sun_path, path, strlen(path));
  socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  if (path[0] == '@')
    to.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, len) < 0)
    tm_log_warning("%s: %s", path, strerror(errno));
  close(fd);
}

static int open_parts(struct desk *desk, struct tm_error *err)
{
  const struct desk_conf *conf = desk->conf;
  char path[4096];
  struct store_settings settings = {.url = conf->database,
                                    .password_file = conf->database_password_file,
                                    .connections = (unsigned)conf->limits.workers + 1};
  int rc = desk_load_pages(desk, err);
  snprintf(path, sizeof(path), "%s/static", conf->data_dir);
  if (rc == 0)
    rc = assets_load(&desk->assets, path, conf->javascript_dir, err);
  if (rc == 0)
    rc = store_open(&desk->store, &settings, err);
  if (rc < 0)
    return rc;
  desk->people = people_new();
  desk->products = products_new();
  desk->topics = topics_new(conf->limits.streams, server_wake);
  if (desk->people == NULL || desk->products == NULL || desk->topics == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  return workers_new(&desk->workers, (unsigned)conf->limits.workers, WAITING, err);
}

static int open_servers(struct desk *desk, uint64_t connections, struct tm_error *err)
{
  const struct desk_conf *conf = desk->conf;
  struct server_settings settings = {
      .listen = conf->listen,
      .threads = 2,
      .connections = connections,
      .connections_per_address = conf->limits.connections_per_address,
      .body_bytes = conf->limits.body_bytes,
      .request_s = conf->limits.request_s,
      .trusted = conf->trusted,
      .trusted_len = conf->trusted_len,
      .https = conf->https,
      .workers = desk->workers,
      .topics = desk->topics,
      .desk = desk,
      .routes = desk_routes,
      .answer = dispatch,
  };
  int rc = server_start(&desk->server, &settings, err);
  if (rc < 0 || conf->admin_listen == NULL)
    return rc;
  settings.listen = conf->admin_listen;
  settings.threads = ADMIN_THREADS;
  settings.connections = 64;
  settings.connections_per_address = 64;
  settings.topics = NULL;
  settings.routes = desk_admin_routes;
  settings.answer = dispatch_admin;
  settings.https = false;
  return server_start(&desk->admin, &settings, err);
}

/* Threads that work by themselves. */
struct own_work {
  struct relay *relay;
  struct chores *chores;
  struct sender *sender;
  struct deliverer *deliverer;
};

static int start_work(struct own_work *w, const struct desk *desk, struct tm_error *err)
{
  int rc = chores_start(&w->chores, desk, err);
  if (rc == 0)
    rc = sender_start(&w->sender, desk->store, desk->conf, err);
  return rc == 0 ? deliver_start(&w->deliverer, desk->store, err) : rc;
}

static void close_all(struct desk *desk, struct own_work *own)
{
  if (desk->topics != NULL)
    topics_close(desk->topics);
  if (desk->server != NULL)
    server_drain(desk->server, DRAIN_S);
  if (desk->admin != NULL)
    server_drain(desk->admin, 1);
  clerk_end(desk->clerk);
  chores_end(own->chores);
  sender_end(own->sender);
  deliver_end(own->deliverer);
  workers_free(desk->workers);
  relay_end(own->relay);
  server_free(desk->server);
  server_free(desk->admin);
  topics_free(desk->topics);
  people_free(desk->people);
  products_free(desk->products);
  if (desk->store != NULL)
    store_close(desk->store);
  assets_free(desk->assets);
  templates_free(desk->templates);
}

/* The very first start has nobody who could let others in: a link for the first administrator. */
static int greet(struct desk *desk, struct tm_error *err)
{
  struct account first = {.now = desk->now(), .by = "desk"};
  int rc = store_write(desk->store, &db_everyone, account_first, &first, err);
  if (rc < 0)
    return rc;
  if (first.id != 0)
    printf("first administrator, once, within %d hours: %s/login/%s\n", LINK_HOURS, desk_url(desk),
           first.secret);
  if (desk->admin != NULL)
    printf("health and metrics at %s\n", server_url(desk->admin));
  printf("serving at %s\n", server_url(desk->server));
  return fflush(stdout) == 0 ? 0 : tm_fail(err, -EIO, "standard output: cannot be written");
}

/* Cuts who is slow, lets streams be heard of, and waits for the end. */
static void run(struct desk *desk, const sigset_t *ends)
{
  struct timespec pause = {.tv_nsec = 500000000};
  while (sigtimedwait(ends, NULL, &pause) < 0) {
    double now = tm_monotonic();
    server_beat(desk->server, now);
    if (desk->admin != NULL)
      server_beat(desk->admin, now);
    topics_beat(desk->topics, now);
  }
}

/* A worker's memory comes and goes by the megabyte with each batch of a site: giving it back to the
 * system each time costs more than the work. And it is hundreds of small parts of each event's
 * tree: where what is free of them is kept apart (fast bins), all of it is put together again
 * whenever something larger is asked for, which took an eighth of the time. */
static void set_up_memory(void)
{
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_MXFAST, 0);
}

int serve(const struct desk_conf *conf)
{
  struct tm_error err = {0};
  struct own_work own = {0};
  struct desk desk = {.conf = conf, .now = tm_now, .started_at = tm_now()};
  sigset_t ends;
  set_up_memory();
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  /* Before there are threads, so that none of them takes it. */
  pthread_sigmask(SIG_BLOCK, &ends, NULL);
  signal(SIGPIPE, SIG_IGN);
  uint64_t connections = connections_held(conf);
  int rc = open_parts(&desk, &err);
  if (rc == 0)
    rc = relay_start(&own.relay, &desk, &err);
  if (rc == 0)
    rc = clerk_start(&desk.clerk, &desk, &err);
  if (rc == 0)
    rc = open_servers(&desk, connections, &err);
  if (rc == 0)
    rc = start_work(&own, &desk, &err);
  if (rc == 0)
    rc = greet(&desk, &err);
  if (rc == 0) {
    notify("READY=1");
    run(&desk, &ends);
    notify("STOPPING=1");
  } else {
    tm_log_error("%s", err.text);
  }
  close_all(&desk, &own);
  return tm_exit_status(rc);
}
