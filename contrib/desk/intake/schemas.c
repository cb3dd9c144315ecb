/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/schemas.h"

#include "common/embed.h"
#include "common/json_memory.h"
#include "common/log.h"

#include <errno.h>
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
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

const struct json_schema *schema_of(enum schema_of which)
{
  struct tm_error err = {0};
  pthread_mutex_lock(&loading);
  int rc = loaded[which] != NULL ? 0
                                 : json_schema_new(&loaded[which], texts[which].text,
                                                   *texts[which].size, texts[which].name, &err);
  const struct json_schema *schema = rc == 0 ? loaded[which] : NULL;
  pthread_mutex_unlock(&loading);
  if (rc == -ENOMEM)
    tm_json_starve();
  if (rc < 0 && !tm_json_starved()) {
    tm_log_error("%s", err.text);
    abort();
  }
  return schema;
}
