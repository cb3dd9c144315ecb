/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_recipe.h"

#include <fnmatch.h>
#include <string.h>

static const struct rrd_role disk_array[] = {
    {.file = "capacity-used", .use = RRD_USED, .unit = "bytes"},
    {.file = "capacity-total", .use = RRD_CAPACITY},
    {.file = "interval_count-transfers", .use = RRD_COUNT, .unit = "transfers"},
    {.file = "transfers-completed", .use = RRD_RATE, .unit = "transfers"},
    {.file = "capacity-*", .use = RRD_LEVEL},
    {.file = NULL}};

static const struct rrd_role media_library[] = {
    {.file = "capacity-used", .use = RRD_USED, .unit = "bytes"},
    {.file = "slots-used", .use = RRD_USED, .unit = "slots"},
    {.file = "capacity-total", .use = RRD_CAPACITY, .unit = "bytes"},
    {.file = "slots-total", .use = RRD_CAPACITY, .unit = "slots"},
    {.file = "interval_count-transfers", .use = RRD_COUNT, .unit = "transfers"},
    {.file = "transfers-completed", .use = RRD_RATE, .unit = "transfers"},
    {.file = "drives-*", .use = RRD_LEVEL},
    {.file = "capacity-*", .use = RRD_LEVEL},
    {.file = NULL}};

static const struct rrd_role printer[] = {
    {.file = "interval_count-pages", .use = RRD_COUNT, .unit = "pages"},
    {.file = "pages-total", .use = RRD_RATE, .unit = "pages"},
    {.file = "supply_level-*", .use = RRD_FOLLOWED},
    {.file = "supply_max-*", .use = RRD_LEVEL},
    {.file = "tray_level-*", .use = RRD_LEVEL},
    {.file = "page_count-*", .use = RRD_LEVEL},
    {.file = NULL}};

static const struct rrd_role df[] = {{.file = "df_complex-used", .use = RRD_USED, .unit = "bytes"},
                                     {.file = "df_complex-free", .use = RRD_FREE},
                                     {.file = NULL}};

static const struct rrd_role disk[] = {
    {.file = "disk_ops", .use = RRD_RATE, .unit = "transfers", .ds = "write"}, {.file = NULL}};

static const struct rrd_role interface[] = {{.file = "if_octets",
                                             .use = RRD_RATE,
                                             .unit = "bytes",
                                             .pick = RRD_LARGER,
                                             .ds = "rx",
                                             .ds2 = "tx"},
                                            {.file = NULL}};

static const struct rrd_role load[] = {
    {.file = "load", .use = RRD_RATE, .unit = "load", .ds = "shortterm"}, {.file = NULL}};

/* Ticks of a processor are hundredths of a second, so that its rate is a percentage already. */
static const struct rrd_role cpu[] = {
    {.file = "percent-idle", .use = RRD_RATE, .unit = "percent", .pick = RRD_COMPLEMENT},
    {.file = "cpu-idle", .use = RRD_RATE, .unit = "percent", .pick = RRD_COMPLEMENT},
    {.file = NULL}};

static const struct rrd_recipe recipes[] = {
    {"disk_array", SERIES_DISK_ARRAY, true, disk_array},
    {"media_library", SERIES_MEDIA_LIBRARY, true, media_library},
    {"printer", SERIES_PRINTER, true, printer},
    {"df", SERIES_COMPUTER, false, df},
    {"disk", SERIES_COMPUTER, false, disk},
    {"load", SERIES_COMPUTER, false, load},
    {"cpu", SERIES_COMPUTER, false, cpu},
    {"interface", SERIES_NETWORK, false, interface}};

/* A file that was given alone: what fills up, if it says how much of something there is. */
static const struct rrd_role loose[] = {
    {.file = "interval_count-*", .use = RRD_COUNT, .unit = "transfers"},
    {.file = "transfers-*", .use = RRD_RATE, .unit = "transfers"},
    {.file = "pages-*", .use = RRD_RATE, .unit = "pages"},
    {.file = "disk_ops", .use = RRD_RATE, .unit = "transfers", .ds = "write"},
    {.file = "if_octets",
     .use = RRD_RATE,
     .unit = "bytes",
     .pick = RRD_LARGER,
     .ds = "rx",
     .ds2 = "tx"},
    {.file = "slots-*", .use = RRD_USED, .unit = "slots"},
    {.file = "*", .use = RRD_USED, .unit = "bytes"},
    {.file = NULL}};
static const struct rrd_recipe loose_recipe = {"", SERIES_COMPUTER, false, loose};

const struct rrd_recipe *rrd_recipe_for(const char *folder)
{
  size_t n = strcspn(folder, "-");
  for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
    if (strncmp(recipes[i].plugin, folder, n) == 0 && recipes[i].plugin[n] == '\0')
      return &recipes[i];
  return NULL;
}

const struct rrd_recipe *rrd_recipe_at(size_t i)
{
  return i < sizeof(recipes) / sizeof(recipes[0]) ? &recipes[i] : NULL;
}

const struct rrd_recipe *rrd_recipe_loose(void)
{
  return &loose_recipe;
}

const char *rrd_recipe_instance(const struct rrd_recipe *r, const char *folder)
{
  size_t n = strlen(r->plugin);
  return folder[n] == '-' ? folder + n + 1 : "";
}

const char *rrd_recipe_device(const struct rrd_recipe *r, const char *folder)
{
  const char *instance = r->by_instance ? rrd_recipe_instance(r, folder) : "";
  return instance[0] != '\0' ? instance : folder;
}

const struct rrd_role *rrd_recipe_role(const struct rrd_recipe *r, const char *file)
{
  size_t n = strlen(file);
  if (n < 4 || strcmp(file + n - 4, ".rrd") != 0)
    return NULL;
  n -= 4;
  for (const struct rrd_role *role = r->roles; role->file != NULL; role++) {
    size_t len = strlen(role->file);
    if (role->file[len - 1] == '*') {
      if (n >= len - 1 && memcmp(role->file, file, len - 1) == 0)
        return role;
    } else if (n == len && memcmp(role->file, file, n) == 0) {
      return role;
    }
  }
  return NULL;
}

bool rrd_recipe_is_history(const char *file)
{
  size_t n = strlen(file);
  return n > 4 && strcmp(file + n - 4, ".rrd") == 0 && file[0] != '.' &&
         strcmp(file, RRD_FORECAST_FILE) != 0;
}

bool rrd_recipe_is_hidden(const char *folder)
{
  /* collectd's df plugin names a folder by the mount point, '/' made '-', or by the device. */
  static const char *const hidden[] = {"run",
                                       "run-*",
                                       "dev",
                                       "dev-*",
                                       "sys-*",
                                       "proc-*",
                                       "snap-*",
                                       "var-snap-*",
                                       "tmpfs",
                                       "udev",
                                       "shm",
                                       "none",
                                       "overlay",
                                       "overlay*",
                                       "loop*",
                                       "ram*",
                                       "zram*",
                                       "cdrom*",
                                       "media-cdrom*",
                                       "var-lib-docker-*",
                                       "var-lib-containers-*",
                                       "var-lib-kubelet-*",
                                       "var-lib-lxcfs*",
                                       "rootfs"};
  if (strncmp(folder, "df-", 3) != 0)
    return false;
  for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
    if (fnmatch(hidden[i], folder + 3, 0) == 0)
      return true;
  return false;
}
