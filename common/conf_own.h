/* SPDX-License-Identifier: MIT */
#ifndef TM_CONF_OWN_H
#define TM_CONF_OWN_H

/*
 * Between conf.c, which knows libconfuse and files, and whoever knows what the values mean:
 * conf_check.c and conf_target.c for tidemark.conf, and the desk for desk.conf. conf_value.c, which
 * reads one value, and conf_mark.c, which knows where it stands, are below them. Nobody else
 * includes this.
 */

#include "common/conf.h"

#include <confuse.h>

enum { TM_CONF_NAME_MAX = 64, TM_CONF_FILES_MAX = 257 };

enum tm_key_kind {
  TM_KEY_TEXT,     /* const char *: printable UTF-8, not empty */
  TM_KEY_NAME,     /* const char *: [A-Za-z0-9._-], at most 64, no leading dot */
  TM_KEY_PATH,     /* const char *: absolute */
  TM_KEY_URL,      /* const char *: scheme and host, no user, no blanks */
  TM_KEY_DURATION, /* int64_t */
  TM_KEY_BYTES,    /* uint64_t */
  TM_KEY_COUNT,    /* uint64_t */
  TM_KEY_BOOL,     /* bool */
  TM_KEY_LIST,     /* read by hand, a list */
  TM_KEY_OTHER,    /* read by hand, one value */
};

struct tm_key {
  const char *name; /* NULL ends a table */
  enum tm_key_kind kind;
  size_t offset; /* in struct tm_conf, or in struct tm_conf_target */
  uint64_t min, max;
  unsigned types, required; /* of a target: sets of 1 << enum tm_target_type */
};

struct tm_block {
  const char *name; /* NULL: the top level */
  const struct tm_key *keys;
};

/* What a file may hold. */
struct tm_conf_schema {
  const char *manual;            /* "tidemark.conf(5)", for messages */
  const struct tm_block *blocks; /* the top level first; ends with keys == NULL */
  const struct tm_block *titled; /* blocks that may stand several times, each with a title; ends
                                    with keys == NULL; or NULL */
};

/* The top level first; ends with keys == NULL. Targets and sources are apart. */
extern const struct tm_block tm_conf_blocks[];
extern const struct tm_key tm_conf_target_keys[], tm_conf_source_keys[];

/* Where a key was last set, or a block ended. */
struct tm_mark {
  const void *what; /* the cfg_opt_t of a key, the cfg_t of a block */
  const char *file;
  int line;
};

struct tm_conf_own {
  const struct tm_conf_schema *schema;
  cfg_t *cfg;
  char *files[TM_CONF_FILES_MAX]; /* names; the last one is being read */
  size_t files_len;
  struct tm_mark *marks;
  size_t marks_len, marks_cap;
};

/* One block whose values are being read. */
struct tm_reader {
  const struct tm_conf_own *own;
  cfg_t *section;
  struct tm_error *err;
};

/*
 * Parses path and then every *.conf of the folder path.d; installed: path is the one that is there
 * without being asked for, and -ENOENT is told as such. The other takes a text from memory. *own is
 * to be freed by tm_conf_own_free(), which NULL is fine for, also after a failure.
 */
int tm_conf_own_load(struct tm_conf_own **own, const struct tm_conf_schema *schema,
                     const char *path, bool installed, struct tm_error *err);
int tm_conf_own_parse(struct tm_conf_own **own, const struct tm_conf_schema *schema,
                      const char *text, size_t len, const char *name, struct tm_error *err);
void tm_conf_own_free(struct tm_conf_own *own);

#define REFUSE(r, key, ...) tm_conf_refuse((r)->own, (r)->section, (key), (r)->err, __VA_ARGS__)

/* Where the block ended; NULL for the top level. */
const struct tm_mark *tm_conf_mark(const struct tm_conf_own *own, const void *what);

/* "FILE:LINE: BLOCK: text" at where the key was set, or at the end of its block. */
int tm_conf_refuse(const struct tm_conf_own *own, cfg_t *section, const char *key,
                   struct tm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Those keys of a block that are read by a row of the table, into the struct at base. */
int tm_conf_read_keys(const struct tm_reader *r, const struct tm_key *keys, void *base);
/* One of the names; *index stays when the key is absent. */
int tm_conf_read_choice(const struct tm_reader *r, const char *key, const char *const *names,
                        int *index);
int tm_conf_read_targets(struct tm_conf *out, const struct tm_conf_own *own, struct tm_error *err);
int tm_conf_read_sources(struct tm_conf *out, const struct tm_conf_own *own, struct tm_error *err);
/* Where name stands in a NULL-terminated list, or -1. */
int tm_conf_index_of(const char *const *names, const char *name);
/* A name that can stand in a key, a URL and a path: [A-Za-z0-9._-], at most 64, no leading dot. */
bool tm_conf_is_name(const char *s);

/* Fills out from what was parsed, checking every value. */
int tm_conf_check(struct tm_conf *out, const struct tm_conf_own *own, struct tm_error *err);

#endif
