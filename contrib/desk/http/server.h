/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_SERVER_H
#define TM_DESK_SERVER_H

#include "contrib/desk/http/exchange.h"
#include "contrib/desk/http/workers.h"

/*
 * One listening socket. libmicrohttpd's threads only move bytes: a request that is whole goes to
 * the workers while its connection is suspended, and their answer resumes it.
 */
struct server;

struct server_settings {
  const char *listen; /* "127.0.0.1:8080", "[::1]:8080"; port 0: any that is free */
  unsigned threads;   /* that talk to the network */
  size_t connections, connections_per_address;
  size_t body_bytes; /* of all requests that are being received together */
  int64_t request_s;
  const struct guard_net *trusted;
  size_t trusted_len;
  bool https; /* visitors come by https, whatever a proxy says */
  struct workers *workers;
  struct topics *topics; /* NULL: no events here */
  struct desk *desk;
  const struct route *const *routes;
  /* Fills x->response; runs in a worker. */
  void (*answer)(struct exchange *x);
};

/* Counted since the start; the sizes are of now. */
struct server_counts {
  uint64_t requests, refused, cut, turned_away, busy;
  size_t connections, body_bytes;
};

int server_start(struct server **s, const struct server_settings *settings, struct tm_error *err);
/* "http://127.0.0.1:8080". */
const char *server_url(const struct server *s);
void server_count(struct server *s, struct server_counts *out);
/* To be called about twice a second: cuts those whose time is over. now is monotonic. */
void server_beat(struct server *s, double now);
/* Takes no new connection, and waits until the requests that are here are answered, at most so
 * many seconds. */
void server_drain(struct server *s, double seconds);
/* After the workers have ended. */
void server_free(struct server *s);

/* For topics_new(). */
void server_wake(void *connection);

#endif
