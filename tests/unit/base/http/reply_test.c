/* reply_test.c - replies as clients see them.
 * Planted bugs it caught: a failed read of a stream padded with zeros; a control byte let through
 * into a field. */
#include "tests/unit/base/http/raw_fixture.h"

static void get(int fd, const char *method, const char *target)
{
    char text[256];
    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, target);
    assert_true(raw_send(fd, text));
    raw_read_reply(fd, strcmp(method, "HEAD") == 0, &reply);
}

static bool is_request_id(const char *text)
{
    return strlen(text) == 16 && strspn(text, "0123456789ABCDEF") == 16;
}

/* HTTP-REPLY-1: the standard fields; ids are unique. */
static void standard_fields(void **state)
{
    (void)state;
    char last[32] = "";
    int fd = raw_connect(&raw);
    for (int i = 0; i < 3; i++) {
        get(fd, "GET", "/x");
        assert_int_equal(reply.status, 200);
        assert_true(is_request_id(raw_field(&reply, "x-amz-request-id")));
        assert_string_not_equal(raw_field(&reply, "x-amz-request-id"), last);
        snprintf(last, sizeof(last), "%s", raw_field(&reply, "x-amz-request-id"));
        assert_int_equal(strlen(raw_field(&reply, "x-amz-id-2")), 32);
        assert_string_equal(raw_field(&reply, "Server"), "Valise");
        assert_int_equal(strlen(raw_field(&reply, "Date")), 29);
        assert_non_null(strstr((char *)reply.body, last)); /* what the service was told */
        assert_non_null(strstr((char *)reply.body, " 127.0.0.1 "));
    }
    close(fd);
}

static void own_fields(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    get(fd, "GET", "/fields");
    assert_int_equal(reply.status, 200);
    assert_string_equal(raw_field(&reply, "x-amz-meta-utf8"), "caf\xc3\xa9");
    assert_string_equal(raw_field(&reply, "ETag"), "\"abc\"");
    assert_non_null(strstr(reply.head, "\r\nx-amz-meta-empty: "));
    assert_string_equal(raw_field(&reply, "Content-Length"), "2");
    close(fd);
}

/* HTTP-REPLY-2: what cannot be sent safely becomes 500, what has no room 503. */
static void impossible_fields(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    get(fd, "GET", "/evil-field");
    assert_int_equal(reply.status, 500);
    assert_null(strstr(reply.head, "Set-Cookie"));
    assert_int_equal(reply.body_len, 0);
    get(fd, "GET", "/big-fields");
    assert_int_equal(reply.status, 503);
    get(fd, "GET", "/silent");
    assert_int_equal(reply.status, 500);
    get(fd, "GET", "/x");
    assert_int_equal(reply.status, 200);
    close(fd);
}

/* HTTP-REPLY-3: HEAD, 204 and 304 have no body, and HEAD the length that GET would. */
static void without_body(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    get(fd, "HEAD", "/length?n=5368709120");
    assert_int_equal(reply.status, 200);
    assert_string_equal(raw_field(&reply, "Content-Length"), "5368709120");
    get(fd, "HEAD", "/stream?n=1000000");
    assert_string_equal(raw_field(&reply, "Content-Length"), "1000000");
    get(fd, "HEAD", "/fields");
    assert_string_equal(raw_field(&reply, "Content-Length"), "2");
    get(fd, "GET", "/204");
    assert_int_equal(reply.status, 204);
    get(fd, "GET", "/304");
    assert_int_equal(reply.status, 304);
    get(fd, "HEAD", "/length?n=0");
    assert_string_equal(raw_field(&reply, "Content-Length"), "0");
    get(fd, "GET", "/x"); /* the connection is still in step */
    assert_int_equal(reply.status, 200);
    assert_memory_equal(reply.body, "GET /x ", 7);
    close(fd);
}

static void assert_streamed(uint64_t expected)
{
    assert_true(reply.complete);
    assert_int_equal(reply.body_len, expected);
    for (size_t i = 0; i < reply.body_len && i < sizeof(reply.body); i++)
        if (reply.body[i] != raw_byte(i))
            fail_msg("byte %zu of %zu", i, reply.body_len);
}

/* HTTP-REPLY-4 */
static void streams(void **state)
{
    (void)state;
    static const uint64_t SIZES[] = {0,       1, 65535, HTTP_STREAM_BLOCK, HTTP_STREAM_BLOCK + 1,
                                     20000000};
    int fd = raw_connect(&raw);
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
        char target[64];
        snprintf(target, sizeof(target), "/stream?n=%llu", (unsigned long long)SIZES[i]);
        get(fd, "GET", target);
        assert_streamed(SIZES[i]);
        snprintf(target, sizeof(target), "/chunked?n=%llu", (unsigned long long)SIZES[i]);
        get(fd, "GET", target);
        assert_string_equal(raw_field(&reply, "Transfer-Encoding"), "chunked");
        assert_streamed(SIZES[i]);
    }
    close(fd);
    raw_settle(&raw);
    assert_int_equal(atomic_load(&raw.last_out), 20000000);
}

/* HTTP-REPLY-5: a read that fails is a short body, never a complete one. */
static void broken_stream(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    get(fd, "GET", "/broken?n=1000000");
    assert_int_equal(reply.status, 200);
    assert_string_equal(raw_field(&reply, "Content-Length"), "1000000");
    assert_false(reply.complete);
    assert_int_equal(reply.body_len, 100000);
    close(fd);
    fd = raw_connect(&raw);
    get(fd, "GET", "/length?n=5"); /* a length without content is for HEAD: cut, too */
    assert_false(reply.complete);
    close(fd);
    raw_settle(&raw);
}

/* HTTP-HEAD-4: HTTP/1.0 and Connection: close end the connection, HTTP/1.1 keeps it. */
static void closing(void **state)
{
    (void)state;
    bool closed = false;
    assert_int_equal(raw_ask(&raw, BYTES_LIT("GET /x HTTP/1.0\r\n\r\n"), &reply, &closed), 200);
    assert_true(closed);
    assert_int_equal(raw_ask(&raw,
                             BYTES_LIT("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                             &reply, &closed),
                     200);
    assert_true(closed);
    assert_int_equal(
        raw_ask(&raw, BYTES_LIT("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), &reply, &closed), 200);
    assert_false(closed);
    assert_int_equal(
        raw_ask(&raw, BYTES_LIT("GET /close HTTP/1.1\r\nHost: a\r\n\r\n"), &reply, &closed), 200);
    assert_string_equal(raw_field(&reply, "Connection"), "close");
    assert_true(closed);
    int fd = raw_connect(&raw); /* HTTP/1.0 has no chunks: the end is the close */
    assert_true(raw_send(fd, "GET /chunked?n=1000 HTTP/1.0\r\n\r\n"));
    raw_read_reply(fd, true, &reply);
    assert_string_equal(raw_field(&reply, "Transfer-Encoding"), "");
    assert_true(raw_read_body(fd, &reply, 1000));
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void taken_back(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    get(fd, "GET", "/take-back");
    assert_int_equal(reply.status, 507);
    assert_string_equal(raw_field(&reply, "x-first"), "");
    assert_string_equal(raw_field(&reply, "x-second"), "2");
    assert_string_equal(raw_field(&reply, "Content-Length"), "6");
    get(fd, "GET", "/x"); /* the connection goes on */
    assert_int_equal(reply.status, 200);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_fields),   cmocka_unit_test(own_fields),
        cmocka_unit_test(impossible_fields), cmocka_unit_test(without_body),
        cmocka_unit_test(streams),           cmocka_unit_test(broken_stream),
        cmocka_unit_test(closing),           cmocka_unit_test(taken_back),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
