/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_TEMPLATE_OWN_H
#define TM_DESK_TEMPLATE_OWN_H

/* Between template.c (files, rendering), template_parse.c (text to nodes), template_html.c (where
 * in a page a byte stands) and template_format.c. Nobody else includes this. */

#include "contrib/desk/http/template.h"

#include <stdbool.h>

enum template_format {
  FORMAT_NONE,
  FORMAT_BYTES,
  FORMAT_TIB,
  FORMAT_COUNT,
  FORMAT_MONEY,
  FORMAT_SHARE,
  FORMAT_DAY,
  FORMAT_DATE,
  FORMAT_TIME,
  FORMAT_ISO,
  FORMAT_AGO,
  FORMAT_IN,
  FORMAT_URL,
  FORMAT_TEXT,
};

enum node_kind { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED, NODE_PART };

struct node {
  enum node_kind kind;
  const char *text; /* literal text, or a name; in the template's own copy */
  size_t len;
  enum template_format format;
  bool followed; /* a value in an attribute that a browser follows */
  size_t end;    /* sections: the index after the last node within */
  int line;
  const struct template *part; /* set by templates_link() */
};

enum { TEMPLATE_NAME_MAX = 96, TEMPLATE_DEPTH = 16, TEMPLATE_MAX = 1 << 18, TEMPLATES_MAX = 512 };

struct template
{
  char name[TEMPLATE_NAME_MAX];
  char *text;
  size_t len;
  bool html;
  struct node *nodes;
  size_t nodes_len, nodes_cap;
};

/* Fills the nodes of a template whose name and text are there. */
int template_parse(struct template *t, struct tm_error *err);

/* Where in a page one stands. */
enum html_place {
  HTML_TEXT,
  HTML_LESS,      /* after '<' */
  HTML_DECLARED,  /* in "<!doctype" */
  HTML_REMARK,    /* in "<!--" */
  HTML_CLOSING,   /* in "</..." */
  HTML_TAG,       /* in a tag's name */
  HTML_BETWEEN,   /* before an attribute */
  HTML_AFTER,     /* right after a tag's name or an attribute: a blank or the end must follow */
  HTML_ATTRIBUTE, /* in an attribute's name */
  HTML_EQUALS,    /* after '=' */
  HTML_VALUE,     /* in a double-quoted value */
};
struct html_state {
  enum html_place place;
  char tag[16];
  char attribute[24];
  size_t run;   /* length of the name in hand; of dashes in a remark */
  bool sourced; /* the tag in hand has src="" */
  bool script;  /* after <script src="">: only its end may follow */
};

/* Reads literal text on. 0, or -EINVAL with what is wrong in *why. */
int html_read(struct html_state *h, const char *text, size_t len, const char **why);
/* A name that a template's tag has cut off is whole. */
void html_settle(struct html_state *h);
/* Whether a value may stand here, and whether the browser would follow it. */
bool html_takes_value(const struct html_state *h, bool *followed);

/* The format of that name, or -1. */
int format_of(const char *name, size_t len);
/* What a format makes of a value, unescaped UTF-8, appended to out. */
int format_value(enum template_format format, const json_t *value,
                 const struct template_clock *clock, struct tm_buf *out);

#endif
