/* SPDX-License-Identifier: MIT */
/* covers: analyzer/catalogue.c analyzer/catalogue_query.c analyzer/price.c common/json_check.c */
/* A catalogue of any bytes is read or refused, and what was read can be asked. */
#include "analyzer/catalogue.h"

#include "tests/lib/fuzz_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct catalogue c = {0};
  struct tm_error err = {0};
  char path[PATH_MAX];
  fuzz_file("catalogue.json", data, size);
  if (catalogue_load(&c, fuzz_path(path, "catalogue.json"), &err) == 0) {
    char text[64];
    for (size_t i = 0; i < c.n; i++) {
      catalogue_price_text(text, sizeof(text), &c, catalogue_current(&c.items[i])->price);
      json_decref(catalogue_price_json(&c, c.items[i].price));
    }
    json_t *product = json_pack("{s:s, s:s}", "kind", "printer", "model", "PX-900");
    catalogue_model_of(&c, product);
    json_decref(product);
  }
  catalogue_release(&c);
  return 0;
}
