/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/http/fields.c contrib/desk/public/seal.c contrib/desk/sales/quote_lines.c */
/* wraps: server_url */
/* Every page, form and document of the desk, by whoever may ask for it. Lines of the input: "ROLE
 * METHOD TARGET", headers, an empty one, the body. Whatever it is, the desk does not fail (500),
 * and nobody but staff gets to see a word of what belongs to another customer. */
#include "contrib/desk/desk.h"
#include "contrib/desk/http/exchange.h"
#include "contrib/desk/http/server.h"
#include "contrib/desk/people/people.h"
#include "contrib/desk/public/products.h"
#include "contrib/desk/public/seal.h"
#include "tests/lib/fuzz_desk.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__wrap_server_url(const struct server *s);

const char *__wrap_server_url(const struct server *s)
{
  (void)s;
  return "http://127.0.0.1:8080";
}

static int64_t now(void)
{
  return FUZZ_NOW + 3600;
}

static void wake(void *connection)
{
  (void)connection;
}

static struct desk_conf conf;
static struct desk desk = {.conf = &conf, .now = now, .started_at = FUZZ_NOW};

static void start(void)
{
  static const char text[] =
      "vendor = \"Example\"\npublic_url = \"https://desk.example.com\"\n"
      "public { products = \"yes\" stock = \"yes\" }\n"
      "mail { url = \"smtp://127.0.0.1:1\" from = \"desk@example.com\" starttls = \"no\" }\n";
  struct tm_error err = {0};
  fuzz_must(desk_conf_parse(&conf, text, sizeof(text) - 1, "desk.conf", &err), &err);
  fuzz_must(templates_load(&desk.templates, "contrib/desk/pages", &err), &err);
  fuzz_must(assets_load(&desk.assets, "contrib/desk/static", conf.javascript_dir, &err), &err);
  fuzz_desk_make();
  desk.people = people_new();
  desk.topics = topics_new(10, wake);
}

/* --- a request ------------------------------------------------------------------------------ */

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

static void be_somebody(struct exchange *x, const char *role)
{
  static const struct {
    enum role role;
    int64_t id;
    const char *name, *staff;
  } accounts[] = {{ROLE_SALES, 1, "sales", "s1"},       {ROLE_SERVICE, 2, "service", "v1"},
                  {ROLE_FACTORY, 3, "factory", NULL},   {ROLE_ENGINEER, 4, "engineer", NULL},
                  {ROLE_CUSTOMER, 5, "customer", NULL}, {ROLE_ADMIN, 6, "admin", NULL}};
  struct visitor *v = &x->visitor;
  for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
    if (strcmp(role, accounts[i].name) != 0)
      continue;
    v->role = accounts[i].role;
    v->user_id = accounts[i].id;
    v->name = accounts[i].name;
    v->staff = accounts[i].staff;
    x->request.csrf = "csrf";
  }
  if (v->role == ROLE_CUSTOMER)
    v->customer = FUZZ_CUSTOMER;
  if (strcmp(role, "site") == 0) {
    v->role = ROLE_SITE;
    v->customer = FUZZ_CUSTOMER;
    v->site = "osaka-1";
    v->credential = 1;
    v->by_token = true;
  }
  x->request.scope.customer = v->customer;
}

static void take_headers(struct exchange *x, char **text)
{
  char *line;
  while ((line = next_line(text)) != NULL && line[0] != '\0') {
    char *colon = strchr(line, ':');
    if (colon == NULL || x->headers_len == GUARD_HEADERS)
      continue;
    *colon = '\0';
    x->headers[x->headers_len++] = (struct header){line, colon + 1 + strspn(colon + 1, " ")};
  }
}

/* --- what comes of it ----------------------------------------------------------------------- */

/* What the dispatcher makes a page for people of; all else would be a 500. */
static bool is_told(int rc)
{
  return rc == -ENOENT || rc == -EEXIST || rc == -EINVAL || rc == -EACCES || rc == -EAGAIN ||
         rc == -EBUSY;
}

/* Who writes the other customer's word himself may see it again. */
static bool brought;

static void check(const struct exchange *x, int rc, const struct tm_error *err)
{
  const struct response *to = &x->response;
  if (rc < 0 && !is_told(rc))
    fprintf(stderr, "%s %s: %d %s\n", x->request.method, x->request.path, rc, err->text);
  assert(rc == 0 || is_told(rc));
  assert(rc < 0 || (to->status >= 200 && to->status < 500) || to->status == 503);
  const char *body = to->fixed != NULL ? to->fixed : to->body.ptr;
  size_t len = to->fixed != NULL ? to->fixed_len : to->body.len;
  bool staff = (x->visitor.role & (unsigned)(ROLE_PEOPLE & ~ROLE_CUSTOMER)) != 0;
  assert(staff || brought || body == NULL ||
         memmem(body, len, FUZZ_APART, strlen(FUZZ_APART)) == NULL);
  for (size_t i = 0; i < to->headers_len; i++)
    assert(strpbrk(to->headers[i].value, "\r\n") == NULL);
}

/* What the desk hands out and wants back: nobody makes one by himself. */
static void use_seal(const struct exchange *x)
{
  struct tm_secret key;
  struct tm_error err = {0};
  char mark[SEAL_MARK], seal[TM_SHA256_HEX], customer[300];
  int64_t made = 0;
  const char *at = request_field(&x->request, "at");
  fuzz_must(seal_key(fuzz_store, &key, &err), &err);
  assert(seal_check(&key, "SHELF-20T", at, request_field(&x->request, "seal"), now(), &made) ==
         SEAL_BROKEN);
  seal_page(seal, &key, "SHELF-20T", now() - 10);
  assert(seal_check(&key, "SHELF-20T", "1795139990", seal, now(), &made) == SEAL_GOOD);
  assert(seal_check(&key, "SHELF-20T", "1795139990", seal, now() + SEAL_MOST_S, &made) == SEAL_OLD);
  const char *name = request_field(&x->request, "name");
  seal_mark(mark, &key, FUZZ_CUSTOMER);
  assert(seal_mark_read(&key, mark, customer, sizeof(customer)));
  assert(name == NULL || strcmp(name, mark) == 0 ||
         !seal_mark_read(&key, name, customer, sizeof(customer)));
}

static void handle(struct exchange *x, const char *query)
{
  struct tm_error err = {0};
  if (exchange_decode(x, query) != 0)
    return;
  if (x->form.len > 0)
    use_seal(x);
  check(x, x->match.route->handle(&x->request, &x->response, &err), &err);
}

static void ask(struct exchange *x, char *line, char *rest)
{
  struct guard_body length = {0};
  const char *why = NULL;
  char *method = strchr(line, ' '), *target = method != NULL ? strchr(method + 1, ' ') : NULL;
  if (target == NULL)
    return;
  *method++ = *target++ = '\0';
  be_somebody(x, line);
  take_headers(x, &rest);
  const char *body = rest != NULL ? rest : "";
  if (x->headers_len < GUARD_HEADERS)
    x->headers[x->headers_len++] = (struct header){"Host", "desk.example.com"};
  const struct guard_head head = {method, target, "HTTP/1.1", x->headers, x->headers_len};
  if (guard_check(&head, &length, &why) != 0)
    return;
  char *query = strchr(target, '?');
  if (query != NULL)
    *query++ = '\0';
  x->request.method = method;
  x->request.path = target;
  x->request.now = now();
  x->request.address = "192.0.2.7";
  x->found = route_find(desk_routes, method, target, &x->match);
  const struct route *route = x->match.route;
  if (x->found != 200 || ((route->roles & (unsigned)ROLE_NONE) == 0 &&
                          (route->roles & (unsigned)x->visitor.role) == 0))
    return;
  x->request.route = route;
  x->body.max = route->max_body;
  if (tm_buf_add(&x->body, body, strlen(body)) == 0)
    handle(x, query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (desk.topics == NULL)
    start();
  char *text = strndup((const char *)data, size);
  struct exchange *x = exchange_new();
  if (text == NULL || x == NULL)
    abort();
  desk.store = fuzz_store;
  desk.products = products_new();
  x->request.desk = &desk;
  char *rest = text, *line = next_line(&rest);
  brought = memmem(data, size, FUZZ_APART, strlen(FUZZ_APART)) != NULL;
  bool writes = strstr(line, "GET ") == NULL;
  ask(x, line, rest);
  exchange_free(x);
  products_free(desk.products);
  free(text);
  if (writes)
    fuzz_desk_put_back();
  return 0;
}
