/* SPDX-License-Identifier: MIT */
#include "exporters/chart.h"

#include "common/child.h"

#include <errno.h>
#include <string.h>

enum { TIMEOUT_S = 30 };

int chart_draw(struct tm_buf *png, const char *document, size_t len, struct tm_error *err)
{
  static const char magic[] = "\x89PNG\r\n\x1a\n";
  struct tm_child child = {
      .input = document, .input_len = len, .output = png, .timeout_s = TIMEOUT_S};
  int rc = tm_child_must("tidemark-graph", &child, err);
  if (rc < 0)
    return rc;
  if (png->len == 0)
    return tm_fail(err, -ENODATA, "nothing to draw");
  if (png->len < sizeof(magic) || memcmp(png->ptr, magic, sizeof(magic) - 1) != 0)
    return tm_fail(err, -EIO, "tidemark-graph: what it wrote is no picture");
  return 0;
}
