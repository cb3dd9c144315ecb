/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/lead.h"

#include "common/buf.h"
#include "common/json.h"
#include "exporters/tryton/party.h"
#include "exporters/tryton/product.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 64 << 10 };

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL && text[0] != '\0' ? text : otherwise;
}

/* --- money ---------------------------------------------------------------------------------- */

static int learn_currency(struct sales *s, struct tm_error *err)
{
  json_t *found = NULL;
  if (s->digits >= 0)
    return 0;
  /* The company is known once something was asked. */
  int rc = tryton_find(s->rpc, "company.company", json_array(), 0,
                       json_pack("[s,s]", "currency.code", "currency.digits"), NULL, &found, err);
  size_t i;
  json_t *one;
  json_array_foreach(found, i, one)
  {
    const json_t *currency = json_object_get(one, "currency.");
    json_int_t digits = tryton_id(currency, "digits");
    if (tryton_id(one, "id") != tryton_company(s->rpc) || digits < 0)
      continue;
    snprintf(s->currency, sizeof(s->currency), "%s", text_of(currency, "code", ""));
    s->digits = (int)digits;
  }
  json_decref(found);
  if (rc == 0 && s->digits < 0)
    rc = tm_fail(err, -EACCES, "company %lld: its currency cannot be read",
                 (long long)tryton_company(s->rpc));
  return rc;
}

/* In the company's own currency, or not at all: a number in another one would be taken for it. */
static json_t *amount_of(const struct sales *s, const json_t *price)
{
  if (strcmp(text_of(price, "currency", ""), s->currency) != 0)
    return json_null();
  return tryton_decimal(tm_json_get_string(price, "amount"), s->digits);
}

/* --- texts ---------------------------------------------------------------------------------- */

static void add_lines(struct tm_buf *b, const json_t *lines, const char *separator)
{
  size_t i;
  json_t *line;
  json_array_foreach(lines, i, line)
  {
    tm_buf_printf(b, "%s%.0f × %s", i > 0 ? separator : "", tm_json_get_number(line, "quantity"),
                  text_of(line, "sku", "?"));
  }
}

/* "array-01 (DS-200): grow, needed about 2027-02-06: 3 × SHELF-40T" */
static char *describe(const json_t *summary, const json_t *r)
{
  struct tm_buf b = TM_BUF_INIT(MAX_TEXT);
  const json_t *product = json_object_get(summary, "product");
  const char *model = tm_json_get_string(product, "model");
  const char *when = tm_json_get_string(json_object_get(r, "fill"), "0.5");
  tm_buf_printf(&b, "%s%s%s%s: %s", text_of(product, "device", "?"), model != NULL ? " (" : "",
                model != NULL ? model : "", model != NULL ? ")" : "", text_of(r, "action", "?"));
  if (when != NULL)
    tm_buf_printf(&b, ", needed about %.10s", when);
  if (json_array_size(json_object_get(r, "lines")) > 0)
    tm_buf_puts(&b, ": ");
  add_lines(&b, json_object_get(r, "lines"), ", ");
  return tm_buf_take(&b);
}

static void add_range(struct tm_buf *b, const json_t *fill)
{
  static const char *const steps[] = {"0.1", "0.5", "0.9", NULL};
  for (size_t i = 0; steps[i] != NULL; i++) {
    const char *when = tm_json_get_string(fill, steps[i]);
    if (when != NULL)
      tm_buf_printf(b, "Needed by %.10s with a chance of %s.\n", when, steps[i]);
  }
}

/* For the sales person: the reason in words, who and what it is about, and until when. */
static char *comment_of(const struct sales *s, const json_t *summary, const json_t *r,
                        const json_t *warnings)
{
  struct tm_buf b = TM_BUF_INIT(MAX_TEXT);
  const json_t *customer = json_object_get(summary, "customer");
  const json_t *product = json_object_get(summary, "product");
  const json_t *price = json_object_get(r, "price");
  size_t i;
  json_t *text;
  tm_buf_printf(&b, "%s\n\n", text_of(r, "reason", "The reason is not told to us."));
  tm_buf_printf(&b, "Site %s, host %s, device %s", text_of(customer, "site", "?"),
                text_of(customer, "host", "?"), text_of(product, "device", "?"));
  if (tm_json_get_string(product, "serial") != NULL)
    tm_buf_printf(&b, ", serial %s", tm_json_get_string(product, "serial"));
  tm_buf_puts(&b, ".\n");
  if (tm_json_get_string(r, "order_by") != NULL)
    tm_buf_printf(&b, "Order by %s.\n", tm_json_get_string(r, "order_by"));
  add_range(&b, json_object_get(r, "fill"));
  if (json_is_object(price) && strcmp(text_of(price, "currency", ""), s->currency) != 0)
    tm_buf_printf(&b, "The price is in another currency: %s %s.\n", text_of(price, "currency", "?"),
                  text_of(price, "amount", "?"));
  json_array_foreach(warnings, i, text)
  {
    tm_buf_printf(&b, "%s\n", json_string_value(text));
  }
  return tm_buf_take(&b);
}

/* The figures behind it, so that it can be computed again. */
static char *note_of(const json_t *summary, const json_t *r)
{
  struct tm_buf b = TM_BUF_INIT(MAX_TEXT);
  const char *key;
  json_t *value;
  tm_buf_printf(&b, "Tidemark, %.10s: why\n\n%s\n", text_of(summary, "generated_at", "?"),
                text_of(r, "reason", ""));
  json_object_foreach(json_object_get(r, "evidence"), key, value)
  {
    tm_buf_printf(&b, "\n%s: ", key);
    if (json_is_string(value))
      tm_buf_puts(&b, json_string_value(value));
    else
      tm_json_append(&b, value);
  }
  return tm_buf_take(&b);
}

/* --- values --------------------------------------------------------------------------------- */

static int add_line(struct sales *s, json_t *out, const json_t *line, json_t *warnings,
                    struct tm_error *err)
{
  struct product p;
  const char *sku = tm_json_get_string(line, "sku");
  double quantity = tm_json_get_number(line, "quantity");
  if (sku == NULL || !(quantity > 0))
    return 0;
  int rc = product_find(s->rpc, s->products, sku, &p, err);
  if (rc < 0)
    return rc;
  if (p.id < 0) {
    json_array_append_new(
        warnings, json_sprintf("%s: %s products of Tryton have this code; the line is left out",
                               sku, p.matches == 0 ? "no" : "several"));
    return 0;
  }
  json_array_append_new(out, json_pack("{s:I,s:o,s:I}", "product", p.id, "quantity",
                                       tm_json_number(quantity), "unit", p.unit));
  return 0;
}

static int make_lines(struct sales *s, const json_t *r, json_t *out, json_t *warnings,
                      struct tm_error *err)
{
  size_t i;
  json_t *line;
  int rc = 0;
  json_array_foreach(json_object_get(r, "lines"), i, line)
  {
    rc = add_line(s, out, line, warnings, err);
    if (rc < 0)
      break;
  }
  return rc;
}

/* Four digits are what Tryton keeps; 0.5, its own default, where nothing is known. */
static json_t *probability_of(const json_t *r)
{
  double p = tm_json_get_number(r, "confidence");
  if (isnan(p))
    p = 0.5;
  p = p < 0 ? 0 : p > 1 ? 1 : p;
  return json_real(round(p * 1e4) / 1e4);
}

static json_t *make_values(const struct sales *s, const json_t *summary, const json_t *r,
                           const struct party *party, json_t *lines, const json_t *warnings)
{
  char *description = describe(summary, r);
  char *comment = comment_of(s, summary, r, warnings);
  json_t *v = json_pack(
      "{s:s,s:I,s:I,s:s,s:s,s:o,s:o,s:o,s:o,s:[[s,O]]}", "reference", text_of(r, "key", ""),
      "company", tryton_company(s->rpc), "party", party->id, "description",
      description != NULL ? description : "", "comment", comment != NULL ? comment : "", "amount",
      amount_of(s, json_object_get(r, "price")), "conversion_probability", probability_of(r),
      "start_date", tryton_date(tm_json_get_string(summary, "generated_at")), "end_date",
      tryton_date(tm_json_get_string(r, "order_by")), "lines", "create", lines);
  if (party->address >= 0)
    json_object_set_new(v, "address", json_integer(party->address));
  free(description);
  free(comment);
  return v;
}

int lead_make(struct lead *lead, struct sales *s, const json_t *summary, const json_t *r,
              json_t *warnings, struct tm_error *err)
{
  struct party party;
  *lead = (struct lead){.key = tm_json_get_string(r, "key")};
  if (lead->key == NULL || lead->key[0] == '\0')
    return tm_fail(err, -EBADMSG, "a recommendation without a key");
  int rc = party_find(s, summary, &party, err);
  if (rc == 0)
    rc = learn_currency(s, err);
  json_t *lines = json_array();
  if (rc == 0)
    rc = make_lines(s, r, lines, warnings, err);
  if (rc == 0) {
    lead->values = make_values(s, summary, r, &party, lines, warnings);
    lead->note = note_of(summary, r);
    if (lead->values == NULL || lead->note == NULL)
      rc = tm_fail(err, -EBADMSG, "%s: too large, or not valid UTF-8", lead->key);
  }
  json_decref(lines);
  return rc;
}

void lead_release(struct lead *lead)
{
  json_decref(lead->values);
  free(lead->note);
}

json_t *lead_values(const struct lead *lead)
{
  return json_deep_copy(lead->values);
}

/* --- what goes along ------------------------------------------------------------------------ */

static json_t *resource(json_int_t id)
{
  char text[64];
  snprintf(text, sizeof(text), "sale.opportunity,%lld", (long long)id);
  return json_string(text);
}

int lead_attach_note(struct sales *s, json_int_t id, const char *text, bool rewrite,
                     struct tm_error *err)
{
  json_t *found = NULL;
  int rc = tryton_find(s->rpc, "ir.note",
                       json_pack("[[s,s,o],[s,s,I]]", "resource", "=", resource(id), "create_uid",
                                 "=", tryton_user(s->rpc)),
                       1, json_pack("[s]", "message"), NULL, &found, err);
  if (rc < 0)
    return rc;
  const json_t *note = json_array_get(found, 0);
  if (note == NULL)
    rc =
        tryton_create(s->rpc, "ir.note",
                      json_pack("{s:o,s:s}", "resource", resource(id), "message", text), NULL, err);
  else if (rewrite && strcmp(text_of(note, "message", ""), text) != 0)
    rc = tryton_call(s->rpc, "model.ir.note.write",
                     json_pack("[[I],{s:s}]", tryton_id(note, "id"), "message", text), NULL, NULL,
                     err);
  json_decref(found);
  return rc;
}

int lead_attach_file(struct sales *s, json_int_t id, const struct sales_file *file, bool rewrite,
                     struct tm_error *err)
{
  json_t *found = NULL;
  int rc = tryton_find(
      s->rpc, "ir.attachment",
      json_pack("[[s,s,o],[s,s,s]]", "resource", "=", resource(id), "name", "=", file->name), 1,
      json_pack("[s]", "data_size"), NULL, &found, err);
  if (rc < 0)
    return rc;
  const json_t *there = json_array_get(found, 0);
  if (there == NULL)
    rc = tryton_create(s->rpc, "ir.attachment",
                       json_pack("{s:o,s:s,s:s,s:o}", "resource", resource(id), "type", "data",
                                 "name", file->name, "data", tryton_bytes(file->data, file->len)),
                       NULL, err);
  else if (rewrite)
    rc = tryton_call(s->rpc, "model.ir.attachment.write",
                     json_pack("[[I],{s:o}]", tryton_id(there, "id"), "data",
                               tryton_bytes(file->data, file->len)),
                     NULL, NULL, err);
  json_decref(found);
  return rc;
}
