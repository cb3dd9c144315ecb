/* SPDX-License-Identifier: MIT */
#ifndef TM_ASK_H
#define TM_ASK_H

#include "common/error.h"
#include "plugins/reading.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One way to ask any device, whatever it speaks. A program hands over a table of the sources that
 * it can use; a device is a source and the settings that a <Device> block or a URL gave; a job is
 * one question, and jobs are put together, so that a source can ask a thousand devices side by
 * side. Nothing here is global and nothing here touches a device before ask_run().
 */

/* --- settings -------------------------------------------------------------------------- */

/* Settings by name, as text; names are compared without regard to case, as collectd does. */
struct ask_setting {
  char *key;
  char *value;
  struct ask_setting *next;
};

struct ask_settings {
  struct ask_setting *first;
};

/* Sets or replaces one. 0 or -ENOMEM. */
int ask_settings_set(struct ask_settings *s, const char *key, const char *value);
/* The value (borrowed), or NULL when it was not set. */
const char *ask_settings_get(const struct ask_settings *s, const char *key);
/* Copies those of `from` that are not yet in `to`. 0 or -ENOMEM. */
int ask_settings_inherit(struct ask_settings *to, const struct ask_settings *from);
void ask_settings_release(struct ask_settings *s);

/*
 * "snmp://public@10.0.0.1:161/path" or "block:md0". The parts are percent-decoded; absent ones are
 * "", port 0. In "block:md0" the part after the colon is the path. The length is bounded.
 */
struct ask_url {
  char scheme[16];
  char user[256];
  char host[256]; /* an IPv6 address without its brackets */
  unsigned port;
  char path[1024]; /* with its leading slash, or what follows "scheme:" */
};
/* 0, or -EINVAL with the reason. A part of the URL that may be a secret is not in the message. */
int ask_url_parse(const char *text, struct ask_url *url, struct tm_error *err);
/* True when the text begins like a URL ("scheme:"). */
bool ask_url_looks_like(const char *text);

/* --- sources --------------------------------------------------------------------------- */

struct ask_job;

/*
 * A source is one constant table. `device` is what open() made; ask() for counters and ask() for
 * the rest may be called at the same time from two threads, for the same device too, but never
 * twice at the same time for the same part: a source that shares something between the two locks
 * it, and never holds the lock while it waits for a device.
 */
struct ask_source {
  const char *name;           /* Source "snmp" in the configuration */
  const char *const *schemes; /* of URLs, NULL-terminated */
  const char *const *keys;    /* the settings it takes, as they are documented; NULL-terminated */
  /* What belongs to all devices of this source (profiles, an event loop's memory). Made at the
   * first device; may be NULL when there is nothing. */
  int (*setup)(void **shared, const struct ask_settings *defaults, struct tm_error *err);
  void (*teardown)(void *shared);
  /* Turns a URL into settings. */
  int (*from_url)(const struct ask_url *url, struct ask_settings *settings, struct tm_error *err);
  /* The other way round, without what is secret. False: no URL says the same, or it is too long.
   * NULL: this source has no URLs. */
  bool (*to_url)(const struct ask_settings *settings, char *url, size_t size);
  /* Checks the settings and makes the device; opens no connection and no file of the device.
   * `settings` may be kept: they live as long as the device. */
  int (*open)(void **device, void *shared, const struct ask_settings *settings,
              struct tm_error *err);
  void (*close)(void *device);
  /* Asks all of them side by side, returns when the last is finished; calls ask_done() for each
   * as soon as it is answered or its deadline has passed. */
  void (*ask)(struct ask_job *const *jobs, size_t jobs_len);
  /* The name of the source that takes a device which this one must not ask in this process: open()
   * says -EPROTONOSUPPORT of it. NULL: there is none. */
  const char *otherwise;
};

/* --- devices and questions -------------------------------------------------------------- */

struct ask_device;
struct ask;

/* `sources` is NULL-terminated and stays the caller's, for as long as the context lives; so do the
 * defaults (Profiles, ProcPath, ...), which every device inherits. */
int ask_new(struct ask **out, const struct ask_source *const *sources,
            const struct ask_settings *defaults, struct tm_error *err);
void ask_free(struct ask *a); /* every device must have been freed before */

/* The source with this name, or that has this URL scheme; NULL. */
const struct ask_source *ask_find_source(const struct ask *a, const char *name_or_scheme);

/* Makes a device of settings (copied), or of a URL and further settings (which outrank it). */
int ask_device_new(struct ask_device **out, struct ask *a, const char *source,
                   const struct ask_settings *settings, struct tm_error *err);
int ask_device_from_url(struct ask_device **out, struct ask *a, const char *url,
                        const struct ask_settings *settings, struct tm_error *err);
void ask_device_free(struct ask_device *d);
const struct ask_source *ask_device_source(const struct ask_device *d);

/* "SCHEME://HOST:PORT/PATH" of the settings Address, Port and, where path is not NULL, that. False
 * when it does not fit or there is no Address. */
bool ask_url_make(char *url, size_t size, const char *scheme, const struct ask_settings *settings,
                  const char *path);
/*
 * How `tidemark-probe` would ask this device: its URL and the settings that it needs beside it, by
 * the names of its options, as inventory.schema.json has them under "asked". No secret is in it; a
 * community that stands in collectd's configuration alone is, if it is not "public", said to be
 * withheld. A new reference; JSON's null where no URL would do; NULL when out of memory.
 */
json_t *ask_device_asked(const struct ask_device *d);

/* What is wanted of a device. */
enum ask_part {
  ASK_EVERYTHING, /* identity, capacity, counters, supplies */
  ASK_COUNTERS,   /* only reading.counters, as fast as can be: a border of a unit interval */
  ASK_ITEMS       /* only the data items that the job names */
};

struct ask_job {
  /* filled by the caller, before ask_run() */
  struct ask_device *device;
  enum ask_part part;
  double deadline;          /* on tm_monotonic()'s clock; the source is done with it by then. Put
                               off by as long as sources of other jobs have taken before */
  const char *const *items; /* ASK_ITEMS: NULL-terminated */
  json_t *explain;          /* NULL, or an object that ask_explain() fills */
  void (*done)(struct ask_job *job); /* may be NULL; called once, from ask_run()'s thread */
  void *user;

  /* the answer; ask_run() makes it empty first. The caller releases it. */
  struct reading reading;
  /* The counters are those of a moment between these two, on CLOCK_REALTIME; NAN: none came. */
  double asked_at;
  double answered_at;
  bool finished;
};

/* Groups the jobs by source and runs them; returns when every job is finished. A job that its
 * source left unfinished gets the error -EIO. */
void ask_run(struct ask_job *jobs, size_t jobs_len);

/* For sources: what open() made; */
void *ask_job_device(const struct ask_job *job);
/* the answer is whole, and whoever waits for it is told (once, however often this is called); */
void ask_done(struct ask_job *job);
/* and where a value came from, for those who asked for that. */
void ask_explain(struct ask_job *job, const char *value, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* CLOCK_REALTIME as seconds, for asked_at and answered_at. */
double ask_wall_clock(void);

#endif
