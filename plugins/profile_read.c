/* SPDX-License-Identifier: MIT */
#include "plugins/profile_read.h"

#include "plugins/profile_value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct reader {
  const struct profile *p;
  struct profile_source source;
  struct reading *r;
  json_t *explain; /* NULL: not wanted */
  bool failed;     /* out of memory, or more rows than a reading holds */
};

static const struct profile_index device = {NULL, 0};

/* Remembers where the value that was just read came from. */
static void explain(struct reader *rd, const char *key)
{
  if (rd->explain != NULL && rd->source.from[0] != '\0')
    json_object_set_new(rd->explain, key, json_string(rd->source.from));
}

static void read_number(struct reader *rd, const char *key, const struct profile_numbers *n,
                        double *out)
{
  *out = profile_number_of(&rd->source, n, device);
  explain(rd, key);
}

static void read_text(struct reader *rd, const char *key, const struct profile_texts *t, char *out)
{
  profile_text_of(&rd->source, t, device, out, READING_NAME);
  explain(rd, key);
}

/* --- tables ------------------------------------------------------------------------------- */

typedef void row_reader(struct reader *rd, const struct profile_table *t, struct profile_index at);

/* Calls read for every row of the tables. */
static void each_row(struct reader *rd, const char *key, const struct profile_tables *tables,
                     row_reader *read)
{
  size_t found = 0;
  for (size_t i = 0; i < tables->len; i++) {
    const struct profile_table *t = &tables->list[i];
    size_t first = 0;
    if (t->otherwise && found > 0)
      continue;
    size_t rows = snmp_rows_under(rd->source.rows, t->rows.id, t->rows.len, &first);
    for (size_t k = 0; k < rows && !rd->failed; k++) {
      struct snmp_row row;
      snmp_rows_at(rd->source.rows, first + k, &row);
      struct profile_index at = {row.id + t->rows.len, row.id_len - t->rows.len};
      if (!profile_tests_hold(&rd->source, &t->where, at))
        continue;
      read(rd, t, at);
      if (found++ == 0) {
        oid_format(rd->source.from, sizeof(rd->source.from), t->rows.id, t->rows.len);
        explain(rd, key);
      }
    }
  }
}

/* --- volumes and pools -------------------------------------------------------------------- */

struct extent {
  double capacity;
  double used;
  double free;
};

static struct extent read_extent(struct reader *rd, const struct profile_table *t,
                                 struct profile_index at)
{
  struct extent e = {.capacity = profile_number_of(&rd->source, &t->capacity, at),
                     .used = profile_number_of(&rd->source, &t->used, at),
                     .free = profile_number_of(&rd->source, &t->free, at)};
  if (isnan(e.used) && e.free <= e.capacity)
    e.used = e.capacity - e.free;
  if (isnan(e.capacity))
    e.capacity = e.used + e.free;
  /* "3.6 TB" is no whole number of bytes. */
  e.capacity = round(e.capacity);
  e.used = round(e.used);
  return e;
}

static bool path_holds(const char *outer, const char *inner)
{
  size_t n = strlen(outer);
  return strncmp(outer, inner, n) == 0 && (inner[n] == '/' || (n > 0 && outer[n - 1] == '/'));
}

/*
 * The same file system under another mount: equal to the byte, and either one path lies within
 * the other or so much is used that it cannot be chance (many equal disks, all freshly formatted,
 * also agree to the byte, with next to nothing used).
 */
static bool is_again(const struct reading_volume *v, const char *name, const struct extent *e)
{
  if (v->capacity_bytes != e->capacity || v->used_bytes != e->used)
    return false;
  return e->used > e->capacity / 1000 || path_holds(v->name, name) || path_holds(name, v->name);
}

struct volume_reader {
  struct reader rd;     /* first: a row_reader gets a pointer to it */
  struct reading *into; /* the reading itself, or a scratch one for pools */
  struct reading seen;  /* every row as it came, to tell what is shown again */
};

static bool again(struct volume_reader *vr, const char *name, const struct extent *e)
{
  for (size_t i = 0; i < vr->seen.volumes_len; i++)
    if (is_again(&vr->seen.volumes[i], name, e))
      return true;
  struct reading_volume *v = reading_add_volume(&vr->seen);
  if (v == NULL) {
    vr->rd.failed = true;
    return true;
  }
  snprintf(v->name, sizeof(v->name), "%s", name);
  v->capacity_bytes = e->capacity;
  v->used_bytes = e->used;
  return false;
}

static struct reading_volume *find_volume(struct reading *r, const char *name)
{
  for (size_t i = 0; i < r->volumes_len; i++)
    if (strcmp(r->volumes[i].name, name) == 0)
      return &r->volumes[i];
  return NULL;
}

/*
 * One more member of a group that shares its free space (data sets of a ZFS pool): what is used
 * adds up, the room left is the least that a member sees, and capacity is both together.
 */
static void join(struct reading_volume *v, const struct extent *e)
{
  double room = fmin(v->capacity_bytes - v->used_bytes, e->capacity - e->used);
  if (isfinite(e->used))
    v->used_bytes = isnan(v->used_bytes) ? e->used : v->used_bytes + e->used;
  v->capacity_bytes = v->used_bytes + room;
}

static void read_volume(struct reader *rd, const struct profile_table *t, struct profile_index at)
{
  struct volume_reader *vr = (struct volume_reader *)rd;
  char name[READING_NAME];
  char group[READING_NAME] = "";
  struct extent e = read_extent(rd, t, at);
  if (isnan(e.capacity) && isnan(e.used))
    return;
  profile_text_of(&rd->source, &t->name, at, name, sizeof(name));
  if (t->distinct && again(vr, name, &e))
    return;
  if (t->group.len > 0) {
    profile_text_of(&rd->source, &t->group, at, group, sizeof(group));
    struct reading_volume *pool = find_volume(vr->into, group);
    if (pool != NULL) {
      join(pool, &e);
      return;
    }
  }
  struct reading_volume *v = reading_add_volume(vr->into);
  if (v == NULL) {
    rd->failed = true;
    return;
  }
  memcpy(v->name, t->group.len > 0 ? group : name, sizeof(v->name));
  profile_id_of(at, v->id);
  v->capacity_bytes = e.capacity;
  v->used_bytes = e.used;
  v->uncounted = t->uncounted || !profile_tests_hold(&rd->source, &t->counts, at);
}

/* Capacity and used space of the rows that count. What is used is known only if all tell it. */
static void sum_up(struct reading *into, const struct reading *from)
{
  bool untold = false;
  double capacity = NAN;
  double used = NAN;
  for (size_t i = 0; i < from->volumes_len; i++) {
    const struct reading_volume *v = &from->volumes[i];
    if (v->uncounted || isnan(v->capacity_bytes))
      continue;
    capacity = isnan(capacity) ? v->capacity_bytes : capacity + v->capacity_bytes;
    used = isnan(used) ? v->used_bytes : used + v->used_bytes;
    untold |= isnan(v->used_bytes);
  }
  if (isnan(into->capacity_bytes)) {
    into->capacity_bytes = capacity;
    if (isnan(into->used_bytes) && !untold)
      into->used_bytes = used;
  }
}

static void read_storage(struct reader *rd, struct reading *r)
{
  struct reading pools;
  reading_init(&pools, READING_DISK_ARRAY);
  struct volume_reader vr = {.rd = *rd, .into = r};
  reading_init(&vr.seen, READING_DISK_ARRAY);
  each_row(&vr.rd, "volumes", &rd->p->volumes, read_volume);
  vr.into = &pools;
  reading_release(&vr.seen);
  each_row(&vr.rd, "pools", &rd->p->pools, read_volume);
  read_number(&vr.rd, "capacity_bytes", &rd->p->capacity, &r->capacity_bytes);
  read_number(&vr.rd, "used_bytes", &rd->p->used, &r->used_bytes);
  sum_up(r, &pools);
  sum_up(r, r);
  rd->failed |= vr.rd.failed;
  reading_release(&vr.seen);
  reading_release(&pools);
}

/* --- libraries ------------------------------------------------------------------------------ */

static void read_drive(struct reader *rd, const struct profile_table *t, struct profile_index at)
{
  struct reading_drive *d = reading_add_drive(rd->r);
  if (d == NULL) {
    rd->failed = true;
    return;
  }
  profile_text_of(&rd->source, &t->name, at, d->name, sizeof(d->name));
  profile_text_of(&rd->source, &t->vendor, at, d->vendor, sizeof(d->vendor));
  profile_text_of(&rd->source, &t->model, at, d->model, sizeof(d->model));
  profile_text_of(&rd->source, &t->serial, at, d->serial, sizeof(d->serial));
  profile_text_of(&rd->source, &t->state, at, d->state, sizeof(d->state));
  d->read_bytes = profile_number_of(&rd->source, &t->read, at);
  d->written_bytes = profile_number_of(&rd->source, &t->written, at);
}

static void read_library(struct reader *rd, struct reading *r)
{
  each_row(rd, "drive_list", &rd->p->drive_list, read_drive);
  read_number(rd, "slots_total", &rd->p->slots_total, &r->slots_total);
  read_number(rd, "slots_used", &rd->p->slots_used, &r->slots_used);
  read_number(rd, "drives", &rd->p->drives, &r->drives);
  if (isnan(r->drives) && r->drive_list_len > 0)
    r->drives = (double)r->drive_list_len;
}

/* --- printers ------------------------------------------------------------------------------- */

static double not_below_zero(double v)
{
  return v >= 0 ? v : NAN;
}

static void read_supply(struct reader *rd, const struct profile_table *t, struct profile_index at)
{
  struct reading_supply *s = reading_add_supply(rd->r);
  if (s == NULL) {
    rd->failed = true;
    return;
  }
  double level = profile_code_of(&rd->source, &t->level, at);
  profile_text_of(&rd->source, &t->name, at, s->name, sizeof(s->name));
  profile_id_of(at, s->id);
  profile_text_of(&rd->source, &t->unit, at, s->unit, sizeof(s->unit));
  s->max = not_below_zero(profile_code_of(&rd->source, &t->capacity, at));
  s->level = not_below_zero(level);
  snprintf(s->state, sizeof(s->state), "%s", reading_level_state(level));
}

static void read_tray(struct reader *rd, const struct profile_table *t, struct profile_index at)
{
  struct reading_tray *tray = reading_add_tray(rd->r);
  if (tray == NULL) {
    rd->failed = true;
    return;
  }
  profile_text_of(&rd->source, &t->name, at, tray->name, sizeof(tray->name));
  profile_id_of(at, tray->id);
  tray->capacity = not_below_zero(profile_code_of(&rd->source, &t->capacity, at));
  tray->level = not_below_zero(profile_code_of(&rd->source, &t->level, at));
}

static void read_printer(struct reader *rd, struct reading *r)
{
  read_number(rd, "pages_total", &rd->p->pages_total, &r->pages_total);
  if (isfinite(r->pages_total))
    read_text(rd, "pages_unit", &rd->p->pages_unit, r->pages_unit);
  read_number(rd, "pages_color", &rd->p->pages_color, &r->pages_color);
  each_row(rd, "supplies", &rd->p->supplies, read_supply);
  each_row(rd, "trays", &rd->p->trays, read_tray);
}

/* --- data items ----------------------------------------------------------------------------- */

static const struct profile_item *find_item(const struct profile *p, const char *name)
{
  for (size_t i = 0; i < p->items_len; i++)
    if (strcmp(p->items[i].name, name) == 0)
      return &p->items[i];
  return NULL;
}

static struct reading_item *new_item(struct reader *rd, const char *name)
{
  struct reading_item *it = reading_add_item(rd->r);
  if (it == NULL)
    rd->failed = true;
  else
    snprintf(it->name, sizeof(it->name), "%s", name);
  return it;
}

/* Fills in what the device tells; false when that is nothing. */
static bool fill_item(struct reader *rd, const struct profile_item *known, struct profile_index at,
                      struct reading_item *it)
{
  it->number = profile_number_of(&rd->source, &known->number, at);
  if (isnan(it->number))
    profile_text_of(&rd->source, &known->text, at, it->text, sizeof(it->text));
  if (isnan(it->number) && it->text[0] == '\0')
    return false;
  explain(rd, it->name);
  snprintf(it->unit, sizeof(it->unit), "%s", known->unit);
  snprintf(it->nature, sizeof(it->nature), "%s", known->nature);
  return true;
}

/* Names of data items are at most this long wherever they travel. */
#define ITEM_NAME 64

static bool is_named(const struct reading *r, const char *name)
{
  for (size_t i = 0; i < r->items_len; i++)
    if (strcmp(r->items[i].name, name) == 0)
      return true;
  return false;
}

/* Writes what fits, in the characters that names have. */
static void put_label(char *to, size_t room, const char *label)
{
  size_t i = 0;
  for (; i < room && label[i] != '\0'; i++)
    to[i] = (char)(isalnum((unsigned char)label[i]) || label[i] == '-' ? label[i] : '_');
  to[i] = '\0';
}

/*
 * "NAME-Tray_1": the label of the row; its index where there is no label, and after it where
 * another row is already called so.
 */
static void name_row(struct reader *rd, const struct profile_item *known, struct profile_index at,
                     char name[ITEM_NAME + 1])
{
  char label[READING_NAME];
  char index[READING_NAME] = "-";
  size_t len = (size_t)snprintf(name, ITEM_NAME + 1, "%s-", known->name);
  oid_format(index + 1, sizeof(index) - 1, at.id, at.len);
  profile_text_of(&rd->source, &known->label, at, label, sizeof(label));
  put_label(name + len, ITEM_NAME - len, label[0] != '\0' ? label : index + 1);
  if (!is_named(rd->r, name))
    return;
  size_t tail = strlen(index) < ITEM_NAME - len ? strlen(index) : ITEM_NAME - len;
  size_t keep = strlen(name) + tail <= ITEM_NAME ? strlen(name) : ITEM_NAME - tail;
  put_label(name + keep, ITEM_NAME - keep, index);
}

/* One item for each row of a table: the copies of each paper feed stage. Their number. */
static size_t read_item_rows(struct reader *rd, const struct profile_item *known)
{
  size_t first = 0;
  size_t told = 0;
  size_t rows = snmp_rows_under(rd->source.rows, known->rows.id, known->rows.len, &first);
  for (size_t i = 0; i < rows && !rd->failed; i++) {
    struct snmp_row row;
    char name[ITEM_NAME + 1];
    snmp_rows_at(rd->source.rows, first + i, &row);
    struct profile_index at = {row.id + known->rows.len, row.id_len - known->rows.len};
    name_row(rd, known, at, name);
    struct reading_item *it = new_item(rd, name);
    if (it != NULL && fill_item(rd, known, at, it))
      told++;
    else if (it != NULL)
      rd->r->items_len--;
  }
  return told;
}

static void read_item(struct reader *rd, const char *name)
{
  const struct profile_item *known = find_item(rd->p, name);
  if (known != NULL && known->rows.len > 0 && read_item_rows(rd, known) > 0)
    return;
  struct reading_item *it = new_item(rd, name);
  if (it == NULL || (known != NULL && known->rows.len == 0 && fill_item(rd, known, device, it)))
    return;
  snprintf(it->state, sizeof(it->state), "not-offered");
}

int profile_read(const struct profile *p, struct snmp_rows *rows, json_t *where,
                 const char *const *items, struct reading *r)
{
  struct reader rd = {
      .p = p, .source = {.rows = rows, .explain = where != NULL}, .r = r, .explain = where};
  r->kind = p->kind;
  snprintf(r->profile, sizeof(r->profile), "%s", p->name);
  read_text(&rd, "vendor", &p->vendor, r->vendor);
  read_text(&rd, "model", &p->model, r->model);
  read_text(&rd, "serial", &p->serial, r->serial);
  read_text(&rd, "firmware", &p->firmware, r->firmware);
  read_number(&rd, "transfers", &p->transfers, &r->transfers);
  read_number(&rd, "transfers_per_s", &p->transfers_per_s, &r->transfers_per_s);
  read_number(&rd, "reads", &p->reads, &r->reads);
  read_number(&rd, "read_bytes", &p->read_bytes, &r->read_bytes);
  read_number(&rd, "write_bytes", &p->write_bytes, &r->write_bytes);
  if (p->kind == READING_PRINTER)
    read_printer(&rd, r);
  else
    read_storage(&rd, r);
  if (p->kind == READING_MEDIA_LIBRARY)
    read_library(&rd, r);
  for (size_t i = 0; items != NULL && items[i] != NULL; i++)
    read_item(&rd, items[i]);
  if (profile_read_counters(p, rows, r) < 0)
    rd.failed = true;
  return rd.failed ? -ENOMEM : 0;
}

int profile_read_counters(const struct profile *p, struct snmp_rows *rows, struct reading *r)
{
  struct profile_source s = {.rows = rows};
  const struct profile_numbers *n = p->kind == READING_PRINTER ? &p->pages_total : &p->transfers;
  r->kind = p->kind;
  snprintf(r->profile, sizeof(r->profile), "%s", p->name);
  return profile_counters_of(&s, n, r);
}
