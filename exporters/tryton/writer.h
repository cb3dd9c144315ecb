/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_WRITER_H
#define TM_TRYTON_WRITER_H

#include "common/conf.h"
#include "common/error.h"
#include "exporters/tryton/rpc.h"

#include <jansson.h>

/*
 * The one writer of an ERP: whatever this vendor's programs do there, they do one after the other,
 * since Tryton itself would let two of them create the same record twice. The lock belongs to the
 * URL and lies in the state folder; it ends with the process too.
 */
struct writer {
  const struct tm_conf_target *target;
  struct tryton_rpc *rpc;
  int lock;
  char note[160]; /* name of the note (state.h) in which its opportunities are kept */
};

/* Waits for another writer, as long as one exchange may take. -EBUSY after that. Connects nowhere.
 */
int writer_open(struct writer *w, const struct tm_conf_target *target, struct tm_error *err);
void writer_close(struct writer *w);

#endif
