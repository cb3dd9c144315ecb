/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_RESERVE_H
#define TM_TRYTON_RESERVE_H

#include "common/error.h"
#include "exporters/tryton/stock.h"

#include <jansson.h>
#include <stdint.h>

/*
 * Goods that are set aside for an inquiry, as assigned internal shipments of Tryton with one
 * reference: what lies at the shop goes to its output zone, what lies elsewhere is to be moved to
 * the shop. Tryton then gives none of it to anybody else.
 */

/*
 * lines: those of an answer. All of it is reserved or nothing; what an earlier try with this
 * reference has left is taken back first. *numbers gets the shipments' numbers, a new array. today
 * is a day number. -ENODATA when the goods are not (or no more) in stock; else as tryton_call().
 */
int reserve_make(struct stock *s, const char *reference, const json_t *lines, int64_t today,
                 json_t **numbers, struct tm_error *err);

/* Gives it back; what has left already stays as it is. *released counts shipments. */
int reserve_release(struct tryton_rpc *rpc, const char *reference, size_t *released,
                    struct tm_error *err);

#endif
