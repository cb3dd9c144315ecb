/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sites.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "contrib/desk/begin.h"
#include "contrib/desk/intake/site.h"
#include "contrib/desk/people/visitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define EVENTS "/api/v1/events"

/* --- what is said ------------------------------------------------------------------------- */

static void print_age(int64_t now, const json_t *then)
{
  int64_t s = now - json_integer_value(then);
  char text[32];
  if (!json_is_integer(then))
    snprintf(text, sizeof(text), "never");
  else if (s < 3600)
    snprintf(text, sizeof(text), "%lld min ago", (long long)(s / 60));
  else if (s < 2 * TM_DAY)
    snprintf(text, sizeof(text), "%lld h ago", (long long)(s / 3600));
  else
    snprintf(text, sizeof(text), "%lld days ago", (long long)(s / TM_DAY));
  printf("%-14s", text);
}

static int say_list(const struct site *s, const char *format)
{
  size_t i;
  json_t *row;
  if (format != NULL && strcmp(format, "json") == 0) {
    json_dumpf(s->result, stdout, JSON_COMPACT);
    printf("\n");
    return EX_OK;
  }
  json_array_foreach(s->result, i, row)
  {
    const char *prefix = tm_json_get_string(row, "token_prefix");
    printf("%-16s %-16s ", tm_json_get_string(row, "customer_id"), tm_json_get_string(row, "site"));
    print_age(s->now, json_object_get(row, "last_seen_at"));
    printf("%6lld devices  %s%s\n", (long long)json_integer_value(json_object_get(row, "devices")),
           prefix != NULL ? prefix : "no valid credentials", prefix != NULL ? "..." : "");
  }
  return EX_OK;
}

/* The one file that the site's administrator gets: for him alone. */
static int say_enrolment(const struct site *s, const char *path)
{
  struct tm_output out = {0};
  struct tm_error err = {0};
  int rc = tm_output_open(&out, path, 0600, &err);
  if (rc == 0) {
    if (json_dumpf(s->result, out.stream, JSON_INDENT(2) | JSON_PRESERVE_ORDER) < 0)
      rc = tm_fail(&err, -ENOMEM, "%s: out of memory, or cannot write", path);
    fputc('\n', out.stream);
    if (rc == 0)
      rc = tm_output_commit(&out, &err);
  }
  tm_output_release(&out);
  if (rc < 0)
    tm_log_error("%s", err.text);
  return tm_exit_status(rc);
}

/* --- what was asked for ------------------------------------------------------------------- */

static const struct action {
  const char *name;
  store_work *work;
  bool enrols;
  size_t operands;
} actions[] = {
    {"add", site_add, true, 2},
    {"rotate", site_rotate, true, 2},
    {"revoke", site_revoke, false, 2},
    {"list", site_list, false, 0},
};

static const struct action *action_of(const struct tm_args *args)
{
  for (size_t i = 0; args->operands_len > 0 && i < sizeof(actions) / sizeof(actions[0]); i++) {
    if (strcmp(actions[i].name, args->operands[0]) == 0 &&
        args->operands_len == actions[i].operands + 1)
      return &actions[i];
  }
  tm_log_error("add CUSTOMER SITE, rotate CUSTOMER SITE, revoke CUSTOMER SITE or list is wanted");
  return NULL;
}

static int read_certificate(const char *path, char hash[TM_SHA256_HEX], struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(65536);
  int rc = tm_file_read(path, &b, err);
  if (rc == 0 && (b.len == 0 || !visitor_certificate(b.ptr, hash)))
    rc = tm_fail(err, -EBADMSG, "%s: not a certificate in PEM", path);
  tm_buf_release(&b);
  return rc;
}

/* Options that need more than to be passed on. EX_OK, or the exit status when it was said. */
static int read_options(const struct tm_args *args, struct site *s, char hash[TM_SHA256_HEX])
{
  const char *until = tm_args_get(args, "until"), *silent = tm_args_get(args, "silent");
  const char *certificate = tm_args_get(args, "certificate");
  const char *target = tm_args_get(args, "target");
  struct tm_error err = {0};
  s->target = target != NULL ? target : "desk";
  s->valid_until = s->now + SITE_ROTATE_S;
  if (s->target[strspn(s->target, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "_-")] != '\0' ||
      strlen(s->target) > 64)
    return tm_args_refuse(args, "target", "letters, digits, '_' and '-' are wanted");
  if (until != NULL && (tm_time_parse(until, &s->valid_until) < 0 || s->valid_until < s->now))
    return tm_args_refuse(args, "until", "a date that is to come is wanted");
  if (silent != NULL && tm_parse_duration(silent, &s->silent_s) < 0)
    return tm_args_refuse(args, "silent", "a time like 24h, 7d or 60d is wanted");
  if (certificate != NULL) {
    int rc = read_certificate(certificate, hash, &err);
    s->certificate = hash;
    if (rc < 0) {
      tm_log_error("%s", err.text);
      return tm_exit_status(rc);
    }
  }
  return EX_OK;
}

static int find_url(const struct tm_args *args, const struct desk_conf *conf, char *out,
                    size_t size)
{
  const char *given = tm_args_get(args, "url");
  const char *base = given != NULL ? given : conf->public_url;
  if (base == NULL) {
    tm_log_error(
        "where sites push to is not known: give public_url in the configuration, or --url");
    return EX_CONFIG;
  }
  size_t n = strlen(base);
  bool whole =
      given != NULL && n >= strlen(EVENTS) && strcmp(base + n - strlen(EVENTS), EVENTS) == 0;
  while (n > 0 && base[n - 1] == '/')
    n--;
  snprintf(out, size, "%.*s%s", (int)n, base, whole ? "" : EVENTS);
  return EX_OK;
}

static int act(const struct desk_conf *conf, const struct action *action, struct site *s,
               struct tm_error *err)
{
  static const struct db_scope all = {NULL};
  struct store *store = NULL;
  int rc = desk_store(&store, conf, err);
  if (rc == 0)
    rc = store_write(store, &all, action->work, s, err);
  store_close(store);
  return rc;
}

int run_site(const struct tm_args *args)
{
  struct desk_conf conf;
  struct tm_error err = {0};
  char url[1024], hash[TM_SHA256_HEX];
  const struct action *action = action_of(args);
  if (action == NULL)
    return EX_USAGE;
  struct site s = {.customer = action->operands > 0 ? args->operands[1] : NULL,
                   .site = action->operands > 0 ? args->operands[2] : NULL,
                   .customer_name = tm_args_get(args, "customer-name"),
                   .name = tm_args_get(args, "name"),
                   .now = tm_now(),
                   .url = url};
  int status = read_options(args, &s, hash);
  if (status == EX_OK)
    status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  if (action->enrols)
    status = find_url(args, &conf, url, sizeof(url));
  if (status == EX_OK) {
    int rc = act(&conf, action, &s, &err);
    if (rc < 0)
      tm_log_error("%s", err.text);
    status = rc == -EEXIST || rc == -EINVAL ? EX_DATAERR : tm_exit_status(rc);
  }
  if (status == EX_OK && action->enrols)
    status = say_enrolment(&s, tm_args_get(args, "output"));
  else if (status == EX_OK && action->work == site_list)
    status = say_list(&s, tm_args_get(args, "format"));
  json_decref(s.result);
  desk_conf_release(&conf);
  return status;
}
