/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/guard.h"

#include "common/number.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int refuse(const char **why, int status, const char *text)
{
  *why = text;
  return status;
}

/* What RFC 9110 calls a token. */
static bool is_token(const char *text, size_t max)
{
  size_t len = 0;
  for (; text[len] != '\0'; len++) {
    unsigned char c = (unsigned char)text[len];
    if (len == max || c >= 0x80 || (!isalnum(c) && strchr("!#$%&'*+-.^_`|~", c) == NULL))
      return false;
  }
  return len > 0;
}

static bool has_control(const char *text, bool lines)
{
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if ((c < 0x20 || c == 0x7f) && !(c == '\t' || (lines && (c == '\n' || c == '\r'))))
      return true;
  }
  return false;
}

static int hex(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool guard_decode(const char *text, size_t len, bool form, bool lines, char *out)
{
  char *to = out;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (c == '%') {
      int high = len - i > 2 ? hex(text[i + 1]) : -1;
      int low = len - i > 2 ? hex(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return false;
      c = (char)(high * 16 + low);
      i += 2;
      if (c == '\0')
        return false;
    } else if (form && c == '+') {
      c = ' ';
    }
    *to++ = c;
  }
  *to = '\0';
  return guard_is_text(out, lines);
}

bool guard_is_text(const char *text, bool lines)
{
  return !has_control(text, lines) && tm_text_is_utf8(text);
}

/* A path: whole segments, none of which climbs, whatever they are written like. */
static bool is_path(const char *path, size_t len)
{
  char segment[GUARD_TARGET + 1];
  for (size_t from = 1; from <= len; from++) {
    size_t to = from;
    while (to < len && path[to] != '/')
      to++;
    if (!guard_decode(path + from, to - from, false, false, segment))
      return false;
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 || strchr(segment, '\\') != NULL ||
        strstr(segment, "../") != NULL || strstr(segment, "/..") != NULL)
      return false;
    if (to == from && len > 1 && to < len)
      return false;
    from = to;
  }
  return true;
}

static int check_target(const char *target, const char **why)
{
  size_t len = strlen(target);
  if (len > GUARD_TARGET)
    return refuse(why, 414, "the address is too long");
  if (target[0] != '/')
    return refuse(why, 400, "the address must be a path");
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)target[i] <= 0x20 || (unsigned char)target[i] >= 0x7f)
      return refuse(why, 400, "the address has bytes that must be percent-encoded");
  }
  if (!is_path(target, strcspn(target, "?")))
    return refuse(why, 400, "the path is not a clean one");
  return 0;
}

static bool is_host(const char *value)
{
  size_t len = strlen(value);
  return len > 0 && len <= 255 &&
         strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
             len;
}

static bool is_length(const char *value)
{
  size_t len = strspn(value, "0123456789");
  return len >= 1 && len <= 12 && value[len] == '\0';
}

struct tally {
  const char *length, *coding, *host, *expect;
  unsigned lengths, codings, hosts;
  bool trailer, upgrade;
};

static void tally_header(struct tally *t, const struct header *h)
{
  if (strcasecmp(h->name, "content-length") == 0) {
    t->length = h->value;
    t->lengths++;
  } else if (strcasecmp(h->name, "transfer-encoding") == 0) {
    t->coding = h->value;
    t->codings++;
  } else if (strcasecmp(h->name, "host") == 0) {
    t->host = h->value;
    t->hosts++;
  } else if (strcasecmp(h->name, "trailer") == 0) {
    t->trailer = true;
  } else if (strcasecmp(h->name, "upgrade") == 0) {
    t->upgrade = true;
  } else if (strcasecmp(h->name, "connection") == 0) {
    t->upgrade = t->upgrade || strcasestr(h->value, "upgrade") != NULL;
  } else if (strcasecmp(h->name, "expect") == 0) {
    t->expect = h->value;
  }
}

/* How long the body is must be said once and in one way. */
static int check_tally(const struct tally *t, bool old, struct guard_body *body, const char **why)
{
  if (t->lengths > 0 && t->codings > 0)
    return refuse(why, 400, "Content-Length and Transfer-Encoding exclude each other");
  if (t->lengths > 1 || t->codings > 1)
    return refuse(why, 400, "the length of the body is said twice");
  if (t->hosts > 1 || (!old && t->hosts == 0) || (t->hosts == 1 && !is_host(t->host)))
    return refuse(why, 400, "one valid Host is wanted");
  if (t->lengths == 1 && !is_length(t->length))
    return refuse(why, 400, "Content-Length is not a number of at most 12 digits");
  if (t->codings == 1 && (old || strcasecmp(t->coding, "chunked") != 0))
    return refuse(why, 400, "this Transfer-Encoding is not taken");
  if (t->trailer || t->upgrade)
    return refuse(why, 400, "neither trailers nor upgrades are taken");
  if (t->expect != NULL && strcasecmp(t->expect, "100-continue") != 0)
    return refuse(why, 417, "this expectation is not met");
  body->chunked = t->codings == 1;
  body->length = t->lengths == 1 ? strtoull(t->length, NULL, 10) : 0;
  return 0;
}

int guard_check(const struct guard_head *head, struct guard_body *body, const char **why)
{
  struct tally t = {0};
  size_t bytes = 0;
  bool old = strcmp(head->version, "HTTP/1.0") == 0;
  if (!old && strcmp(head->version, "HTTP/1.1") != 0)
    return refuse(why, 505, "HTTP/1.1 is wanted");
  if (!is_token(head->method, 16))
    return refuse(why, 400, "this method is none");
  int status = check_target(head->target, why);
  if (status != 0)
    return status;
  if (head->headers_len > GUARD_HEADERS)
    return refuse(why, 431, "too many headers");
  for (size_t i = 0; i < head->headers_len; i++) {
    const struct header *h = &head->headers[i];
    bytes += strlen(h->name) + strlen(h->value) + 4;
    if (bytes > GUARD_HEADERS_BYTES)
      return refuse(why, 431, "the headers are too long");
    if (!is_token(h->name, 128))
      return refuse(why, 400, "a header's name is none");
    if (has_control(h->value, false) || !tm_text_is_utf8(h->value))
      return refuse(why, 400, "a header's value has control bytes, or is not UTF-8");
    tally_header(&t, h);
  }
  return check_tally(&t, old, body, why);
}

/* --- addresses ------------------------------------------------------------------------------ */

static bool parse_address(const char *text, unsigned char address[16])
{
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
  unsigned char four[4];
  if (inet_pton(AF_INET, text, four) == 1) {
    memcpy(address, mapped, 12);
    memcpy(address + 12, four, 4);
    return true;
  }
  return inet_pton(AF_INET6, text, address) == 1;
}

static void address_text(const unsigned char address[16], char out[GUARD_ADDRESS])
{
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
  bool four = memcmp(address, mapped, 12) == 0;
  if (inet_ntop(four ? AF_INET : AF_INET6, four ? address + 12 : address, out, GUARD_ADDRESS) ==
      NULL)
    out[0] = '\0';
}

bool guard_net_parse(const char *text, struct guard_net *net)
{
  char copy[64];
  uint64_t bits = 128;
  size_t len = strcspn(text, "/");
  if (len >= sizeof(copy))
    return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  bool four = strchr(copy, ':') == NULL;
  if (!parse_address(copy, net->address))
    return false;
  if (text[len] == '/') {
    if (tm_parse_u64(text + len + 1, 0, four ? 32 : 128, &bits) < 0)
      return false;
    bits += four ? 96 : 0;
  }
  net->bits = (int)bits;
  return true;
}

bool guard_net_has(const struct guard_net *nets, size_t len, const unsigned char address[16])
{
  for (size_t i = 0; i < len; i++) {
    size_t whole = (size_t)nets[i].bits / 8;
    int rest = nets[i].bits % 8;
    unsigned char mask = (unsigned char)(0xff00 >> rest);
    if (memcmp(nets[i].address, address, whole) == 0 &&
        (rest == 0 || ((nets[i].address[whole] ^ address[whole]) & mask) == 0))
      return true;
  }
  return false;
}

void guard_visitor(const struct guard_net *nets, size_t len, const unsigned char peer[16],
                   const char *forwarded, char out[GUARD_ADDRESS])
{
  unsigned char address[16], seen[16];
  memcpy(address, peer, 16);
  const char *end = forwarded != NULL ? forwarded + strlen(forwarded) : NULL;
  /* From the right: each trusted proxy vouches for the one before it. */
  while (end != NULL && guard_net_has(nets, len, address)) {
    const char *from = end;
    char text[64];
    while (from > forwarded && from[-1] != ',')
      from--;
    const char *next = from > forwarded ? from - 1 : NULL;
    while (from < end && *from == ' ')
      from++;
    while (end > from && end[-1] == ' ')
      end--;
    snprintf(text, sizeof(text), "%.*s", (int)(end - from), from);
    if (!parse_address(text, seen))
      break;
    memcpy(address, seen, 16);
    end = next;
  }
  address_text(address, out);
}
