/* SPDX-License-Identifier: MIT */
#ifndef TM_SERVE_H
#define TM_SERVE_H

#include "plugins/ask.h"

/*
 * The helper's side of helper.h. A request is one line:
 *
 *   {"id":7,"device":3,"source":"ipp","settings":{"Address":"…"},"part":"everything","items":[],
 *    "timeout":9.5,"explain":false,"more":true}
 *
 * `device` numbers the devices of the other side: one that is named again keeps its connection and
 * session. Requests up to the first without "more" are asked side by side, several such batches at
 * the same time. A reply is one line, in any order:
 *
 *   {"id":7,"reading":{…},"asked_at":…,"answered_at":…,"explain":{}}   (see wire.h)
 *
 * Serves until the other side closes its end; returns the exit status.
 */
int serve_run(int fd, const struct ask_source *const *sources);

#endif
