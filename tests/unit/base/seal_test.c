/* seal_test.c - BASE-SEAL-1, BASE-SEAL-2, BASE-MEMORY-1.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tests/unit/alloc_fail.h"

static const uint8_t key[SEAL_KEY_LEN] = "0123456789abcdef0123456789abcde";
static struct arena arena;

static int start(void **state UNUSED)
{
    struct err err;

    arena_init(&arena, MIB(1));
    return seal_start(&err);
}

static int stop(void **state UNUSED)
{
    arena_done(&arena);
    return 0;
}

static struct bytes closed(struct bytes context, struct bytes plain)
{
    struct bytes sealed;
    struct err err;

    assert_int_equal(seal_close(key, context, plain, &arena, &sealed, &err), ERR_OK);
    assert_int_equal(sealed.len, plain.len + SEAL_OVERHEAD);
    return sealed;
}

static enum err_code opened(const uint8_t *with, struct bytes context, struct bytes sealed,
                            struct bytes *ret_plain)
{
    struct err err;

    return seal_open(with, context, sealed, &arena, ret_plain, &err);
}

/* BASE-SEAL-1 */
static void opens_what_was_sealed(void **state UNUSED)
{
    struct bytes plain;

    assert_int_equal(
        opened(key, BYTES_LIT("row"), closed(BYTES_LIT("row"), BYTES_LIT("secret")), &plain),
        ERR_OK);
    assert_true(bytes_equal_str(plain, "secret"));
    assert_int_equal(
        opened(key, bytes_of(NULL, 0), closed(bytes_of(NULL, 0), bytes_of(NULL, 0)), &plain),
        ERR_OK);
    assert_int_equal(plain.len, 0);
}

/* BASE-SEAL-1 */
static void opens_for_its_row_and_key_alone(void **state UNUSED)
{
    struct bytes sealed = closed(BYTES_LIT("row"), BYTES_LIT("secret")), plain;
    uint8_t other[SEAL_KEY_LEN];

    memcpy(other, key, sizeof(other));
    other[31] ^= 1;
    assert_int_equal(opened(other, BYTES_LIT("row"), sealed, &plain), ERR_CORRUPT);
    assert_int_equal(opened(key, BYTES_LIT("rox"), sealed, &plain), ERR_CORRUPT);
    assert_int_equal(opened(key, BYTES_LIT("row2"), sealed, &plain), ERR_CORRUPT);
    assert_int_equal(opened(key, bytes_of(NULL, 0), sealed, &plain), ERR_CORRUPT);
}

/* BASE-SEAL-1: each bit, each length. */
static void notices_every_change(void **state UNUSED)
{
    struct bytes sealed = closed(BYTES_LIT("row"), BYTES_LIT("secret")), plain;
    uint8_t changed[64];

    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        memcpy(changed, sealed.data, sealed.len);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(opened(key, BYTES_LIT("row"), bytes_of(changed, sealed.len), &plain),
                         ERR_CORRUPT);
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_int_equal(opened(key, BYTES_LIT("row"), bytes_first(sealed, len), &plain),
                         ERR_CORRUPT);
    assert_int_equal(opened(key, BYTES_LIT("row"), bytes_of(NULL, 0), &plain), ERR_CORRUPT);
}

/* BASE-SEAL-2 */
static void never_seals_alike(void **state UNUSED)
{
    struct bytes a = closed(BYTES_LIT("row"), BYTES_LIT("secret"));
    struct bytes b = closed(BYTES_LIT("row"), BYTES_LIT("secret"));

    assert_memory_not_equal(a.data, b.data, 24);
    assert_memory_not_equal(a.data + 24, b.data + 24, a.len - 24);
}

static void random_bytes_differ(void **state UNUSED)
{
    uint8_t a[32] = {0}, b[32] = {0};

    seal_random(a, sizeof(a));
    seal_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    seal_random(a, 0);
}

static void wipes(void **state UNUSED)
{
    uint8_t secret[5] = "1234";

    seal_wipe(secret, 4);
    assert_memory_equal(secret, "\0\0\0\0", 5);
}

/* BASE-MEMORY-1 */
static bool close_and_open(void *ctx UNUSED)
{
    struct arena small;
    struct bytes sealed, plain;
    enum err_code code;
    struct err err;

    arena_init(&small, MIB(1));
    code = seal_close(key, BYTES_LIT("row"), BYTES_LIT("secret"), &small, &sealed, &err);
    if (!code && !arena_alloc(&small, KIB(4)))
        code = ERR_NO_MEMORY;
    if (!code)
        code = seal_open(key, BYTES_LIT("row"), sealed, &small, &plain, &err);
    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    arena_done(&small);
    return code == ERR_OK;
}

static void survives_failing_allocations(void **state UNUSED)
{
    assert_true(alloc_fail_sweep(close_and_open, NULL) >= 2);
}

static void keeps_to_the_arenas_cap(void **state UNUSED)
{
    struct bytes sealed = closed(BYTES_LIT("row"), BYTES_LIT("secret")), out;
    struct arena none;
    struct err err;

    arena_init(&none, 3);
    assert_int_equal(seal_close(key, BYTES_LIT("row"), BYTES_LIT("s"), &none, &out, &err),
                     ERR_NO_MEMORY);
    assert_int_equal(seal_open(key, BYTES_LIT("row"), sealed, &none, &out, &err), ERR_NO_MEMORY);
    arena_done(&none);
}

/* RFC 7693, with 32 bytes: of pieces as of the whole. */
static void digests_are_blake2b(void **state UNUSED)
{
    static const uint8_t abc[SEAL_HASH_LEN] = {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72,
                                               0x31, 0x71, 0xef, 0x3f, 0xee, 0x98, 0x57, 0x9b,
                                               0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb, 0x3e, 0x42,
                                               0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    const struct bytes pieces[] = {BYTES_LIT("a"), {0}, BYTES_LIT("bc")};
    uint8_t hash[SEAL_HASH_LEN];
    seal_hash(pieces, ARRAY_LEN(pieces), hash);
    assert_memory_equal(hash, abc, sizeof(abc));
    seal_hash(NULL, 0, hash);
    assert_memory_not_equal(hash, abc, sizeof(abc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_was_sealed),
        cmocka_unit_test(opens_for_its_row_and_key_alone),
        cmocka_unit_test(notices_every_change),
        cmocka_unit_test(never_seals_alike),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(wipes),
        cmocka_unit_test(digests_are_blake2b),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(keeps_to_the_arenas_cap),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
