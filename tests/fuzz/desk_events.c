/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/intake/event.c contrib/desk/intake/mail.c */
/* The body of a push, as anybody who holds a token could send it: one event (first byte even), a
 * batch, or a mail with attachments. */
#include "contrib/desk/intake/event.h"
#include "contrib/desk/intake/mail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_mail(const char *data, size_t size)
{
  static struct mail_files files;
  mail_read(&files, data, size, NULL);
  for (size_t i = 0; i < files.len; i++)
    assert(strchr(files.list[i].name, '/') == NULL);
  mail_release(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const struct credential from = {.customer = "C-1001", .site = "osaka-1"};
  struct event *events = NULL;
  size_t n = 0;
  if (size == 0)
    return 0;
  /* Behind it there is nothing that may be read. */
  char *body = malloc(size);
  memcpy(body, data + 1, size - 1);
  if (data[0] % 3 == 2)
    read_mail(body, size - 1);
  else if (events_split(body, size - 1, data[0] % 3 == 1, &events, &n, NULL) == 0) {
    for (size_t i = 0; i < n; i++) {
      struct event *e = &events[i];
      event_read(e, &from, 1795136400);
      assert(e->bytes >= body && e->bytes + e->len <= body + size - 1);
      assert(e->status == EVENT_REFUSED || e->data_at + e->data_len <= e->len);
      assert(e->status != EVENT_REFUSED || e->error[0] != '\0');
      for (size_t d = 1; e->status != EVENT_REFUSED && d < e->days_len; d++)
        assert(e->days[d - 1].date <= e->days[d].date);
    }
    events_free(events, n);
  }
  free(body);
  return 0;
}
