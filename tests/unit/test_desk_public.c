/* SPDX-License-Identifier: MIT */
/* Sealed forms, whose a contact is, products as of today, and what customers change. */
#include "common/json.h"
#include "common/text.h"
#include "contrib/desk/customers/registered.h"
#include "contrib/desk/people/responsible.h"
#include "contrib/desk/public/contact.h"
#include "contrib/desk/public/products.h"
#include "contrib/desk/public/seal.h"
#include "contrib/desk/public/whose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/lib/store.h"

#define NOW INT64_C(1795143900)

static struct desk_conf conf = {.vendor = "Example Storage",
                                .public_url = "https://desk.example.com",
                                .mail = {.from = "desk@vendor.example"},
                                .factory = {.tryton = true},
                                .limits = {.contacts = 3}};
static struct desk desk = {.conf = &conf};

static int setup(void **state)
{
  static const char letter[] = "Subject: {{contact.number}}\n\n{{product.sku}}\n";
  static const char change[] = "Subject: changed\n\n{{#changes}}{{old}} {{new}}\n{{/changes}}";
  struct tm_error err = {0};
  desk.templates = templates_new();
  desk.products = products_new();
  if (test_store_open(state) != 0 ||
      templates_add(desk.templates, "mail-contact.txt", letter, sizeof(letter) - 1, &err) != 0 ||
      templates_add(desk.templates, "mail-change.txt", change, sizeof(change) - 1, &err) != 0 ||
      templates_link(desk.templates, &err) != 0)
    return -1;
  test_tell("INSERT INTO customers (customer_id, name, region, created_at) VALUES"
            " ('C-1', 'One KK', 'Kansai', 1), ('C-2', 'Two KK', NULL, 1)");
  test_tell("INSERT INTO addresses (customer_id, kind, address) VALUES"
            " ('C-1', 'email', 'a@one.example'), ('C-2', 'email', 'b@two.example'),"
            " ('C-1', 'email', 'both@group.example'), ('C-2', 'email', 'both@group.example'),"
            " ('C-2', 'number', '2002'), ('C-1', 'phone', '0612345678')");
  test_tell("INSERT INTO catalogue_items (sku, type, name, price, currency, lead_time_days)"
            " VALUES ('SHELF', 'expansion', 'Shelf', '100', 'JPY', 2.5)");
  test_tell("INSERT INTO shops (shop, name, kind) VALUES ('NGO', 'Nagoya', 'shop'),"
            " ('FAC', 'Factory', 'factory')");
  test_tell("INSERT INTO stock (shop, sku, quantity, updated_at) VALUES ('NGO', 'SHELF', 5, 1),"
            " ('FAC', 'SHELF', 90, 1)");
  test_tell("INSERT INTO reservations (number, shop, sku, quantity, made_at, by_name)"
            " VALUES ('R-1', 'NGO', 'SHELF', 2, 1, 'x')");
  return 0;
}

static int teardown(void **state)
{
  products_free(desk.products);
  templates_free(desk.templates);
  return test_store_close(state);
}

static void a_seal_holds_for_its_page_and_its_time(void **state)
{
  (void)state;
  struct tm_error err = {0};
  struct tm_secret key, again;
  char seal[TM_SHA256_HEX], mark[SEAL_MARK], customer[64];
  int64_t made = 0;
  assert_int_equal(seal_key(test_store, &key, &err), 0);
  assert_int_equal(seal_key(test_store, &again, &err), 0);
  assert_memory_equal(key.key, again.key, key.len);
  seal_page(seal, &key, "SHELF", 1000);
  assert_int_equal(seal_check(&key, "SHELF", "1000", seal, 1000 + SEAL_LEAST_S, &made), SEAL_GOOD);
  assert_int_equal(made, 1000);
  assert_int_equal(seal_check(&key, "SHELF", "1000", seal, 1001, &made), SEAL_SOON);
  assert_int_equal(seal_check(&key, "SHELF", "1000", seal, 1001 + SEAL_MOST_S, &made), SEAL_OLD);
  assert_int_equal(seal_check(&key, "OTHER", "1000", seal, 1010, &made), SEAL_BROKEN);
  assert_int_equal(seal_check(&key, "SHELF", "1001", seal, 1010, &made), SEAL_BROKEN);
  assert_int_equal(seal_check(&key, "SHELF", "-1", seal, 1010, &made), SEAL_BROKEN);
  assert_int_equal(seal_check(&key, "SHELF", NULL, NULL, 1010, &made), SEAL_BROKEN);
  seal_mark(mark, &key, "C-1~x");
  assert_true(seal_mark_read(&key, mark, customer, sizeof(customer)));
  assert_string_equal(customer, "C-1~x");
  mark[2] = '2';
  assert_false(seal_mark_read(&key, mark, customer, sizeof(customer)));
  assert_false(seal_mark_read(&key, "~", customer, sizeof(customer)));
  assert_false(seal_mark_read(&key, NULL, customer, sizeof(customer)));
  tm_secret_release(&key);
  tm_secret_release(&again);
}

struct asking {
  const char *number, *email;
  struct whose whose;
};

static int find_whose(struct db *db, void *arg, struct tm_error *err)
{
  struct asking *a = arg;
  return whose_find(db, a->number, a->email, &a->whose, err);
}

static void nobody_is_guessed(void **state)
{
  (void)state;
  static const struct {
    const char *number, *email, *want;
  } cases[] = {
      {NULL, "A@One.example ", "C-1"},
      {" c-1 ", NULL, "C-1"},
      {"2002", NULL, "C-2"},
      {"2002", "b@two.example", "C-2"},
      {"2002", "stranger@x.example", "C-2"},
      {"2002", "a@one.example", ""},
      {"2002", "both@group.example", ""},
      {NULL, "both@group.example", ""},
      {"404", "a@one.example", ""},
      {NULL, "stranger@x.example", ""},
      {NULL, NULL, ""},
      {"' OR 1=1 --", "%", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct tm_error err = {0};
    struct asking a = {.number = cases[i].number, .email = cases[i].email};
    assert_int_equal(store_read(test_store, &db_everyone, find_whose, &a, &err), 0);
    if (strcmp(a.whose.customer, cases[i].want) != 0)
      fail_msg("case %zu: want '%s', got '%s'", i, cases[i].want, a.whose.customer);
  }
}

static int read_product(struct db *db, void *arg, struct tm_error *err)
{
  return product_read(desk.products, db, "SHELF", 20000, arg, err);
}

static void a_product_tells_what_is_free_in_shops(void **state)
{
  (void)state;
  struct tm_error err = {0};
  json_t *product = NULL;
  assert_int_equal(store_read(test_store, &db_everyone, read_product, &product, &err), 0);
  assert_int_equal(json_integer_value(json_object_get(product, "in_stock")), 3);
  assert_int_equal(json_array_size(json_object_get(product, "stock")), 1);
  assert_int_equal(json_integer_value(json_object_get(product, "lead_on")), 20003);
  json_decref(product);
}

static int store_contact(const char *key, const char *email, struct contact *c)
{
  struct tm_error err = {0};
  *c = (struct contact){.desk = &desk,
                        .kind = "quote",
                        .sku = "SHELF",
                        .key = key,
                        .email = email,
                        .address = "192.0.2.1",
                        .page_at = NOW - 60,
                        .now = NOW};
  return store_write(test_store, &db_everyone, contact_store, c, &err);
}

static void a_contact_is_kept_with_its_task_and_letter(void **state)
{
  (void)state;
  struct contact first, again, c;
  assert_int_equal(store_contact("k1", "a@one.example", &first), 0);
  assert_int_equal(store_contact("k1", "a@one.example", &again), 0);
  assert_string_equal(first.number, again.number);
  assert_rows("SELECT customer_id, found_by FROM product_contacts",
              "[{\"customer_id\":\"C-1\",\"found_by\":\"email\"}]");
  assert_rows("SELECT kind, customer_id FROM todos",
              "[{\"kind\":\"contact\",\"customer_id\":\"C-1\"}]");
  assert_rows("SELECT customer_id, to_address, text FROM letters",
              "[{\"customer_id\":\"C-1\",\"to_address\":\"desk@vendor.example\","
              "\"text\":\"SHELF\\n\"}]");
  assert_int_equal(store_contact("k2", "x@x.example", &c), 0);
  assert_int_equal(store_contact("k3", "x@x.example", &c), 0);
  assert_int_equal(store_contact("k4", "x@x.example", &c), -EDQUOT);
  assert_true(c.wait_s > 0 && c.wait_s <= 3600);
  assert_rows("SELECT COUNT(*) AS n FROM product_contacts", "[{\"n\":3}]");
}

static void numbers_and_addresses_are_checked_one_by_one(void **state)
{
  (void)state;
  static const struct {
    const char *typed, *want;
  } cases[] = {{"+81 6-0000 0199", "+81600000199"},
               {" +81 (6) 0000.0199 ; +81600000199;\n0612345678", "+81600000199;0612345678"},
               {"", ""},
               {" ; ", ""},
               {"06 1111 2222", NULL},
               {"+81", NULL},
               {"+8160000019912345", NULL},
               {"+81 6 0000 01x9", NULL},
               {"8+1600000199", NULL}};
  char out[200];
  const char *bad = NULL;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    bool good = registered_phones(cases[i].typed, "0612345678", out, sizeof(out), &bad);
    if (good != (cases[i].want != NULL) || (good && strcmp(out, cases[i].want) != 0))
      fail_msg("'%s' became '%s'", cases[i].typed, good ? out : "refused");
  }
  assert_true(registered_emails("A@One.example;b@two.example", out, sizeof(out), &bad));
  assert_string_equal(out, "a@one.example;b@two.example");
  assert_false(registered_emails("a@one.example; b@two@x", out, sizeof(out), &bad));
  assert_string_equal(bad, "b@two@x");
  /* What is wrong can be shown, wherever it has to be cut. */
  for (size_t i = 0; i < 4; i++) {
    char other[160] = "abc";
    other[i] = '\0';
    for (size_t k = 0; k < 30; k++)
      strcat(other, "\xf0\x9f\x8d\x8e");
    assert_false(registered_emails(other, out, sizeof(out), &bad));
    assert_true(strlen(bad) > 70 && tm_text_is_utf8(bad));
    assert_false(registered_phones(other, "", out, sizeof(out), &bad));
    assert_true(strlen(bad) > 70 && tm_text_is_utf8(bad));
  }
  assert_false(registered_emails("a@one.example;b@two.example", out, 20, &bad));
}

static int change(const char *phone, int64_t version, struct registered *c)
{
  struct tm_error err = {0};
  *c = (struct registered){.desk = &desk,
                           .customer = "C-1",
                           .phone = phone,
                           .version = version,
                           .by = "A. Sato",
                           .now = NOW};
  return store_write(test_store, &db_everyone, registered_change, c, &err);
}

static void a_change_is_kept_told_and_counted(void **state)
{
  (void)state;
  struct registered c;
  assert_int_equal(change("12", 1, &c), -EINVAL);
  assert_string_equal(c.field, "phone");
  assert_int_equal(change("0612345678", 1, &c), 0);
  assert_int_equal(c.changed, 0);
  assert_int_equal(change("+81600000199", 1, &c), 0);
  assert_int_equal(change("+81600000111", 1, &c), -EEXIST);
  assert_rows("SELECT version, field, old_value, new_value, by_name FROM customer_changes",
              "[{\"version\":2,\"field\":\"phone\",\"old_value\":\"0612345678\","
              "\"new_value\":\"+81600000199\",\"by_name\":\"A. Sato\"}]");
  assert_rows("SELECT text FROM letters WHERE key = 'change/C-1/2'",
              "[{\"text\":\"0612345678 +81600000199\\n\"}]");
  assert_rows("SELECT subject, what, tries FROM crm_jobs",
              "[{\"subject\":\"C-1\",\"what\":\"change\",\"tries\":0}]");
  assert_rows("SELECT address FROM addresses WHERE customer_id = 'C-1' AND kind = 'phone'",
              "[{\"address\":\"+81600000199\"}]");
}

static int read_registered(struct db *db, void *arg, struct tm_error *err)
{
  return registered_read(db, "C-1", arg, err);
}

static void put_address(char *list, const char *kind, const char *address)
{
  char sql[200];
  snprintf(sql, sizeof(sql),
           "INSERT INTO addresses (customer_id, kind, address) VALUES ('C-1', '%s', '%s')", kind,
           address);
  test_tell(sql);
  strcat(list, list[0] != '\0' ? ";" : "");
  strcat(list, address);
}

/* As long as an import may have it: 2000 characters. */
static void a_long_list_is_shown_and_kept_as_a_whole(void **state)
{
  (void)state;
  json_t *row = NULL;
  struct registered c;
  struct tm_error err = {0};
  char phones[4001] = "", emails[4001] = "", one[64];
  test_tell("DELETE FROM addresses WHERE customer_id = 'C-1'");
  put_address(phones, "phone", "+81600000000");
  for (int i = 1; i < 143; i++) {
    snprintf(one, sizeof(one), "+81600%07d", i);
    put_address(phones, "phone", one);
  }
  for (int i = 0; i < 180; i++) {
    snprintf(one, sizeof(one), "\xc3\xa9\xc3\xa9%03d@x.jp", i);
    put_address(emails, "email", one);
  }
  assert_int_equal(strlen(phones), 2000);
  assert_true(strlen(emails) > 2000);
  assert_int_equal(store_read(test_store, &db_everyone, read_registered, &row, &err), 0);
  assert_string_equal(tm_json_get_string(row, "phone"), phones);
  assert_string_equal(tm_json_get_string(row, "email"), emails);
  assert_int_equal(change(phones, json_integer_value(json_object_get(row, "version")), &c), 0);
  assert_int_equal(c.changed, 0);
  json_decref(row);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_seal_holds_for_its_page_and_its_time),
      cmocka_unit_test(nobody_is_guessed),
      cmocka_unit_test(a_product_tells_what_is_free_in_shops),
      cmocka_unit_test(a_contact_is_kept_with_its_task_and_letter),
      cmocka_unit_test(numbers_and_addresses_are_checked_one_by_one),
      cmocka_unit_test(a_change_is_kept_told_and_counted),
      cmocka_unit_test(a_long_list_is_shown_and_kept_as_a_whole),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, setup, teardown);
}
