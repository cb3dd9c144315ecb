/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/exchange.h"

#include "common/json.h"
#include "common/json_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAIRS = 512, RESPONSE_MAX = 64 << 20 };

struct kept {
  struct kept *next;
  char data[];
};

struct exchange *exchange_new(void)
{
  struct exchange *x = calloc(1, sizeof(*x));
  if (x == NULL)
    return NULL;
  x->response.body = (struct tm_buf)TM_BUF_INIT(RESPONSE_MAX);
  x->visitor.role = ROLE_NONE;
  x->request.visitor = &x->visitor;
  x->request.body = "";
  x->request.address = "";
  return x;
}

void exchange_free(struct exchange *x)
{
  if (x == NULL)
    return;
  while (x->kept != NULL) {
    struct kept *next = x->kept->next;
    free(x->kept);
    x->kept = next;
  }
  tm_buf_release(&x->body);
  tm_buf_release(&x->response.body);
  free(x->query.list);
  free(x->form.list);
  free(x->cookies.list);
  free(x);
}

char *exchange_alloc(struct exchange *x, size_t len)
{
  struct kept *kept = malloc(sizeof(*kept) + len);
  if (kept == NULL) {
    x->starved = true;
    return NULL;
  }
  kept->next = x->kept;
  x->kept = kept;
  return kept->data;
}

/* Requests are handed to handlers as const: what is kept is not theirs to see. */
static struct exchange *exchange_of(const struct request *r)
{
  return (struct exchange *)r;
}

static int refuse(struct exchange *x, int status, const char *reason)
{
  x->reason = reason;
  return status;
}

static bool add_pair(struct exchange *x, struct pairs *pairs, const char *name, const char *value)
{
  if (pairs->list == NULL) {
    pairs->list = calloc(PAIRS, sizeof(*pairs->list));
    x->starved = x->starved || pairs->list == NULL;
  }
  if (pairs->list == NULL || pairs->len == PAIRS)
    return false;
  pairs->list[pairs->len++] = (struct pair){name, value};
  return true;
}

/* "a=1&b=2": each name and value decoded. */
static bool decode_pairs(struct exchange *x, struct pairs *pairs, const char *text, size_t len,
                         bool lines)
{
  const char *end = text + len;
  while (text < end) {
    const char *stop = memchr(text, '&', (size_t)(end - text));
    stop = stop != NULL ? stop : end;
    const char *equals = memchr(text, '=', (size_t)(stop - text));
    const char *value = equals != NULL ? equals + 1 : stop;
    size_t name_len = (size_t)((equals != NULL ? equals : stop) - text);
    size_t value_len = (size_t)(stop - value);
    if (stop > text) {
      char *name_out = exchange_alloc(x, name_len + 1);
      char *value_out = exchange_alloc(x, value_len + 1);
      if (name_out == NULL || value_out == NULL ||
          !guard_decode(text, name_len, true, false, name_out) ||
          !guard_decode(value, value_len, true, lines, value_out) ||
          !add_pair(x, pairs, name_out, value_out))
        return false;
    }
    text = stop + (stop < end);
  }
  return true;
}

static bool decode_parts(struct exchange *x)
{
  for (size_t i = 0; i < x->match.parts_len; i++) {
    const struct route_part *part = &x->match.parts[i];
    char *value = exchange_alloc(x, part->value_len + 1);
    if (value == NULL || !guard_decode(part->value, part->value_len, false, false, value))
      return false;
    x->parts[i] = value;
  }
  return true;
}

/* "a=1; b=2", as browsers send them: nothing is decoded. */
static bool decode_cookies(struct exchange *x)
{
  const char *header = request_header(&x->request, "cookie");
  size_t len = header != NULL ? strlen(header) : 0;
  char *text = header != NULL ? exchange_alloc(x, len + 1) : NULL;
  if (header == NULL)
    return true;
  if (text == NULL)
    return false;
  memcpy(text, header, len + 1);
  for (char *save = NULL, *one = strtok_r(text, ";", &save); one != NULL;
       one = strtok_r(NULL, ";", &save)) {
    one += strspn(one, " \t");
    char *equals = strchr(one, '=');
    if (equals == NULL)
      continue;
    *equals = '\0';
    if (!add_pair(x, &x->cookies, one, equals + 1))
      return false;
  }
  return true;
}

static bool is_of_type(const struct exchange *x, const char *wanted)
{
  const char *type = request_header(&x->request, "content-type");
  size_t len = strlen(wanted);
  return type != NULL && strncasecmp(type, wanted, len) == 0 &&
         (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

/* One value of a JSON object as a form would have sent it: null and false are not sent. */
static bool add_value(struct exchange *x, const char *name, const json_t *value)
{
  struct tm_buf text = TM_BUF_INIT(x->body.len * 6 + 64);
  const char *kept = NULL;
  if (json_is_null(value) || json_is_false(value))
    return true;
  if (json_is_string(value))
    kept = request_keep(&x->request, json_string_value(value));
  else if (json_is_true(value))
    kept = "1";
  else {
    int rc = tm_json_append(&text, value);
    x->starved = x->starved || rc == -ENOMEM;
    kept = rc == 0 ? request_keep(&x->request, text.ptr) : NULL;
  }
  tm_buf_release(&text);
  return kept != NULL && guard_is_text(kept, true) && add_pair(x, &x->form, name, kept);
}

/* The members of an object are the fields of a form; an array is a field that comes several times.
 * What is no object has no fields: whoever wants that asks for request_json(). */
static bool decode_json(struct exchange *x, const json_t *body)
{
  const char *key;
  json_t *value, *one;
  size_t i;
  json_object_foreach((json_t *)body, key, value)
  {
    const char *name = request_keep(&x->request, key);
    bool ok = name != NULL && guard_is_text(name, false);
    if (ok && !json_is_array(value))
      ok = add_value(x, name, value);
    else
      json_array_foreach(value, i, one) ok = ok && add_value(x, name, one);
    if (!ok)
      return false;
  }
  return true;
}

static int read_json(struct exchange *x)
{
  struct tm_error err;
  json_t *body = request_json(&x->request, &err);
  x->starved = x->starved || (body == NULL && err.code == -ENOMEM);
  if (body == NULL)
    return refuse(x, 400, "the body is not the JSON that its content type promises");
  bool ok = decode_json(x, body);
  json_decref(body);
  return ok ? 0 : refuse(x, 400, "the body has control bytes, or too many members");
}

static bool is_multipart(const struct exchange *x)
{
  const char *type = request_header(&x->request, "content-type");
  return type != NULL && strncasecmp(type, "multipart/", 10) == 0;
}

static int decode(struct exchange *x, const char *query)
{
  struct request *r = &x->request;
  const char *accept = request_header(r, "accept");
  r->wants_json = strncmp(r->path, "/api/", 5) == 0 ||
                  (accept != NULL && strstr(accept, "application/json") != NULL &&
                   strstr(accept, "text/html") == NULL);
  r->body = x->body.ptr != NULL ? x->body.ptr : "";
  r->body_len = x->body.len;
  if (!decode_parts(x) || !decode_cookies(x) ||
      (query != NULL && !decode_pairs(x, &x->query, query, strlen(query), false)))
    return refuse(x, 400, "the address has bytes that are not UTF-8 or are control bytes");
  if (r->body_len > 0 && is_multipart(x))
    return refuse(x, 415, "forms with files are not taken");
  if (r->body_len > 0 && is_of_type(x, "application/json"))
    return read_json(x);
  if (r->body_len > 0 && is_of_type(x, "application/x-www-form-urlencoded") &&
      !decode_pairs(x, &x->form, r->body, r->body_len, true))
    return refuse(x, 400, "the form has bytes that are not UTF-8 or are control bytes");
  return 0;
}

int exchange_decode(struct exchange *x, const char *query)
{
  tm_json_forgive(); /* what another request in this thread lacked */
  int status = decode(x, query);
  if (x->starved) /* what is missing is no fault of the request's */
    return refuse(x, 503, "memory is short: try again in a moment");
  return status;
}

/* --- what handlers ask ---------------------------------------------------------------------- */

static const char *nth(const struct pairs *pairs, const char *name, size_t n)
{
  for (size_t i = 0; i < pairs->len; i++) {
    if (strcmp(pairs->list[i].name, name) == 0 && n-- == 0)
      return pairs->list[i].value;
  }
  return NULL;
}

const char *request_part(const struct request *r, const char *name)
{
  const struct exchange *x = exchange_of(r);
  for (size_t i = 0; i < x->match.parts_len; i++) {
    const struct route_part *part = &x->match.parts[i];
    if (strlen(name) == part->name_len && memcmp(name, part->name, part->name_len) == 0)
      return x->parts[i];
  }
  return NULL;
}

const char *request_query(const struct request *r, const char *name)
{
  return nth(&exchange_of(r)->query, name, 0);
}

const char *request_field(const struct request *r, const char *name)
{
  return nth(&exchange_of(r)->form, name, 0);
}

const char *request_field_nth(const struct request *r, const char *name, size_t n)
{
  return nth(&exchange_of(r)->form, name, n);
}

const char *request_cookie(const struct request *r, const char *name)
{
  return nth(&exchange_of(r)->cookies, name, 0);
}

const char *request_header(const struct request *r, const char *name)
{
  const struct exchange *x = exchange_of(r);
  for (size_t i = 0; i < x->headers_len; i++) {
    if (strcasecmp(x->headers[i].name, name) == 0)
      return x->headers[i].value;
  }
  return NULL;
}

json_t *request_json(const struct request *r, struct tm_error *err)
{
  return tm_json_parse(r->body, r->body_len, "body", err);
}

const char *request_keep(const struct request *r, const char *text)
{
  size_t len = text != NULL ? strlen(text) : 0;
  char *copy = text != NULL ? exchange_alloc(exchange_of(r), len + 1) : NULL;
  if (copy != NULL)
    memcpy(copy, text, len + 1);
  return copy;
}
