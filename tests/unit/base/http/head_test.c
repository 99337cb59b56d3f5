/* head_test.c - the rules for heads, and the cutting of targets and queries.
 * Planted bug it caught: unequal Content-Length fields let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <stdlib.h>

#include "base/http/head.h"
#include "base/limits.h"

#define FIELDS 8

struct sample {
    const char *name;
    int status;
    const char *method;
    bool http_1_0;
    const char *fields[FIELDS]; /* "name:value" */
};

static size_t split(const char *const *lines, struct http_field *ret_fields)
{
    size_t count = 0;
    for (; count < FIELDS && lines[count]; count++) {
        struct bytes rest = bytes_of_str(lines[count]);
        bytes_cut(&rest, ':', &ret_fields[count].name);
        ret_fields[count].value = rest;
    }
    return count;
}

/* HTTP-HEAD-1 */
static void rules(void **state)
{
    (void)state;
    static const struct sample SAMPLES[] = {
        {"plain", 0, "GET", false, {"host:a"}},
        {"no host", 400, "GET", false, {NULL}},
        {"no host on 1.0", 0, "GET", true, {NULL}},
        {"two hosts", 400, "GET", false, {"host:a", "host:a"}},
        {"two hosts on 1.0", 400, "GET", true, {"host:a", "host:b"}},
        {"host with port", 0, "GET", false, {"host:[::1]:9000"}},
        {"host with user", 400, "GET", false, {"host:u@a"}},
        {"host with path", 400, "GET", false, {"host:a/b"}},
        {"host empty", 400, "GET", false, {"host:"}},
        {"length", 0, "PUT", false, {"host:a", "content-length:5"}},
        {"length 0", 0, "PUT", false, {"host:a", "content-length:0"}},
        {"length zeros", 0, "PUT", false, {"host:a", "content-length:0005"}},
        {"length repeated", 0, "PUT", false, {"host:a", "content-length:5", "content-length:5"}},
        {"length unequal", 400, "PUT", false, {"host:a", "content-length:5", "content-length:6"}},
        {"length unequal text",
         400,
         "PUT",
         false,
         {"host:a", "content-length:5", "content-length:05"}},
        {"length list", 400, "PUT", false, {"host:a", "content-length:5,5"}},
        {"length signed", 400, "PUT", false, {"host:a", "content-length:+5"}},
        {"length negative", 400, "PUT", false, {"host:a", "content-length:-5"}},
        {"length hex", 400, "PUT", false, {"host:a", "content-length:0x5"}},
        {"length inner space", 400, "PUT", false, {"host:a", "content-length:5 5"}},
        {"length empty", 400, "PUT", false, {"host:a", "content-length:"}},
        {"length 2^63-1", 0, "PUT", false, {"host:a", "content-length:9223372036854775807"}},
        {"length 2^63", 413, "PUT", false, {"host:a", "content-length:9223372036854775808"}},
        {"length 2^64+3", 413, "PUT", false, {"host:a", "content-length:18446744073709551619"}},
        {"chunked", 0, "PUT", false, {"host:a", "transfer-encoding:chunked"}},
        {"Chunked", 0, "PUT", false, {"host:a", "transfer-encoding:Chunked"}},
        {"both", 400, "PUT", false, {"host:a", "transfer-encoding:chunked", "content-length:5"}},
        {"both, 0", 400, "PUT", false, {"host:a", "content-length:0", "transfer-encoding:chunked"}},
        {"twice",
         400,
         "PUT",
         false,
         {"host:a", "transfer-encoding:chunked", "transfer-encoding:chunked"}},
        {"gzip", 501, "PUT", false, {"host:a", "transfer-encoding:gzip, chunked"}},
        {"xchunked", 501, "PUT", false, {"host:a", "transfer-encoding:xchunked"}},
        {"identity", 501, "PUT", false, {"host:a", "transfer-encoding:identity"}},
        {"empty coding", 501, "PUT", false, {"host:a", "transfer-encoding:"}},
        {"chunked on 1.0", 400, "PUT", true, {"host:a", "transfer-encoding:chunked"}},
        {"space in a name", 400, "GET", false, {"host:a", "transfer-encoding :chunked"}},
        {"empty name", 400, "GET", false, {"host:a", ":b"}},
        {"upper case name", 400, "GET", false, {"host:a", "X:b"}},
        {"tab in a value", 0, "GET", false, {"host:a", "x:b\tc"}},
        {"CR in a value", 400, "GET", false, {"host:a", "x:b\rc"}},
        {"DEL in a value", 400, "GET", false, {"host:a", "x:b\177"}},
        {"UTF-8 in a value", 0, "GET", false, {"host:a", "x:caf\xc3\xa9"}},
        {"TRACE", 501, "TRACE", false, {"host:a"}},
        {"CONNECT", 501, "CONNECT", false, {"host:a"}},
        {"lower case method", 501, "get", false, {"host:a"}},
        {"empty method", 501, "", false, {"host:a"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(SAMPLES); i++) {
        const struct sample *sample = &SAMPLES[i];
        struct http_field fields[FIELDS];
        struct http_head head = {.method = bytes_of_str(sample->method),
                                 .target = BYTES_LIT("/"),
                                 .fields = fields,
                                 .field_count = split(sample->fields, fields),
                                 .http_1_0 = sample->http_1_0};
        const char *why = NULL;
        int status = http_head_check(&head, &why);
        if (status != sample->status || (status != 0) != (why != NULL))
            fail_msg("%s: %d, %s", sample->name, status, why ? why : "-");
    }
}

/* HTTP-HEAD-3 */
static void limits(void **state)
{
    (void)state;
    static uint8_t large[HTTP_HEAD_MAX];
    struct http_field fields[HTTP_FIELDS_MAX + 1];
    const char *why;
    memset(large, 'a', sizeof(large));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        fields[i] = (struct http_field){BYTES_LIT("x"), BYTES_LIT("y")};
    fields[0] = (struct http_field){BYTES_LIT("host"), BYTES_LIT("a")};
    struct http_head head = {
        .method = BYTES_LIT("GET"), .target = BYTES_LIT("/"), .fields = fields};
    head.field_count = HTTP_FIELDS_MAX;
    assert_int_equal(http_head_check(&head, &why), 0);
    head.field_count = HTTP_FIELDS_MAX + 1;
    assert_int_equal(http_head_check(&head, &why), 431);
    head.field_count = 2;
    fields[1].value = bytes_of(large, HTTP_HEAD_MAX - 10); /* GET / host a x: 10 bytes */
    assert_int_equal(http_head_check(&head, &why), 0);
    fields[1].value.len++;
    assert_int_equal(http_head_check(&head, &why), 431);
    fields[1].value.len = 1;
    head.target = bytes_of(large, HTTP_TARGET_MAX + 1);
    assert_int_equal(http_head_check(&head, &why), 414);
    assert_int_equal(http_head_set_target(&head, head.target), 414);
}

/* HTTP-HEAD-2 */
static void targets(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        int status;
        const char *path, *query;
    } SAMPLES[] = {
        {"/", 0, "/", ""},
        {"/a/b?c=d&e", 0, "/a/b", "c=d&e"},
        {"/a?", 0, "/a", ""},
        {"/a?b?c", 0, "/a", "b?c"},
        {"//a", 0, "//a", ""},
        {"/a%2fb/../c", 0, "/a%2fb/../c", ""},
        {"/caf\xc3\xa9", 0, "/caf\xc3\xa9", ""},
        {"http://Box:9000/a?b", 0, "/a", "b"},
        {"HTTPS://box:9000", 0, "/", ""},
        {"http://box:9000?b", 0, "/", "b"},
        {"http://box/a", 400, NULL, NULL},
        {"http://other:9000/a", 400, NULL, NULL},
        {"http://u@box:9000/a", 400, NULL, NULL},
        {"ftp://box:9000/a", 400, NULL, NULL},
        {"a", 400, NULL, NULL},
        {"", 400, NULL, NULL},
        {"?a", 400, NULL, NULL},
        {"*", 400, NULL, NULL},
        {"/a b", 400, NULL, NULL},
        {"/a\177", 400, NULL, NULL},
        {"/a\n", 400, NULL, NULL},
    };
    struct http_field host = {BYTES_LIT("host"), BYTES_LIT("box:9000")};
    for (size_t i = 0; i < ARRAY_LEN(SAMPLES); i++) {
        struct http_head head = {.method = BYTES_LIT("GET"), .fields = &host, .field_count = 1};
        int status = http_head_set_target(&head, bytes_of_str(SAMPLES[i].target));
        if (status != SAMPLES[i].status)
            fail_msg("'%s': %d", SAMPLES[i].target, status);
        if (status)
            continue;
        assert_true(bytes_equal_str(head.path, SAMPLES[i].path));
        assert_true(bytes_equal_str(head.query, SAMPLES[i].query));
        assert_true(bytes_equal_str(head.target, SAMPLES[i].target));
    }
    struct http_head head = {.method = BYTES_LIT("OPTIONS"), .fields = &host, .field_count = 1};
    assert_int_equal(http_head_set_target(&head, BYTES_LIT("*")), 0);
    struct bytes nul = bytes_of("/a\0b", 4);
    assert_int_equal(http_head_set_target(&head, nul), 400);
}

static void finding(void **state)
{
    (void)state;
    struct http_field fields[] = {{BYTES_LIT("a"), BYTES_LIT("1")},
                                  {BYTES_LIT("b"), BYTES_LIT("")},
                                  {BYTES_LIT("a"), BYTES_LIT("2")}};
    struct http_head head = {.fields = fields, .field_count = 3};
    assert_true(bytes_equal_str(http_head_find(&head, "a"), "1"));
    assert_non_null(http_head_find(&head, "b").data);
    assert_null(http_head_find(&head, "c").data);
    assert_int_equal(http_head_count(&head, "a"), 2);
    assert_int_equal(http_head_count(&head, "c"), 0);
    assert_false(http_head_has_body(&head));
    fields[0] = (struct http_field){BYTES_LIT("content-length"), BYTES_LIT("0")};
    assert_false(http_head_has_body(&head));
    fields[0].value = BYTES_LIT("1");
    assert_true(http_head_has_body(&head));
    fields[0] = (struct http_field){BYTES_LIT("transfer-encoding"), BYTES_LIT("chunked")};
    assert_true(http_head_has_body(&head));
}

static void queries(void **state)
{
    (void)state;
    static const char *const EXPECTED[] = {"a", "1", "b", "", "c", "", "d", "e=f", "", "g"};
    struct bytes query = BYTES_LIT("&a=1&&b&c=&d=e=f&=g&");
    struct bytes name, value;
    size_t at = 0, i = 0;
    while (http_query_next(query, &at, &name, &value)) {
        assert_true(i + 1 < ARRAY_LEN(EXPECTED));
        assert_true(bytes_equal_str(name, EXPECTED[i++]));
        assert_true(bytes_equal_str(value, EXPECTED[i++]));
    }
    assert_int_equal(i, ARRAY_LEN(EXPECTED));
    at = 0;
    assert_false(http_query_next(bytes_of(NULL, 0), &at, &name, &value));
}

static void decoded_queries(void **state)
{
    (void)state;
    struct arena arena;
    struct bytes value;
    arena_init(&arena, KIB(64));
    struct bytes query = BYTES_LIT("pre%66ix=a%2Fb+c&prefix=2&empty");
    assert_true(http_query_find(query, "prefix", &arena, &value));
    assert_true(bytes_equal_str(value, "a/b c"));
    assert_true(http_query_find(query, "empty", &arena, &value));
    assert_int_equal(value.len, 0);
    assert_false(http_query_find(query, "none", &arena, &value));
    assert_false(http_query_find(BYTES_LIT("a=%zz"), "a", &arena, &value));
    assert_false(http_query_find(BYTES_LIT("%z=1&a=2"), "a", &arena, &value));
    arena_done(&arena);
    arena_init(&arena, 0); /* no memory to be had */
    assert_false(http_query_find(query, "prefix", &arena, &value));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),   cmocka_unit_test(limits),  cmocka_unit_test(targets),
        cmocka_unit_test(finding), cmocka_unit_test(queries), cmocka_unit_test(decoded_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
