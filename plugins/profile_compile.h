/* SPDX-License-Identifier: MIT */
#ifndef TM_PROFILE_COMPILE_H
#define TM_PROFILE_COMPILE_H

#include "plugins/profile.h"

#include <jansson.h>

/*
 * From JSON to the form that the reader follows; profile.c is the only user. Everything is checked
 * here: an unknown member, a wrong type or a bad expression is an error that names file and member.
 */

/* One allocation that lives as long as the profiles; blocks that hold a regex say so. */
struct profile_block {
  struct profile_block *next;
  bool is_regex;
  _Alignas(max_align_t) unsigned char data[];
};

struct profile_loader {
  struct profile_block **memory;
  const char *file;
  struct tm_error *err;
};

/* Zeroed memory that is freed with the profiles. NULL with err filled. */
void *profile_alloc(struct profile_loader *l, size_t count, size_t size);
void profile_memory_release(struct profile_block **memory);

/* --- pieces of a profile, for profile_parts.c; member names the place in messages ------------- */

/* "FILE: MEMBER: why"; returns -EINVAL. */
int profile_refuse(struct profile_loader *l, const char *member, const char *why);
/* Refuses members that are not in the NULL-terminated list: a typing mistake is not passed over. */
int profile_only(struct profile_loader *l, const json_t *object, const char *member,
                 const char *const *names);

/* Compiles one element, which is zeroed. */
typedef int profile_compile_one(struct profile_loader *l, json_t *o, const char *member, void *out);

struct profile_list {
  void *first;
  size_t len;
};

/* Compiles the elements of an array, or a single value as an array of one, into a list of things of
 * this size; for NULL an empty one. */
int profile_compile_list(struct profile_loader *l, json_t *j, const char *member, size_t size,
                         profile_compile_one *one, struct profile_list *out);
int profile_compile_oid(struct profile_loader *l, const json_t *j, const char *member,
                        struct oid_path *oid);
/* Whether an expression can be compiled within reason: what repeats what repeats
 * ("((a{99}){99}){99}", "a+++++") grows as their product, and the C library's compiler has no limit
 * of its own. A reference back to a group is not POSIX, and not fast. */
bool profile_regex_is_modest(const char *text);
/* j NULL: *regex is left as it is. */
int profile_compile_regex(struct profile_loader *l, const json_t *j, const char *member,
                          regex_t **regex);
int profile_compile_tests(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_tests *out);
int profile_compile_numbers(struct profile_loader *l, json_t *j, const char *member,
                            struct profile_numbers *out);
int profile_compile_texts(struct profile_loader *l, json_t *j, const char *member,
                          struct profile_texts *out);

/* Compiles one profile whose inheritance is resolved. 0 or a negative errno with err filled. */
int profile_compile(struct profile_loader *l, const char *name, json_t *json, struct profile *p);
/* Adds a place to a list unless it is there. The element, or NULL when out of memory. */
struct profile_want *profile_want_add(struct profile_want **list, size_t *len,
                                      const struct oid_path *oid, bool column);
/* Collects what the profile must fetch. */
int profile_compile_wants(struct profile_loader *l, struct profile *p);

#endif
