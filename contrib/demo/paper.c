/* SPDX-License-Identifier: MIT */
#include "contrib/demo/paper.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Every registration begins with this, so that nobody takes the fleet for a real one. */
#define SYNTHETIC "SYNTHETIC demonstration data: "

static int write_text(const char *path, const struct tm_buf *text, mode_t mode,
                      struct tm_error *err)
{
  return tm_file_write(path, text->ptr, text->len, mode, err);
}

static const char *kind_of(const struct device *d)
{
  static const char *const kinds[] = {[DEVICE_ARRAY] = "disk_array",
                                      [DEVICE_LIBRARY] = "media_library",
                                      [DEVICE_PRINTER] = "printer",
                                      [DEVICE_COMPUTER] = "computer",
                                      [DEVICE_LINK] = "network"};
  return kinds[d->kind];
}

static json_t *bytes_or_null(double bytes)
{
  return bytes > 0 ? tm_json_number(bytes) : json_null();
}

static json_t *registration_of(const struct site *site, const struct device *d, int64_t first)
{
  char sold_on[TM_DATE_SIZE];
  char configuration[256];
  tm_date_format(sold_on, first - (int64_t)d->sold_days * TM_DAY);
  snprintf(configuration, sizeof(configuration), SYNTHETIC "%s", d->configuration);
  return json_pack(
      "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:o, s:o, s:[{s:s, "
      "s:s}]}",
      "schema", "tidemark.registration/1", "device", d->name, "host", site->host, "kind",
      kind_of(d), "vendor", d->vendor, "model", d->model, "product_number", d->product_number,
      "serial", d->serial, "sold_on", sold_on, "price", "amount", d->price, "currency", "JPY",
      "configuration", configuration, "capacity_bytes_sold",
      bytes_or_null(d->growth.capacity_tib * TIB), "cache_bytes", bytes_or_null(d->cache_gib * GIB),
      "software", "name", "firmware", "version", d->firmware);
}

static int registration_write(const char *dir, const struct site *site, const struct device *d,
                              int64_t first, struct tm_error *err)
{
  char path[PATH_MAX];
  struct tm_buf text = TM_BUF_INIT(65536);
  json_t *paper = registration_of(site, d, first);
  int rc = -ENOMEM;
  snprintf(path, sizeof(path), "%s/products.d/%s", dir, site->host);
  if (paper == NULL || tm_json_append(&text, paper) < 0 || tm_buf_puts(&text, "\n") < 0) {
    tm_fail(err, rc, "%s: out of memory", path);
    goto out;
  }
  rc = tm_dir_make(path, 0755, err);
  if (rc < 0)
    goto out;
  snprintf(path, sizeof(path), "%s/products.d/%s/%s.json", dir, site->host, d->name);
  rc = write_text(path, &text, 0644, err);
out:
  json_decref(paper);
  tm_buf_release(&text);
  return rc;
}

static int configuration_write(const char *dir, const struct site *site, const char *catalogue,
                               struct tm_error *err)
{
  char path[PATH_MAX];
  struct tm_buf text = TM_BUF_INIT(65536);
  snprintf(path, sizeof(path), "%s/tidemark.conf", dir);
  int rc = tm_buf_printf(
      &text,
      "# SYNTHETIC demonstration data: this customer and its devices do not exist.\n"
      "role = \"site\"\n"
      "customer { id = \"%s\"  name = \"%s\" }\n"
      "site     { name = \"%s\"  timezone = \"%s\" }\n"
      "paths    { data = \"%s/rrd\"  state = \"%s/state\"  spool = \"%s/spool\" }\n"
      "products  = \"%s/products.d\"\n"
      "target box { type = \"file\"  directory = \"%s/outbox\"  secret_file = \"%s/secret\"\n"
      "             purposes = { \"sales\", \"service\" } }\n",
      site->customer, site->customer_name, site->name, site->timezone, dir, dir, dir, dir, dir,
      dir);
  if (rc == 0 && catalogue != NULL)
    rc = tm_buf_printf(&text, "catalogue = \"%s\"\n", catalogue);
  if (rc < 0)
    tm_fail(err, rc, "%s: %s", path, strerror(-rc));
  else
    rc = write_text(path, &text, 0644, err);
  tm_buf_release(&text);
  return rc;
}

int paper_write(const char *dir, const struct site *site, const char *catalogue, int64_t first,
                struct tm_error *err)
{
  /* "no secret: demonstration" in base64: it signs synthetic data into a folder of its own. */
  static const char secret[] = "whsec_bm8gc2VjcmV0OiBkZW1vbnN0cmF0aW9u\n";
  static const char *const folders[] = {"state", "spool", "outbox"};
  char path[PATH_MAX];
  int rc = tm_dir_make(dir, 0755, err);
  for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
    snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
    rc = tm_dir_make(path, 0700, err);
  }
  for (const struct device *d = site->devices; rc == 0 && d->name != NULL; d++)
    rc = registration_write(dir, site, d, first, err);
  snprintf(path, sizeof(path), "%s/secret", dir);
  if (rc == 0)
    rc = tm_file_write(path, secret, sizeof(secret) - 1, 0600, err);
  return rc == 0 ? configuration_write(dir, site, catalogue, err) : rc;
}
