/* SPDX-License-Identifier: MIT */
/* covers: common/mail.c */
/* Letters as they leave by SMTP, whatever stands in their fields: lines of the input are the step
 * at which the server fails, recipient, his name, reply-to, subject, and the rest is the text. What
 * the server gets has the headers that we set, each once, and no other, and goes to one recipient.
 */
#include "common/mail.h"
#include "tests/lib/fuzz_listen.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a server ------------------------------------------------------------------------------- */

enum { STEPS = 5, MESSAGE = 1 << 20 };
static struct {
  int listener;
  char url[64];
  _Atomic int fail_at; /* which answer is a failure; -1: none */
  const char *_Atomic failure;
  char message[MESSAGE];
  size_t len;
  int recipients;
} server;

/* False where it failed; who says what is no answer at all goes away, too. */
static bool say(int fd, int step, const char *good)
{
  const char *line = server.fail_at == step ? server.failure : good;
  bool sent = send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
  if (line != good && strchr("0123456789", *line) == NULL)
    shutdown(fd, SHUT_RDWR);
  return sent && line == good;
}

static bool take_message(FILE *in, char *line, size_t size)
{
  server.len = 0;
  while (fgets(line, (int)size, in) != NULL) {
    if (strcmp(line, ".\r\n") == 0)
      return true;
    size_t n = strlen(line);
    if (server.len + n < MESSAGE) {
      memcpy(server.message + server.len, line, n + 1);
      server.len += n;
    }
  }
  return false;
}

static void talk(int fd, FILE *in)
{
  static char line[70000];
  server.recipients = 0;
  say(fd, 0, "220 here\r\n");
  while (fgets(line, sizeof(line), in) != NULL) {
    if (strncasecmp(line, "EHLO", 4) == 0 || strncasecmp(line, "HELO", 4) == 0) {
      say(fd, 1, "250-here\r\n250 8BITMIME\r\n");
    } else if (strncasecmp(line, "MAIL", 4) == 0) {
      say(fd, 2, "250 ok\r\n");
    } else if (strncasecmp(line, "RCPT", 4) == 0) {
      server.recipients++;
      say(fd, 3, "250 ok\r\n");
    } else if (strncasecmp(line, "DATA", 4) == 0) {
      if (say(fd, 4, "354 go on\r\n") && take_message(in, line, sizeof(line)))
        say(fd, 5, "250 taken\r\n");
    } else {
      send(fd, "250 ok\r\n", 8, MSG_NOSIGNAL);
    }
  }
}

static void *serve(void *arg)
{
  (void)arg;
  for (;;) {
    int fd = fuzz_accept(server.listener);
    FILE *in = fdopen(fd, "r");
    if (in == NULL)
      abort();
    talk(fd, in);
    fclose(in);
  }
  return NULL;
}

static void start(void)
{
  int port = fuzz_listen(&server.listener, serve);
  snprintf(server.url, sizeof(server.url), "smtp://127.0.0.1:%d", port);
}

/* --- what it got ---------------------------------------------------------------------------- */

static void check_headers(bool reply_to)
{
  static const char *const known[] = {"Date",         "From",        "To",       "Reply-To",
                                      "Subject",      "Message-ID",  "X-Mailer", "Auto-Submitted",
                                      "Mime-Version", "Content-Type"};
  enum { KNOWN = sizeof(known) / sizeof(known[0]) };
  int seen[KNOWN] = {0};
  const char *end = strstr(server.message, "\r\n\r\n");
  assert(end != NULL && server.recipients == 1);
  for (const char *p = server.message; p < end; p = strstr(p, "\r\n") + 2) {
    size_t i = 0;
    if (*p == ' ' || *p == '\t')
      continue; /* goes on */
    while (i < KNOWN &&
           !(strncmp(p, known[i], strlen(known[i])) == 0 && p[strlen(known[i])] == ':'))
      i++;
    assert(i < KNOWN && ++seen[i] == 1);
  }
  for (size_t i = 0; i < KNOWN; i++)
    assert(seen[i] == 1 || (i == 3 && !reply_to));
  for (const char *p = server.message; p < end; p++)
    assert(*p == '\r' || *p == '\n' || *p == '\t' || (*p >= ' ' && *p <= '~'));
}

/* A field as a text of its own. */
static char *field(const char **p, const char *end)
{
  const char *stop = memchr(*p, '\n', (size_t)(end - *p));
  char *out = strndup(*p, (size_t)((stop != NULL ? stop : end) - *p));
  *p = stop != NULL ? stop + 1 : end;
  /* A vertical tab stands for a line break, so that an input can have one in a field. */
  for (char *c = out; c != NULL && *c != '\0'; c++)
    *c = *c == '\v' ? '\n' : *c == '\f' ? '\r' : *c;
  return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char *const failures[] = {"550 no such\r\n", "421 later\r\n", "535 who are you\r\n",
                                         "oops\r\n"};
  struct tm_mailer *mailer = NULL;
  struct tm_error err = {0};
  if (size == 0 || size > 60000)
    return 0;
  if (server.listener == 0)
    start();
  server.fail_at = data[0] % 8 < STEPS + 1 ? data[0] % 8 : -1;
  server.failure = failures[data[0] / 8 % 4];
  const char *p = (const char *)data + 1, *end = (const char *)data + size;
  char *to = field(&p, end), *name = field(&p, end), *reply = field(&p, end);
  char *subject = field(&p, end);
  const struct tm_mail_part parts[] = {
      {NULL, "text/plain; charset=utf-8", p, (size_t)(end - p)},
      {"summary.json", "application/json", data, size},
  };
  const struct tm_letter letter = {.to = to,
                                   .to_name = name,
                                   .reply_to = reply[0] != '\0' ? reply : NULL,
                                   .subject = subject,
                                   .message_id = "key@tidemark",
                                   .date = 1795133100,
                                   .parts = parts,
                                   .parts_len = 2};
  const struct tm_mailer_settings settings = {.url = server.url,
                                              .from = data[0] & 128 ? to : "desk@example.com",
                                              .user = data[0] & 64 ? "user" : NULL,
                                              .password = "word",
                                              .timeout_s = 20};
  if (tm_mailer_open(&mailer, &settings, &err) == 0) {
    enum tm_mail_result result = tm_mailer_send(mailer, &letter, &err);
    assert(result == TM_MAIL_SENT || err.text[0] != '\0');
    if (result == TM_MAIL_SENT) {
      assert(tm_mail_is_address(to) && (reply[0] == '\0' || tm_mail_is_address(reply)));
      check_headers(reply[0] != '\0');
    }
    tm_mailer_close(mailer);
  } else {
    assert(!tm_mail_is_address(settings.from) && err.text[0] != '\0');
  }
  free(to);
  free(name);
  free(reply);
  free(subject);
  return 0;
}
