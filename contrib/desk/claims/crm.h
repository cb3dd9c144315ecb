/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CLAIM_CRM_H
#define TM_DESK_CLAIM_CRM_H

#include "contrib/desk/desk.h"

/*
 * Complaints of Tryton (sale.complaint): those that are new there become claims here, and the
 * result of a claim that came so is put to its complaint as an attachment.
 */
struct claims_crm;

/* *crm is NULL where desk.conf names no Tryton. */
int claims_crm_new(struct claims_crm **crm, const struct desk_conf *conf, struct tm_error *err);
void claims_crm_free(struct claims_crm *crm); /* NULL is fine */

/* Looks once. A server that is away is said once, and asked again later: 0 then, too. */
int claims_crm_work(struct claims_crm *crm, const struct desk *desk, int64_t now,
                    struct tm_error *err);

#endif
