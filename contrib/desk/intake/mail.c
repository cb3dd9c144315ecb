/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/mail.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

enum { VALUE_MAX = 2000, PART_BYTES = 8 << 20 };

struct span {
  const char *p, *end;
};

void mail_release(struct mail_files *files)
{
  for (size_t i = 0; i < files->len; i++)
    tm_buf_release(&files->list[i].data);
  files->len = 0;
}

/* --- lines and headers -------------------------------------------------------------------- */

/* The line at s->p without its end; s goes on behind it. False at the end. */
static bool next_line(struct span *s, struct span *line)
{
  if (s->p >= s->end)
    return false;
  const char *newline = memchr(s->p, '\n', (size_t)(s->end - s->p));
  line->p = s->p;
  line->end = newline != NULL ? newline : s->end;
  s->p = newline != NULL ? newline + 1 : s->end;
  if (line->end > line->p && line->end[-1] == '\r')
    line->end--;
  return true;
}

struct head {
  char type[VALUE_MAX], disposition[VALUE_MAX], encoding[64];
};

static void keep(char *out, size_t size, const char *text, size_t n)
{
  size_t used = strlen(out);
  if (n > size - 1 - used)
    n = size - 1 - used;
  memcpy(out + used, text, n);
  out[used + n] = '\0';
}

/* Headers up to the empty line; s goes on behind it. Folded lines are one. */
static void read_head(struct span *s, struct head *h)
{
  const struct {
    const char *name;
    char *value;
    size_t size;
  } wanted[] = {{"content-type:", h->type, sizeof(h->type)},
                {"content-disposition:", h->disposition, sizeof(h->disposition)},
                {"content-transfer-encoding:", h->encoding, sizeof(h->encoding)}};
  struct span line;
  int current = -1;
  *h = (struct head){0};
  while (next_line(s, &line) && line.end > line.p) {
    size_t n = (size_t)(line.end - line.p), skip = 0;
    if (*line.p != ' ' && *line.p != '\t') {
      current = -1;
      for (int i = 0; i < 3; i++) {
        size_t len = strlen(wanted[i].name);
        if (n >= len && strncasecmp(line.p, wanted[i].name, len) == 0 &&
            wanted[i].value[0] == '\0') {
          current = i;
          skip = len;
        }
      }
    }
    if (current >= 0)
      keep(wanted[current].value, wanted[current].size, line.p + skip, n - skip);
  }
}

/* The parameter of a header's value: name=value, or name="value". Returns false without it. */
static bool parameter(const char *value, const char *name, char *out, size_t size)
{
  size_t len = strlen(name), n = 0;
  bool quoted = false;
  for (const char *p = value; *p != '\0'; p++) {
    if (*p == '"')
      quoted = !quoted;
    if (quoted || *p != ';')
      continue;
    p += 1 + strspn(p + 1, " \t");
    if (strncasecmp(p, name, len) == 0 && p[len] == '=') {
      p += len + 1;
      quoted = *p == '"';
      p += quoted;
      while (*p != '\0' && n < size - 1 && (quoted ? *p != '"' : *p != ';' && *p != ' ')) {
        p += quoted && *p == '\\' && p[1] != '\0';
        out[n++] = *p++;
      }
      out[n] = '\0';
      return n > 0;
    }
    p--;
  }
  return false;
}

/* A name that somebody on the way found too long for a line is told in parts (RFC 2231):
 * filename*0*=us-ascii''abc; filename*1*=def. Ours are of ASCII: nothing in them is encoded. */
static bool long_name(const char *value, char *out, size_t size)
{
  char name[32], part[MAIL_NAME];
  size_t used = 0;
  for (int i = 0; i < 16; i++) {
    snprintf(name, sizeof(name), "filename*%d", i);
    bool plain = parameter(value, name, part, sizeof(part));
    snprintf(name, sizeof(name), "filename*%d*", i);
    if (!plain && !parameter(value, name, part, sizeof(part)))
      break;
    const char *text = part;
    for (int quotes = 0; !plain && i == 0 && quotes < 2; quotes++)
      text = strchr(text, '\'') != NULL ? strchr(text, '\'') + 1 : text;
    size_t n = strlen(text);
    if (used + n >= size)
      return false;
    memcpy(out + used, text, n + 1);
    used += n;
  }
  return used > 0;
}

/* --- bodies ------------------------------------------------------------------------------- */

static int decode_base64(struct tm_buf *out, const struct span *body)
{
  size_t n = (size_t)(body->end - body->p), len = 0;
  unsigned char *bytes = malloc(n + 1);
  int rc = bytes == NULL ? -ENOMEM : 0;
  if (rc == 0 && sodium_base642bin(bytes, n + 1, body->p, n, " \t\r\n", &len, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) != 0)
    rc = -EBADMSG;
  if (rc == 0)
    rc = tm_buf_add(out, bytes, len);
  free(bytes);
  return rc;
}

static int hex_digit(char c)
{
  return isdigit((unsigned char)c)    ? c - '0'
         : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                      : -1;
}

static int decode_quoted(struct tm_buf *out, const struct span *body)
{
  int rc = 0;
  for (const char *p = body->p; rc == 0 && p < body->end; p++) {
    char c = *p;
    int high = c == '=' && body->end - p > 2 ? hex_digit(p[1]) : -1;
    int low = high >= 0 ? hex_digit(p[2]) : -1;
    if (low >= 0) {
      c = (char)(high * 16 + low);
      p += 2;
    } else if (c == '=') { /* a soft line break */
      while (p + 1 < body->end && p[1] != '\n')
        p++;
      p++;
      continue;
    }
    rc = tm_buf_add(out, &c, 1);
  }
  return rc;
}

static int add_file(struct mail_files *files, const struct head *h, const struct span *body)
{
  char name[MAIL_NAME];
  if (!parameter(h->disposition, "filename", name, sizeof(name)) &&
      !long_name(h->disposition, name, sizeof(name)) &&
      !parameter(h->type, "name", name, sizeof(name)))
    return 0;
  if (files->len == MAIL_PARTS)
    return -E2BIG;
  struct mail_file *f = &files->list[files->len];
  const char *slash = strrchr(name, '/');
  *f = (struct mail_file){.data = TM_BUF_INIT(PART_BYTES)};
  memcpy(f->name, slash != NULL ? slash + 1 : name, strlen(slash != NULL ? slash + 1 : name) + 1);
  files->len++;
  const char *encoding = h->encoding + strspn(h->encoding, " \t");
  if (strncasecmp(encoding, "base64", 6) == 0)
    return decode_base64(&f->data, body);
  if (strncasecmp(encoding, "quoted-printable", 16) == 0)
    return decode_quoted(&f->data, body);
  return tm_buf_add(&f->data, body->p, (size_t)(body->end - body->p));
}

/* --- parts -------------------------------------------------------------------------------- */

static int read_part(struct mail_files *files, struct span s, int depth);

static bool is_border(const struct span *line, const char *boundary, bool *last)
{
  size_t n = (size_t)(line->end - line->p), len = strlen(boundary);
  if (n < len + 2 || memcmp(line->p, "--", 2) != 0 || memcmp(line->p + 2, boundary, len) != 0)
    return false;
  *last = n >= len + 4 && memcmp(line->p + 2 + len, "--", 2) == 0;
  return true;
}

static int read_parts(struct mail_files *files, struct span s, const char *boundary, int depth)
{
  struct span line, part = {NULL, NULL};
  bool last = false;
  int rc = 0;
  while (rc == 0 && !last && next_line(&s, &line)) {
    if (!is_border(&line, boundary, &last))
      continue;
    if (part.p != NULL) {
      part.end = line.p; /* the line end before a border is the border's */
      part.end -= part.end > part.p && part.end[-1] == '\n';
      part.end -= part.end > part.p && part.end[-1] == '\r';
      rc = read_part(files, part, depth + 1);
    }
    part.p = s.p;
  }
  return rc;
}

static int read_part(struct mail_files *files, struct span s, int depth)
{
  struct head h;
  char boundary[200];
  read_head(&s, &h);
  const char *type = h.type + strspn(h.type, " \t");
  if (strncasecmp(type, "multipart/", 10) != 0)
    return add_file(files, &h, &s);
  if (depth >= MAIL_DEPTH || !parameter(h.type, "boundary", boundary, sizeof(boundary)))
    return -EBADMSG;
  return read_parts(files, s, boundary, depth);
}

int mail_read(struct mail_files *files, const char *mail, size_t len, struct tm_error *err)
{
  files->len = 0;
  int rc = read_part(files, (struct span){mail, mail + len}, 0);
  if (rc == -ENOMEM) /* nobody knows what it is: a mail server is to try again */
    return tm_fail(err, rc, "the mail: out of memory");
  if (rc < 0)
    return tm_fail(err, rc, "standard input: not a mail with attachments that can be read");
  return 0;
}
