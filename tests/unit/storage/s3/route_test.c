/* route_test.c - S3-ROUTE-1, S3-ROUTE-2: every row of the table is reached by the
 * request that it describes, and nothing else falls through to a plain GET or PUT.
 *
 * Planted and caught: CopyObject's row behind PutObject's (shadowed). */
#include "storage/s3/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct record_pair pair(const char *name, const char *value)
{
    return (struct record_pair){bytes_of_str(name), bytes_of_str(value)};
}

static enum s3_error find(const char *method, enum route_scope scope, struct record_pair *items,
                          size_t count, const struct route **ret_route)
{
    struct http_head head = {.method = bytes_of_str(method)};
    struct record_pairs query = {items, count};
    struct err err = {0};
    if (!route_find(&head, scope, &query, ret_route, &err))
        return S3_ERROR_NONE;
    return error_of(&err);
}

static const char *name_of(const char *method, enum route_scope scope, struct record_pair query)
{
    const struct route *route = NULL;
    return find(method, scope, &query, 1, &route) == S3_ERROR_NONE ? route->name : "";
}

static void every_row_is_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count(); i++) {
        const struct route *row = route_at(i), *found = NULL;
        struct http_field field = {bytes_of_str(row->header ? row->header : "x"), BYTES_LIT("v")};
        struct http_head head = {.method = bytes_of_str(route_method_name(row->method)),
                                 .fields = &field,
                                 .field_count = 1};
        struct record_pair item = pair(row->query ? row->query : "x-id", "");
        struct record_pairs query = {&item, 1};
        struct err err = {0};
        assert_int_equal(route_find(&head, row->scope, &query, &found, &err), ERR_OK);
        assert_ptr_equal(found, row);
        assert_int_equal(route_index(found), i);
    }
}

static void every_row_can_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count(); i++) {
        assert_true(route_at(i)->begin || route_at(i)->run);
        assert_true(route_at(i)->body == ROUTE_NO_BODY || route_at(i)->run);
    }
}

static void every_name_stands_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count(); i++)
        for (size_t k = i + 1; k < route_count(); k++)
            assert_string_not_equal(route_at(i)->name, route_at(k)->name);
}

static void an_empty_value_is_as_good_as_none(void **state)
{
    const struct route *route = NULL;
    (void)state;
    assert_string_equal(name_of("POST", ROUTE_BUCKET, pair("delete", "")), "DeleteObjects");
    assert_string_equal(name_of("GET", ROUTE_BUCKET, pair("list-type", "2")), "ListObjectsV2");
    assert_string_equal(name_of("GET", ROUTE_BUCKET, pair("prefix", "")), "ListObjects");
    assert_int_equal(find("GET", ROUTE_BUCKET, NULL, 0, &route), S3_ERROR_NONE);
    assert_string_equal(route->name, "ListObjects");
}

static void unknown_parameters_are_passed_over(void **state)
{
    (void)state;
    assert_string_equal(name_of("PUT", ROUTE_OBJECT, pair("x-id", "PutObject")), "PutObject");
    assert_string_equal(name_of("GET", ROUTE_OBJECT, pair("cache-buster", "17")), "GetObject");
    assert_string_equal(name_of("PUT", ROUTE_OBJECT, pair("X-Amz-Security-Token", "")),
                        "PutObject");
}

static void unknown_subresources_are_not_implemented(void **state)
{
    static const char *const names[] = {"frobnicate", "POLICY", "acl2", "newSetting"};
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};
    const struct route *route;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t k = 0; k < ARRAY_LEN(methods); k++) {
            struct record_pair item = pair(names[i], "");
            assert_int_equal(find(methods[k], ROUTE_OBJECT, &item, 1, &route), S3_NOT_IMPLEMENTED);
            assert_int_equal(find(methods[k], ROUTE_BUCKET, &item, 1, &route), S3_NOT_IMPLEMENTED);
        }
}

/* A bucket's sub-resource on an object, or on nothing, is no plain request either. */
static void known_subresources_elsewhere_are_not_implemented(void **state)
{
    const struct route *route;
    struct record_pair policy = pair("policy", "");
    (void)state;
    assert_int_equal(find("PUT", ROUTE_OBJECT, &policy, 1, &route), S3_NOT_IMPLEMENTED);
    assert_int_equal(find("GET", ROUTE_SERVICE, &policy, 1, &route), S3_NOT_IMPLEMENTED);
}

static void wrong_methods_are_not_allowed(void **state)
{
    const struct route *route;
    struct record_pair tagging = pair("tagging", "");
    (void)state;
    assert_int_equal(find("POST", ROUTE_OBJECT, &tagging, 1, &route), S3_METHOD_NOT_ALLOWED);
    assert_int_equal(find("PATCH", ROUTE_OBJECT, NULL, 0, &route), S3_METHOD_NOT_ALLOWED);
    assert_int_equal(find("get", ROUTE_OBJECT, NULL, 0, &route), S3_METHOD_NOT_ALLOWED);
    assert_int_equal(find("PUT", ROUTE_SERVICE, NULL, 0, &route), S3_METHOD_NOT_ALLOWED);
}

static void two_subresources_are_refused(void **state)
{
    const struct route *route;
    struct record_pair both[] = {pair("acl", ""), pair("tagging", "")};
    struct record_pair twice[] = {pair("acl", ""), pair("acl", "")};
    (void)state;
    assert_int_equal(find("PUT", ROUTE_OBJECT, both, 2, &route), S3_INVALID_ARGUMENT);
    assert_int_equal(find("PUT", ROUTE_OBJECT, twice, 2, &route), S3_ERROR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_reached),
        cmocka_unit_test(every_row_can_answer),
        cmocka_unit_test(every_name_stands_once),
        cmocka_unit_test(an_empty_value_is_as_good_as_none),
        cmocka_unit_test(unknown_parameters_are_passed_over),
        cmocka_unit_test(unknown_subresources_are_not_implemented),
        cmocka_unit_test(known_subresources_elsewhere_are_not_implemented),
        cmocka_unit_test(wrong_methods_are_not_allowed),
        cmocka_unit_test(two_subresources_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
