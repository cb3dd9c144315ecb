/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_LIFE_H
#define TM_DESK_LIFE_H

#include "contrib/desk/store/db.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The life of an item: new, contacted, proposed, agreed, ordered, delivered, installed; or lost
 * with a reason, or snoozed until a day. Forward steps may be left out, but nothing passes 'agreed'
 * without who agreed and when; one step back is a correction and needs no reason.
 */

/* Where an item in this state may go by a person's hand. */
bool life_may(const char *from, const char *to);

struct life_change {
  int64_t item;
  const char *to;
  const char *by;        /* the one who says so */
  const char *staff;     /* who becomes the owner where there is none; NULL: nobody */
  const char *agreed_by; /* at the customer; needed to pass 'agreed' the first time */
  int64_t agreed_on;     /* day; INT64_MIN: not given */
  const char *reason;    /* for lost */
  int64_t until;         /* day, for snoozed; INT64_MIN: not given */
  int64_t version;       /* of the item as the person saw it; 0: not looked at */
  int64_t now;
};

/* 0; -ENOENT; -EEXIST where the item has been changed by somebody else meanwhile; -EINVAL with the
 * field's name in *field. */
int life_apply(struct db *db, const struct life_change *change, const char **field,
               struct tm_error *err);

/* For pages: [{"text","sub","class":"done|now|todo","at"}] and [{"value","text"}]. New references.
 */
json_t *life_steps(const json_t *item, const json_t *events);
json_t *life_moves(const json_t *item);

#endif
