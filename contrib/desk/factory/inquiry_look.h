/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INQUIRY_LOOK_H
#define TM_DESK_INQUIRY_LOOK_H

#include "contrib/desk/factory/ask.h"
#include "contrib/desk/factory/inquiry.h"

/*
 * One inquiry as a visitor looks at it, for its page and for what is done there.
 */
struct looking {
  const struct request *r;
  const char *id;
  int64_t today;
  struct inquiry_list list;
  char before_id[INQUIRY_ID];
  json_t *row, *rows, *names, *shops, *reserved;
  struct ask_form form;
  const char *field, *error; /* of what was posted */
};

/* Reads it: r is given, the id is its part "id". -ENOENT. May be called again. */
int inquiry_look(struct looking *l, struct tm_error *err);
/* As page or JSON, by what was asked for; with field and error beside what was posted. */
int inquiry_show(struct looking *l, struct response *to, int status, struct tm_error *err);
void inquiry_look_release(struct looking *l);

#endif
