/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/server.h"

#include "common/clock.h"
#include "contrib/desk/http/clients.h"
#include "contrib/desk/http/listen.h"
#include "contrib/desk/http/mhd_response.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  CONNECTION_MEMORY = 32768, /* headers included */
  OVERRUN = 1 << 20,         /* of a body that is too long: read on, so that the answer is seen */
  IDLE_S = 15,
  HURRY_S = 5,
};

struct server {
  struct server_settings settings;
  struct MHD_Daemon *daemon;
  MHD_socket quiet; /* that took connections until server_drain */
  struct clients *clients;
  char url[96];
  atomic_size_t body_bytes, running;
  atomic_uint_fast64_t requests, refused, cut, turned_away, busy;
};

/* One request on its way. */
struct passage {
  struct server *server;
  struct MHD_Connection *connection;
  struct client *client;
  struct exchange *exchange; /* once the head was seen and let through */
  struct guard_body body;
  char *target;   /* as it came, query included */
  size_t seen;    /* bytes of the body, those dropped included */
  size_t counted; /* of server->body_bytes */
  enum { HEAD, BODY, WORKING, ANSWERED } at;
};

static double now_s(void)
{
  return tm_monotonic();
}

/* --- connections ------------------------------------------------------------------------------ */

static enum MHD_Result admit(void *cls, const struct sockaddr *peer, socklen_t len)
{
  struct server *s = cls;
  unsigned char address[16];
  (void)len;
  client_address(peer, address);
  if (clients_admit(s->clients, address))
    return MHD_YES;
  s->turned_away++;
  return MHD_NO;
}

static void connected(void *cls, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode what)
{
  struct server *s = cls;
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
    if (*context != NULL)
      client_remove(*context);
    return;
  }
  unsigned char address[16] = {0};
  const union MHD_ConnectionInfo *peer =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const union MHD_ConnectionInfo *fd =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (peer != NULL)
    client_address(peer->client_addr, address);
  *context = fd != NULL ? client_add(s->clients, fd->connect_fd, address, now_s()) : NULL;
}

static struct client *client_of(struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info != NULL ? info->socket_context : NULL;
}

/* The first line of a request is there: its passage begins. */
static void *begin(void *cls, const char *target, struct MHD_Connection *connection)
{
  struct server *s = cls;
  struct passage *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return NULL;
  p->server = s;
  p->connection = connection;
  p->client = client_of(connection);
  p->target = strdup(target);
  if (p->client != NULL)
    client_begins(p->client, now_s());
  s->running++;
  return p;
}

static void completed(void *cls, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode how)
{
  struct passage *p = *context;
  (void)cls;
  (void)connection;
  (void)how;
  if (p == NULL)
    return;
  if (p->client != NULL)
    client_idles(p->client, now_s());
  p->server->body_bytes -= p->counted;
  p->server->running--;
  exchange_free(p->exchange);
  free(p->target);
  free(p);
  *context = NULL;
}

/* --- answering -------------------------------------------------------------------------------- */

/* What is said before there is an exchange: to a program that does not speak HTTP as it should. */
static enum MHD_Result refuse(struct passage *p, int status, const char *why)
{
  size_t len = 0;
  p->server->refused++;
  struct MHD_Response *response = mhd_refusal(status, why, &len);
  if (response == NULL)
    return MHD_NO;
  p->at = ANSWERED;
  if (p->client != NULL)
    client_writes(p->client, now_s(), len);
  enum MHD_Result rc = MHD_queue_response(p->connection, (unsigned)status, response);
  MHD_destroy_response(response);
  return rc;
}

void server_wake(void *connection)
{
  MHD_resume_connection(connection);
}

/* A worker is done with it. */
static enum MHD_Result send_answer(struct passage *p)
{
  struct response *from = &p->exchange->response;
  size_t len = 0;
  struct MHD_Response *response =
      mhd_response(p->exchange, p->server->settings.topics, p->connection, &len);
  p->at = ANSWERED;
  if (response == NULL && from->topic != NULL)
    return refuse(p, 503, "too many event streams are open");
  if (response == NULL)
    return MHD_NO;
  if (p->client != NULL && from->topic == NULL)
    client_writes(p->client, now_s(), len);
  enum MHD_Result rc = MHD_queue_response(p->connection, (unsigned)from->status, response);
  MHD_destroy_response(response);
  return rc;
}

static void work(void *arg)
{
  struct passage *p = arg;
  p->server->settings.answer(p->exchange);
  MHD_resume_connection(p->connection);
}

/* --- receiving -------------------------------------------------------------------------------- */

struct head_reader {
  struct header *headers;
  size_t len;
};

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
  struct head_reader *reader = cls;
  (void)kind;
  if (reader->len < GUARD_HEADERS)
    reader->headers[reader->len] = (struct header){name, value != NULL ? value : ""};
  return ++reader->len <= GUARD_HEADERS ? MHD_YES : MHD_NO;
}

static enum MHD_Result count_one(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
  (void)cls;
  (void)kind;
  (void)name;
  (void)value;
  return MHD_NO;
}

/* Who asks, and how it came here. */
static void describe(struct passage *p, struct exchange *x, const char *method, char *path)
{
  const struct server_settings *settings = &p->server->settings;
  static const unsigned char nowhere[16];
  const unsigned char *peer = p->client != NULL ? client_peer(p->client) : nowhere;
  struct request *r = &x->request;
  char *address = exchange_alloc(x, GUARD_ADDRESS);
  r->desk = settings->desk;
  const char *kept = request_keep(r, method);
  r->method = kept != NULL ? kept : ""; /* exchange_decode() refuses what is short of memory */
  r->path = path;
  r->route = x->match.route;
  if (address != NULL) {
    guard_visitor(settings->trusted, settings->trusted_len, peer,
                  request_header(r, "x-forwarded-for"), address);
    r->address = address;
  }
  r->by_proxy = guard_net_has(settings->trusted, settings->trusted_len, peer);
  const char *by = r->by_proxy ? request_header(r, "x-forwarded-proto") : NULL;
  r->secure = settings->https || (by != NULL && strcmp(by, "https") == 0);
}

/* The head is there: what is not taken is refused before a byte of the body is read. */
static enum MHD_Result read_head(struct passage *p, const char *method, const char *version)
{
  const struct server_settings *settings = &p->server->settings;
  struct header headers[GUARD_HEADERS];
  struct head_reader reader = {headers, 0};
  const char *why = NULL;
  if (p->target == NULL)
    return MHD_NO;
  MHD_get_connection_values(p->connection, MHD_HEADER_KIND, take_header, &reader);
  struct guard_head head = {method, p->target, version, headers, reader.len};
  int status = guard_check(&head, &p->body, &why);
  if (status != 0)
    return refuse(p, status, why);
  struct exchange *x = p->exchange = exchange_new();
  char *path = x != NULL ? exchange_alloc(x, strlen(p->target) + 1) : NULL;
  if (path == NULL)
    return MHD_NO;
  size_t path_len = strcspn(p->target, "?");
  memcpy(path, p->target, path_len);
  path[path_len] = '\0';
  memcpy(x->headers, headers, reader.len * sizeof(headers[0]));
  x->headers_len = reader.len;
  x->found = route_find(settings->routes, method, path, &x->match);
  size_t max = x->found == 200 ? x->match.route->max_body : 0;
  x->body.max = max;
  describe(p, x, method, path);
  p->at = BODY;
  if (p->body.length > max + OVERRUN)
    return refuse(p, 413, "the body is too long");
  return MHD_YES;
}

/* The rest is read on and dropped. What is here is given up at once: nobody else is refused for it.
 */
static enum MHD_Result refuse_body(struct passage *p, int status, const char *why)
{
  p->exchange->refused = status;
  p->exchange->reason = why;
  p->server->body_bytes -= p->counted;
  p->counted = 0;
  tm_buf_release(&p->exchange->body);
  return MHD_YES;
}

static enum MHD_Result read_body(struct passage *p, const char *data, size_t *len)
{
  struct server *s = p->server;
  struct exchange *x = p->exchange;
  size_t n = *len;
  *len = 0;
  p->seen += n;
  if (p->seen > x->body.max + OVERRUN)
    return MHD_NO;
  if (x->refused != 0)
    return MHD_YES;
  if (p->seen > x->body.max)
    return refuse_body(p, 413, x->body.max > 0 ? "the body is too long" : "no body is taken here");
  p->counted += n;
  if (atomic_fetch_add(&s->body_bytes, n) + n > s->settings.body_bytes ||
      tm_buf_add(&x->body, data, n) < 0)
    return refuse_body(p, 503,
                       "too much is being received at the same time: try again in a moment");
  return MHD_YES;
}

static enum MHD_Result read_end(struct passage *p)
{
  struct server *s = p->server;
  struct exchange *x = p->exchange;
  const char *query = strchr(p->target, '?');
  if (MHD_get_connection_values(p->connection, MHD_FOOTER_KIND, count_one, NULL) > 0)
    return refuse(p, 400, "neither trailers nor upgrades are taken");
  s->requests++;
  x->request.now = tm_now();
  int status = exchange_decode(x, query != NULL ? query + 1 : NULL);
  if (x->refused == 0)
    x->refused = status;
  if (p->client != NULL)
    client_works(p->client);
  p->at = WORKING;
  MHD_suspend_connection(p->connection);
  if (workers_do(s->settings.workers, work, p))
    return MHD_YES;
  s->busy++;
  x->response.status = 503;
  x->response.content_type = "text/plain; charset=utf-8";
  tm_buf_puts(&x->response.body, "503: too much to do, try again in a moment\n");
  respond_header(&x->response, "Retry-After", "1");
  MHD_resume_connection(p->connection);
  return MHD_YES;
}

/* Called when the head is there, for each piece of the body, at its end, and after each resume. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **context)
{
  struct passage *p = *context;
  (void)cls;
  (void)connection;
  (void)url;
  if (p == NULL)
    return MHD_NO;
  switch (p->at) {
  case HEAD:
    return read_head(p, method, version);
  case BODY:
    return *len > 0 ? read_body(p, data, len) : read_end(p);
  case WORKING:
    return send_answer(p);
  default:
    return MHD_NO;
  }
}

/* --- life ------------------------------------------------------------------------------------- */

static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
  (void)cls;
  (void)connection;
  return strlen(text); /* the guard decodes, and refuses what does not decode */
}

static int start_daemon(struct server *s, int fd, struct tm_error *err)
{
  const struct server_settings *settings = &s->settings;
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
  s->daemon = MHD_start_daemon(
      flags, 0, admit, s, handle, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
      settings->threads > 1 ? settings->threads : 0, MHD_OPTION_CONNECTION_LIMIT,
      (unsigned)settings->connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK, begin, s,
      MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_NOTIFY_CONNECTION, connected, s,
      MHD_OPTION_END);
  if (s->daemon == NULL)
    return tm_fail(err, -EIO, "%s: the HTTP server does not start: %s", settings->listen,
                   strerror(errno));
  return 0;
}

int server_start(struct server **out, const struct server_settings *settings, struct tm_error *err)
{
  struct server *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->settings = *settings;
  s->quiet = MHD_INVALID_SOCKET;
  struct clients_settings c = {.max = settings->connections,
                               .max_per_address = settings->connections_per_address,
                               .request_s = (double)settings->request_s,
                               .idle_s = IDLE_S,
                               .hurry_s = HURRY_S,
                               .trusted = settings->trusted,
                               .trusted_len = settings->trusted_len};
  s->clients = clients_new(&c);
  int fd = s->clients != NULL ? listen_on(settings->listen, s->url, sizeof(s->url), err)
                              : tm_fail(err, -ENOMEM, "out of memory");
  int rc = fd < 0 ? fd : start_daemon(s, fd, err);
  if (rc == 0) {
    *out = s;
    return 0;
  }
  if (fd >= 0)
    close(fd);
  clients_free(s->clients);
  free(s);
  return rc;
}

const char *server_url(const struct server *s)
{
  return s->url;
}

void server_count(struct server *s, struct server_counts *out)
{
  *out = (struct server_counts){s->requests,    s->refused, s->cut,
                                s->turned_away, s->busy,    clients_count(s->clients),
                                s->body_bytes};
}

void server_beat(struct server *s, double now)
{
  s->cut += clients_reap(s->clients, now);
}

void server_drain(struct server *s, double seconds)
{
  double until = now_s() + seconds;
  /* Not closed yet: a thread of the daemon may just be about to take a connection from it. */
  s->quiet = MHD_quiesce_daemon(s->daemon);
  if (s->quiet != MHD_INVALID_SOCKET)
    shutdown(s->quiet, SHUT_RDWR);
  while (s->running > 0 && now_s() < until) {
    server_beat(s, now_s());
    usleep(20000);
  }
}

void server_free(struct server *s)
{
  if (s == NULL)
    return;
  MHD_stop_daemon(s->daemon);
  if (s->quiet != MHD_INVALID_SOCKET)
    close(s->quiet);
  clients_free(s->clients);
  free(s);
}
