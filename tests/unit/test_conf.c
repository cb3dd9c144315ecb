/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/conf.h"
#include "common/file.h"

#include <errno.h>
#include <stdio.h>

static int parse(struct tm_conf *conf, const char *text, struct tm_error *err)
{
  return tm_conf_parse(conf, text, strlen(text), "t.conf", err);
}

/* The table of the rules and the keys of the block are one. */
static void every_threshold_of_the_rules_can_be_set(void **state)
{
  (void)state;
  for (const struct rule_threshold *t = rule_threshold_rows; t->name != NULL; t++) {
    char text[200];
    struct tm_conf c;
    struct tm_error err = {0};
    snprintf(text, sizeof(text), "recommend { %s = %.10g }\n", t->name, t->max);
    if (parse(&c, text, &err) != 0)
      fail_msg("%s: %s", text, err.text);
    assert_true(*(double *)((char *)&c.recommend + t->offset) == t->max);
    tm_conf_release(&c);
    snprintf(text, sizeof(text), "\nrecommend { %s = %.10g }\n", t->name, t->max + 1);
    assert_int_equal(parse(&c, text, &err), -EINVAL);
    assert_non_null(strstr(err.text, "t.conf:2: "));
    tm_conf_release(&c);
    assert_int_equal(parse(&c, "", &err), 0);
    assert_true(*(double *)((char *)&c.recommend + t->offset) == t->initial);
    tm_conf_release(&c);
  }
}

/* The page names each of them with the value that holds when nothing is set. */
static void every_threshold_stands_in_the_page(void **state)
{
  (void)state;
  const char *source = getenv("SOURCE");
  char path[512];
  struct tm_buf page = TM_BUF_INIT(1 << 20);
  struct tm_error err = {0};
  snprintf(path, sizeof(path), "%s/exporters/tidemark.conf.5", source != NULL ? source : ".");
  if (tm_file_read(path, &page, &err) != 0)
    fail_msg("%s", err.text);
  for (const struct rule_threshold *t = rule_threshold_rows; t->name != NULL; t++) {
    char item[128];
    snprintf(item, sizeof(item), ".It Ic %s\n(%g)\n", t->name, t->initial);
    if (strstr(page.ptr, item) == NULL)
      fail_msg("no \"%s\" in the page", item);
  }
  tm_buf_release(&page);
}

static void the_documented_shape_is_understood(void **state)
{
  (void)state;
  static const char text[] =
      "role = \"site\"   # or \"vendor\"\n"
      "customer { id = \"C-1001\"  name = \"Example KK\" }\n"
      "site     { name = \"osaka-1\"  timezone = \"Asia/Tokyo\" }\n"
      "paths    { data = \"/d/rrd\"  state = \"/d/state\"  spool = \"/d/spool\" }\n"
      "catalogue = \"/d/catalogue.json\"\n"
      "products  = \"/d/products.d\"\n"
      "schedule { every = \"7d\" }\n"
      "target crm  { type = \"webhook\"  url = \"https://desk.example.com/api/v1/events\"\n"
      "  token_file = \"/k/t\"  secret_file = \"/k/s\"  purposes = { \"sales\", \"service\" }\n"
      "  poll = \"1h\" }\n"
      "target box  { type = \"file\"  directory = \"/srv/outbox\"  secret_file = \"/k/s\"\n"
      "  purposes = { \"sales\" } }\n"
      "target post { type = \"smtp\"  url = \"smtp://mail.example.com:587\"  from = \"a@b\"\n"
      "  to = \"c@d\"  secret_file = \"/k/s\"  purposes = { \"sales\" } }\n";
  struct tm_conf c;
  struct tm_error err = {0};
  int rc = parse(&c, text, &err);
  assert_string_equal(err.text, "");
  assert_int_equal(rc, 0);
  assert_int_equal(c.role, TM_ROLE_SITE);
  assert_string_equal(c.customer_id, "C-1001");
  assert_string_equal(c.site, "osaka-1");
  assert_string_equal(c.timezone, "Asia/Tokyo");
  assert_string_equal(c.spool_dir, "/d/spool");
  assert_int_equal(c.schedule.days, 7);
  assert_int_equal(c.targets_len, 3);
  assert_int_equal(c.targets[0].purposes, TM_PURPOSE_SALES | TM_PURPOSE_SERVICE);
  assert_int_equal(c.targets[0].poll_s, 3600);
  assert_int_equal(c.targets[1].type, TM_TARGET_FILE);
  assert_string_equal(c.targets[1].directory, "/srv/outbox");
  assert_true(c.targets[2].starttls);
  assert_ptr_equal(tm_conf_target(&c, "box", NULL), &c.targets[1]);
  assert_null(tm_conf_target(&c, "bix", &err));
  assert_string_equal(err.text, "no such target 'bix'; did you mean 'box'?");
  assert_int_equal(tm_conf_need_identity(&c, &err), 0);
  tm_conf_release(&c);
  tm_conf_release(&c);
}

#define HOOK "type=\"webhook\" url=\"https://a.example/x\" secret_file=\"/s\" "

static const struct {
  const char *text;
  const char *message;
} refused[] = {
    {"role = \"site\"\ncatalog = \"/x\"\n",
     "t.conf:2: no such key 'catalog'; did you mean 'catalogue'?"},
    {"# a\nrole = \"site\" # b\n// c\n/* d\n e */ catalog = \"/x\"",
     "t.conf:5: no such key 'catalog'; did you mean 'catalogue'?"},
    {"# a\ncustomer { name = \"# \\\"// /* b\" } // c\nsite { timezone = \"\" }",
     "t.conf:3: timezone: 1 to 1024 characters of printable UTF-8 are wanted"},
    {"# a\ncatalog = \"/x\"", "t.conf:2: no such key 'catalog'; did you mean 'catalogue'?"},
    {"\n/* a\n", "t.conf:2: the comment does not end"},
    {"site { name = \"a\n", "t.conf:2: the file ends inside a block, a list or a value"},
    {"site { nam = \"x\" }", "t.conf:1: no such key 'nam'; did you mean 'name'?"},
    {"targt crm { }", "t.conf:1: no such key 'targt'; did you mean 'target'?"},
    {"quux = 1", "t.conf:1: no such key 'quux'; see tidemark.conf(5)"},
    {"role = \"sitee\"", "t.conf:1: role: 'sitee': 'site' or 'vendor' is wanted; did you mean "
                         "'site'?"},
    {"site { name = \"${HOME}\" }", "t.conf:1: '${' is not accepted: there are no variables"},
    {"\n\nsite {\n timezone = \"\"\n}\n",
     "t.conf:4: timezone: 1 to 1024 characters of printable UTF-8 are wanted"},
    {"site {\n timezone = \"Asia/Tokio\"\n}\n",
     "t.conf:2: timezone: 'Asia/Tokio': no such zone on this system (package tzdata)"},
    {"paths { state = \"rel\" }", "t.conf:1: state: 'rel': a path from the root is wanted"},
    {"customer { id = \"../x\" }",
     "t.conf:1: id: '../x': at most 64 letters, digits, '.', '_' and '-' are wanted, not beginning "
     "with '.'"},
    {"schedule { every = \"7d\" monthday = 1 }",
     "t.conf:1: schedule: only one of every, monthday and weekday can hold"},
    {"schedule { every = \"36h\" }",
     "t.conf:1: every: '36h': whole days such as \"7d\" are wanted"},
    {"schedule { monthday = 32 }",
     "t.conf:1: monthday: '32': a day of the month, 1 to 31, is wanted"},
    {"schedule { weekday = \"mond\" }", "t.conf:1: weekday: 'mond': 'sun', 'mon', 'tue', 'wed', "
                                        "'thu', 'fri' or 'sat' is wanted; did you mean 'mon'?"},
    {"schedule { at = \"24:00\" }",
     "t.conf:1: at: '24:00': a time of day such as \"02:30\" is wanted"},
    {"schedule { quiet = \"8-18\" }",
     "t.conf:1: quiet: '8-18': hours such as \"08:00-18:00\" are wanted"},
    {"spool { expire = \"soon\" }", "t.conf:1: expire: 'soon': a value such as \"90s\", \"15m\", "
                                    "\"1h\" or \"7d\" is wanted"},
    {"spool { items = 0 }", "t.conf:1: items: '0' is out of range: 1 to 10000000"},
    {"target crm { " HOOK "}",
     "t.conf:1: target crm: purposes is required: what this target may be told for"},
    {"target crm { " HOOK "purposes = {} }",
     "t.conf:1: target crm: purposes is required: what this target may be told for"},
    {"target crm { " HOOK "purposes = {\"sale\"} }",
     "t.conf:1: target crm: purposes: 'sale': sales, factory, service and comparison are known; "
     "did you mean 'sales'?"},
    {"target crm { type=\"webhook\" url=\"https://a/\" purposes={\"sales\"} }",
     "t.conf:1: target crm: secret_file is required for a target of type webhook"},
    {"target crm { purposes = {\"sales\"} }",
     "t.conf:1: target crm: type is required: webhook, file, smtp or tryton"},
    {"target crm {\n" HOOK "purposes={\"sales\"}\n directory = \"/x\"\n}\n",
     "t.conf:3: target crm: directory means nothing to a target of type webhook"},
    {"target crm {\n" HOOK "\n purposes={\"sales\"}\n url = \"http://192.0.2.1/x\"\n}\n",
     "t.conf:4: target crm: url: plain http is accepted for a loopback address only"},
    {"target crm { " HOOK "purposes={\"sales\"} url=\"http://127.0.0.1.example.com/\" }",
     "t.conf:1: target crm: url: plain http is accepted for a loopback address only"},
    {"target crm { " HOOK "purposes={\"sales\"} url=\"http://localhost@192.0.2.1/\" }",
     "t.conf:1: target crm: url: SCHEME://HOST[:PORT][/PATH] without a user or password is wanted"},
    {"target crm { " HOOK "purposes={\"sales\"} url=\"file:///etc/passwd\" }",
     "t.conf:1: target crm: url: SCHEME://HOST[:PORT][/PATH] without a user or password is wanted"},
    {"target crm { " HOOK "purposes={\"sales\"} url=\"ftp://a/b\" }",
     "t.conf:1: target crm: url: 'ftp://a/b': https:// is wanted"},
    {"target crm { " HOOK "purposes={\"sales\"} client_cert_file=\"/c\" }",
     "t.conf:1: target crm: client_cert_file and client_key_file belong together"},
    {"target post { type=\"smtp\" url=\"smtp://m.example\" from=\"a@b\" to=\"c@d\" "
     "secret_file=\"/s\" purposes={\"sales\"} starttls=\"no\" }",
     "t.conf:1: target post: starttls = no is accepted for a loopback address only"},
    {"target erp { type=\"tryton\" url=\"https://e/db/\" user=\"u\" password_file=\"/p\" "
     "purposes={\"sales\"} }",
     "t.conf:1: target erp: type tryton is for role \"vendor\" only"},
    {"target \"a/b\" { " HOOK "purposes={\"sales\"} }",
     "t.conf:1: target a/b: the name takes letters, digits, '.', '_' and '-' only, at most 64"},
    {"target a { " HOOK "purposes={\"sales\"} }\ntarget a { " HOOK "purposes={\"sales\"} }",
     "t.conf:2: found duplicate title 'a'"},
    {"role = \"si", "t.conf:1: the file ends inside a block, a list or a value"},
    {"site { name = \"a\" }\"\nspool { items = 5 }\ncatalog = 1\n",
     "t.conf:4: the file ends inside a block, a list or a value"},
    {"site { name = \"a\"", "t.conf:1: the file ends inside a block, a list or a value"},
    {"target a { " HOOK "purposes={\"sales\"",
     "t.conf:1: the file ends inside a block, a list or a value"},
    {"role =", "t.conf:1: the file ends inside a block, a list or a value"},
    {"role = site }", "t.conf:1: unexpected closing brace"},
};

static void what_is_wrong_is_named_with_its_line(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    struct tm_conf c = {0};
    struct tm_error err = {0};
    int rc = parse(&c, refused[i].text, &err);
    if (rc == 0 || strcmp(err.text, refused[i].message) != 0)
      print_message("# text %s\n# want %s\n# got  %s\n", refused[i].text, refused[i].message,
                    err.text);
    assert_string_equal(err.text, refused[i].message);
    assert_true(rc < 0);
    assert_null(c.own);
  }
  struct tm_conf c = {0};
  struct tm_error err = {0};
  assert_true(tm_conf_parse(&c, "a\0b", 3, "t.conf", &err) < 0);
  assert_string_equal(err.text, "t.conf:1: holds a NUL character");
}

static void a_source_is_for_the_vendor(void **state)
{
  static const char source[] = "source x { directory = \"/d\" secret_file = \"/s\" customer = "
                               "\"C-1\" site = \"s\" }\n";
  static const char vendor[] = "role = \"vendor\"\n";
  struct tm_conf c;
  struct tm_error err = {0};
  char text[512];
  (void)state;
  assert_int_equal(parse(&c, source, &err), -EINVAL);
  assert_string_equal(err.text, "t.conf:1: source x: a source is for role \"vendor\" only");
  snprintf(text, sizeof(text), "%s%s", vendor, source);
  assert_int_equal(parse(&c, text, &err), 0);
  assert_int_equal(c.sources_len, 1);
  assert_string_equal(c.sources[0].customer, "C-1");
  assert_null(c.sources[0].old_secret_file);
  tm_conf_release(&c);
  snprintf(text, sizeof(text),
           "%ssource x { directory = \"/d\" customer = \"C-1\" site = \"s\" }\n", vendor);
  assert_int_equal(parse(&c, text, &err), -EINVAL);
  assert_string_equal(err.text, "t.conf:2: source x: secret_file is required");
  snprintf(text, sizeof(text), "%s%s%s", vendor, source, source);
  assert_int_equal(parse(&c, text, &err), -EINVAL);
}

static void tryton_is_for_the_vendor(void **state)
{
  (void)state;
  struct tm_conf c;
  struct tm_error err = {0};
  int rc = parse(&c,
                 "role = \"vendor\"\ntarget erp { type=\"tryton\" url=\"http://127.0.0.1:8000/db/\""
                 " user=\"u\" password_file=\"/p\" purposes={\"sales\",\"factory\"} }",
                 &err);
  assert_string_equal(err.text, "");
  assert_int_equal(rc, 0);
  assert_int_equal(c.role, TM_ROLE_VENDOR);
  assert_int_equal(tm_conf_need_identity(&c, &err), -EINVAL);
  assert_string_equal(err.text, "t.conf: customer { id } is required for this");
  tm_conf_release(&c);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
  assert_int_equal(tm_file_write(path, text, strlen(text), mode, NULL), 0);
}

static void further_files_follow_in_order_and_are_named(void **state)
{
  const char *dir = *state;
  char path[256], folder[300], further[320];
  struct tm_conf c;
  struct tm_error err = {0};
  snprintf(path, sizeof(path), "%s/tidemark.conf", dir);
  snprintf(folder, sizeof(folder), "%s.d", path);
  assert_int_equal(mkdir(folder, 0700), 0);
  write_text(path, "site { name = \"a\" timezone = \"UTC\" }\n", 0644);
  snprintf(further, sizeof(further), "%s/20.conf", folder);
  write_text(further, "site { name = \"c\" }\n", 0644);
  snprintf(further, sizeof(further), "%s/10.conf", folder);
  write_text(further, "site { name = \"b\" }\n", 0644);
  snprintf(further, sizeof(further), "%s/30.conf.old", folder);
  write_text(further, "nonsense", 0644);
  assert_int_equal(tm_conf_load(&c, path, &err), 0);
  assert_string_equal(c.site, "c");
  assert_string_equal(c.timezone, "UTC");
  tm_conf_release(&c);
  snprintf(further, sizeof(further), "%s/20.conf", folder);
  write_text(further, "\nsite { name = \"\" }\n", 0644);
  assert_true(tm_conf_load(&c, path, &err) < 0);
  char want[512];
  snprintf(want, sizeof(want), "%s:2: name: 1 to 1024 characters of printable UTF-8 are wanted",
           further);
  assert_string_equal(err.text, want);
  snprintf(path, sizeof(path), "%s/absent.conf", dir);
  assert_int_equal(tm_conf_load(&c, path, &err), -EINVAL);
}

static void secrets_of_others_hands_are_refused(void **state)
{
  const char *dir = *state;
  char path[256];
  struct tm_error err = {0};
  struct tm_buf b = {.max = 4096};
  snprintf(path, sizeof(path), "%s/secret", dir);
  write_text(path, "whsec_abc\nrest\n", 0644);
  assert_int_equal(tm_secret_read(path, &b, &err), -EPERM);
  assert_non_null(strstr(err.text, "its mode is 0644"));
  chmod(path, 0660);
  assert_int_equal(tm_secret_read(path, &b, &err), -EPERM);
  chmod(path, 0640);
  assert_int_equal(tm_secret_read(path, &b, &err), 0);
  assert_string_equal(b.ptr, "whsec_abc");
  write_text(path, "\n", 0600);
  assert_int_equal(tm_secret_read(path, &b, &err), -EINVAL);
  tm_buf_release(&b);
}

static void only_this_machine_is_loopback(void **state)
{
  (void)state;
  static const struct {
    const char *url;
    bool is;
  } rows[] = {
      {"http://localhost/", true},
      {"http://localhost:80", true},
      {"http://127.0.0.1:8080/x", true},
      {"http://127.1.2.3", true},
      {"http://[::1]:80/", true},
      {"http://[::1]", true},
      {"http://127.0.0.1.a.b/", false},
      {"http://127.example.com/", false},
      {"http://127.0.0.999/", false},
      {"http://localhost.a.b/", false},
      {"http://[::2]/", false},
      {"http://[::1/", false},
      {"http://a@127.0.0.1/", false},
      {"http://127.0.0.1@evil/", false},
      {"127.0.0.1", false},
      {"http:///", false},
      {"http://2130706433/", false},
      {"http://localhost?@evil/", true}, /* the host ends at '?' for libcurl too */
      {"http://127.0.0.1#@evil/", true},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (tm_url_is_loopback(rows[i].url) != rows[i].is)
      fail_msg("%s", rows[i].url);
  }
}

static int make_dir(void **state)
{
  static char dir[] = "/tmp/test_conf.XXXXXX";
  *state = mkdtemp(dir);
  return *state == NULL;
}

static int remove_dir(void **state)
{
  char command[128];
  snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
  return system(command);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_threshold_of_the_rules_can_be_set),
      cmocka_unit_test(every_threshold_stands_in_the_page),
      cmocka_unit_test(the_documented_shape_is_understood),
      cmocka_unit_test(what_is_wrong_is_named_with_its_line),
      cmocka_unit_test(a_source_is_for_the_vendor),
      cmocka_unit_test(tryton_is_for_the_vendor),
      cmocka_unit_test(further_files_follow_in_order_and_are_named),
      cmocka_unit_test(secrets_of_others_hands_are_refused),
      cmocka_unit_test(only_this_machine_is_loopback),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
