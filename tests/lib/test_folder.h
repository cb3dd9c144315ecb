/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_TEST_FOLDER_H
#define TM_TESTS_TEST_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A temporary folder of one test program: make and remove are for the set-up and the end of its
 * group. What is in it is removed with it, links themselves and not what they lead to. */
static char test_folder[] = "/tmp/tidemark-test-XXXXXX";

static inline int test_folder_make(void **state)
{
  (void)state;
  return mkdtemp(test_folder) == NULL ? -1 : 0;
}

static inline int test_folder_remove_one(const char *path, const struct stat *st, int what,
                                         struct FTW *at)
{
  (void)st, (void)what, (void)at;
  return remove(path);
}

static inline int test_folder_remove(void **state)
{
  (void)state;
  return nftw(test_folder, test_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
