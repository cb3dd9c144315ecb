/* SPDX-License-Identifier: MIT */
/* What the vendor sells, for everybody: a page of each product, the same as JSON, and the form by
 * which a visitor asks about it. */
#include "common/clock.h"
#include "common/json.h"
#include "common/mail.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/server.h"
#include "contrib/desk/public/contact.h"
#include "contrib/desk/public/products.h"
#include "contrib/desk/public/seal.h"
#include "contrib/desk/rooms.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LIST = 100, SITEMAP = 50000, NAME_MAX_BYTES = 200, TEXT_MAX_BYTES = 4000 };

static const struct db_scope everyone = {NULL};

struct looking {
  const struct request *r;
  const char *sku, *after;
  int limit;
  json_t *product, *rows;
};

static const char *base_url(const struct request *r)
{
  const char *url = r->desk->conf->public_url;
  return url != NULL ? url : server_url(r->desk->server);
}

/* One segment of a path, percent-encoded. */
static void put_segment(struct tm_buf *out, const char *text)
{
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL))
      tm_buf_add(out, &c, 1);
    else
      tm_buf_printf(out, "%%%02X", c);
  }
}

static int read_product(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  json_decref(l->product);
  l->product = NULL;
  return product_read(l->r->desk->products, db, l->sku, tm_date_days(l->r->now), &l->product, err);
}

/* What the vendor does not want to be seen by everybody. */
static void hide(const struct request *r, json_t *product)
{
  const struct desk_conf *conf = r->desk->conf;
  if (!conf->public.prices)
    json_object_del(product, "price");
  if (!conf->public.dates) {
    json_object_del(product, "lead_time_days");
    json_object_del(product, "lead_on");
  }
  if (!conf->public.stock) {
    json_object_del(product, "stock");
    json_object_del(product, "in_stock");
  }
}

static int find_product(struct looking *l, struct tm_error *err)
{
  if (!l->r->desk->conf->public.products)
    return tm_fail(err, -ENOENT, "product pages are off");
  l->sku = request_part(l->r, "sku");
  int rc = store_read(l->r->desk->store, &everyone, read_product, l, err);
  if (rc == 0)
    hide(l->r, l->product);
  return rc;
}

/* --- a product's page ----------------------------------------------------------------------- */

/* What the visitor typed, or what is known of who is signed in. */
static json_t *form_model(const struct request *r, const char *sku, const struct tm_secret *key,
                          int64_t page_at, const char *field, const char *error)
{
  static const char *const names[] = {"name", "email", "phone", "number", "text"};
  static const char *const kinds[] = {"quote", "material", "call", "question"};
  char seal[TM_SHA256_HEX];
  const char *chosen = request_field(r, "kind"), *me = request_query(r, "me");
  json_t *form = json_pack("{s:I, s:s}", "at", (json_int_t)page_at, "seal",
                           seal_page(seal, key, sku, page_at));
  json_t *rows = json_array();
  for (size_t i = 0; i < 4; i++) {
    bool is = chosen != NULL ? strcmp(chosen, kinds[i]) == 0 : i == 0;
    json_array_append_new(rows, json_pack("{s:s, s:s, s:b}", "value", kinds[i], "text",
                                          contact_word(kinds[i]), "chosen", is));
  }
  json_object_set_new(form, "kinds", rows);
  for (size_t i = 0; i < 5; i++) {
    const char *typed = request_field(r, names[i]);
    if (typed != NULL)
      json_object_set_new(form, names[i], json_string(typed));
  }
  if (me == NULL)
    me = request_field(r, "me");
  if (me != NULL)
    json_object_set_new(form, "me", json_string(me));
  if (r->visitor->role == ROLE_CUSTOMER)
    json_object_set_new(form, "signed_in", json_string(r->visitor->name));
  if (error != NULL)
    json_object_set_new(form, "error", json_pack("{s:s}", field != NULL ? field : "form", error));
  return form;
}

static json_t *meta_model(const struct request *r, const json_t *product)
{
  struct tm_buf url = TM_BUF_INIT(4096);
  const char *name = tm_json_get_string(product, "name");
  const char *sku = tm_json_get_string(product, "sku");
  tm_buf_printf(&url, "%s/products/", base_url(r));
  put_segment(&url, sku);
  json_t *meta =
      json_pack("{s:s, s:o, s:s, s:s?, s:O*}", "title", name != NULL ? name : sku, "text",
                json_sprintf("%s %s: specification, price and date.",
                             tm_json_get_string(product, "type_word"), sku),
                "type", "product", "url", url.ptr, "image", json_object_get(product, "image"));
  tm_buf_release(&url);
  return meta;
}

static int show_page(const struct looking *l, struct response *to, int status, json_t *form,
                     struct tm_error *err)
{
  const char *sent = request_query(l->r, "sent");
  const char *name = tm_json_get_string(l->product, "name");
  bool has_stock = json_integer_value(json_object_get(l->product, "in_stock")) > 0;
  json_t *model = json_pack(
      "{s:s, s:b, s:O, s:o, s:o, s:I, s:b, s:s}", "title", name != NULL ? name : l->sku, "reading",
      1, "product", l->product, "form", form, "meta", meta_model(l->r, l->product), "as_of",
      (json_int_t)l->r->now, "is_there", has_stock, "availability",
      has_stock ? "https://schema.org/InStock" : "https://schema.org/BackOrder");
  if (model != NULL && sent != NULL && strlen(sent) < CONTACT_NUMBER)
    json_object_set_new(model, "sent", json_string(sent));
  int rc = respond_page(l->r, to, status, "product.html", model, err);
  json_decref(model);
  return rc;
}

static int show_product(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r};
  struct tm_secret key;
  int rc = find_product(&l, err);
  if (rc == 0 && r->wants_json)
    rc = respond_json(r, to, 200, l.product, err);
  else if (rc == 0) {
    rc = seal_key(r->desk->store, &key, err);
    if (rc == 0)
      rc = show_page(&l, to, 200, form_model(r, l.sku, &key, r->now, NULL, NULL), err);
    tm_secret_release(&key);
  }
  json_decref(l.product);
  return rc;
}

/* --- all of them ---------------------------------------------------------------------------- */

static int read_list(struct db *db, void *arg, struct tm_error *err)
{
  struct looking *l = arg;
  json_decref(l->rows);
  l->rows = NULL;
  return products_list(db, l->after, l->limit, &l->rows, err);
}

static int find_list(struct looking *l, struct tm_error *err)
{
  size_t i;
  json_t *row;
  if (!l->r->desk->conf->public.products)
    return tm_fail(err, -ENOENT, "product pages are off");
  int rc = store_read(l->r->desk->store, &everyone, read_list, l, err);
  json_array_foreach(l->rows, i, row) hide(l->r, row);
  return rc;
}

static int list_products(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .after = request_query(r, "after"), .limit = LIST + 1};
  json_t *next = NULL;
  int rc = find_list(&l, err);
  if (rc == 0 && json_array_size(l.rows) > LIST) {
    json_array_remove(l.rows, LIST);
    next = json_incref(json_object_get(json_array_get(l.rows, LIST - 1), "sku"));
  }
  json_t *model =
      rc == 0 ? json_pack("{s:s, s:b, s:O, s:b, s:O*}", "title", "Products", "reading", 1,
                          "products", l.rows, "some", json_array_size(l.rows) > 0, "next", next)
              : NULL;
  if (rc == 0 && r->wants_json) {
    json_object_del(model, "title");
    json_object_del(model, "reading");
    json_object_del(model, "some");
  }
  if (rc == 0)
    rc = respond_model(r, to, "products.html", model, err);
  json_decref(model);
  json_decref(next);
  json_decref(l.rows);
  return rc;
}

static int give_sitemap(const struct request *r, struct response *to, struct tm_error *err)
{
  struct looking l = {.r = r, .limit = SITEMAP};
  size_t i;
  json_t *row;
  int rc = find_list(&l, err);
  tm_buf_puts(&to->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
  json_array_foreach(l.rows, i, row)
  {
    tm_buf_printf(&to->body, "<url><loc>%s/products/", base_url(r));
    put_segment(&to->body, tm_json_get_string(row, "sku"));
    tm_buf_puts(&to->body, "</loc></url>\n");
  }
  if (rc == 0)
    rc = tm_buf_puts(&to->body, "</urlset>\n");
  json_decref(l.rows);
  to->status = 200;
  to->content_type = "application/xml";
  return rc;
}

static int give_robots(const struct request *r, struct response *to, struct tm_error *err)
{
  (void)err;
  to->status = 200;
  to->content_type = "text/plain; charset=utf-8";
  if (!r->desk->conf->public.products)
    return tm_buf_puts(&to->body, "User-agent: *\nDisallow: /\n");
  return tm_buf_printf(&to->body,
                       "User-agent: *\nAllow: /products\nAllow: /static/\nAllow: /vendor/\n"
                       "Disallow: /\nSitemap: %s/sitemap.xml\n",
                       base_url(r));
}

/* --- asking --------------------------------------------------------------------------------- */

struct asking {
  struct looking looking;
  struct contact contact;
  struct tm_secret key;
  char key_hex[TM_SHA256_HEX];
  char customer[256];
  const char *field; /* what is wrong */
  int64_t page_at;   /* of the form as it is shown again */
};

static const char *typed(const struct request *r, const char *name)
{
  const char *text = request_field(r, name);
  return text != NULL && text[strspn(text, " \t\r\n")] != '\0' ? text : NULL;
}

static int wrong(struct asking *a, const char *field, struct tm_error *err, const char *text)
{
  a->field = field;
  return tm_fail(err, -EINVAL, "%s", text);
}

static bool is_phone(const char *text)
{
  size_t digits = 0;
  for (const char *c = text; *c != '\0'; c++) {
    if (isdigit((unsigned char)*c))
      digits++;
    else if (strchr("+-()./ ", *c) == NULL)
      return false;
  }
  return digits >= 5 && digits <= 20;
}

static int check_fields(struct asking *a, struct tm_error *err)
{
  const struct request *r = a->looking.r;
  struct contact *c = &a->contact;
  bool known = r->visitor->role == ROLE_CUSTOMER;
  c->kind = typed(r, "kind");
  c->name = typed(r, "name");
  c->email = typed(r, "email");
  c->phone = typed(r, "phone");
  c->given_number = typed(r, "number");
  c->text = typed(r, "text");
  if (c->kind == NULL || strcmp(contact_word(c->kind), "A contact") == 0)
    return wrong(a, "kind", err, "Choose what you would like.");
  if (c->email != NULL && !tm_mail_is_address(c->email))
    return wrong(a, "email", err, "Write an e-mail address, as in a.sato@example.com.");
  if (c->phone != NULL && !is_phone(c->phone))
    return wrong(a, "phone", err, "Write a telephone number, as in +81 6 0000 0199.");
  if (strcmp(c->kind, "call") == 0 && c->phone == NULL && !known)
    return wrong(a, "phone", err, "Write the number that is to be called.");
  if (c->email == NULL && c->phone == NULL && !known)
    return wrong(a, "email", err, "Write where the answer is to go.");
  if (strcmp(c->kind, "question") == 0 && c->text == NULL)
    return wrong(a, "text", err, "Write your question.");
  if (c->name != NULL && strlen(c->name) > NAME_MAX_BYTES)
    return wrong(a, "name", err, "At most 200 letters.");
  if (c->given_number != NULL && strlen(c->given_number) > NAME_MAX_BYTES)
    return wrong(a, "number", err, "At most 200 letters.");
  if (c->text != NULL && strlen(c->text) > TEXT_MAX_BYTES)
    return wrong(a, "text", err, "At most 4,000 letters.");
  return 0;
}

static int check_seal(struct asking *a, struct tm_error *err)
{
  const struct request *r = a->looking.r;
  int64_t made = r->now;
  enum seal seal = seal_check(&a->key, a->looking.sku, request_field(r, "at"),
                              request_field(r, "seal"), r->now, &made);
  a->page_at = seal == SEAL_GOOD || seal == SEAL_SOON ? made : r->now;
  a->contact.page_at = made;
  switch (seal) {
  case SEAL_GOOD:
    return 0;
  case SEAL_SOON:
    return wrong(a, NULL, err, "That was too quick for a person. Look it over, and send it again.");
  case SEAL_OLD:
    return wrong(
        a, NULL, err,
        "This page was open for more than a day. Look at price and date again, then send.");
  default:
    return wrong(a, NULL, err, "The form was not one of this page. Send it again from here.");
  }
}

/* Who is signed in, or whom a link in one of our letters was made for. */
static void know_visitor(struct asking *a)
{
  const struct request *r = a->looking.r;
  struct contact *c = &a->contact;
  if (r->visitor->role == ROLE_CUSTOMER) {
    c->customer = r->visitor->customer;
    c->found_by = "login";
    if (c->name == NULL)
      c->name = r->visitor->name;
  } else if (seal_mark_read(&a->key, request_field(r, "me"), a->customer, sizeof(a->customer))) {
    c->customer = a->customer;
    c->found_by = "link";
  }
}

/* The same form with the same words is the same contact, however often it is sent. */
static void make_key(struct asking *a)
{
  const struct contact *c = &a->contact;
  const char *const parts[] = {request_field(a->looking.r, "seal"),
                               c->sku,
                               c->kind,
                               c->name,
                               c->email,
                               c->phone,
                               c->given_number,
                               c->text,
                               c->customer};
  struct tm_digest digest;
  tm_digest_init(&digest);
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    tm_digest_line(&digest, parts[i] != NULL ? parts[i] : "");
  a->contact.key = tm_digest_hex(&digest, a->key_hex);
}

static int taken(const struct asking *a, struct response *to, const char *number,
                 struct tm_error *err)
{
  const struct request *r = a->looking.r;
  struct tm_buf path = TM_BUF_INIT(2048);
  int rc;
  if (r->wants_json) {
    json_t *answer = json_pack("{s:s}", "number", number);
    rc = respond_json(r, to, 201, answer, err);
    json_decref(answer);
    return rc;
  }
  tm_buf_puts(&path, "/products/");
  put_segment(&path, a->looking.sku);
  tm_buf_printf(&path, "?sent=%s#contact", number);
  rc = path.ptr != NULL ? respond_redirect(to, path.ptr, err) : -ENOMEM;
  tm_buf_release(&path);
  return rc;
}

static int refuse(const struct asking *a, struct response *to, int status, const char *text,
                  struct tm_error *err)
{
  const struct request *r = a->looking.r;
  if (r->wants_json)
    return respond_error(r, to, status, a->field, text);
  return show_page(&a->looking, to, status,
                   form_model(r, a->looking.sku, &a->key, a->page_at, a->field, text), err);
}

static int too_many(const struct asking *a, struct response *to, struct tm_error *err)
{
  char text[160], after[24];
  int64_t wait_s = a->contact.wait_s;
  snprintf(after, sizeof(after), "%" PRId64, wait_s);
  snprintf(text, sizeof(text),
           "Too many requests came from where you are. Wait %" PRId64
           " minute%s, then send it again.",
           (wait_s + 59) / 60, wait_s > 60 ? "s" : "");
  respond_header(to, "Retry-After", after);
  return refuse(a, to, 429, text, err);
}

static int take(struct asking *a, struct response *to, struct tm_error *err)
{
  const struct request *r = a->looking.r;
  struct contact *c = &a->contact;
  c->desk = r->desk;
  c->sku = a->looking.sku;
  c->address = r->address;
  c->now = r->now;
  a->page_at = r->now;
  int rc = seal_key(r->desk->store, &a->key, err);
  if (rc < 0)
    return rc;
  /* What fills in the field that nobody sees is told nothing. */
  if (typed(r, "web") != NULL)
    return taken(a, to, "R-00000000", err);
  rc = check_seal(a, err);
  if (rc == 0)
    rc = check_fields(a, err);
  if (rc == -EINVAL)
    return refuse(a, to, 422, err->text, err);
  know_visitor(a);
  make_key(a);
  rc = store_write(r->desk->store, &everyone, contact_store, c, err);
  if (rc == -EDQUOT)
    return too_many(a, to, err);
  return rc == 0 ? taken(a, to, c->number, err) : rc;
}

static int ask(const struct request *r, struct response *to, struct tm_error *err)
{
  struct asking a = {.looking = {.r = r}};
  int rc = find_product(&a.looking, err);
  if (rc == 0)
    rc = take(&a, to, err);
  tm_secret_release(&a.key);
  json_decref(a.looking.product);
  return rc;
}

const struct route product_routes[] = {
    {"GET", "/products", ROLE_NONE, 0, "What the vendor sells", list_products},
    {"GET", "/products/{sku}", ROLE_NONE, 0, "A product with its form for contacts", show_product},
    {"POST", "/products/{sku}/contact", ROLE_NONE, 32768,
     "Asks for a quote, material, a call or an answer about a product", ask},
    {"GET", "/api/v1/products", ROLE_NONE, 0, "What the vendor sells, by SKU", list_products},
    {"GET", "/api/v1/products/{sku}", ROLE_NONE, 0,
     "A product: specification, price, stock and date as far as they are public", show_product},
    {"GET", "/sitemap.xml", ROLE_NONE, 0, "All product pages, for search engines", give_sitemap},
    {"GET", "/robots.txt", ROLE_NONE, 0, "What search engines may read", give_robots},
    {0},
};
