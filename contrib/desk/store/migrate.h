/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_MIGRATE_H
#define TM_DESK_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The steps by which the database came to be: the files of store/migrations, numbered from 1
 * without a gap, compiled into the program. A step that was released is never changed; what comes
 * later is a new one. A new file is a line of migrations.c, and nothing else.
 *
 * In PostgreSQL every table with a column customer_id gets its row-level security by itself after
 * the last step, so that no table can be forgotten: rows are there for a scope of all customers,
 * or of just this one.
 */
struct migration {
  const char *name; /* "001-core" */
  const char *sql;
  const uint32_t *len;
};

extern const struct migration migrations[];
extern const size_t migrations_len;

#endif
