/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/clock.h"
#include "contrib/desk/conf.h"
#include "contrib/desk/people/accounts.h"

#include <stdio.h>
#include <sysexits.h>

static const char *url_of(const struct desk_conf *conf)
{
  static char url[128];
  if (conf->public_url != NULL)
    return conf->public_url;
  snprintf(url, sizeof(url), "http://%.100s", conf->listen);
  return url;
}

static void say_link(const struct desk_conf *conf, const struct account *a)
{
  printf("%s: sign in once, within %d hours: %s/login/%s\n", a->login, LINK_HOURS, url_of(conf),
         a->secret);
}

static void say_token(const struct desk_conf *conf, const struct account *a)
{
  (void)conf;
  printf("%s\n", a->secret);
}

static void say_changed(const struct desk_conf *conf, const struct account *a)
{
  (void)conf;
  printf("%s: done, and signed out everywhere\n", a->login);
}

static void say_list(const struct desk_conf *conf, const struct account *a)
{
  size_t i;
  json_t *row;
  (void)conf;
  json_array_foreach(a->list, i, row)
  {
    const char *login, *name, *role, *customer = NULL;
    json_t *disabled = NULL;
    if (json_unpack(row, "{s:s, s:s, s:s, s?s, s?o}", "login", &login, "name", &name, "role", &role,
                    "customer_id", &customer, "disabled_at", &disabled) < 0)
      json_unpack(row, "{s:s, s:s, s:s, s:o}", "login", &login, "name", &name, "role", &role,
                  "disabled_at", &disabled);
    printf("%-32s  %-10s  %-8s  %s%s%s\n", login, role, json_is_integer(disabled) ? "disabled" : "",
           name, customer != NULL ? ", " : "", customer != NULL ? customer : "");
  }
}

static const struct action {
  struct desk_action base;
  void (*say)(const struct desk_conf *conf, const struct account *a);
} actions[] = {
    {{"add", account_add, 1}, say_link},
    {{"link", account_link, 1}, say_link},
    {{"disable", account_disable, 1}, say_changed},
    {{"enable", account_enable, 1}, say_changed},
    {{"role", account_role, 2}, say_changed},
    {{"token", account_token, 1}, say_token},
    {{"list", account_list, 0}, say_list},
};

static const struct action *action_of(const struct tm_args *args)
{
  return desk_action_of(args, actions, sizeof(actions) / sizeof(actions[0]), sizeof(actions[0]),
                        "add LOGIN --name NAME --role ROLE, link LOGIN, disable LOGIN, enable "
                        "LOGIN, role LOGIN ROLE, token LOGIN or "
                        "list is wanted");
}

struct acting {
  const struct action *action;
  struct account account;
};

static int act(struct desk *desk, void *what, struct tm_error *err)
{
  struct acting *a = what;
  int rc = store_write(desk->store, &db_everyone, a->action->base.work, &a->account, err);
  if (rc == 0)
    a->action->say(desk->conf, &a->account);
  return rc;
}

int run_user(const struct tm_args *args)
{
  struct acting a = {.action = action_of(args)};
  if (a.action == NULL)
    return EX_USAGE;
  a.account = (struct account){.login = a.action->base.operands > 0 ? args->operands[1] : NULL,
                               .name = tm_args_get(args, "name"),
                               .role = a.action->base.operands == 2 ? args->operands[2]
                                                                    : tm_args_get(args, "role"),
                               .customer = tm_args_get(args, "customer"),
                               .staff = tm_args_get(args, "staff"),
                               .now = tm_now(),
                               .by = "command line"};
  int status = desk_run(args, act, &a);
  json_decref(a.account.list);
  return status;
}
