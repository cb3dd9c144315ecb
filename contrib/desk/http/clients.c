/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/clients.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOWEST_BYTES_PER_S 16384.0

struct client {
  struct client *next, *prev;       /* all of them */
  struct client *in_next, *in_prev; /* of the same bucket */
  struct clients *all;
  int fd;
  unsigned char address[16];
  double since;  /* of the connection, or of the end of the last request */
  double until;  /* to be cut then; 0: not at all */
  bool first;    /* no request was answered yet */
  bool unspoken; /* waits for a whole request */
  bool cut;
};

enum { BUCKETS = 1024 };

struct clients {
  struct clients_settings settings;
  pthread_mutex_t lock;
  struct client *list;
  struct client *buckets[BUCKETS];
  size_t len;
};

struct clients *clients_new(const struct clients_settings *settings)
{
  struct clients *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return NULL;
  c->settings = *settings;
  pthread_mutex_init(&c->lock, NULL);
  return c;
}

void clients_free(struct clients *c)
{
  if (c == NULL)
    return;
  pthread_mutex_destroy(&c->lock);
  free(c);
}

void client_address(const struct sockaddr *peer, unsigned char out[16])
{
  memset(out, 0, 16);
  if (peer->sa_family == AF_INET) {
    const struct sockaddr_in *four = (const void *)peer;
    out[10] = out[11] = 0xff;
    memcpy(out + 12, &four->sin_addr, 4);
  } else if (peer->sa_family == AF_INET6) {
    const struct sockaddr_in6 *six = (const void *)peer;
    memcpy(out, &six->sin6_addr, 16);
  }
}

/* Whoever has one IPv6 address has 2^64 of them: they count as one. */
static size_t counted_bytes(const unsigned char address[16])
{
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(address, mapped, 12) == 0 ? 16 : 8;
}

static size_t bucket_of(const unsigned char address[16])
{
  uint32_t hash = 2166136261u;
  size_t len = counted_bytes(address);
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ address[i]) * 16777619u;
  return hash % BUCKETS;
}

bool clients_admit(struct clients *c, const unsigned char address[16])
{
  size_t from_there = 0;
  size_t len = counted_bytes(address);
  if (guard_net_has(c->settings.trusted, c->settings.trusted_len, address))
    return true;
  pthread_mutex_lock(&c->lock);
  for (const struct client *i = c->buckets[bucket_of(address)]; i != NULL; i = i->in_next)
    from_there += memcmp(i->address, address, len) == 0;
  pthread_mutex_unlock(&c->lock);
  return from_there < c->settings.max_per_address;
}

struct client *client_add(struct clients *c, int fd, const unsigned char address[16], double now)
{
  struct client *client = calloc(1, sizeof(*client));
  if (client == NULL)
    return NULL;
  client->all = c;
  client->fd = fd;
  memcpy(client->address, address, 16);
  client->since = now;
  client->until = now + c->settings.request_s;
  client->first = client->unspoken = true;
  pthread_mutex_lock(&c->lock);
  struct client **bucket = &c->buckets[bucket_of(address)];
  client->next = c->list;
  client->in_next = *bucket;
  if (client->next != NULL)
    client->next->prev = client;
  if (client->in_next != NULL)
    client->in_next->in_prev = client;
  c->list = *bucket = client;
  c->len++;
  pthread_mutex_unlock(&c->lock);
  return client;
}

void client_remove(struct client *client)
{
  struct clients *c = client->all;
  pthread_mutex_lock(&c->lock);
  if (client->next != NULL)
    client->next->prev = client->prev;
  if (client->in_next != NULL)
    client->in_next->in_prev = client->in_prev;
  if (client->prev != NULL)
    client->prev->next = client->next;
  else
    c->list = client->next;
  if (client->in_prev != NULL)
    client->in_prev->in_next = client->in_next;
  else
    c->buckets[bucket_of(client->address)] = client->in_next;
  c->len--;
  pthread_mutex_unlock(&c->lock);
  free(client);
}

const unsigned char *client_peer(const struct client *client)
{
  return client->address;
}

static void set(struct client *client, double until, bool unspoken)
{
  pthread_mutex_lock(&client->all->lock);
  client->until = until;
  client->unspoken = unspoken;
  pthread_mutex_unlock(&client->all->lock);
}

void client_begins(struct client *client, double now)
{
  if (client->first) /* the time has run since the connection was made */
    return;
  client->since = now;
  set(client, now + client->all->settings.request_s, true);
}

void client_works(struct client *client)
{
  set(client, 0, false);
}

void client_writes(struct client *client, double now, size_t bytes)
{
  set(client, now + client->all->settings.request_s + (double)bytes / SLOWEST_BYTES_PER_S, false);
}

void client_idles(struct client *client, double now)
{
  client->first = false;
  client->since = now;
  set(client, now + client->all->settings.idle_s, true);
}

size_t clients_reap(struct clients *c, double now)
{
  size_t cut = 0;
  pthread_mutex_lock(&c->lock);
  bool hurry = c->len > c->settings.max - c->settings.max / 4;
  for (struct client *i = c->list; i != NULL; i = i->next) {
    bool over = i->until > 0 && now >= i->until;
    if (hurry && i->unspoken && now >= i->since + c->settings.hurry_s)
      over = true;
    if (!over || i->cut)
      continue;
    /* libmicrohttpd owns the descriptor: it finds it ended, and closes it. */
    shutdown(i->fd, SHUT_RDWR);
    i->cut = true;
    cut++;
  }
  pthread_mutex_unlock(&c->lock);
  return cut;
}

size_t clients_count(struct clients *c)
{
  pthread_mutex_lock(&c->lock);
  size_t len = c->len;
  pthread_mutex_unlock(&c->lock);
  return len;
}
