/* SPDX-License-Identifier: MIT */
#ifndef TM_FD_H
#define TM_FD_H

#include <stddef.h>

/*
 * All of it, in as many calls as it takes, also where a signal comes between. 0, or a negative
 * errno: how much had gone out by then is not known.
 */
int tm_write_all(int fd, const void *data, size_t len);
/* Into a socket, without a signal where nobody is at the other end (-EPIPE). */
int tm_send_all(int fd, const void *data, size_t len);

#endif
