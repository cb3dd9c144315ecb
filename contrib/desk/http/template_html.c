/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/template_own.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *const followed_attributes[] = {
    "href",      "src",         "action",     "formaction", "poster", "data-series",
    "data-poll", "data-events", "xlink:href", "cite",       NULL};

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
  return isalnum((unsigned char)c) || c == '-' || c == '_' || c == ':' || c == '.';
}

static int wrong(const char **why, const char *text)
{
  *why = text;
  return -EINVAL;
}

/* Adds a byte to a tag's or attribute's name; too long a name is cut, and then known by nobody. */
static void add_to(char *name, size_t size, struct html_state *h, char c)
{
  if (h->run + 1 < size) {
    name[h->run] = (char)tolower((unsigned char)c);
    name[h->run + 1] = '\0';
  }
  h->run++;
}

static int end_attribute(struct html_state *h, const char **why)
{
  if (strcmp(h->attribute, "style") == 0 || strcmp(h->attribute, "srcdoc") == 0 ||
      strncmp(h->attribute, "on", 2) == 0)
    return wrong(why, "style, srcdoc and on... attributes are refused by the page's own policy");
  if (strcmp(h->attribute, "src") == 0)
    h->sourced = true;
  return 0;
}

static int end_tag(struct html_state *h, const char **why)
{
  h->place = HTML_TEXT;
  if (strcmp(h->tag, "style") == 0)
    return wrong(why, "<style> is refused by the page's own policy");
  if (strcmp(h->tag, "script") == 0) {
    if (!h->sourced)
      return wrong(why, "<script> without src is refused by the page's own policy");
    h->script = true;
  }
  return 0;
}

static int read_text(struct html_state *h, char c, const char **why)
{
  if (c == '<')
    h->place = HTML_LESS;
  else if (h->script && !is_blank(c))
    return wrong(why, "<script> with a content is refused by the page's own policy");
  return 0;
}

static int read_less(struct html_state *h, char c, const char **why)
{
  h->run = 0;
  if (c == '/') {
    h->place = HTML_CLOSING;
    h->script = false;
    return 0;
  }
  if (h->script)
    return wrong(why, "<script> with a content is refused by the page's own policy");
  if (c == '!') {
    h->place = HTML_DECLARED;
    return 0;
  }
  if (!isalpha((unsigned char)c))
    return wrong(why, "a bare '<': write &lt;");
  h->place = HTML_TAG;
  h->sourced = false;
  add_to(h->tag, sizeof(h->tag), h, c);
  return 0;
}

/* "<!" so far: a remark when two dashes follow. */
static void read_declared(struct html_state *h, char c)
{
  if (c == '-' && h->run < 2)
    h->run++;
  else if (h->run < 2)
    h->run = 3; /* a doctype */
  if (h->run == 2) {
    h->place = HTML_REMARK;
    h->run = 0;
  } else if (c == '>') {
    h->place = HTML_TEXT;
  }
}

static void read_remark(struct html_state *h, char c)
{
  if (c == '>' && h->run >= 2)
    h->place = HTML_TEXT;
  h->run = c == '-' ? h->run + 1 : 0;
}

/* Between attributes, or right behind one. */
static int read_between(struct html_state *h, char c, const char **why)
{
  if (c == '>')
    return end_tag(h, why);
  if (is_blank(c) || c == '/') {
    h->place = HTML_BETWEEN;
    return 0;
  }
  if (h->place == HTML_AFTER || !is_name(c))
    return wrong(why, "an attribute's name, a blank or '>' is wanted in a tag");
  h->place = HTML_ATTRIBUTE;
  h->run = 0;
  add_to(h->attribute, sizeof(h->attribute), h, c);
  return 0;
}

static int read_attribute(struct html_state *h, char c, const char **why)
{
  if (is_name(c)) {
    add_to(h->attribute, sizeof(h->attribute), h, c);
    return 0;
  }
  int rc = end_attribute(h, why);
  if (rc < 0)
    return rc;
  if (c == '=') {
    h->place = HTML_EQUALS;
    return 0;
  }
  h->place = HTML_AFTER;
  return read_between(h, c, why);
}

/* Does a browser go where this attribute says? */
static bool is_followed(const struct html_state *h)
{
  for (const char *const *a = followed_attributes; *a != NULL; a++) {
    if (strcmp(h->attribute, *a) == 0)
      return true;
  }
  return false;
}

static int read_byte(struct html_state *h, char c, const char **why)
{
  switch (h->place) {
  case HTML_TEXT:
    return read_text(h, c, why);
  case HTML_LESS:
    return read_less(h, c, why);
  case HTML_DECLARED:
    read_declared(h, c);
    return 0;
  case HTML_REMARK:
    read_remark(h, c);
    return 0;
  case HTML_CLOSING:
    if (c == '>')
      h->place = HTML_TEXT;
    return 0;
  case HTML_TAG:
    if (is_name(c)) {
      add_to(h->tag, sizeof(h->tag), h, c);
      return 0;
    }
    h->place = HTML_AFTER;
    return read_between(h, c, why);
  case HTML_BETWEEN:
  case HTML_AFTER:
    return read_between(h, c, why);
  case HTML_ATTRIBUTE:
    return read_attribute(h, c, why);
  case HTML_EQUALS:
    h->place = HTML_VALUE;
    h->run = 0;
    return c == '"' ? 0 : wrong(why, "an attribute's value must stand in double quotes");
  case HTML_VALUE:
    if (c == '"')
      h->place = HTML_AFTER;
    else if (h->run++ == 0 && is_blank(c) && is_followed(h))
      return wrong(why, "an address may not begin with a blank");
    return 0;
  }
  return 0;
}

int html_read(struct html_state *h, const char *text, size_t len, const char **why)
{
  int rc = 0;
  for (size_t i = 0; i < len && rc == 0; i++)
    rc = read_byte(h, text[i], why);
  return rc;
}

void html_settle(struct html_state *h)
{
  if (h->place == HTML_TAG || h->place == HTML_ATTRIBUTE)
    h->place = HTML_AFTER;
}

bool html_takes_value(const struct html_state *h, bool *followed)
{
  *followed = h->place == HTML_VALUE && is_followed(h);
  return h->place == HTML_VALUE || (h->place == HTML_TEXT && !h->script);
}
