/* SPDX-License-Identifier: MIT */
/* A catalogue is whole or refused with the line that is wrong. */
#include "analyzer/catalogue.h"
#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD                                                                                       \
  "{\"schema\":\"tidemark.catalogue/1\",\n"                                                        \
  "\"issued_on\":\"2026-11-01\", \"sales_cycle_days\": 14,\n"
#define PRICE "\"price\":{\"amount\":\"10\",\"currency\":\"EUR\"},\"lead_time_days\":7"
#define MODEL "{\"sku\":\"M\",\"name\":\"m\"," PRICE ",\"kind\":\"disk_array\"}"

static void every_refusal_names_the_line(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *wanted;
  } cases[] = {
      {"[]", "c.json:1: not a JSON object"},
      {"{\"schema\":\"tidemark.catalogue/2\"}", "c.json:1: \"schema\" is \"tidemark.catalogue/2\""},
      {"{\n\"schema\":\"tidemark.catalogue/1\",\n\"sales_cycle_days\":1}",
       "c.json:1: \"issued_on\" is missing"},
      {HEAD "\"modles\": []}", "c.json:3: unknown member \"modles\"; is \"models\" meant?"},
      {HEAD "\"models\": {}}", "c.json:3: \"models\" is not a list"},
      {HEAD "\"models\": [\n" MODEL ",\n7]}", "c.json:5: an entry of \"models\" is not an object"},
      {HEAD "\"models\": [\n" MODEL ",\n" MODEL "]}",
       "c.json:5: SKU \"M\" stands in line 4 already"},
      {HEAD "\"models\": [{\n\"sku\":\"M\",\n\"name\":\"\"}]}", "c.json:5: \"name\" is empty"},
      {HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"m\",\n\"price\":{\"amount\":\"1,5\",\n"
            "\"currency\":\"EUR\"},\"lead_time_days\":7,\"kind\":\"printer\"}]}",
       "c.json:4: \"amount\" is \"1,5\", not a decimal"},
      {HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"m\",\"price\":{\"amount\":\"1\",\n"
            "\"currency\":\"euro\"},\"lead_time_days\":7,\"kind\":\"printer\"}]}",
       "c.json:4: \"euro\" is not a currency code"},
      {HEAD "\"models\": [" MODEL ",{\"sku\":\"N\",\"name\":\"n\",\"price\":{\"amount\":\"1\",\n"
            "\"currency\":\"JPY\"},\"lead_time_days\":7,\"kind\":\"printer\"}]}",
       "c.json:4: currency JPY; the prices before it are in EUR"},
      {HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"m\"," PRICE ",\n\"kind\":\"disc\"}]}",
       "c.json:4: \"kind\" is \"disc\", not disk_array"},
      {HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"m\"," PRICE ",\"kind\":\"disk_array\",\n"
            "\"capacity_bytes\":9,\n\"max_capacity_bytes\":8}]}",
       "c.json:5: \"max_capacity_bytes\" is below"},
      {HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"m\"," PRICE ",\"kind\":\"disk_array\",\n"
            "\"end_of_service_on\":\"2026-02-30\"}]}",
       "c.json:4: \"end_of_service_on\" is not a date"},
      {HEAD "\"models\": [" MODEL "],\n\"expansions\":[{\"sku\":\"E\",\"name\":\"e\"," PRICE ",\n"
            "\"adds_bytes\":1,\"max_quantity\":1,\"fits\":[\"M\",\n\"X\"]}]}",
       "c.json:6: \"fits\" names \"X\", which is no model"},
      {HEAD "\"models\": [" MODEL "],\n\"expansions\":[{\"sku\":\"E\",\"name\":\"e\"," PRICE ",\n"
            "\"adds_bytes\":1,\"max_quantity\":1,\"fits\":[\"M\",\"M\"]}]}",
       "c.json:5: \"fits\" names \"M\" twice"},
      {HEAD "\"models\": [" MODEL "],\n\"expansions\":[{\"sku\":\"E\",\"name\":\"e\"," PRICE ",\n"
            "\"adds_bytes\":1,\n\"max_quantity\":1.5,\"fits\":[\"M\"]}]}",
       "c.json:6: \"max_quantity\" is not whole"},
      {HEAD "\"models\": [" MODEL "],\n\"expansions\":[{\"sku\":\"E\",\"name\":\"e\"," PRICE ",\n"
            "\"adds_bytes\":0,\"max_quantity\":1,\"fits\":[\"M\"]}]}",
       "c.json:5: \"adds_bytes\" is 0; it must lie between"},
      {HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"m\"," PRICE ",\"kind\":\"disk_array\",\n"
            "\"replaced_by\":\"N\"},\n{\"sku\":\"N\",\"name\":\"n\"," PRICE
            ",\"kind\":\"disk_array\",\n\"replaced_by\":\"M\"}]}",
       "c.json:4: \"replaced_by\" leads back in a circle"},
      {HEAD "\"software\": [{\"sku\":\"S\",\"name\":\"s\"," PRICE ",\"fits\":[],"
            "\"software\":\"firmware\",\n\"version\":\"new\",\"released_on\":\"2026-01-01\"}]}",
       "c.json:4: \"version\" \"new\" has no number"},
      {HEAD "\"services\": [\n{\"sku\":\"S\",\"name\":\"s\"," PRICE ",\"fits\":[]}]}",
       "c.json:4: neither \"every_pages\" nor \"every_days\""},
      {HEAD "\"models\": [" MODEL "}", "c.json:3: not valid JSON"},
      {HEAD "\"models\": [{\"sku\":\"A\\u0007\"}]}", "c.json:3: \"sku\" holds a control character"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct catalogue c = {0};
    struct tm_error err = {0};
    int rc = catalogue_parse(&c, cases[i].text, strlen(cases[i].text), "c.json", &err);
    if (rc != -EBADMSG || strncmp(err.text, cases[i].wanted, strlen(cases[i].wanted)) != 0)
      fail_msg("%d \"%s\", wanted \"%s\"", rc, err.text, cases[i].wanted);
    assert_null(c.items);
    catalogue_release(&c);
  }
}

/* 200 characters are a name's limit, as in catalogue.schema.json, of however many bytes each. */
static void a_name_is_as_long_as_its_characters(void **state)
{
  (void)state;
  static const char *const characters[] = {"n", "\xe5\x99\xa8", "\xf0\xa0\xae\xb7"};
  for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++)
    for (int n = 200; n <= 201; n++) {
      char name[1000] = "", text[2000];
      struct catalogue c = {0};
      struct tm_error err = {0};
      for (int k = 0; k < n; k++)
        strcat(name, characters[i]);
      snprintf(text, sizeof(text),
               HEAD "\"models\": [{\"sku\":\"M\",\"name\":\"%s\"," PRICE
                    ",\"kind\":\"disk_array\"}]}",
               name);
      int rc = catalogue_parse(&c, text, strlen(text), "c.json", &err);
      assert_string_equal(err.text, n == 200 ? "" : "c.json:3: \"name\" is too long");
      assert_int_equal(rc, n == 200 ? 0 : -EBADMSG);
      catalogue_release(&c);
    }
}

static void load_sample(struct catalogue *c)
{
  struct tm_error err = {0};
  if (catalogue_load(c, "contrib/schema/samples/catalogue.json", &err) != 0)
    fail_msg("%s", err.text);
}

static void the_sample_is_read_as_it_is_written(void **state)
{
  (void)state;
  struct catalogue c = {0};
  load_sample(&c);
  assert_string_equal(c.currency, "JPY");
  assert_true(c.sales_cycle_days == 14);
  const struct catalogue_item *m = catalogue_find(&c, "DS-200");
  assert_non_null(m);
  assert_int_equal(m->type, CATALOGUE_MODEL);
  assert_true(m->price == 3200000LL * 10000);
  assert_true(m->capacity_bytes == 40 * 1099511627776.0);
  assert_true(m->rated_transfers_per_s == 120);
  assert_true(isnan(m->duty_pages_per_month));
  assert_true(m->n_options >= 5);
  assert_ptr_equal(m->options[0], catalogue_find(&c, "SHELF-20T"));
  assert_null(catalogue_find(&c, "SHELF"));
  const struct catalogue_item *old = catalogue_find(&c, "DS-100");
  assert_ptr_equal(catalogue_current(old), m);
  assert_ptr_equal(catalogue_current(m), m);
  char text[64];
  assert_string_equal(catalogue_price_text(text, sizeof(text), &c, 9720000LL * 10000),
                      "JPY 9,720,000");
  catalogue_release(&c);
  catalogue_release(&c);
}

static void prices_keep_the_decimals_of_the_file(void **state)
{
  (void)state;
  static const char text[] =
      HEAD "\"models\": [" MODEL ",{\"sku\":\"N\",\"name\":\"n\",\"price\":{\"amount\":\"4800.5\","
           "\"currency\":\"EUR\"},\"lead_time_days\":7,\"kind\":\"printer\"},"
           "{\"sku\":\"O\",\"name\":\"o\",\"price\":{\"amount\":\"0.05\","
           "\"currency\":\"EUR\"},\"lead_time_days\":7,\"kind\":\"printer\"}]}";
  struct catalogue c = {0};
  assert_int_equal(catalogue_parse(&c, text, sizeof(text) - 1, "c", NULL), 0);
  assert_true(catalogue_find(&c, "N")->price == 48005000);
  char out[64];
  assert_string_equal(catalogue_price_text(out, sizeof(out), &c, 48005000), "EUR 4,800.50");
  json_t *p = catalogue_price_json(&c, 500);
  assert_string_equal(tm_json_get_string(p, "amount"), "0.05");
  json_decref(p);
  catalogue_release(&c);
}

static void a_device_finds_its_model(void **state)
{
  (void)state;
  static const struct {
    const char *product;
    const char *sku;
  } cases[] = {
      {"{\"kind\":\"disk_array\",\"model\":\"DS-200\"}", "DS-200"},
      {"{\"kind\":\"disk_array\",\"model\":\" ds-200   ARRAY \"}", "DS-200"},
      {"{\"kind\":\"disk_array\",\"model\":\"ds200\",\"vendor\":\"example storage\"}", "DS-200"},
      {"{\"kind\":\"disk_array\",\"model\":\"DS-200\",\"vendor\":\"Other\"}", NULL},
      {"{\"kind\":\"printer\",\"model\":\"DS-200\"}", NULL},
      {"{\"kind\":\"disk_array\",\"model\":\"DS-20\"}", NULL},
      {"{\"kind\":\"disk_array\",\"model\":\"DS-2000\"}", NULL},
      {"{\"kind\":\"disk_array\",\"model\":\"DS-200\",\"product_number\":\"DS-400\"}", "DS-400"},
      {"{\"kind\":\"disk_array\",\"model\":null}", NULL},
      {"{\"model\":\"DS-200\"}", NULL},
      {"[]", NULL},
  };
  struct catalogue c = {0};
  load_sample(&c);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    json_t *product = json_loads(cases[i].product, 0, NULL);
    const struct catalogue_item *m = catalogue_model_of(&c, product);
    if (cases[i].sku == NULL ? m != NULL : m == NULL || strcmp(m->sku, cases[i].sku) != 0)
      fail_msg("%s: %s", cases[i].product, m != NULL ? m->sku : "none");
    json_decref(product);
  }
  catalogue_release(&c);
}

int main(void)
{
  const char *source = getenv("SOURCE");
  if (source != NULL && chdir(source) < 0)
    return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_refusal_names_the_line),
      cmocka_unit_test(a_name_is_as_long_as_its_characters),
      cmocka_unit_test(the_sample_is_read_as_it_is_written),
      cmocka_unit_test(prices_keep_the_decimals_of_the_file),
      cmocka_unit_test(a_device_finds_its_model),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
