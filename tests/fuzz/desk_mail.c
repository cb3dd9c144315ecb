/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/http/template.c */
/* The words of a visitor or customer in every place of our letters and pages that has them:
 * whatever they are, a letter has the lines and the one header of its template, and a page the tags
 * and quotes of its own. */
#include "common/mail.h"
#include "contrib/desk/http/template.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pages[] = {"mail-contact.txt", "mail-change.txt",    "mail-answer.txt",
                                    "mail-claim.txt",   "mail-claim-new.txt", "mail-cluster.txt",
                                    "mail-late.txt",    "mail-weekly.txt",    "mail-quote.txt",
                                    "head.html",        "task.html",          "product.html"};

/* What a site, a claim's author or somebody of sales can have written, into letters that only name
 * it. */
static int add_claims(json_t *model, json_t *t)
{
  json_t *claim =
      json_pack("{s:{s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:i,s:O}, s:O, s:{s:i,s:i},"
                " s:{s:[{s:O,s:O}],s:{s:i,s:i,s:i}}, s:O, s:O, s:O, s:i, s:i, s:[{s:O,s:i,s:O}]}",
                "claim", "id_text", t, "type", t, "device", t, "model", t, "external_id", t,
                "customer", t, "site", t, "by_name", t, "text", t, "claimed_at", 1000, "serial", t,
                "to", t, "outliers", "all", 1, "compared", 2, "progress", "own", "status", t,
                "reason", t, "peers", "asked", 5, "answered", 5, "refused", 0, "link", t, "type", t,
                "model", t, "n", 3, "days", 30, "claims", "id", t, "claimed_at", 1000, "state", t);
  json_t *items = json_pack(
      "[{s:O,s:O,s:O,s:{s:O,s:O,s:O,s:O,s:O,s:O},s:b,s:i,s:b,s:O,s:O,s:O,s:O,s:O,s:{s:O},s:O,s:O}]",
      "label", t, "unit", t, "kind", t, "text", "value", t, "mean", t, "median", t, "spread", t,
      "most", t, "away", t, "shown", 1, "peers", 5, "outlier", 1, "customer", t, "device", t,
      "site", t, "action_word", t, "offer", t, "when", "text", t, "state_word", t, "id", t);
  json_t *quote =
      json_pack("{s:O,s:{s:O,s:O},s:{s:O,s:O},s:[{s:i,s:O}],s:O,s:O,s:O,s:b,s:i,s:i,s:[{s:O,s:O,s:"
                "O,s:O,s:O}]}",
                "number", t, "vendor", "name", t, "address", t, "customer", "name", t, "contact", t,
                "lines", "quantity", 1, "sku", t, "remarks", t, "from", t, "until", t,
                "has_changes", 1, "items_len", 1, "changes_len", 1, "changes", "customer", t,
                "device", t, "moved", t, "by_name", t, "text", t);
  json_object_set_new(claim, "items", items);
  int rc = json_object_update_missing(model, claim) | json_object_update_missing(model, quote);
  json_decref(claim);
  json_decref(quote);
  return items != NULL ? rc : -1;
}

/* All that somebody from outside can have written, as one text. */
static json_t *model_of(const char *text, size_t len)
{
  json_t *t = json_stringn(text, len);
  if (t == NULL) /* no UTF-8: the guard lets no such request in */
    return NULL;
  json_t *model = json_pack(
      "{s:{s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:[O],s:i,s:i,s:i}, s:{s:O,s:O,s:O,s:O,s:O}, s:b,"
      " s:[{s:O,s:O,s:O,s:O}], s:{s:O,s:O,s:[{s:O,s:i}],s:[{s:O,s:O}]}}",
      "contact", "number", t, "kind_word", t, "name", t, "email", t, "phone", t, "given_number", t,
      "text", t, "lines", t, "sent_at", 1000, "page_at", 1000, "id", 1, "customer", "name", t,
      "customer_id", t, "region", t, "contact_person", t, "shop", t, "has_devices", 1, "devices",
      "device", t, "model", t, "kind_word", t, "site", t, "product", "sku", t, "name", t, "stock",
      "name", t, "quantity", 1, "spec", "name", t, "value", t);
  json_t *more = json_pack(
      "{s:O,s:O,s:O,s:O,s:O,s:O, s:[{s:O,s:O,s:O}], s:{s:O,s:O,s:O,s:i}, s:i, s:i,"
      " s:{s:O,s:O,s:O,s:i,s:O,s:O}, s:b, s:[{s:O,s:O,s:O}],"
      " s:{s:O,s:O,s:O,s:O,s:O,s:O,s:{s:O,s:O}}, s:O, s:O, s:{s:O,s:O,s:O}}",
      "person", t, "instead_of", t, "by", t, "text", t, "reason", t, "subject", t, "changes",
      "field", t, "old", t, "new", t, "item", "device", t, "model", t, "site", t, "id", 1, "todo",
      1, "at", 1000, "task", "title", t, "customer", t, "text", t, "id", 1, "staff_name", t,
      "done_by", t, "is_whose", 1, "candidates", "name", t, "customer_id", t, "by", t, "form",
      "seal", t, "me", t, "name", t, "email", t, "phone", t, "text", t, "error", "email", t, "form",
      t, "sent_by", t, "title", t, "meta", "title", t, "text", t, "url", t);
  assert(model != NULL && more != NULL);
  json_object_update(model, more);
  assert(add_claims(model, t) == 0);
  json_decref(more);
  json_decref(t);
  return model;
}

static size_t count(const struct tm_buf *b, char c)
{
  size_t n = 0;
  for (size_t i = 0; i < b->len; i++)
    n += b->ptr[i] == c;
  return n;
}

static void compare(const struct templates *t, const char *name, const json_t *model,
                    const json_t *plain)
{
  const struct template_clock clock = {.now = 1795143900, .zone = "UTC"};
  struct tm_buf out = TM_BUF_INIT(64 << 20), want = TM_BUF_INIT(1 << 20);
  struct tm_error err = {0};
  assert(template_render(t, name, model, &clock, &out, &err) == 0);
  assert(template_render(t, name, plain, &clock, &want, &err) == 0);
  if (strstr(name, ".txt") != NULL) {
    assert(count(&out, '\n') == count(&want, '\n') && count(&out, '\r') == 0);
    assert(strncmp(out.ptr, "Subject: ", 9) == 0);
    for (size_t i = 0; i < out.len; i++)
      assert(out.ptr[i] == '\n' || out.ptr[i] == '\t' || (unsigned char)out.ptr[i] >= 0x20);
  } else {
    assert(count(&out, '<') == count(&want, '<') && count(&out, '"') == count(&want, '"'));
  }
  tm_buf_release(&out);
  tm_buf_release(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct templates *t;
  struct tm_error err = {0};
  char address[300];
  if (size == 0 || size > 4000)
    return 0;
  if (t == NULL)
    assert(templates_load(&t, "contrib/desk/pages", &err) == 0);
  if (size < sizeof(address)) {
    memcpy(address, data, size);
    address[size] = '\0';
    assert(!tm_mail_is_address(address) || strpbrk(address, " \t\r\n<>") == NULL);
  }
  json_t *model = model_of((const char *)data, size);
  json_t *plain = model_of("x", 1);
  if (model != NULL)
    for (size_t k = 0; k < sizeof(pages) / sizeof(pages[0]); k++)
      compare(t, pages[k], model, plain);
  json_decref(plain);
  json_decref(model);
  return 0;
}
