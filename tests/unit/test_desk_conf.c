/* SPDX-License-Identifier: MIT */
#include "contrib/desk/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int parse(struct desk_conf *conf, const char *text, struct tm_error *err)
{
  return desk_conf_parse(conf, text, strlen(text), "desk.conf", err);
}

static void an_empty_file_is_a_desk_on_this_machine(void **state)
{
  (void)state;
  struct desk_conf conf;
  struct tm_error err = {0};
  assert_int_equal(parse(&conf, "", &err), 0);
  assert_string_equal(conf.listen, "127.0.0.1:8080");
  assert_string_equal(conf.database, "sqlite:/var/lib/tidemark-desk/desk.db");
  assert_null(conf.public_url);
  assert_null(conf.admin_listen);
  assert_false(conf.https);
  assert_false(conf.demonstration);
  assert_int_equal(conf.limits.idle_s, 1800);
  assert_int_equal(conf.limits.total_s, 43200);
  desk_conf_release(&conf);
}

static void what_is_said_is_taken(void **state)
{
  (void)state;
  struct desk_conf conf;
  struct tm_error err = {0};
  assert_int_equal(parse(&conf,
                         "listen = \"0.0.0.0:80\" public_url = \"https://desk.example.com\"\n"
                         "trusted_proxies = { \"10.0.0.0/8\", \"::1\" }\n"
                         "limits { workers = \"4\" session_idle = \"10m\" }\n"
                         "mail { url = \"smtp://127.0.0.1:25\" from = \"desk@example.com\" }\n"
                         "factory { backend = \"tryton\" url = \"https://erp.example.com/x\"\n"
                         "  user = \"tidemark\" password_file = \"/etc/erp\" }\n"
                         "retention { audit = \"90d\" }\n",
                         &err),
                   0);
  assert_true(conf.https);
  assert_int_equal(conf.trusted_len, 2);
  assert_int_equal(conf.limits.workers, 4);
  assert_int_equal(conf.limits.idle_s, 600);
  assert_true(conf.factory.tryton);
  assert_int_equal(conf.retention.audit_s, 90 * 86400);
  desk_conf_release(&conf);
}

static void what_cannot_be_is_refused_with_its_line(void **state)
{
  (void)state;
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"lisen = \"x\"", "desk.conf:1: no such key 'lisen'; did you mean 'listen'?"},
      {"zzzzzz = \"x\"", "desk.conf:1: no such key 'zzzzzz'; see desk.conf(5)"},
      {"\nlisten = \"desk:80\"", "desk.conf:2: listen: 'desk:80': a loopback address"},
      {"listen = \"0.0.0.0:80\"", "a proxy must speak TLS"},
      {"listen = \"[::]:80\"", "a proxy must speak TLS"},
      {"listen = \"0.0.0.0:80\"\npublic_url = \"http://127.0.0.1\"", "a proxy must speak TLS"},
      {"public_url = \"http://desk.example.com\"", "public_url: https is wanted"},
      {"public_url = \"https://desk.example.com/\"", "without a path"},
      {"public_url = \"https://a:b@desk.example.com\"", "without a user or password"},
      {"trusted_proxies = { \"10.0.0.0/8\", \"proxy\" }", "trusted_proxies: 'proxy': an address"},
      {"listen = \"127.0.0.1:80\"\nadmin_listen = \"127.0.0.1:80\"", "desk.conf:2: admin_listen"},
      {"mail { url = \"smtp://127.0.0.1\" }", "from: an address is wanted"},
      {"mail { url = \"smtp://127.0.0.1\" from = \"a@b\" team = \"us\" }\n"
       "public_url = \"https://desk.example.com\"",
       "mail: team: an address is wanted"},
      {"mail { url = \"https://x\" from = \"a@b\" }", "smtp:// or smtps://"},
      {"mail { url = \"smtp://127.0.0.1\" from = \"a@b\" }", "public_url is wanted"},
      {"factory { backend = \"trytn\" }", "did you mean 'tryton'?"},
      {"factory { backend = \"tryton\" }", "tryton wants url"},
      {"limits { workers = \"1\" }", "workers: '1' is out of range: 2 to 64"},
      {"limits { session = \"30d\" }", "out of range"},
      {"limits {", "ends inside a block"},
      {"vendor = \"${HOME}\"", "there are no variables"},
      {"target x { }", "no such key 'target'"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct desk_conf conf;
    struct tm_error err = {0};
    int rc = parse(&conf, cases[i].text, &err);
    if (rc != -EINVAL || strstr(err.text, cases[i].want) == NULL)
      fail_msg("%s\n got: %d %s\nwant: %s", cases[i].text, rc, err.text, cases[i].want);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_file_is_a_desk_on_this_machine),
      cmocka_unit_test(what_is_said_is_taken),
      cmocka_unit_test(what_cannot_be_is_refused_with_its_line),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_conf", tests, NULL, NULL);
}
