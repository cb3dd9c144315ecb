/* SPDX-License-Identifier: MIT */
/*
 * tidemark-graph: reads one document from standard input, draws it and writes the picture to
 * standard output. The document is one of graph/plot.h, or a summary (graph/evidence.h), bare or in
 * its event; of a summary that holds nothing to be drawn, no picture is written and all is well. A
 * program of its own because librrd, with Pango and Cairo, takes more time and memory to load than
 * the analyzer and the exporter need for their work. It takes no arguments; people call it through
 * `tidemark-analyze graph`.
 */
#include "analyzer/graph/draw.h"
#include "analyzer/graph/evidence.h"
#include "analyzer/graph/stack.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { DOCUMENT_MAX = 16 << 20, PICTURE_MAX = 64 << 20 };

#ifdef __SANITIZE_ADDRESS__
/* librrd loses a little at each drawing, and Fontconfig and Pango keep their caches until the end.
 * Only whole stack traces tell whose an allocation was. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void)
{
  return "fast_unwind_on_malloc=0";
}
const char *__lsan_default_suppressions(void)
{
  return "leak:librrd\nleak:libfontconfig\nleak:libpango\nleak:libglib\nleak:libcairo\n";
}
#endif

/* A summary is turned into what is to be drawn of it first. */
static int plot_of(struct plot *p, const json_t *document, struct tm_error *err)
{
  json_t *made = NULL;
  if (!evidence_is_summary(document))
    return plot_read(p, document, err);
  int rc = evidence_document(&made, document, err);
  if (rc == 0)
    rc = plot_read(p, made, err);
  json_decref(made);
  return rc;
}

static int document_read(struct plot *p, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(DOCUMENT_MAX);
  char chunk[65536];
  size_t n;
  int rc = 0;
  while (rc == 0 && (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
    rc = tm_buf_add(&text, chunk, n);
  if (rc < 0)
    tm_fail(err, rc, "standard input: %s", strerror(-rc));
  if (rc == 0) {
    json_t *document =
        tm_json_parse(text.ptr == NULL ? "" : text.ptr, text.len, "standard input", err);
    rc = document == NULL ? err->code : plot_of(p, document, err);
    json_decref(document);
  }
  tm_buf_release(&text);
  return rc;
}

/* A folder for librrd's files; it becomes the working directory, so that no path of this machine
 * stands in an argument that librrd would parse. */
static int folder_make(char *folder, size_t size, struct tm_error *err)
{
  const char *base = getenv("TMPDIR");
  int n = snprintf(folder, size, "%s/tidemark-graph.XXXXXX",
                   base == NULL || base[0] == '\0' ? "/tmp" : base);
  if (n < 0 || (size_t)n >= size)
    return tm_fail(err, -ENAMETOOLONG, "TMPDIR: the name is too long");
  if (mkdtemp(folder) == NULL || chdir(folder) != 0)
    return tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  return 0;
}

static void folder_remove(const char *folder)
{
  static const char *const files[] = {"capacity.rrd", "band.rrd", "maxima.rrd"};
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
    unlink(files[i]);
  rmdir(folder);
}

static int draw(struct tm_buf *out, const struct plot *p, struct tm_error *err)
{
  struct picture panel[2] = {{0}};
  int rc = draw_capacity(&panel[0], p, err);
  if (rc == 0)
    rc = draw_maxima(&panel[1], p, err);
  if (rc == 0)
    rc = p->format == PLOT_SVG ? stack_svg(out, panel, 2, p->title, err)
                               : stack_png(out, panel, 2, err);
  free(panel[0].bytes);
  free(panel[1].bytes);
  return rc;
}

/* Whoever ends the program while it draws has to wait until its files are gone. */
static int draw_in_folder(struct tm_buf *out, const struct plot *p, struct tm_error *err)
{
  char folder[512];
  sigset_t ends;
  sigset_t before;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  sigprocmask(SIG_BLOCK, &ends, &before);
  int rc = folder_make(folder, sizeof(folder), err);
  if (rc == 0) {
    rc = draw(out, p, err);
    folder_remove(folder);
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return rc;
}

static int run(struct tm_error *err)
{
  struct plot p = {0};
  struct tm_buf picture = TM_BUF_INIT(PICTURE_MAX);
  int rc = document_read(&p, err);
  if (rc == -ENODATA)
    return 0;
  if (rc == 0 && p.timezone[0] != '\0')
    rc = tm_zone_use(p.timezone, err);
  if (rc == 0)
    rc = draw_in_folder(&picture, &p, err);
  if (rc == 0 &&
      (fwrite(picture.ptr, 1, picture.len, stdout) != picture.len || fflush(stdout) != 0))
    rc = tm_fail(err, -EIO, "standard output: cannot write");
  tm_buf_release(&picture);
  plot_release(&p);
  return rc;
}

int main(int argc, char **argv)
{
  struct tm_error err = {0};
  (void)argv;
  tm_log_program("tidemark-graph");
  setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters; the same wherever it is drawn */
  if (argc > 1) {
    tm_log_error(
        "takes no arguments: it reads a document from standard input; see tidemark-analyze "
        "graph");
    return EX_USAGE;
  }
  int rc = run(&err);
  return tm_log_status(rc, &err);
}
