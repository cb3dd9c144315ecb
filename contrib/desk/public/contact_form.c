/* SPDX-License-Identifier: MIT */
#include "contrib/desk/public/contact_form.h"

#include "common/mail.h"
#include "contrib/desk/http/fields.h"
#include "contrib/desk/http/filters.h"
#include "contrib/desk/public/seal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200, TEXT_MAX_BYTES = 4000 };

int contact_form_init(struct contact_form *f, const struct request *r, const char *sku,
                      struct tm_error *err)
{
  *f = (struct contact_form){
      .r = r,
      .sku = sku,
      .page_at = r->now,
      .contact = {.desk = r->desk, .sku = sku, .address = r->address, .now = r->now}};
  return seal_key(r->desk->store, &f->key, err);
}

void contact_form_release(struct contact_form *f)
{
  tm_secret_release(&f->key);
}

json_t *contact_form_model(const struct contact_form *f, const char *error)
{
  const struct request *r = f->r;
  static const char *const names[] = {"name", "email", "phone", "number", "text"};
  static const char *const kinds[] = {"quote", "material", "call", "question"};
  char seal[TM_SHA256_HEX];
  const char *chosen = request_field(r, "kind"), *me = request_query(r, "me");
  json_t *form = json_pack("{s:I, s:s}", "at", (json_int_t)f->page_at, "seal",
                           seal_page(seal, &f->key, f->sku, f->page_at));
  json_t *rows = json_array();
  for (size_t i = 0; i < 4; i++)
    filter_option(rows, kinds[i], contact_word(kinds[i]), chosen != NULL ? chosen : kinds[0]);
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
    json_object_set_new(form, "error",
                        json_pack("{s:s}", f->field != NULL ? f->field : "form", error));
  return form;
}

/* --- what was sent -------------------------------------------------------------------------- */

bool contact_form_is_bitten(const struct contact_form *f)
{
  return field_filled(f->r, "web") != NULL;
}

static int wrong(struct contact_form *f, const char *field, struct tm_error *err, const char *text)
{
  f->field = field;
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

static int check_fields(struct contact_form *f, struct tm_error *err)
{
  const struct request *r = f->r;
  struct contact *c = &f->contact;
  bool known = r->visitor->role == ROLE_CUSTOMER;
  c->kind = field_filled(r, "kind");
  c->name = field_filled(r, "name");
  c->email = field_filled(r, "email");
  c->phone = field_filled(r, "phone");
  c->given_number = field_filled(r, "number");
  c->text = field_filled(r, "text");
  if (c->kind == NULL || strcmp(contact_word(c->kind), "A contact") == 0)
    return wrong(f, "kind", err, "Choose what you would like.");
  if (c->email != NULL && !tm_mail_is_address(c->email))
    return wrong(f, "email", err, "Write an e-mail address, as in a.sato@example.com.");
  if (c->phone != NULL && !is_phone(c->phone))
    return wrong(f, "phone", err, "Write a telephone number, as in +81 6 0000 0199.");
  if (strcmp(c->kind, "call") == 0 && c->phone == NULL && !known)
    return wrong(f, "phone", err, "Write the number that is to be called.");
  if (c->email == NULL && c->phone == NULL && !known)
    return wrong(f, "email", err, "Write where the answer is to go.");
  if (strcmp(c->kind, "question") == 0 && c->text == NULL)
    return wrong(f, "text", err, "Write your question.");
  if (c->name != NULL && strlen(c->name) > NAME_MAX_BYTES)
    return wrong(f, "name", err, "At most 200 letters.");
  if (c->given_number != NULL && strlen(c->given_number) > NAME_MAX_BYTES)
    return wrong(f, "number", err, "At most 200 letters.");
  if (c->text != NULL && strlen(c->text) > TEXT_MAX_BYTES)
    return wrong(f, "text", err, "At most 4,000 letters.");
  return 0;
}

static int check_seal(struct contact_form *f, struct tm_error *err)
{
  const struct request *r = f->r;
  int64_t made = r->now;
  enum seal seal =
      seal_check(&f->key, f->sku, request_field(r, "at"), request_field(r, "seal"), r->now, &made);
  f->page_at = seal == SEAL_GOOD || seal == SEAL_SOON ? made : r->now;
  f->contact.page_at = made;
  switch (seal) {
  case SEAL_GOOD:
    return 0;
  case SEAL_SOON:
    return wrong(f, NULL, err, "That was too quick for a person. Look it over, and send it again.");
  case SEAL_OLD:
    return wrong(
        f, NULL, err,
        "This page was open for more than a day. Look at price and date again, then send.");
  default:
    return wrong(f, NULL, err, "The form was not one of this page. Send it again from here.");
  }
}

/* Who is signed in, or whom a link in one of our letters was made for. */
static void know_visitor(struct contact_form *f)
{
  const struct request *r = f->r;
  struct contact *c = &f->contact;
  if (r->visitor->role == ROLE_CUSTOMER) {
    c->customer = r->visitor->customer;
    c->found_by = "login";
    if (c->name == NULL)
      c->name = r->visitor->name;
  } else if (seal_mark_read(&f->key, request_field(r, "me"), f->customer, sizeof(f->customer))) {
    c->customer = f->customer;
    c->found_by = "link";
  }
}

/* The same form with the same words is the same contact, however often it is sent. */
static void make_key(struct contact_form *f)
{
  const struct contact *c = &f->contact;
  const char *const parts[] = {request_field(f->r, "seal"),
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
  f->contact.key = tm_digest_hex(&digest, f->key_hex);
}

int contact_form_read(struct contact_form *f, struct tm_error *err)
{
  int rc = check_seal(f, err);
  if (rc == 0)
    rc = check_fields(f, err);
  if (rc < 0)
    return rc;
  know_visitor(f);
  make_key(f);
  return 0;
}
