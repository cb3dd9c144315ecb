/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_OUT_H
#define TM_JSON_OUT_H

#include "common/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Compact JSON written straight into a buffer, for the documents that are made by the ten thousand:
 * a Jansson tree of one summary costs ten times as much as reading its RRDs. What is read back, or
 * made now and then, uses Jansson.
 *
 *   struct json_out o = JSON_OUT_INIT(&buf);
 *   json_out_open(&o, '{');
 *   json_out_key(&o, "device");  json_out_string(&o, name);
 *   json_out_close(&o, '}');
 *   return o.rc;
 *
 * Commas are its own business. After the first failure (-EFBIG, -ENOMEM in rc) nothing more is
 * written. Never writes NaN, infinities or invalid UTF-8.
 */
struct json_out {
  struct tm_buf *buf;
  int rc;
  bool comma; /* the next element is not the first of its container */
};
#define JSON_OUT_INIT(b)                                                                           \
  {                                                                                                \
    .buf = (b)                                                                                     \
  }

void json_out_open(struct json_out *o, char bracket);  /* '{' or '[' */
void json_out_close(struct json_out *o, char bracket); /* '}' or ']' */
/* The key is a literal of ours: not escaped, at most 76 bytes. */
void json_out_key(struct json_out *o, const char *key);

void json_out_null(struct json_out *o);
void json_out_int(struct json_out *o, int64_t value);
/* Whole numbers below 2^53 as integers, others with ten significant figures; null for NAN. */
void json_out_number(struct json_out *o, double value);
/* Cleaned (tm_text_clean) and escaped; null for NULL or nothing printable. */
void json_out_string(struct json_out *o, const char *text);
/* A text of our own making that needs no cleaning and no escape. */
void json_out_plain(struct json_out *o, const char *text);
/* n bytes as they are, escaped where JSON asks for it and not cleaned: what reads the string gets
 * just these. text[n] is 0; what is no UTF-8, or holds a zero byte, sets rc to -EBADMSG. */
void json_out_exact(struct json_out *o, const char *text, size_t n);
/* RFC 3339 in UTC; null for INT64_MIN. */
void json_out_time(struct json_out *o, int64_t t);
/* A Jansson value as it is; null for NULL. */
void json_out_value(struct json_out *o, const json_t *value);

/*
 * An element that has always the same members, put together piece by piece without a look at the
 * room for each: there are thirty days of eight numbers in a summary. json_out_begin gives room for
 * n bytes, or NULL after a failure; each piece returns its end; json_out_end takes the last one.
 *
 *   char *p = json_out_begin(o, 40 + JSON_NUMBER_SIZE);
 *   if (p == NULL)
 *     return;
 *   p = json_put_number(json_put(p, "{\"covered\":"), covered);
 *   json_out_end(o, json_put(p, "}"));
 */
#define JSON_NUMBER_SIZE 24
#define JSON_TIME_SIZE   32
char *json_out_begin(struct json_out *o, size_t n);
void json_out_end(struct json_out *o, char *end);
/* A literal as it stands. */
#define json_put(p, literal) ((char *)mempcpy((p), (literal), sizeof(literal) - 1))
/* As json_out_number and json_out_time write them. */
char *json_put_number(char *p, double value);
/* As json_put_number, but with fifteen significant figures, as Jansson writes them: a number that
 * was read from a document is written as it stood there. */
char *json_put_real(char *p, double value);
char *json_put_time(char *p, int64_t t);

#endif
