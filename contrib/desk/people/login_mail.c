/* SPDX-License-Identifier: MIT */
/* Signing in by a link that is mailed. Whoever asks is told the same, whether the address is known
 * or not. */
#include "common/mail.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/mail/mail.h"
#include "contrib/desk/people/accounts.h"
#include "contrib/desk/people/buckets.h"
#include "contrib/desk/rooms.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINKS = 5, LINKS_OF_ADDRESS = 20, LINKS_S = 3600, LINK_S = 900 };

struct mailing {
  const struct request *r;
  char login[256]; /* lower case */
  int64_t wait_s;
};

static int take_tokens(struct db *db, void *arg, struct tm_error *err)
{
  struct mailing *m = arg;
  const struct bucket buckets[] = {{"mail-to", m->login, LINKS, LINKS_S},
                                   {"mail-from", m->r->address, LINKS_OF_ADDRESS, LINKS_S}};
  int rc = bucket_take(db, &buckets[0], m->r->now, &m->wait_s, err);
  return rc == 0 ? bucket_take(db, &buckets[1], m->r->now, &m->wait_s, err) : rc;
}

static int is_there(struct db *db, const char *login, bool *there, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "SELECT 1 FROM users WHERE login = ?1 AND disabled_at IS NULL", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, login);
  rc = db_step(stmt, err);
  *there = rc == 1;
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* An account's link is good for a day; one that went by mail only for a quarter of an hour. */
static int shorten(struct db *db, const struct mailing *m, const struct account *a,
                   struct tm_error *err)
{
  char hash[TM_SHA256_HEX];
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "UPDATE login_links SET expires_at = ?2 WHERE token_sha256 = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, secret_hash(hash, a->secret));
  db_bind_int(stmt, 2, m->r->now + LINK_S);
  return db_exec(stmt, err);
}

static int send_link(struct db *db, void *arg, struct tm_error *err)
{
  struct mailing *m = arg;
  const struct request *r = m->r;
  struct account a = {.login = m->login, .now = r->now, .by = "mail", .address = r->address};
  char key[TM_SHA256_HEX + 16], hash[TM_SHA256_HEX];
  bool there = false;
  int rc = is_there(db, m->login, &there, err);
  if (rc < 0 || !there || !tm_mail_is_address(m->login))
    return rc;
  rc = account_link(db, &a, err);
  if (rc == 0)
    rc = shorten(db, m, &a, err);
  if (rc < 0)
    return rc;
  json_t *model = json_pack("{s:s, s:i}", "secret", a.secret, "minutes", LINK_S / 60);
  snprintf(key, sizeof(key), "login/%s", secret_hash(hash, a.secret));
  const struct mail mail = {.key = key, .to = m->login, .page = "mail-login.txt", .model = model};
  rc = mail_put(db, r->desk, &mail, r->now, err);
  json_decref(model);
  return rc;
}

static int show(const struct request *r, struct response *to, int status, const char *said,
                const char *error, struct tm_error *err)
{
  json_t *model = json_pack("{s:s, s:b, s:s?, s:s?, s:s, s:b, s:i, s:i}", "title", "Sign in",
                            "reading", 1, "said", said, "mail_error", error, "next", "/", "mails",
                            r->desk->conf->mail.url != NULL, "idle_minutes",
                            (int)(r->desk->conf->limits.idle_s / 60), "total_hours",
                            (int)(r->desk->conf->limits.total_s / 3600));
  int rc;
  if (r->wants_json && error != NULL)
    rc = respond_error(r, to, status, "email", error);
  else
    rc = respond_page(r, to, status, "login.html", model, err);
  json_decref(model);
  return rc;
}

static int post_mail(const struct request *r, struct response *to, struct tm_error *err)
{
  struct mailing m = {.r = r};
  const char *email = request_field(r, "email");
  size_t i = 0;
  if (r->desk->conf->mail.url == NULL)
    return show(r, to, 422, NULL, "This desk sends no mail: an administrator can make you a link.",
                err);
  if (email == NULL || strlen(email) >= sizeof(m.login) || strchr(email, '@') == NULL)
    return show(r, to, 422, NULL, "Write your e-mail address.", err);
  for (; email[i] != '\0'; i++)
    m.login[i] = (char)tolower((unsigned char)email[i]);
  int rc = store_write(r->desk->store, &db_everyone, take_tokens, &m, err);
  if (rc == -EDQUOT) {
    char after[24];
    snprintf(after, sizeof(after), "%" PRId64, m.wait_s);
    respond_header(to, "Retry-After", after);
    return show(r, to, 429, NULL, "Too many links were asked for. Wait a little, then try again.",
                err);
  }
  if (rc == 0)
    rc = store_write(r->desk->store, &db_everyone, send_link, &m, err);
  return rc == 0 ? show(r, to, 200,
                        "If this address has an account here, a link is on its way to it. It works "
                        "once, for 15 minutes.",
                        NULL, err)
                 : rc;
}

const struct route login_mail_routes[] = {
    {"POST", "/login/mail", ROLE_NONE, 4096,
     "Mails a one-time sign-in link to an account's address", post_mail},
    {0},
};
