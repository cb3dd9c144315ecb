/* SPDX-License-Identifier: MIT */
#ifndef TM_READING_H
#define TM_READING_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a device said in one reading, whichever way it was asked. Every number is NAN and every
 * string empty until the device tells it: unknown is never 0 and never guessed. Sizes are bytes.
 * Strings are valid UTF-8 without control bytes (tm_text_clean).
 */
enum reading_kind { READING_DISK_ARRAY, READING_MEDIA_LIBRARY, READING_PRINTER };

#define READING_NAME 128
#define READING_ID                                                                                 \
  32 /* what the device itself counts a part by: an index, a key; not in the JSON */

struct reading_volume { /* disk_array: a pool, volume or file system */
  char name[READING_NAME];
  char id[READING_ID];
  double capacity_bytes;
  double used_bytes;
  bool uncounted; /* not part of the device's capacity: a boot disk, a layer of another volume */
};

/*
 * One completion counter as the device keeps it, by which transfers are counted exactly: a sum of
 * several cannot show that one of them wrapped or was replaced.
 */
struct reading_counter {
  char name[48];  /* of the disk, volume or engine that counts; the same at each reading */
  uint64_t value; /* completed writes (pages of a printer) */
  unsigned bits;  /* 32 or 64: where it wraps; 0: not told */
  uint64_t
      epoch; /* what changes when the counter starts anew (boot time, disk sequence); 0: none */
};

struct reading_drive { /* media_library, and disk_array where it tells them */
  char name[READING_NAME];
  char vendor[READING_NAME];
  char model[READING_NAME];
  char serial[READING_NAME];
  char state[READING_NAME];
  double capacity_bytes;
  double life_left_percent;
  double read_bytes; /* since the drive was made, as it counts them */
  double written_bytes;
};

struct reading_supply { /* printer */
  char name[READING_NAME];
  char id[READING_ID];
  double max;
  double level;             /* NAN for every state but "measured" */
  char state[READING_NAME]; /* "" | "measured" | "unrestricted" | "unknown" | "some_remaining" */
  /* "percent", "impressions", "tenthsOfMilliliters", ... as RFC 3805 names them; the digits of the
   * code where the device says 'other' or a code that the standard does not name. */
  char unit[READING_NAME];
};

struct reading_tray { /* printer */
  char name[READING_NAME];
  char id[READING_ID];
  double capacity;
  double level;
};

struct reading_item { /* one data item of a claim */
  char name[READING_NAME];
  double number;           /* NAN: see text */
  char text[READING_NAME]; /* "" when it is a number */
  char unit[READING_NAME];
  char nature[16]; /* "measurement", "setting" or "counter" */
  char state[16];  /* "" | "not-offered" | "refused" */
};

struct reading {
  enum reading_kind kind;
  char vendor[READING_NAME];
  char model[READING_NAME];
  char serial[READING_NAME];
  char firmware[READING_NAME];
  char profile[READING_NAME]; /* the profile's name, "block" for this host's kernel */
  int64_t observed_at;        /* INT64_MIN: never */
  struct tm_error error;      /* code 0: nothing went wrong; a part may still be told */

  /* disk_array */
  double capacity_bytes;
  double used_bytes;
  double transfers;       /* completed writes since the device's start, over physical disks */
  double transfers_per_s; /* a gauge, where the device tells no counter */
  double reads;           /* completed reads, and bytes, where the device tells them apart */
  double read_bytes;
  double write_bytes;
  struct reading_volume *volumes;
  size_t volumes_len;

  /* media_library (capacity and transfers above too) */
  double slots_total;
  double slots_used;
  double drives;
  struct reading_drive *drive_list; /* of a disk_array too */
  size_t drive_list_len;

  /* printer */
  double pages_total;
  char pages_unit[READING_NAME]; /* "impressions" or "sheets" */
  double pages_color;
  struct reading_supply *supplies;
  size_t supplies_len;
  struct reading_tray *trays;
  size_t trays_len;

  struct reading_item *items;
  size_t items_len;

  /* What transfers (or pages_total) is the sum of; not in the JSON. */
  struct reading_counter *counters;
  size_t counters_len;
};

/* An empty reading: everything unknown. */
void reading_init(struct reading *r, enum reading_kind kind);
/* Frees the lists and sets it back to unknown; harmless twice. */
void reading_release(struct reading *r);

/* Grow a list by one unknown element and return it; NULL when out of memory or past 10,000. */
struct reading_volume *reading_add_volume(struct reading *r);
struct reading_drive *reading_add_drive(struct reading *r);
struct reading_supply *reading_add_supply(struct reading *r);
struct reading_tray *reading_add_tray(struct reading *r);
struct reading_item *reading_add_item(struct reading *r);
struct reading_counter *reading_add_counter(struct reading *r);

/* The state of a supply by the level that the device sent: RFC 3805 gives levels below zero other
 * meanings. "" for NAN. */
const char *reading_level_state(double level);

/* "disk_array", "media_library", "printer": the plugin's name and the document's kind. */
const char *reading_kind_name(enum reading_kind kind);

/* The JSON object that tidemark-probe prints (architecture.md). A new reference, NULL when out of
 * memory. */
json_t *reading_to_json(const struct reading *r);
/* Its members kind, vendor, model, serial, firmware and profile, put (tm_json_put) into an object.
 */
void reading_put_identity(json_t **into, const struct reading *r);
/* Its member drive_list alone; NULL when out of memory. */
json_t *reading_drives_to_json(const struct reading *r);

#endif
