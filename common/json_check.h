/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_CHECK_H
#define TM_JSON_CHECK_H

#include "common/buf.h"
#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A JSON file that people write by hand (catalogue, registration, shop map), checked member by
 * member. Every refusal reads "NAME:LINE: what" with the line of the member that is wrong, which
 * Jansson does not keep: the text stays beside the tree and is walked again, on failure alone.
 */
struct tm_json_file {
  const char *name; /* borrowed: as it stands in messages */
  struct tm_buf text;
  json_t *root;
};

/* Reads and parses. 0 or a negative errno; release the file in either case. */
int tm_json_file_read(struct tm_json_file *f, const char *path, size_t max_bytes,
                      struct tm_error *err);
/* The same for bytes in memory, which are copied. */
int tm_json_file_parse(struct tm_json_file *f, const char *data, size_t len, const char *name,
                       struct tm_error *err);
/* Frees text and tree; harmless twice. Take root out (set it NULL) to keep the tree. */
void tm_json_file_release(struct tm_json_file *f);

/*
 * The line, from 1, where the member `key` of an object, or element `index` of an array, begins.
 * Where it is absent, and with key NULL or index SIZE_MAX, the line of the container itself.
 */
size_t tm_json_line(const struct tm_json_file *f, const json_t *container, const char *key,
                    size_t index);

/* Fills err with "NAME:LINE: what" and returns -EBADMSG. */
int tm_json_refuse(const struct tm_json_file *f, const json_t *container, const char *key,
                   struct tm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int tm_json_refuse_at(const struct tm_json_file *f, const json_t *array, size_t index,
                      struct tm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Reading one member. 0, or -EBADMSG with the refusal in err. A member that is absent (or null)
 * leaves *out as it is, unless it is required. Strings are borrowed from the tree; they are
 * printable, not empty and at most max_characters long, which may be four times as many bytes.
 */
int tm_json_want_string(const struct tm_json_file *f, const json_t *object, const char *key,
                        bool required, size_t max_characters, const char **out,
                        struct tm_error *err);
/* The same for the name of a host or device, of which a file is named: at most 255 bytes, too. */
int tm_json_want_name(const struct tm_json_file *f, const json_t *object, const char *key,
                      bool required, size_t max_characters, const char **out, struct tm_error *err);
int tm_json_want_number(const struct tm_json_file *f, const json_t *object, const char *key,
                        bool required, double min, double max, double *out, struct tm_error *err);
/* A date "2026-11-20" as its midnight UTC. */
int tm_json_want_date(const struct tm_json_file *f, const json_t *object, const char *key,
                      bool required, int64_t *out, struct tm_error *err);
/* An array of at most max strings. *out is borrowed; NULL when absent. */
int tm_json_want_strings(const struct tm_json_file *f, const json_t *object, const char *key,
                         bool required, size_t max, const json_t **out, struct tm_error *err);
/* Refuses members that are not in the NULL-terminated list and names the nearest one. */
int tm_json_known_keys(const struct tm_json_file *f, const json_t *object, const char *const *known,
                       struct tm_error *err);
/* Refuses a document whose "schema" is not this. */
int tm_json_want_schema(const struct tm_json_file *f, const char *schema, struct tm_error *err);

#endif
