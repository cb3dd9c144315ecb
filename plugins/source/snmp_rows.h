/* SPDX-License-Identifier: MIT */
#ifndef TM_SNMP_ROWS_H
#define TM_SNMP_ROWS_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an agent answered: object identifiers with checked values, apart from net-snmp, so that
 * everything that thinks about values is tested without a network.
 */

#define OID_PATH_MAX  32               /* arcs of an identifier that a profile names */
#define SNMP_ARCS     128              /* arcs of an identifier that an agent may send (RFC 2578) */
#define SNMP_OID_TEXT (SNMP_ARCS * 11) /* bytes of one as text */
#define SNMP_BYTES    1024             /* of a string that are kept */

struct oid_path {
  size_t len;
  uint32_t id[OID_PATH_MAX];
};

/* "1.3.6.1" or ".1.3.6.1". 0, or -EINVAL (also for more than OID_PATH_MAX arcs). */
int oid_parse(const char *text, struct oid_path *oid);
/* The dotted form; cut when size is too small. Returns out. */
char *oid_format(char *out, size_t size, const uint32_t *id, size_t len);
/* In the order of trees, arc by arc: negative, 0 or positive. */
int oid_compare(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len);
/* True when id lies below prefix or is it. */
bool oid_under(const uint32_t *prefix, size_t prefix_len, const uint32_t *id, size_t len);

enum snmp_type {
  SNMP_INTEGER,  /* signed 32 bits, as sent */
  SNMP_UNSIGNED, /* Counter32, Gauge32, TimeTicks, Counter64 */
  SNMP_REAL,     /* Opaque float and double, as net-snmp agents send */
  SNMP_STRING,   /* OCTET STRING */
  SNMP_IDENTITY, /* OBJECT IDENTIFIER, kept as dotted text in the bytes */
};

struct snmp_value {
  enum snmp_type type;
  union {
    int64_t integer;
    uint64_t number;
    double real;
  };
  bool wide;         /* of 64 bits, where the type is one that counts */
  const char *bytes; /* NUL-terminated after len; may hold NULs */
  size_t len;
};

/* One answered object. id and value.bytes live as long as the rows are not changed. */
struct snmp_row {
  const uint32_t *id;
  size_t id_len;
  struct snmp_value value;
};

struct snmp_rows {
  struct snmp_cell *cells;
  size_t len;
  size_t cap;
  uint32_t *arcs;
  size_t arcs_len;
  size_t arcs_cap;
  struct tm_buf bytes;
  bool sorted;
};

#define SNMP_ROWS_MAX   100000 /* of one reading, all tables together */
#define SNMP_ROWS_BYTES (8 << 20)

void snmp_rows_init(struct snmp_rows *r);
void snmp_rows_release(struct snmp_rows *r);
/* Copies one object in. 0, -ENOMEM, or -EFBIG when a limit above is reached. */
int snmp_rows_add(struct snmp_rows *r, const uint32_t *id, size_t id_len,
                  const struct snmp_value *value);
/* Forgets everything under the prefix. */
void snmp_rows_drop(struct snmp_rows *r, const uint32_t *prefix, size_t prefix_len);
/* The object with exactly this identifier (the first, when it was added twice). */
bool snmp_rows_get(struct snmp_rows *r, const uint32_t *id, size_t id_len, struct snmp_row *row);
/* The objects below prefix in order: *first and the number of them. */
size_t snmp_rows_under(struct snmp_rows *r, const uint32_t *prefix, size_t prefix_len,
                       size_t *first);
/* The i-th object in order. */
void snmp_rows_at(struct snmp_rows *r, size_t i, struct snmp_row *row);

/*
 * The value as a number: integers as they are, strings as decimal ("132.9"), hexadecimal
 * ("0xAEA5") or with a unit of size behind it ("5.46 TB", *unit gets 10^12 then, else 1; KB..PB
 * are decimal, KiB..PiB and single letters binary). NAN when the value is no number.
 */
double snmp_value_number(const struct snmp_value *v, double *unit);
/*
 * A size or a counter out of it: -1 to -9 mean 'not available' (NAN), any other negative 32-bit
 * integer is one that wrapped past 2^31 and is read as unsigned.
 */
double snmp_value_size(const struct snmp_value *v, double *unit);
/* The lower or upper half of a 64-bit number: the 32 bits, whatever the sign. NAN for others. */
double snmp_value_word(const struct snmp_value *v);
/*
 * The value as clean text (tm_text_clean), without quotes around the whole of it; numbers in
 * decimal. Returns the length.
 */
size_t snmp_value_text(const struct snmp_value *v, char *out, size_t size);

#endif
