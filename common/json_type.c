/* SPDX-License-Identifier: MIT */
#include "common/json_type.h"

#include <math.h>
#include <string.h>

unsigned tm_json_type(const json_t *v)
{
  switch (json_typeof(v)) {
  case JSON_OBJECT:
    return TM_TYPE_OBJECT;
  case JSON_ARRAY:
    return TM_TYPE_ARRAY;
  case JSON_STRING:
    return TM_TYPE_STRING;
  case JSON_INTEGER:
    return TM_TYPE_INTEGER;
  case JSON_REAL:
    return json_real_value(v) == floor(json_real_value(v)) ? TM_TYPE_INTEGER : TM_TYPE_FRACTION;
  case JSON_TRUE:
  case JSON_FALSE:
    return TM_TYPE_BOOLEAN;
  case JSON_NULL:
    break;
  }
  return TM_TYPE_NULL;
}

unsigned tm_json_type_named(const char *name)
{
  static const struct {
    const char *name;
    unsigned type;
  } types[] = {{"object", TM_TYPE_OBJECT},   {"array", TM_TYPE_ARRAY},
               {"string", TM_TYPE_STRING},   {"number", TM_TYPE_NUMBER},
               {"integer", TM_TYPE_INTEGER}, {"boolean", TM_TYPE_BOOLEAN},
               {"null", TM_TYPE_NULL}};
  for (size_t i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]); i++)
    if (strcmp(types[i].name, name) == 0)
      return types[i].type;
  return 0;
}

bool tm_json_is_listed(const json_t *list, const json_t *value)
{
  size_t i;
  json_t *one;
  json_array_foreach(list, i, one)
  {
    if (json_equal(one, value))
      return true;
  }
  return false;
}
