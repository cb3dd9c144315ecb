/* SPDX-License-Identifier: MIT */
#ifndef TM_PART_NAME_H
#define TM_PART_NAME_H

#include <jansson.h>
#include <stddef.h>

/*
 * The type instances of a device's parts (volumes, supplies, trays): one for each, which stays with
 * that part, for it is the name of a file with years in it.
 *
 * A part is called by its name: '/' becomes '_' ("/" alone "root"), what is too long is cut and
 * then ends with a checksum of the whole. Parts that share a name, or have none, are told apart by
 * what the device itself counts them by, never by their order in an answer: NAME~ID, all of them,
 * so that none inherits the file of another that was taken out. Of names that become the same
 * ("a/b" beside "a_b") the one that needed no change keeps it, the others get a checksum.
 */
#define PART_INSTANCE 128 /* collectd's DATA_MAX_NAME_LEN */

struct part_name {
  const char *name; /* "": the device gives none */
  const char *id; /* what the device counts it by ("1.3", "8:1"), "": nothing, then its place is */
  char place[24];
  char instance[PART_INSTANCE];
};

/*
 * Fills in the instances of all parts of one list, with `suffix` at their ends, for values of
 * `type`. *shared, NULL at first, keeps the names that were shared once: a part that is left alone
 * keeps its ~ID. Only parts with equal name and id get the same instance. 0 or -ENOMEM.
 */
int part_names_make(struct part_name *parts, size_t len, const char *type, const char *suffix,
                    json_t **shared);

/* The instance of a name that nothing shares. */
void part_instance(char out[PART_INSTANCE], const char *name, const char *suffix);

#endif
