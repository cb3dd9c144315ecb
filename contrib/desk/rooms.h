/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_ROOMS_H
#define TM_DESK_ROOMS_H

#include "contrib/desk/http/route.h"

/* The tables of routes of all rooms; routes.c puts them into one list. */
extern const struct route static_routes[];
extern const struct route people_routes[];
extern const struct route account_routes[];
extern const struct route staff_routes[];  /* accounts and the audit log, for administrators */
extern const struct route intake_routes[]; /* what sites talk to */
extern const struct route sales_routes[];
extern const struct route device_routes[];
extern const struct route fleet_routes[];
extern const struct route talk_routes[];
extern const struct route quote_routes[];
extern const struct route customer_routes[];
extern const struct route watch_routes[]; /* silent sites, quality */
extern const struct route days_routes[];
extern const struct route claims_routes[];   /* the list */
extern const struct route claim_routes[];    /* one */
extern const struct route claiming_routes[]; /* what is done with one */
extern const struct route types_routes[];    /* of claims */
extern const struct route product_routes[];  /* for everybody */
extern const struct route todo_routes[];     /* what staff has to do */
extern const struct route ask_routes[];      /* inquiries: asking */
extern const struct route inquiry_routes[];  /* seeing them */
extern const struct route agree_routes[];    /* agreeing, and the end of it */
extern const struct route factory_routes[];  /* demand, stock, who waits */
extern const struct route answer_routes[];   /* the factory answers */
extern const struct route me_routes[];       /* a customer's own data */
extern const struct route say_routes[];      /* what he says to advice */
extern const struct route take_routes[];     /* taking it along, having it deleted */
extern const struct route login_mail_routes[];
extern const struct route admin_routes[]; /* of the administrator's own listener */

#endif
