/* SPDX-License-Identifier: MIT */
/* What a profile has to fetch: every place that one of its parts looks at, once. */
#include "plugins/profile_compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct profile_want *profile_want_add(struct profile_want **list, size_t *len,
                                      const struct oid_path *oid, bool column)
{
  for (size_t i = 0; i < *len; i++) {
    struct profile_want *have = &(*list)[i];
    if (have->column == column && oid_compare(have->oid.id, have->oid.len, oid->id, oid->len) == 0)
      return have;
  }
  if ((*len & (*len - 1)) == 0) { /* room is doubled at powers of two */
    void *p = realloc(*list, (*len == 0 ? 1 : *len * 2) * sizeof(**list));
    if (p == NULL)
      return NULL;
    *list = p;
  }
  (*list)[*len] = (struct profile_want){.oid = *oid, .column = column};
  return &(*list)[(*len)++];
}

static const struct oid_path sys_uptime = {9, {1, 3, 6, 1, 2, 1, 1, 3, 0}};

struct wants {
  struct profile_want *list;
  size_t len;
  bool counter;
  bool failed;
};

static void want(struct wants *w, const struct oid_path *oid, bool column)
{
  if (oid->len == 0 || w->failed)
    return;
  struct profile_want *have = profile_want_add(&w->list, &w->len, oid, column);
  w->failed = have == NULL;
  if (have != NULL)
    have->counter |= w->counter;
}

static void want_tests(struct wants *w, const struct profile_tests *t)
{
  for (size_t i = 0; i < t->len; i++)
    want(w, &t->list[i].oid, t->list[i].column);
}

static void want_key(struct wants *w, const struct profile_key *key)
{
  want(w, &key->by, true);
}

static void want_numbers(struct wants *w, const struct profile_numbers *n);

static void want_number(struct wants *w, const struct profile_number *n)
{
  want(w, &n->oid, n->column);
  want(w, &n->low, n->column);
  want_key(w, &n->key);
  want_tests(w, &n->where);
  if (n->unit != NULL)
    want_number(w, n->unit);
  if (n->per != NULL)
    want_number(w, n->per);
  if (n->sum_of != NULL)
    want_numbers(w, n->sum_of);
  if (n->plus != NULL)
    want_numbers(w, n->plus);
  if (n->minus != NULL)
    want_numbers(w, n->minus);
}

static void want_numbers(struct wants *w, const struct profile_numbers *n)
{
  for (size_t i = 0; i < n->len; i++)
    want_number(w, &n->list[i]);
}

static void want_texts(struct wants *w, const struct profile_texts *t)
{
  for (size_t i = 0; i < t->len; i++) {
    want(w, &t->list[i].oid, t->list[i].column);
    want_key(w, &t->list[i].key);
    want_tests(w, &t->list[i].where);
  }
}

static void want_tables(struct wants *w, const struct profile_tables *tables)
{
  for (size_t i = 0; i < tables->len; i++) {
    const struct profile_table *t = &tables->list[i];
    const struct profile_texts *const texts[] = {&t->group,  &t->name,  &t->serial, &t->state,
                                                 &t->vendor, &t->model, &t->unit};
    const struct profile_numbers *const numbers[] = {&t->capacity, &t->used, &t->free,
                                                     &t->level,    &t->read, &t->written};
    want(w, &t->rows, true);
    want_tests(w, &t->where);
    want_tests(w, &t->counts);
    for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
      want_texts(w, texts[k]);
    for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
      want_numbers(w, numbers[k]);
  }
}

int profile_compile_wants(struct profile_loader *l, struct profile *p)
{
  const struct profile_texts *const texts[] = {&p->vendor, &p->model, &p->serial, &p->firmware,
                                               &p->pages_unit};
  const struct profile_numbers *const numbers[] = {
      &p->capacity,    &p->used,       &p->reads,  &p->read_bytes,  &p->write_bytes,
      &p->slots_total, &p->slots_used, &p->drives, &p->pages_color, &p->transfers_per_s};
  const struct profile_tables *const tables[] = {&p->pools, &p->volumes, &p->drive_list,
                                                 &p->supplies, &p->trays};
  struct wants w = {.counter = true};
  want(&w, &sys_uptime, false); /* a counter that goes back has wrapped, or its agent restarted */
  want_numbers(&w, &p->transfers);
  want_numbers(&w, &p->pages_total);
  w.counter = false;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    want_texts(&w, texts[i]);
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    want_numbers(&w, numbers[i]);
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
    want_tables(&w, tables[i]);
  p->wants = w.failed ? NULL : profile_alloc(l, w.len, sizeof(*p->wants));
  if (p->wants != NULL && w.len > 0) {
    memcpy(p->wants, w.list, w.len * sizeof(*w.list));
    p->wants_len = w.len;
  }
  free(w.list);
  return p->wants != NULL ? 0 : -ENOMEM;
}

int profile_item_wants(const struct profile *p, const char *const *names,
                       struct profile_want **wants, size_t *len)
{
  struct wants w = {0};
  for (size_t i = 0; i < p->items_len; i++)
    for (size_t k = 0; names[k] != NULL; k++)
      if (strcmp(names[k], p->items[i].name) == 0) {
        want_numbers(&w, &p->items[i].number);
        want_texts(&w, &p->items[i].text);
        want(&w, &p->items[i].rows, true);
        want_texts(&w, &p->items[i].label);
      }
  *wants = w.list;
  *len = w.len;
  return w.failed ? -ENOMEM : 0;
}
