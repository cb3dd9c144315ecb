/* SPDX-License-Identifier: MIT */
#ifndef TM_INQUIRE_H
#define TM_INQUIRE_H

#include "common/conf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Stock and date, asked of an ERP (role vendor). Each returns the exit status: EX_DATAERR where one
 * was refused, EX_UNAVAILABLE where the ERP did not answer (the inquiry is kept and asked again by
 * the next call without files).
 */
struct inquire_order {
  const struct tm_conf *conf;
  const char *target; /* NULL: the only one of type tryton with the purpose factory */
  int64_t now;
};

/* Asks; prints an answer a line. The same inquiry again gets the same answer. Without files: all
 * that are open, and reservations whose day is over, or whose recommendation was won or lost, are
 * released. */
int inquire_ask(const struct inquire_order *order, char *const *files);
/* Takes answers that came from elsewhere: a factory without an ERP. */
int inquire_take(const struct inquire_order *order, const char *file);
/* Reserves what an answer promises from stock, until a day ("2026-12-04"; NULL: 14 days). */
int inquire_agree(const struct inquire_order *order, const char *id, const char *until);
int inquire_release(const struct inquire_order *order, const char *id);
int inquire_list(const struct inquire_order *order, bool as_json);

#endif
