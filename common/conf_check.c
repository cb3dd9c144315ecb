/* SPDX-License-Identifier: MIT */
#include "common/conf_own.h"

#include "common/clock.h"
#include "common/number.h"
#include "places.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define IN_CONF(field) offsetof(struct tm_conf, field)

static const struct tm_key root_keys[] = {
    {.name = "role", .kind = TM_KEY_OTHER},
    {.name = "catalogue", .kind = TM_KEY_PATH, .offset = IN_CONF(catalogue)},
    {.name = "products", .kind = TM_KEY_PATH, .offset = IN_CONF(products)},
    {0},
};
static const struct tm_key customer_keys[] = {
    {.name = "id", .kind = TM_KEY_NAME, .offset = IN_CONF(customer_id)},
    {.name = "name", .kind = TM_KEY_TEXT, .offset = IN_CONF(customer_name)},
    {0},
};
static const struct tm_key site_keys[] = {
    {.name = "name", .kind = TM_KEY_NAME, .offset = IN_CONF(site)},
    {.name = "timezone", .kind = TM_KEY_TEXT, .offset = IN_CONF(timezone)},
    {.name = "host", .kind = TM_KEY_NAME, .offset = IN_CONF(host)},
    {0},
};
static const struct tm_key paths_keys[] = {
    {.name = "data", .kind = TM_KEY_PATH, .offset = IN_CONF(data_dir)},
    {.name = "state", .kind = TM_KEY_PATH, .offset = IN_CONF(state_dir)},
    {.name = "spool", .kind = TM_KEY_PATH, .offset = IN_CONF(spool_dir)},
    {.name = "rrdcached", .kind = TM_KEY_PATH, .offset = IN_CONF(rrdcached)},
    {0},
};
static const struct tm_key prometheus_keys[] = {
    {.name = "url", .kind = TM_KEY_URL, .offset = IN_CONF(prometheus.url)},
    {.name = "tenant", .kind = TM_KEY_TEXT, .offset = IN_CONF(prometheus.tenant)},
    {.name = "token_file", .kind = TM_KEY_PATH, .offset = IN_CONF(prometheus.token_file)},
    {.name = "user", .kind = TM_KEY_TEXT, .offset = IN_CONF(prometheus.user)},
    {.name = "password_file", .kind = TM_KEY_PATH, .offset = IN_CONF(prometheus.password_file)},
    {.name = "ca_file", .kind = TM_KEY_PATH, .offset = IN_CONF(prometheus.tls.ca_file)},
    {.name = "crl_file", .kind = TM_KEY_PATH, .offset = IN_CONF(prometheus.tls.crl_file)},
    {.name = "ocsp_stapling", .kind = TM_KEY_BOOL, .offset = IN_CONF(prometheus.tls.ocsp_stapling)},
    {0},
};
static const struct tm_key privacy_keys[] = {
    {.name = "names", .kind = TM_KEY_OTHER},
    {0},
};
static const struct tm_key schedule_keys[] = {
    {.name = "every", .kind = TM_KEY_OTHER},
    {.name = "monthday", .kind = TM_KEY_OTHER},
    {.name = "weekday", .kind = TM_KEY_OTHER},
    {.name = "at", .kind = TM_KEY_OTHER},
    {.name = "quiet", .kind = TM_KEY_OTHER},
    {.name = "jitter", .kind = TM_KEY_DURATION, .offset = IN_CONF(schedule.jitter_s), .max = 86400},
    {0},
};
static const struct tm_key spool_keys[] = {
    {.name = "items",
     .kind = TM_KEY_COUNT,
     .offset = IN_CONF(spool.max_items),
     .min = 1,
     .max = 10000000},
    {.name = "bytes", .kind = TM_KEY_BYTES, .offset = IN_CONF(spool.max_bytes), .min = 4096},
    {.name = "free", .kind = TM_KEY_BYTES, .offset = IN_CONF(spool.free_bytes)},
    {.name = "expire", .kind = TM_KEY_DURATION, .offset = IN_CONF(spool.expire_s), .min = 60},
    {.name = "keep", .kind = TM_KEY_DURATION, .offset = IN_CONF(spool.keep_s)},
    {0},
};
/* One for each row of rule_threshold_rows. */
static const struct tm_key recommend_keys[] = {
    {.name = "within_days", .kind = TM_KEY_OTHER},
    {.name = "min_probability", .kind = TM_KEY_OTHER},
    {.name = "planning_days", .kind = TM_KEY_OTHER},
    {.name = "busy_share", .kind = TM_KEY_OTHER},
    {.name = "load_floor_share", .kind = TM_KEY_OTHER},
    {.name = "duty_share", .kind = TM_KEY_OTHER},
    {.name = "duty_days", .kind = TM_KEY_OTHER},
    {.name = "supply_days", .kind = TM_KEY_OTHER},
    {.name = "supply_share", .kind = TM_KEY_OTHER},
    {.name = "software_days", .kind = TM_KEY_OTHER},
    {.name = "service_days", .kind = TM_KEY_OTHER},
    {.name = "end_of_service_days", .kind = TM_KEY_OTHER},
    {0},
};
const struct tm_block tm_conf_blocks[] = {
    {NULL, root_keys},     {"customer", customer_keys},   {"site", site_keys},
    {"paths", paths_keys}, {"privacy", privacy_keys},     {"schedule", schedule_keys},
    {"spool", spool_keys}, {"recommend", recommend_keys}, {"prometheus", prometheus_keys},
    {NULL, NULL},
};

static const char *const role_names[] = {"site", "vendor", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const char *const privacy_names[] = {"clear", "pseudonym", NULL};

static int read_thresholds(const struct tm_reader *r, struct rule_thresholds *out)
{
  for (const struct rule_threshold *t = rule_threshold_rows; t->name != NULL; t++) {
    const char *text = cfg_getstr(r->section, t->name);
    double value;
    if (text == NULL)
      continue;
    if (tm_parse_double(text, &value) < 0 || value < t->min || value > t->max)
      return REFUSE(r, t->name, "%s: '%s': a number from %g to %g is wanted", t->name, text, t->min,
                    t->max);
    *(double *)(void *)((char *)out + t->offset) = value;
  }
  return 0;
}

/* "HH:MM" */
static bool parse_minute(const char *text, size_t len, int *minute)
{
  if (len != 5 || text[2] != ':')
    return false;
  for (size_t i = 0; i < len; i++) {
    if (i != 2 && !isdigit((unsigned char)text[i]))
      return false;
  }
  int h = (text[0] - '0') * 10 + text[1] - '0';
  int m = (text[3] - '0') * 10 + text[4] - '0';
  if (h > 23 || m > 59)
    return false;
  *minute = h * 60 + m;
  return true;
}

static int read_times(const struct tm_reader *r, struct tm_conf_schedule *s)
{
  const char *at = cfg_getstr(r->section, "at");
  if (at != NULL && !parse_minute(at, strlen(at), &s->at_minute))
    return REFUSE(r, "at", "at: '%s': a time of day such as \"02:30\" is wanted", at);
  const char *quiet = cfg_getstr(r->section, "quiet");
  if (quiet == NULL)
    return 0;
  if (strlen(quiet) != 11 || quiet[5] != '-' || !parse_minute(quiet, 5, &s->quiet_from) ||
      !parse_minute(quiet + 6, 5, &s->quiet_to))
    return REFUSE(r, "quiet", "quiet: '%s': hours such as \"08:00-18:00\" are wanted", quiet);
  return 0;
}

static int read_schedule(const struct tm_reader *r, struct tm_conf_schedule *s)
{
  const char *every = cfg_getstr(r->section, "every");
  const char *monthday = cfg_getstr(r->section, "monthday");
  const char *weekday = cfg_getstr(r->section, "weekday");
  if ((every != NULL) + (monthday != NULL) + (weekday != NULL) > 1)
    return REFUSE(r, weekday != NULL ? "weekday" : "monthday",
                  "schedule: only one of every, monthday and weekday can hold");
  if (every != NULL) {
    int64_t seconds = 0;
    if (tm_parse_duration(every, &seconds) < 0 || seconds % 86400 != 0 || seconds == 0)
      return REFUSE(r, "every", "every: '%s': whole days such as \"7d\" are wanted", every);
    s->days = (int)(seconds / 86400);
  }
  if (monthday != NULL) {
    uint64_t day = 0;
    if (tm_parse_u64(monthday, 1, 31, &day) < 0)
      return REFUSE(r, "monthday", "monthday: '%s': a day of the month, 1 to 31, is wanted",
                    monthday);
    s->rule = TM_MONTHDAY;
    s->monthday = (int)day;
  }
  if (weekday != NULL)
    s->rule = TM_WEEKDAY;
  int rc = tm_conf_read_choice(r, "weekday", weekday_names, &s->weekday);
  return rc < 0 ? rc : read_times(r, s);
}

static int check_prometheus(const struct tm_reader *r, const struct tm_conf_prometheus *p)
{
  if (p->url == NULL) {
    for (const struct tm_key *k = prometheus_keys; k->name != NULL; k++)
      if (cfg_getstr(r->section, k->name) != NULL)
        return REFUSE(r, k->name, "prometheus: %s is given, and no url", k->name);
    return 0;
  }
  if (p->token_file != NULL && p->user != NULL)
    return REFUSE(r, "user", "prometheus: either token_file or user can hold");
  if ((p->user != NULL) != (p->password_file != NULL))
    return REFUSE(r, p->user != NULL ? "user" : "password_file",
                  "prometheus: user and password_file go together");
  bool secret = p->token_file != NULL || p->user != NULL;
  if (secret && strncasecmp(p->url, "http:", 5) == 0 && !tm_url_is_loopback(p->url))
    return REFUSE(r, "url", "url: '%s': https is wanted where a secret is sent", p->url);
  return 0;
}

int tm_conf_check(struct tm_conf *out, const struct tm_conf_own *own, struct tm_error *err)
{
  struct tm_reader r = {own, own->cfg, err};
  int role = out->role, names = 0;
  int rc = tm_conf_read_choice(&r, "role", role_names, &role);
  for (size_t i = 0; rc == 0 && tm_conf_blocks[i].keys != NULL; i++) {
    const struct tm_block *b = &tm_conf_blocks[i];
    r.section = b->name == NULL ? own->cfg : cfg_getsec(own->cfg, b->name);
    rc = tm_conf_read_keys(&r, b->keys, out);
    if (rc == 0 && b->keys == schedule_keys)
      rc = read_schedule(&r, &out->schedule);
    if (rc == 0 && b->keys == recommend_keys)
      rc = read_thresholds(&r, &out->recommend);
    if (rc == 0 && b->keys == site_keys && out->timezone != NULL &&
        !tm_zone_is_known(out->timezone))
      rc = REFUSE(&r, "timezone", "timezone: '%s': no such zone on this system (package tzdata)",
                  out->timezone);
    if (rc == 0 && b->keys == prometheus_keys)
      rc = check_prometheus(&r, &out->prometheus);
    if (rc == 0 && b->keys == privacy_keys)
      rc = tm_conf_read_choice(&r, "names", privacy_names, &names);
  }
  if (rc < 0)
    return rc;
  out->role = (enum tm_role)role;
  out->names_clear = names == 0;
  rc = tm_conf_read_targets(out, own, err);
  return rc < 0 ? rc : tm_conf_read_sources(out, own, err);
}

void tm_conf_defaults(struct tm_conf *out)
{
  *out = (struct tm_conf){
      .role = TM_ROLE_SITE,
      .data_dir = "/var/lib/collectd/rrd",
      .state_dir = "/var/lib/tidemark",
      .spool_dir = "/var/spool/tidemark",
      .names_clear = true,
      .schedule = {.rule = TM_EVERY_DAYS, .days = 7},
      .spool = {.max_items = 100000,
                .max_bytes = 1ULL << 30,
                .free_bytes = 64ULL << 20,
                .expire_s = 30 * 86400,
                .keep_s = 90 * 86400},
  };
  rule_thresholds_init(&out->recommend);
}

int tm_conf_need_identity(const struct tm_conf *conf, struct tm_error *err)
{
  const char *missing = conf->customer_id == NULL ? "customer { id }"
                        : conf->site == NULL      ? "site { name }"
                                                  : NULL;
  if (missing == NULL)
    return 0;
  return tm_fail(err, -EINVAL, "%s: %s is required for this",
                 conf->path != NULL ? conf->path : TM_CONF_PATH, missing);
}
