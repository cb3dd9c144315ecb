/* SPDX-License-Identifier: MIT */
#include "common/conf_own.h"

#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TARGETS = 64 };

#define WEBHOOK (1u << TM_TARGET_WEBHOOK)
#define FOLDER  (1u << TM_TARGET_FILE)
#define SMTP    (1u << TM_TARGET_SMTP)
#define TRYTON  (1u << TM_TARGET_TRYTON)

#define IN_TARGET(field) offsetof(struct tm_conf_target, field)

const struct tm_key tm_conf_target_keys[] = {
    {.name = "type", .kind = TM_KEY_OTHER},
    {.name = "purposes", .kind = TM_KEY_LIST},
    {.name = "url",
     .kind = TM_KEY_URL,
     .offset = IN_TARGET(url),
     .types = WEBHOOK | SMTP | TRYTON,
     .required = WEBHOOK | SMTP | TRYTON},
    {.name = "directory",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(directory),
     .types = FOLDER,
     .required = FOLDER},
    {.name = "secret_file",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(secret_file),
     .types = WEBHOOK | FOLDER | SMTP,
     .required = WEBHOOK | FOLDER | SMTP},
    {.name = "token_file", .kind = TM_KEY_PATH, .offset = IN_TARGET(token_file), .types = WEBHOOK},
    {.name = "password_file",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(password_file),
     .types = SMTP | TRYTON,
     .required = TRYTON},
    {.name = "user",
     .kind = TM_KEY_TEXT,
     .offset = IN_TARGET(user),
     .types = SMTP | TRYTON,
     .required = TRYTON},
    {.name = "from",
     .kind = TM_KEY_TEXT,
     .offset = IN_TARGET(from),
     .types = SMTP,
     .required = SMTP},
    {.name = "to", .kind = TM_KEY_TEXT, .offset = IN_TARGET(to), .types = SMTP, .required = SMTP},
    {.name = "starttls", .kind = TM_KEY_BOOL, .offset = IN_TARGET(starttls), .types = SMTP},
    {.name = "ca_file",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(tls.ca_file),
     .types = WEBHOOK | SMTP | TRYTON},
    {.name = "crl_file",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(tls.crl_file),
     .types = WEBHOOK | SMTP | TRYTON},
    {.name = "ocsp_stapling",
     .kind = TM_KEY_BOOL,
     .offset = IN_TARGET(tls.ocsp_stapling),
     .types = WEBHOOK | SMTP | TRYTON},
    {.name = "client_cert_file",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(tls.client_cert),
     .types = WEBHOOK},
    {.name = "client_key_file",
     .kind = TM_KEY_PATH,
     .offset = IN_TARGET(tls.client_key),
     .types = WEBHOOK},
    {.name = "mapping", .kind = TM_KEY_PATH, .offset = IN_TARGET(mapping), .types = WEBHOOK},
    {.name = "requests", .kind = TM_KEY_OTHER, .types = WEBHOOK},
    {.name = "poll",
     .kind = TM_KEY_DURATION,
     .offset = IN_TARGET(poll_s),
     .types = WEBHOOK | TRYTON},
    {.name = "factory", .kind = TM_KEY_TEXT, .offset = IN_TARGET(factory), .types = TRYTON},
    {.name = "create_parties",
     .kind = TM_KEY_BOOL,
     .offset = IN_TARGET(create_parties),
     .types = TRYTON},
    {.name = "timeout",
     .kind = TM_KEY_DURATION,
     .offset = IN_TARGET(timeout_s),
     .min = 1,
     .max = 3600,
     .types = WEBHOOK | SMTP | TRYTON},
    {.name = "rate",
     .kind = TM_KEY_BYTES,
     .offset = IN_TARGET(rate_bytes),
     .types = WEBHOOK | SMTP | TRYTON},
    {.name = "batch",
     .kind = TM_KEY_COUNT,
     .offset = IN_TARGET(batch),
     .min = 1,
     .max = 1000,
     .types = WEBHOOK},
    {0},
};

static const char *const purpose_names[] = {"sales", "factory", "service", "comparison", NULL};
static const char *const request_names[] = {"answer", "show", NULL};
static const char *const type_names[] = {"webhook", "file", "smtp", "tryton", NULL};
const char *tm_purpose_name(enum tm_purpose purpose)
{
  return purpose_names[__builtin_ctz(purpose)];
}

const char *tm_target_type_name(enum tm_target_type type)
{
  return type_names[type];
}

unsigned tm_purpose_of(const char *name)
{
  int i = tm_conf_index_of(purpose_names, name);
  return i < 0 ? 0 : 1u << i;
}

static int read_purposes(const struct tm_reader *r, unsigned *purposes)
{
  unsigned n = cfg_size(r->section, "purposes");
  for (unsigned i = 0; i < n; i++) {
    const char *value = cfg_getnstr(r->section, "purposes", i);
    unsigned purpose = tm_purpose_of(value);
    if (purpose == 0) {
      const char *near = tm_text_nearest(value, purpose_names);
      return REFUSE(r, "purposes",
                    "purposes: '%s': sales, factory, service and comparison are known%s%s%s", value,
                    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?" : "");
    }
    *purposes |= purpose;
  }
  if (*purposes == 0)
    return REFUSE(r, NULL, "purposes is required: what this target may be told for");
  return 0;
}

/* Encrypted, or not leaving this machine. */
static int check_url(const struct tm_reader *r, const struct tm_conf_target *t)
{
  bool mail = t->type == TM_TARGET_SMTP;
  const char *secure = mail ? "smtps://" : "https://";
  const char *plain = mail ? "smtp://" : "http://";
  if (strncmp(t->url, secure, strlen(secure)) == 0)
    return 0;
  if (strncmp(t->url, plain, strlen(plain)) != 0)
    return REFUSE(r, "url", "url: '%s': %s is wanted", t->url, secure);
  if (mail && t->starttls)
    return 0;
  if (!tm_url_is_loopback(t->url))
    return REFUSE(r, mail && !t->starttls ? "starttls" : "url",
                  mail ? "starttls = no is accepted for a loopback address only"
                       : "url: plain http is accepted for a loopback address only");
  return 0;
}

static int check_keys_of_type(const struct tm_reader *r, const struct tm_conf_target *t)
{
  unsigned type = 1u << t->type;
  for (const struct tm_key *k = tm_conf_target_keys; k->name != NULL; k++) {
    if (k->types == 0)
      continue;
    bool set = cfg_getstr(r->section, k->name) != NULL;
    if (set && (k->types & type) == 0)
      return REFUSE(r, k->name, "%s means nothing to a target of type %s", k->name,
                    type_names[t->type]);
    /* What a mapping makes is not signed. */
    bool spared =
        t->type == TM_TARGET_WEBHOOK && t->mapping != NULL && strcmp(k->name, "secret_file") == 0;
    if (!set && (k->required & type) != 0 && !spared)
      return REFUSE(r, NULL, "%s is required for a target of type %s", k->name,
                    type_names[t->type]);
  }
  static const char *const events[] = {"secret_file", "poll", "requests", "batch"};
  for (size_t i = 0;
       t->type == TM_TARGET_WEBHOOK && t->mapping != NULL && i < sizeof(events) / sizeof(events[0]);
       i++) {
    if (cfg_getstr(r->section, events[i]) != NULL)
      return REFUSE(r, events[i], "%s means nothing beside mapping", events[i]);
  }
  if ((t->tls.client_cert == NULL) != (t->tls.client_key == NULL))
    return REFUSE(r, NULL, "client_cert_file and client_key_file belong together");
  return 0;
}

static int read_target(struct tm_conf_target *out, const struct tm_conf *conf,
                       const struct tm_reader *r)
{
  struct tm_conf_target t = {.name = cfg_title(r->section),
                             .state_dir = conf->state_dir,
                             .starttls = true,
                             .create_parties = true,
                             .poll_s = 3600,
                             .timeout_s = 60,
                             .batch = 1,
                             .file = r->own->files[0],
                             .line = r->section->line};
  const struct tm_mark *mark = tm_conf_mark(r->own, r->section);
  if (mark != NULL) {
    t.file = mark->file;
    t.line = mark->line;
  }
  if (!tm_conf_is_name(t.name))
    return REFUSE(r, NULL, "the name takes letters, digits, '.', '_' and '-' only, at most %d",
                  TM_CONF_NAME_MAX);
  int type = -1;
  int rc = tm_conf_read_choice(r, "type", type_names, &type);
  if (rc < 0)
    return rc;
  if (type < 0)
    return REFUSE(r, NULL, "type is required: webhook, file, smtp or tryton");
  t.type = (enum tm_target_type)type;
  /* An ERP's credentials must never lie at a customer's site: its rights are not per customer. */
  if (t.type == TM_TARGET_TRYTON && conf->role != TM_ROLE_VENDOR)
    return REFUSE(r, "type", "type tryton is for role \"vendor\" only");
  rc = tm_conf_read_keys(r, tm_conf_target_keys, &t);
  if (rc == 0)
    rc = check_keys_of_type(r, &t);
  int requests = 0;
  if (rc == 0)
    rc = tm_conf_read_choice(r, "requests", request_names, &requests);
  t.show_requests = requests == 1;
  if (rc == 0)
    rc = read_purposes(r, &t.purposes);
  if (rc == 0 && t.url != NULL)
    rc = check_url(r, &t);
  if (rc == 0)
    *out = t;
  return rc;
}

int tm_conf_read_targets(struct tm_conf *out, const struct tm_conf_own *own, struct tm_error *err)
{
  unsigned n = cfg_size(own->cfg, "target");
  struct tm_reader r = {own, own->cfg, err};
  if (n > MAX_TARGETS)
    return REFUSE(&r, NULL, "more than %d targets", MAX_TARGETS);
  if (n == 0)
    return 0;
  out->targets = calloc(n, sizeof(*out->targets));
  if (out->targets == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  for (unsigned i = 0; i < n; i++) {
    r.section = cfg_getnsec(own->cfg, "target", i);
    int rc = read_target(&out->targets[i], out, &r);
    if (rc < 0)
      return rc;
    out->targets_len = i + 1;
  }
  return 0;
}

const struct tm_conf_target *tm_conf_target(const struct tm_conf *conf, const char *name,
                                            struct tm_error *err)
{
  const char *names[MAX_TARGETS + 1];
  for (size_t i = 0; i < conf->targets_len; i++) {
    if (strcmp(conf->targets[i].name, name) == 0)
      return &conf->targets[i];
    names[i] = conf->targets[i].name;
  }
  names[conf->targets_len] = NULL;
  const char *near = tm_text_nearest(name, names);
  tm_fail(err, -ENOENT, "no such target '%s'%s%s%s", name, near != NULL ? "; did you mean '" : "",
          near != NULL ? near : "", near != NULL ? "'?" : "");
  return NULL;
}
