/* SPDX-License-Identifier: MIT */
#include "common/conf_own.h"

#include "common/address.h"
#include "common/number.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 1024 };

int tm_conf_index_of(const char *const *names, const char *name)
{
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0)
      return i;
  }
  return -1;
}

/* The host of a URL: scheme://host[:port][/...]. False where it has another shape, or names a user
 * (a password would stand in the file, and later in a message). */
static bool url_host(const char *url, const char **host, size_t *len)
{
  const char *p = strstr(url, "://");
  if (p == NULL || p == url)
    return false;
  p += 3;
  size_t n = strcspn(p, "/?#");
  if (n == 0 || memchr(p, '@', n) != NULL)
    return false;
  const char *end = p + n;
  const char *port = p[0] == '[' ? memchr(p, ']', n) : memchr(p, ':', n);
  if (p[0] == '[' && port == NULL)
    return false;
  *host = p;
  *len = (size_t)((port == NULL ? end : port + (p[0] == '[')) - p);
  return *len > 0;
}

bool tm_url_is_loopback(const char *url)
{
  const char *host = NULL;
  size_t len = 0;
  return url_host(url, &host, &len) && tm_address_is_loopback(host, len);
}

bool tm_conf_is_name(const char *s)
{
  size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
  return n > 0 && n <= TM_CONF_NAME_MAX && s[n] == '\0' && s[0] != '.';
}

static int read_string(const struct tm_reader *r, const struct tm_key *key, const char *value,
                       void *field)
{
  if (value[0] == '\0' || strlen(value) > MAX_TEXT || tm_text_has_control(value) ||
      !tm_text_is_utf8(value))
    return REFUSE(r, key->name, "%s: 1 to %d characters of printable UTF-8 are wanted", key->name,
                  MAX_TEXT);
  if (key->kind == TM_KEY_NAME && !tm_conf_is_name(value))
    return REFUSE(r, key->name,
                  "%s: '%s': at most %d letters, digits, '.', '_' and '-' are wanted, not "
                  "beginning with '.'",
                  key->name, value, TM_CONF_NAME_MAX);
  if (key->kind == TM_KEY_PATH && value[0] != '/')
    return REFUSE(r, key->name, "%s: '%s': a path from the root is wanted", key->name, value);
  const char *host;
  size_t len;
  if (key->kind == TM_KEY_URL &&
      (strpbrk(value, " \\\"<>") != NULL || !url_host(value, &host, &len)))
    return REFUSE(r, key->name,
                  "%s: SCHEME://HOST[:PORT][/PATH] without a user or password is wanted",
                  key->name);
  *(const char **)field = value;
  return 0;
}

static int read_bool(const struct tm_reader *r, const struct tm_key *key, const char *value,
                     void *field)
{
  static const char *const words[] = {"no", "yes", "false", "true", "off", "on", NULL};
  int i = tm_conf_index_of(words, value);
  if (i < 0)
    return REFUSE(r, key->name, "%s: '%s': 'yes' or 'no' is wanted", key->name, value);
  *(bool *)field = i % 2 == 1;
  return 0;
}

static int read_amount(const struct tm_reader *r, const struct tm_key *key, const char *value,
                       void *field)
{
  uint64_t v = 0;
  int64_t seconds = 0;
  uint64_t max = key->max != 0 ? key->max : INT64_MAX;
  int rc = 0;
  const char *example = "\"100\"";
  if (key->kind == TM_KEY_DURATION) {
    rc = tm_parse_duration(value, &seconds);
    v = (uint64_t)seconds;
    example = "\"90s\", \"15m\", \"1h\" or \"7d\"";
  } else if (key->kind == TM_KEY_BYTES) {
    rc = tm_parse_bytes(value, &v);
    example = "\"4096\", \"64MiB\" or \"1GiB\"";
  } else {
    rc = tm_parse_u64(value, 0, UINT64_MAX, &v);
  }
  if (rc == -EINVAL)
    return REFUSE(r, key->name, "%s: '%s': a value such as %s is wanted", key->name, value,
                  example);
  if (rc < 0 || v < key->min || v > max)
    return REFUSE(r, key->name, "%s: '%s' is out of range: %llu to %llu%s", key->name, value,
                  (unsigned long long)key->min, (unsigned long long)max,
                  key->kind == TM_KEY_DURATION ? " seconds" : "");
  *(uint64_t *)field = v; /* int64_t for a duration: the same size, and v fits */
  return 0;
}

/* Those keys of a block that are read by a row of the table. */
int tm_conf_read_keys(const struct tm_reader *r, const struct tm_key *keys, void *base)
{
  if (r->section == NULL) /* every block is there, also one that the file leaves out */
    return tm_fail(r->err, -ENOMEM, "%s: out of memory", r->own->files[0]);
  for (; keys->name != NULL; keys++) {
    if (keys->kind == TM_KEY_OTHER || keys->kind == TM_KEY_LIST)
      continue;
    const char *value = cfg_getstr(r->section, keys->name);
    if (value == NULL)
      continue;
    void *field = (char *)base + keys->offset;
    int rc = keys->kind == TM_KEY_BOOL      ? read_bool(r, keys, value, field)
             : keys->kind < TM_KEY_DURATION ? read_string(r, keys, value, field)
                                            : read_amount(r, keys, value, field);
    if (rc < 0)
      return rc;
  }
  return 0;
}

/* One of the names; *index stays when the key is absent. */
int tm_conf_read_choice(const struct tm_reader *r, const char *key, const char *const *names,
                        int *index)
{
  const char *value = cfg_getstr(r->section, key);
  if (value == NULL)
    return 0;
  int i = tm_conf_index_of(names, value);
  if (i >= 0) {
    *index = i;
    return 0;
  }
  char all[128] = "";
  for (i = 0; names[i] != NULL; i++)
    snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s'%s'",
             i == 0                 ? ""
             : names[i + 1] == NULL ? " or "
                                    : ", ",
             names[i]);
  const char *near = tm_text_nearest(value, names);
  return REFUSE(r, key, "%s: '%s': %s is wanted%s%s%s", key, value, all,
                near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                near != NULL ? "'?" : "");
}
