/* caps_test.c - counting by address, against a model of plain counters.
 * Planted bug it caught: close_gap() moving an entry in front of its home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/http/caps.h"

static struct caps_peer peer_of(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return caps_peer_of((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return caps_peer_of((struct sockaddr *)&v6);
}

static int same(const char *a, const char *b)
{
    struct caps_peer pa = peer_of(a), pb = peer_of(b);
    return memcmp(pa.key, pb.key, sizeof(pa.key)) == 0;
}

/* HTTP-CAP-2 */
static void what_a_peer_is(void **state)
{
    (void)state;
    assert_true(same("10.0.0.1", "::ffff:10.0.0.1"));
    assert_false(same("10.0.0.1", "10.0.0.2"));
    assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_true(peer_of("127.0.0.1").loopback);
    assert_true(peer_of("127.9.9.9").loopback);
    assert_true(peer_of("::1").loopback);
    assert_true(peer_of("::ffff:127.0.0.1").loopback);
    assert_false(peer_of("128.0.0.1").loopback);
    assert_false(peer_of("::2").loopback);
}

static void caps_are_kept(void **state)
{
    (void)state;
    struct caps caps;
    assert_true(caps_init(&caps, 5, 2));
    struct caps_peer a = peer_of("10.0.0.1"), b = peer_of("10.0.0.2"), lo = peer_of("127.0.0.1");
    assert_int_equal(caps_take(&caps, &a), CAPS_FREE);
    assert_int_equal(caps_take(&caps, &a), CAPS_FREE);
    assert_int_equal(caps_take(&caps, &a), CAPS_PEER_FULL);
    assert_int_equal(caps_take(&caps, &b), CAPS_FREE);
    assert_int_equal(caps_take(&caps, &lo), CAPS_FREE);
    assert_int_equal(caps_take(&caps, &lo), CAPS_FREE);
    assert_int_equal(caps_take(&caps, &lo), CAPS_FULL);
    caps_give(&caps, &a);
    assert_int_equal(caps_take(&caps, &a), CAPS_FREE);
    assert_int_equal(caps.all, 5);
    caps_done(&caps);
}

/* Many peers come and go; the table agrees with an array of counters. */
static void agrees_with_a_model(void **state)
{
    (void)state;
    enum { PEERS = 300, ALL = 200, EACH = 3 };
    struct caps caps;
    uint32_t model[PEERS] = {0}, all = 0;
    assert_true(caps_init(&caps, ALL, EACH));
    srandom(1);
    for (int step = 0; step < 200000; step++) {
        int i = (int)(random() % PEERS);
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        v4.sin_addr.s_addr = htonl(0x0a000000u + (uint32_t)i);
        struct caps_peer peer = caps_peer_of((struct sockaddr *)&v4);
        if (random() % 2 && model[i] > 0) {
            caps_give(&caps, &peer);
            model[i]--, all--;
            continue;
        }
        enum caps_verdict expected = all == ALL         ? CAPS_FULL
                                     : model[i] == EACH ? CAPS_PEER_FULL
                                                        : CAPS_FREE;
        assert_int_equal(caps_take(&caps, &peer), expected);
        if (expected == CAPS_FREE)
            model[i]++, all++;
    }
    caps_done(&caps);
}

/* HTTP-IDLE-1: told once for each half that goes, however fast it came and went. */
static void ebbs(void **state)
{
    (void)state;
    struct caps caps;
    struct caps_peer peer = peer_of("127.0.0.1");
    assert_true(caps_init(&caps, 1000, 1000));
    for (int i = 0; i < CAPS_EBB_MIN - 1; i++)
        assert_int_equal(caps_take(&caps, &peer), CAPS_FREE);
    for (int i = 0; i < CAPS_EBB_MIN - 1; i++)
        caps_give(&caps, &peer);
    assert_false(caps_is_ebb(&caps)); /* too few */
    for (int i = 0; i < 400; i++)
        assert_int_equal(caps_take(&caps, &peer), CAPS_FREE);
    assert_false(caps_is_ebb(&caps));
    for (int i = 0; i < 200; i++) {
        assert_false(caps_is_ebb(&caps));
        caps_give(&caps, &peer);
    }
    assert_true(caps_is_ebb(&caps));
    assert_false(caps_is_ebb(&caps));
    for (int i = 0; i < 200; i++)
        caps_give(&caps, &peer);
    assert_true(caps_is_ebb(&caps));
    assert_false(caps_is_ebb(&caps));
    caps_done(&caps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_peer_is),
        cmocka_unit_test(caps_are_kept),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(ebbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
