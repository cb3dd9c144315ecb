/* SPDX-License-Identifier: MIT */
/* covers: plugins/source/snmp_rows.c plugins/source/snmp_fetch.c */
/*
 * An agent that answers whatever it likes: the input is a list of answers, each a byte of flags and
 * its variables. Walks must end, and the reading that comes of it must be sane.
 */
#include "plugins/profile_read.h"
#include "plugins/source/snmp_fetch.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char profile_text[] =
    "{\"kind\":\"printer\",\"model\":{\"oid\":\"1.1.0\",\"match\":\"([a-z]+)\"},"
    "\"pages_total\":{\"column\":\"1.2\"},\"pages_color\":{\"oid\":\"1.3.0\",\"low\":\"1.4.0\","
    "\"unit\":{\"oid\":\"1.5.0\"}},\"capacity_bytes\":{\"column\":\"1.6\",\"take\":\"sum\","
    "\"where\":{\"column\":\"1.7\",\"match\":\"^a\"}},"
    "\"supplies\":{\"rows\":\"1.8\",\"name\":{\"column\":\"1.8\"},\"max\":{\"column\":\"1.9\"},"
    "\"level\":{\"column\":\"1.10\",\"index\":{\"by\":\"1.9\"}}}}";

struct input {
  const uint8_t *at;
  size_t left;
};

static uint8_t take(struct input *in)
{
  if (in->left == 0)
    return 0;
  in->left--;
  return *in->at++;
}

static void answer(struct snmp_fetch *f, const struct snmp_request *r, struct input *in)
{
  uint8_t flags = take(in);
  unsigned variables = flags & 31;
  long status = flags & 32 ? (int8_t)take(in) : 0;
  long index = flags & 32 ? (int8_t)take(in) : 0;
  for (unsigned i = 0; i < variables && status == 0 && in->left > 0; i++) {
    uint32_t id[SNMP_ARCS + 4] = {0};
    uint8_t how = take(in);
    const uint32_t *asked = r->objects[i % r->len].id;
    size_t len = r->objects[i % r->len].id_len;
    memcpy(id, asked, len * sizeof(*id));
    if (how & 1)
      id[len++] = take(in);
    if (how & 2)
      id[len - 1] += take(in);
    if (how & 4)
      id[take(in) % len] = take(in);
    struct snmp_value v = {.type = (enum snmp_type)((how >> 3) % 5)};
    if (v.type == SNMP_STRING || v.type == SNMP_IDENTITY) {
      v.bytes = (const char *)in->at;
      v.len = in->left < 8 ? in->left : 8;
    } else if (v.type == SNMP_REAL) {
      v.real = (double)(int8_t)take(in) / (double)take(in);
    } else {
      v.number = v.type == SNMP_INTEGER ? (uint64_t)(int64_t)(int8_t)take(in) << (how & 16)
                                        : (uint64_t)take(in) << 25;
    }
    snmp_fetch_variable(
        f, &(struct snmp_variable){
               .id = id, .id_len = len, .value = how & 64 ? NULL : &v, .end = (how & 128) != 0});
  }
  snmp_fetch_end(f, status, index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct profiles p;
  if (p.len == 0 && profiles_parse(&p, profile_text, strlen(profile_text), NULL) < 0)
    abort();
  struct input in = {data, size};
  struct snmp_manners m;
  struct snmp_fetch f;
  struct snmp_request request;
  struct snmp_rows rows;
  struct reading r;
  snmp_rows_init(&rows);
  snmp_manners_init(&m, size > 0 && (data[0] & 1) != 0);
  if (snmp_fetch_init(&f, p.list[0].wants, p.list[0].wants_len, false, &m, &rows) < 0)
    return 0;
  /* When the input has run out, answers are empty: the walk must come to an end by itself. */
  for (size_t questions = 0; snmp_fetch_next(&f, &request); questions++) {
    if (questions > 20000 + size)
      abort();
    answer(&f, &request, &in);
  }
  reading_init(&r, READING_PRINTER);
  profile_read(&p.list[0], &rows, NULL, NULL, &r);
  for (size_t i = 0; i < r.supplies_len; i++)
    if (r.supplies[i].level < 0 || r.supplies[i].max < 0)
      abort();
  if (r.pages_total < 0)
    abort();
  reading_release(&r);
  snmp_fetch_release(&f);
  snmp_rows_release(&rows);
  return 0;
}
