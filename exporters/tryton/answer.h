/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_ANSWER_H
#define TM_TRYTON_ANSWER_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>

/*
 * What a server's answer to a call means: the status says little, 200 is an error too where the
 * body says so. 0 and *result (a new reference), or what tryton_call() says, *result untouched.
 * body may be NULL. 401 is the session's business, not this one's.
 */
int tryton_judge(const char *method, long status, const char *body, size_t len, json_t **result,
                 struct tm_error *err);

#endif
