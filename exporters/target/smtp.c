/* SPDX-License-Identifier: MIT */
/* Mail: the event, its signature and its chart as attachments, a few words for people, by libcurl.
 */
#include "exporters/target.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/version.h"
#include "exporters/chart.h"
#include "exporters/envelope.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct smtp {
  const struct tm_conf_target *conf;
  struct tm_secret secret;
  struct tm_buf password;
  CURL *curl;
};

static void smtp_close(void *state)
{
  struct smtp *s = state;
  curl_easy_cleanup(s->curl);
  tm_secret_release(&s->secret);
  if (s->password.ptr != NULL)
    explicit_bzero(s->password.ptr, s->password.len);
  tm_buf_release(&s->password);
  free(s);
}

static void set_options(CURL *c, const struct smtp *s)
{
  const struct tm_conf_target *t = s->conf;
  curl_easy_setopt(c, CURLOPT_URL, t->url);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
  curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
  curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(t->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  if (t->ca_file != NULL)
    curl_easy_setopt(c, CURLOPT_CAINFO, t->ca_file);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)t->timeout_s);
  curl_easy_setopt(c, CURLOPT_MAIL_FROM, t->from);
  if (t->user != NULL)
    curl_easy_setopt(c, CURLOPT_USERNAME, t->user);
  if (s->password.ptr != NULL)
    curl_easy_setopt(c, CURLOPT_PASSWORD, s->password.ptr);
}

static int smtp_open(void **state, const struct tm_conf_target *conf, struct tm_error *err)
{
  struct smtp *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  *s = (struct smtp){.conf = conf, .password = TM_BUF_INIT(1024)};
  int rc = tm_secret_load(&s->secret, conf->secret_file, err);
  if (rc == 0 && conf->password_file != NULL)
    rc = tm_secret_read(conf->password_file, &s->password, err);
  if (rc == 0 && (s->curl = curl_easy_init()) == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  if (rc < 0) {
    smtp_close(s);
    return rc;
  }
  set_options(s->curl, s);
  *state = s;
  return 0;
}

/* The subject's device name in UTF-8, as RFC 2047 wants it: base64 words of at most 75 characters.
 * Nothing that ends a header can be in it. */
static void encode_word(struct tm_buf *b, const char *text)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char *p = text; *p != '\0';) {
    size_t n = strlen(p);
    if (n > 42)
      n = 42;
    while (n > 1 && ((unsigned char)p[n] & 0xc0) == 0x80)
      n--; /* never within a character */
    tm_buf_puts(b, p == text ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
    for (size_t i = 0; i < n; i += 3) {
      unsigned v = (unsigned)(unsigned char)p[i] << 16;
      if (i + 1 < n)
        v |= (unsigned)(unsigned char)p[i + 1] << 8;
      if (i + 2 < n)
        v |= (unsigned char)p[i + 2];
      char four[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                      i + 2 < n ? digits[v & 63] : '='};
      tm_buf_add(b, four, sizeof(four));
    }
    tm_buf_puts(b, "?=");
    p += n;
  }
}

static struct curl_slist *make_headers(const struct smtp *s, const struct target_item *item,
                                       int64_t now)
{
  char line[1200], date[64];
  time_t when = (time_t)now;
  struct tm tm;
  struct tm_buf subject = TM_BUF_INIT(4096);
  gmtime_r(&when, &tm);
  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
  tm_buf_puts(&subject, "Subject: ");
  snprintf(line, sizeof(line), "Tidemark %s %s", item->kind, item->device);
  encode_word(&subject, line);
  struct curl_slist *list = NULL;
  snprintf(line, sizeof(line), "Date: %s", date);
  list = curl_slist_append(list, line);
  snprintf(line, sizeof(line), "From: <%s>", s->conf->from);
  list = curl_slist_append(list, line);
  snprintf(line, sizeof(line), "To: <%s>", s->conf->to);
  list = curl_slist_append(list, line);
  list = curl_slist_append(list, subject.ptr);
  /* The same for every try, so that a mail that comes twice is seen to be one. */
  snprintf(line, sizeof(line), "Message-ID: <%s@tidemark>", item->key);
  list = curl_slist_append(list, line);
  list = curl_slist_append(list, "X-Mailer: tidemark/" TM_VERSION);
  list = curl_slist_append(list, "Auto-Submitted: auto-generated");
  tm_buf_release(&subject);
  return list;
}

static int add_part(curl_mime *mime, const char *name, const char *type, const char *data,
                    size_t len, const char *encoding)
{
  curl_mimepart *part = curl_mime_addpart(mime);
  if (part == NULL)
    return -ENOMEM;
  curl_mime_data(part, data, len);
  curl_mime_type(part, type);
  curl_mime_encoder(part, encoding);
  if (name != NULL)
    curl_mime_filename(part, name);
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

static int add_parts(curl_mime *mime, const struct smtp *s, const struct target_item *item,
                     const struct tm_buf *png, int64_t now)
{
  char text[1200], headers[ENVELOPE_HEADERS_SIZE], name[128];
  int n = snprintf(text, sizeof(text),
                   "A Tidemark document (%s) about %s is attached%s.\r\n"
                   "The document is meant for a program; its SHA-256:\r\n%s\r\n",
                   item->kind, item->device, png->len > 0 ? ", with its chart" : "", item->sha256);
  size_t m = envelope_headers(headers, &s->secret, item->key, now, item->body, item->body_len);
  int rc = add_part(mime, NULL, "text/plain; charset=utf-8", text, (size_t)n, "quoted-printable");
  snprintf(name, sizeof(name), "%s.json", item->key);
  if (rc == 0)
    rc = add_part(mime, name, "application/cloudevents+json", item->body, item->body_len, "base64");
  snprintf(name, sizeof(name), "%s.sig", item->key);
  if (rc == 0)
    rc = add_part(mime, name, "text/plain", headers, m, "base64");
  snprintf(name, sizeof(name), "%s.png", item->key);
  if (rc == 0 && png->len > 0)
    rc = add_part(mime, name, "image/png", png->ptr, png->len, "base64");
  return rc;
}

/* 5xx to the message itself refuses this item; all else is the server's or the line's trouble. */
static void judge(struct smtp *s, CURLcode rc, const char *why, struct target_item *item,
                  struct target_outcome *out)
{
  long code = 0;
  curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &code);
  if (rc == CURLE_OK) {
    item->result = TARGET_ACCEPTED;
    return;
  }
  tm_fail(&out->error, rc == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO, "%s: %s", s->conf->url,
          why[0] != '\0' ? why : curl_easy_strerror(rc));
  target_fail_all(item, 1, out, TARGET_DOWN);
  if (rc == CURLE_LOGIN_DENIED) {
    out->health = TARGET_STOP;
  } else if (rc == CURLE_WEIRD_SERVER_REPLY && code >= 550 && code <= 559) {
    out->health = TARGET_UP;
    item->result = TARGET_REFUSED;
  }
}

static void send_one(struct smtp *s, struct target_item *item, int64_t now,
                     struct target_outcome *out)
{
  char why[CURL_ERROR_SIZE] = "";
  struct tm_buf png = TM_BUF_INIT(CHART_MAX);
  draw_chart(&png, s, item);
  curl_mime *mime = curl_mime_init(s->curl);
  struct curl_slist *headers = make_headers(s, item, now);
  struct curl_slist *to = curl_slist_append(NULL, s->conf->to);
  if (mime == NULL || headers == NULL || to == NULL || add_parts(mime, s, item, &png, now) < 0) {
    tm_fail(&out->error, -ENOMEM, "out of memory");
    target_fail_all(item, 1, out, TARGET_DOWN);
    goto out;
  }
  curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, to);
  curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(s->curl, CURLOPT_MIMEPOST, mime);
  curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, why);
  judge(s, curl_easy_perform(s->curl), why, item, out);
  curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, NULL);
  curl_easy_setopt(s->curl, CURLOPT_MIMEPOST, NULL);
  curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
out:
  tm_buf_release(&png);
  curl_mime_free(mime);
  curl_slist_free_all(headers);
  curl_slist_free_all(to);
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
