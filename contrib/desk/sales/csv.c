/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/csv.h"

#include <string.h>

static const json_t *member(const json_t *row, const char *path)
{
  char name[64];
  while (row != NULL) {
    size_t len = strcspn(path, ".");
    if (len >= sizeof(name))
      return NULL;
    memcpy(name, path, len);
    name[len] = '\0';
    row = json_object_get(row, name);
    if (path[len] == '\0')
      break;
    path += len + 1;
  }
  return row;
}

static int put_text(struct tm_buf *out, const char *text)
{
  int rc = tm_buf_puts(out, "\"");
  if (rc == 0 && text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL)
    rc = tm_buf_puts(out, "'");
  for (; rc == 0 && *text != '\0'; text++)
    rc = *text == '"' ? tm_buf_puts(out, "\"\"") : tm_buf_add(out, text, 1);
  return rc == 0 ? tm_buf_puts(out, "\"") : rc;
}

static int put_value(struct tm_buf *out, const json_t *value)
{
  if (json_is_string(value))
    return put_text(out, json_string_value(value));
  if (json_is_integer(value))
    return tm_buf_printf(out, "%lld", (long long)json_integer_value(value));
  if (json_is_real(value))
    return tm_buf_printf(out, "%.15g", json_real_value(value));
  if (json_is_boolean(value))
    return tm_buf_puts(out, json_is_true(value) ? "true" : "false");
  return 0;
}

static int put_head(struct tm_buf *out, const struct csv_column *columns)
{
  int rc = 0;
  for (const struct csv_column *c = columns; c->head != NULL && rc == 0; c++) {
    rc = c == columns ? 0 : tm_buf_puts(out, ",");
    rc = rc == 0 ? put_text(out, c->head) : rc;
  }
  return rc == 0 ? tm_buf_puts(out, "\r\n") : rc;
}

int csv_table(struct tm_buf *out, const struct csv_column *columns, const json_t *rows)
{
  int rc = out->len == 0 ? put_head(out, columns) : 0;
  size_t i;
  const json_t *row;
  json_array_foreach(rows, i, row)
  {
    for (const struct csv_column *c = columns; c->head != NULL && rc == 0; c++) {
      rc = c == columns ? 0 : tm_buf_puts(out, ",");
      rc = rc == 0 ? put_value(out, member(row, c->path)) : rc;
    }
    rc = rc == 0 ? tm_buf_puts(out, "\r\n") : rc;
    if (rc != 0)
      break;
  }
  return rc;
}
