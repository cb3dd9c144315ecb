/* SPDX-License-Identifier: MIT */
/* Mail: the event, its signature and its chart as attachments, a few words for people. */
#include "exporters/target.h"

#include "common/buf.h"
#include "common/log.h"
#include "common/mail.h"
#include "exporters/chart.h"
#include "exporters/envelope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct smtp {
  const struct tm_conf_target *conf;
  struct tm_secret secret;
  struct tm_mailer *mailer;
};

static void smtp_close(void *state)
{
  struct smtp *s = state;
  tm_mailer_close(s->mailer);
  tm_secret_release(&s->secret);
  free(s);
}

static int open_mailer(struct smtp *s, struct tm_error *err)
{
  const struct tm_conf_target *conf = s->conf;
  struct tm_buf password = TM_BUF_INIT(1024);
  int rc = conf->password_file != NULL ? tm_secret_read(conf->password_file, &password, err) : 0;
  if (rc == 0) {
    const struct tm_mailer_settings settings = {.url = conf->url,
                                                .from = conf->from,
                                                .user = conf->user,
                                                .password = password.ptr,
                                                .tls = conf->tls,
                                                .starttls = conf->starttls,
                                                .timeout_s = (int)conf->timeout_s};
    rc = tm_mailer_open(&s->mailer, &settings, err);
  }
  if (password.ptr != NULL)
    explicit_bzero(password.ptr, password.len);
  tm_buf_release(&password);
  return rc;
}

static int smtp_open(void **state, const struct tm_conf_target *conf, struct tm_error *err)
{
  struct smtp *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  s->conf = conf;
  int rc = tm_secret_load(&s->secret, conf->secret_file, err);
  if (rc == 0)
    rc = open_mailer(s, err);
  if (rc < 0) {
    smtp_close(s);
    return rc;
  }
  *state = s;
  return 0;
}

/* The chart of a document that has one. It is the same for the same item, so that a mail that is
 * sent again is the same mail; without it the document goes alone, for it is what was promised. */
static void draw_chart(struct tm_buf *png, const struct smtp *s, const struct target_item *item)
{
  struct tm_error err = {0};
  if (strcmp(item->kind, "summary") != 0 && strcmp(item->kind, "history") != 0)
    return;
  int rc = chart_draw(png, item->body, item->body_len, &err);
  if (rc < 0)
    tm_buf_reset(png);
  if (rc < 0 && rc != -ENODATA)
    tm_log_warning("%s: %.12s goes without its chart: %s", s->conf->name, item->key, err.text);
}

static void judge(enum tm_mail_result result, const struct tm_error *why, struct target_item *item,
                  struct target_outcome *out)
{
  if (result == TM_MAIL_SENT) {
    item->result = TARGET_ACCEPTED;
    return;
  }
  out->error = *why;
  target_fail_all(item, 1, out, TARGET_DOWN);
  if (result == TM_MAIL_LOGIN) {
    out->health = TARGET_STOP;
  } else if (result == TM_MAIL_REFUSED) {
    out->health = TARGET_UP;
    item->result = TARGET_REFUSED;
  }
}

static void send_one(struct smtp *s, struct target_item *item, int64_t now,
                     struct target_outcome *out)
{
  char text[1200], headers[ENVELOPE_HEADERS_SIZE], subject[1200], id[128], names[3][128];
  struct tm_buf png = TM_BUF_INIT(CHART_MAX);
  struct tm_error err = {0};
  draw_chart(&png, s, item);
  int n = snprintf(text, sizeof(text),
                   "A Tidemark document (%s) about %s is attached%s.\r\n"
                   "The document is meant for a program; its SHA-256:\r\n%s\r\n",
                   item->kind, item->device, png.len > 0 ? ", with its chart" : "", item->sha256);
  size_t m = envelope_headers(headers, &s->secret, item->key, now, item->body, item->body_len);
  snprintf(names[0], sizeof(names[0]), "%s.json", item->key);
  snprintf(names[1], sizeof(names[1]), "%s.sig", item->key);
  snprintf(names[2], sizeof(names[2]), "%s.png", item->key);
  const struct tm_mail_part parts[] = {
      {NULL, "text/plain; charset=utf-8", text, (size_t)n},
      {names[0], "application/cloudevents+json", item->body, item->body_len},
      {names[1], "text/plain", headers, m},
      {names[2], "image/png", png.ptr, png.len},
  };
  snprintf(subject, sizeof(subject), "Tidemark %s %s", item->kind, item->device);
  snprintf(id, sizeof(id), "%s@tidemark", item->key);
  const struct tm_letter letter = {.to = s->conf->to,
                                   .subject = subject,
                                   .message_id = id,
                                   .date = now,
                                   .parts = parts,
                                   .parts_len = png.len > 0 ? 4 : 3};
  judge(tm_mailer_send(s->mailer, &letter, &err), &err, item, out);
  tm_buf_release(&png);
}

static void smtp_send(void *state, struct target_item *items, size_t n, int64_t now,
                      struct target_outcome *out)
{
  struct smtp *s = state;
  *out = (struct target_outcome){.retry_after_s = -1};
  for (size_t i = 0; i < n; i++) {
    if (out->health != TARGET_UP) {
      target_fail_all(items + i, n - i, out, out->health);
      return;
    }
    send_one(s, &items[i], now, out);
  }
}

const struct target_ops target_smtp_ops = {
    .open = smtp_open,
    .send = smtp_send,
    .close = smtp_close,
};
