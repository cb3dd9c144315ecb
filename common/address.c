/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HIDDEN "(address)"

/* Whether so many characters are an address of the family. */
static bool is_address(int family, const char *p, size_t len)
{
  char word[INET6_ADDRSTRLEN];
  unsigned char binary[sizeof(struct in6_addr)];
  if (len == 0 || len >= sizeof(word))
    return false;
  memcpy(word, p, len);
  word[len] = '\0';
  return inet_pton(family, word, binary) == 1;
}

/* The address that a run of these characters is, but for points behind it; its length or 0. */
static size_t run(int family, const char *p, const char *of)
{
  size_t len = strspn(p, of);
  if (isalnum((unsigned char)p[len]))
    return 0;
  while (len > 0 && (p[len - 1] == '.' || (p[len - 1] == ':' && !is_address(family, p, len))))
    len--;
  return is_address(family, p, len) ? len : 0;
}

/* "00:17:c8:b9:02:de", "00-17-C8-B9-02-DE": its length or 0. */
static size_t hardware(const char *p)
{
  for (size_t i = 0; i < 17; i++)
    if (i % 3 == 2 ? (p[i] != ':' && p[i] != '-') || p[i] != p[2] : !isxdigit((unsigned char)p[i]))
      return 0;
  return isalnum((unsigned char)p[17]) ? 0 : 17;
}

static size_t address(const char *p)
{
  size_t len = run(AF_INET, p, ".0123456789");
  if (len == 0)
    len = hardware(p);
  return len > 0 ? len : run(AF_INET6, p, ":.0123456789abcdefABCDEF");
}

void tm_address_hide(char *dst, size_t size, const char *text)
{
  size_t out = 0;
  bool inside = false; /* a word, within which no address begins */
  for (const char *p = text; *p != '\0' && out + 1 < size;) {
    size_t len = inside ? 0 : address(p);
    const char *put = len > 0 ? HIDDEN : p;
    size_t put_len = len > 0 ? strlen(HIDDEN) : 1;
    if (put_len >= size - out)
      break;
    memcpy(dst + out, put, put_len);
    out += put_len;
    p += len > 0 ? len : 1;
    inside = isalnum((unsigned char)p[-1]) || (p[-1] == '.' && isdigit((unsigned char)*p));
  }
  dst[out] = '\0';
}

bool tm_address_is_loopback(const char *host, size_t len)
{
  return (len == 9 && strncasecmp(host, "localhost", len) == 0) ||
         (len == 5 && memcmp(host, "[::1]", len) == 0) ||
         (len > 4 && memcmp(host, "127.", 4) == 0 && is_address(AF_INET, host, len));
}
