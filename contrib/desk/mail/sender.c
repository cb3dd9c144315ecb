/* SPDX-License-Identifier: MIT */
#include "contrib/desk/mail/sender.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mail.h"
#include "common/secret.h"
#include "contrib/desk/work/ticker.h"
#include "exporters/spool.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_S = 30, LOGIN_PAUSE_S = 900, PAUSE_S = 1, TROUBLE_S = 30, PARTS = 8 };

struct sender {
  struct store *store;
  const struct desk_conf *conf;
  struct tm_mailer *mailer;
  struct ticker *ticker;
  bool in_trouble;
};

/* A letter in hand: a copy, so that no transaction is open while a server is spoken to. */
struct letter {
  int64_t id, made_at, tries;
  json_t *row;
  struct tm_mail_part parts[PARTS + 1];
  size_t parts_len;
  struct tm_buf data[PARTS];
  char names[PARTS][128], types[PARTS][128];
  enum tm_mail_result result;
  char error[512];
  int64_t now;
};

static void letter_release(struct letter *l)
{
  json_decref(l->row);
  for (size_t i = 0; i < PARTS; i++)
    tm_buf_release(&l->data[i]);
  *l = (struct letter){0};
}

/* --- lending and giving back --------------------------------------------------------------- */

static int take_parts(struct db *db, struct letter *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "SELECT name, type, data FROM letter_parts WHERE letter_id = ?1 ORDER BY name",
                 &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, l->id);
  size_t n = 0;
  while ((rc = db_step(stmt, err)) == 1 && n < PARTS) {
    size_t len;
    const void *data = db_blob(stmt, 2, &len);
    l->data[n] = (struct tm_buf)TM_BUF_INIT(16 << 20);
    snprintf(l->names[n], sizeof(l->names[n]), "%s", db_text(stmt, 0));
    snprintf(l->types[n], sizeof(l->types[n]), "%s", db_text(stmt, 1));
    if (tm_buf_add(&l->data[n], data, len) < 0)
      rc = -ENOMEM;
    l->parts[n + 1] = (struct tm_mail_part){l->names[n], l->types[n], l->data[n].ptr, len};
    n++;
    if (rc < 0)
      break;
  }
  db_done(stmt);
  l->parts_len = n + 1;
  return rc < 0 ? rc : 0;
}

static int lend(struct db *db, struct letter *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "UPDATE letters SET due_at = ?2, tries = tries + 1 WHERE id = ?1"
                      " AND due_at <= ?3",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, l->id);
  db_bind_int(stmt, 2, l->now + SENDER_LENT_S);
  db_bind_int(stmt, 3, l->now);
  rc = db_step(stmt, err);
  if (rc == 0 && db_changes(stmt) == 0)
    l->id = 0; /* another desk was quicker */
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int take(struct db *db, void *arg, struct tm_error *err)
{
  struct letter *l = arg;
  int64_t now = l->now;
  struct db_stmt *stmt = NULL;
  letter_release(l);
  l->now = now;
  int rc = db_prepare(db,
                      "SELECT id, made_at, tries, key, to_address, to_name, reply_to, subject, text"
                      " FROM letters WHERE due_at <= ?1 ORDER BY due_at, id LIMIT 1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, now);
  rc = db_step(stmt, err);
  if (rc == 1) {
    l->id = db_int(stmt, 0);
    l->made_at = db_int(stmt, 1);
    l->tries = db_int(stmt, 2) + 1;
    l->row = db_row(stmt, err);
    rc = l->row != NULL ? 0 : -ENOMEM;
  }
  db_done(stmt);
  if (rc == 0 && l->id != 0)
    rc = lend(db, l, err);
  return rc == 0 && l->id != 0 ? take_parts(db, l, err) : rc;
}

static int give_back(struct db *db, void *arg, struct tm_error *err)
{
  const struct letter *l = arg;
  struct db_stmt *stmt = NULL;
  bool old = l->now - l->made_at > (int64_t)SENDER_DAYS * TM_DAY;
  int rc = db_prepare(db,
                      "UPDATE letters SET due_at = ?2, sent_at = ?3, dead_at = ?4, error = ?5"
                      " WHERE id = ?1",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, l->id);
  db_bind_null(stmt, 2);
  db_bind_null(stmt, 3);
  db_bind_null(stmt, 4);
  db_bind_text(stmt, 5, l->result == TM_MAIL_SENT ? NULL : l->error);
  if (l->result == TM_MAIL_SENT)
    db_bind_int(stmt, 3, l->now);
  else if (l->result == TM_MAIL_REFUSED || old)
    db_bind_int(stmt, 4, l->now);
  else
    db_bind_int(stmt, 2,
                l->now + (l->result == TM_MAIL_LOGIN
                              ? LOGIN_PAUSE_S
                              : spool_backoff_s((int)l->tries - 1, randombytes_random())));
  return db_exec(stmt, err);
}

/* --- sending ------------------------------------------------------------------------------- */

static const char *text_of(const struct letter *l, const char *key)
{
  return json_string_value(json_object_get(l->row, key));
}

static void send_letter(struct sender *s, struct letter *l)
{
  struct tm_error err = {0};
  char id[300];
  const char *text = text_of(l, "text");
  snprintf(id, sizeof(id), "%lld.%lld@tidemark-desk", (long long)l->id, (long long)l->made_at);
  l->parts[0] = (struct tm_mail_part){NULL, "text/plain; charset=utf-8", text, strlen(text)};
  const struct tm_letter letter = {.to = text_of(l, "to_address"),
                                   .to_name = text_of(l, "to_name"),
                                   .reply_to = text_of(l, "reply_to"),
                                   .subject = text_of(l, "subject"),
                                   .message_id = id,
                                   .date = l->made_at,
                                   .parts = l->parts,
                                   .parts_len = l->parts_len};
  l->result = tm_mailer_send(s->mailer, &letter, &err);
  snprintf(l->error, sizeof(l->error), "%s", err.text);
}

/* 1 a letter was sent, 0 there is none due, or it was not sent. Trouble is said once until it is
 * over. */
static int send_next(struct sender *s, struct tm_error *err)
{
  struct letter l = {.now = tm_now()};
  int rc = store_write(s->store, &db_everyone, take, &l, err);
  if (rc == 0 && l.id != 0) {
    send_letter(s, &l);
    bool trouble = l.result == TM_MAIL_LATER || l.result == TM_MAIL_LOGIN;
    if (l.result == TM_MAIL_REFUSED)
      tm_log_warning("letter %s to %s is given up: %s", text_of(&l, "key"),
                     text_of(&l, "to_address"), l.error);
    else if (trouble && !s->in_trouble)
      tm_log_warning("mail waits: %s", l.error);
    else if (!trouble && s->in_trouble)
      tm_log_warning("mail is sent again");
    s->in_trouble = trouble;
    l.now = tm_now();
    rc = store_write(s->store, &db_everyone, give_back, &l, err);
    if (rc == 0)
      rc = trouble ? 0 : 1;
  }
  letter_release(&l);
  return rc;
}

static int tick(void *user)
{
  struct sender *s = user;
  struct tm_error err = {0};
  int rc = send_next(s, &err);
  if (rc < 0)
    tm_log_error("mail: %s", err.text);
  return rc == 1 ? 0 : rc == 0 ? PAUSE_S : TROUBLE_S;
}

static int open_mailer(struct sender *s, struct tm_error *err)
{
  const struct desk_conf_mail *mail = &s->conf->mail;
  struct tm_buf password = TM_BUF_INIT(1024);
  int rc = mail->password_file != NULL ? tm_secret_read(mail->password_file, &password, err) : 0;
  if (rc == 0) {
    const struct tm_mailer_settings settings = {.url = mail->url,
                                                .from = mail->from,
                                                .user = mail->user,
                                                .password = password.ptr,
                                                .tls = {.ca_file = mail->ca_file},
                                                .starttls = mail->starttls,
                                                .timeout_s = TIMEOUT_S};
    rc = tm_mailer_open(&s->mailer, &settings, err);
  }
  if (password.ptr != NULL)
    explicit_bzero(password.ptr, password.len);
  tm_buf_release(&password);
  return rc;
}

int sender_start(struct sender **sender, struct store *store, const struct desk_conf *conf,
                 struct tm_error *err)
{
  *sender = NULL;
  if (conf->mail.url == NULL)
    return 0;
  struct sender *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->store = store;
  s->conf = conf;
  int rc = open_mailer(s, err);
  if (rc == 0)
    rc = ticker_start(&s->ticker, tick, s, err);
  if (rc < 0)
    sender_end(s);
  else
    *sender = s;
  return rc;
}

void sender_end(struct sender *s)
{
  if (s == NULL)
    return;
  ticker_end(s->ticker);
  tm_mailer_close(s->mailer);
  free(s);
}
