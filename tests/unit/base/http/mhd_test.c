/* mhd_test.c - hostile framing over raw sockets: rows 1 to 10 and 13, 14
 * and 16 of the acceptance list.
 *
 * What libmicrohttpd before 0.9.77 does not show to us (rows 6 to 8, where the
 * table says so) must at least be one request at most.
 * Planted bugs it caught: no check of Transfer-Encoding with Content-Length;
 * a close with bytes unread, which resets. */
#include "tests/unit/base/http/raw_fixture.h"

#include <netinet/tcp.h>

struct attack {
    const char *name;
    struct bytes text;
    int status, or_status; /* what may be answered; 0: nothing */
    bool lenient;          /* libmicrohttpd before 0.9.77 may take it as one request */
};

#define GET_TAIL               "Host: a\r\n\r\n"
#define SMUGGLED               "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
#define PUT_WITH(fields, body) BYTES_LIT("PUT /x HTTP/1.1\r\nHost: a\r\n" fields "\r\n" body)
#define CHUNKED(body)          PUT_WITH("Transfer-Encoding: chunked\r\n", body)

/* One attack: refused and closed; or, where that is allowed, one request at most. */
static void try_attack(const struct attack *attack)
{
    bool closed = false;
    unsigned heads = atomic_load(&raw.heads);
    int status = raw_ask(&raw, attack->text, &reply, &closed);
    unsigned seen = atomic_load(&raw.heads) - heads;
    if (attack->lenient && raw_library_is_lenient()) {
        if (seen > 1)
            fail_msg("%s: %u requests were seen", attack->name, seen);
        return;
    }
    if (status != attack->status && status != attack->or_status)
        fail_msg("%s: status %d", attack->name, status);
    if ((!closed && status != 200) || seen > 1)
        fail_msg("%s: closed %d, %u requests were seen", attack->name, closed, seen);
}

static void try_all(const struct attack *attacks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        try_attack(&attacks[i]);
    raw_settle(&raw);
    raw_assert_alive(&raw);
}

/* ACC-1 ACC-2 ACC-3 ACC-4 ACC-5 HTTP-HEAD-1 */
static void lengths_and_codings(void **state)
{
    (void)state;
    static const struct attack ATTACKS[] = {
        {"ACC-1",
         PUT_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" SMUGGLED), 400,
         400, false},
        {"ACC-1 other order",
         PUT_WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" SMUGGLED), 400,
         400, false},
        {"ACC-2", PUT_WITH("Content-Length: 3\r\nContent-Length: 30\r\n", "abc" SMUGGLED), 400, 400,
         false},
        {"ACC-3 plus", PUT_WITH("Content-Length: +3\r\n", "abc"), 400, 413, false},
        {"ACC-3 minus", PUT_WITH("Content-Length: -1\r\n", "abc"), 400, 413, false},
        {"ACC-3 hex", PUT_WITH("Content-Length: 0x3\r\n", "abc"), 400, 413, false},
        {"ACC-3 list", PUT_WITH("Content-Length: 3,3\r\n", "abc"), 400, 413, false},
        {"ACC-3 empty", PUT_WITH("Content-Length:\r\n", "abc"), 400, 413, false},
        {"ACC-3 2^64+3", PUT_WITH("Content-Length: 18446744073709551619\r\n", "abc"), 400, 413,
         false},
        {"ACC-3 2^63", PUT_WITH("Content-Length: 9223372036854775808\r\n", "abc"), 400, 413, false},
        {"ACC-4", PUT_WITH("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" SMUGGLED), 400, 400,
         false},
        {"ACC-5 xchunked", PUT_WITH("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 400, 501,
         false},
        {"ACC-5 gzip", PUT_WITH("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400, 501,
         false},
        {"ACC-5 twice",
         PUT_WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400,
         501, false},
        {"ACC-5 on 1.0",
         BYTES_LIT("PUT /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         400, 501, false},
    };
    unsigned heads = atomic_load(&raw.heads);
    try_all(ATTACKS, ARRAY_LEN(ATTACKS));
    assert_int_equal(atomic_load(&raw.heads), heads + 1); /* none of them, and the last good one */
}

/* ACC-6 HTTP-HEAD-1 */
static void chunk_sizes(void **state)
{
    (void)state;
    static const struct attack ATTACKS[] = {
        {"ACC-6 0x3", CHUNKED("0x3\r\nabc\r\n0\r\n\r\n"), 400, 400, false},
        {"ACC-6 +3", CHUNKED("+3\r\nabc\r\n0\r\n\r\n"), 400, 400, false},
        {"ACC-6 _", CHUNKED("_\r\nabc\r\n0\r\n\r\n"), 400, 400, false},
        {"ACC-6 17 digits", CHUNKED("00000000000000003\r\nabc\r\n0\r\n\r\n"), 400, 200, true},
        {"ACC-6 17 digits, huge", CHUNKED("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400, 413, true},
        {"ACC-6 no CRLF", CHUNKED("3\r\nabc0\r\n\r\n"), 400, 400, false},
        {"ACC-6 LF only", CHUNKED("3\nabc\n0\n\n"), 400, 400, true},
        {"ACC-6 bare CR in an extension", CHUNKED("3;a\rb\r\nabc\r\n0\r\n\r\n"), 400, 200, true},
    };
    try_all(ATTACKS, ARRAY_LEN(ATTACKS));
}

/* ACC-7 HTTP-HEAD-1 */
static void control_bytes(void **state)
{
    (void)state;
    static const struct attack ATTACKS[] = {
        {"ACC-7 bare CR", BYTES_LIT("GET /x HTTP/1.1\r\nX-A: a\rb: c\r\n" GET_TAIL), 400, 400,
         false},
        {"ACC-7 NUL", BYTES_LIT("GET /x HTTP/1.1\r\nX-A: a\0b\r\n" GET_TAIL), 400, 400, false},
        {"ACC-7 obs-fold", BYTES_LIT("GET /x HTTP/1.1\r\nX-A: a\r\n b\r\n" GET_TAIL), 400, 400,
         false},
        {"ACC-7 control byte", BYTES_LIT("GET /x HTTP/1.1\r\nX-A: a\001b\r\n" GET_TAIL), 400, 400,
         false},
        {"ACC-7 DEL", BYTES_LIT("GET /x HTTP/1.1\r\nX-A: a\177b\r\n" GET_TAIL), 400, 400, false},
        {"ACC-7 space in a name", BYTES_LIT("GET /x HTTP/1.1\r\nX A: b\r\n" GET_TAIL), 400, 400,
         false},
        {"ACC-7 no name", BYTES_LIT("GET /x HTTP/1.1\r\n: b\r\n" GET_TAIL), 400, 400, false},
    };
    try_all(ATTACKS, ARRAY_LEN(ATTACKS));
}

/* Lines that a parser may take for something else than what they are. */
static const struct bytes ODD_LINES[] = {
    BYTES_LIT(": b\r\n"),
    BYTES_LIT(":\r\n"),
    BYTES_LIT(": b\n"),
    BYTES_LIT(" : b\r\n"),
    BYTES_LIT("X-A\r\n"),
    BYTES_LIT("X-A : b\r\n"),
    BYTES_LIT("X-A: b\n"),
    BYTES_LIT("X-A:\n"),
    BYTES_LIT("X-A: a\rb\r\n"),
    BYTES_LIT("X-A: a\r\r\n"),
    BYTES_LIT("X-A: a\0\r\n"),
    BYTES_LIT("X-A: a\0b\r\n"),
    BYTES_LIT("X-A:\0\r\n"),
    BYTES_LIT("X-\0A: b\r\n"),
    BYTES_LIT("\0X-A: b\r\n"),
    BYTES_LIT("\0\r\n"),
    BYTES_LIT("\0: b\r\n"),
    BYTES_LIT("X-A: b\r\n c\r\n"),
    BYTES_LIT("X-A: b\r\n\tc: d\r\n"),
    BYTES_LIT("X-A: b\r\n \r\n"),
    BYTES_LIT(" X-A: b\r\n"),
};

/* Append, and return the end. */
static uint8_t *append(uint8_t *to, struct bytes piece)
{
    memcpy(to, piece.data, piece.len);
    return to + piece.len;
}

/* A request with `line` at `place` among its three fields, `body` behind it. */
static struct bytes odd_request(uint8_t room[512], struct bytes line, int place, bool has_body)
{
    const struct bytes fields[] = {
        BYTES_LIT("Host: a\r\n"),
        has_body ? BYTES_LIT("Content-Length: 3\r\n") : BYTES_LIT("X-B: c\r\n"),
        BYTES_LIT("X-C:  d \r\n"),
    };
    uint8_t *at = append(room, BYTES_LIT("PUT /x HTTP/1.1\r\n"));
    for (int i = 0; i < 4; i++) {
        if (i == place)
            at = append(at, line);
        if (i < 3)
            at = append(at, fields[i]);
    }
    at = append(at, has_body ? BYTES_LIT("\r\nabc") : BYTES_LIT("\r\n"));
    return bytes_of(room, (size_t)(at - room));
}

static void try_odd_line(size_t line, int place, bool has_body, bool is_second)
{
    uint8_t room[512];
    int fd = raw_connect(&raw);
    if (is_second) {
        struct bytes good = odd_request(room, BYTES_LIT(""), 0, has_body);
        assert_true(raw_send_bytes(fd, good));
        assert_int_equal(raw_read_reply(fd, false, &reply), 200);
        raw_settle(&raw);
    }
    unsigned heads = atomic_load(&raw.heads);
    struct bytes request = odd_request(room, ODD_LINES[line], place, has_body);
    append(room + request.len, BYTES_LIT(SMUGGLED));
    raw_send_bytes(fd, bytes_of(room, request.len + strlen(SMUGGLED)));
    int status = raw_read_reply(fd, false, &reply);
    if (status != 400 || !raw_closes(fd, 300) || atomic_load(&raw.heads) != heads)
        fail_msg("line %zu at %d, body %d, second %d: status %d, %u seen", line, place, has_body,
                 is_second, status, atomic_load(&raw.heads) - heads);
    close(fd);
}

/* ACC-7 HTTP-HEAD-1: refused before a byte of a body is read, wherever the line stands. */
static void odd_lines(void **state)
{
    (void)state;
    for (size_t line = 0; line < ARRAY_LEN(ODD_LINES); line++)
        for (int place = 0; place < 4; place++)
            for (int how = 0; how < 4; how++)
                try_odd_line(line, place, how & 1, how & 2);
    raw_assert_alive(&raw);
}

/* The same fields without an odd line are taken, wherever the head is cut on its way. */
static void heads_in_two_pieces(void **state)
{
    (void)state;
    uint8_t room[512];
    struct bytes request = odd_request(room, BYTES_LIT("X-D:\t \r\n"), 1, true);
    int fd = raw_connect(&raw);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (size_t at = 1; at < request.len; at++) {
        uint64_t before = atomic_load(&raw.body_bytes);
        assert_true(raw_send_bytes(fd, bytes_first(request, at)));
        poll(NULL, 0, 1);
        assert_true(raw_send_bytes(fd, bytes_from(request, at)));
        assert_int_equal(raw_read_reply(fd, false, &reply), 200);
        assert_int_equal(atomic_load(&raw.body_bytes), before + 3);
    }
    close(fd);
}

/* HTTP-HEAD-4: what a chunked body's framing hides cannot become a request. */
static void nothing_follows_chunks(void **state)
{
    (void)state;
    static const char *const TRAILERS[] = {"\r\n", "X-A: b\r\n\r\n", ": b\r\n\r\n", "\n"};
    for (size_t i = 0; i < ARRAY_LEN(TRAILERS); i++) {
        char text[512];
        unsigned heads = atomic_load(&raw.heads);
        snprintf(text, sizeof(text),
                 "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n3\r\nabc\r\n0\r\n%s" SMUGGLED,
                 TRAILERS[i]);
        bool closed;
        int status = raw_ask(&raw, bytes_of_str(text), &reply, &closed);
        if (!raw_library_is_lenient())
            continue;
        assert_true(status == 200 || status == 400);
        assert_true(closed);
        assert_int_equal(atomic_load(&raw.heads), heads + 1);
    }
}

/* ACC-8 HTTP-HEAD-2: the service sees "%00" as it was sent; a raw NUL is refused. */
static void nul_in_target(void **state)
{
    (void)state;
    assert_int_equal(
        raw_ask(&raw, BYTES_LIT("GET /a%00b?c%00 HTTP/1.1\r\n" GET_TAIL), &reply, NULL), 200);
    assert_memory_equal(reply.body, "GET /a%00b?c%00 0", 17);
    static const struct attack RAW = {"ACC-8 raw NUL", BYTES_LIT("GET /a\0b HTTP/1.1\r\n" GET_TAIL),
                                      400, 0, false};
    try_all(&RAW, 1);
}

/* ACC-9 ACC-14 HTTP-HEAD-1 */
static void hosts(void **state)
{
    (void)state;
    static const struct attack ATTACKS[] = {
        {"ACC-9 none", BYTES_LIT("GET /x HTTP/1.1\r\n\r\n"), 400, 400, false},
        {"ACC-9 two", BYTES_LIT("GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400, 400, false},
        {"ACC-9 malformed", BYTES_LIT("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400, 400, false},
        {"ACC-9 empty", BYTES_LIT("GET /x HTTP/1.1\r\nHost:\r\n\r\n"), 400, 400, false},
        {"ACC-14", BYTES_LIT("GET http://b/x HTTP/1.1\r\n" GET_TAIL), 400, 400, false},
        {"ACC-14 user", BYTES_LIT("GET http://u@a/x HTTP/1.1\r\n" GET_TAIL), 400, 400, false},
        {"no slash", BYTES_LIT("GET x HTTP/1.1\r\n" GET_TAIL), 400, 400, false},
    };
    try_all(ATTACKS, ARRAY_LEN(ATTACKS));
    assert_int_equal(
        raw_ask(&raw, BYTES_LIT("GET http://A/204 HTTP/1.1\r\n" GET_TAIL), &reply, NULL), 204);
}

/* "start" + count times "piece" + "end" */
static struct bytes repeat(const char *start, const char *piece, size_t count, const char *end)
{
    size_t room = strlen(start) + strlen(piece) * count + strlen(end) + 1;
    char *text = malloc(room);
    assert_non_null(text);
    char *at = stpcpy(text, start);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, piece);
    at = stpcpy(at, end);
    return bytes_of(text, (size_t)(at - text));
}

/* ACC-10 HTTP-HEAD-3: readable by the client too, although it sent more than was read. */
static void large_heads(void **state)
{
    (void)state;
    struct attack attacks[] = {
        {"ACC-10 40 KB field",
         repeat("GET /x HTTP/1.1\r\nX-A: ", "0123456789", 4000, "\r\n" GET_TAIL), 431, 431, false},
        {"ACC-10 30 KB field",
         repeat("GET /x HTTP/1.1\r\nX-A: ", "0123456789", 3000, "\r\n" GET_TAIL), 431, 431, false},
        {"ACC-10 25 KB field",
         repeat("GET /x HTTP/1.1\r\nX-A: ", "0123456789", 2500, "\r\n" GET_TAIL), 431, 431, false},
        {"ACC-10 1000 fields", repeat("GET /x HTTP/1.1\r\n", "X-A: b\r\n", 1000, GET_TAIL), 431,
         431, false},
        {"ACC-10 101 fields", repeat("GET /x HTTP/1.1\r\n", "X-A: b\r\n", 100, GET_TAIL), 431, 431,
         false},
        {"ACC-10 64 KB target", repeat("GET /", "0123456789abcdef", 4096, " HTTP/1.1\r\n" GET_TAIL),
         414, 431, false},
        {"ACC-10 13 KB target", repeat("GET /", "0123456789abc", 1024, " HTTP/1.1\r\n" GET_TAIL),
         414, 414, false},
    };
    unsigned heads = atomic_load(&raw.heads);
    try_all(attacks, ARRAY_LEN(attacks));
    assert_int_equal(atomic_load(&raw.heads), heads + 1);
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
        free((void *)(uintptr_t)attacks[i].text.data);
    struct bytes fits = repeat("GET /", "0123456789abcdef", 700, " HTTP/1.1\r\n" GET_TAIL);
    assert_int_equal(raw_ask(&raw, fits, &reply, NULL), 200);
    free((void *)(uintptr_t)fits.data);
}

/* ACC-13 HTTP-HEAD-1 */
static void methods(void **state)
{
    (void)state;
    static const struct attack ATTACKS[] = {
        {"ACC-13 TRACE", BYTES_LIT("TRACE /x HTTP/1.1\r\n" GET_TAIL), 405, 501, false},
        {"ACC-13 CONNECT", BYTES_LIT("CONNECT a:443 HTTP/1.1\r\n" GET_TAIL), 405, 501, false},
        {"ACC-13 unknown", BYTES_LIT("BREW /x HTTP/1.1\r\n" GET_TAIL), 405, 501, false},
        {"ACC-13 lower case", BYTES_LIT("get /x HTTP/1.1\r\n" GET_TAIL), 405, 501, false},
    };
    try_all(ATTACKS, ARRAY_LEN(ATTACKS));
}

/* ACC-16 HTTP-HEAD-4 */
static void pipelining(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    char text[128], expected[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "GET /p%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
        assert_true(raw_send(fd, text));
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(raw_read_reply(fd, false, &reply), 200);
        snprintf(expected, sizeof(expected), "GET /p%d ", i);
        assert_memory_equal(reply.body, expected, strlen(expected));
    }
    close(fd);
}

/* ACC-15 is in request_test.c, ACC-11 and ACC-12 in watch_test.c, ACC-17 in http_test.c. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_and_codings), cmocka_unit_test(chunk_sizes),
        cmocka_unit_test(control_bytes),       cmocka_unit_test(odd_lines),
        cmocka_unit_test(heads_in_two_pieces), cmocka_unit_test(nothing_follows_chunks),
        cmocka_unit_test(nul_in_target),       cmocka_unit_test(hosts),
        cmocka_unit_test(large_heads),         cmocka_unit_test(methods),
        cmocka_unit_test(pipelining),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
