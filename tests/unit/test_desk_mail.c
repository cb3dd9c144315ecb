/* SPDX-License-Identifier: MIT */
/* Letters: one of a key, words from a template, nothing from outside in a header. */
#include "contrib/desk/mail/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/lib/store.h"

static struct desk_conf conf = {.vendor = "Example Storage",
                                .public_url = "https://desk.example.com"};
static struct desk desk = {.conf = &conf};

struct putting {
  struct mail mail;
  int rc;
};

static int put(struct db *db, void *arg, struct tm_error *err)
{
  struct putting *p = arg;
  return mail_put(db, &desk, &p->mail, 1000, err);
}

static int put_mail(const struct mail *mail)
{
  struct tm_error err = {0};
  struct putting p = {.mail = *mail};
  return store_write(test_store, &db_everyone, put, &p, &err);
}

static int setup(void **state)
{
  static const char text[] =
      "Subject: {{vendor}} {{name}}\n\nDear {{name}},\n{{text}}\n{{desk.url}}\n";
  struct tm_error err = {0};
  desk.templates = templates_new();
  if (test_store_open(state) != 0 ||
      templates_add(desk.templates, "mail-test.txt", text, sizeof(text) - 1, &err) != 0 ||
      templates_add(desk.templates, "mail-headless.txt", "no head", 7, &err) != 0 ||
      templates_link(desk.templates, &err) != 0)
    return -1;
  return 0;
}

static int teardown(void **state)
{
  templates_free(desk.templates);
  return test_store_close(state);
}

static void one_letter_of_a_key_is_made(void **state)
{
  (void)state;
  const struct tm_mail_part part = {"chart.png", "image/png", "\x89PNG", 4};
  json_t *model = json_pack("{s:s, s:s}", "name", "A. Sat\xc5\x8d", "text", "1 < 2 & so on");
  const struct mail mail = {.key = "late/1",
                            .customer = "C-1001",
                            .to = "sato@example.com",
                            .page = "mail-test.txt",
                            .model = model,
                            .parts = &part,
                            .parts_len = 1};
  assert_int_equal(put_mail(&mail), 0);
  assert_int_equal(put_mail(&mail), 0);
  assert_rows("SELECT subject, text, due_at, tries FROM letters",
              "[{\"subject\":\" A. Sat\xc5\x8d\",\"text\":\"Dear A. Sat\xc5\x8d,\\n1 < 2 & so on\\n"
              "https://desk.example.com\\n\",\"due_at\":1000,\"tries\":0}]");
  assert_rows("SELECT COUNT(*) AS n FROM letter_parts", "[{\"n\":1}]");
  json_decref(model);
}

static void a_name_becomes_no_header(void **state)
{
  (void)state;
  json_t *model =
      json_pack("{s:s, s:s}", "name", "x\r\nBcc: all@example.com\r\n\r\nhello", "text", "t");
  struct mail mail = {
      .key = "late/2", .to = "a@example.com", .page = "mail-test.txt", .model = model};
  assert_int_equal(put_mail(&mail), 0);
  assert_rows("SELECT subject FROM letters WHERE key = 'late/2'",
              "[{\"subject\":\" x  Bcc: all@example.com    hello\"}]");
  mail.key = "late/3";
  mail.to = "a@example.com\r\nBcc: b@example.com";
  assert_int_equal(put_mail(&mail), -EINVAL);
  mail.to = "a@example.com";
  mail.reply_to = "b@c> x";
  assert_int_equal(put_mail(&mail), -EINVAL);
  mail.reply_to = NULL;
  mail.page = "mail-headless.txt";
  assert_int_equal(put_mail(&mail), -EINVAL);
  assert_rows("SELECT COUNT(*) AS n FROM letters WHERE key = 'late/3'", "[{\"n\":0}]");
  json_decref(model);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_letter_of_a_key_is_made),
      cmocka_unit_test(a_name_becomes_no_header),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_mail", tests, setup, teardown);
}
