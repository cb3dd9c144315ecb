/* SPDX-License-Identifier: MIT */
#ifndef TM_RIGHTS_H
#define TM_RIGHTS_H

#include "common/conf.h"

#include <stdint.h>

/* What a customer may ask for: all data back, and deletion. Both return the exit status. */

/*
 * Copies all raw data of the site into a new folder, in usable form: the RRDs, registrations and
 * inventory, summaries, the ledger of forecasts, what was agreed to, and every event that was sent
 * or waits, with a manifest of sizes and SHA-256. Secrets are left out.
 */
int rights_export_all(const struct tm_conf *conf, const char *output, int64_t now);

/* Queues a request for deletion to each target (or one): of the site, or of one HOST/DEVICE. */
int rights_delete_request(const struct tm_conf *conf, const char *target, const char *device,
                          const char *by, int64_t now_ms);

#endif
