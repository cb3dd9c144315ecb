/* SPDX-License-Identifier: MIT
 *
 * Included before every file of `make coverage`: processes that end by _exit() count as well.
 */
#ifndef TM_TESTS_COVERAGE_H
#define TM_TESTS_COVERAGE_H

#include <unistd.h>

void __gcov_dump(void);

__attribute__((noreturn)) static inline void coverage_exit(int status)
{
  __gcov_dump();
  _exit(status);
}
#define _exit coverage_exit

#endif
