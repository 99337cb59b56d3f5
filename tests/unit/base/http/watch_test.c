/* watch_test.c - deadlines: by a made-up clock, and against real slow clients
 * (with limits of two to four seconds instead of ten to 120).
 * Planted bugs it caught: a head's time restarted by every byte; a service
 * that works for long taken for a slow client. */
#include "base/http/watch.h"

#include "tests/unit/base/http/raw.h"

static const struct watch_limits LIMITS = {
    .head_ms = 10000, .idle_ms = 120000, .body_ms = 30000, .discard_ms = 30000, .rate_min = 1024};

struct step {
    uint64_t at_ms;
    enum phase phase;
    uint64_t serial;
    uint64_t received, acked;
    bool working, unread;
    enum watch_verdict verdict;
};

static void walk(const struct step *steps, size_t count)
{
    struct watch_mark mark = watch_begin(0);
    for (size_t i = 0; i < count; i++) {
        struct watch_sample sample = {.now_ms = steps[i].at_ms,
                                      .serial = steps[i].serial,
                                      .phase = steps[i].phase,
                                      .working = steps[i].working,
                                      .unread = steps[i].unread,
                                      .received = steps[i].received,
                                      .acked = steps[i].acked};
        enum watch_verdict verdict = watch_judge(&LIMITS, &mark, &sample);
        if (verdict != steps[i].verdict)
            fail_msg("step %zu: verdict %d", i, verdict);
    }
}

#define I    PHASE_IDLE
#define B    PHASE_BODY
#define D    PHASE_DISCARD
#define R    PHASE_REPLY
#define KEEP WATCH_KEEP
#define IDLE WATCH_DROP_IDLE
#define SLOW WATCH_DROP_SLOW

/* HTTP-TIME-1: every byte counts, none resets the time; at most head_ms from the first. */
static void judges_heads(void **state)
{
    (void)state;
    static const struct step NEW[] = {
        {1000, I, 0, 0, 0, false, false, KEEP},
        {2000, I, 0, 1, 0, false, false, KEEP}, /* began after 1000 */
        {6000, I, 0, 3, 0, false, false, KEEP},
        {10000, I, 0, 5, 0, false, false, KEEP},
        {11000, I, 0, 6, 0, false, false, SLOW},
    };
    static const struct step KEPT_ALIVE[] = {
        {1000, I, 1, 500, 100, false, false, KEEP},   {90000, I, 1, 500, 100, false, false, KEEP},
        {91000, I, 1, 501, 100, false, false, KEEP},  {99000, I, 1, 501, 100, false, false, KEEP},
        {99500, I, 2, 900, 200, false, false, KEEP}, /* that one was complete */
        {111000, I, 2, 901, 200, false, false, KEEP}, {112000, I, 3, 950, 300, false, false, KEEP},
    };
    walk(NEW, ARRAY_LEN(NEW));
    walk(KEPT_ALIVE, ARRAY_LEN(KEPT_ALIVE));
}

/* HTTP-TIME-2 */
static void judges_idleness(void **state)
{
    (void)state;
    static const struct step SILENT[] = {
        {1000, I, 0, 0, 0, false, false, KEEP},
        {119999, I, 0, 0, 0, false, false, KEEP},
        {120000, I, 0, 0, 0, false, false, IDLE},
    };
    static const struct step KEPT_ALIVE[] = {
        {5000, I, 7, 100, 0, false, false, KEEP},
        {124999, I, 7, 100, 0, false, false, KEEP},
        {125000, I, 7, 100, 0, false, false, IDLE},
    };
    walk(SILENT, ARRAY_LEN(SILENT));
    walk(KEPT_ALIVE, ARRAY_LEN(KEPT_ALIVE));
}

/* HTTP-TIME-3 */
static void judges_bodies(void **state)
{
    (void)state;
    static const struct step TRICKLE[] = {
        {1000, B, 1, 1000, 0, false, false, KEEP},
        {30000, B, 1, 1900, 0, false, false, KEEP},
        {31000, B, 1, 2000, 0, false, false, SLOW},
    };
    static const struct step ENOUGH[] = {
        {1000, B, 1, 1000, 0, false, false, KEEP},
        {31000, B, 1, 1000 + 30720, 0, false, false, KEEP},
        {61000, B, 1, 1000 + 61440, 0, false, false, KEEP},
        {91000, B, 1, 1000 + 61440, 0, false, false, SLOW},
    };
    static const struct step NOT_ITS_FAULT[] = {
        {1000, B, 1, 1000, 0, false, false, KEEP},
        {31000, B, 1, 1000, 0, true, false, KEEP}, /* the service is at work */
        {60000, B, 1, 1000, 0, false, true, KEEP}, /* what was sent lies unread */
        {89000, B, 1, 1000, 0, false, false, KEEP},
        {90000, B, 1, 1000, 0, false, false, SLOW},
    };
    walk(TRICKLE, ARRAY_LEN(TRICKLE));
    walk(ENOUGH, ARRAY_LEN(ENOUGH));
    walk(NOT_ITS_FAULT, ARRAY_LEN(NOT_ITS_FAULT));
}

/* HTTP-TIME-4 HTTP-BODY-3 */
static void judges_replies_and_discards(void **state)
{
    (void)state;
    static const struct step STALLED[] = {
        {1000, R, 1, 100, 50, false, false, KEEP},
        {120999, R, 1, 100, 5000, false, false, KEEP},
        {121000, R, 1, 100, 5000, false, false, SLOW},
    };
    static const struct step LONG_WORK[] = {
        {1000, R, 1, 100, 0, true, false, KEEP},
        {900000, R, 1, 100, 0, true, false, KEEP},
        {901000, R, 1, 100, 0, false, false, KEEP},
        {1020000, R, 1, 100, 122880, false, false, KEEP},
        {1140000, R, 1, 100, 122880, false, false, SLOW},
    };
    static const struct step DISCARD[] = {
        {1000, D, 1, 100, 0, false, false, KEEP},
        {30999, D, 1, 30000000, 0, false, true, KEEP},
        {31000, D, 1, 31000000, 0, true, true, SLOW},
    };
    walk(STALLED, ARRAY_LEN(STALLED));
    walk(LONG_WORK, ARRAY_LEN(LONG_WORK));
    walk(DISCARD, ARRAY_LEN(DISCARD));
}

static struct raw_front raw;
static struct raw_reply reply;

static int setup(void **state)
{
    static const struct http_options QUICK = {.connections_max = 600,
                                              .connections_per_address_max = 10,
                                              .head_ms = 3000,
                                              .idle_ms = 4000,
                                              .body_window_ms = 2000,
                                              .discard_ms = 2000};
    (void)state;
    raw_start(&raw, &QUICK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    raw_stop(&raw);
    return 0;
}

static uint64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

/* Send a byte now and then until the other side closes; returns when that was. */
static uint64_t trickle(int fd, int pause_ms, uint64_t most_ms)
{
    uint64_t begin_ms = now_ms();
    struct pollfd look = {.fd = fd, .events = POLLIN};
    while (now_ms() - begin_ms < most_ms && poll(&look, 1, pause_ms) == 0)
        if (!raw_send(fd, "a"))
            break;
    return now_ms() - begin_ms;
}

static void others_are_served(void)
{
    for (int i = 0; i < 20; i++)
        raw_assert_alive(&raw);
}

/* ACC-11 HTTP-TIME-1: 500 slow heads, each dropped in time, others served meanwhile. */
static void slow_heads(void **state)
{
    (void)state;
    enum { SLOW_ONES = 500 };
    static int fds[SLOW_ONES];
    struct http_front_stats before, after;
    http_front_get_stats(raw.front, &before);
    for (int i = 0; i < SLOW_ONES; i++) {
        fds[i] = raw_connect(&raw);
        assert_true(raw_send(fds[i], "GET /x HTTP/1.1\r\nX-A: "));
    }
    uint64_t begin_ms = now_ms();
    others_are_served();
    for (; now_ms() - begin_ms < 1000; poll(NULL, 0, 100))
        for (int i = 0; i < SLOW_ONES; i++)
            raw_send(fds[i], "a");
    for (int i = 0; i < SLOW_ONES; i++) {
        assert_int_equal(raw_read_reply(fds[i], false, &reply), 408);
        assert_true(raw_is_closed(fds[i]));
        close(fds[i]);
    }
    assert_true(now_ms() - begin_ms < 3400);
    http_front_get_stats(raw.front, &after);
    assert_int_equal(after.dropped_slow - before.dropped_slow, SLOW_ONES);
}

/* HTTP-TIME-1 on a connection that has served before. */
static void slow_second_head(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    assert_true(raw_send(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    poll(NULL, 0, 1200); /* a look of the watcher */
    assert_true(raw_send(fd, "GET /"));
    assert_in_range(trickle(fd, 100, 8000), 900, 3200);
    assert_int_equal(raw_read_reply(fd, false, &reply), 408);
    close(fd);
}

/* HTTP-TIME-2 */
static void idle_connections(void **state)
{
    (void)state;
    int silent = raw_connect(&raw), kept = raw_connect(&raw);
    uint64_t begin_ms = now_ms();
    assert_true(raw_send(kept, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(raw_read_reply(kept, false, &reply), 200);
    assert_true(raw_is_closed(silent));
    assert_in_range(now_ms() - begin_ms, 3000, 5600);
    assert_true(raw_is_closed(kept));
    assert_in_range(now_ms() - begin_ms, 3900, 6600);
    close(silent);
    close(kept);
}

/* ACC-12 HTTP-TIME-3 */
static void slow_body(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    assert_true(raw_send(fd, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
    assert_in_range(trickle(fd, 50, 10000), 1900, 5000);
    assert_int_equal(raw_read_reply(fd, false, &reply), 408);
    close(fd);
    raw_settle(&raw);
}

/* Slow, but above the least rate. */
static void slow_enough_body(void **state)
{
    (void)state;
    char block[401];
    memset(block, 'x', 400);
    block[400] = 0;
    int fd = raw_connect(&raw);
    assert_true(raw_send(fd, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n"));
    for (int i = 0; i < 50; i++, poll(NULL, 0, 100))
        assert_true(raw_send(fd, block));
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    close(fd);
}

/* HTTP-TIME-4: a client that does not read. */
static void stalled_reader(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    unsigned dones = atomic_load(&raw.dones);
    assert_true(raw_send(fd, "GET /stream?n=100000000 HTTP/1.1\r\nHost: a\r\n\r\n"));
    uint64_t begin_ms = now_ms();
    while (atomic_load(&raw.dones) == dones && now_ms() - begin_ms < 10000)
        poll(NULL, 0, 10);
    assert_in_range(now_ms() - begin_ms, 3900, 9000);
    raw_read_reply(fd, false, &reply);
    assert_false(reply.complete);
    close(fd);
}

/* HTTP-BODY-3: a refused client that sends no more. */
static void stalled_discard(void **state)
{
    (void)state;
    int fd = raw_connect(&raw);
    uint64_t begin_ms = now_ms();
    assert_true(raw_send(fd, "PUT /refuse-body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na"));
    assert_true(raw_is_closed(fd));
    assert_in_range(now_ms() - begin_ms, 1900, 4600);
    close(fd);
    fd = raw_connect(&raw);
    begin_ms = now_ms();
    assert_true(raw_send(fd, "PUT /refuse-head HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na"));
    assert_int_equal(raw_read_reply(fd, false, &reply), 403);
    assert_true(raw_is_closed(fd)); /* for writing, at once */
    assert_true(now_ms() - begin_ms < 1000);
    poll(NULL, 0, 4000);
    struct http_front_stats stats;
    http_front_get_stats(raw.front, &stats);
    assert_int_equal(stats.connections, 0);
    close(fd);
}

/* HTTP-TIME-5: a service may take longer than any of the limits. */
static void slow_service(void **state)
{
    (void)state;
    atomic_store(&raw.hold, true);
    int fd = raw_connect(&raw);
    assert_true(raw_send(fd, "PUT /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"));
    poll(NULL, 0, 6000);
    atomic_store(&raw.hold, false);
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    assert_memory_equal(reply.body, "held", 4);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_heads),     cmocka_unit_test(judges_idleness),
        cmocka_unit_test(judges_bodies),    cmocka_unit_test(judges_replies_and_discards),
        cmocka_unit_test(slow_heads),       cmocka_unit_test(slow_second_head),
        cmocka_unit_test(idle_connections), cmocka_unit_test(slow_body),
        cmocka_unit_test(slow_enough_body), cmocka_unit_test(stalled_reader),
        cmocka_unit_test(stalled_discard),  cmocka_unit_test(slow_service),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
