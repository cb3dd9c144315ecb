/* SPDX-License-Identifier: MIT */
/* What the vendor sells, for everybody: a page of each product, the same as JSON, and the form by
 * which a visitor asks about it. */
#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/public/contact_form.h"
#include "contrib/desk/public/products.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LIST = 100, SITEMAP = 50000 };

struct looking {
  const struct request *r;
  const char *sku, *after;
  int limit;
  json_t *product, *rows;
};

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
  int rc = store_read(l->r->desk->store, &db_everyone, read_product, l, err);
  if (rc == 0)
    hide(l->r, l->product);
  return rc;
}

/* --- a product's page ----------------------------------------------------------------------- */

static json_t *meta_model(const struct request *r, const json_t *product)
{
  struct tm_buf url = TM_BUF_INIT(4096);
  const char *name = tm_json_get_string(product, "name");
  const char *sku = tm_json_get_string(product, "sku");
  tm_buf_printf(&url, "%s/products/", desk_url(r->desk));
  tm_buf_percent(&url, sku);
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
  struct contact_form form = {0};
  int rc = find_product(&l, err);
  if (rc == 0 && r->wants_json)
    rc = respond_json(r, to, 200, l.product, err);
  else if (rc == 0) {
    rc = contact_form_init(&form, r, l.sku, err);
    if (rc == 0)
      rc = show_page(&l, to, 200, contact_form_model(&form, NULL), err);
  }
  contact_form_release(&form);
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
  int rc = store_read(l->r->desk->store, &db_everyone, read_list, l, err);
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
    tm_buf_printf(&to->body, "<url><loc>%s/products/", desk_url(r->desk));
    tm_buf_percent(&to->body, tm_json_get_string(row, "sku"));
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
                       desk_url(r->desk));
}

/* --- asking --------------------------------------------------------------------------------- */

struct asking {
  struct looking looking;
  struct contact_form form;
};

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
  tm_buf_percent(&path, a->looking.sku);
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
    return respond_error(r, to, status, a->form.field, text);
  return show_page(&a->looking, to, status, contact_form_model(&a->form, text), err);
}

static int too_many(const struct asking *a, struct response *to, struct tm_error *err)
{
  char text[160], after[24];
  int64_t wait_s = a->form.contact.wait_s;
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
  int rc = contact_form_init(&a->form, r, a->looking.sku, err);
  if (rc < 0)
    return rc;
  if (contact_form_is_bitten(&a->form))
    return taken(a, to, "R-00000000", err);
  rc = contact_form_read(&a->form, err);
  if (rc == -EINVAL)
    return refuse(a, to, 422, err->text, err);
  rc = store_write(r->desk->store, &db_everyone, contact_store, &a->form.contact, err);
  if (rc == -EDQUOT)
    return too_many(a, to, err);
  return rc == 0 ? taken(a, to, a->form.contact.number, err) : rc;
}

static int ask(const struct request *r, struct response *to, struct tm_error *err)
{
  struct asking a = {.looking = {.r = r}};
  int rc = find_product(&a.looking, err);
  if (rc == 0)
    rc = take(&a, to, err);
  contact_form_release(&a.form);
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
