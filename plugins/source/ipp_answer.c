/* SPDX-License-Identifier: MIT */
#include "plugins/source/ipp_answer.h"

#include "common/number.h"
#include "common/text.h"

#include <cups/ipp.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_DEPTH = 8, MAX_VALUES = 20000, MAX_SUPPLIES = 64, HEADER = 8 };
/* Levels that are no levels (RFC 3805). */
enum { LEVEL_UNRESTRICTED = -1, LEVEL_UNKNOWN = -2 };

/* --- the request -------------------------------------------------------------------------- */

static ssize_t write_bytes(void *context, ipp_uchar_t *data, size_t n)
{
  return tm_buf_add(context, data, n) < 0 ? -1 : (ssize_t)n;
}

int ipp_make_request(struct tm_buf *b, const char *printer_uri, int version, bool counters)
{
  static const char *const wanted[] = {
      /* the page counters, which come first */
      "printer-impressions-completed", "printer-media-sheets-completed",
      "printer-impressions-completed-col",
      /* the rest */
      "printer-make-and-model", "printer-device-id", "printer-serial-number",
      "printer-firmware-string-version", "marker-names", "marker-levels", "printer-supply",
      "printer-supply-description", "printer-input-tray", "printer-state", "printer-state-message"};
  ipp_t *q = ippNewRequest(IPP_OP_GET_PRINTER_ATTRIBUTES);
  if (q == NULL)
    return -ENOMEM;
  ippSetVersion(q, version / 10, version % 10);
  ippAddString(q, IPP_TAG_OPERATION, IPP_TAG_URI, "printer-uri", NULL, printer_uri);
  ippAddStrings(q, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes",
                counters ? 3 : (int)(sizeof(wanted) / sizeof(wanted[0])), NULL, wanted);
  bool written = ippWriteIO(b, write_bytes, 1, NULL, q) == IPP_STATE_DATA;
  ippDelete(q);
  return written ? 0 : -ENOMEM;
}

/* --- a message before libcups sees it ------------------------------------------------------ */

struct scan {
  const unsigned char *p;
  size_t left;
};

/* Skips a field of two bytes of length and so many bytes; its length, or -1. */
static long skip_field(struct scan *s)
{
  if (s->left < 2)
    return -1;
  size_t n = (size_t)s->p[0] << 8 | s->p[1];
  if (n > 0x7fff || s->left - 2 < n)
    return -1;
  s->p += 2 + n;
  s->left -= 2 + n;
  return (long)n;
}

bool ipp_message_is_sound(const void *data, size_t len)
{
  struct scan s = {data, len};
  int depth = 0;
  int values = 0;
  bool in_group = false;
  if (len < HEADER)
    return false;
  s.p += HEADER;
  s.left -= HEADER;
  while (s.left > 0) {
    unsigned char tag = *s.p++;
    s.left--;
    if (tag == IPP_TAG_END)
      return depth == 0;
    if (tag < 0x10) { /* a group begins */
      if (depth != 0)
        return false;
      in_group = true;
      continue;
    }
    long name = skip_field(&s);
    if (!in_group || name < 0 || skip_field(&s) < 0 || ++values > MAX_VALUES)
      return false;
    if (tag == IPP_TAG_BEGIN_COLLECTION && ++depth > MAX_DEPTH)
      return false;
    if (tag == IPP_TAG_END_COLLECTION && --depth < 0)
      return false;
  }
  return false;
}

static ssize_t read_bytes(void *context, ipp_uchar_t *out, size_t n)
{
  struct scan *s = context;
  if (n > s->left)
    n = s->left;
  memcpy(out, s->p, n);
  s->p += n;
  s->left -= n;
  return (ssize_t)n;
}

/* --- values ------------------------------------------------------------------------------- */

/* The n-th value as clean text; "" when it is no text. */
static void get_text(ipp_attribute_t *a, int n, char *out, size_t size)
{
  out[0] = '\0';
  ipp_tag_t tag = a != NULL ? ippGetValueTag(a) : IPP_TAG_ZERO;
  if (n >= ippGetCount(a))
    return;
  if (tag == IPP_TAG_STRING) {
    int len = 0;
    const void *bytes = ippGetOctetString(a, n, &len);
    if (bytes != NULL && len > 0)
      tm_text_clean(out, size, bytes, (size_t)len);
    return;
  }
  if (tag != IPP_TAG_TEXT && tag != IPP_TAG_NAME && tag != IPP_TAG_TEXTLANG &&
      tag != IPP_TAG_NAMELANG && tag != IPP_TAG_KEYWORD)
    return;
  const char *text = ippGetString(a, n, NULL);
  if (text != NULL)
    tm_text_clean(out, size, text, strlen(text));
}

static void find_text(ipp_t *ipp, const char *name, char out[READING_NAME])
{
  get_text(ippFindAttribute(ipp, name, IPP_TAG_ZERO), 0, out, READING_NAME);
}

/* A counter cannot be negative. */
static double get_count(ipp_attribute_t *a)
{
  if (a == NULL || ippGetValueTag(a) != IPP_TAG_INTEGER || ippGetCount(a) < 1)
    return NAN;
  int v = ippGetInteger(a, 0);
  return v >= 0 ? v : NAN;
}

/* "MFG:HP;MDL:Officejet Pro 6830;SN:TH55R620W0;" or "type=toner;level=20;": the value of the first
 * of the keys that is there, with a separator between key and value. */
static bool get_part(const char *text, char separator, const char *const *keys, char *out,
                     size_t size)
{
  for (size_t k = 0; keys[k] != NULL; k++) {
    size_t key_len = strlen(keys[k]);
    for (const char *p = text; *p != '\0';) {
      size_t len = strcspn(p, ";");
      size_t blanks = strspn(p, " ");
      const char *start = p + (blanks < len ? blanks : len);
      size_t rest = len - (size_t)(start - p);
      if (rest > key_len + 1 && start[key_len] == separator &&
          strncasecmp(start, keys[k], key_len) == 0) {
        tm_text_clean(out, size, start + key_len + 1, rest - key_len - 1);
        return out[0] != '\0';
      }
      p += len + (p[len] == ';');
    }
  }
  return false;
}

/* NAN when the part is absent or no number. */
static double get_number(const char *text, const char *key)
{
  const char *const keys[] = {key, NULL};
  char digits[24];
  int64_t value = 0;
  if (!get_part(text, '=', keys, digits, sizeof(digits)) ||
      tm_parse_i64(digits, INT32_MIN, INT32_MAX, &value) < 0)
    return NAN;
  return (double)value;
}

/* --- what is told ------------------------------------------------------------------------- */

static void tell_identity(ipp_t *ipp, struct reading *r)
{
  static const char *const vendor[] = {"MFG", "MANUFACTURER", NULL};
  static const char *const model[] = {"MDL", "MODEL", NULL};
  static const char *const serial[] = {"SN", "SERN", "SERIALNUMBER", NULL};
  char id[1024];
  get_text(ippFindAttribute(ipp, "printer-device-id", IPP_TAG_ZERO), 0, id, sizeof(id));
  find_text(ipp, "printer-make-and-model", r->model);
  find_text(ipp, "printer-serial-number", r->serial);
  find_text(ipp, "printer-firmware-string-version", r->firmware);
  get_part(id, ':', vendor, r->vendor, sizeof(r->vendor));
  if (r->model[0] == '\0')
    get_part(id, ':', model, r->model, sizeof(r->model));
  if (r->serial[0] == '\0')
    get_part(id, ':', serial, r->serial, sizeof(r->serial));
}

static void count_pages(struct reading *r, double pages, const char *unit)
{
  r->pages_total = pages;
  snprintf(r->pages_unit, sizeof(r->pages_unit), "%s", unit);
  struct reading_counter *c = reading_add_counter(r);
  if (c == NULL)
    return;
  snprintf(c->name, sizeof(c->name), "%s", unit);
  c->value = (uint64_t)pages;
}

static void tell_pages(ipp_t *ipp, struct reading *r)
{
  double impressions =
      get_count(ippFindAttribute(ipp, "printer-impressions-completed", IPP_TAG_ZERO));
  double sheets = get_count(ippFindAttribute(ipp, "printer-media-sheets-completed", IPP_TAG_ZERO));
  if (!isnan(impressions))
    count_pages(r, impressions, "impressions");
  else if (!isnan(sheets))
    count_pages(r, sheets, "sheets");
  ipp_attribute_t *a = ippFindAttribute(ipp, "printer-impressions-completed-col", IPP_TAG_ZERO);
  if (a == NULL || ippGetValueTag(a) != IPP_TAG_BEGIN_COLLECTION || ippGetCount(a) < 1)
    return;
  ipp_t *col = ippGetCollection(a, 0);
  r->pages_color = get_count(ippFindAttribute(col, "full-color", IPP_TAG_ZERO));
  double highlight = get_count(ippFindAttribute(col, "highlight-color", IPP_TAG_ZERO));
  if (!isnan(highlight))
    r->pages_color = isnan(r->pages_color) ? highlight : r->pages_color + highlight;
}

/* A level above the maximum is none. */
static void set_level(struct reading_supply *s, double level)
{
  if (level > s->max)
    level = LEVEL_UNKNOWN;
  snprintf(s->state, sizeof(s->state), "%s", reading_level_state(level));
  s->level = level >= 0 ? level : NAN;
}

/* Markers: levels in percent. -1 says that there is no level, which is not 'unrestricted' here. */
static void tell_markers(ipp_t *ipp, struct reading *r)
{
  ipp_attribute_t *names = ippFindAttribute(ipp, "marker-names", IPP_TAG_ZERO);
  ipp_attribute_t *levels = ippFindAttribute(ipp, "marker-levels", IPP_TAG_ZERO);
  int told = levels != NULL && ippGetValueTag(levels) == IPP_TAG_INTEGER ? ippGetCount(levels) : 0;
  int n = names != NULL ? ippGetCount(names) : 0;
  for (int i = 0; i < n && i < MAX_SUPPLIES; i++) {
    struct reading_supply *s = reading_add_supply(r);
    if (s == NULL)
      return;
    double level = i < told ? ippGetInteger(levels, i) : NAN;
    get_text(names, i, s->name, sizeof(s->name));
    snprintf(s->unit, sizeof(s->unit), "percent");
    s->max = 100;
    set_level(s, level == LEVEL_UNRESTRICTED ? LEVEL_UNKNOWN : level);
  }
}

static void tell_supplies(ipp_t *ipp, struct reading *r)
{
  static const char *const colorant[] = {"colorantname", "type", NULL};
  static const char *const unit[] = {"unit", NULL};
  static const char *const index[] = {"index", NULL};
  ipp_attribute_t *supplies = ippFindAttribute(ipp, "printer-supply", IPP_TAG_ZERO);
  ipp_attribute_t *names = ippFindAttribute(ipp, "printer-supply-description", IPP_TAG_ZERO);
  int n = supplies != NULL ? ippGetCount(supplies) : 0;
  for (int i = 0; i < n && i < MAX_SUPPLIES; i++) {
    char text[1024];
    get_text(supplies, i, text, sizeof(text));
    struct reading_supply *s = text[0] != '\0' ? reading_add_supply(r) : NULL;
    if (s == NULL)
      continue;
    get_text(names, i, s->name, sizeof(s->name));
    if (s->name[0] == '\0')
      get_part(text, '=', colorant, s->name, sizeof(s->name));
    get_part(text, '=', index, s->id, sizeof(s->id));
    get_part(text, '=', unit, s->unit, sizeof(s->unit));
    double max = get_number(text, "maxcapacity");
    s->max = max > 0 ? max : NAN;
    set_level(s, get_number(text, "level"));
  }
}

static void tell_trays(ipp_t *ipp, struct reading *r)
{
  static const char *const name[] = {"name", NULL};
  static const char *const index[] = {"index", NULL};
  ipp_attribute_t *trays = ippFindAttribute(ipp, "printer-input-tray", IPP_TAG_ZERO);
  int n = trays != NULL ? ippGetCount(trays) : 0;
  for (int i = 0; i < n && i < MAX_SUPPLIES; i++) {
    char text[1024];
    get_text(trays, i, text, sizeof(text));
    double capacity = get_number(text, "maxcapacity");
    double level = get_number(text, "level");
    if (!(capacity > 0) && !(level >= 0))
      continue; /* it tells nothing but that it is there */
    struct reading_tray *t = reading_add_tray(r);
    if (t == NULL)
      return;
    get_part(text, '=', name, t->name, sizeof(t->name));
    get_part(text, '=', index, t->id, sizeof(t->id));
    t->capacity = capacity > 0 ? capacity : NAN;
    t->level = level >= 0 ? level : NAN;
  }
}

/* --- the answer --------------------------------------------------------------------------- */

static int check_status(ipp_t *ipp, const char *name, struct tm_error *err)
{
  ipp_status_t status = ippGetStatusCode(ipp);
  if ((int)status >= 0 && (int)status < 0x0100)
    return 0;
  int code = -EIO;
  if (status == IPP_STATUS_ERROR_VERSION_NOT_SUPPORTED)
    code = -EPROTONOSUPPORT;
  else if (status == IPP_STATUS_ERROR_NOT_FOUND)
    code = -ENOENT;
  else if (status == IPP_STATUS_ERROR_NOT_AUTHENTICATED ||
           status == IPP_STATUS_ERROR_NOT_AUTHORIZED || status == IPP_STATUS_ERROR_FORBIDDEN)
    code = -EACCES;
  return tm_fail(err, code, "%s: the printer answered status 0x%04x", name, (unsigned)status);
}

/* --- data items --------------------------------------------------------------------------- */

static void tell_state(ipp_t *ipp, char *out, size_t size)
{
  static const char *const words[] = {"idle", "processing", "stopped"};
  ipp_attribute_t *a = ippFindAttribute(ipp, "printer-state", IPP_TAG_ENUM);
  int state = a != NULL ? ippGetInteger(a, 0) - IPP_PSTATE_IDLE : -1;
  if (state >= 0 && state < (int)(sizeof(words) / sizeof(words[0])))
    snprintf(out, size, "%s", words[state]);
}

/* False when the printer does not tell it. */
static bool tell_item(ipp_t *ipp, const struct reading *pages, struct reading_item *item)
{
  bool counter = true;
  if (strcmp(item->name, "pages_total") == 0) {
    item->number = pages->pages_total;
    memcpy(item->unit, pages->pages_unit, sizeof(item->unit));
  } else if (strcmp(item->name, "pages_color") == 0) {
    item->number = pages->pages_color;
    snprintf(item->unit, sizeof(item->unit), "impressions");
  } else if (strcmp(item->name, "sheets_total") == 0) {
    item->number = get_count(ippFindAttribute(ipp, "printer-media-sheets-completed", IPP_TAG_ZERO));
    snprintf(item->unit, sizeof(item->unit), "sheets");
  } else {
    counter = false;
    if (strcmp(item->name, "console_message") == 0)
      find_text(ipp, "printer-state-message", item->text);
    else if (strcmp(item->name, "printer_state") == 0)
      tell_state(ipp, item->text, sizeof(item->text));
  }
  snprintf(item->nature, sizeof(item->nature), counter ? "counter" : "measurement");
  return item->text[0] != '\0' || !isnan(item->number);
}

static void tell_items(ipp_t *ipp, const char *const *items, struct reading *r)
{
  struct reading pages;
  reading_init(&pages, READING_PRINTER);
  tell_pages(ipp, &pages);
  for (; items != NULL && *items != NULL; items++) {
    struct reading_item *item = reading_add_item(r);
    if (item == NULL)
      break;
    tm_text_clean(item->name, sizeof(item->name), *items, strlen(*items));
    if (!tell_item(ipp, &pages, item)) {
      item->unit[0] = item->nature[0] = '\0';
      snprintf(item->state, sizeof(item->state), "not-offered");
    }
  }
  reading_release(&pages);
}

/* *out is the caller's, by ippDelete(). */
static int decode(const void *data, size_t len, const char *name, ipp_t **out, struct tm_error *err)
{
  if (!ipp_message_is_sound(data, len))
    return tm_fail(err, -EBADMSG, "%s: the answer is no IPP message", name);
  struct scan s = {data, len};
  ipp_t *ipp = ippNew();
  if (ipp == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = 0;
  errno = 0;
  if (ippReadIO(&s, read_bytes, 1, NULL, ipp) != IPP_STATE_DATA)
    rc = tm_fail(err, -EBADMSG, "%s: the answer is no IPP message", name);
  if (errno == ENOMEM) /* libcups leaves out the texts that it has no room for */
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", name);
  if (rc == 0)
    rc = check_status(ipp, name, err);
  if (rc < 0)
    ippDelete(ipp);
  else
    *out = ipp;
  return rc;
}

int ipp_read_answer(const void *data, size_t len, const char *name, struct reading *r,
                    struct tm_error *err)
{
  ipp_t *ipp = NULL;
  int rc = decode(data, len, name, &ipp, err);
  if (rc < 0)
    return rc;
  tell_identity(ipp, r);
  tell_pages(ipp, r);
  tell_markers(ipp, r);
  if (r->supplies_len == 0)
    tell_supplies(ipp, r);
  tell_trays(ipp, r);
  ippDelete(ipp);
  return 0;
}

int ipp_read_items(const void *data, size_t len, const char *name, const char *const *items,
                   struct reading *r, struct tm_error *err)
{
  ipp_t *ipp = NULL;
  int rc = decode(data, len, name, &ipp, err);
  if (rc < 0)
    return rc;
  tell_items(ipp, items, r);
  ippDelete(ipp);
  return 0;
}
