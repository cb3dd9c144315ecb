/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CONTACT_FORM_H
#define TM_DESK_CONTACT_FORM_H

#include "common/sign.h"
#include "contrib/desk/http/request.h"
#include "contrib/desk/public/contact.h"

#include <jansson.h>

/*
 * The form of a product's page by which a visitor asks: what it shows, and what of it becomes a
 * contact (contact.h). A page carries a seal of the time at which it was made (seal.h).
 */
struct contact_form {
  const struct request *r;
  const char *sku;
  int64_t page_at;        /* of the page on which it is shown, or shown again */
  struct contact contact; /* borrows from the request and from here */
  const char *field;      /* what is wrong; NULL: the form as a whole */
  struct tm_secret key;
  char key_hex[TM_SHA256_HEX];
  char customer[256];
};

/* r and sku are borrowed. Fails as seal_key() does; to be released then, too. */
int contact_form_init(struct contact_form *f, const struct request *r, const char *sku,
                      struct tm_error *err);
void contact_form_release(struct contact_form *f);

/* The model of the page's form: what the visitor typed, or what is known of who is signed in. error
 * of f->field, or NULL. New reference. */
json_t *contact_form_model(const struct contact_form *f, const char *error);

/* Was the field filled in that nobody sees? It is told nothing, and nothing is kept. */
bool contact_form_is_bitten(const struct contact_form *f);

/* What was sent becomes f->contact. -EINVAL with words for the visitor, and f->field. */
int contact_form_read(struct contact_form *f, struct tm_error *err);

#endif
