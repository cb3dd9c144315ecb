/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/relay.h"

#include "common/json.h"
#include "common/log.h"
#include "contrib/desk/people/secret.h"
#include "contrib/desk/work/ticker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* It ends within WAIT_MS; a server that is away is asked again after AGAIN_S. */
enum { WAIT_MS = 500, AGAIN_S = 3 };

struct relay {
  const struct desk *desk;
  struct ticker *ticker;
  char name[SECRET_SIZE]; /* this desk, by which it knows its own words */
  bool in_trouble;
};

/* --- what is said here ---------------------------------------------------------------------- */

static void tell(void *user, const char *topic, const char *event, const char *data)
{
  const struct relay *r = user;
  struct tm_error err = {0};
  json_t *said = json_pack("{s:s,s:s,s:s*,s:s}", "from", r->name, "topic", topic, "event", event,
                           "data", data);
  char *text = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
  int rc = text != NULL ? store_tell(r->desk->store, text, &err) : -ENOMEM;
  /* What is too long is seen when the page asks. */
  if (rc < 0 && rc != -EMSGSIZE)
    tm_log_warning("the other desks were not told: %s", err.text);
  free(text);
  json_decref(said);
}

/* --- what is said elsewhere ----------------------------------------------------------------- */

static void hear(void *user, const char *text)
{
  const struct relay *r = user;
  struct tm_error err = {0};
  json_t *said = tm_json_parse(text, strlen(text), "another desk", &err);
  const char *from = tm_json_get_string(said, "from"), *topic = tm_json_get_string(said, "topic");
  const char *event = tm_json_get_string(said, "event"), *data = tm_json_get_string(said, "data");
  bool other = from != NULL && topic != NULL && data != NULL && strcmp(from, r->name) != 0;
  if (other && event != NULL)
    topics_deliver(r->desk->topics, topic, event, data);
  else if (other && strtoll(data, NULL, 10) > 0)
    topics_end(r->desk->topics, strtoll(data, NULL, 10));
  json_decref(said);
}

/* Trouble is said once until it is over. */
static int listen_on(void *user)
{
  struct relay *r = user;
  struct tm_error err = {0};
  int rc = store_hear(r->desk->store, WAIT_MS, hear, r, &err);
  if (rc < 0 && !r->in_trouble)
    tm_log_warning("the other desks are not heard for now: %s", err.text);
  else if (rc == 0 && r->in_trouble)
    tm_log_warning("the other desks are heard again");
  r->in_trouble = rc < 0;
  return rc < 0 ? AGAIN_S : 0;
}

int relay_start(struct relay **relay, const struct desk *desk, struct tm_error *err)
{
  if (!store_is_shared(desk->store))
    return 0;
  struct relay *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  r->desk = desk;
  secret_make(r->name, "");
  int rc = ticker_start(&r->ticker, listen_on, r, err);
  if (rc < 0) {
    free(r);
    return rc;
  }
  topics_relay_by(desk->topics, tell, r);
  *relay = r;
  return 0;
}

void relay_end(struct relay *r)
{
  if (r == NULL)
    return;
  topics_relay_by(r->desk->topics, NULL, NULL);
  ticker_end(r->ticker);
  free(r);
}
