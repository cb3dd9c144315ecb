/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/http.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
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
  return tm_log_status(rc, &err);
}

/* --- what was asked for ------------------------------------------------------------------- */

static const struct action {
  struct desk_action base;
  bool enrols;
} actions[] = {
    {{"add", site_add, 2}, true},
    {{"rotate", site_rotate, 2}, true},
    {{"revoke", site_revoke, 2}, false},
    {{"list", site_list, 0}, false},
};

static const struct action *action_of(const struct tm_args *args)
{
  return desk_action_of(
      args, actions, sizeof(actions) / sizeof(actions[0]), sizeof(actions[0]),
      "add CUSTOMER SITE, rotate CUSTOMER SITE, revoke CUSTOMER SITE or list is wanted");
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
      return tm_log_status(rc, &err);
    }
  }
  return EX_OK;
}

/* As the site's exporter will say, but before there is an enrolment. */
static bool can_be_pushed_to(const char *url)
{
  struct tm_http *http = NULL;
  struct tm_error err = {0};
  bool yes = tm_http_new(&http, url, NULL, &err) == 0;
  tm_http_free(http);
  return yes;
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
  if (given != NULL && (n + sizeof(EVENTS) > size || !can_be_pushed_to(given)))
    return tm_args_refuse(args, "url", "an https URL is wanted (http: this machine alone)");
  bool whole =
      given != NULL && n >= strlen(EVENTS) && strcmp(base + n - strlen(EVENTS), EVENTS) == 0;
  while (n > 0 && base[n - 1] == '/')
    n--;
  snprintf(out, size, "%.*s%s", (int)n, base, whole ? "" : EVENTS);
  return EX_OK;
}

struct acting {
  const struct tm_args *args;
  const struct action *action;
  struct site *site;
  char url[1024];
};

static int act(struct desk *desk, void *what, struct tm_error *err)
{
  struct acting *a = what;
  int status = a->action->enrols ? find_url(a->args, desk->conf, a->url, sizeof(a->url)) : EX_OK;
  if (status != EX_OK)
    return status;
  return store_write(desk->store, &db_everyone, a->action->base.work, a->site, err);
}

int run_site(const struct tm_args *args)
{
  char hash[TM_SHA256_HEX];
  struct acting a = {.args = args, .action = action_of(args)};
  if (a.action == NULL)
    return EX_USAGE;
  struct site s = {.customer = a.action->base.operands > 0 ? args->operands[1] : NULL,
                   .site = a.action->base.operands > 0 ? args->operands[2] : NULL,
                   .customer_name = tm_args_get(args, "customer-name"),
                   .name = tm_args_get(args, "name"),
                   .now = tm_now(),
                   .url = a.url};
  a.site = &s;
  int status = read_options(args, &s, hash);
  if (status == EX_OK)
    status = desk_run(args, act, &a);
  if (status == EX_OK && a.action->enrols)
    status = say_enrolment(&s, tm_args_get(args, "output"));
  else if (status == EX_OK && a.action->base.work == site_list)
    status = say_list(&s, tm_args_get(args, "format"));
  json_decref(s.result);
  return status;
}
