/* request_test.c - bodies, 100 Continue, refusals, and what the service is told.
 * Planted bugs it caught: the body's first piece counted twice; no drain after
 * a refusal without Expect. */
#include "tests/unit/base/http/raw_fixture.h"

static struct bytes filled(size_t len)
{
    uint8_t *data = malloc(len);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 31 + (i >> 8));
    return bytes_of(data, len);
}

static uint64_t sum_of(struct bytes data)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < data.len; i++)
        sum += data.data[i];
    return sum;
}

static void drop(struct bytes data)
{
    free((void *)(uintptr_t)data.data);
}

static bool send_put(int fd, const char *path, const char *fields, size_t length)
{
    char text[512];
    snprintf(text, sizeof(text), "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n%s\r\n",
             path, length, fields);
    return raw_send(fd, text);
}

/* HTTP-BODY-1: 100 Continue comes after head() accepted, and only where it is waited for. */
static void continue_after_head(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    unsigned heads = atomic_load(&raw.heads), pieces = atomic_load(&raw.pieces);
    assert_true(send_put(fd, "/x", "Expect: 100-continue\r\n", 5));
    assert_int_equal(raw_read_reply(fd, false, &reply), 100);
    assert_int_equal(atomic_load(&raw.heads), heads + 1);
    assert_int_equal(atomic_load(&raw.pieces), pieces);
    assert_true(raw_send(fd, "hello"));
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    assert_memory_equal(reply.body, "PUT /x 5 ", 9);
    assert_true(send_put(fd, "/y", "", 2)); /* kept alive; without Expect no 100 */
    assert_true(raw_send(fd, "ab"));
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    close(fd);
}

/* ACC-15 HTTP-BODY-2: refused at the head, waiting for 100 Continue. */
static void refused_with_expect(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    unsigned pieces = atomic_load(&raw.pieces);
    assert_true(send_put(fd, "/refuse-head", "Expect: 100-continue\r\n", 1000000));
    assert_int_equal(raw_read_reply(fd, false, &reply), 403);
    assert_string_equal(raw_field(&reply, "X-Why"), "head");
    assert_string_equal(raw_field(&reply, "Connection"), "close");
    assert_true(raw_closes(fd, 1000));
    assert_int_equal(atomic_load(&raw.pieces), pieces);
    close(fd);
    raw_settle(&raw);
}

/* HTTP-BODY-2: the client sends all of a large body before it reads; the reply is there. */
static void refused_without_expect(void **state)
{
    (void)state;
    struct bytes body = filled(MIB(24));
    for (int round = 0; round < 5; round++) {
        int fd = raw_connect(&raw);
        unsigned pieces = atomic_load(&raw.pieces);
        assert_true(send_put(fd, "/refuse-head", "", body.len));
        assert_true(raw_send_bytes(fd, body));
        assert_int_equal(raw_read_reply(fd, false, &reply), 403);
        assert_int_equal(atomic_load(&raw.pieces), pieces);
        close(fd);
    }
    drop(body);
    raw_settle(&raw);
}

/* HTTP-BODY-3: refused in mid-body. */
static void refused_in_mid_body(void **state)
{
    (void)state;
    struct bytes body = filled(MIB(24));
    int fd = raw_connect(&raw);
    unsigned pieces = atomic_load(&raw.pieces), ends = atomic_load(&raw.ends);
    assert_true(send_put(fd, "/refuse-body", "", body.len));
    assert_true(raw_send_bytes(fd, body));
    assert_int_equal(raw_read_reply(fd, false, &reply), 400);
    assert_memory_equal(reply.body, "bad body", 8);
    assert_true(raw_closes(fd, 1000));
    assert_int_equal(atomic_load(&raw.pieces), pieces + 1);
    assert_int_equal(atomic_load(&raw.ends), ends);
    close(fd);
    drop(body);
}

/* HTTP-BODY-3: above HTTP_DISCARD_MAX there is no end to wait for. */
static void discard_has_a_limit(void **state)
{
    (void)state;
    struct bytes block = filled(MIB(1));
    int fd = raw_connect(&raw);
    size_t sent = 0;
    assert_true(send_put(fd, "/refuse-body", "", MIB(1000)));
    while (sent < MIB(200) && raw_send_bytes(fd, block))
        sent += block.len;
    assert_in_range(sent, HTTP_DISCARD_MAX - MIB(1), HTTP_DISCARD_MAX + MIB(32));
    close(fd);
    drop(block);
    raw_settle(&raw);
}

/* A refused request without a body keeps its connection. */
static void refused_without_body(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    for (int i = 0; i < 3; i++) {
        assert_true(raw_send(fd, "GET /refuse-head HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_int_equal(raw_read_reply(fd, false, &reply), 403);
    }
    close(fd);
}

/* Chunk extensions only where they are taken: libmicrohttpd 1.0.1 refuses them. */
static void send_chunks(int fd, struct bytes body, size_t chunk, size_t cut)
{
    struct bytes rest = body;
    bool extend = chunk % 2 && raw_library_is_lenient();
    while (rest.len > 0) {
        char line[64];
        struct bytes piece = bytes_first(rest, chunk);
        snprintf(line, sizeof(line), "%zX%s\r\n", piece.len, extend ? ";ext=1" : "");
        assert_true(raw_send(fd, line));
        for (struct bytes left = piece; left.len > 0; left = bytes_from(left, cut))
            assert_true(raw_send_bytes(fd, bytes_first(left, cut)));
        assert_true(raw_send(fd, "\r\n"));
        rest = bytes_from(rest, chunk);
    }
    assert_true(raw_send(fd, "0\r\nX-Trailer: t\r\n\r\n"));
}

/* HTTP-BODY-4: chunks of any size, cut anywhere, arrive as one byte string.
 * HTTP-HEAD-4: a lenient library's connection ends with the first. */
static void chunked_bodies(void **state)
{
    (void)state;
    static const size_t CHUNKS[] = {1, 2, 7, 4095, 4096, 32768, 40000, 100000};
    struct bytes body = filled(100000);
    int fd = -1;
    for (size_t i = 0; i < ARRAY_LEN(CHUNKS); i++) {
        if (fd < 0)
            fd = raw_connect(&raw);
        struct bytes part = bytes_first(body, CHUNKS[i] < 10 ? 2000 : body.len);
        char expected[64];
        atomic_store(&raw.body_sum, 0);
        assert_true(
            raw_send(fd, "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
        send_chunks(fd, part, CHUNKS[i], i % 2 ? 1111 : 65536);
        assert_int_equal(raw_read_reply(fd, false, &reply), 200);
        snprintf(expected, sizeof(expected), "PUT /x %zu %llu ", part.len,
                 (unsigned long long)sum_of(part));
        assert_memory_equal(reply.body, expected, strlen(expected));
        if (raw_library_is_lenient()) {
            assert_true(raw_closes(fd, 300));
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    drop(body);
}

static size_t resident_kib(void)
{
    unsigned long total = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%lu %lu", &total, &resident), 2);
    fclose(statm);
    return resident * 4;
}

/* HTTP-BODY-5: a large body needs no more memory than a small one. */
static void large_body_is_flat(void **state)
{
    (void)state;
    struct bytes block = filled(MIB(1));
    int fd = raw_connect(&raw);
    atomic_store(&raw.body_sum, 0);
    assert_true(send_put(fd, "/x", "", MIB(64)));
    size_t before = resident_kib();
    for (int i = 0; i < 64; i++)
        assert_true(raw_send_bytes(fd, block));
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    assert_true(resident_kib() < before + 2048);
    assert_int_equal(atomic_load(&raw.body_sum), 64 * sum_of(block));
    close(fd);
    drop(block);
    raw_settle(&raw);
    assert_int_equal(atomic_load(&raw.last_in), MIB(64));
}

/* HTTP-LIFE-1: done() comes once, also when the client goes in the middle. */
static void client_goes_away(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    assert_true(send_put(fd, "/x", "", 100));
    assert_true(raw_send(fd, "half"));
    while (atomic_load(&raw.heads) == atomic_load(&raw.dones))
        poll(NULL, 0, 1);
    close(fd);
    raw_settle(&raw);
    assert_int_equal(atomic_load(&raw.last_status), 0);
    raw_assert_alive(&raw);
}

/* HTTP-LIFE-2: a service that waits learns that its client is gone. */
static void notices_a_lost_client(void **state)
{
    (void)state;
    atomic_store(&raw.was_cut, false);
    atomic_store(&raw.hold, true);
    int fd = raw_connect(&raw);
    assert_true(raw_send(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    poll(NULL, 0, 50);
    assert_false(atomic_load(&raw.was_cut));
    close(fd);
    for (int i = 0; i < 1000 && !atomic_load(&raw.was_cut); i++)
        poll(NULL, 0, 5);
    assert_true(atomic_load(&raw.was_cut));
    atomic_store(&raw.hold, false);
    raw_settle(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continue_after_head),    cmocka_unit_test(refused_with_expect),
        cmocka_unit_test(refused_without_expect), cmocka_unit_test(refused_in_mid_body),
        cmocka_unit_test(discard_has_a_limit),    cmocka_unit_test(refused_without_body),
        cmocka_unit_test(chunked_bodies),         cmocka_unit_test(large_body_is_flat),
        cmocka_unit_test(client_goes_away),       cmocka_unit_test(notices_a_lost_client),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
