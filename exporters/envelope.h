/* SPDX-License-Identifier: MIT */
#ifndef TM_ENVELOPE_H
#define TM_ENVELOPE_H

#include "common/buf.h"
#include "common/error.h"
#include "common/sign.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A document in its envelope: a CloudEvents 1.0 event whose id is the key of the document. The same
 * content for the same target has the same key, whenever and however often it is made: the key is
 * the SHA-256 of these lines, each ended by a newline:
 *   customer, site, host, device, kind ("summary"), period ("FROM/TO"), schema, target, and
 *   the SHA-256 of the document without its members id and generated_at, as compact JSON.
 * What is not known is an empty line.
 */
#define ENVELOPE_MAX (4u << 20) /* bytes of one event */

struct envelope {
  char key[TM_SHA256_HEX];
  char sha256[TM_SHA256_HEX]; /* of body */
  struct tm_buf body;         /* the event, byte for byte as it leaves */
};

/*
 * Seals a document of this kind for a target; its member id, where it has one, becomes the key. The
 * document names its customer, site, host, device, period and schema. -EBADMSG when it does not.
 */
int envelope_seal(struct envelope *e, json_t *document, const char *kind, const char *target,
                  struct tm_error *err);
void envelope_release(struct envelope *e);

/* SHA-256 of a document without its id and generated_at. Returns out. */
/* Without memory the thread counts as starved (json_memory.h), and the hash is that of nothing. */
char *envelope_digest(char out[TM_SHA256_HEX], const json_t *document);

/* The key of a document; lines, unless NULL, gets what is hashed. Returns key. */
char *envelope_key(char key[TM_SHA256_HEX], const json_t *document, const char *kind,
                   const char *target, struct tm_buf *lines);
/* The id of a batch, from the keys in it, which are sorted by this. Returns out. */
char *envelope_batch_id(char out[TM_SHA256_HEX], const char **keys, size_t n);

/* The three headers of a signature, a line each, as a file beside the event holds them. Returns
 * their length. */
#define ENVELOPE_HEADERS_SIZE 512
size_t envelope_headers(char out[ENVELOPE_HEADERS_SIZE], const struct tm_secret *secret,
                        const char *id, int64_t now, const void *body, size_t len);

#endif
