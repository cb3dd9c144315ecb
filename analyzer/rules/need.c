/* SPDX-License-Identifier: MIT */
/* What a rule writes down: its name, and the numbers of its need. */
#include "analyzer/rules/rules.h"

#include "common/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *need_action_name(enum need_action action)
{
  static const char *const names[NEED_ACTIONS] = {"grow",     "cache",  "faster",
                                                  "software", "supply", "service"};
  return names[action];
}

static void put(struct need *n, const char *name, size_t index, json_t *value)
{
  char key[64];
  if (n->evidence == NULL)
    n->evidence = json_object();
  if (index > 0)
    snprintf(key, sizeof(key), "%s_%s_%zu", need_action_name(n->action), name, index);
  else
    snprintf(key, sizeof(key), "%s_%s", need_action_name(n->action), name);
  json_object_set_new(n->evidence, key, value);
}

void need_put_number(struct need *n, const char *name, size_t index, double value)
{
  put(n, name, index, tm_json_number(value));
}

void need_put_text(struct need *n, const char *name, size_t index, const char *value)
{
  char text[81];
  size_t len = 0;
  for (; *value != '\0' && len + 1 < sizeof(text); value++) {
    bool plain = isalnum((unsigned char)*value) || strchr(" .,:/+%-", *value) != NULL;
    text[len++] = plain && (unsigned char)*value < 0x80 ? *value : ' ';
  }
  text[len] = '\0';
  put(n, name, index, json_string(text));
}

void need_release(struct need *n)
{
  json_decref(n->evidence);
  n->evidence = NULL;
}
