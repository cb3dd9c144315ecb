/* SPDX-License-Identifier: MIT */
#ifndef TM_IPP_H
#define TM_IPP_H

#include "plugins/ask.h"

/*
 * Printers that speak IPP: ipp://HOST[:PORT][/PATH] and ipps:// (TLS); port 631 and /ipp/print
 * where nothing else is said. One Get-Printer-Attributes, the attributes asked for by name:
 * printers leave the page counters out of the answer to 'all'.
 */
extern const struct ask_source source_ipp;

#endif
