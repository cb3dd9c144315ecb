/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_MAIL_H
#define TM_DESK_MAIL_H

#include "common/mail.h"
#include "contrib/desk/desk.h"

#include <jansson.h>

/*
 * Letters to people. mail_put() writes one into the queue within the transaction of what it tells:
 * whoever has asked for something has it stored before any mail server is spoken to, and one letter
 * of a key is made, however often that is tried. A thread of the desk sends them (sender.h).
 *
 * The words are a template of pages/ that ends in .txt: its first line is "Subject: ...", then
 * comes an empty line and the text. Names from outside cannot become headers: a template prints no
 * line ends of a value, and common/mail.h encodes the subject.
 */
struct mail {
  const char *key;                  /* "item-late/41/2026-11-17": what it is about, once */
  const char *customer;             /* whose data stand in it; NULL: nobody's */
  const char *to;                   /* an address */
  const char *to_name;              /* NULL: none */
  const char *reply_to;             /* NULL: none */
  const char *page;                 /* "mail-late.txt" */
  const json_t *model;              /* "desk" {vendor, url} is added to it */
  const struct tm_mail_part *parts; /* attachments, with names */
  size_t parts_len;
};

/* 0: it is in the queue, or was before. -EINVAL for an address that is none. */
int mail_put(struct db *db, const struct desk *desk, const struct mail *mail, int64_t now,
             struct tm_error *err);

#endif
