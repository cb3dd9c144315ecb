/* SPDX-License-Identifier: MIT */
#include "plugins/credentials.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/secret.h"
#include "common/text.h"

#include <confuse.h>
#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_BYTES   ((size_t)1 << 20)
#define MAX_SECRET  1024
#define MIN_SNMP_V3 8 /* characters of a pass phrase, RFC 3414 */
/* Put behind the file: libconfuse does not mind a block that is never closed, and then finds this
 * key where it is not known. */
#define END_KEY "end-of-file"

struct credentials {
  cfg_t *cfg; /* owns the strings */
  struct credential *list;
  size_t len;
  char *path;
};

/* --- the file ----------------------------------------------------------------------------- */

/* Where the file is: in systemd's folder when it has no slash and is there. The caller frees. */
static char *locate(const char *path)
{
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  char *full = NULL;
  if (folder != NULL && strchr(path, '/') == NULL && asprintf(&full, "%s/%s", folder, path) >= 0) {
    if (tm_path_is_there(full))
      return full;
    free(full);
  }
  return strdup(path);
}

/* --- its content -------------------------------------------------------------------------- */

static const char *const known_keys[] = {"user",          "password", "community",        "auth",
                                         "auth_password", "privacy",  "privacy_password", "context",
                                         "login",         "plain",    "device",           NULL};

/* libconfuse knows one function for messages and hands it no argument of ours: one file is read at
 * a time, under `reading`. */
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
static struct tm_error *reading_error;
static const char *reading_path;

/* The text of libconfuse may quote a value, which may be the secret: what is said is the line, and
 * the name of a key where it is an unknown one that is nearly known. */
static void on_message(cfg_t *cfg, const char *fmt, va_list ap)
{
  if (reading_error->code != 0)
    return;
  if (strstr(fmt, "no such option") != NULL) {
    char key[64];
    va_list copy;
    va_copy(copy, ap);
    const char *name = va_arg(copy, const char *);
    tm_text_clean(key, sizeof(key), name, strlen(name));
    va_end(copy);
    if (strcmp(key, END_KEY) == 0) {
      tm_fail(reading_error, -EBADMSG, "%s: the closing brace of a device is missing",
              reading_path);
      return;
    }
    /* A password with a blank, and not in quotes, has its second word here. */
    const char *near = tm_text_nearest(key, known_keys);
    tm_fail(reading_error, -EBADMSG, "%s:%d: unknown key%s%s%s%s%s", reading_path,
            cfg != NULL ? cfg->line : 0, near != NULL ? " '" : "", near != NULL ? key : "",
            near != NULL ? "': did you mean '" : "", near != NULL ? near : "",
            near != NULL ? "'?" : "");
  } else if (strstr(fmt, "duplicate title") != NULL) {
    tm_fail(reading_error, -EBADMSG, "%s:%d: a device that stands here already", reading_path,
            cfg != NULL ? cfg->line : 0);
  } else {
    tm_fail(reading_error, -EBADMSG,
            "%s:%d: cannot be read: want device \"HOST\" { key = \"value\" }", reading_path,
            cfg != NULL ? cfg->line : 0);
  }
}

static int parse(cfg_t **out, const char *text, const char *path, struct tm_error *err)
{
  cfg_opt_t device[] = {CFG_STR("user", NULL, CFGF_NODEFAULT),
                        CFG_STR("password", NULL, CFGF_NODEFAULT),
                        CFG_STR("community", NULL, CFGF_NODEFAULT),
                        CFG_STR("auth", NULL, CFGF_NODEFAULT),
                        CFG_STR("auth_password", NULL, CFGF_NODEFAULT),
                        CFG_STR("privacy", NULL, CFGF_NODEFAULT),
                        CFG_STR("privacy_password", NULL, CFGF_NODEFAULT),
                        CFG_STR("context", NULL, CFGF_NODEFAULT),
                        CFG_STR("login", NULL, CFGF_NODEFAULT),
                        CFG_BOOL("plain", cfg_false, CFGF_NONE),
                        CFG_END()};
  cfg_opt_t top[] = {CFG_SEC("device", device, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
                     CFG_BOOL(END_KEY, cfg_false, CFGF_NONE), CFG_END()};
  struct tm_error own = {0};
  errno = 0;
  cfg_t *cfg = cfg_init(top, CFGF_NONE);
  if (cfg == NULL || errno == ENOMEM) /* half of it cannot be freed */
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  pthread_mutex_lock(&reading);
  reading_error = &own;
  reading_path = path;
  cfg_set_error_function(cfg, on_message);
  errno = 0;
  int status = cfg_parse_buf(cfg, text);
  bool starved = errno == ENOMEM;
  reading_error = NULL;
  reading_path = NULL;
  pthread_mutex_unlock(&reading);
  if (starved) /* libconfuse's word is worth nothing then, and what it holds cannot be freed */
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  if (status == CFG_SUCCESS && own.code == 0) {
    *out = cfg;
    return 0;
  }
  cfg_free(cfg);
  if (own.code == 0)
    tm_fail(&own, -EBADMSG, "%s: cannot be read", path);
  return tm_fail(err, own.code, "%s", own.text);
}

static int check_word(const struct credential *c, const char *key, const char *value,
                      const char *const *words, struct tm_error *err)
{
  for (size_t i = 0; value != NULL && words[i] != NULL; i++)
    if (strcasecmp(value, words[i]) == 0)
      return 0;
  if (value == NULL)
    return 0;
  const char *near = tm_text_nearest(value, words);
  return tm_fail(err, -EBADMSG, "%s:%u: device \"%s\": %s is none that is known%s%s%s", c->file,
                 c->line, c->name, key, near != NULL ? ": did you mean '" : "",
                 near != NULL ? near : "", near != NULL ? "'?" : "");
}

static int check_length(const struct credential *c, const char *key, const char *value, size_t min,
                        struct tm_error *err)
{
  if (value == NULL)
    return 0;
  size_t len = strlen(value);
  if (len >= min && len <= MAX_SECRET)
    return 0;
  return tm_fail(err, -EBADMSG,
                 "%s:%u: device \"%s\": %s has %zu characters: %zu to %d are accepted", c->file,
                 c->line, c->name, key, len, min, MAX_SECRET);
}

static int check_entry(const struct credential *c, struct tm_error *err)
{
  static const char *const auth[] = {"MD5",     "SHA",     "SHA-224", "SHA-256",
                                     "SHA-384", "SHA-512", NULL};
  static const char *const privacy[] = {"DES",       "AES",       "AES-192", "AES-256",
                                        "AES-192-C", "AES-256-C", NULL};
  static const char *const login[] = {"session", "basic", NULL};
  int rc = check_word(c, "auth", c->auth, auth, err);
  if (rc == 0)
    rc = check_word(c, "privacy", c->privacy, privacy, err);
  if (rc == 0)
    rc = check_word(c, "login", c->login, login, err);
  if (rc == 0)
    rc = check_length(c, "password", c->password, 0, err);
  if (rc == 0)
    rc = check_length(c, "community", c->community, 1, err);
  if (rc == 0)
    rc = check_length(c, "auth_password", c->auth_password, MIN_SNMP_V3, err);
  if (rc == 0)
    rc = check_length(c, "privacy_password", c->privacy_password, MIN_SNMP_V3, err);
  if (rc == 0 && c->auth != NULL && c->auth_password == NULL)
    rc = tm_fail(err, -EBADMSG, "%s:%u: device \"%s\": auth without auth_password", c->file,
                 c->line, c->name);
  if (rc == 0 && c->privacy != NULL && c->auth == NULL)
    rc = tm_fail(err, -EBADMSG, "%s:%u: device \"%s\": privacy without auth", c->file, c->line,
                 c->name);
  return rc;
}

static int fill(struct credentials *c, struct tm_error *err)
{
  c->len = cfg_size(c->cfg, "device");
  c->list = calloc(c->len > 0 ? c->len : 1, sizeof(*c->list));
  if (c->list == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", c->path);
  int rc = 0;
  for (size_t i = 0; i < c->len && rc == 0; i++) {
    cfg_t *d = cfg_getnsec(c->cfg, "device", (unsigned)i);
    c->list[i] = (struct credential){
        .name = cfg_title(d),
        .user = cfg_getstr(d, "user"),
        .password = cfg_getstr(d, "password"),
        .community = cfg_getstr(d, "community"),
        .auth = cfg_getstr(d, "auth"),
        .auth_password = cfg_getstr(d, "auth_password"),
        .privacy = cfg_getstr(d, "privacy"),
        .privacy_password = cfg_getstr(d, "privacy_password"),
        .context = cfg_getstr(d, "context"),
        .login = cfg_getstr(d, "login"),
        .plain = cfg_getbool(d, "plain") == cfg_true,
        .file = c->path,
        .line = (unsigned)d->line,
    };
    rc = check_entry(&c->list[i], err);
  }
  return rc;
}

int credentials_load(struct credentials **out, const char *path, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(MAX_BYTES);
  struct credentials *c = calloc(1, sizeof(*c));
  char *full = locate(path);
  int rc = 0;
  if (c == NULL || full == NULL) {
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", path);
    goto out;
  }
  rc = tm_secret_read_file(full, &b, err);
  if (rc < 0)
    goto out;
  /* libconfuse would put the environment in its place. */
  if (strstr(b.ptr, "${") != NULL || strlen(b.ptr) != b.len) {
    rc = tm_fail(err, -EBADMSG, "%s: holds '${' or a NUL, which cannot stand here", full);
    goto out;
  }
  b.max += sizeof("\n" END_KEY " = true\n");
  rc = tm_buf_puts(&b, "\n" END_KEY " = true\n");
  if (rc < 0)
    tm_fail(err, rc, "%s: out of memory", full);
  if (rc == 0)
    rc = parse(&c->cfg, b.ptr, full, err);
  if (rc == 0) {
    c->path = full;
    full = NULL;
    rc = fill(c, err);
  }
  if (rc == 0) {
    *out = c;
    c = NULL;
  }
out:
  credentials_free(c);
  if (b.ptr != NULL)
    sodium_memzero(b.ptr, b.len);
  tm_buf_release(&b);
  free(full);
  return rc;
}

static void wipe(const char *secret)
{
  if (secret != NULL)
    sodium_memzero((char *)secret, strlen(secret)); /* libconfuse made it for us */
}

void credentials_free(struct credentials *c)
{
  if (c == NULL)
    return;
  for (size_t i = 0; c->list != NULL && i < c->len; i++) {
    wipe(c->list[i].password);
    wipe(c->list[i].community);
    wipe(c->list[i].auth_password);
    wipe(c->list[i].privacy_password);
  }
  free(c->list);
  free(c->path);
  if (c->cfg != NULL)
    cfg_free(c->cfg);
  free(c);
}

const struct credential *credentials_find(const struct credentials *c, const char *host,
                                          unsigned port)
{
  if (c == NULL)
    return NULL;
  char with_port[300];
  snprintf(with_port, sizeof(with_port), "%s:%u", host, port);
  for (size_t i = 0; i < c->len; i++)
    if (strcasecmp(c->list[i].name, with_port) == 0)
      return &c->list[i];
  for (size_t i = 0; i < c->len; i++)
    if (strcasecmp(c->list[i].name, host) == 0)
      return &c->list[i];
  for (size_t i = 0; i < c->len; i++)
    if (fnmatch(c->list[i].name, host, FNM_CASEFOLD) == 0 ||
        fnmatch(c->list[i].name, with_port, FNM_CASEFOLD) == 0)
      return &c->list[i];
  return NULL;
}
