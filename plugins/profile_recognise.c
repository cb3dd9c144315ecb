/* SPDX-License-Identifier: MIT */
/* Which profile fits a device: by its sysObjectID, its sysDescr and what its agent answers. */
#include "plugins/profile_compile.h"

#include "common/text.h"
#include "plugins/profile_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct oid_path sys_descr = {9, {1, 3, 6, 1, 2, 1, 1, 1, 0}};
static const struct oid_path sys_object_id = {9, {1, 3, 6, 1, 2, 1, 1, 2, 0}};

static bool get(struct snmp_rows *rows, const struct oid_path *oid, struct snmp_row *row)
{
  return snmp_rows_get(rows, oid->id, oid->len, row);
}

static bool object_id_fits(const struct profile_rule *rule, struct snmp_rows *rows)
{
  struct snmp_row row;
  char prefix[16 * OID_PATH_MAX];
  if (rule->object_id.len == 0)
    return true;
  if (!get(rows, &sys_object_id, &row) || row.value.type != SNMP_IDENTITY)
    return false;
  /* An identity is kept as dotted text, however many arcs the agent sent. */
  oid_format(prefix, sizeof(prefix), rule->object_id.id, rule->object_id.len);
  size_t len = strlen(prefix);
  return strncmp(row.value.bytes, prefix, len) == 0 &&
         (row.value.bytes[len] == '.' || row.value.bytes[len] == '\0');
}

static bool descr_fits(const struct profile_rule *rule, struct snmp_rows *rows)
{
  struct snmp_row row;
  char text[SNMP_BYTES] = "";
  if (get(rows, &sys_descr, &row))
    snmp_value_text(&row.value, text, sizeof(text));
  if (rule->descr != NULL && !tm_text_fits(rule->descr, text))
    return false;
  return rule->not_descr == NULL || !tm_text_fits(rule->not_descr, text);
}

static bool probe_fits(const struct profile_test *t, struct snmp_rows *rows)
{
  struct snmp_row row;
  size_t first = 0;
  if (!t->column)
    return get(rows, &t->oid, &row) && profile_value_passes(t, &row.value);
  if (snmp_rows_under(rows, t->oid.id, t->oid.len, &first) == 0)
    return false;
  snmp_rows_at(rows, first, &row);
  return profile_value_passes(t, &row.value);
}

int profiles_probes(const struct profiles *p, struct snmp_rows *rows, struct profile_want **wants,
                    size_t *len)
{
  struct profile_want *list = NULL;
  size_t n = 0;
  bool failed = false;
  if (rows == NULL)
    failed = profile_want_add(&list, &n, &sys_descr, false) == NULL ||
             profile_want_add(&list, &n, &sys_object_id, false) == NULL;
  for (size_t i = 0; rows != NULL && i < p->len; i++)
    for (size_t k = 0; k < p->list[i].rules_len; k++) {
      const struct profile_rule *rule = &p->list[i].rules[k];
      if (!object_id_fits(rule, rows) || !descr_fits(rule, rows))
        continue;
      for (size_t m = 0; m < rule->probes.len && !failed; m++) {
        const struct profile_test *t = &rule->probes.list[m];
        struct profile_want *w = profile_want_add(&list, &n, &t->oid, t->column);
        failed = w == NULL;
        if (w != NULL)
          w->first = true;
      }
    }
  if (failed) {
    free(list);
    return -ENOMEM;
  }
  *wants = list;
  *len = n;
  return 0;
}

/* How much a rule says: NAN when it does not hold. */
static double fit(const struct profile_rule *rule, struct snmp_rows *rows)
{
  if (!object_id_fits(rule, rows) || !descr_fits(rule, rows))
    return NAN;
  for (size_t i = 0; i < rule->probes.len; i++)
    if (!probe_fits(&rule->probes.list[i], rows))
      return NAN;
  return (double)rule->object_id.len + 30.0 * (double)rule->probes.len +
         (rule->descr != NULL ? 20 : 0) + rule->prefer;
}

const struct profile *profiles_recognise(const struct profiles *p, struct snmp_rows *rows)
{
  const struct profile *best = NULL;
  double most = -INFINITY;
  for (size_t i = 0; i < p->len; i++)
    for (size_t k = 0; k < p->list[i].rules_len; k++) {
      double f = fit(&p->list[i].rules[k], rows);
      if (f > most) {
        most = f;
        best = &p->list[i];
      }
    }
  return best;
}
