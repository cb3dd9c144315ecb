/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/nav.h"
#include "contrib/desk/rooms.h"

/* A room's table of routes; adding a room is one line here and one in rooms.h. */
const struct route *const desk_routes[] = {
    static_routes,     /* http/static.c */
    people_routes,     /* people/login.c */
    account_routes,    /* people/account.c */
    staff_routes,      /* people/staff.c */
    intake_routes,     /* intake/events_route.c */
    sales_routes,      /* sales/opportunities.c */
    device_routes,     /* sales/device_page.c */
    talk_routes,       /* sales/talk.c */
    fleet_routes,      /* sales/devices.c */
    quote_routes,      /* sales/quote_page.c */
    customer_routes,   /* sales/customers.c */
    watch_routes,      /* sales/watch.c */
    days_routes,       /* sales/days_page.c */
    product_routes,    /* public/product_page.c */
    todo_routes,       /* customers/todos.c */
    ask_routes,        /* factory/ask.c */
    inquiry_routes,    /* factory/inquiry_page.c */
    agree_routes,      /* factory/agree.c */
    answer_routes,     /* factory/answer_route.c */
    factory_routes,    /* factory/factory_page.c */
    claims_routes,     /* claims/list.c */
    claim_routes,      /* claims/page.c */
    claiming_routes,   /* claims/form.c */
    types_routes,      /* claims/types_page.c */
    me_routes,         /* customers/me.c */
    say_routes,        /* customers/answers.c */
    take_routes,       /* customers/take.c */
    login_mail_routes, /* people/login_mail.c */
    NULL,
};

const struct route *const desk_admin_routes[] = {
    admin_routes,
    NULL,
};

/* In the order of the page's head. What leads nowhere for a role is not shown. */
const struct nav_row desk_nav[] = {
    {ROLE_NONE, "/products", "Products"},
    {ROLE_SALES, "/opportunities", "Opportunities"},
    {ROLE_SALES | ROLE_SERVICE | ROLE_ADMIN, "/tasks", "Tasks"},
    {ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_ADMIN, "/devices", "Devices"},
    {ROLE_SERVICE | ROLE_SALES | ROLE_ENGINEER, "/claims", "Claims"},
    {ROLE_SERVICE | ROLE_ADMIN, "/claim-types", "Claim types"},
    {ROLE_FACTORY, "/factory", "Factory"},
    {ROLE_SALES | ROLE_FACTORY, "/inquiries", "Inquiries"},
    {ROLE_CUSTOMER, "/me", "My devices and advice"},
    {ROLE_CUSTOMER, "/me#sent", "What was sent"},
    {ROLE_CUSTOMER, "/me#consent", "Consent"},
    {ROLE_CUSTOMER, "/me#data", "My data"},
    {ROLE_CUSTOMER, "/products", "Products"},
    {ROLE_SALES | ROLE_SERVICE | ROLE_ENGINEER | ROLE_ADMIN, "/customers", "Customers"},
    {ROLE_SALES | ROLE_SERVICE | ROLE_ADMIN, "/sites", "Silent sites"},
    {ROLE_ADMIN, "/quality", "Quality"},
    {ROLE_ADMIN, "/people", "People"},
    {ROLE_ADMIN, "/audit", "Audit"},
    {0},
};
