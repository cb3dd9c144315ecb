/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/listen.h"

#include "common/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union address {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
};

/* The length of the address; 0 when the text is none. */
static socklen_t parse(const char *text, union address *out)
{
  char host[64];
  uint64_t port;
  const char *colon = strrchr(text, ':');
  if (colon == NULL || tm_parse_u64(colon + 1, 0, 65535, &port) < 0)
    return 0;
  bool six = text[0] == '[' && colon > text && colon[-1] == ']';
  const char *from = text + six;
  size_t len = (size_t)(colon - from) - six;
  if (len >= sizeof(host))
    return 0;
  memcpy(host, from, len);
  host[len] = '\0';
  memset(out, 0, sizeof(*out));
  if (six) {
    out->six.sin6_family = AF_INET6;
    out->six.sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, host, &out->six.sin6_addr) == 1 ? sizeof(out->six) : 0;
  }
  out->four.sin_family = AF_INET;
  out->four.sin_port = htons((uint16_t)port);
  return inet_pton(AF_INET, host, &out->four.sin_addr) == 1 ? sizeof(out->four) : 0;
}

bool listen_is_loopback(const char *text)
{
  union address a;
  if (parse(text, &a) == 0)
    return false;
  if (a.any.sa_family == AF_INET)
    return ntohl(a.four.sin_addr.s_addr) >> 24 == 127;
  return IN6_IS_ADDR_LOOPBACK(&a.six.sin6_addr);
}

static void write_url(const union address *a, char *url, size_t size)
{
  char host[INET6_ADDRSTRLEN] = "";
  bool four = a->any.sa_family == AF_INET;
  inet_ntop(a->any.sa_family, four ? (const void *)&a->four.sin_addr : &a->six.sin6_addr, host,
            sizeof(host));
  snprintf(url, size, four ? "http://%s:%u" : "http://[%s]:%u", host,
           ntohs(four ? a->four.sin_port : a->six.sin6_port));
}

int listen_on(const char *address, char *url, size_t size, struct tm_error *err)
{
  union address a;
  int on = 1;
  socklen_t len = parse(address, &a);
  if (len == 0)
    return tm_fail(err, -EINVAL, "%s: ADDRESS:PORT in numbers is wanted", address);
  int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return tm_fail(err, -errno, "%s: %s", address, strerror(errno));
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
      (a.any.sa_family == AF_INET6 &&
       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
      bind(fd, &a.any, len) < 0 || listen(fd, BACKLOG) < 0 || getsockname(fd, &a.any, &len) < 0) {
    int rc = tm_fail(err, -errno, "%s: %s", address, strerror(errno));
    close(fd);
    return rc;
  }
  write_url(&a, url, size);
  return fd;
}
