/* SPDX-License-Identifier: MIT */
#include "contrib/desk/public/whose.h"

#include "common/json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* As addresses are kept: without blanks around, in lower case. */
static void plain(char *out, size_t size, const char *text)
{
  size_t n = 0;
  text = text != NULL ? text : "";
  text += strspn(text, " \t\r\n");
  for (; *text != '\0' && n + 1 < size; text++)
    out[n++] = (char)tolower((unsigned char)*text);
  while (n > 0 && isspace((unsigned char)out[n - 1]))
    n--;
  out[n] = '\0';
}

int whose_candidates(struct db *db, const char *number, const char *email, json_t **rows,
                     struct tm_error *err)
{
  char plain_number[256], plain_email[256];
  struct db_stmt *stmt = NULL;
  plain(plain_number, sizeof(plain_number), number);
  plain(plain_email, sizeof(plain_email), email);
  int rc = db_prepare(
      db,
      "SELECT c.customer_id, c.name, c.region, f.by_what AS \"by\" FROM ("
      " SELECT customer_id, 'number' AS by_what FROM customers WHERE lower(customer_id) = ?1"
      " UNION SELECT customer_id, 'number' FROM addresses WHERE kind = 'number' AND address = ?1"
      " UNION SELECT customer_id, 'email' FROM addresses WHERE kind = 'email' AND address = ?2"
      " UNION SELECT customer_id, 'email' FROM users WHERE login = ?2 AND role = 'customer'"
      ") f JOIN customers c ON c.customer_id = f.customer_id WHERE c.deleted_at IS NULL"
      " ORDER BY c.customer_id, f.by_what LIMIT 20",
      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, plain_number);
  db_bind_text(stmt, 2, plain_email);
  return db_take_rows(stmt, rows, err);
}

/* The one customer that the rows of a kind lead to; *n counts how many different ones. */
static const char *only(const json_t *rows, const char *by, int *n)
{
  const char *customer = NULL;
  size_t i;
  const json_t *row;
  *n = 0;
  json_array_foreach(rows, i, row)
  {
    const char *id = tm_json_get_string(row, "customer_id");
    if (strcmp(tm_json_get_string(row, "by"), by) != 0 ||
        (customer != NULL && strcmp(customer, id) == 0))
      continue;
    customer = id;
    ++*n;
  }
  return *n == 1 ? customer : NULL;
}

int whose_find(struct db *db, const char *number, const char *email, struct whose *out,
               struct tm_error *err)
{
  char typed[8];
  json_t *rows = NULL;
  int by_number, by_email;
  *out = (struct whose){0};
  plain(typed, sizeof(typed), number);
  int rc = whose_candidates(db, number, email, &rows, err);
  if (rc < 0)
    return rc;
  const char *of_number = only(rows, "number", &by_number);
  const char *of_email = only(rows, "email", &by_email);
  const char *customer = NULL;
  if (typed[0] == '\0')
    customer = of_email;
  else if (of_number != NULL &&
           (by_email == 0 || (of_email != NULL && strcmp(of_email, of_number) == 0)))
    customer = of_number;
  if (customer != NULL) {
    snprintf(out->customer, sizeof(out->customer), "%s", customer);
    out->found_by = typed[0] == '\0' ? "email" : "number";
  }
  json_decref(rows);
  return 0;
}
