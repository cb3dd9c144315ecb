/* SPDX-License-Identifier: MIT */
#include "common/mail.h"

#include "common/buf.h"
#include "common/text.h"
#include "common/version.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADER_MAX 16384

struct tm_mailer {
  CURL *curl;
  char *url, *from;
};

static void set_options(CURL *c, const struct tm_mailer_settings *s)
{
  curl_easy_setopt(c, CURLOPT_URL, s->url);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
  curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
  curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(s->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)s->timeout_s);
  curl_easy_setopt(c, CURLOPT_MAIL_FROM, s->from);
  if (s->user != NULL)
    curl_easy_setopt(c, CURLOPT_USERNAME, s->user);
  if (s->password != NULL)
    curl_easy_setopt(c, CURLOPT_PASSWORD, s->password);
}

int tm_mailer_open(struct tm_mailer **mailer, const struct tm_mailer_settings *settings,
                   struct tm_error *err)
{
  if (!tm_mail_is_address(settings->from))
    return tm_fail(err, -EINVAL, "%s: not an address that mail could be sent from",
                   settings->from != NULL ? settings->from : "(no sender)");
  struct tm_mailer *m = calloc(1, sizeof(*m));
  if (m == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  m->url = strdup(settings->url);
  m->from = strdup(settings->from);
  m->curl = curl_easy_init();
  if (m->url == NULL || m->from == NULL || m->curl == NULL) {
    tm_mailer_close(m);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  set_options(m->curl, settings);
  int rc = tm_tls_apply(m->curl, &settings->tls, err);
  if (rc < 0) {
    tm_mailer_close(m);
    return rc;
  }
  *mailer = m;
  return 0;
}

void tm_mailer_close(struct tm_mailer *m)
{
  if (m == NULL)
    return;
  curl_easy_cleanup(m->curl);
  free(m->url);
  free(m->from);
  free(m);
}

bool tm_mail_is_address(const char *text)
{
  int at = 0;
  if (text == NULL || text[0] == '\0' || text[0] == '@' || strlen(text) > 254)
    return false;
  for (const char *p = text; *p != '\0'; p++) {
    if (*p <= ' ' || *p > '~' || strchr("<>()[],;:\\\"", *p) != NULL)
      return false;
    at += *p == '@';
  }
  return at == 1 && text[strlen(text) - 1] != '@';
}

/* --- headers ---------------------------------------------------------------------------------- */

static void base64_word(struct tm_buf *b, const char *text, size_t n)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < n; i += 3) {
    unsigned v = (unsigned)(unsigned char)text[i] << 16;
    if (i + 1 < n)
      v |= (unsigned)(unsigned char)text[i + 1] << 8;
    if (i + 2 < n)
      v |= (unsigned char)text[i + 2];
    char four[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                    i + 2 < n ? digits[v & 63] : '='};
    tm_buf_add(b, four, sizeof(four));
  }
}

/* Text in UTF-8 as RFC 2047 wants it: base64 words of at most 75 characters. Nothing that ends a
 * header can be in it. */
static void encode_words(struct tm_buf *b, const char *text)
{
  for (const char *p = text; *p != '\0';) {
    size_t n = strlen(p);
    if (n > 42)
      n = 42;
    while (n > 1 && ((unsigned char)p[n] & 0xc0) == 0x80)
      n--; /* never within a character */
    tm_buf_puts(b, p == text ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
    base64_word(b, p, n);
    tm_buf_puts(b, "?=");
    p += n;
  }
}

struct headers {
  struct curl_slist *list;
  struct tm_buf line;
  bool failed;
};

static void end_line(struct headers *h)
{
  struct curl_slist *more = h->line.ptr != NULL ? curl_slist_append(h->list, h->line.ptr) : NULL;
  if (more == NULL)
    h->failed = true;
  else
    h->list = more;
  tm_buf_reset(&h->line);
}

static void add_address(struct headers *h, const char *name, const char *label, const char *address)
{
  char clean[256];
  tm_buf_printf(&h->line, "%s: ", name);
  if (label != NULL && tm_text_clean(clean, sizeof(clean), label, strlen(label)) > 0) {
    encode_words(&h->line, clean);
    tm_buf_puts(&h->line, " ");
  }
  tm_buf_printf(&h->line, "<%s>", address);
  end_line(h);
}

static void add_date(struct headers *h, int64_t date)
{
  char text[64];
  time_t when = (time_t)date;
  struct tm tm;
  gmtime_r(&when, &tm);
  strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
  tm_buf_printf(&h->line, "Date: %s", text);
  end_line(h);
}

static struct curl_slist *make_headers(const struct tm_mailer *m, const struct tm_letter *letter)
{
  char subject[1024];
  struct headers h = {.line = TM_BUF_INIT(HEADER_MAX)};
  add_date(&h, letter->date);
  add_address(&h, "From", NULL, m->from);
  add_address(&h, "To", letter->to_name, letter->to);
  if (letter->reply_to != NULL)
    add_address(&h, "Reply-To", NULL, letter->reply_to);
  tm_text_clean(subject, sizeof(subject), letter->subject, strlen(letter->subject));
  tm_buf_puts(&h.line, "Subject: ");
  encode_words(&h.line, subject[0] != '\0' ? subject : "Tidemark");
  end_line(&h);
  tm_buf_printf(&h.line, "Message-ID: <%s>", letter->message_id);
  end_line(&h);
  tm_buf_puts(&h.line, "X-Mailer: tidemark/" TM_VERSION);
  end_line(&h);
  tm_buf_puts(&h.line, "Auto-Submitted: auto-generated");
  end_line(&h);
  tm_buf_release(&h.line);
  if (h.failed) {
    curl_slist_free_all(h.list);
    return NULL;
  }
  return h.list;
}

/* --- the letter ------------------------------------------------------------------------------- */

static int add_parts(curl_mime *mime, const struct tm_letter *letter)
{
  for (size_t i = 0; i < letter->parts_len; i++) {
    const struct tm_mail_part *p = &letter->parts[i];
    curl_mimepart *part = curl_mime_addpart(mime);
    if (part == NULL || curl_mime_data(part, p->data, p->len) != CURLE_OK ||
        curl_mime_type(part, p->type) != CURLE_OK ||
        curl_mime_encoder(part, p->name == NULL ? "quoted-printable" : "base64") != CURLE_OK ||
        (p->name != NULL && curl_mime_filename(part, p->name) != CURLE_OK))
      return -ENOMEM;
  }
  return 0;
}

/* 5xx to the message itself refuses this letter; all else is the server's or the line's trouble. */
static enum tm_mail_result judge(struct tm_mailer *m, CURLcode rc, const char *why,
                                 struct tm_error *err)
{
  long code = 0;
  curl_easy_getinfo(m->curl, CURLINFO_RESPONSE_CODE, &code);
  if (rc == CURLE_OK)
    return TM_MAIL_SENT;
  tm_fail(err, rc == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO, "%s: %s", m->url,
          why[0] != '\0' ? why : curl_easy_strerror(rc));
  if (rc == CURLE_LOGIN_DENIED)
    return TM_MAIL_LOGIN;
  return rc == CURLE_WEIRD_SERVER_REPLY && code >= 550 && code <= 559 ? TM_MAIL_REFUSED
                                                                      : TM_MAIL_LATER;
}

enum tm_mail_result tm_mailer_send(struct tm_mailer *m, const struct tm_letter *letter,
                                   struct tm_error *err)
{
  char why[CURL_ERROR_SIZE] = "";
  if (!tm_mail_is_address(letter->to) ||
      (letter->reply_to != NULL && !tm_mail_is_address(letter->reply_to))) {
    tm_fail(err, -EINVAL, "not an address that mail could be sent to");
    return TM_MAIL_REFUSED;
  }
  enum tm_mail_result result = TM_MAIL_LATER;
  curl_mime *mime = curl_mime_init(m->curl);
  struct curl_slist *headers = make_headers(m, letter);
  struct curl_slist *to = curl_slist_append(NULL, letter->to);
  if (mime == NULL || headers == NULL || to == NULL || add_parts(mime, letter) < 0) {
    tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  curl_easy_setopt(m->curl, CURLOPT_MAIL_RCPT, to);
  curl_easy_setopt(m->curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(m->curl, CURLOPT_MIMEPOST, mime);
  curl_easy_setopt(m->curl, CURLOPT_ERRORBUFFER, why);
  result = judge(m, curl_easy_perform(m->curl), why, err);
  curl_easy_setopt(m->curl, CURLOPT_ERRORBUFFER, NULL);
  curl_easy_setopt(m->curl, CURLOPT_MIMEPOST, NULL);
  curl_easy_setopt(m->curl, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(m->curl, CURLOPT_MAIL_RCPT, NULL);
out:
  curl_mime_free(mime);
  curl_slist_free_all(headers);
  curl_slist_free_all(to);
  return result;
}
