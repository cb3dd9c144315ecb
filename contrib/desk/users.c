/* SPDX-License-Identifier: MIT */
#include "contrib/desk/users.h"

#include "common/clock.h"
#include "common/log.h"
#include "contrib/desk/begin.h"
#include "contrib/desk/conf.h"
#include "contrib/desk/people/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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
  const char *name;
  store_work *work;
  void (*say)(const struct desk_conf *conf, const struct account *a);
  size_t operands; /* the action's own name not counted */
} actions[] = {
    {"add", account_add, say_link, 1},
    {"link", account_link, say_link, 1},
    {"disable", account_disable, say_changed, 1},
    {"enable", account_enable, say_changed, 1},
    {"role", account_role, say_changed, 2},
    {"token", account_token, say_token, 1},
    {"list", account_list, say_list, 0},
};

static const struct action *action_of(const struct tm_args *args)
{
  for (size_t i = 0; args->operands_len > 0 && i < sizeof(actions) / sizeof(actions[0]); i++) {
    if (strcmp(actions[i].name, args->operands[0]) == 0 &&
        args->operands_len == actions[i].operands + 1)
      return &actions[i];
  }
  tm_log_error(
      "add LOGIN, link LOGIN, disable LOGIN, enable LOGIN, role LOGIN ROLE, token LOGIN or "
      "list is wanted");
  return NULL;
}

static int act(const struct desk_conf *conf, const struct action *action, struct account *a)
{
  struct tm_error err = {0};
  struct store *store = NULL;
  struct db_scope everyone = {NULL};
  struct store_settings settings = {
      .url = conf->database, .password_file = conf->database_password_file, .connections = 1};
  int rc = store_open(&store, &settings, &err);
  if (rc == 0)
    rc = store_write(store, &everyone, action->work, a, &err);
  if (rc == 0)
    action->say(conf, a);
  else
    tm_log_error("%s", err.text);
  if (store != NULL)
    store_close(store);
  json_decref(a->list);
  return rc == -EEXIST ? EX_DATAERR : tm_exit_status(rc);
}

int run_user(const struct tm_args *args)
{
  struct desk_conf conf;
  const struct action *action = action_of(args);
  if (action == NULL)
    return EX_USAGE;
  struct account a = {.login = action->operands > 0 ? args->operands[1] : NULL,
                      .name = tm_args_get(args, "name"),
                      .role = action->operands == 2 ? args->operands[2] : tm_args_get(args, "role"),
                      .customer = tm_args_get(args, "customer"),
                      .staff = tm_args_get(args, "staff"),
                      .now = tm_now(),
                      .by = "command line"};
  int status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  status = act(&conf, action, &a);
  desk_conf_release(&conf);
  return status;
}
