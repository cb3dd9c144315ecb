/* SPDX-License-Identifier: MIT */
#ifndef TM_JSON_READ_H
#define TM_JSON_READ_H

#include <jansson.h>
#include <stddef.h>

/*
 * JSON as programs write it, read into Jansson's tree in half of Jansson's time: names and texts
 * without escapes, numbers without exponents. New reference; NULL where anything else is met, be it
 * rare or wrong: what is to be thought of that, only Jansson says. What is given is what Jansson
 * would have given, member by member.
 */
json_t *tm_json_read_plain(const char *data, size_t len, size_t depth_max);

#endif
