/* SPDX-License-Identifier: MIT */
#include "plugins/source/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct lookup {
  struct gaicb request;
  struct addrinfo hints;
  char host[NI_MAXHOST];
};

bool lookup_is_address(const char *host)
{
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM};
  struct addrinfo *found = NULL;
  bool is = getaddrinfo(host, NULL, &hints, &found) == 0;
  if (found != NULL)
    freeaddrinfo(found);
  return is;
}

struct lookup *lookup_start(const char *host, struct tm_error *err)
{
  struct lookup *l = calloc(1, sizeof(*l));
  struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
  if (l == NULL || strlen(host) >= sizeof(l->host)) {
    free(l);
    tm_fail(err, l == NULL ? -ENOMEM : -EINVAL, "%s: cannot be looked up", host);
    return NULL;
  }
  memcpy(l->host, host, strlen(host) + 1);
  l->hints.ai_socktype = SOCK_DGRAM;
  l->request = (struct gaicb){.ar_name = l->host, .ar_request = &l->hints};
  int code = getaddrinfo_a(GAI_NOWAIT, (struct gaicb *[]){&l->request}, 1, &quiet);
  if (code != 0) {
    tm_fail(err, -EHOSTUNREACH, "%s: %s", host, gai_strerror(code));
    free(l);
    return NULL;
  }
  return l;
}

int lookup_poll(struct lookup *l, char *address, size_t size, struct tm_error *err)
{
  int code = gai_error(&l->request);
  if (code == EAI_INPROGRESS)
    return -EAGAIN;
  const struct addrinfo *found = l->request.ar_result;
  if (code == 0)
    code = getnameinfo(found->ai_addr, found->ai_addrlen, address, (socklen_t)size, NULL, 0,
                       NI_NUMERICHOST);
  return code == 0 ? 0 : tm_fail(err, -EHOSTUNREACH, "%s: %s", l->host, gai_strerror(code));
}

void lookup_free(struct lookup *l)
{
  if (l == NULL)
    return;
  /* One that is under way cannot be taken back: the system still writes into it when it is over. */
  if (gai_error(&l->request) == EAI_INPROGRESS && gai_cancel(&l->request) == EAI_NOTCANCELED)
    return;
  if (l->request.ar_result != NULL)
    freeaddrinfo(l->request.ar_result);
  free(l);
}
