/* SPDX-License-Identifier: MIT */
#ifndef TM_REQUESTS_H
#define TM_REQUESTS_H

#include "common/conf.h"

#include <jansson.h>
#include <stdint.h>

/*
 * What service asks for: data items of a device, each request one file STATE/requests/ID.json. They
 * come with signed answers only; nothing is asked of a device before the site says so, unless it
 * said so for good.
 */

/* Keeps those requests that are sound and new; says so on standard error. */
void requests_store(const struct tm_conf *conf, const struct tm_conf_target *target,
                    const json_t *requests);

#endif
