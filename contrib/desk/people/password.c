/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/password.h"

#include "common/embed.h"
#include "common/text.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

TM_EMBED(common_passwords, "contrib/desk/people/common-passwords.txt");

#define MEMORY crypto_pwhash_MEMLIMIT_INTERACTIVE /* 64 MiB */
#define PASSES crypto_pwhash_OPSLIMIT_INTERACTIVE

/* Letters that stand behind figures and signs: "p4ssw0rd" is no other word. */
static char plain(char c)
{
  static const char from[] = "0134579@$!|", to[] = "oieastgasil";
  const char *at = strchr(from, c);
  return c != '\0' && at != NULL ? to[at - from] : (char)tolower((unsigned char)c);
}

/* Does the list have this word? One a line, sorted or not. */
static bool listed(const char *word, size_t len)
{
  const char *p = common_passwords_text;
  const char *end = p + common_passwords_size;
  while (p < end) {
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    stop = stop != NULL ? stop : end;
    if ((size_t)(stop - p) == len && memcmp(p, word, len) == 0)
      return true;
    p = stop + 1;
  }
  return false;
}

/* As it is, without what is hung on at its end, and with letters in place of figures. */
static bool is_common(const char *password)
{
  char word[64];
  size_t len = strlen(password);
  if (len >= sizeof(word))
    return false;
  for (size_t i = 0; i <= len; i++)
    word[i] = (char)tolower((unsigned char)password[i]);
  if (listed(word, len))
    return true;
  size_t stem = len;
  while (stem > 0 && !isalpha((unsigned char)word[stem - 1]) && (word[stem - 1] & 0x80) == 0)
    stem--;
  if (stem < 4)
    return false;
  if (listed(word, stem))
    return true;
  for (size_t i = 0; i < stem; i++)
    word[i] = plain(word[i]);
  return listed(word, stem);
}

/* One character again and again, or a row of them: "aaaaaaaa", "12345678". */
static bool is_row(const char *password)
{
  for (int step = -1; step <= 1; step++) {
    size_t i = 1;
    while (password[i] != '\0' && password[i] - password[i - 1] == step)
      i++;
    if (password[i] == '\0')
      return true;
  }
  return false;
}

const char *password_fault(const char *password, const char *login, const char *name)
{
  if (tm_text_characters(password) < PASSWORD_MIN)
    return "A password has at least 8 characters; 15 or more are better.";
  if (strlen(password) > PASSWORD_MAX)
    return "A password has at most 256 bytes.";
  size_t local = strcspn(login, "@");
  bool is_login = local >= 4 && strncasecmp(password, login, local) == 0 &&
                  strlen(password) <= local + 4; /* a year, or so */
  if (is_login || strcasecmp(password, login) == 0 || strcasecmp(password, name) == 0)
    return "A password that is the account's own name is tried first. Choose another one.";
  if (is_row(password) || is_common(password))
    return "This password is one that everybody tries first. Choose another one: four words that "
           "have nothing to do with each other are good.";
  return NULL;
}

int password_make(struct people *p, const char *password, char out[PASSWORD_HASH],
                  struct tm_error *err)
{
  if (!people_hash_begin(p))
    return tm_fail(err, -EBUSY, "too many people sign in at once: try again in a moment");
  int rc = crypto_pwhash_str(out, password, strlen(password), PASSES, MEMORY);
  people_hash_end(p);
  return rc == 0 ? 0 : tm_fail(err, -ENOMEM, "no memory for a password's hash");
}

int password_check(struct people *p, const char *hash, const char *password, bool *right,
                   bool *stale, struct tm_error *err)
{
  if (!people_hash_begin(p))
    return tm_fail(err, -EBUSY, "too many people sign in at once: try again in a moment");
  bool same = crypto_pwhash_str_verify(hash != NULL ? hash : people_nobody(p), password,
                                       strlen(password)) == 0;
  people_hash_end(p);
  *right = same && hash != NULL;
  *stale = *right && crypto_pwhash_str_needs_rehash(hash, PASSES, MEMORY) != 0;
  return 0;
}
