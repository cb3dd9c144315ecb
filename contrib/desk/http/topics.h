/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_TOPICS_H
#define TM_DESK_TOPICS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Server-sent events. Whoever has something to say publishes it to a topic ("inquiry/Q-2041"), from
 * any thread; the streams that are open on it carry it to the browsers. Nothing is kept for a
 * stream that is not there: pages ask by themselves, too, now and then.
 */
struct topics;
struct stream;

enum {
  STREAMS_PER_USER = 6,
  STREAM_HEARTBEAT_S = 15,
  STREAM_LIFE_S = 900,      /* then it ends, and the browser comes again */
  STREAM_QUEUE = 64 * 1024, /* bytes that a slow browser may be behind */
  TOPIC_NAME = 128,
};

/* wake is called, without a lock that the caller needs, when a stream has something to send again
 * after stream_read() returned 0. max: streams open at the same time. */
struct topics *topics_new(size_t max, void (*wake)(void *connection));
/* All streams must have been closed. */
void topics_free(struct topics *t);

/* Who passes on what is said here to the other desks of the house (work/relay.h); it is called
 * without a lock. event NULL: the streams of the user whose number is `data` are to end. */
typedef void topics_relay(void *user, const char *topic, const char *event, const char *data);
/* Before there is anything to say. NULL: nobody does. */
void topics_relay_by(struct topics *t, topics_relay *relay, void *user);

/* data is JSON, or any text of one line. Returns how many streams of this desk were told. */
size_t topics_publish(struct topics *t, const char *topic, const char *event, const char *data);
/* Ends the streams of a user, at the other desks too: a session is over. */
void topics_end_user(struct topics *t, int64_t user_id);
/* What another desk has said: the same, for the streams of this one alone, and not said again. */
size_t topics_deliver(struct topics *t, const char *topic, const char *event, const char *data);
void topics_end(struct topics *t, int64_t user_id);
/* Ends all streams, and from now on each that is still opened: the desk ends. */
void topics_close(struct topics *t);
/* Sends heartbeats and ends streams that have lived long enough; now is monotonic. */
void topics_beat(struct topics *t, double now);
size_t topics_open(struct topics *t);

/* -EUSERS when the desk has too many; of one user the oldest one ends. */
int stream_open(struct stream **s, struct topics *t, const char *topic, int64_t user_id,
                void *connection, double now);
/* Bytes to send into buf; 0: wait until wake was called (suspend is called before, under the lock
 * that wake is called under); -1: the end. */
long stream_read(struct stream *s, char *buf, size_t size, void (*suspend)(void *connection));
void stream_close(struct stream *s);

#endif
