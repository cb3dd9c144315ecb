/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INQUIRY_H
#define TM_DESK_INQUIRY_H

#include "contrib/desk/http/topics.h"
#include "contrib/desk/store/db.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Inquiries and their answers as rows. An inquiry is there, durable, before anybody is asked; it
 * has one answer, the first that came.
 */
enum { INQUIRY_ID = 65, INQUIRY_LINES = 50, INQUIRY_PIECES = 1000000 };

struct inquiry_ask {
  const char *id; /* given by who asks; NULL: the desk's next, "Q-1001" */
  int64_t item;   /* 0: of none */
  int64_t user;   /* 0: a program's without a user */
  const char *by; /* its name */
  const char *shop;
  const json_t *lines; /* [{"sku", "quantity"}] */
  int64_t wanted_on;   /* day; INT64_MIN: none */
  const char *recommendation, *note;
  int64_t now;
};

/* What is wrong with it: "shop", "sku", "quantity", "lines", "id", and in which line. */
struct inquiry_fault {
  const char *field;
  size_t line;
};

/* 0 with its id; -ENOENT for an absent item; -EINVAL with the fault for what is not known, with the
 * nearest that is; -EEXIST where another inquiry has the id. The same inquiry again is no other
 * one: 0, with *again set. */
int inquiry_make(struct db *db, const struct inquiry_ask *ask, char id[INQUIRY_ID], bool *again,
                 struct inquiry_fault *fault, struct tm_error *err);

/* The next of the numbers that people see ("inquiry", "reservation"), from 1001 on. Who has taken
 * one is alone with what hangs on it until the end of the transaction. */
int inquiry_number(struct db *db, const char *of, int64_t *number, struct tm_error *err);

/* One, with its answer, what is kept for it, and its item's names; -ENOENT. New reference. */
int inquiry_read(struct db *db, const char *id, json_t **row, struct tm_error *err);

struct inquiry_list {
  int64_t user;      /* asked by; 0: anybody */
  const char *state; /* NULL: any */
  int64_t before_at; /* continue behind this one; INT64_MAX: from the newest */
  const char *before_id;
  int limit;
};
/* The newest first. New reference. */
int inquiry_list(struct db *db, const struct inquiry_list *list, json_t **rows,
                 struct tm_error *err);
int inquiry_list_of_item(struct db *db, int64_t item, json_t **rows, struct tm_error *err);

/* Without what leads to a customer: for the factory. In place. */
void inquiry_strip(json_t *row);
/* The inquiry as contrib/schema/inquiry.schema.json has it. New reference. */
json_t *inquiry_document(const json_t *row);

enum inquiry_kept {
  INQUIRY_ANSWERED, /* stored */
  INQUIRY_KNOWN,    /* it had an answer: this one is not heard */
  INQUIRY_STRAY,    /* nobody asked under this id: kept apart */
};
/* Takes an answer (contrib/schema/answer.schema.json; checked before). */
int inquiry_answer(struct db *db, const json_t *answer, const json_t *from, const char *by,
                   int64_t now, enum inquiry_kept *kept, struct tm_error *err);
/* The factory says no, with why. -ENOENT; -EEXIST when it is answered already. */
int inquiry_refuse(struct db *db, const char *id, const char *by, const char *why, int64_t now,
                   struct tm_error *err);

/* What the script of a page puts into its row (static/desk.js): {"schema", "inquiry", "state",
 * "said", "text": {...}}. New reference. */
json_t *inquiry_news(const json_t *row, int64_t today);
/* Tells it to who asked. */
void inquiry_publish(struct topics *topics, const json_t *row, int64_t today);
/* The topic of a person's answers. Returns out. */
char *inquiry_topic(char out[TOPIC_NAME], int64_t user);

#endif
