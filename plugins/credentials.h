/* SPDX-License-Identifier: MIT */
#ifndef TM_CREDENTIALS_H
#define TM_CREDENTIALS_H

#include "common/error.h"

#include <stdbool.h>

/*
 * The credentials file: what a device wants to be shown before it answers. It is the only place of
 * secrets of the plugins and of tidemark-probe; none of them is ever written to a log or into an
 * error's text. Syntax of libconfuse:
 *
 *     device "array-01.example.com" { user = "monitor"  password = "..." }
 *     device "10.1.2.3:1161"        { community = "..." }
 *     device "10.1.9.*"             { user = "tm"  auth = "SHA-256"  auth_password = "..."
 *                                     privacy = "AES"  privacy_password = "..." }
 *
 * The title is a host, HOST:PORT, or a pattern of fnmatch(3) for several.
 */
struct credential {
  const char *name; /* the title; no secret */
  const char *user; /* Redfish, IPP; the security name of SNMPv3; NULL: not given, as below */
  const char *password;
  const char *community;     /* SNMP v1 and v2c */
  const char *auth;          /* "MD5" "SHA" "SHA-224" "SHA-256" "SHA-384" "SHA-512" */
  const char *auth_password; /* at least 8 characters */
  /* "DES", "AES" (128 bits), "AES-192", "AES-256" (keys extended as Blumenthal's draft has it), and
   * "AES-192-C", "AES-256-C" (as Cisco and others have it) */
  const char *privacy;
  const char *privacy_password; /* at least 8 characters; NULL: the same as auth_password */
  const char *context;          /* of SNMPv3 */
  const char *login;            /* Redfish: "session" or "basic"; NULL: session where offered */
  bool plain;                   /* user and password may travel over plain http */
  const char *file;             /* where it stands, for messages */
  unsigned line;
};

struct credentials;

/*
 * Loads a file. A path without a slash is looked for in systemd's folder of credentials
 * ($CREDENTIALS_DIRECTORY) first. -EPERM when others than its owner may write it or others than
 * owner and group may read it, or when it belongs to neither root nor this user; -EBADMSG with
 * "FILE:LINE: what" for what cannot be read as above. Safe from several threads.
 */
int credentials_load(struct credentials **out, const char *path, struct tm_error *err);
/* Wipes the memory. */
void credentials_free(struct credentials *c);

/* The entry for a host: HOST:PORT first, then HOST, then the first pattern that fits; NULL.
 * Borrowed until credentials_free(). c may be NULL. */
const struct credential *credentials_find(const struct credentials *c, const char *host,
                                          unsigned port);

#endif
