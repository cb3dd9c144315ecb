/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/template_own.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct open_section {
  size_t node;
  struct html_state html;
};

struct parser {
  struct template *t;
  struct tm_error *err;
  struct html_state html;
  struct open_section open[TEMPLATE_DEPTH];
  size_t open_len;
  size_t at;      /* what is read next */
  size_t literal; /* where the text began that is not yet a node */
  int line;
};

static int refuse(const struct parser *p, const char *what)
{
  return tm_fail(p->err, -EINVAL, "%s:%d: %s", p->t->name, p->line, what);
}

static int add_node(struct parser *p, struct node node)
{
  struct template *t = p->t;
  if (t->nodes_len == t->nodes_cap) {
    size_t cap = t->nodes_cap > 0 ? 2 * t->nodes_cap : 32;
    struct node *bigger = realloc(t->nodes, cap * sizeof(*bigger));
    if (bigger == NULL)
      return tm_fail(p->err, -ENOMEM, "%s: out of memory", t->name);
    t->nodes = bigger;
    t->nodes_cap = cap;
  }
  node.line = p->line;
  t->nodes[t->nodes_len++] = node;
  return 0;
}

/* The text from p->literal to end becomes a node. */
static int add_literal(struct parser *p, size_t end)
{
  const char *text = p->t->text + p->literal;
  size_t len = end - p->literal;
  for (size_t i = 0; i < len; i++) {
    const char *why = NULL;
    if (p->t->html && html_read(&p->html, text + i, 1, &why) < 0)
      return refuse(p, why);
    p->line += text[i] == '\n';
  }
  return len > 0 ? add_node(p, (struct node){.kind = NODE_TEXT, .text = text, .len = len}) : 0;
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

/* When the tag from..to stands alone in its line, the line goes: *from moves to its start, *to
 * behind its end. */
static void take_line(const struct parser *p, size_t *from, size_t *to)
{
  const char *text = p->t->text;
  size_t start = *from, end = *to;
  while (start > p->literal && is_blank(text[start - 1]))
    start--;
  while (is_blank(text[end]))
    end++;
  bool begins = start == 0 || text[start - 1] == '\n';
  if (!begins || (text[end] != '\n' && end != p->t->len))
    return;
  *from = start;
  *to = end < p->t->len ? end + 1 : end;
}

/* "a.b", "." or, for parts, "rooms/head". */
static bool is_name(const char *name, size_t len, bool part)
{
  if (len == 1 && name[0] == '.')
    return !part;
  bool joint = true;
  for (size_t i = 0; i < len; i++) {
    if (name[i] == (part ? '/' : '.')) {
      if (joint)
        return false;
      joint = true;
    } else if (isalnum((unsigned char)name[i]) || name[i] == '_' || (part && name[i] == '-')) {
      joint = false;
    } else {
      return false;
    }
  }
  return !joint && len < TEMPLATE_NAME_MAX - 8;
}

static int add_value(struct parser *p, const char *name, size_t len)
{
  struct node node = {.kind = NODE_VALUE, .text = name, .len = len};
  const char *bar = memchr(name, '|', len);
  if (bar != NULL) {
    const char *format = bar + 1;
    size_t format_len = len - (size_t)(format - name);
    int f = format_of(format, format_len);
    if (f < 0)
      return tm_fail(p->err, -EINVAL, "%s:%d: there is no format '%.*s'", p->t->name, p->line,
                     (int)format_len, format);
    node.format = (enum template_format)f;
    node.len = (size_t)(bar - name);
  }
  if (!is_name(name, node.len, false))
    return refuse(p, "a name is wanted between the braces");
  if (node.format == FORMAT_TEXT && p->t->html)
    return refuse(p, "the format 'text' is for mail");
  if (p->t->html && !html_takes_value(&p->html, &node.followed))
    return refuse(p, "a value may stand in text and in double-quoted attribute values only");
  return add_node(p, node);
}

static int open_section(struct parser *p, bool inverted, const char *name, size_t len)
{
  if (p->open_len == TEMPLATE_DEPTH)
    return refuse(p, "sections are nested too deeply");
  html_settle(&p->html);
  if (p->html.place == HTML_LESS || p->html.place == HTML_EQUALS)
    return refuse(p, "a section may not begin here");
  p->open[p->open_len++] = (struct open_section){p->t->nodes_len, p->html};
  return add_node(
      p, (struct node){.kind = inverted ? NODE_INVERTED : NODE_SECTION, .text = name, .len = len});
}

static bool same_place(const struct html_state *a, const struct html_state *b)
{
  if (a->place != b->place || a->script != b->script)
    return false;
  if (a->place == HTML_TEXT)
    return true;
  if (a->place == HTML_VALUE && strcmp(a->attribute, b->attribute) != 0)
    return false;
  return strcmp(a->tag, b->tag) == 0 && (a->place != HTML_DECLARED || a->run == b->run);
}

static int close_section(struct parser *p, const char *name, size_t len)
{
  if (p->open_len == 0)
    return refuse(p, "a section ends here that was not begun");
  const struct open_section *open = &p->open[--p->open_len];
  struct node *node = &p->t->nodes[open->node];
  if (node->len != len || memcmp(node->text, name, len) != 0)
    return tm_fail(p->err, -EINVAL, "%s:%d: '%.*s' ends here, but '%.*s' of line %d is open",
                   p->t->name, p->line, (int)len, name, (int)node->len, node->text, node->line);
  html_settle(&p->html);
  if (p->t->html && !same_place(&p->html, &open->html))
    return tm_fail(p->err, -EINVAL,
                   "%s:%d: the section of line %d must end where it began: in the "
                   "text, or in the same tag or value",
                   p->t->name, p->line, node->line);
  p->html.sourced = p->html.sourced && open->html.sourced;
  node->end = p->t->nodes_len;
  return 0;
}

static int add_part(struct parser *p, const char *name, size_t len)
{
  if (p->t->html && (p->html.place != HTML_TEXT || p->html.script))
    return refuse(p, "a part may stand in the text only");
  return add_node(p, (struct node){.kind = NODE_PART, .text = name, .len = len});
}

/* What stands between the braces, blanks at both ends taken off. */
static int read_tag(struct parser *p, const char *tag, size_t len)
{
  char kind = len > 0 ? tag[0] : '\0';
  if (kind == '!')
    return 0;
  if (kind == '{' || kind == '&')
    return refuse(p, "there is no form that prints unescaped");
  if (kind == '\0' || strchr("#^/>", kind) == NULL)
    return add_value(p, tag, len);
  do {
    tag++;
    len--;
  } while (len > 0 && is_blank(*tag));
  if (!is_name(tag, len, kind == '>'))
    return refuse(p, "a name is wanted between the braces");
  if (kind == '/')
    return close_section(p, tag, len);
  return kind == '>' ? add_part(p, tag, len) : open_section(p, kind == '^', tag, len);
}

/* The tag whose braces begin at p->at. */
static int read_braces(struct parser *p)
{
  const char *text = p->t->text;
  const char *end = strstr(text + p->at + 2, "}}");
  size_t from = p->at;
  size_t first = p->at + 2;
  if (end == NULL)
    return refuse(p, "'{{' without '}}'");
  size_t last = (size_t)(end - text);
  size_t to = last + 2;
  while (first < last && is_blank(text[first]))
    first++;
  while (last > first && is_blank(text[last - 1]))
    last--;
  if (first < last && strchr("#^/>!", text[first]) != NULL)
    take_line(p, &from, &to);
  int rc = add_literal(p, from);
  if (rc == 0)
    rc = read_tag(p, text + first, last - first);
  for (size_t i = from; i < to; i++)
    p->line += text[i] == '\n';
  p->at = p->literal = to;
  return rc;
}

int template_parse(struct template *t, struct tm_error *err)
{
  struct parser p = {.t = t, .err = err, .line = 1};
  int rc = 0;
  if (strlen(t->text) != t->len)
    return refuse(&p, "a NUL byte");
  while (rc == 0 && p.at < t->len) {
    const char *braces = strstr(t->text + p.at, "{{");
    p.at = braces != NULL ? (size_t)(braces - t->text) : t->len;
    rc = braces != NULL ? read_braces(&p) : add_literal(&p, t->len);
  }
  if (rc == 0 && p.open_len > 0) {
    const struct node *node = &t->nodes[p.open[p.open_len - 1].node];
    p.line = node->line;
    rc = tm_fail(err, -EINVAL, "%s:%d: section '%.*s' is not closed", t->name, node->line,
                 (int)node->len, node->text);
  }
  if (rc == 0 && t->html && (p.html.place != HTML_TEXT || p.html.script))
    rc = refuse(&p, "the file ends within a tag");
  return rc;
}
