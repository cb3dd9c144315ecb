/* SPDX-License-Identifier: MIT */
#include "contrib/desk/mail/mail.h"

#include "common/json.h"

#include <errno.h>
#include <string.h>

enum { LETTER_MAX = 256 * 1024 };

static int render(const struct desk *desk, const struct mail *mail, int64_t now, struct tm_buf *out,
                  struct tm_error *err)
{
  const struct template_clock clock = {.now = now};
  json_t *model = mail->model != NULL ? json_copy((json_t *)mail->model) : json_object();
  const char *url = desk->conf->public_url;
  json_object_set_new(model, "desk",
                      json_pack("{s:s, s:s, s:b}", "vendor", desk->conf->vendor, "url",
                                url != NULL ? url : "", "demo", desk->conf->demonstration));
  int rc = template_render(desk->templates, mail->page, model, &clock, out, err);
  json_decref(model);
  return rc;
}

/* Divides "Subject: …\n\ntext". */
static int divide(struct tm_buf *letter, const char *page, char **subject, char **text,
                  struct tm_error *err)
{
  static const char head[] = "Subject: ";
  char *line = letter->ptr != NULL ? strchr(letter->ptr, '\n') : NULL;
  if (line == NULL || strncmp(letter->ptr, head, strlen(head)) != 0)
    return tm_fail(err, -EINVAL, "%s: its first line must be \"Subject: ...\"", page);
  *line = '\0';
  *subject = letter->ptr + strlen(head);
  *text = line + 1 + strspn(line + 1, "\r\n");
  return 0;
}

static int insert_letter(struct db *db, const struct mail *mail, const char *subject,
                         const char *text, int64_t now, int64_t *id, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO letters (customer_id, key, to_address, to_name, reply_to,"
                      " subject, text, made_at, due_at)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)"
                      " ON CONFLICT (key) DO NOTHING RETURNING id",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, mail->customer != NULL ? mail->customer : "");
  db_bind_text(stmt, 2, mail->key);
  db_bind_text(stmt, 3, mail->to);
  db_bind_text(stmt, 4, mail->to_name);
  db_bind_text(stmt, 5, mail->reply_to);
  db_bind_text(stmt, 6, subject);
  db_bind_text(stmt, 7, text);
  db_bind_int(stmt, 8, now);
  rc = db_step(stmt, err);
  if (rc == 1)
    *id = db_int(stmt, 0);
  db_done(stmt);
  return rc;
}

static int insert_part(struct db *db, const struct mail *mail, int64_t letter,
                       const struct tm_mail_part *part, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO letter_parts (letter_id, customer_id, name, type, data)"
                      " VALUES (?1, ?2, ?3, ?4, ?5)",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, letter);
  db_bind_text(stmt, 2, mail->customer != NULL ? mail->customer : "");
  db_bind_text(stmt, 3, part->name);
  db_bind_text(stmt, 4, part->type);
  db_bind_blob(stmt, 5, part->data, part->len);
  return db_exec(stmt, err);
}

int mail_put(struct db *db, const struct desk *desk, const struct mail *mail, int64_t now,
             struct tm_error *err)
{
  struct tm_buf letter = TM_BUF_INIT(LETTER_MAX);
  char *subject = NULL, *text = NULL;
  int64_t id = 0;
  if (!tm_mail_is_address(mail->to) ||
      (mail->reply_to != NULL && !tm_mail_is_address(mail->reply_to)))
    return tm_fail(err, -EINVAL, "%s: not an address that mail could be sent to", mail->key);
  int rc = render(desk, mail, now, &letter, err);
  if (rc == 0)
    rc = divide(&letter, mail->page, &subject, &text, err);
  if (rc == 0)
    rc = insert_letter(db, mail, subject, text, now, &id, err);
  for (size_t i = 0; rc == 1 && i < mail->parts_len; i++) {
    int part = insert_part(db, mail, id, &mail->parts[i], err);
    rc = part < 0 ? part : 1;
  }
  tm_buf_release(&letter);
  return rc < 0 ? rc : 0;
}
