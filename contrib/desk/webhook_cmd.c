/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/hooks/hooks.h"

#include <stdio.h>
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
  struct desk_action base;
  void (*say)(const struct hook *hook);
} actions[] = {
    {{"add", hook_add, 2}, say_secret},
    {{"stop", hook_stop, 1}, say_stopped},
    {{"list", hook_list, 0}, say_list},
};

static const struct action *action_of(const struct tm_args *args)
{
  return desk_action_of(args, actions, sizeof(actions) / sizeof(actions[0]), sizeof(actions[0]),
                        "add NAME URL, stop NAME or list is wanted");
}

struct acting {
  const struct action *action;
  struct hook hook;
};

static int act(struct desk *desk, void *what, struct tm_error *err)
{
  struct acting *a = what;
  int rc = store_write(desk->store, &db_everyone, a->action->base.work, &a->hook, err);
  if (rc == 0)
    a->action->say(&a->hook);
  return rc;
}

int run_webhook(const struct tm_args *args)
{
  struct acting a = {.action = action_of(args)};
  if (a.action == NULL)
    return EX_USAGE;
  a.hook = (struct hook){.name = a.action->base.operands > 0 ? args->operands[1] : NULL,
                         .url = a.action->base.operands > 1 ? args->operands[2] : NULL,
                         .now = tm_now()};
  int status = desk_run(args, act, &a);
  json_decref(a.hook.list);
  return status;
}
