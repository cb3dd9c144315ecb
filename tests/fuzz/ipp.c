/* SPDX-License-Identifier: MIT */
/* covers: plugins/source/ipp_answer.c */
/* An IPP answer, from the first look at it to the reading's JSON. */
#include "plugins/source/ipp_answer.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct reading r;
  static int asked; /* what a printer is asked, once */
  for (int counters = 0; asked == 0 && counters < 2; counters++) {
    struct tm_buf question = TM_BUF_INIT(65536);
    if (ipp_make_request(&question, "ipp://printer.example.com/ipp/print", 20, counters) < 0)
      abort();
    tm_buf_release(&question);
  }
  asked = 1;
  reading_init(&r, READING_PRINTER);
  if (ipp_read_answer(data, size, "printer", &r, NULL) == 0) {
    json_t *o = reading_to_json(&r);
    if (o == NULL)
      abort();
    json_decref(o);
  }
  reading_release(&r);
  static const char *const items[] = {
      "pages_total", "pages_color", "printer_state", "console_message", "", NULL};
  ipp_read_items(data, size, "printer", items, &r, NULL);
  reading_release(&r);
  return 0;
}
