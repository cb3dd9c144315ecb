/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLIENTS_H
#define TM_DESK_CLIENTS_H

#include "contrib/desk/http/guard.h"

#include <sys/socket.h>

/*
 * Who is connected. libmicrohttpd's own timeout starts again with every byte; here a whole request
 * has a deadline, so that one who sends a byte now and then is cut. When connections are getting
 * few, those that have not said what they want are cut sooner.
 */
struct clients;
struct client;

struct clients_settings {
  size_t max, max_per_address;
  double request_s;                /* a whole request, from the connection or its first line on */
  double idle_s;                   /* between two requests */
  double hurry_s;                  /* request_s when three quarters of max are there */
  const struct guard_net *trusted; /* proxies: no limit per address */
  size_t trusted_len;
};

struct clients *clients_new(const struct clients_settings *settings);
/* All of them must have been removed. */
void clients_free(struct clients *c);

/* The address of a peer as 16 bytes; zeros for a Unix socket. */
void client_address(const struct sockaddr *peer, unsigned char out[16]);
/* May one more from there come? */
bool clients_admit(struct clients *c, const unsigned char address[16]);

/* NULL when memory is short. now is monotonic. */
struct client *client_add(struct clients *c, int fd, const unsigned char address[16], double now);
void client_remove(struct client *client);
const unsigned char *client_peer(const struct client *client);

/* The first line of a request is there. */
void client_begins(struct client *client, double now);
/* The request is whole: nobody cuts while it is worked on, or while events are sent. */
void client_works(struct client *client);
/* So many bytes go out. */
void client_writes(struct client *client, double now, size_t bytes);
/* All is sent; another request may follow. */
void client_idles(struct client *client, double now);

/* Cuts those whose time is over; returns how many. */
size_t clients_reap(struct clients *c, double now);
size_t clients_count(struct clients *c);

#endif
