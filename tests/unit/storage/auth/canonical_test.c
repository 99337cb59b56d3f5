/* canonical_test.c - canonical requests of AWS's vectors, to the byte, and the rules one by one.
 *
 * Planted bugs it caught: the query in another order; the path of S3
 * normalized; spaces of values not folded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/auth/canonical.h"
#include "tests/unit/storage/auth/fixture.h"
#include "tests/unit/storage/auth/vectors.h"

static const char *query_of(struct fixture *f, const char *raw)
{
    struct canonical_query query;
    const char *result = "";
    assert_int_equal(canonical_query_read(bytes_of_str(raw), &f->arena, &query, &f->err), ERR_OK);
    for (size_t i = 0; i < query.count; i++)
        result = (const char *)arena_printf(&f->arena, "%s%s%.*s=%.*s", result, i ? "&" : "",
                                            BYTES_ARG(query.params[i].name),
                                            BYTES_ARG(query.params[i].value))
                     .data;
    return result;
}

/* Without the parameter: some services add the token after signing. */
static struct bytes without(struct fixture *f, struct bytes query, const char *left_out)
{
    const char *result = "";
    struct bytes name, value;
    size_t at = 0;
    while (http_query_next(query, &at, &name, &value))
        if (!bytes_equal_str(name, left_out))
            result = (const char *)arena_printf(&f->arena, "%s&%.*s=%.*s", result, BYTES_ARG(name),
                                                BYTES_ARG(value))
                         .data;
    return bytes_of_str(result);
}

/* What the signed request names, in header or query. */
static struct bytes signed_headers_of(struct fixture *f)
{
    struct bytes value = http_head_find(&f->head, "authorization");
    if (!value.data) {
        assert_true(http_query_find(f->head.query, "X-Amz-SignedHeaders", &f->arena, &value));
        return value;
    }
    ptrdiff_t at = bytes_find_bytes(value, BYTES_LIT("SignedHeaders="));
    struct bytes head, rest = bytes_from(value, (size_t)at + strlen("SignedHeaders="));
    bytes_cut(&rest, ',', &head);
    return head;
}

static void check_form(struct fixture *f, const struct vector *v, const char *form)
{
    struct canonical_query query;
    struct bytes canonical;
    char file[64];
    sprintf(file, "%s-signed-request.txt", form);
    const char *body = vector_request(f, v, file);
    if (v->omits_token)
        f->head.query = without(f, f->head.query, "X-Amz-Security-Token");
    assert_int_equal(canonical_query_read(f->head.query, &f->arena, &query, &f->err), ERR_OK);
    struct canonical_parts parts = {
        .method = f->head.method,
        .path = f->head.path,
        .rule = {.decode = false, .normalize = v->normalizes},
        .query = &query,
        .left_out = "X-Amz-Signature",
        .signed_headers = signed_headers_of(f),
        .payload = bytes_of_str(signer_sha256(f, v->signs_body ? body : "")),
    };
    assert_int_equal(canonical_request(&parts, &f->head, &f->arena, &canonical, &f->err), ERR_OK);
    sprintf(file, "%s-canonical-request.txt", form);
    assert_string_equal(text(f, canonical), vector_text(f, v, file));
}

static void check_vector(struct fixture *f, struct vector *v)
{
    check_form(f, v, "header");
    check_form(f, v, "query");
}

/* AUTH-SIGN-1, ACC-18 */
static void vectors_give_their_canonical_requests(void **state)
{
    vectors_each(*state, check_vector);
}

static const char *path_of(struct fixture *f, const char *raw, struct canonical_rule rule)
{
    return text(f, canonical_path(&f->arena, bytes_of_str(raw), rule));
}

/* AUTH-SIGN-2 */
static void s3_paths_are_encoded_once_and_never_normalized(void **state)
{
    static const char *const pairs[][2] = {
        {"/bkt/a%2Bb", "/bkt/a%2Bb"},
        {"/bkt/a+b", "/bkt/a%2Bb"},
        {"/bkt/a%20b", "/bkt/a%20b"},
        {"/bkt//a/./b/../c", "/bkt//a/./b/../c"},
        {"/", "/"},
        {"", "/"},
        {"/bkt/%e1%88%b4", "/bkt/%E1%88%B4"},
        {"/bkt/\xe1\x88\xb4", "/bkt/%E1%88%B4"},
        {"/bkt/%7Euser", "/bkt/~user"},
        {"/bkt/a%2Fb", "/bkt/a/b"},
        {"/bkt/100%", "/bkt/100%25"},
        {"/bkt/%zz%4", "/bkt/%25zz%254"},
        {"/bkt/a%00b", "/bkt/a%00b"},
        {"/bkt/a:b@c,d=e&f!", "/bkt/a%3Ab%40c%2Cd%3De%26f%21"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_string_equal(path_of(f, pairs[i][0], canonical_rule_s3), pairs[i][1]);
}

/* AUTH-SIGN-2 */
static void other_paths_are_normalized_and_encoded_twice(void **state)
{
    static const char *const pairs[][2] = {
        {"/2015-03-31/functions/arn%3Aaws", "/2015-03-31/functions/arn%253Aaws"},
        {"/a/./b/../c//d/", "/a/c/d/"},
        {"/../..", "/"},
        {"", "/"},
        {"/a/..", "/"},
        {"/a/b/..", "/a"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_string_equal(path_of(f, pairs[i][0], canonical_rule_other), pairs[i][1]);
}

/* AUTH-SIGN-3 */
static void queries_are_decoded_encoded_and_sorted(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"delete", "delete="},
        {"delete=", "delete="},
        {"b=2&a=1&b=1", "a=1&b=1&b=2"},
        {"a-b=1&a=2", "a=2&a-b=1"}, /* not as "a=2" and "a-b=1" sort */
        {"p=a+b", "p=a%20b"},       /* '+' is a space here, as in the S3 operations */
        {"p=a%2bb", "p=a%2Bb"},
        {"p=a%20b", "p=a%20b"},
        {"prefix=a/b&delimiter=/", "delimiter=%2F&prefix=a%2Fb"},
        {"%41=1", "A=1"},
        {"a=1&&&b=2&", "a=1&b=2"},
        {"a=b=c", "a=b%3Dc"},
        {"B=1&a=1", "B=1&a=1"},
        {"%zz=%", "%25zz=%25"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_string_equal(query_of(f, pairs[i][0]), pairs[i][1]);
}

/* AUTH-SIGN-4, ACC-29 */
static void header_lists_are_sorted_unique_and_hold_host(void **state)
{
    (void)state;
    assert_true(canonical_is_header_list(BYTES_LIT("host")));
    assert_true(canonical_is_header_list(BYTES_LIT("content-type;host;x-amz-date")));
    static const char *const bad[] = {"",      "x-amz-date", "host;host", "host;a", "a;host;",
                                      ";host", "a;;host",    "hosts",     "HOST",   "a;host;z;y"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(canonical_is_header_list(bytes_of_str(bad[i])));
    assert_false(canonical_is_header_list(bytes_of(NULL, 0)));
}

/* AUTH-SIGN-3 */
static void values_are_trimmed_folded_and_joined(void **state)
{
    struct fixture *f = *state;
    struct canonical_query none = {0};
    struct bytes canonical;
    request(f, "GET", "/");
    field(f, "a", "  x   y  \"z  w\" ");
    field(f, "host", "h:9000");
    field(f, "a", "");
    field(f, "a", "2");
    struct canonical_parts parts = {.method = f->head.method,
                                    .path = f->head.path,
                                    .rule = canonical_rule_s3,
                                    .query = &none,
                                    .signed_headers = BYTES_LIT("a;host;z"),
                                    .payload = BYTES_LIT("UNSIGNED-PAYLOAD")};
    assert_int_equal(canonical_request(&parts, &f->head, &f->arena, &canonical, &f->err), ERR_OK);
    assert_string_equal(text(f, canonical), "GET\n/\n\na:x y \"z w\",,2\nhost:h:9000\nz:\n\n"
                                            "a;host;z\nUNSIGNED-PAYLOAD");
}

static void parameters_are_found_and_counted(void **state)
{
    struct fixture *f = *state;
    struct canonical_query query;
    size_t count;
    assert_int_equal(
        canonical_query_read(BYTES_LIT("x=1&acl&%78=2&acl2="), &f->arena, &query, &f->err), ERR_OK);
    assert_string_equal(text(f, canonical_query_find(&query, "x", &count)->value), "1");
    assert_int_equal(count, 2);
    assert_false(canonical_query_find(&query, "acl", NULL)->has_equals);
    assert_true(canonical_query_find(&query, "acl2", NULL)->has_equals);
    assert_null(canonical_query_find(&query, "y", &count));
    assert_int_equal(count, 0);
}

/* Every size of memory: the right answer or ERR_NO_MEMORY. */
static void memory_may_run_out(void **state)
{
    struct fixture *f = *state;
    request(f, "GET", "/a+b?c=+&d=%20&e");
    field(f, "host", "h");
    for (size_t max = 0;; max++) {
        struct canonical_query query;
        struct bytes canonical;
        struct arena small;
        arena_init(&small, max);
        struct canonical_parts parts = {.method = f->head.method,
                                        .path = f->head.path,
                                        .rule = canonical_rule_s3,
                                        .query = &query,
                                        .signed_headers = BYTES_LIT("host"),
                                        .payload = BYTES_LIT("x")};
        enum err_code code = canonical_query_read(f->head.query, &small, &query, &f->err);
        if (code == ERR_OK)
            code = canonical_request(&parts, &f->head, &small, &canonical, &f->err);
        if (code == ERR_OK)
            assert_string_equal(text(f, canonical),
                                "GET\n/a%2Bb\nc=%20&d=%20&e=\nhost:h\n\nhost\nx");
        arena_done(&small);
        if (code == ERR_OK)
            return;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_give_their_canonical_requests),
        cmocka_unit_test(s3_paths_are_encoded_once_and_never_normalized),
        cmocka_unit_test(other_paths_are_normalized_and_encoded_twice),
        cmocka_unit_test(queries_are_decoded_encoded_and_sorted),
        cmocka_unit_test(header_lists_are_sorted_unique_and_hold_host),
        cmocka_unit_test(values_are_trimmed_folded_and_joined),
        cmocka_unit_test(parameters_are_found_and_counted),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
