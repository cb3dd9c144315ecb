/* SPDX-License-Identifier: MIT */
#ifndef TM_MAIL_H
#define TM_MAIL_H

#include "common/error.h"
#include "common/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Mail by libcurl's SMTP: what the exporter's smtp target and the desk send. TLS is verified and
 * wanted, unless it is said otherwise for a server of one's own; one connection is kept for all
 * letters.
 *
 * Nothing that a device, customer or visitor named can become a header: addresses with a blank, a
 * control byte or an angle bracket are refused, and texts in headers are sent as RFC 2047 words.
 */
struct tm_mailer;

struct tm_mailer_settings {
  const char *url;      /* smtp://HOST:PORT or smtps://HOST:PORT */
  const char *from;     /* an address */
  const char *user;     /* NULL: no login */
  const char *password; /* NULL: none */
  struct tm_tls tls;
  bool starttls; /* false: plain text is allowed, for a server on the loopback address */
  int timeout_s;
};

/* settings are copied, and the password is forgotten at the end. */
int tm_mailer_open(struct tm_mailer **mailer, const struct tm_mailer_settings *settings,
                   struct tm_error *err);
void tm_mailer_close(struct tm_mailer *mailer); /* NULL is fine */

struct tm_mail_part {
  const char *name; /* of an attachment; NULL: a body, shown in the mail */
  const char *type; /* "text/plain; charset=utf-8" */
  const void *data;
  size_t len;
};

struct tm_letter {
  const char *to;         /* an address */
  const char *to_name;    /* NULL: none */
  const char *reply_to;   /* an address; NULL: none */
  const char *subject;    /* UTF-8 */
  const char *message_id; /* "KEY@tidemark": the same for every try, so that a letter that comes
                             twice is seen to be one */
  int64_t date;
  const struct tm_mail_part *parts;
  size_t parts_len;
};

enum tm_mail_result {
  TM_MAIL_SENT,    /* the server has it, by a 250 at its end */
  TM_MAIL_REFUSED, /* this letter alone, for good: 5xx, or an address that is none */
  TM_MAIL_LATER,   /* the server or the line: try again */
  TM_MAIL_LOGIN    /* user or password are not accepted: nothing will be until that is mended */
};

/* err tells why for all but TM_MAIL_SENT. */
enum tm_mail_result tm_mailer_send(struct tm_mailer *mailer, const struct tm_letter *letter,
                                   struct tm_error *err);

/* True for text that may stand between < and > in a header: one @, printable ASCII without blanks
 * and brackets, at most 254 bytes. (The local part may not be in quotes.) */
bool tm_mail_is_address(const char *text);

#endif
