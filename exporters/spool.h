/* SPDX-License-Identifier: MIT */
#ifndef TM_SPOOL_H
#define TM_SPOOL_H

#include "common/buf.h"
#include "common/conf.h"
#include "common/error.h"
#include "common/sign.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The spool of one target: ROOT/TARGET/{tmp,new,sent,dead,corrupt}. One item is one file, its
 * state is the folder it lies in, and rename is the only transition: there is no index that could
 * say something else. An item is promised once spool_add() has returned 0; from then on it is in
 * exactly one of new, sent, dead and corrupt, whatever happens.
 *
 * A file's name is DUE.ORDER.KEY.ATTEMPT: when it may be sent next (12 digits, UTC seconds), its
 * place in the line (14 digits: class, then milliseconds of queuing), the key, and how often it was
 * tried. The content: "tidemark-spool/1 SHA256\n" (of all that follows), one line of JSON about the
 * item, and the body, byte for byte what will be sent.
 */

enum spool_state { SPOOL_NEW, SPOOL_SENT, SPOOL_DEAD, SPOOL_CORRUPT };

/* The first digit of ORDER: what goes before what. */
enum spool_class { SPOOL_ANSWER = 1, SPOOL_SUMMARY = 5, SPOOL_HISTORY = 7 };

#define SPOOL_KEY_SIZE  TM_SHA256_HEX
#define SPOOL_NAME_SIZE 112
#define SPOOL_ITEM_MAX  (8u << 20) /* bytes of one file */
#define SPOOL_ATTEMPTS  9999

/* What the name of an item says. */
struct spool_entry {
  char name[SPOOL_NAME_SIZE];
  char key[SPOOL_KEY_SIZE];
  int64_t due;       /* UTC seconds */
  int64_t queued_ms; /* UTC milliseconds */
  int order_class;
  int attempt;
};

struct spool_list {
  struct spool_entry *entries;
  size_t len, cap;
};

/* An item that was read and whose checksum is right. */
struct spool_item {
  struct tm_buf file; /* the whole of it */
  json_t *head;       /* key, type, device, purposes[], period_to, history_to */
  const char *body;   /* within file */
  size_t body_len;
};

struct spool {
  char *dir;
  struct tm_conf_spool limits;
  int lock; /* descriptor of the lock that is held, or -1 */
  bool counted;
  uint64_t items, bytes; /* in new/, once counted */
};

/* Opens the spool of a target, making its folders (mode 0700) where they are missing. */
int spool_open(struct spool *s, const char *root, const char *target,
               const struct tm_conf_spool *limits, struct tm_error *err);
void spool_close(struct spool *s);

/*
 * One sender and one filler at a time: takes the lock "send" or "fill" of this spool until
 * spool_close() or spool_unlock(). -EBUSY when another process holds it and wait is false.
 */
int spool_lock(struct spool *s, const char *what, bool wait, struct tm_error *err);
void spool_unlock(struct spool *s);

/*
 * Makes an item durable: written, synced and renamed into new/, and that folder synced. On any
 * failure nothing is promised and nothing is left: -EDQUOT when a cap of the configuration is
 * reached or the disk would fall below the floor, else what the system said. Whether an item of
 * this key is there already is the caller's question. head is borrowed and gets the key. due is
 * when it may be sent, UTC seconds.
 */
int spool_add(struct spool *s, enum spool_class order_class, const char *key, json_t *head,
              const void *body, size_t len, int64_t due, int64_t now_ms, struct tm_error *err);

/*
 * The items of a state in the order of sending (ORDER, then key). With strange, files in new/ whose
 * name is none go to corrupt/ and are counted there, for somebody to be told. The caller releases.
 */
int spool_scan(const struct spool *s, enum spool_state state, struct spool_list *list,
               size_t *strange, struct tm_error *err);
void spool_list_release(struct spool_list *list);
/* The entry with this key, or NULL. A key may be given by its first 8 or more characters; NULL too
 * when several begin so. */
const struct spool_entry *spool_list_find(const struct spool_list *list, const char *key);

/* Reads an item. -EBADMSG when it is damaged, or belongs to another name. */
int spool_read(const struct spool *s, enum spool_state state, const struct spool_entry *entry,
               struct spool_item *item, struct tm_error *err);
void spool_item_release(struct spool_item *item);
/* The same from memory, for the fuzzer and for whoever has the bytes. key may be NULL. */
int spool_item_parse(struct spool_item *item, const char *name, const char *key,
                     struct tm_error *err);

/*
 * Transitions. 0, -ENOENT when the item has left its place meanwhile (withdrawn by another
 * process), or what the rename said.
 */
/* Delivered. Not synced: losing the rename costs a duplicate; call spool_sync() at the end. */
int spool_sent(struct spool *s, const struct spool_entry *entry, struct tm_error *err);
/* Tried without success; entry is updated. */
int spool_again(struct spool *s, struct spool_entry *entry, int64_t due, struct tm_error *err);
/* Given up; the reason is written beside it, as NAME.why. Synced before it returns. */
int spool_dead(struct spool *s, const struct spool_entry *entry, const char *reason,
               struct tm_error *err);
/* Damaged: out of the way, with the reason beside it. */
int spool_corrupt(struct spool *s, const struct spool_entry *entry, const char *reason,
                  struct tm_error *err);
/* Back from dead/ to the end of the line. */
int spool_requeue(struct spool *s, const struct spool_entry *entry, int64_t now_ms,
                  struct tm_error *err);
/* Why an item is in dead/ or corrupt/, appended to b. -ENOENT when it is not known. */
int spool_reason(const struct spool *s, enum spool_state state, const struct spool_entry *entry,
                 struct tm_buf *b, struct tm_error *err);
/* Makes last what was moved: sent/ and new/ are on the disk as they are now. */
int spool_sync(const struct spool *s, struct tm_error *err);

/* Removes what an interrupted spool_add() left in tmp/ more than an hour ago. */
int spool_clean(const struct spool *s, int64_t now, struct tm_error *err);
/* Moves unsent items that were queued longer ago than the limit to dead/. *moved counts them. */
int spool_expire(struct spool *s, int64_t now, size_t *moved, struct tm_error *err);
/* Removes items of dead/ or sent/ that were queued before the time. *removed counts them. */
int spool_purge(struct spool *s, enum spool_state state, int64_t before, size_t *removed,
                struct tm_error *err);

/* How many files lie in corrupt/, reasons not counted. */
int spool_count_corrupt(const struct spool *s, size_t *n, struct tm_error *err);

const char *spool_state_name(enum spool_state state);

/* Seconds to wait before try number attempt + 1: the schedule of Standard Webhooks, 5 s to 24 h,
 * with up to a fifth more or less by random (0..UINT32_MAX). */
int64_t spool_backoff_s(int attempt, uint32_t random);
/* Whether an item may be tried: it is due, or its due time is further off than any back-off, which
 * means that the clock was set back. */
bool spool_is_due(const struct spool_entry *entry, int64_t now);

#endif
