/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/template_own.h"

#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct templates {
  struct template *list[TEMPLATES_MAX];
  size_t len;
};

/* --- loading -------------------------------------------------------------------------------- */

static void template_free(struct template *t)
{
  if (t == NULL)
    return;
  free(t->text);
  free(t->nodes);
  free(t);
}

struct templates *templates_new(void)
{
  return calloc(1, sizeof(struct templates));
}

void templates_free(struct templates *t)
{
  if (t == NULL)
    return;
  for (size_t i = 0; i < t->len; i++)
    template_free(t->list[i]);
  free(t);
}

static const struct template *find(const struct templates *t, const char *name)
{
  for (size_t i = 0; i < t->len; i++) {
    if (strcmp(t->list[i]->name, name) == 0)
      return t->list[i];
  }
  return NULL;
}

static bool ends_with(const char *name, const char *end)
{
  size_t len = strlen(name), end_len = strlen(end);
  return len > end_len && strcmp(name + len - end_len, end) == 0;
}

int templates_add(struct templates *t, const char *name, const char *text, size_t len,
                  struct tm_error *err)
{
  if (t->len == TEMPLATES_MAX || strlen(name) >= TEMPLATE_NAME_MAX || len > TEMPLATE_MAX)
    return tm_fail(err, -E2BIG, "%s: too many templates, or too long a name or text", name);
  if (find(t, name) != NULL)
    return tm_fail(err, -EEXIST, "%s: there are two templates of this name", name);
  struct template *new = calloc(1, sizeof(*new));
  if (new == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", name);
  snprintf(new->name, sizeof(new->name), "%s", name);
  new->html = ends_with(name, ".html");
  new->text = malloc(len + 1);
  if (new->text == NULL) {
    template_free(new);
    return tm_fail(err, -ENOMEM, "%s: out of memory", name);
  }
  memcpy(new->text, text, len);
  new->text[len] = '\0';
  new->len = len;
  int rc = tm_text_is_utf8(new->text) ? template_parse(new, err)
                                      : tm_fail(err, -EINVAL, "%s: not UTF-8", name);
  if (rc < 0)
    template_free(new);
  else
    t->list[t->len++] = new;
  return rc;
}

static int link_template(const struct templates *t, struct template *of, struct tm_error *err)
{
  for (size_t i = 0; i < of->nodes_len; i++) {
    struct node *node = &of->nodes[i];
    char name[TEMPLATE_NAME_MAX];
    if (node->kind != NODE_PART)
      continue;
    snprintf(name, sizeof(name), "%.*s.%s", (int)node->len, node->text, of->html ? "html" : "txt");
    node->part = find(t, name);
    if (node->part == NULL)
      return tm_fail(err, -ENOENT, "%s:%d: there is no part %s", of->name, node->line, name);
  }
  return 0;
}

/* A part that comes to itself again would never end. */
static int check_depth(const struct template *of, size_t depth, struct tm_error *err)
{
  if (depth == TEMPLATE_DEPTH)
    return tm_fail(err, -ELOOP, "%s: parts are nested too deeply, or in a circle", of->name);
  for (size_t i = 0; i < of->nodes_len; i++) {
    if (of->nodes[i].kind == NODE_PART && check_depth(of->nodes[i].part, depth + 1, err) < 0)
      return -ELOOP;
  }
  return 0;
}

int templates_link(struct templates *t, struct tm_error *err)
{
  int rc = 0;
  for (size_t i = 0; i < t->len && rc == 0; i++)
    rc = link_template(t, t->list[i], err);
  for (size_t i = 0; i < t->len && rc == 0; i++)
    rc = check_depth(t->list[i], 0, err);
  return rc;
}

static int load_file(struct templates *t, const char *path, const char *name, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(TEMPLATE_MAX);
  int rc = tm_file_read(path, &b, err);
  if (rc == 0)
    rc = templates_add(t, name, b.ptr != NULL ? b.ptr : "", b.len, err);
  tm_buf_release(&b);
  return rc;
}

/* Everything below folder/below ("" or "rooms/"). */
static int load_folder(struct templates *t, const char *folder, const char *below, int depth,
                       struct tm_error *err)
{
  char path[4096], name[4096];
  struct dirent **entries = NULL;
  snprintf(path, sizeof(path), "%s/%s", folder, below);
  int n = scandir(path, &entries, NULL, alphasort);
  if (n < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  int rc = 0;
  for (int i = 0; i < n; i++) {
    const char *entry = entries[i]->d_name;
    bool room = strchr(entry, '.') == NULL && depth < 3;
    if (rc == 0 && (room || ends_with(entry, ".html") || ends_with(entry, ".txt")) &&
        entry[0] != '.') {
      snprintf(name, sizeof(name), "%.2000s%.255s%s", below, entry, room ? "/" : "");
      snprintf(path, sizeof(path), "%.1800s/%.2200s", folder, name);
      rc = room ? load_folder(t, folder, name, depth + 1, err) : load_file(t, path, name, err);
    }
    free(entries[i]);
  }
  free(entries);
  return rc;
}

int templates_load(struct templates **t, const char *folder, struct tm_error *err)
{
  struct templates *new = templates_new();
  if (new == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", folder);
  int rc = load_folder(new, folder, "", 0, err);
  if (rc == 0)
    rc = templates_link(new, err);
  if (rc == 0)
    *t = new;
  else
    templates_free(new);
  return rc;
}

/* --- rendering ------------------------------------------------------------------------------ */

enum { CONTEXTS = 48 };

struct rendering {
  const struct template_clock *clock;
  struct tm_buf *out;
  struct tm_buf value; /* kept for its memory */
  const json_t *contexts[CONTEXTS];
  size_t contexts_len;
  bool html;
};

/* "a.b": the first name outwards, the others within it. */
static const json_t *look_up(const struct rendering *r, const char *name, size_t len)
{
  const json_t *found = NULL;
  size_t first = 0;
  if (len == 1 && name[0] == '.')
    return r->contexts[r->contexts_len - 1];
  while (first < len && name[first] != '.')
    first++;
  for (size_t i = r->contexts_len; i > 0 && found == NULL; i--)
    found = json_object_getn(r->contexts[i - 1], name, first);
  while (found != NULL && first < len) {
    size_t from = ++first;
    while (first < len && name[first] != '.')
      first++;
    found = json_object_getn(found, name + from, first - from);
  }
  return found;
}

static bool is_absent(const json_t *value)
{
  return value == NULL || json_is_null(value) || json_is_false(value) ||
         (json_is_string(value) && json_string_length(value) == 0) ||
         (json_is_array(value) && json_array_size(value) == 0) ||
         (json_is_object(value) && json_object_size(value) == 0);
}

static int put_escaped(struct tm_buf *out, const char *text, size_t len, bool html)
{
  size_t done = 0;
  int rc = 0;
  for (size_t i = 0; i < len && rc == 0; i++) {
    unsigned char c = (unsigned char)text[i];
    const char *as = NULL;
    if (c < 0x20 || c == 0x7f)
      as = html && (c == '\n' || c == '\t') ? NULL : " ";
    else if (html)
      as = c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
    if (as == NULL)
      continue;
    rc = tm_buf_add(out, text + done, i - done);
    if (rc == 0)
      rc = tm_buf_puts(out, as);
    done = i + 1;
  }
  return rc == 0 ? tm_buf_add(out, text + done, len - done) : rc;
}

/* What may stand at the head of an attribute that a browser follows. "//host" leaves this desk. */
static bool is_followable(const char *url)
{
  static const char *const heads[] = {"https://", "http://", "mailto:", "tel:", NULL};
  if (url[0] == '#' || url[0] == '?' || url[0] == '\0')
    return true;
  if (url[0] == '/')
    return url[1] != '/' && url[1] != '\\';
  for (const char *const *head = heads; *head != NULL; head++) {
    if (strncmp(url, *head, strlen(*head)) == 0)
      return true;
  }
  return false;
}

static int render_value(struct rendering *r, const struct node *node)
{
  struct tm_buf *out = r->out;
  tm_buf_reset(&r->value);
  int rc = format_value(node->format, look_up(r, node->text, node->len), r->clock, &r->value);
  if (rc < 0 || r->value.len == 0)
    return rc;
  bool head = out->len > 0 && out->ptr[out->len - 1] == '"';
  if (node->followed && head && !is_followable(r->value.ptr))
    return tm_buf_puts(out, "#");
  return put_escaped(out, r->value.ptr, r->value.len, r->html);
}

static int render_nodes(struct rendering *r, const struct template *t, size_t from, size_t to);

static int render_within(struct rendering *r, const struct template *t, size_t at,
                         const json_t *context)
{
  if (r->contexts_len == CONTEXTS)
    return -ELOOP;
  r->contexts[r->contexts_len++] = context;
  int rc = render_nodes(r, t, at + 1, t->nodes[at].end);
  r->contexts_len--;
  return rc;
}

static int render_section(struct rendering *r, const struct template *t, size_t at)
{
  const struct node *node = &t->nodes[at];
  const json_t *value = look_up(r, node->text, node->len);
  bool absent = is_absent(value);
  if (node->kind == NODE_INVERTED)
    return absent ? render_nodes(r, t, at + 1, node->end) : 0;
  if (absent)
    return 0;
  if (!json_is_array(value))
    return render_within(r, t, at, value);
  int rc = 0;
  for (size_t i = 0; i < json_array_size(value) && rc == 0; i++)
    rc = render_within(r, t, at, json_array_get(value, i));
  return rc;
}

static int render_nodes(struct rendering *r, const struct template *t, size_t from, size_t to)
{
  int rc = 0;
  for (size_t i = from; i < to && rc == 0; i++) {
    const struct node *node = &t->nodes[i];
    switch (node->kind) {
    case NODE_TEXT:
      rc = tm_buf_add(r->out, node->text, node->len);
      break;
    case NODE_VALUE:
      rc = render_value(r, node);
      break;
    case NODE_PART:
      rc = render_nodes(r, node->part, 0, node->part->nodes_len);
      break;
    case NODE_SECTION:
    case NODE_INVERTED:
      rc = render_section(r, t, i);
      i = node->end - 1;
      break;
    }
  }
  return rc;
}

int template_render(const struct templates *t, const char *name, const json_t *model,
                    const struct template_clock *clock, struct tm_buf *out, struct tm_error *err)
{
  const struct template *of = find(t, name);
  if (of == NULL)
    return tm_fail(err, -ENOENT, "%s: there is no such template", name);
  struct rendering r = {.clock = clock,
                        .out = out,
                        .value = TM_BUF_INIT(1 << 20),
                        .contexts = {model},
                        .contexts_len = 1,
                        .html = of->html};
  size_t before = out->len;
  int rc = render_nodes(&r, of, 0, of->nodes_len);
  tm_buf_release(&r.value);
  if (rc == 0)
    return 0;
  out->len = before;
  if (out->ptr != NULL)
    out->ptr[before] = '\0';
  return tm_fail(err, rc, "%s: cannot be rendered: %s", name, strerror(-rc));
}
