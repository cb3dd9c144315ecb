/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_SANDBOX_H
#define TM_RRD_SANDBOX_H

/*
 * Gives up, for the calling process and for good, everything that reading files does not need:
 * opening for writing, the network, new processes, other programs, large memory, and (as root, or
 * where the kernel has Landlock) files outside the open folder. A call that is not allowed ends the
 * process.
 * 0, or a negative errno when the kernel has no seccomp filters at all.
 */
int rrd_sandbox_enter(int folder_fd);

#endif
