/* SPDX-License-Identifier: MIT */
/* The URLs of devices. libcurl's parser is not used: libcurl is kept out of collectd's process. */
#include "plugins/ask.h"

#include "common/number.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int hex(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes src[0..len) into dst. -EINVAL: too long, a broken escape, a control byte. */
static int decode(char *dst, size_t size, const char *src, size_t len)
{
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    int c = (unsigned char)src[i];
    if (c == '%') {
      if (len - i < 3 || hex(src[i + 1]) < 0 || hex(src[i + 2]) < 0)
        return -EINVAL;
      c = hex(src[i + 1]) * 16 + hex(src[i + 2]);
      i += 2;
    }
    if (c < 0x20 || c == 0x7f || n + 1 >= size)
      return -EINVAL;
    dst[n++] = (char)c;
  }
  dst[n] = '\0';
  return 0;
}

/* Length of "scheme", 0 when the text does not begin with "scheme:". */
static size_t scheme_length(const char *text)
{
  size_t n = 0;
  while (isalnum((unsigned char)text[n]) || (n > 0 && strchr("+-.", text[n]) && text[n] != '\0'))
    n++;
  return text[n] == ':' && isalpha((unsigned char)text[0]) ? n : 0;
}

bool ask_url_looks_like(const char *text)
{
  return scheme_length(text) > 0;
}

/* "host", "host:161", "[::1]:161" */
static int parse_authority(const char *text, size_t len, struct ask_url *url)
{
  const char *end = text + len;
  const char *colon = NULL;
  if (len > 0 && text[0] == '[') {
    const char *close = memchr(text, ']', len);
    if (close == NULL || (close + 1 < end && close[1] != ':'))
      return -EINVAL;
    colon = close + 1 < end ? close + 1 : NULL;
    if (decode(url->host, sizeof(url->host), text + 1, (size_t)(close - text) - 1) < 0)
      return -EINVAL;
  } else {
    colon = memchr(text, ':', len);
    const char *stop = colon != NULL ? colon : end;
    if (decode(url->host, sizeof(url->host), text, (size_t)(stop - text)) < 0)
      return -EINVAL;
  }
  if (colon == NULL)
    return 0;
  char digits[8];
  uint64_t port = 0;
  if (decode(digits, sizeof(digits), colon + 1, (size_t)(end - colon) - 1) < 0 ||
      tm_parse_u64(digits, 1, 65535, &port) < 0)
    return -EINVAL;
  url->port = (unsigned)port;
  return 0;
}

int ask_url_parse(const char *text, struct ask_url *url, struct tm_error *err)
{
  struct ask_url u = {0};
  size_t scheme = scheme_length(text);
  if (scheme == 0 || scheme >= sizeof(u.scheme))
    return tm_fail(err, -EINVAL, "not a URL of a device; try block: or snmp://COMMUNITY@HOST");
  for (size_t i = 0; i < scheme; i++)
    u.scheme[i] = (char)tolower((unsigned char)text[i]);
  const char *rest = text + scheme + 1;
  if (strncmp(rest, "//", 2) != 0) {
    if (decode(u.path, sizeof(u.path), rest, strlen(rest)) < 0)
      return tm_fail(err, -EINVAL, "%s: the part after the colon cannot be read", u.scheme);
    *url = u;
    return 0;
  }
  rest += 2;
  size_t authority = strcspn(rest, "/");
  /* The last @ ends the user: a community string may hold one that was not escaped. */
  const char *at = memrchr(rest, '@', authority);
  if (at != NULL && decode(u.user, sizeof(u.user), rest, (size_t)(at - rest)) < 0)
    return tm_fail(err, -EINVAL, "%s: the part before @ cannot be read", u.scheme);
  const char *host = at != NULL ? at + 1 : rest;
  if (parse_authority(host, (size_t)(rest + authority - host), &u) < 0 || u.host[0] == '\0')
    return tm_fail(err, -EINVAL, "%s: host or port cannot be read", u.scheme);
  if (decode(u.path, sizeof(u.path), rest + authority, strlen(rest + authority)) < 0)
    return tm_fail(err, -EINVAL, "%s: the path cannot be read", u.scheme);
  *url = u;
  return 0;
}
