/* SPDX-License-Identifier: MIT */
/* covers: analyzer/source/rrd_file.c analyzer/source/rrd_header.c analyzer/source/rrd_level.c
 * analyzer/source/rrd_measure.c analyzer/source/rrd_device.c */
/* The reader of RRD files, as a device of each kind reads them: levels, counts, rates, all headers.
 */
#include "analyzer/source/rrd_device.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KINDS 4
static char folder[] = "/tmp/tidemark-fuzz-XXXXXX";
static const char *const kind[KINDS] = {"disk_array-a", "interface-b", "printer-c", "df-root"};
static const char *const file[KINDS][4] = {{"capacity-used.rrd", "capacity-total.rrd",
                                            "interval_count-transfers.rrd",
                                            "transfers-completed.rrd"},
                                           {"if_octets.rrd", "other.rrd", NULL},
                                           {"supply_level-k.rrd", "interval_count-pages.rrd", NULL},
                                           {"df_complex-used.rrd", "df_complex-free.rrd", NULL}};

static struct rrd_reader *reader;
static struct rrd_reader *settings; /* of what keeps maxima from being exact */
static int place[KINDS];
static int content;

static void clean_up(void)
{
  char command[128];
  rrd_reader_free(reader);
  rrd_reader_free(settings);
  snprintf(command, sizeof(command), "rm -rf %s", folder);
  if (system(command) != 0)
    perror(folder);
}

/* The same content under every name that a reader looks at. */
static void set_up(void)
{
  char path[PATH_MAX];
  char link_path[PATH_MAX];
  const struct rrd_wanted wanted = {
      .as_of = INT64_MIN, .days = 40, .history_days = 731, .read_days = 731};
  struct rrd_wanted checked = wanted;
  checked.settings = true;
  reader = rrd_reader_new(&wanted);
  settings = rrd_reader_new(&checked);
  if (reader == NULL || settings == NULL || mkdtemp(folder) == NULL)
    abort();
  atexit(clean_up);
  snprintf(path, sizeof(path), "%s/content", folder);
  content = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  for (int i = 0; i < KINDS; i++) {
    snprintf(link_path, sizeof(link_path), "%s/%s", folder, kind[i]);
    if (mkdir(link_path, 0700) < 0)
      abort();
    place[i] = open(link_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int k = 0; k < 4 && file[i][k] != NULL; k++)
      if (linkat(AT_FDCWD, path, place[i], file[i][k], 0) < 0)
        abort();
  }
}

static bool on_begin(void *ctx, const char *name)
{
  (void)ctx;
  return name[0] != '\0';
}

static void on_end(void *ctx)
{
  (void)ctx;
}

static void on_refused(void *ctx, const char *text)
{
  (void)ctx;
  if (strstr(text, ".rrd: ") == NULL) /* every refusal names its file */
    abort();
}

/* A finding is of a file, or of a device as a whole. */
static void on_finding(void *ctx, const char *text)
{
  (void)ctx;
  if (text[0] == '\0')
    abort();
}

/* What came out must be usable as it is: times ascend, days are whole. */
static void check(const struct series *s)
{
  for (size_t i = 1; i < s->n; i++)
    if (s->time[i] <= s->time[i - 1])
      abort();
  for (size_t i = 1; i < s->maxima.n; i++)
    if (s->maxima.day[i].start != s->maxima.day[i - 1].end)
      abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const struct rrd_watch watch = {on_begin, on_end, on_refused, NULL};
  const struct rrd_watch hearing = {on_begin, on_end, on_finding, NULL};
  if (reader == NULL)
    set_up();
  if (size > (1 << 20) || ftruncate(content, 0) < 0 ||
      pwrite(content, data, size, 0) != (ssize_t)size)
    return 0;
  for (int i = 0; i < KINDS; i++) {
    struct series s;
    lseek(place[i], 0, SEEK_SET);
    rrd_reader_load(reader, place[i], kind[i], NULL, rrd_recipe_for(kind[i]), &watch, &s);
    check(&s);
    lseek(place[i], 0, SEEK_SET);
    rrd_reader_load(settings, place[i], kind[i], NULL, rrd_recipe_for(kind[i]), &hearing, &s);
  }
  return 0;
}
