/* SPDX-License-Identifier: MIT */
#ifndef TM_ADDRESS_H
#define TM_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies text, with every IPv4, IPv6 and hardware address in it replaced by "(address)": what
 * devices say about themselves is not to tell where in a network they stand. A time of day, a
 * version of up to three numbers and a name are no addresses. Never writes more than size bytes
 * (size >= 1), always ends with NUL.
 */
void tm_address_hide(char *dst, size_t size, const char *text);

/* True when the host of a URL, of so many bytes as they stand there, is this machine: localhost,
 * 127.0.0.0/8 (all four numbers) or [::1]. */
bool tm_address_is_loopback(const char *host, size_t len);

#endif
