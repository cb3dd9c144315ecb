/* SPDX-License-Identifier: MIT */
#ifndef TM_PROFILE_H
#define TM_PROFILE_H

#include "common/error.h"
#include "plugins/reading.h"
#include "plugins/source/snmp_rows.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What is known about a family of devices that are asked by SNMP: how it is recognised and where
 * its numbers lie. A profile is a JSON file (contrib/schema/profile.schema.json describes it,
 * contrib/doc/profiles.md explains it); here it is in the form that the reader follows. A profile
 * that inherits has its parents' members already merged in.
 */

/* A condition on one value: of a row of a table, or of the device. */
struct profile_test {
  struct oid_path oid;
  bool column;     /* the value stands at oid + the row's index */
  regex_t *match;  /* the text must match; NULL: it must only be there */
  regex_t *unlike; /* the text must not match */
  double above;    /* the number must be greater; NAN: any */
};

struct profile_tests {
  struct profile_test *list;
  size_t len;
};

/* Where a cell of a table stands, when it is not at column + index of the row. */
struct profile_key {
  struct oid_path by; /* len > 0: the index is the number at this column in the row */
  size_t skip;        /* arcs of the row's index that are left out at its start */
  size_t parts;       /* arcs that are taken after these; 0: all */
};

struct profile_name { /* code -> word */
  double code;
  char word[32];
};

enum profile_take {
  PROFILE_FIRST,
  PROFILE_LAST,
  PROFILE_SUM,
  PROFILE_MIN,
  PROFILE_MAX,
  PROFILE_COUNT
};

/* One number: a value of the device, of a row, or gathered over the rows of a column. */
struct profile_number {
  struct oid_path oid;
  bool column;
  bool constant;       /* value stands in factor */
  bool exact;          /* negative numbers are what they are, not wrapped */
  struct oid_path low; /* len > 0: the lower 32 bits stand here, the upper ones at oid */
  struct profile_key key;
  double factor;                  /* bytes in one unit */
  struct profile_number *unit;    /* the unit is itself told by the device */
  struct profile_number *per;     /* a share: the value is so many hundredths of this */
  struct profile_numbers *sum_of; /* the sum of those of these that are told */
  struct profile_numbers *plus;
  struct profile_numbers *minus;
  struct profile_tests where; /* which rows are gathered */
  enum profile_take take;
  regex_t *match; /* the number is the first group in the text */
};

struct profile_numbers { /* alternatives (the first that is known), or terms of a sum */
  struct profile_number *list;
  size_t len;
};

struct profile_text {
  char *constant;
  struct oid_path oid;
  bool column;
  struct profile_key key;
  regex_t *match;  /* the first group, or the whole match */
  regex_t *unlike; /* a text that says nothing: "unknown" */
  struct profile_tests where;
  struct profile_name *words;
  size_t words_len;
  char *prefix; /* put before what was found */
};

struct profile_texts {
  struct profile_text *list;
  size_t len;
};

/* A table: each row becomes a volume, drive, supply or tray. */
struct profile_table {
  struct oid_path rows; /* the column whose indices are the rows */
  struct profile_tests where;
  struct profile_tests counts; /* rows that add to the device's capacity */
  bool uncounted;              /* none does */
  bool distinct;               /* rows that show the same file system again are left out */
  bool otherwise;              /* used only when the tables before it gave no row */
  struct profile_texts group;  /* rows of one group share their free space */
  struct profile_texts name;
  struct profile_texts serial;
  struct profile_texts state;
  struct profile_texts vendor;
  struct profile_texts model;
  struct profile_texts unit;
  struct profile_numbers capacity;
  struct profile_numbers used;
  struct profile_numbers free;
  struct profile_numbers level;
  struct profile_numbers read;
  struct profile_numbers written;
};

struct profile_tables {
  struct profile_table *list;
  size_t len;
};

struct profile_item {
  char name[READING_NAME];
  char unit[32];
  char nature[16]; /* "measurement", "setting" or "counter" */
  struct profile_numbers number;
  struct profile_texts text;
  struct oid_path rows; /* len > 0: one item for each row, NAME-LABEL */
  struct profile_texts label;
};

/* One way to recognise a device: all that is given must hold. */
struct profile_rule {
  struct oid_path object_id; /* len 0: any; else a prefix of sysObjectID */
  regex_t *descr;            /* sysDescr */
  regex_t *not_descr;
  struct profile_tests probes;
  double prefer; /* added to how specific the rule is */
};

/* What has to be fetched: scalars and columns, each once. */
struct profile_want {
  struct oid_path oid;
  bool column;
  bool first;   /* of a column only the first row is wanted: a probe */
  bool counter; /* belongs to the numbers that are read at borders */
};

struct profile {
  char name[READING_NAME];
  enum reading_kind kind;
  struct profile_rule *rules;
  size_t rules_len;

  struct profile_texts vendor;
  struct profile_texts model;
  struct profile_texts serial;
  struct profile_texts firmware;
  struct profile_numbers capacity;
  struct profile_numbers used;
  struct profile_numbers transfers;
  struct profile_numbers transfers_per_s;
  struct profile_numbers reads;
  struct profile_numbers read_bytes;
  struct profile_numbers write_bytes;
  struct profile_tables pools;
  struct profile_tables volumes;
  struct profile_numbers slots_total;
  struct profile_numbers slots_used;
  struct profile_numbers drives;
  struct profile_tables drive_list;
  struct profile_numbers pages_total;
  struct profile_texts pages_unit;
  struct profile_numbers pages_color;
  struct profile_tables supplies;
  struct profile_tables trays;
  struct profile_item *items;
  size_t items_len;

  struct profile_want *wants; /* without those of the items */
  size_t wants_len;
};

struct profiles {
  struct profile *list;
  size_t len;
  struct profile_block *memory; /* everything that the list points to */
};

/*
 * Loads every *.json of the folders, which are searched in order: a file of a later folder
 * replaces the one of the same name in an earlier folder, and a folder that is absent is passed
 * over. On failure err names file and member, and out is empty.
 */
int profiles_load(struct profiles *out, const char *const *folders, struct tm_error *err);
/* The same for one JSON text: for tests. */
int profiles_parse(struct profiles *out, const char *json, size_t len, struct tm_error *err);
void profiles_release(struct profiles *p);
/* By its name; NULL: there is none. For tests. */
const struct profile *profiles_find(const struct profiles *p, const char *name);

/*
 * Adds to wants what the rules that are still possible must see: first sysDescr and sysObjectID
 * (rows NULL), then the probe objects. The caller frees *wants. 0 or -ENOMEM.
 */
int profiles_probes(const struct profiles *p, struct snmp_rows *rows, struct profile_want **wants,
                    size_t *len);
/* The profile whose rule fits best, or NULL. */
const struct profile *profiles_recognise(const struct profiles *p, struct snmp_rows *rows);

/* What the named items need, beside everything else. The caller frees. */
int profile_item_wants(const struct profile *p, const char *const *names,
                       struct profile_want **wants, size_t *len);

#endif
