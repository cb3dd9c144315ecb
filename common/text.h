/* SPDX-License-Identifier: MIT */
#ifndef TM_TEXT_H
#define TM_TEXT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Makes a printable UTF-8 string of bytes from outside: stops at a NUL, control bytes become
 * blanks, runs of blanks become one, ends are trimmed, invalid UTF-8 becomes U+FFFD. Never writes
 * more than size bytes (size >= 1), never cuts a character in two, always ends with NUL.
 * Returns the length written. dst and src may not overlap.
 */
size_t tm_text_clean(char *dst, size_t size, const void *src, size_t len);

/* True when the text fits. Where there is no memory to find that out it is false, and the thread
 * counts as starved (json_memory.h), so that nobody takes the text for a wrong one for ever. */
bool tm_text_fits(const regex_t *regex, const char *text);
/* The same, telling where. */
bool tm_text_match(const regex_t *regex, const char *text, size_t n, regmatch_t *found);

/* A text of len bytes that was cut there: takes off what is left of its last character, of which
 * neither JSON nor a database would take a part. */
void tm_text_end_whole(char *text, size_t len);
/* Copies a text, cut behind a character where it does not fit; NULL is an empty one. */
void tm_text_copy(char *dst, size_t size, const char *text);

/* True when s is valid UTF-8. */
bool tm_text_is_utf8(const char *s);

/* True when s holds a control byte: 1..31 or 127. */
bool tm_text_has_control(const char *s);

/* Characters of a UTF-8 text. */
size_t tm_text_characters(const char *s);

/*
 * The name of a NULL-terminated list that is nearest to what was typed (edit distance, at most a
 * third of its length, at least 1), or NULL when none is near: for "did you mean".
 */
const char *tm_text_nearest(const char *typed, const char *const *names);

/* Terminal columns that s takes: wide East Asian characters count two, combining ones none. */
size_t tm_text_columns(const char *s);

#endif
