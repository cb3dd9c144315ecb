/* SPDX-License-Identifier: MIT */
#ifndef TM_VERSION_ORDER_H
#define TM_VERSION_ORDER_H

#include <stdbool.h>

/*
 * Which of two version strings is the newer one, for whatever makers write: "4.4.2", "v4.10",
 * "9.1P2", "2.03B", "R05.11", "1.0-rc1", "FW 4.4.2", "2026.05.1".
 *
 * A version is read as numbers and words; whatever else stands between them only separates.
 * Numbers compare as numbers of any length, words without regard to case. A word that means 'not
 * yet' (alpha, beta, rc, pre, preview, dev, snapshot, and anything after '~') is older than
 * nothing; any other word (a, p2, sp1, hotfix) is newer than nothing and older than a further
 * number. Zeros at the end of a run of numbers do not count (4.4 = 4.4.0), nor do 'v', 'version',
 * 'fw', 'rev' and the like in front of the first number. It is a total order of what was read, so
 * that sorting by it is safe.
 *
 * Negative, 0 or positive as a is older than, the same as or newer than b.
 */
int version_order(const char *a, const char *b);

/* False for NULL, for a text without any digit ("unknown", "-") and for one of more than 128 bytes:
 * not to be compared. */
bool version_known(const char *version);

#endif
