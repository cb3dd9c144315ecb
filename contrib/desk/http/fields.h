/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_FIELDS_H
#define TM_DESK_FIELDS_H

#include "contrib/desk/http/request.h"

/*
 * Fields of forms, checked. Each returns 0, or -EINVAL with what would be right in err and the
 * field's name in *bad: what respond_error() with 422 tells.
 */
enum { FIELD_TEXT = 4000, FIELD_NAME = 200 }; /* bytes, of a remark and of a name */

/* What a field holds where that is more than blanks; NULL else. Unchecked otherwise. */
const char *field_filled(const struct request *r, const char *name);
/* Must be there, hold more than blanks and not be longer than max bytes. */
int field_must(const struct request *r, const char *name, size_t max, const char **out,
               const char **bad, struct tm_error *err);
/* The same where it is there; NULL where it is absent or empty. */
int field_may(const struct request *r, const char *name, size_t max, const char **out,
              const char **bad, struct tm_error *err);
/* "2026-11-20" as days since 1970; INT64_MIN where it is absent or empty. */
int field_day(const struct request *r, const char *name, int64_t *out, const char **bad,
              struct tm_error *err);
/* A whole number; 0 where it is absent or empty. */
int field_number(const struct request *r, const char *name, int64_t min, int64_t max, int64_t *out,
                 const char **bad, struct tm_error *err);

/* A part of the path that is somebody's number: 0, or -ENOENT with `missing` in err. */
int part_number(const struct request *r, const char *name, int64_t *out, const char *missing,
                struct tm_error *err);

#endif
