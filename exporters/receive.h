/* SPDX-License-Identifier: MIT */
#ifndef TM_RECEIVE_H
#define TM_RECEIVE_H

#include "common/conf.h"

/*
 * Takes what sites have dropped (role vendor): KEY.json with KEY.sig beside it, as the target
 * `file` writes them, in the folder of each source of the configuration. Signature and tenant are
 * checked, the document is kept (accepted.h), and only then are the files moved to taken/; what is
 * refused is moved to refused/ with the reason in KEY.why. Returns the exit status.
 */
int receive_run(const struct tm_conf *conf);

#endif
