/* conn_test.c - caps by address, and connections that never get their thread.
 *
 * Every address that a test may use is loopback, which is not counted: so the
 * connections here are made up, of sockets that nothing is connected to.
 * Planted bugs it caught: a forgotten connection that stayed counted; a drop
 * without looking whether the connection moved on; a rest after each request. */
#include "base/http/conn.h"

#include "tests/unit/base/http/raw.h"

#include <pthread.h>
#include <sys/mman.h>

static struct raw_front raw;

static int setup(void **state)
{
    static const struct http_options SMALL = {.connections_max = 6,
                                              .connections_per_address_max = 2};
    (void)state;
    raw_start(&raw, &SMALL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    raw_stop(&raw);
    return 0;
}

static enum caps_verdict add(int fd, const char *ip, struct http_conn **ret_conn)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
        return conn_add(raw.front, fd, (struct sockaddr *)&v4, ret_conn);
    assert_int_equal(inet_pton(AF_INET6, ip, &v6.sin6_addr), 1);
    return conn_add(raw.front, fd, (struct sockaddr *)&v6, ret_conn);
}

static uint64_t count(void)
{
    struct http_front_stats stats;
    http_front_get_stats(raw.front, &stats);
    return stats.connections;
}

/* HTTP-CAP-1 HTTP-CAP-2 */
static void caps(void **state)
{
    (void)state;
    struct http_conn *made[6], *none;
    assert_int_equal(add(10000, "10.0.0.1", &made[0]), CAPS_FREE);
    assert_int_equal(add(10001, "::ffff:10.0.0.1", &made[1]), CAPS_FREE);
    assert_string_equal(made[1]->peer_text, "10.0.0.1");
    assert_int_equal(add(10002, "10.0.0.1", &none), CAPS_PEER_FULL);
    assert_null(none);
    assert_int_equal(add(10002, "2001:db8::1", &made[2]), CAPS_FREE);
    assert_string_equal(made[2]->peer_text, "2001:db8::1");
    assert_int_equal(add(10003, "2001:db8::2", &made[3]), CAPS_FREE);
    assert_int_equal(add(10004, "2001:db8::3", &none), CAPS_PEER_FULL);
    assert_int_equal(add(10004, "127.0.0.1", &made[4]), CAPS_FREE);
    assert_int_equal(add(10005, "127.0.0.1", &made[5]), CAPS_FREE);
    assert_int_equal(add(10006, "127.0.0.1", &none), CAPS_FULL);
    assert_int_equal(count(), 6);
    for (int i = 0; i < 6; i++)
        conn_forget(made[i]);
    assert_int_equal(count(), 0);
}

/* A socket number that comes back tells that the one before is gone. */
static void stale_ones_are_forgotten(void **state)
{
    (void)state;
    struct http_conn *conn;
    for (int i = 0; i < 100; i++)
        assert_int_equal(add(10000, "10.0.0.1", &conn), CAPS_FREE);
    assert_int_equal(count(), 1);
    conn_forget(conn);
    assert_int_equal(add(10001, "10.0.0.1", &conn), CAPS_FREE); /* left to http_front_free */
}

/* A drop on what was seen does not hit what came since. */
static void drops_only_what_was_seen(void **state)
{
    (void)state;
    struct http_conn *conn;
    assert_int_equal(add(10002, "10.0.0.2", &conn), CAPS_FREE);
    uint64_t seen = atomic_load(&conn->word);
    assert_int_equal(conn_post(conn, PHASE_ON_HEAD), PHASE_BODY);
    assert_int_equal(conn_post(conn, PHASE_ON_DONE), PHASE_IDLE);
    assert_false(conn_drop(conn, seen, false));
    assert_int_equal(conn_serial(atomic_load(&conn->word)), 1);
    assert_true(conn_drop(conn, atomic_load(&conn->word), false));
    assert_int_equal(conn_post(conn, PHASE_ON_HEAD), PHASE_DROPPED);
    conn_forget(conn);
}

#define DEEP KIB(128)

/* Touch much of the stack, and tell where its deepest byte is. */
__attribute__((noinline)) static uint8_t *go_deep(void)
{
    volatile uint8_t room[DEEP];
    for (size_t i = 0; i < sizeof(room); i += 512)
        room[i] = 1;
    return (uint8_t *)((uintptr_t)room / 4096 * 4096 + 4096);
}

static bool is_resident(uint8_t *page)
{
    unsigned char answer = 0;
    assert_int_equal(mincore(page, 1, &answer), 0);
    return answer & 1;
}

struct rest {
    struct http_conn *conn;
    bool had_block, kept_block, was_resident, stayed_resident;
};

/* As a connection's thread does between two requests. */
static void *rest(void *ctx)
{
    struct rest *seen = ctx;
    (void)!arena_alloc(&seen->conn->arena, 100);
    arena_reset(&seen->conn->arena);
    seen->had_block = seen->conn->arena.block != NULL;
    uint8_t *page = go_deep();
    seen->was_resident = is_resident(page);
    conn_rest(seen->conn);
    seen->kept_block = seen->conn->arena.block != NULL;
    seen->stayed_resident = is_resident(page);
    return NULL;
}

static struct rest rest_in_thread(struct http_conn *conn)
{
    struct rest seen = {.conn = conn};
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, HTTP_STACK_BYTES);
    assert_int_equal(pthread_create(&thread, &attributes, rest, &seen), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
    assert_true(seen.had_block && seen.was_resident);
    return seen;
}

/* HTTP-IDLE-1: what a request used goes back, but not after each of many. */
static void an_idle_one_gives_memory_back(void **state)
{
    (void)state;
    struct http_conn *conn;
    assert_int_equal(add(10003, "10.0.0.3", &conn), CAPS_FREE);
    struct rest first = rest_in_thread(conn);
    assert_false(first.kept_block || first.stayed_resident);
    struct rest second = rest_in_thread(conn);
    assert_true(second.kept_block && second.stayed_resident);
    conn->rested_ms -= CONN_REST_MS;
    struct rest later = rest_in_thread(conn);
    assert_false(later.kept_block || later.stayed_resident);
    conn_forget(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps),
        cmocka_unit_test(stale_ones_are_forgotten),
        cmocka_unit_test(drops_only_what_was_seen),
        cmocka_unit_test(an_idle_one_gives_memory_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
