/* SPDX-License-Identifier: MIT */
#include "common/conf.h"

#include "common/conf_own.h"
#include "common/file.h"
#include "common/room.h"
#include "common/text.h"
#include "places.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 20, MAX_KEYS = 64, MAX_BLOCKS = 16, MAX_TITLED = 4 };

/* libconfuse takes the end of the file as the end of every open block, so that half a file would be
 * accepted. This key follows the text and is known at the top level only. */
#define END_KEY "-end-of-file-"

/* libconfuse's callbacks carry no pointer of ours; set only while a file is parsed. */
static _Thread_local struct {
  struct tm_conf_own *own;
  struct tm_error *err;
  int end_line; /* where END_KEY stands */
  bool ended;   /* and whether it came to be read */
  bool failed;
} loading;

static const char *current_file(const struct tm_conf_own *own)
{
  return own->files[own->files_len - 1];
}

/* "no such option 'x'" becomes a message with the nearest key that this block knows. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
  if (loading.own == NULL || loading.failed)
    return; /* the first one is the cause */
  loading.failed = true;
  char text[256];
  vsnprintf(text, sizeof(text), fmt, ap);
  const char *file = current_file(loading.own);
  char typed[128];
  if (cfg->line >= loading.end_line) {
    tm_fail(loading.err, -EINVAL, "%s:%d: the file ends inside a block, a list or a value", file,
            loading.end_line - 1);
    return;
  }
  if (sscanf(text, "no such option '%127[^']'", typed) != 1) {
    tm_fail(loading.err, -EINVAL, "%s:%d: %s", file, cfg->line, text);
    return;
  }
  const char *names[MAX_KEYS + 1];
  size_t n = 0;
  for (const cfg_opt_t *o = cfg->opts; o->name != NULL && n < MAX_KEYS; o++) {
    if (strcmp(o->name, END_KEY) != 0)
      names[n++] = o->name;
  }
  names[n] = NULL;
  const char *near = tm_text_nearest(typed, names);
  if (near != NULL)
    tm_fail(loading.err, -EINVAL, "%s:%d: no such key '%s'; did you mean '%s'?", file, cfg->line,
            typed, near);
  else
    tm_fail(loading.err, -EINVAL, "%s:%d: no such key '%s'; see %s", file, cfg->line, typed,
            loading.own->schema->manual);
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
  struct tm_conf_own *own = loading.own;
  if (TM_ROOM(own->marks, own->marks_cap, own->marks_len) < 0)
    return -1;
  const void *what = opt;
  if (opt->type == CFGT_SEC)
    what = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
  own->marks[own->marks_len++] = (struct tm_mark){what, current_file(own), cfg->line};
  return 0;
}

/* A quotation mark too many, where a key is expected, takes the rest of the file and END_KEY into a
 * text that nobody asked for, and libconfuse is content. */
static int on_end(cfg_t *cfg, cfg_opt_t *opt)
{
  (void)cfg;
  (void)opt;
  loading.ended = true;
  return 0;
}

/* The rows of our table as libconfuse wants them. Every value is a string to it: its own numbers
 * take octal, and its messages would not say what is accepted. */
static void fill_options(cfg_opt_t *options, const struct tm_key *keys)
{
  size_t n = 0;
  for (; keys[n].name != NULL; n++) {
    options[n] = (cfg_opt_t){.name = keys[n].name,
                             .type = CFGT_STR,
                             .flags = keys[n].kind == TM_KEY_LIST ? CFGF_LIST : CFGF_NONE,
                             .validcb = on_value};
  }
  options[n] = (cfg_opt_t)CFG_END();
}

static cfg_t *make_parser(const struct tm_conf_schema *schema)
{
  cfg_opt_t blocks[MAX_BLOCKS][MAX_KEYS] = {0};
  cfg_opt_t titled[MAX_TITLED][MAX_KEYS] = {0};
  fill_options(blocks[0], schema->blocks[0].keys);
  size_t n = 0;
  while (blocks[0][n].name != NULL)
    n++;
  for (size_t i = 1; schema->blocks[i].keys != NULL; i++) {
    fill_options(blocks[i], schema->blocks[i].keys);
    blocks[0][n++] = (cfg_opt_t){.name = schema->blocks[i].name,
                                 .type = CFGT_SEC,
                                 .subopts = blocks[i],
                                 .validcb = on_value};
  }
  for (size_t i = 0; schema->titled != NULL && schema->titled[i].keys != NULL; i++) {
    fill_options(titled[i], schema->titled[i].keys);
    blocks[0][n++] = (cfg_opt_t){.name = schema->titled[i].name,
                                 .type = CFGT_SEC,
                                 .flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES,
                                 .subopts = titled[i],
                                 .validcb = on_value};
  }
  blocks[0][n++] = (cfg_opt_t){.name = END_KEY, .type = CFGT_STR, .validcb = on_end};
  blocks[0][n] = (cfg_opt_t)CFG_END();
  errno = 0;
  cfg_t *cfg = cfg_init(blocks[0], CFGF_NONE);
  if (errno == ENOMEM)
    return NULL; /* libconfuse goes on with some of the options, and cannot free what it has */
  if (cfg != NULL)
    cfg_set_error_function(cfg, on_error);
  return cfg;
}

/* libconfuse would replace ${NAME} by the environment's value; what a file says must not depend on
 * who runs the program. A NUL would end the text for it. */
static int check_text(const char *text, size_t len, const char *name, int *lines,
                      struct tm_error *err)
{
  int line = 1;
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '\n')
      line++;
    if (text[i] == '\0')
      return tm_fail(err, -EINVAL, "%s:%d: holds a NUL character", name, line);
    if (text[i] == '$' && i + 1 < len && text[i + 1] == '{')
      return tm_fail(err, -EINVAL, "%s:%d: '${' is not accepted: there are no variables", name,
                     line);
  }
  *lines = line;
  return 0;
}

/* Where a quoted text, which begins at i, is over. */
static size_t quoted_end(const char *text, size_t len, size_t i)
{
  char quote = text[i++];
  while (i < len && text[i] != quote)
    i += text[i] == '\\' ? 2 : 1;
  return i + 1;
}

/* Where a comment ends that begins at i: i where none does, behind len where it never ends. A value
 * without quotes may hold "//", and no '#'. */
static size_t comment_end(const char *text, size_t len, size_t i, bool inside_word)
{
  bool block = !inside_word && strncmp(text + i, "/*", 2) == 0;
  if (text[i] != '#' && !block && (inside_word || strncmp(text + i, "//", 2) != 0))
    return i;
  const char *end = block ? strstr(text + i + 2, "*/") : strchr(text + i, '\n');
  return end != NULL ? (size_t)(end - text) + (block ? 2 : 0) : block ? len + 1 : len;
}

/* libconfuse 3.3 counts a line more, or two, for every comment, and takes one that never ends for
 * the end of the file: it gets blanks instead. text ends with NUL at len. */
static int blank_comments(char *text, size_t len, const char *name, struct tm_error *err)
{
  bool inside_word = false;
  int line = 1;
  size_t i = 0;
  while (i < len) {
    size_t end = comment_end(text, len, i, inside_word);
    if (end > len)
      return tm_fail(err, -EINVAL, "%s:%d: the comment does not end", name, line);
    bool comment = end > i, quoted = !comment && (text[i] == '"' || text[i] == '\'');
    if (quoted)
      end = quoted_end(text, len, i);
    inside_word = !comment && !quoted && strchr(" \t\r\n={}(),+", text[i]) == NULL;
    for (end += end == i; i < end && i < len; i++) {
      line += text[i] == '\n';
      if (comment && text[i] != '\n')
        text[i] = ' ';
    }
  }
  return 0;
}

static int remember_file(struct tm_conf_own *own, const char *name, struct tm_error *err)
{
  if (own->files_len == TM_CONF_FILES_MAX)
    return tm_fail(err, -E2BIG, "%s: more than %d files", name, TM_CONF_FILES_MAX);
  own->files[own->files_len] = strdup(name);
  if (own->files[own->files_len] == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", name);
  own->files_len++;
  return 0;
}

static int parse_text(struct tm_conf_own *own, const char *text, size_t len, const char *name,
                      struct tm_error *err)
{
  int lines = 0;
  int rc = check_text(text, len, name, &lines, err);
  if (rc < 0)
    return rc;
  rc = remember_file(own, name, err);
  if (rc < 0)
    return rc;
  char *copy = NULL;
  int size = asprintf(&copy, "%.*s\n" END_KEY " = 1\n", (int)len, text);
  if (size < 0)
    return tm_fail(err, -ENOMEM, "%s: out of memory", name);
  FILE *f = NULL;
  rc = blank_comments(copy, strlen(copy), name, err);
  if (rc < 0)
    goto out;
  f = fmemopen(copy, (size_t)size, "r");
  if (f == NULL) {
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", name);
    goto out;
  }
  loading.own = own;
  loading.err = err;
  loading.end_line = lines + 1;
  loading.ended = loading.failed = false;
  errno = 0;
  int status = cfg_parse_fp(own->cfg, f);
  if (errno == ENOMEM) { /* also where it says that all is well, which then lacks something */
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", name);
    own->cfg = NULL; /* it cannot be freed */
  } else if (status != CFG_SUCCESS) {
    rc = -EINVAL;
    if (!loading.failed)
      tm_fail(err, rc, "%s:%d: cannot be read", name, own->cfg->line);
  } else if (!loading.ended) {
    rc = tm_fail(err, -EINVAL, "%s:%d: the file ends inside a block, a list or a value", name,
                 lines);
  }
  loading.own = NULL;
  loading.err = NULL;
out:
  if (f != NULL)
    fclose(f);
  free(copy);
  return rc;
}

static int parse_file(struct tm_conf_own *own, const char *path, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(MAX_FILE_BYTES);
  int rc = tm_file_read(path, &text, err);
  if (rc == 0)
    rc = parse_text(own, text.ptr, text.len, path, err);
  tm_buf_release(&text);
  return rc;
}

static int is_conf_name(const struct dirent *entry)
{
  const char *name = entry->d_name;
  size_t len = strlen(name);
  return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static int parse_folder(struct tm_conf_own *own, const char *folder, struct tm_error *err)
{
  struct dirent **names = NULL;
  int n = scandir(folder, &names, is_conf_name, alphasort);
  if (n < 0)
    return errno == ENOENT ? 0 : tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  int rc = 0;
  for (int i = 0; i < n; i++) {
    char *path = NULL;
    if (rc == 0 && asprintf(&path, "%s/%s", folder, names[i]->d_name) < 0) {
      path = NULL;
      rc = tm_fail(err, -ENOMEM, "%s: out of memory", folder);
    }
    if (rc == 0)
      rc = parse_file(own, path, err);
    free(path);
    free(names[i]);
  }
  free(names);
  return rc;
}

void tm_conf_own_free(struct tm_conf_own *own)
{
  if (own == NULL)
    return;
  if (own->cfg != NULL)
    cfg_free(own->cfg);
  for (size_t i = 0; i < own->files_len; i++)
    free(own->files[i]);
  free(own->marks);
  free(own);
}

static struct tm_conf_own *own_new(const struct tm_conf_schema *schema)
{
  struct tm_conf_own *own = calloc(1, sizeof(*own));
  if (own != NULL) {
    own->schema = schema;
    own->cfg = make_parser(schema);
  }
  if (own != NULL && own->cfg == NULL) {
    free(own);
    return NULL;
  }
  return own;
}

/* Checks what own has read and hands it over; own is out's, or freed. */
static int finish(struct tm_conf *out, struct tm_conf_own *own, int rc, struct tm_error *err)
{
  struct tm_conf conf;
  tm_conf_defaults(&conf);
  if (rc == 0)
    rc = tm_conf_check(&conf, own, err);
  conf.own = own;
  if (rc < 0 || own == NULL) {
    tm_conf_release(&conf);
    return rc;
  }
  conf.path = own->files_len > 0 ? own->files[0] : NULL;
  free(own->marks); /* lines are known where they are needed */
  own->marks = NULL;
  own->marks_len = own->marks_cap = 0;
  *out = conf;
  return 0;
}

int tm_conf_own_load(struct tm_conf_own **out, const struct tm_conf_schema *schema,
                     const char *path, bool installed, struct tm_error *err)
{
  struct tm_conf_own *own = *out = own_new(schema);
  char *folder = NULL;
  if (own == NULL || asprintf(&folder, "%s.d", path) < 0)
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  int rc = parse_file(own, path, err);
  if (rc == -ENOENT && !installed)
    rc = tm_fail(err, -EINVAL, "%s: there is no such file", path);
  if (rc == 0)
    rc = parse_folder(own, folder, err);
  free(folder);
  return rc;
}

int tm_conf_own_parse(struct tm_conf_own **out, const struct tm_conf_schema *schema,
                      const char *text, size_t len, const char *name, struct tm_error *err)
{
  *out = NULL;
  if (len > MAX_FILE_BYTES)
    return tm_fail(err, -EFBIG, "%s: larger than is accepted here", name);
  *out = own_new(schema);
  if (*out == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", name);
  return parse_text(*out, text, len, name, err);
}

static const struct tm_block titled_blocks[] = {
    {"target", tm_conf_target_keys}, {"source", tm_conf_source_keys}, {NULL, NULL}};
static const struct tm_conf_schema tidemark_conf = {"tidemark.conf(5)", tm_conf_blocks,
                                                    titled_blocks};

int tm_conf_load(struct tm_conf *out, const char *path, struct tm_error *err)
{
  struct tm_conf_own *own = NULL;
  bool installed = path == NULL;
  int rc = tm_conf_own_load(&own, &tidemark_conf, installed ? TM_CONF_PATH : path, installed, err);
  return finish(out, own, rc, err);
}

int tm_conf_parse(struct tm_conf *out, const char *text, size_t len, const char *name,
                  struct tm_error *err)
{
  struct tm_conf_own *own = NULL;
  int rc = tm_conf_own_parse(&own, &tidemark_conf, text, len, name, err);
  return finish(out, own, rc, err);
}

void tm_conf_release(struct tm_conf *conf)
{
  free(conf->targets);
  free(conf->sources);
  tm_conf_own_free(conf->own);
  *conf = (struct tm_conf){0};
}
