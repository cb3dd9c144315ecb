/* SPDX-License-Identifier: MIT */
#include "exporters/signature.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/number.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { MAX_HEADERS = 4096 };

/* The value of one; false when it is not there, or stands twice. */
static bool header_of(const char *text, const char *name, char *out, size_t size)
{
  size_t len = strlen(name);
  bool found = false;
  for (const char *line = text; line != NULL && *line != '\0';) {
    size_t n = strcspn(line, "\r\n");
    if (n > len && strncasecmp(line, name, len) == 0 && line[len] == ':') {
      const char *value = line + len + 1 + strspn(line + len + 1, " \t");
      size_t m = (size_t)(line + n - value);
      if (found || value > line + n || m >= size)
        return false;
      memcpy(out, value, m);
      out[m] = '\0';
      found = true;
    }
    line += n;
    line += strspn(line, "\r\n");
  }
  return found;
}

int signature_read(struct signature *s, const char *path, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(MAX_HEADERS);
  char timestamp[32];
  *s = (struct signature){0};
  int rc = tm_file_read(path, &text, err);
  const char *all = text.ptr != NULL ? text.ptr : "";
  if (rc == 0 && (!header_of(all, "webhook-id", s->id, sizeof(s->id)) ||
                  !header_of(all, "webhook-timestamp", timestamp, sizeof(timestamp)) ||
                  !header_of(all, "webhook-signature", s->value, sizeof(s->value))))
    rc = tm_fail(err, -EBADMSG,
                 "%s: webhook-id, webhook-timestamp and webhook-signature are wanted, once each",
                 path);
  if (rc == 0 && tm_parse_i64(timestamp, INT64_MIN, INT64_MAX, &s->timestamp) < 0)
    rc = tm_fail(err, -EBADMSG, "%s: webhook-timestamp: '%s' is no number of seconds", path,
                 timestamp);
  tm_buf_release(&text);
  return rc;
}
