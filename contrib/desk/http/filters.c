/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/filters.h"

#include <string.h>

void filter_option(json_t *options, const char *value, const char *text, const char *chosen)
{
  bool is = chosen != NULL && strcmp(chosen, value) == 0;
  json_array_append_new(options,
                        json_pack("{s:s, s:s, s:b}", "value", value, "text", text, "chosen", is));
}

json_t *filter_options(const char *const (*rows)[2], const char *chosen)
{
  json_t *options = json_array();
  for (; (*rows)[0] != NULL; rows++)
    filter_option(options, (*rows)[0], (*rows)[1], chosen);
  return options;
}

json_t *filter_again(const struct request *r, const char *const *names, const char *place,
                     const json_t *next)
{
  json_t *query = json_array();
  for (; *names != NULL; names++) {
    const char *value = request_query(r, *names);
    if (value != NULL && value[0] != '\0')
      json_array_append_new(query, json_pack("{s:s, s:s}", "name", *names, "value", value));
  }
  if (json_is_string(next))
    json_array_append_new(query, json_pack("{s:s, s:O}", "name", place, "value", next));
  return query;
}
