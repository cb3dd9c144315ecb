/* SPDX-License-Identifier: MIT */
#ifndef TM_VERSION_H
#define TM_VERSION_H

/* The one place of the version; the Makefile and the packages read it here. */
#define TM_VERSION "0.1.0"

#endif
