/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_CALL_SHOW_H
#define TM_TRYTON_CALL_SHOW_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>

/* For rpc.c: calls that are shown in place of being made, see tryton_rpc_only_show(). */

#define TRYTON_MAX_REQUEST (32 << 20) /* bytes of a call's JSON */

/* Whether a method changes nothing. */
bool tryton_call_reads(const char *method);

/* Prints the call, params with their context in them. *result, a new reference, is what it is taken
 * to answer. 0, or -EFBIG. */
int tryton_call_show(const char *method, const json_t *params, json_t **result,
                     struct tm_error *err);

#endif
