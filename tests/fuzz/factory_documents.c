/* SPDX-License-Identifier: MIT */
/* covers: exporters/inquiry.c exporters/demand_plan.c analyzer/shops.c */
/* Inquiries, their answers, demand and the map of shops, as anybody may hand them over: the first
 * byte says what a document is taken for. */
#include "common/json.h"
#include "analyzer/shops.h"
#include "exporters/demand_plan.h"
#include "exporters/inquiry.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look(void *arg, json_t *record, struct tm_error *err)
{
  size_t *n = arg;
  (void)err;
  assert(inquiry_id(record) != NULL);
  ++*n;
  return 0;
}

static void use_answer(const json_t *document)
{
  static const char ours[] = "{\"inquiry\":{\"id\":\"Q-1001\"},\"closed\":true}";
  struct tm_error err = {0};
  size_t n = 0;
  json_t *record = json_loads(ours, 0, NULL);
  if (inquiry_check_answer(document, &err) < 0) {
    assert(err.text[0] != '\0');
  } else {
    int lock = inquiry_lock(fuzz_folder(), &err);
    assert(lock >= 0 && inquiry_write(fuzz_folder(), record, &err) == 0);
    int rc = inquiry_take_answer(fuzz_folder(), document, &err);
    assert(rc == 0 || rc == 1 || rc == -ENOENT);
    assert(rc != 0 || inquiry_take_answer(fuzz_folder(), document, &err) == 1);
    assert(inquiry_each(fuzz_folder(), look, &n, &err) == 0 && n >= 1);
    close(lock);
    fuzz_folder_remove(); /* what was kept under strange ids */
    mkdir(fuzz_folder_name, 0700);
  }
  json_decref(record);
}

static void use_inquiry(const json_t *document)
{
  struct tm_error err = {0};
  if (inquiry_check(document, &err) < 0) {
    assert(err.text[0] != '\0');
    return;
  }
  json_t *record = json_pack("{s:O}", "inquiry", document);
  const char *id = inquiry_id(record);
  char name[200], path[PATH_MAX];
  snprintf(name, sizeof(name), "inquiries/%s.json", id);
  assert(id != NULL && strchr(id, '/') == NULL);
  assert(inquiry_write(fuzz_folder(), record, &err) == 0);
  json_t *again = NULL;
  assert(inquiry_read(fuzz_folder(), id, &again, &err) == 0);
  assert(json_equal(record, again) && unlink(fuzz_path(path, name)) == 0);
  json_decref(again);
  json_decref(record);
}

static void use_demand(const json_t *document)
{
  struct tm_error err = {0};
  if (demand_check(document, &err) < 0) {
    assert(err.text[0] != '\0');
    return;
  }
  for (int figure = DEMAND_EXPECTED; figure <= DEMAND_HIGH; figure++) {
    json_t *plan = demand_plan(document, (enum demand_figure)figure);
    assert(json_is_array(plan));
    json_decref(plan);
  }
  assert(demand_figure_of("middle") == DEMAND_MIDDLE && demand_figure_of("most") == -1);
}

static void use_shops(const uint8_t *data, size_t size, const json_t *summary)
{
  struct shops shops = {0};
  struct tm_error err = {0};
  char path[PATH_MAX];
  fuzz_file("shops.json", data, size);
  int rc = shops_load(&shops, fuzz_path(path, "shops.json"), &err);
  assert(rc == 0 || strstr(err.text, "shops.json") != NULL);
  if (rc == 0) {
    json_t *known = json_pack("{s:{s:s,s:s}}", "customer", "id", "C-1001", "site", "kobe-2");
    shops_of(&shops, known);
    shops_of(&shops, summary);
    json_decref(known);
  }
  shops_release(&shops);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  json_t *document = tm_json_parse((const char *)data + 1, size - 1, "input", NULL);
  if (data[0] % 4 == 3)
    use_shops(data + 1, size - 1, document);
  else if (document != NULL && data[0] % 4 == 0)
    use_inquiry(document);
  else if (document != NULL && data[0] % 4 == 1)
    use_answer(document);
  else if (document != NULL)
    use_demand(document);
  json_decref(document);
  return 0;
}
