/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_FUZZ_DESK_H
#define TM_TESTS_FUZZ_DESK_H

#include "contrib/desk/advice/advise.h"
#include "contrib/desk/import/import.h"
#include "contrib/desk/intake/event.h"
#include "contrib/desk/intake/keep.h"
#include "contrib/desk/intake/site.h"
#include "contrib/desk/people/accounts.h"
#include "tests/lib/fuzz_folder.h"

#include <jansson.h>

/*
 * A desk's database with two customers, for fuzz targets of what writes into it. After an input
 * that may have written it is put back as it was, so that each input finds the same rows: a finding
 * is seen again.
 */
#define FUZZ_NOW      1795136400 /* 2026-11-20T01:00:00Z, an hour after the samples */
#define FUZZ_CUSTOMER "C-1001"
#define FUZZ_OTHER    "C-2002"
#define FUZZ_APART    "Kept-Apart" /* in all that belongs to the other customer, and nowhere else */

static struct store *fuzz_store;

static inline void fuzz_must(int rc, const struct tm_error *err)
{
  if (rc >= 0)
    return;
  fprintf(stderr, "%s\n", err->text);
  abort();
}

static inline void fuzz_store_open(void)
{
  char url[PATH_MAX + 16];
  struct tm_error err = {0};
  snprintf(url, sizeof(url), "sqlite:%s/desk.db", fuzz_folder());
  const struct store_settings settings = {.url = url, .connections = 1};
  fuzz_must(store_open(&fuzz_store, &settings, &err), &err);
}

static inline void fuzz_import(const char *kind, const char *text)
{
  struct faults faults = {0};
  struct tm_error err = {0};
  struct import_result result = {0};
  char path[PATH_MAX];
  fuzz_file("table.csv", text, strlen(text));
  int rc = import_file(fuzz_store, kind, fuzz_path(path, "table.csv"), FUZZ_NOW, "test", &result,
                       &faults, &err);
  fuzz_must(rc, faults.n > 0 ? &faults.shown[0] : &err);
}

/* The sample summary as a device of a customer. */
static inline void fuzz_summary(const char *customer, const char *site, const char *host)
{
  struct tm_error err = {0};
  struct credential from = {.id = customer[2] == '1' ? 1 : 2};
  struct event *events = NULL;
  size_t n = 0;
  json_t *requests = NULL, *tenant;
  json_t *data = json_load_file("contrib/schema/samples/summary.json", 0, NULL);
  snprintf(from.customer, sizeof(from.customer), "%s", customer);
  snprintf(from.site, sizeof(from.site), "%s", site);
  tenant = json_object_get(data, "customer");
  json_object_set_new(tenant, "id", json_string(customer));
  json_object_set_new(tenant, "name", json_string(host));
  json_object_set_new(tenant, "site", json_string(site));
  json_object_set_new(tenant, "host", json_string(host));
  json_t *event = json_pack("{s:s,s:s,s:o,s:s,s:o}", "specversion", "1.0", "id", host, "source",
                            json_sprintf("/customers/%s/sites/%s", customer, site), "type",
                            "tidemark.summary.v1", "data", data);
  char *body = json_dumps(event, JSON_COMPACT);
  if (body == NULL)
    abort();
  fuzz_must(events_split(body, strlen(body), false, &events, &n, &err), &err);
  event_read(&events[0], &from, FUZZ_NOW);
  if (events[0].status == EVENT_REFUSED) {
    fprintf(stderr, "%s: %s\n", events[0].field, events[0].error);
    abort();
  }
  fuzz_must(keep_events(fuzz_store, &from, events, n, FUZZ_NOW, &requests, &err), &err);
  events_free(events, n);
  json_decref(requests);
  json_decref(event);
  free(body);
}

static inline void fuzz_site(const char *customer, const char *name, const char *site)
{
  struct tm_error err = {0};
  struct site s = {.customer = customer,
                   .site = site,
                   .customer_name = name,
                   .target = "desk",
                   .url = "https://desk.example.com/api/v1/events",
                   .now = FUZZ_NOW - 1000,
                   .valid_until = FUZZ_NOW + 1000000};
  fuzz_must(store_write(fuzz_store, &db_everyone, site_add, &s, &err), &err);
  json_decref(s.result);
}

static inline void fuzz_account(const char *login, const char *role, const char *customer,
                                const char *staff)
{
  struct tm_error err = {0};
  struct account a = {.login = login,
                      .name = login,
                      .role = role,
                      .customer = customer,
                      .staff = staff,
                      .now = FUZZ_NOW,
                      .by = "test",
                      .by_role = "admin",
                      .address = "127.0.0.1"};
  fuzz_must(store_write(fuzz_store, &db_everyone, account_add, &a, &err), &err);
}

static inline void fuzz_desk_copy(const char *from, const char *to)
{
  char path[PATH_MAX], bytes[65536];
  ssize_t n;
  int in = open(fuzz_path(path, from), O_RDONLY | O_CLOEXEC);
  int out = open(fuzz_path(path, to), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (in < 0 || out < 0)
    abort();
  while ((n = read(in, bytes, sizeof(bytes))) > 0)
    if (write(out, bytes, (size_t)n) != n)
      abort();
  close(in);
  close(out);
}

/* Once. */
static inline void fuzz_desk_make(void)
{
  struct tm_error err = {0};
  char path[PATH_MAX];
  struct faults faults = {0};
  struct import_result result = {0};
  int done = 0;
  fuzz_store_open();
  fuzz_site(FUZZ_CUSTOMER, "Example KK", "osaka-1");
  fuzz_site(FUZZ_OTHER, FUZZ_APART " customer", "far-1");
  fuzz_import("shops", "shop,name,kind\nOSA,Osaka,shop\nFAC,Factory,factory\n");
  fuzz_import("staff", "staff,name,role,region,email\ns1,Hanako Sato,sales,west,h@example.com\n"
                       "v1,Ken Mori,service,west,k@example.com\n");
  fuzz_import("assignments", "staff,role,customer\ns1,sales,C-1001\nv1,service,C-1001\n");
  fuzz_import("stock", "shop,sku,quantity\nOSA,SHELF-20T,3\nFAC,SHELF-20T,40\n");
  fuzz_must(import_file(fuzz_store, "catalogue", "contrib/schema/samples/catalogue.json", FUZZ_NOW,
                        "test", &result, &faults, &err),
            &err);
  fuzz_summary(FUZZ_CUSTOMER, "osaka-1", "nas-gw.example.com");
  fuzz_summary(FUZZ_OTHER, "far-1", FUZZ_APART ".example.com");
  struct adviser *adviser = adviser_new(fuzz_store);
  fuzz_must(adviser_work(adviser, FUZZ_NOW + 600, 10, &done, &err), &err);
  adviser_free(adviser);
  fuzz_account("sales@example.com", "sales", NULL, "s1");
  fuzz_account("service@example.com", "service", NULL, "v1");
  fuzz_account("factory@example.com", "factory", NULL, NULL);
  fuzz_account("engineer@example.com", "engineer", NULL, NULL);
  fuzz_account("customer@example.com", "customer", FUZZ_CUSTOMER, NULL);
  fuzz_account("admin@example.com", "admin", NULL, NULL);
  fuzz_must(store_backup(fuzz_store, fuzz_path(path, "clean.db"), &err), &err);
}

static inline void fuzz_desk_put_back(void)
{
  char path[PATH_MAX];
  store_close(fuzz_store);
  unlink(fuzz_path(path, "desk.db-wal"));
  unlink(fuzz_path(path, "desk.db-shm"));
  fuzz_desk_copy("clean.db", "desk.db");
  fuzz_store_open();
}

#endif
