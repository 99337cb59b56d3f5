/* listen_test.c - addresses, and what happens above the caps.
 * Planted bug it caught: the refused socket left open. */
#include <sys/resource.h>

#include "tests/unit/base/http/raw.h"

static struct raw_front raw;
static struct raw_reply reply;

#define GET_X "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

/* HTTP-CAP-1: 503 at once above the cap; the others go on; room comes back. */
static void total_cap(void **state)
{
    (void)state;
    static const struct http_options SMALL = {.connections_max = 3,
                                              .connections_per_address_max = 1};
    raw_start(&raw, &SMALL);
    int fds[3];
    for (int i = 0; i < 3; i++) { /* one address, but loopback is not counted by address */
        fds[i] = raw_connect(&raw);
        assert_true(raw_send(fds[i], GET_X));
        assert_int_equal(raw_read_reply(fds[i], false, &reply), 200);
    }
    for (int i = 0; i < 5; i++) {
        int fd = raw_connect(&raw);
        assert_int_equal(raw_read_reply(fd, false, &reply), 503);
        assert_string_equal(raw_field(&reply, "Retry-After"), "1");
        assert_true(raw_closes(fd, 1000));
        close(fd);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(raw_send(fds[i], GET_X));
        assert_int_equal(raw_read_reply(fds[i], false, &reply), 200);
        close(fds[i]);
    }
    struct http_front_stats stats;
    do {
        poll(NULL, 0, 5);
        http_front_get_stats(raw.front, &stats);
    } while (stats.connections > 0);
    assert_int_equal(stats.accepted, 3);
    assert_int_equal(stats.refused_total, 5);
    raw_assert_alive(&raw);
    raw_stop(&raw);
}

static int highest_fd(void)
{
    int fd = dup(0);
    assert_true(fd >= 0);
    close(fd);
    return fd; /* the lowest free one: those below are taken */
}

/* ACC-56 HTTP-CAP-3: out of file descriptors is 503, and passes. */
static void out_of_descriptors(void **state)
{
    (void)state;
    raw_start(&raw, NULL);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(raw_port(&raw))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct rlimit old, tight;
    getrlimit(RLIMIT_NOFILE, &old);
    tight = old;
    tight.rlim_cur = (rlim_t)highest_fd();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(connect(fds[i], (struct sockaddr *)&to, sizeof(to)), 0);
        raw_read_reply(fds[i], false, &reply);
        assert_int_equal(reply.status, 503);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    raw_assert_alive(&raw);
    raw_stop(&raw);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"127.0.0.1:0", "[::1]:0", ":0", "127.255.0.9:0"};
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        static const struct http_options OPTIONS = {.connections_max = 9,
                                                    .connections_per_address_max = 9};
        raw_start_at(&raw, GOOD[i], &OPTIONS);
        assert_true(raw_port(&raw) > 0);
        if (i == 2) /* every address: by IPv4 as well */
            raw_assert_alive(&raw);
        raw_stop(&raw);
    }
}

static void bad_addresses(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",           "9000",  "127.0.0.1", "127.0.0.1:",      "1.2.3:0", "127.0.0.1:x",
        "[::1:0",     "::1:0", "name:9000", "127.0.0.1:65536", "[]:0",    "127.0.0.1:-1",
        "192.0.2.1:0"};
    struct http_options options = {.connections_max = 9, .connections_per_address_max = 9};
    struct http_service service = {&raw, raw_head, raw_body, raw_end, raw_done};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct http_front *front = NULL;
        struct err err;
        enum err_code code = http_front_start(BAD[i], &options, &service, &front, &err);
        if (code != ERR_INVALID || front)
            fail_msg("'%s': %s", BAD[i], err_code_name(code));
    }
    raw_start(&raw, NULL);
    struct http_front *front = NULL;
    struct err err;
    assert_int_equal(
        http_front_start(http_front_address(raw.front), &options, &service, &front, &err),
        ERR_BUSY);
    assert_null(front);
    raw_stop(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(total_cap),
        cmocka_unit_test(out_of_descriptors),
        cmocka_unit_test(addresses),
        cmocka_unit_test(bad_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
