/* SPDX-License-Identifier: MIT */
#include "plugins/source/snmp_rows.h"

#include "common/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct snmp_cell {
  size_t id; /* where its arcs begin */
  size_t bytes;
  uint32_t id_len;
  uint32_t len;
  enum snmp_type type;
  bool wide;
  uint64_t number; /* the bits of whatever the type says */
};

int oid_parse(const char *text, struct oid_path *oid)
{
  struct oid_path o = {0};
  if (*text == '.')
    text++;
  for (;;) {
    if (*text < '0' || *text > '9' || o.len == OID_PATH_MAX)
      return -EINVAL;
    uint64_t arc = 0;
    while (*text >= '0' && *text <= '9') {
      arc = arc * 10 + (uint64_t)(*text++ - '0');
      if (arc > UINT32_MAX)
        return -EINVAL;
    }
    o.id[o.len++] = (uint32_t)arc;
    if (*text == '\0')
      break;
    if (*text++ != '.')
      return -EINVAL;
  }
  *oid = o;
  return 0;
}

char *oid_format(char *out, size_t size, const uint32_t *id, size_t len)
{
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < len; i++) {
    int n = snprintf(out + used, size - used, i > 0 ? ".%u" : "%u", id[i]);
    if (n < 0 || (size_t)n >= size - used) {
      out[used] = '\0';
      break;
    }
    used += (size_t)n;
  }
  return out;
}

int oid_compare(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len)
{
  for (size_t i = 0; i < a_len && i < b_len; i++)
    if (a[i] != b[i])
      return a[i] < b[i] ? -1 : 1;
  return (a_len > b_len) - (a_len < b_len);
}

bool oid_under(const uint32_t *prefix, size_t prefix_len, const uint32_t *id, size_t len)
{
  return len >= prefix_len && oid_compare(prefix, prefix_len, id, prefix_len) == 0;
}

void snmp_rows_init(struct snmp_rows *r)
{
  *r = (struct snmp_rows){.bytes = TM_BUF_INIT(SNMP_ROWS_BYTES), .sorted = true};
}

void snmp_rows_release(struct snmp_rows *r)
{
  free(r->cells);
  free(r->arcs);
  tm_buf_release(&r->bytes);
  snmp_rows_init(r);
}

static void cell_row(const struct snmp_rows *r, const struct snmp_cell *c, struct snmp_row *row)
{
  *row = (struct snmp_row){
      .id = r->arcs + c->id,
      .id_len = c->id_len,
      .value = {.type = c->type,
                .number = c->number,
                .wide = c->wide,
                .bytes = r->bytes.ptr == NULL ? "" : r->bytes.ptr + c->bytes,
                .len = c->len},
  };
}

int snmp_rows_add(struct snmp_rows *r, const uint32_t *id, size_t id_len,
                  const struct snmp_value *value)
{
  if (r->len >= SNMP_ROWS_MAX || id_len > SNMP_ARCS)
    return -EFBIG;
  if (TM_ROOM(r->cells, r->cap, r->len) < 0 ||
      tm_room(&r->arcs, &r->arcs_cap, r->arcs_len, id_len, sizeof(*r->arcs)) < 0)
    return -ENOMEM;
  struct snmp_cell c = {.id = r->arcs_len,
                        .bytes = r->bytes.len,
                        .id_len = (uint32_t)id_len,
                        .type = value->type,
                        .wide = value->wide,
                        .number = value->number};
  if (value->type == SNMP_STRING || value->type == SNMP_IDENTITY) {
    size_t len = value->len < SNMP_BYTES ? value->len : SNMP_BYTES;
    int rc = tm_buf_add(&r->bytes, value->bytes, len);
    if (rc == 0)
      rc = tm_buf_add(&r->bytes, "", 1);
    if (rc < 0)
      return rc;
    c.len = (uint32_t)len;
  }
  memcpy(r->arcs + r->arcs_len, id, id_len * sizeof(*id));
  r->arcs_len += id_len;
  if (r->sorted && r->len > 0) {
    const struct snmp_cell *last = &r->cells[r->len - 1];
    r->sorted = oid_compare(r->arcs + last->id, last->id_len, id, id_len) < 0;
  }
  r->cells[r->len++] = c;
  return 0;
}

void snmp_rows_drop(struct snmp_rows *r, const uint32_t *prefix, size_t prefix_len)
{
  size_t kept = 0;
  for (size_t i = 0; i < r->len; i++) {
    const struct snmp_cell *c = &r->cells[i];
    if (!oid_under(prefix, prefix_len, r->arcs + c->id, c->id_len))
      r->cells[kept++] = *c;
  }
  r->len = kept;
}

static int by_id(const void *a, const void *b, void *arcs)
{
  const struct snmp_cell *x = a;
  const struct snmp_cell *y = b;
  const uint32_t *base = arcs;
  int order = oid_compare(base + x->id, x->id_len, base + y->id, y->id_len);
  /* Equal identifiers keep the order in which they came. */
  return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* Orders the rows; what was answered twice (by a probe and by a walk) is kept once. */
static void sort(struct snmp_rows *r)
{
  size_t kept = 0;
  qsort_r(r->cells, r->len, sizeof(*r->cells), by_id, r->arcs);
  for (size_t i = 0; i < r->len; i++) {
    const struct snmp_cell *c = &r->cells[i];
    const struct snmp_cell *last = kept > 0 ? &r->cells[kept - 1] : NULL;
    if (last == NULL ||
        oid_compare(r->arcs + last->id, last->id_len, r->arcs + c->id, c->id_len) != 0)
      r->cells[kept++] = *c;
  }
  r->len = kept;
  r->sorted = true;
}

/* The first row that is not before id. */
static size_t lower_bound(struct snmp_rows *r, const uint32_t *id, size_t id_len)
{
  if (!r->sorted)
    sort(r);
  size_t low = 0;
  size_t high = r->len;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct snmp_cell *c = &r->cells[middle];
    if (oid_compare(r->arcs + c->id, c->id_len, id, id_len) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool snmp_rows_get(struct snmp_rows *r, const uint32_t *id, size_t id_len, struct snmp_row *row)
{
  size_t i = lower_bound(r, id, id_len);
  if (i == r->len)
    return false;
  cell_row(r, &r->cells[i], row);
  return oid_compare(row->id, row->id_len, id, id_len) == 0;
}

size_t snmp_rows_under(struct snmp_rows *r, const uint32_t *prefix, size_t prefix_len,
                       size_t *first)
{
  size_t i = lower_bound(r, prefix, prefix_len);
  *first = i;
  while (i < r->len && oid_under(prefix, prefix_len, r->arcs + r->cells[i].id, r->cells[i].id_len))
    i++;
  return i - *first;
}

void snmp_rows_at(struct snmp_rows *r, size_t i, struct snmp_row *row)
{
  cell_row(r, &r->cells[i], row);
}
