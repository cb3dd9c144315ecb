/* SPDX-License-Identifier: MIT */
#ifndef TM_REDFISH_H
#define TM_REDFISH_H

#include "plugins/ask.h"

/*
 * Disk arrays that speak Redfish with Swordfish's storage model: redfishs://HOST[:PORT] (TLS) and
 * redfish://HOST[:PORT]. Login by session where the service offers it, else by Basic, with the
 * user of the credentials file; without one, what is open to all is read.
 *
 * The walk goes by the known names of the schema (Storage, StoragePools, Volumes...), never through
 * all links; each URL is read once, links to other hosts are refused, and documents, their size and
 * the time are bounded. A link that leads nowhere (404) costs what it named; any other failure
 * leaves the totals unknown.
 */
extern const struct ask_source source_redfish;

#endif
