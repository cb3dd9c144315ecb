/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_GUARD_H
#define TM_DESK_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is refused before anything else looks at a request. libmicrohttpd 0.9.75 lets requests pass
 * whose length two servers would read differently, and the rest of the desk relies on strings that
 * are UTF-8 without control bytes. All of it is a pure function of what came, and tested so.
 */

enum { GUARD_HEADERS = 64, GUARD_TARGET = 4096, GUARD_HEADERS_BYTES = 16384 };

struct header {
  const char *name, *value;
};

struct guard_head {
  const char *method, *target, *version; /* target: path and query as they came */
  const struct header *headers;
  size_t headers_len;
};

struct guard_body {
  bool chunked;
  uint64_t length; /* 0 when chunked: it is counted as it comes */
};

/* 0 with *body filled, or the status of the answer with what is wrong in *why. */
int guard_check(const struct guard_head *head, struct guard_body *body, const char **why);

/*
 * Decodes percent signs of text (and '+' to a blank where form is true) into out of at least len +
 * 1 bytes. False for a half percent sign, a control byte or what is not UTF-8; with lines, line
 * breaks and tabs are let through, for fields of several lines.
 */
bool guard_decode(const char *text, size_t len, bool form, bool lines, char *out);
/* The same question of a text that is not encoded. */
bool guard_is_text(const char *text, bool lines);

/* A trusted proxy's word on the visitor: the last address of X-Forwarded-For that is not itself a
 * trusted one. */
struct guard_net {
  unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
  int bits;                  /* of the 128 */
};
/* "10.0.0.0/8", "::1", "192.168.1.7". False when it is none. */
bool guard_net_parse(const char *text, struct guard_net *net);
bool guard_net_has(const struct guard_net *nets, size_t len, const unsigned char address[16]);
/* The visitor's address as text, into out: the peer's own, unless the peer is trusted and forwarded
 * says another. */
enum { GUARD_ADDRESS = 46 };
void guard_visitor(const struct guard_net *nets, size_t len, const unsigned char peer[16],
                   const char *forwarded, char out[GUARD_ADDRESS]);

#endif
