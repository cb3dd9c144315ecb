/* SPDX-License-Identifier: MIT */
#ifndef TM_REDFISH_WALK_H
#define TM_REDFISH_WALK_H

#include "plugins/source/redfish_tree.h"
#include "plugins/source/web.h"

/* Asking a Redfish service for documents: the session, the limits, and the way from link to link.
 */

#define REDFISH_DOCUMENTS_MAX 5000               /* of one reading */
#define REDFISH_LANES         3                  /* beside the first, for counters */
#define REDFISH_BYTES_MAX     ((size_t)64 << 20) /* of them */

/* What is kept between readings; one for each part that may be asked at the same time. */
struct redfish_lane {
  struct tm_http *http;
  char *session;       /* the URL by which it is ended */
  char *authorization; /* the header line to send; NULL: not logged in */
};

struct redfish_walk {
  const struct web *web;
  struct redfish_lane *lane;
  struct ask_job *job;
  json_t *seen; /* an object whose keys are the URLs that were asked for */
  size_t documents;
  size_t bytes;
  bool incomplete;     /* something that counts could not be read; the job's error says what */
  bool login_failed;   /* not tried again in this walk */
  json_t *drives;      /* links to them, by subsystem, which are followed after everything else */
  bool without_drives; /* set by the caller: they are known from an earlier walk */
  bool in_drives;      /* what fails here leaves the totals as they are */
  bool drives_failed;
  bool rooted; /* the collections at the root gave pools or volumes */
  struct redfish_tree tree;
};

/* The document at a link: 0 with a new reference in *doc; -EALREADY (asked for before), -ENOENT;
 * other failures are in err. */
int redfish_get(struct redfish_walk *w, const char *link, json_t **doc, char **path,
                struct tm_error *err);
/* Walks everything and adds it to w->tree: pools and volumes first, then drives in what is left of
 * the time. 0, or what made it impossible with the reason in err. */
int redfish_walk_all(struct redfish_walk *w, struct tm_error *err);
/* Adds these documents alone, which told counters in an earlier walk, by w's own lane and
 * REDFISH_LANES more, which are kept for the next time and have no session of their own. */
int redfish_walk_counters(struct redfish_walk *w, const json_t *paths, struct redfish_lane *lanes,
                          struct tm_error *err);
void redfish_walk_release(struct redfish_walk *w);

/* Ends the session and forgets everything. */
void redfish_lane_release(struct redfish_lane *lane);

#endif
