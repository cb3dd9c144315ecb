/* SPDX-License-Identifier: MIT */
#include "contrib/desk/import/import_own.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CUSTOMER "SELECT 1 FROM customers WHERE customer_id = ?1"
#define STAFF    "SELECT 1 FROM staff WHERE staff = ?1"
#define SHOP     "SELECT 1 FROM shops WHERE shop = ?1"
#define ROLES    "sales service factory engineer admin"
#define KINDS    "disk_array media_library printer computer network"

/* --- customers ---------------------------------------------------------------------------- */

enum { PHONES = 7, EMAILS, NUMBERS };

static const struct column customers[] = {
    {.name = "id", .required = true, .max = 64},
    {.name = "name", .required = true, .max = 200},
    {.name = "region", .max = 100},
    {.name = "contact", .max = 200},
    {.name = "shop", .max = 64, .reference = SHOP},
    {.name = "language", .max = 16},
    {.name = "address", .max = 500},
    {.name = "phones", .type = CELL_LIST, .max = 2000},
    {.name = "emails", .type = CELL_LIST, .max = 2000},
    {.name = "numbers", .type = CELL_LIST, .max = 2000},
    {0},
};

/* As a caller's number or a sender's address will be compared. */
static void plain_address(char *text, bool is_phone)
{
  char *to = text;
  for (const char *p = text; *p != '\0'; p++) {
    if (!is_phone)
      *to++ = (char)tolower((unsigned char)*p);
    else if (isdigit((unsigned char)*p) || (*p == '+' && to == text))
      *to++ = *p;
  }
  *to = '\0';
}

static int put_address(struct db *db, const char *customer, const char *kind, const char *address,
                       struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "INSERT INTO addresses (customer_id, kind, address) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (kind, address, customer_id) DO NOTHING",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, customer);
  db_bind_text(stmt, 2, kind);
  db_bind_text(stmt, 3, address);
  return db_exec(stmt, err);
}

static int put_addresses(struct db *db, const struct row *row, struct tm_error *err)
{
  static const struct {
    size_t column;
    const char *kind;
  } lists[] = {{PHONES, "phone"}, {EMAILS, "email"}, {NUMBERS, "number"}};
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, "DELETE FROM addresses WHERE customer_id = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, row->cells[0]);
  rc = db_exec(stmt, err);
  for (size_t i = 0; rc == 0 && i < sizeof(lists) / sizeof(lists[0]); i++) {
    char *list = row->cells[lists[i].column] != NULL ? strdup(row->cells[lists[i].column]) : NULL;
    char *save = NULL;
    for (char *one = list != NULL ? strtok_r(list, ";", &save) : NULL; one != NULL && rc == 0;
         one = strtok_r(NULL, ";", &save)) {
      while (*one == ' ')
        one++;
      plain_address(one, lists[i].column == PHONES);
      if (*one != '\0')
        rc = put_address(db, row->cells[0], lists[i].kind, one, err);
    }
    free(list);
  }
  return rc;
}

/* --- the others --------------------------------------------------------------------------- */

static const struct column staff[] = {
    {.name = "staff", .required = true, .max = 64},
    {.name = "name", .required = true, .max = 200},
    {.name = "role", .required = true, .one_of = ROLES},
    {.name = "team", .max = 100},
    {.name = "region", .max = 100},
    {.name = "email", .max = 200},
    {.name = "phone", .max = 64},
    {.name = "stand_in", .max = 64},
    {.name = "left_on", .type = CELL_DATE},
    {0},
};

static const struct column absences[] = {
    {.name = "staff", .required = true, .max = 64, .reference = STAFF},
    {.name = "from", .type = CELL_DATE, .required = true},
    {.name = "to", .type = CELL_DATE, .required = true},
    {.name = "stand_in", .max = 64, .reference = STAFF},
    {0},
};

static const struct column assignments[] = {
    {.name = "staff", .required = true, .max = 64, .reference = STAFF},
    {.name = "role", .required = true, .one_of = ROLES},
    {.name = "customer", .max = 64, .reference = CUSTOMER},
    {.name = "site", .max = 64},
    {.name = "region", .max = 100},
    {.name = "kind", .one_of = KINDS},
    {0},
};

static const struct column shops[] = {
    {.name = "shop", .required = true, .max = 64},
    {.name = "name", .required = true, .max = 200},
    {.name = "kind", .one_of = "shop warehouse factory"},
    {.name = "region", .max = 100},
    {.name = "address", .max = 500},
    {.name = "phone", .max = 64},
    {0},
};

static const struct column stock[] = {
    {.name = "shop", .required = true, .max = 64, .reference = SHOP},
    {.name = "sku", .required = true, .max = 80},
    {.name = "quantity", .type = CELL_COUNT, .required = true, .max = 1000000},
    {0},
};

static const struct column lead_times[] = {
    {.name = "from", .max = 64, .reference = SHOP},
    {.name = "to", .max = 64, .reference = SHOP},
    {.name = "sku", .max = 80},
    {.name = "days", .type = CELL_COUNT, .required = true, .max = 730},
    {0},
};

const struct kind import_tables[] = {
    {.name = "customers",
     .columns = customers,
     .key = 1,
     .more = put_addresses,
     .put = "INSERT INTO customers (customer_id, name, region, contact, shop, language, address,"
            " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (customer_id) DO "
            "UPDATE SET"
            " name = excluded.name, region = excluded.region, contact = excluded.contact,"
            " shop = excluded.shop, language = excluded.language, address = excluded.address"},
    {.name = "staff",
     .columns = staff,
     .key = 1,
     .put = "INSERT INTO staff (staff, name, role, team, region, email, phone, stand_in, left_on)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (staff) DO UPDATE SET"
            " name = excluded.name, role = excluded.role, team = excluded.team,"
            " region = excluded.region, email = excluded.email, phone = excluded.phone,"
            " stand_in = excluded.stand_in, left_on = excluded.left_on"},
    {.name = "absences",
     .columns = absences,
     .key = 2,
     .clear = "DELETE FROM absences",
     .put = "INSERT INTO absences (staff, from_day, to_day, stand_in) VALUES (?1, ?2, ?3, ?4)"},
    {.name = "assignments",
     .columns = assignments,
     .key = 6,
     .clear = "DELETE FROM assignments",
     .put = "INSERT INTO assignments (staff, role, customer_id, site, region, kind)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    {.name = "shops",
     .columns = shops,
     .key = 1,
     .put = "INSERT INTO shops (shop, name, kind, region, address, phone)"
            " VALUES (?1, ?2, coalesce(?3, 'shop'), ?4, ?5, ?6) ON CONFLICT (shop) DO UPDATE SET"
            " name = excluded.name, kind = excluded.kind, region = excluded.region,"
            " address = excluded.address, phone = excluded.phone"},
    {.name = "stock",
     .columns = stock,
     .key = 2,
     .clear = "DELETE FROM stock",
     .put = "INSERT INTO stock (shop, sku, quantity, updated_at) VALUES (?1, ?2, ?3, ?4)"},
    {.name = "lead-times",
     .columns = lead_times,
     .key = 3,
     .clear = "DELETE FROM lead_times",
     .put = "INSERT INTO lead_times (from_shop, to_shop, sku, days)"
            " VALUES (coalesce(?1, ''), coalesce(?2, ''), coalesce(?3, ''), ?4)"},
    {0},
};
