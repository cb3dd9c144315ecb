/* SPDX-License-Identifier: MIT */
/* Answers of a server with Prometheus's API: numbers out of whole ones, and a reason to refuse any
 * other; names as collectd's write_prometheus gives them. */
#include "analyzer/source/prometheus_answer.h"
#include "analyzer/source/prometheus_name.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MATRIX(series)                                                                             \
  "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" series "]}}"
#define ONE(label, values)                                                                         \
  "{\"metric\":{\"__name__\":\"m\",\"type\":\"" label "\"},\"values\":[" values "]}"

/* Adds an answer. The code; err tells why. */
static int add(struct prom_matrix *m, const char *text, long status, struct tm_error *err)
{
  *err = (struct tm_error){0};
  json_t *data = prom_answer_data(text, strlen(text), status, "URL", err);
  int rc = data == NULL ? err->code : prom_matrix_add(m, data, "type", "URL", err);
  json_decref(data);
  return rc;
}

static void samples_are_read(void **state)
{
  struct prom_matrix m = {0};
  struct tm_error err;
  (void)state;
  assert_int_equal(
      add(&m,
          MATRIX(ONE("used",
                     "[1795132500,\"5\"],[1795132800.25,\"6.5e3\"],"
                     "[1795133100,\"NaN\"],[1795133400,\"+Inf\"]") "," ONE("total",
                                                                           "[1795132500,\"9\"]")),
          200, &err),
      0);
  const struct prom_series *used = prom_matrix_find(&m, "used");
  assert_int_equal(m.n, 2);
  assert_non_null(used);
  assert_int_equal(used->n, 4);
  assert_int_equal(m.time_ms[used->first + 1], 1795132800250);
  assert_true(m.value[used->first] == 5 && m.value[used->first + 1] == 6500);
  assert_true(isnan(m.value[used->first + 2]) && isnan(m.value[used->first + 3]));
  assert_null(prom_matrix_find(&m, "free"));
  prom_matrix_release(&m);
}

static void stretches_of_time_are_joined(void **state)
{
  struct prom_matrix m = {0};
  struct tm_error err;
  (void)state;
  assert_int_equal(add(&m, MATRIX(ONE("a", "[300,\"1\"]") "," ONE("b", "[300,\"10\"]")), 200, &err),
                   0);
  assert_int_equal(add(&m, MATRIX(ONE("a", "[600,\"2\"]") "," ONE("b", "[600,\"20\"]")), 200, &err),
                   0);
  assert_int_equal(add(&m, MATRIX(ONE("b", "[900,\"30\"]")), 200, &err), 0);
  const struct prom_series *a = prom_matrix_find(&m, "a");
  const struct prom_series *b = prom_matrix_find(&m, "b");
  assert_int_equal(a->n, 2);
  assert_int_equal(b->n, 3);
  for (size_t i = 0; i < 3; i++)
    assert_true(m.value[b->first + i] == (double)(10 * (i + 1)));
  assert_true(m.value[a->first] == 1 && m.value[a->first + 1] == 2);
  prom_matrix_release(&m);
}

static void what_is_no_whole_answer_is_refused_with_the_reason(void **state)
{
  static const struct {
    const char *text;
    long status;
    const char *why;
  } cases[] = {
      {"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out\"}", 503,
       "503: query timed out"},
      {"{\"status\":\"success\",\"isPartial\":true,\"data\":{\"resultType\":\"matrix\",\"result\":["
       "]}}",
       200, "partial"},
      {"{\"status\":\"success\",\"warnings\":[\"store "
       "gone\"],\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
       200, "store gone"},
      {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}", 200,
       "no matrix"},
      {"{\"status\":\"success\"}", 200, "no data"},
      {"<html>no</html>", 200, "no JSON"},
      {"<html>no</html>", 502, "answered 502"},
      {"", 200, "no JSON"},
      {MATRIX(ONE("a", "[300,\"1\"],[300,\"2\"]")), 200, "out of order"},
      {MATRIX(ONE("a", "[300,\"many\"]")), 200, "a sample that is none"},
      {MATRIX(ONE("a", "[-1,\"1\"]")), 200, "a sample that is none"},
      {MATRIX(ONE("a", "[1e300,\"1\"]")), 200, "a sample that is none"},
      {MATRIX(ONE("a", "[300]")), 200, "a sample that is none"},
      {MATRIX("{\"metric\":{\"type\":\"a\"}}"), 200, "a series that is none"},
      {MATRIX(ONE("a", "[300,\"1\"]") "," ONE("a", "[300,\"2\"]")), 200, "several series"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct prom_matrix m = {0};
    struct tm_error err;
    int rc = add(&m, cases[i].text, cases[i].status, &err);
    if (rc >= 0 || strstr(err.text, cases[i].why) == NULL || strncmp(err.text, "URL: ", 5) != 0)
      fail_msg("case %zu: %d, '%s'", i, rc, err.text);
    prom_matrix_release(&m);
  }
}

static void series_belong_to_devices_by_their_labels(void **state)
{
  static const struct {
    const char *labels;
    const char *host;
    const char *plugin;
    const char *instance;
  } cases[] = {
      {"{\"__name__\":\"collectd_disk_array_capacity\",\"disk_array\":\"array-01\",\"type\":"
       "\"total\",\"instance\":\"h\"}",
       "h", "disk_array", "array-01"},
      {"{\"__name__\":\"collectd_disk_disk_ops_write_total\",\"disk\":\"sda\",\"instance\":\"h\"}",
       "h", "disk", "sda"},
      {"{\"__name__\":\"collectd_load_shortterm\",\"instance\":\"h\"}", "h", "load", ""},
      {"{\"__name__\":\"collectd_cpu_percent\",\"cpu\":\"idle\",\"instance\":\"h\"}", "h", "cpu",
       ""},
      {"{\"__name__\":\"collectd_cpu_total\",\"cpu\":\"0\",\"type\":\"idle\",\"instance\":\"h\"}",
       "h", "cpu", "0"},
      {"{\"__name__\":\"collectd_df_df_complex\",\"df\":\"root\",\"type\":\"used\",\"instance\":"
       "\"t:9103\",\"exported_instance\":\"h\"}",
       "h", "df", "root"},
      {"{\"__name__\":\"collectd_interface_if_octets_rx_total\",\"interface\":\"eth0\","
       "\"instance\":\"h\"}",
       "h", "interface", "eth0"},
      {"{\"__name__\":\"collectd_printer_supply_level\",\"printer\":\"p\",\"type\":\"black\","
       "\"instance\":\"h\"}",
       "h", "printer", "p"},
      {"{\"__name__\":\"collectd_disk_disk_ops_read\",\"disk\":\"sda\",\"instance\":\"h\"}", NULL,
       NULL, NULL},
      {"{\"__name__\":\"node_load1\",\"instance\":\"h\"}", NULL, NULL, NULL},
      {"{\"__name__\":\"collectd_load_shortterm\"}", NULL, NULL, NULL},
      {"{\"instance\":\"h\"}", NULL, NULL, NULL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct prom_owner o = {0};
    json_t *labels = json_loads(cases[i].labels, 0, NULL);
    bool known = prom_owner(&o, labels);
    assert_int_equal(known, cases[i].host != NULL);
    if (known) {
      assert_string_equal(o.host, cases[i].host);
      assert_string_equal(o.recipe->plugin, cases[i].plugin);
      assert_string_equal(o.instance, cases[i].instance);
    }
    json_decref(labels);
  }
}

static void texts_are_quoted(void **state)
{
  struct tm_buf b = TM_BUF_INIT(1000);
  (void)state;
  assert_int_equal(prom_quote(&b, "a\"} or b\\\n", false), 0);
  assert_string_equal(b.ptr, "a\\\"} or b\\\\\\n");
  tm_buf_reset(&b);
  assert_int_equal(prom_quote(&b, "h.x|y\"", true), 0);
  assert_string_equal(b.ptr, "h\\\\.x\\\\|y\\\"");
  tm_buf_release(&b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_are_read),
      cmocka_unit_test(stretches_of_time_are_joined),
      cmocka_unit_test(what_is_no_whole_answer_is_refused_with_the_reason),
      cmocka_unit_test(series_belong_to_devices_by_their_labels),
      cmocka_unit_test(texts_are_quoted),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
