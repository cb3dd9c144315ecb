/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ASK_H
#define TM_DESK_ASK_H

#include "contrib/desk/http/request.h"

/*
 * The form by which the factory is asked, filled in from an item: the model of
 * pages/inquiry-form.html.
 */
struct ask_form {
  int64_t item;
  json_t *about;     /* of the item: customer, device, key, lines, need, shop; NULL before read */
  json_t *shops;     /* [{"value", "text"}] */
  json_t *skus;      /* [{"sku"}], some for the browser's list */
  json_t *typed;     /* what was posted, or NULL: the item's own */
  const char *field; /* of the error; NULL: none */
  size_t line;
  const char *error;
};

/* Reads what the form is filled in with. -ENOENT. May be called again. */
int ask_form_read(struct db *db, struct ask_form *form, struct tm_error *err);
/* Only form->about. */
int ask_form_about(struct db *db, struct ask_form *form, struct tm_error *err);
json_t *ask_form_model(const struct ask_form *form);
void ask_form_release(struct ask_form *form);

#endif
