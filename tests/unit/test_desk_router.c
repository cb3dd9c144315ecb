/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct route devices[] = {
    {"GET", "/", ROLE_NONE, 0, "Start.", NULL},
    {"GET", "/devices", ROLE_SALES | ROLE_SERVICE, 0, "All devices.", NULL},
    {"GET", "/devices/{id}", ROLE_SALES, 0, "One device.", NULL},
    {"POST", "/devices/{id}", ROLE_SALES, 1024, "Changes it.", NULL},
    {0},
};
static const struct route more[] = {
    {"GET", "/devices/new", ROLE_ADMIN, 0, "A form.", NULL},
    {"GET", "/devices/{id}/days/{day}", ROLE_SALES, 0, "One day.", NULL},
    {0},
};
static const struct route *const tables[] = {devices, more, NULL};

static void a_path_finds_its_route(void **state)
{
  (void)state;
  static const struct {
    const char *method, *path;
    int status;
    const struct route *route;
  } cases[] = {
      {"GET", "/", 200, &devices[0]},
      {"HEAD", "/", 200, &devices[0]},
      {"GET", "/devices", 200, &devices[1]},
      {"GET", "/devices/7", 200, &devices[2]},
      {"POST", "/devices/7", 200, &devices[3]},
      {"GET", "/devices/new", 200, &more[0]},
      {"GET", "/devices/a%2Fb", 200, &devices[2]},
      {"GET", "/devices/7/days/2026-11-20", 200, &more[1]},
      {"GET", "/devices/", 404, NULL},
      {"GET", "/devices/7/", 404, NULL},
      {"GET", "/devices//days/1", 404, NULL},
      {"GET", "/device", 404, NULL},
      {"GET", "/devicesx", 404, NULL},
      {"GET", "", 404, NULL},
      {"GET", "devices", 404, NULL},
      {"GET", "//", 404, NULL},
      {"DELETE", "/devices/7", 405, NULL},
      {"get", "/devices", 405, NULL},
      {"POST", "/nothing", 404, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct route_match m;
    int status = route_find(tables, cases[i].method, cases[i].path, &m);
    if (status != cases[i].status || m.route != cases[i].route)
      fail_msg("%s %s: got %d %s", cases[i].method, cases[i].path, status,
               m.route != NULL ? m.route->pattern : "none");
  }
}

static void parts_point_into_the_path(void **state)
{
  (void)state;
  struct route_match m;
  assert_int_equal(route_find(tables, "GET", "/devices/a%2Fb/days/2026-11-20", &m), 200);
  assert_int_equal(m.parts_len, 2);
  assert_memory_equal(m.parts[0].name, "id", m.parts[0].name_len);
  assert_int_equal(m.parts[0].value_len, 5);
  assert_memory_equal(m.parts[0].value, "a%2Fb", 5);
  assert_memory_equal(m.parts[1].value, "2026-11-20", m.parts[1].value_len);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
  (void)state;
  struct route_match m;
  assert_int_equal(route_find(tables, "PUT", "/devices/7", &m), 405);
  assert_string_equal(m.allow, "GET, HEAD, POST");
}

static void a_link_leads_only_whom_the_route_takes(void **state)
{
  (void)state;
  assert_true(route_leads(tables, "/devices", ROLE_SERVICE));
  assert_false(route_leads(tables, "/devices", ROLE_FACTORY));
  assert_true(route_leads(tables, "/", ROLE_FACTORY));
  assert_false(route_leads(tables, "/claims", ROLE_SERVICE));
}

static void roles_have_names(void **state)
{
  (void)state;
  for (unsigned role = ROLE_NONE; role <= ROLE_SITE; role <<= 1)
    assert_int_equal(role_of(role_name((enum role)role)), role);
  assert_int_equal(role_of("root"), 0);
  assert_null(role_name((enum role)(ROLE_SALES | ROLE_ADMIN)));
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_path_finds_its_route),
      cmocka_unit_test(parts_point_into_the_path),
      cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
      cmocka_unit_test(a_link_leads_only_whom_the_route_takes),
      cmocka_unit_test(roles_have_names),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_router", tests, NULL, NULL);
}
