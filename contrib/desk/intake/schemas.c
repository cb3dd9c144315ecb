/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/schemas.h"

#include "common/embed.h"
#include "common/log.h"

#include <pthread.h>
#include <stdlib.h>

#define SCHEMA(name, file) TM_EMBED(name, "contrib/schema/" file ".schema.json")

SCHEMA(desk_summary, "summary");
SCHEMA(desk_history, "history");
SCHEMA(desk_item_values, "item-values");
SCHEMA(desk_delete_request, "delete-request");
SCHEMA(desk_inquiry, "inquiry");
SCHEMA(desk_answer, "answer");
SCHEMA(desk_claim, "claim");
SCHEMA(desk_request, "request");
SCHEMA(desk_shops, "shops");

static const struct {
  const char *name, *text;
  const uint32_t *size;
} texts[SCHEMAS_OF] = {
    [SCHEMA_OF_SUMMARY] = {"summary", desk_summary_text, &desk_summary_size},
    [SCHEMA_OF_HISTORY] = {"history", desk_history_text, &desk_history_size},
    [SCHEMA_OF_ITEM_VALUES] = {"item-values", desk_item_values_text, &desk_item_values_size},
    [SCHEMA_OF_DELETE_REQUEST] = {"delete-request", desk_delete_request_text,
                                  &desk_delete_request_size},
    [SCHEMA_OF_INQUIRY] = {"inquiry", desk_inquiry_text, &desk_inquiry_size},
    [SCHEMA_OF_ANSWER] = {"answer", desk_answer_text, &desk_answer_size},
    [SCHEMA_OF_CLAIM] = {"claim", desk_claim_text, &desk_claim_size},
    [SCHEMA_OF_REQUEST] = {"request", desk_request_text, &desk_request_size},
    [SCHEMA_OF_SHOPS] = {"shops", desk_shops_text, &desk_shops_size},
};

static struct json_schema *loaded[SCHEMAS_OF];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load_all(void)
{
  struct tm_error err = {0};
  for (int i = 0; i < SCHEMAS_OF; i++) {
    if (json_schema_new(&loaded[i], texts[i].text, *texts[i].size, texts[i].name, &err) < 0) {
      tm_log_error("%s", err.text);
      abort();
    }
  }
}

const struct json_schema *schema_of(enum schema_of which)
{
  pthread_once(&once, load_all);
  return loaded[which];
}
