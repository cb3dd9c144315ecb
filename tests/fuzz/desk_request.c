/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/http/exchange.c contrib/desk/http/guard.c contrib/desk/http/router.c */
/* A request's head and body as they came: what the guard lets through has only whole strings of
 * UTF-8 without control bytes in it, whatever was sent. Lines of the input: method, target,
 * version, "Name: value"..., an empty one, the body. */
#include "contrib/desk/http/exchange.h"

#include "common/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int nothing(const struct request *r, struct response *to, struct tm_error *err)
{
  (void)r;
  (void)to;
  (void)err;
  return 0;
}

static const struct route routes[] = {
    {"GET", "/", ROLE_NONE, 0, "Start.", nothing},
    {"POST", "/devices/{id}/days/{day}", ROLE_NONE, 65536, "A day.", nothing},
    {"GET", "/devices/{id}", ROLE_NONE, 0, "A device.", nothing},
    {0},
};
static const struct route *const tables[] = {routes, NULL};

static void check(const char *text, bool lines)
{
  assert(tm_text_is_utf8(text));
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    assert((c >= 0x20 && c != 0x7f) || c == '\t' || (lines && (c == '\n' || c == '\r')));
  }
}

static void check_pairs(const struct pairs *pairs, bool lines)
{
  for (size_t i = 0; i < pairs->len; i++) {
    check(pairs->list[i].name, false);
    check(pairs->list[i].value, lines);
  }
}

/* The next line of a text, cut off; NULL at the end. */
static char *next_line(char **text)
{
  char *line = *text;
  char *end = line != NULL ? strchr(line, '\n') : NULL;
  if (line == NULL)
    return NULL;
  if (end != NULL)
    *end++ = '\0';
  *text = end;
  return line;
}

/* Whoever reads a header as a proxy's word: a net, and the visitor behind it. */
static void use_address(const char *text)
{
  static const unsigned char loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
  struct guard_net nets[2];
  char out[GUARD_ADDRESS];
  size_t len = 1;
  if (!guard_net_parse("127.0.0.0/8", &nets[0]))
    abort();
  len += guard_net_parse(text, &nets[1]);
  guard_visitor(nets, len, loopback, text, out);
  struct guard_net told;
  assert(guard_net_parse(out, &told) && told.bits == 128);
}

/* The list that `tidemark-desk routes` prints. */
static void print_routes(void)
{
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  assert(out != NULL && routes_print(tables, false, out) == 0 &&
         routes_print(tables, true, out) == 0);
  fclose(out);
  assert(strstr(text, "/devices/{id}") != NULL && strcmp(role_name(ROLE_SALES), "sales") == 0);
  free(text);
}

/* What a handler may ask of whoever it is. */
static void ask(const struct exchange *x)
{
  const struct request *r = &x->request;
  for (size_t i = 0; i < x->form.len; i++) {
    const char *name = x->form.list[i].name;
    assert(request_field(r, name) != NULL && request_field_nth(r, name, x->form.len) == NULL);
  }
  for (size_t i = 0; i < x->query.len; i++)
    assert(request_query(r, x->query.list[i].name) != NULL);
  const char *kept = request_keep(r, request_cookie(r, "session"));
  if (kept != NULL)
    check(kept, false);
  role_of(request_header(r, "host"));
  route_leads(tables, r->path, ROLE_SALES);
  assert(request_part(r, "no such part") == NULL);
}

static void decode(struct exchange *x, const struct guard_head *head, const char *body)
{
  char *path = exchange_alloc(x, strlen(head->target) + 1);
  const char *query = strchr(head->target, '?');
  size_t len = strcspn(head->target, "?");
  memcpy(path, head->target, len);
  path[len] = '\0';
  x->found = route_find(tables, head->method, path, &x->match);
  x->request.method = head->method;
  x->request.path = path;
  x->request.route = x->match.route;
  x->body.max = x->found == 200 ? x->match.route->max_body : 0;
  if (tm_buf_add(&x->body, body, strlen(body)) < 0)
    return;
  if (exchange_decode(x, query != NULL ? query + 1 : NULL) != 0) {
    assert(x->reason != NULL);
    return;
  }
  ask(x);
  check_pairs(&x->query, false);
  check_pairs(&x->form, true);
  for (size_t i = 0; i < x->match.parts_len; i++) {
    check(x->parts[i], false);
    assert(x->parts[i][0] != '\0');
  }
  if (x->found == 200 && x->match.parts_len > 0)
    assert(request_part(&x->request, "id") == x->parts[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  struct exchange *x = exchange_new();
  struct guard_body length = {0};
  const char *why = NULL;
  static int printed;
  if (text == NULL || x == NULL)
    abort();
  if (!printed)
    print_routes();
  printed = 1;
  memcpy(text, data, size);
  text[size] = '\0';
  char *at = text, *line;
  char *method = next_line(&at), *target = next_line(&at), *version = next_line(&at);
  while ((line = next_line(&at)) != NULL && line[0] != '\0') {
    char *colon = strchr(line, ':');
    if (colon == NULL || x->headers_len == GUARD_HEADERS)
      continue;
    *colon = '\0';
    use_address(colon + 1 + strspn(colon + 1, " "));
    x->headers[x->headers_len++] = (struct header){line, colon + 1 + strspn(colon + 1, " ")};
  }
  if (version != NULL) {
    struct guard_head head = {method, target, version, x->headers, x->headers_len};
    int status = guard_check(&head, &length, &why);
    assert((status != 0) == (why != NULL));
    if (status == 0)
      decode(x, &head, at != NULL ? at : "");
  }
  exchange_free(x);
  free(text);
  return 0;
}
