/* SPDX-License-Identifier: MIT */
#include "contrib/desk/conf.h"

#include "common/mail.h"
#include "common/conf_own.h"
#include "contrib/desk/http/listen.h"
#include "places.h"

#include <errno.h>
#include <string.h>

#define IN(field) offsetof(struct desk_conf, field)

static const struct tm_key root_keys[] = {
    {.name = "listen", .kind = TM_KEY_TEXT, .offset = IN(listen)},
    {.name = "admin_listen", .kind = TM_KEY_TEXT, .offset = IN(admin_listen)},
    {.name = "public_url", .kind = TM_KEY_URL, .offset = IN(public_url)},
    {.name = "vendor", .kind = TM_KEY_TEXT, .offset = IN(vendor)},
    {.name = "vendor_address", .kind = TM_KEY_TEXT, .offset = IN(vendor_address)},
    {.name = "demonstration", .kind = TM_KEY_BOOL, .offset = IN(demonstration)},
    {.name = "timezone", .kind = TM_KEY_TEXT, .offset = IN(timezone)},
    {.name = "database", .kind = TM_KEY_TEXT, .offset = IN(database)},
    {.name = "database_password_file", .kind = TM_KEY_PATH, .offset = IN(database_password_file)},
    {.name = "trusted_proxies", .kind = TM_KEY_LIST},
    {0},
};
static const struct tm_key paths_keys[] = {
    {.name = "state", .kind = TM_KEY_PATH, .offset = IN(state_dir)},
    {.name = "data", .kind = TM_KEY_PATH, .offset = IN(data_dir)},
    {.name = "javascript", .kind = TM_KEY_PATH, .offset = IN(javascript_dir)},
    {0},
};
static const struct tm_key mail_keys[] = {
    {.name = "url", .kind = TM_KEY_URL, .offset = IN(mail.url)},
    {.name = "from", .kind = TM_KEY_TEXT, .offset = IN(mail.from)},
    {.name = "team", .kind = TM_KEY_TEXT, .offset = IN(mail.team)},
    {.name = "quality", .kind = TM_KEY_TEXT, .offset = IN(mail.quality)},
    {.name = "user", .kind = TM_KEY_TEXT, .offset = IN(mail.user)},
    {.name = "password_file", .kind = TM_KEY_PATH, .offset = IN(mail.password_file)},
    {.name = "ca_file", .kind = TM_KEY_PATH, .offset = IN(mail.ca_file)},
    {.name = "starttls", .kind = TM_KEY_BOOL, .offset = IN(mail.starttls)},
    {0},
};
static const struct tm_key public_keys[] = {
    {.name = "products", .kind = TM_KEY_BOOL, .offset = IN(public.products)},
    {.name = "prices", .kind = TM_KEY_BOOL, .offset = IN(public.prices)},
    {.name = "dates", .kind = TM_KEY_BOOL, .offset = IN(public.dates)},
    {.name = "stock", .kind = TM_KEY_BOOL, .offset = IN(public.stock)},
    {0},
};
static const struct tm_key factory_keys[] = {
    {.name = "backend", .kind = TM_KEY_OTHER},
    {.name = "url", .kind = TM_KEY_URL, .offset = IN(factory.url)},
    {.name = "user", .kind = TM_KEY_TEXT, .offset = IN(factory.user)},
    {.name = "password_file", .kind = TM_KEY_PATH, .offset = IN(factory.password_file)},
    {0},
};
static const struct tm_key retention_keys[] = {
    {.name = "summaries", .kind = TM_KEY_DURATION, .offset = IN(retention.summaries_s)},
    {.name = "history", .kind = TM_KEY_DURATION, .offset = IN(retention.history_s)},
    {.name = "events",
     .kind = TM_KEY_DURATION,
     .offset = IN(retention.events_s),
     .min = 30 * 86400}, /* a site's spool sends again for so long */
    {.name = "audit", .kind = TM_KEY_DURATION, .offset = IN(retention.audit_s)},
    {.name = "closed", .kind = TM_KEY_DURATION, .offset = IN(retention.closed_s)},
    {0},
};
static const struct tm_key limits_keys[] = {
    {.name = "workers", .kind = TM_KEY_COUNT, .offset = IN(limits.workers), .min = 2, .max = 64},
    {.name = "connections",
     .kind = TM_KEY_COUNT,
     .offset = IN(limits.connections),
     .min = 16,
     .max = 65536},
    {.name = "connections_per_address",
     .kind = TM_KEY_COUNT,
     .offset = IN(limits.connections_per_address),
     .min = 1,
     .max = 65536},
    {.name = "streams", .kind = TM_KEY_COUNT, .offset = IN(limits.streams), .min = 1, .max = 10000},
    {.name = "body_bytes",
     .kind = TM_KEY_BYTES,
     .offset = IN(limits.body_bytes),
     .min = 2 << 20,
     .max = 4ULL << 30},
    {.name = "request",
     .kind = TM_KEY_DURATION,
     .offset = IN(limits.request_s),
     .min = 1,
     .max = 600},
    {.name = "session_idle",
     .kind = TM_KEY_DURATION,
     .offset = IN(limits.idle_s),
     .min = 60,
     .max = 86400},
    {.name = "session",
     .kind = TM_KEY_DURATION,
     .offset = IN(limits.total_s),
     .min = 60,
     .max = 7 * 86400},
    {.name = "login_tries", .kind = TM_KEY_COUNT, .offset = IN(limits.tries), .min = 3, .max = 100},
    {.name = "login_window",
     .kind = TM_KEY_DURATION,
     .offset = IN(limits.try_s),
     .min = 60,
     .max = 86400},
    {.name = "contacts",
     .kind = TM_KEY_COUNT,
     .offset = IN(limits.contacts),
     .min = 1,
     .max = 1000},
    {0},
};
static const struct tm_block blocks[] = {
    {NULL, root_keys},         {"paths", paths_keys},
    {"mail", mail_keys},       {"public", public_keys},
    {"factory", factory_keys}, {"retention", retention_keys},
    {"limits", limits_keys},   {NULL, NULL},
};
static const struct tm_conf_schema schema = {"desk.conf(5)", blocks, NULL};

static const struct desk_conf defaults = {
    .listen = "127.0.0.1:8080",
    .vendor = "Tidemark",
    .database = "sqlite:/var/lib/tidemark-desk/desk.db",
    .state_dir = "/var/lib/tidemark-desk",
    .data_dir = TM_DATADIR "/desk",
    .javascript_dir = "/usr/share/javascript",
    .retention = {.summaries_s = 3 * 366 * 86400,
                  .history_s = 5 * 366 * 86400,
                  .events_s = 400 * 86400,
                  .audit_s = 2 * 366 * 86400,
                  .closed_s = 5 * 366 * 86400},
    .mail = {.starttls = true},
    .public = {.products = true, .prices = true, .dates = true},
    .limits = {.workers = 8,
               .connections = 4096,
               .connections_per_address = 256,
               .streams = 512,
               .body_bytes = 64 << 20,
               .request_s = 30,
               .idle_s = 1800,
               .total_s = 12 * 3600,
               .tries = 10,
               .try_s = 900,
               .contacts = 10},
};

static int read_proxies(const struct tm_reader *r, struct desk_conf *out)
{
  unsigned n = cfg_size(r->section, "trusted_proxies");
  for (unsigned i = 0; i < n; i++) {
    const char *text = cfg_getnstr(r->section, "trusted_proxies", i);
    if (out->trusted_len == sizeof(out->trusted) / sizeof(out->trusted[0]))
      return REFUSE(r, "trusted_proxies", "trusted_proxies: at most 16 are taken");
    if (!guard_net_parse(text, &out->trusted[out->trusted_len++]))
      return REFUSE(r, "trusted_proxies",
                    "trusted_proxies: '%s': an address or network such as \"10.0.0.0/8\" is wanted",
                    text);
  }
  return 0;
}

static bool has_scheme(const char *url, const char *scheme)
{
  size_t len = strlen(scheme);
  return strncmp(url, scheme, len) == 0 && strncmp(url + len, "://", 3) == 0;
}

/* Passwords and customers' data must not cross a network in clear. */
static int check_addresses(const struct tm_reader *r, struct desk_conf *out)
{
  const char *url = out->public_url;
  out->https = url != NULL && has_scheme(url, "https");
  if (url != NULL && !out->https && (!has_scheme(url, "http") || !tm_url_is_loopback(url)))
    return REFUSE(r, "public_url", "public_url: https is wanted, unless it is this machine alone");
  if (url != NULL && strpbrk(strstr(url, "://") + 3, "/?#") != NULL)
    return REFUSE(r, "public_url",
                  "public_url: a host without a path is wanted, and no '/' after "
                  "it");
  if (!out->https && !listen_is_loopback(out->listen))
    return REFUSE(r, "listen",
                  "listen: '%s': a loopback address and port in numbers is wanted; elsewhere a "
                  "proxy must speak TLS, and public_url say https",
                  out->listen);
  if (out->admin_listen != NULL && strcmp(out->admin_listen, out->listen) == 0 &&
      strstr(out->listen, ":0") == NULL)
    return REFUSE(r, "admin_listen", "admin_listen: must be another address than listen");
  return 0;
}

static int check_mail(const struct tm_reader *r, const struct desk_conf *out)
{
  const struct desk_conf_mail *mail = &out->mail;
  if (mail->url == NULL)
    return 0;
  if (!has_scheme(mail->url, "smtps") && !has_scheme(mail->url, "smtp"))
    return REFUSE(r, "url", "mail: url: smtp:// or smtps:// is wanted");
  if (!tm_mail_is_address(mail->from))
    return REFUSE(r, "from", "mail: from: an address is wanted");
  if (mail->team != NULL && !tm_mail_is_address(mail->team))
    return REFUSE(r, "team", "mail: team: an address is wanted");
  if (mail->quality != NULL && !tm_mail_is_address(mail->quality))
    return REFUSE(r, "quality", "mail: quality: an address is wanted");
  if (!mail->starttls && !tm_url_is_loopback(mail->url))
    return REFUSE(r, "starttls", "mail: starttls = no is accepted for a loopback address only");
  if (out->public_url == NULL)
    return REFUSE(r, "url", "mail: public_url is wanted, for the links in it");
  return 0;
}

static int check_factory(const struct tm_reader *r, const struct desk_conf *out)
{
  const struct desk_conf_factory *f = &out->factory;
  if (!f->tryton)
    return 0;
  if (f->url == NULL || f->user == NULL || f->password_file == NULL)
    return REFUSE(r, "backend", "factory: tryton wants url, user and password_file");
  if (!has_scheme(f->url, "https") && !tm_url_is_loopback(f->url))
    return REFUSE(r, "url", "factory: url: https is wanted, unless it is this machine");
  return 0;
}

static int check(struct desk_conf *out, const struct tm_conf_own *own, struct tm_error *err)
{
  static const char *const backends[] = {"stock", "tryton", NULL};
  struct tm_reader r = {own, own->cfg, err};
  int rc = 0, backend = 0;
  for (size_t i = 0; rc == 0 && blocks[i].keys != NULL; i++) {
    r.section = blocks[i].name == NULL ? own->cfg : cfg_getsec(own->cfg, blocks[i].name);
    rc = tm_conf_read_keys(&r, blocks[i].keys, out);
    if (rc == 0 && blocks[i].keys == root_keys)
      rc = read_proxies(&r, out);
    if (rc == 0 && blocks[i].keys == root_keys)
      rc = check_addresses(&r, out);
    if (rc == 0 && blocks[i].keys == mail_keys)
      rc = check_mail(&r, out);
    if (rc == 0 && blocks[i].keys == factory_keys) {
      rc = tm_conf_read_choice(&r, "backend", backends, &backend);
      out->factory.tryton = backend == 1;
    }
    if (rc == 0 && blocks[i].keys == factory_keys)
      rc = check_factory(&r, out);
  }
  return rc;
}

static int finish(struct desk_conf *out, struct tm_conf_own *own, int rc, struct tm_error *err)
{
  struct desk_conf conf = defaults;
  if (rc == 0)
    rc = check(&conf, own, err);
  conf.own = own;
  if (rc == 0)
    *out = conf;
  else
    desk_conf_release(&conf);
  return rc;
}

int desk_conf_load(struct desk_conf *out, const char *path, struct tm_error *err)
{
  struct tm_conf_own *own = NULL;
  bool installed = path == NULL;
  int rc = tm_conf_own_load(&own, &schema, installed ? DESK_CONF_PATH : path, installed, err);
  return finish(out, own, rc, err);
}

int desk_conf_parse(struct desk_conf *out, const char *text, size_t len, const char *name,
                    struct tm_error *err)
{
  struct tm_conf_own *own = NULL;
  int rc = tm_conf_own_parse(&own, &schema, text, len, name, err);
  return finish(out, own, rc, err);
}

void desk_conf_release(struct desk_conf *conf)
{
  tm_conf_own_free(conf->own);
  *conf = (struct desk_conf){0};
}
