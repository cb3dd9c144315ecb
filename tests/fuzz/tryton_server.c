/* SPDX-License-Identifier: MIT */
/* covers: exporters/tryton/rpc.c exporters/tryton/stock.c exporters/tryton/product.c
 * exporters/tryton/party.c */
/* wraps: tm_http_do chart_draw */
/* A Tryton server that answers whatever it likes: to leads, to a reading back, to an inquiry with
 * its reservation, to an issue of demand. The first byte says which of them. */
#include "exporters/chart.h"
#include "exporters/target.h"
#include "exporters/tryton/forecast.h"
#include "exporters/tryton/reserve.h"
#include "exporters/tryton/writer.h"
#include "tests/lib/fuzz_folder.h"
#include "tests/lib/fuzz_server.h"

#include <assert.h>
#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_chart_draw(struct tm_buf *png, const char *document, size_t len, struct tm_error *err);

/* A program of its own draws them, which is no matter here. */
int __wrap_chart_draw(struct tm_buf *png, const char *document, size_t len, struct tm_error *err)
{
  (void)document;
  (void)len;
  (void)err;
  return tm_buf_puts(png, "png");
}

static const char event[] =
    "{\"data\":{\"schema\":\"tidemark.summary/1\",\"generated_at\":\"2026-11-20T00:05:00Z\","
    "\"customer\":{\"id\":\"C-1001\",\"name\":\"Minato\",\"site\":\"osaka-1\"},"
    "\"product\":{\"device\":\"array-01\",\"model\":\"TA-200\",\"serial\":\"S1\"},"
    "\"status\":{\"observed_at\":\"2026-11-20T00:05:00Z\",\"capacity_bytes\":100,\"used_bytes\":80}"
    ","
    "\"forecast\":{\"model\":\"trend\",\"fill\":{\"0.1\":\"2027-01-01T00:00:00Z\","
    "\"0.5\":\"2027-02-01T00:00:00Z\",\"0.9\":\"2027-04-01T00:00:00Z\"}},"
    "\"recommendations\":[{\"key\":\"C-1001/a/grow\",\"action\":\"grow\",\"reason\":\"full soon\","
    "\"lines\":[{\"sku\":\"SHELF-20T\",\"quantity\":2,\"price\":{\"amount\":\"10\",\"currency\":"
    "\"EUR\"}}],\"price\":{\"amount\":\"20\",\"currency\":\"EUR\"},\"order_by\":\"2027-01-11\","
    "\"confidence\":0.8}]}}";

static void send(const struct tm_conf_target *conf, bool read_back)
{
  struct tm_error err = {0};
  struct target_outcome out;
  void *state = NULL;
  struct target_item item = {.key = "k1",
                             .kind = "summary",
                             .device = "gw/array-01",
                             .sha256 =
                                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                             .body = event,
                             .body_len = sizeof(event) - 1};
  if (target_tryton_ops.open(&state, conf, &err) < 0)
    abort();
  target_tryton_ops.send(state, &item, 1, 1795133100, &out);
  assert(item.result == TARGET_ACCEPTED || item.reason[0] != '\0');
  assert(out.health == TARGET_UP || out.error.code != 0);
  if (read_back)
    target_tryton_ops.poll(state, 1795133100, &out);
  target_tryton_ops.close(state);
}

static void reserve(struct stock *stock)
{
  struct tm_error err = {0};
  json_t *numbers = NULL;
  json_t *lines = json_pack("[{s:s,s:i,s:{s:s,s:s,s:i}}]", "sku", "SHELF-20T", "quantity", 2, "at",
                            "shop", "OSA", "on", "2026-11-25", "quantity", 2);
  size_t n = 0;
  if (reserve_make(stock, "Q-1", lines, 20777, &numbers, &err) == 0)
    json_decref(numbers);
  reserve_release(stock->rpc, "Q-1", &n, &err);
  json_decref(lines);
}

static void issue(struct stock *stock)
{
  struct tm_error err = {0};
  struct forecast_counts counts;
  json_t *warnings = json_array();
  json_t *plan = json_pack("[{s:s,s:s,s:{s:{s:i,s:i,s:i,s:i,s:f}}}, {s:n,s:s,s:{s:{s:i}}}]", "shop",
                           "OSA", "from", "2026-11-23", "lines", "SHELF-20T", "pieces", 2, "low", 0,
                           "middle", 2, "high", 4, "expected", 1.5, "shop", "from", "2026-11-30",
                           "lines", "SHELF-20T", "pieces", 1);
  assert(plan != NULL);
  forecast_issue(stock, plan, "2026-11-23", "Tidemark demand, issue 1", &counts, warnings, &err);
  json_decref(plan);
  json_decref(warnings);
}

static void ask_factory(const struct tm_conf_target *conf, bool demand)
{
  struct writer w;
  struct stock stock;
  struct handover_goods goods;
  struct tm_error err = {0};
  size_t shop;
  if (writer_open(&w, conf, &err) < 0)
    abort();
  int rc = stock_load(&stock, w.rpc, conf->factory, &err);
  assert(rc == 0 || (err.code == rc && err.text[0] != '\0'));
  if (rc == 0 && stock_shop(&stock, "OSA", &shop, &err) == 0 &&
      stock_goods(&stock, "SHELF-20T", &goods, &err) == 0) {
    struct handover found;
    handover_find(&found, &goods, shop, 2);
    stock_factory(&stock, &shop, &err);
    if (demand)
      issue(&stock);
    else
      reserve(&stock);
  }
  stock_release(&stock);
  writer_close(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char password[PATH_MAX];
  if (size == 0)
    return 0;
  if (password[0] == '\0')
    fuzz_file("password", "secret\n", 7);
  fuzz_path(password, "password");
  struct tm_conf_target conf = {.name = "erp",
                                .url = "http://127.0.0.1:1/erp/",
                                .user = "tidemark",
                                .password_file = password,
                                .state_dir = fuzz_folder(),
                                .factory = data[0] & 8 ? "FAC" : NULL,
                                .create_parties = (data[0] & 4) == 0,
                                .timeout_s = 5};
  char known[PATH_MAX];
  unlink(fuzz_path(known, "export/erp.opportunities.json")); /* what an earlier input made known */
  fuzz_server_start(data + 1, size - 1);
  if (data[0] & 1)
    ask_factory(&conf, (data[0] & 2) != 0);
  else
    send(&conf, (data[0] & 2) != 0);
  return 0;
}
