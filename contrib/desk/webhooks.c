/* SPDX-License-Identifier: MIT */
#include "contrib/desk/webhooks.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "contrib/desk/begin.h"
#include "contrib/desk/hooks/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void say_secret(const struct hook *hook)
{
  printf("%s\n", hook->secret);
}

static void say_stopped(const struct hook *hook)
{
  printf("%s: stopped\n", hook->name);
}

static void say_time(const char *what, const json_t *at)
{
  char time[TM_TIME_SIZE];
  if (json_is_integer(at))
    printf("  %s %s", what, tm_time_format(time, json_integer_value(at)));
}

static void say_list(const struct hook *hook)
{
  size_t i;
  json_t *row;
  json_array_foreach(hook->list, i, row)
  {
    const char *error = tm_json_get_string(row, "error");
    printf("%-16s %s  %lld waiting, %lld given up", tm_json_get_string(row, "name"),
           tm_json_get_string(row, "url"),
           (long long)json_integer_value(json_object_get(row, "waiting")),
           (long long)json_integer_value(json_object_get(row, "given_up")));
    say_time("last taken", json_object_get(row, "sent_at"));
    say_time("stopped", json_object_get(row, "stopped_at"));
    if (error != NULL) {
      say_time("failed", json_object_get(row, "error_at"));
      printf(": %s", error);
    }
    printf("\n");
  }
}

static const struct action {
  const char *name;
  store_work *work;
  void (*say)(const struct hook *hook);
  size_t operands; /* the action's own name not counted */
} actions[] = {
    {"add", hook_add, say_secret, 2},
    {"stop", hook_stop, say_stopped, 1},
    {"list", hook_list, say_list, 0},
};

static const struct action *action_of(const struct tm_args *args)
{
  for (size_t i = 0; args->operands_len > 0 && i < sizeof(actions) / sizeof(actions[0]); i++) {
    if (strcmp(actions[i].name, args->operands[0]) == 0 &&
        args->operands_len == actions[i].operands + 1)
      return &actions[i];
  }
  tm_log_error("add NAME URL, stop NAME or list is wanted");
  return NULL;
}

int run_webhook(const struct tm_args *args)
{
  static const struct db_scope everyone = {NULL};
  const struct action *action = action_of(args);
  struct desk_conf conf;
  struct store *store = NULL;
  struct tm_error err = {0};
  if (action == NULL)
    return EX_USAGE;
  struct hook hook = {.name = action->operands > 0 ? args->operands[1] : NULL,
                      .url = action->operands > 1 ? args->operands[2] : NULL,
                      .now = tm_now()};
  int status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = desk_store(&store, &conf, &err);
  if (rc == 0)
    rc = store_write(store, &everyone, action->work, &hook, &err);
  if (rc == 0)
    action->say(&hook);
  else
    tm_log_error("%s", err.text);
  json_decref(hook.list);
  store_close(store);
  desk_conf_release(&conf);
  return rc == -EEXIST || rc == -EINVAL ? EX_DATAERR : tm_exit_status(rc);
}
