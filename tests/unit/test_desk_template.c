/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/template.h"

#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795143900 /* 2026-11-20 03:05:00 UTC */

/* Renders a text as x.html or x.txt with a model; the caller releases. */
static int render(const char *name, const char *text, const char *model, struct tm_buf *out,
                  struct tm_error *err)
{
  struct template_clock clock = {.now = NOW};
  struct templates *t = templates_new();
  json_t *values = tm_json_parse(model, strlen(model), "model", err);
  assert_non_null(values);
  int rc = templates_add(t, "part.html", "<i>{{p}}</i>", 12, err);
  if (rc == 0)
    rc = templates_add(t, name, text, strlen(text), err);
  if (rc == 0)
    rc = templates_link(t, err);
  if (rc == 0)
    rc = template_render(t, name, values, &clock, out, err);
  json_decref(values);
  templates_free(t);
  return rc;
}

struct rendered {
  const char *text, *model, *want;
};

static void check(const char *name, const struct rendered *cases, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    struct tm_buf out = TM_BUF_INIT(1 << 16);
    struct tm_error err = {0};
    int rc = render(name, cases[i].text, cases[i].model, &out, &err);
    if (rc < 0 || strcmp(out.ptr != NULL ? out.ptr : "", cases[i].want) != 0)
      fail_msg("%s with %s\n got: %s\nwant: %s", cases[i].text, cases[i].model,
               rc < 0 ? err.text : out.ptr, cases[i].want);
    tm_buf_release(&out);
  }
}
#define CHECK(name, cases) check(name, cases, sizeof(cases) / sizeof((cases)[0]))

static void values_are_escaped(void **state)
{
  (void)state;
  static const struct rendered cases[] = {
      {"<p>{{x}}</p>", "{\"x\": \"<script>'&\\\"\"}", "<p>&lt;script&gt;&#39;&amp;&quot;</p>"},
      {"<p title=\"{{x}}\">", "{\"x\": \"\\\" onclick=\\\"a()\"}",
       "<p title=\"&quot; onclick=&quot;a()\">"},
      {"{{x}}", "{\"x\": \"a\\u0007b\\nc\"}", "a b\nc"},
      {"{{x}}", "{\"x\": 7}", "7"},
      {"{{x}}", "{\"x\": 0.25}", "0.25"},
      {"{{x}}{{y}}", "{\"x\": null}", ""},
      {"{{ a.b.c }}", "{\"a\": {\"b\": {\"c\": \"deep\"}}}", "deep"},
      {"{{a.b}}", "{\"a\": 1}", ""},
      {"{{x}}", "{\"x\": \"日本\"}", "日本"},
  };
  CHECK("x.html", cases);
}

static void sections_follow_the_model(void **state)
{
  (void)state;
  static const struct rendered cases[] = {
      {"{{#l}}<li>{{n}}{{/l}}", "{\"l\": [{\"n\": 1}, {\"n\": 2}]}", "<li>1<li>2"},
      {"{{#l}}{{.}},{{/l}}", "{\"l\": [\"a\", \"b\"]}", "a,b,"},
      {"{{#l}}{{o}}{{/l}}", "{\"l\": [{}, {\"o\": \"in\"}], \"o\": \"out\"}", "outin"},
      {"{{#o}}{{n}}{{/o}}", "{\"o\": {\"n\": 3}}", "3"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\": true}", "yes"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\": false}", "no"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\": []}", "no"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\": \"\"}", "no"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\": null}", "no"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{}", "no"},
      {"{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\": 0}", "yes"},
      {"{{#t}}{{/t}}-", "{\"t\": 1}", "-"},
      {"<option{{#c}} selected{{/c}}>", "{\"c\": true}", "<option selected>"},
      {"<td class=\"n{{#c}} late{{/c}}\">", "{\"c\": true}", "<td class=\"n late\">"},
      {"a\n  {{#t}}\nb\n  {{/t}}\nc\n", "{\"t\": true}", "a\nb\nc\n"},
      {"a {{! remark }}b", "{}", "a b"},
      {"a\n{{! remark }}\nb", "{}", "a\nb"},
      {"{{>part}}{{#l}}{{>part}}{{/l}}", "{\"p\": 1, \"l\": [{\"p\": 2}]}", "<i>1</i><i>2</i>"},
  };
  CHECK("x.html", cases);
}

static void formats_are_what_people_read(void **state)
{
  (void)state;
  static const struct rendered cases[] = {
      {"{{x|bytes}}", "{\"x\": 107314016052838}", "97.6\u00a0TiB"},
      {"{{x|tib}}", "{\"x\": 107314016052838}", "97.6"},
      {"{{x|tib}}", "{\"x\": 131941395333120}", "120"},
      {"{{x|tib}}", "{\"x\": 318901506048}", "0.29"},
      {"{{x|tib}}", "{\"x\": -318901506048}", "\u22120.29"},
      {"{{x|count}}", "{\"x\": 48210}", "48,210"},
      {"{{x|count}}", "{\"x\": 1234567}", "1,234,567"},
      {"{{x|count}}", "{\"x\": -999}", "\u2212999"},
      {"{{x|count}}", "{\"x\": 4.5}", "4.50"},
      {"{{x|count}}", "{\"x\": 48210.4}", "48,210"},
      {"{{x|money}}", "{\"x\": {\"amount\": \"9720000\", \"currency\": \"JPY\"}}",
       "¥\u00a09,720,000"},
      {"{{x|money}}", "{\"x\": {\"amount\": \"1234.50\", \"currency\": \"CHF\"}}",
       "CHF\u00a01,234.50"},
      {"{{x|money}}", "{\"x\": {\"amount\": \"12;3\", \"currency\": \"JPY\"}}", "unknown"},
      {"{{x|share}}", "{\"x\": 0.813}", "81\u00a0%"},
      {"{{x|share}}", "{\"x\": 0.001}", "under 1\u00a0%"},
      {"{{x|share}}", "{\"x\": 0.999}", "over 99\u00a0%"},
      {"{{x|share}}", "{\"x\": 1}", "100\u00a0%"},
      {"{{x|day}}", "{\"x\": 20777}", "2026-11-20"},
      {"{{x|day}}", "{\"x\": \"2026-11-20\"}", "2026-11-20"},
      {"{{x|date}}", "{\"x\": 1795143900}", "2026-11-20"},
      {"{{x|date}}", "{\"x\": 1795186800}", "2026-11-21"},
      {"{{x|time}}", "{\"x\": 1795143900}", "2026-11-20 12:05\u00a0JST"},
      {"{{x|time}}", "{\"x\": \"2026-11-20T00:05:00Z\"}", "2026-11-20 09:05\u00a0JST"},
      {"{{x|iso}}", "{\"x\": 1795143900}", "2026-11-20T12:05:00+09:00"},
      {"{{x|ago}}", "{\"x\": 1795143890}", "just now"},
      {"{{x|ago}}", "{\"x\": 1795143840}", "1\u00a0minute ago"},
      {"{{x|ago}}", "{\"x\": 1795136700}", "2\u00a0hours ago"},
      {"{{x|ago}}", "{\"x\": 1794884700}", "3\u00a0days ago"},
      {"{{x|in}}", "{\"x\": \"2026-12-03\"}", "in 13\u00a0days"},
      {"{{x|in}}", "{\"x\": \"2026-11-20\"}", "today"},
      {"{{x|in}}", "{\"x\": \"2026-11-21\"}", "tomorrow"},
      {"{{x|in}}", "{\"x\": \"2026-11-17\"}", "3\u00a0days ago"},
      {"{{x|url}}", "{\"x\": \"a/b c?é\"}", "a%2Fb%20c%3F%C3%A9"},
      {"{{x|bytes}} {{x|count}} {{x|time}} {{x|in}} {{x|money}}", "{}",
       "unknown unknown unknown unknown unknown"},
      {"{{x|share}} {{x|day}}", "{\"x\": \"soon\"}", "unknown unknown"},
  };
  CHECK("x.html", cases);
}

static void an_address_from_a_value_leads_nowhere_else(void **state)
{
  (void)state;
  static const struct rendered cases[] = {
      {"<a href=\"{{u}}\">", "{\"u\": \"/devices/7\"}", "<a href=\"/devices/7\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \"#a\"}", "<a href=\"#a\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \"?page=2\"}", "<a href=\"?page=2\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \"https://example.com/\"}",
       "<a href=\"https://example.com/\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \"javascript:alert(1)\"}", "<a href=\"#\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \" javascript:alert(1)\"}", "<a href=\"#\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \"//evil.example\"}", "<a href=\"#\">"},
      {"<a href=\"{{u}}\">", "{\"u\": \"/\\\\evil.example\"}", "<a href=\"#\">"},
      {"<a href=\"{{a}}{{u}}\">", "{\"u\": \"data:text/html,x\"}", "<a href=\"#\">"},
      {"<form action=\"{{u}}\">", "{\"u\": \"vbscript:x\"}", "<form action=\"#\">"},
      {"<a href=\"mailto:{{u|url}}\">", "{\"u\": \"a@b.example\"}",
       "<a href=\"mailto:a%40b.example\">"},
      {"<p title=\"{{u}}\">", "{\"u\": \"javascript:x\"}", "<p title=\"javascript:x\">"},
  };
  CHECK("x.html", cases);
}

static void mail_is_not_escaped_and_keeps_its_lines(void **state)
{
  (void)state;
  static const struct rendered cases[] = {
      {"Subject: {{x}}\n", "{\"x\": \"A & <B>\\r\\nBcc: c@d\"}", "Subject: A & <B>  Bcc: c@d\n"},
      {"{{x|text}} if a < b\n", "{\"x\": \"Q\"}", "Q if a < b\n"},
      {"{{#l}}\n- {{.}}\n{{/l}}\nend\n", "{\"l\": [1, 2]}", "- 1\n- 2\nend\n"},
  };
  CHECK("x.txt", cases);
}

static void what_cannot_be_safe_is_refused_when_loaded(void **state)
{
  (void)state;
  static const struct {
    const char *text, *want;
  } cases[] = {
      {"{{{x}}}", "unescaped"},
      {"{{&x}}", "unescaped"},
      {"a\n{{x|shout}}", "x.html:2: there is no format 'shout'"},
      {"{{x|text}}", "for mail"},
      {"a\n\n{{#x}}b", "x.html:3: section 'x' is not closed"},
      {"{{/x}}", "not begun"},
      {"{{#x}}{{/y}}", "'y' ends here, but 'x' of line 1 is open"},
      {"{{x", "without '}}'"},
      {"{{x y}}", "a name is wanted"},
      {"{{}}", "a name is wanted"},
      {"{{>none}}", "there is no part none.html"},
      {"{{>../etc}}", "a name is wanted"},
      {"<p {{x}}>", "double-quoted"},
      {"<{{x}}>", "double-quoted"},
      {"<p class={{x}}>", "double-quoted"},
      {"<p class='{{x}}'>", "double quotes"},
      {"<p class=x>", "double quotes"},
      {"<!-- {{x}} -->", "double-quoted"},
      {"<a href=\" {{x}}\">", "begin with a blank"},
      {"<p style=\"color:red\">", "style"},
      {"<p onclick=\"x()\">", "on..."},
      {"<p ONCLICK=\"x()\">", "on..."},
      {"<style>p{}</style>", "<style>"},
      {"<script>x()</script>", "<script> without src"},
      {"<script src=\"/a.js\">x()</script>", "with a content"},
      {"<script src=\"/a.js\">{{x}}</script>", "double-quoted"},
      {"{{#x}}<script src=\"/a.js\">{{/x}}</script>", "must end where it began"},
      {"<script{{#x}} src=\"/a.js\"{{/x}}>", "<script> without src"},
      {"<p {{#x}}class=\"a{{/x}}\">", "must end where it began"},
      {"<p class=\"{{#x}}\" href=\"{{/x}}{{v}}\">", "must end where it began"},
      {"{{#x}}<p {{/x}}>", "must end where it began"},
      {"<p class=\"{{>part}}\">", "a part may stand in the text only"},
      {"a < b", "bare '<'"},
      {"<p class=\"x\"", "ends within a tag"},
      {"<!-- x", "ends within a tag"},
      {"\xff", "not UTF-8"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct tm_buf out = TM_BUF_INIT(1 << 16);
    struct tm_error err = {0};
    int rc = render("x.html", cases[i].text, "{}", &out, &err);
    if (rc == 0 || strstr(err.text, cases[i].want) == NULL)
      fail_msg("%s\n got: %s\nwant: %s", cases[i].text, rc == 0 ? "accepted" : err.text,
               cases[i].want);
    tm_buf_release(&out);
  }
}

static void parts_in_a_circle_are_refused(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct templates *t = templates_new();
  assert_int_equal(templates_add(t, "a.html", "{{>b}}", 6, &err), 0);
  assert_int_equal(templates_add(t, "b.html", "{{>a}}", 6, &err), 0);
  assert_int_equal(templates_link(t, &err), -ELOOP);
  templates_free(t);
}

static void a_page_that_grows_too_large_leaves_nothing_behind(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct tm_buf out = TM_BUF_INIT(64);
  tm_buf_puts(&out, "before");
  assert_int_equal(render("x.html", "{{#l}}0123456789012345678901234567890{{/l}}",
                          "{\"l\": [1, 2, 3]}", &out, &err),
                   -EFBIG);
  assert_string_equal(out.ptr, "before");
  tm_buf_release(&out);
}

static void a_folder_is_loaded_with_its_rooms(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct tm_buf out = TM_BUF_INIT(1024);
  struct templates *t = NULL;
  char folder[] = "/tmp/tidemark-templates-XXXXXX";
  char path[128];
  assert_non_null(mkdtemp(folder));
  static const char *const files[][2] = {{"page.html", "<p>{{>parts/one}}</p>"},
                                         {"parts/one.html", "<b>{{x}}</b>"},
                                         {"mail.txt", "{{x}}"},
                                         {"notes.md", "{{{"}};
  snprintf(path, sizeof(path), "%s/parts", folder);
  assert_int_equal(mkdir(path, 0700), 0);
  for (size_t i = 0; i < 4; i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, files[i][0]);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(files[i][1], f);
    fclose(f);
  }
  assert_int_equal(templates_load(&t, folder, &err), 0);
  json_t *model = json_pack("{s:s}", "x", "&");
  struct template_clock clock = {.now = NOW};
  assert_int_equal(template_render(t, "page.html", model, &clock, &out, &err), 0);
  assert_string_equal(out.ptr, "<p><b>&amp;</b></p>");
  assert_int_equal(template_render(t, "notes.md", model, &clock, &out, &err), -ENOENT);
  json_decref(model);
  templates_free(t);
  tm_buf_release(&out);
  for (size_t i = 0; i < 4; i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, files[i][0]);
    unlink(path);
  }
  snprintf(path, sizeof(path), "%s/parts", folder);
  rmdir(path);
  rmdir(folder);
  assert_int_equal(templates_load(&t, "/nowhere", &err), -ENOENT);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_escaped),
      cmocka_unit_test(sections_follow_the_model),
      cmocka_unit_test(formats_are_what_people_read),
      cmocka_unit_test(an_address_from_a_value_leads_nowhere_else),
      cmocka_unit_test(mail_is_not_escaped_and_keeps_its_lines),
      cmocka_unit_test(what_cannot_be_safe_is_refused_when_loaded),
      cmocka_unit_test(parts_in_a_circle_are_refused),
      cmocka_unit_test(a_page_that_grows_too_large_leaves_nothing_behind),
      cmocka_unit_test(a_folder_is_loaded_with_its_rooms),
  };
  struct tm_error err = {0};
  if (tm_zone_use("Asia/Tokyo", &err) < 0)
    return 1;
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_template", tests, NULL, NULL);
}
