/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_RPC_H
#define TM_TRYTON_RPC_H

#include "common/error.h"
#include "common/tls.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Calls to a Tryton server (6.0) by JSON over HTTP: one user, one session. Logging in happens at
 * the first call, and once more when the session has ended. One thread at a time.
 *
 * A server of Tryton answers 200 to nearly everything, with "error" in the body: the status alone
 * says nothing.
 */
struct tryton_rpc;

struct tryton_options {
  const char *url; /* with the data base: https://erp.example.com/crm/ */
  const char *user;
  const char *password_file; /* as tm_secret_read() wants it */
  struct tm_tls tls;
  int64_t timeout_s; /* of one call */
};

/* Reads the password; connects nowhere. The strings are copied. */
int tryton_rpc_new(struct tryton_rpc **rpc, const struct tryton_options *options,
                   struct tm_error *err);
/* Logs out where there is a session. NULL is fine. */
void tryton_rpc_free(struct tryton_rpc *rpc);

/*
 * One call. params is an array without the context, which is the user's own (company and language)
 * with the members of `more` (NULL: none) over it; both are stolen. *result is a new reference;
 * result may be NULL. 0, or a negative errno with the reason in err:
 *   -EBADMSG  the application refused it, in its own words: saying it again does not help
 *   -ESTALE   the record was changed meanwhile (ConcurrencyException): read it again and decide
 *   -EAGAIN   the server is in trouble with this call: later
 *   -EBUSY    the server asks to be left alone for a while, see tryton_rpc_retry_after()
 *   -EACCES   it does not know us: wrong password, method not open
 *   -EPERM    its user lacks a group: nothing is wrong with the record
 *   -ENOENT   no such server there, or no such data base
 *   else      what tm_http_do() says: nothing is known, it may have happened or not
 */
int tryton_call(struct tryton_rpc *rpc, const char *method, json_t *params, json_t *more,
                json_t **result, struct tm_error *err);

/*
 * search_read: the records that fit a domain (stolen), at most `limit` of them (0: all), sorted
 * by id, with these fields. *records is an array.
 */
int tryton_find(struct tryton_rpc *rpc, const char *model, json_t *domain, int limit,
                json_t *fields, json_t *more, json_t **records, struct tm_error *err);
/* create: one record of these values (stolen); *id is its id. */
int tryton_create(struct tryton_rpc *rpc, const char *model, json_t *values, json_int_t *id,
                  struct tm_error *err);
/* A method that takes ids alone, as the buttons of a form do: "model.stock.forecast.confirm". */
int tryton_press(struct tryton_rpc *rpc, const char *method, json_int_t id, json_t **result,
                 struct tm_error *err);

/*
 * From now on calls that would change something (all but search_read and those of the session) are
 * not made but printed on standard output, a line each: the method, a blank and the parameters as
 * JSON, the contents of files by their length alone. What they answer is taken to be the id 0.
 */
void tryton_rpc_only_show(struct tryton_rpc *rpc);
bool tryton_rpc_is_only_shown(const struct tryton_rpc *rpc);

/* The id of our user, and the company that we work for; -1 before the first call. */
json_int_t tryton_user(const struct tryton_rpc *rpc);
json_int_t tryton_company(const struct tryton_rpc *rpc);
/* Seconds, or -1: from the last answer. */
int64_t tryton_rpc_retry_after(const struct tryton_rpc *rpc);

#endif
