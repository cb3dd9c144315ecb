/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/label.h"
#include "analyzer/graph/plot.h"
#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void labels_keep_no_command_of_librrd(void **state)
{
  static const struct {
    const char *text;
    size_t columns;
    const char *want;
  } rows[] = {
      {"array-01", 40, "array-01"},
      {"C:\\data\\l", 40,
       "C\\:\xe2\x88\x96"
       "data\xe2\x88\x96l"},
      {"100% %s %n %lf", 40, "100% %s %n %lf"},
      {"<b>bold</b> & more", 40, "&lt;b&gt;bold&lt;/b&gt; &amp; more"},
      {"LINE1:x#ff0000:\"'", 40, "LINE1\\:x#ff0000\\:\"'"},
      {"two\nlines\ttab\x01", 40, "two lines tab"},
      {"12345678", 8, "12345678"},
      {"123456789", 8, "1234567\xe2\x80\xa6"},
      {":::::::::", 4, "\\:\\:\\:\xe2\x80\xa6"},
      {"\xe5\xa4\xa7\xe9\x98\xaa\xe5\xb7\xa5\xe5\xa0\xb4", 5,
       "\xe5\xa4\xa7\xe9\x98\xaa\xe2\x80\xa6"}, /* wide characters */
      {"bad \xff\xfe utf", 40, "bad \xef\xbf\xbd\xef\xbf\xbd utf"},
      {"", 40, ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char out[LABEL_SIZE];
    assert_string_equal(label_escape(out, sizeof(out), rows[i].text, rows[i].columns),
                        rows[i].want);
  }
}

/* A name that is longer than the buffer is cut between characters and escapes, never in one. */
static void labels_fit_any_buffer(void **state)
{
  (void)state;
  for (size_t size = 1; size < 40; size++) {
    char out[64];
    memset(out, 'x', sizeof(out));
    label_escape(out, size, "a:b<c&d\xc3\xa9\\e:f<g", 100);
    size_t len = strlen(out);
    assert_in_range(len, 0, size - 1);
    assert_true(tm_text_is_utf8(out));
    assert_false(len > 0 && out[len - 1] == '\\');
    const char *open = strrchr(out, '&');
    assert_true(open == NULL || strchr(open, ';') != NULL);
    assert_int_equal(out[size], 'x');
  }
}

static void plot_from(struct plot *p, const char *text)
{
  struct tm_error err = {0};
  json_t *document = tm_json_parse(text, strlen(text), "test", &err);
  assert_non_null(document);
  if (plot_read(p, document, &err) != 0)
    fail_msg("%s", err.text);
  json_decref(document);
}

#define HEAD                                                                                       \
  "{\"schema\":\"tidemark.graph/1\",\"format\":\"png\",\"width\":800,\"unit\":\"bytes\","          \
  "\"from\":1000000000,\"to\":1000001000,\"title\":\"t\""

static void used_is_straight_between_known_rows_and_unknown_beside_a_gap(void **state)
{
  static const struct {
    int64_t time;
    double used, capacity;
  } want[] = {{999, NAN, NAN},  {1000, 10, 100},  {1050, 15, 100}, {1100, 20, 100},
              {1150, NAN, NAN}, {1250, NAN, 200}, {1300, 40, 200}, {1301, NAN, NAN}};
  struct plot p = {0};
  size_t used = 0;
  size_t capacity = 0;
  (void)state;
  plot_from(&p, HEAD ",\"rows\":[[1000,10,100],[1100,20,100],[1200,null,null],[1300,40,200]]}");
  for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
    double u = plot_used_at(&p, want[i].time, &used);
    double c = plot_capacity_at(&p, want[i].time, &capacity);
    assert_true(isnan(want[i].used) ? isnan(u) : u == want[i].used);
    assert_true(isnan(want[i].capacity) ? isnan(c) : c == want[i].capacity);
  }
  plot_release(&p);
}

static void capacity_goes_on_as_far_as_the_forecast(void **state)
{
  struct plot p = {0};
  size_t hint = 0;
  size_t band = 0;
  (void)state;
  plot_from(&p, HEAD ",\"rows\":[[1000,10,100],[1100,20,100],[1200,30,null]],"
                     "\"forecast\":[[1200,30,30,30],[1400,40,50,60]]}");
  assert_true(plot_capacity_at(&p, 1300, &hint) == 100);
  assert_true(plot_capacity_at(&p, 1400, &hint) == 100);
  assert_true(isnan(plot_capacity_at(&p, 1401, &hint)));
  struct plot_band b = plot_band_at(&p, 1300, &band);
  assert_true(b.low == 35 && b.middle == 40 && b.high == 45);
  assert_true(isnan(plot_band_at(&p, 1401, &band).middle));
  plot_release(&p);
}

static void no_daily_maximum_is_lost_in_a_pixel(void **state)
{
  struct plot p = {0};
  size_t hint = 0;
  (void)state;
  plot_from(&p, HEAD ",\"maxima\":{\"label\":\"m\",\"days\":[[1000,1100,5],[1100,1200,9],"
                     "[1200,1300,null],[1300,1400,2]]}}");
  assert_true(plot_max_at(&p, 1100, 50, &hint) == 5);
  assert_true(plot_max_at(&p, 1150, 100, &hint) == 9); /* touches both */
  assert_true(plot_max_at(&p, 1200, 50, &hint) == 9);
  assert_true(isnan(plot_max_at(&p, 1300, 50, &hint)));
  assert_true(plot_max_at(&p, 1400, 300, &(size_t){0}) == 9);
  plot_release(&p);
}

static void wrong_documents_are_refused_by_member(void **state)
{
  static const struct {
    const char *text, *member;
  } rows[] = {
      {"{}", "schema"},
      {"{\"schema\":\"tidemark.graph/2\"}", "schema"},
      {"{\"schema\":\"tidemark.graph/1\",\"format\":\"gif\"}", "format"},
      {"{\"schema\":\"tidemark.graph/1\",\"format\":\"svg\",\"width\":1e9}", "width"},
      {"{\"schema\":\"tidemark.graph/1\",\"format\":\"svg\",\"width\":800,\"from\":5,\"to\":5}",
       "from"},
      {"{\"schema\":\"tidemark.graph/1\",\"format\":\"svg\",\"width\":800,\"from\":0,\"to\":5}",
       "from"},
      {HEAD ",\"rows\":7}", "rows"},
      {HEAD ",\"rows\":[[1000,10]]}", "rows"},
      {HEAD ",\"rows\":[[1000,10,1],[999,10,1]]}", "rows"},
      {HEAD ",\"rows\":[[1e300,10,1]]}", "rows"},
      {HEAD ",\"forecast\":[[1000,10,1]]}", "forecast"},
      {HEAD ",\"maxima\":{\"days\":[[1000,\"x\",1]]}}", "days"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct tm_error err = {0};
    struct plot p = {0};
    json_t *document = tm_json_parse(rows[i].text, strlen(rows[i].text), "test", &err);
    assert_non_null(document);
    assert_int_equal(plot_read(&p, document, &err), -EINVAL);
    if (strstr(err.text, rows[i].member) != err.text)
      fail_msg("%s: got '%s'", rows[i].member, err.text);
    json_decref(document);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_keep_no_command_of_librrd),
      cmocka_unit_test(labels_fit_any_buffer),
      cmocka_unit_test(used_is_straight_between_known_rows_and_unknown_beside_a_gap),
      cmocka_unit_test(capacity_goes_on_as_far_as_the_forecast),
      cmocka_unit_test(no_daily_maximum_is_lost_in_a_pixel),
      cmocka_unit_test(wrong_documents_are_refused_by_member),
  };
  setlocale(LC_CTYPE, "C.UTF-8"); /* columns of wide characters */
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
