/* hash_test.c - BASE-HASH-1, BASE-HASH-2, BASE-HASH-4, BASE-HASH-5, BASE-MEMORY-1.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/codec.h"
#include "tests/unit/alloc_fail.h"

#define ALL_KINDS (HASH_BIT(HASH_KINDS) - 1)

static void assert_hex(struct bytes digest, const char *hex)
{
    char text[2 * HASH_BYTES_MAX + 1];

    codec_hex(digest, text);
    assert_string_equal(text, hex);
}

/* BASE-HASH-1 */
static void knows_the_answers(void **state UNUSED)
{
    static const char *const empty[HASH_KINDS] = {
        [HASH_MD5] = "d41d8cd98f00b204e9800998ecf8427e",
        [HASH_SHA1] = "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        [HASH_SHA256] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        [HASH_CRC32] = "00000000",
        [HASH_CRC32C] = "00000000",
        [HASH_CRC64NVME] = "0000000000000000",
    };
    static const char *const digits[HASH_KINDS] = {
        [HASH_MD5] = "25f9e794323b453885f5181f1b624d0b",
        [HASH_SHA1] = "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
        [HASH_SHA256] = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        [HASH_CRC32] = "cbf43926",
        [HASH_CRC32C] = "e3069283",
        [HASH_CRC64NVME] = "ae8b14860a799888",
    };

    for (int kind = 0; kind < HASH_KINDS; kind++) {
        struct hash_value value = hash_once(kind, bytes_of(NULL, 0));
        assert_int_equal(value.len, hash_len(kind));
        assert_hex(bytes_of(value.data, value.len), empty[kind]);
        value = hash_once(kind, BYTES_LIT("123456789"));
        assert_hex(bytes_of(value.data, value.len), digits[kind]);
    }
}

static uint8_t *noise(size_t len)
{
    uint8_t *data = malloc(len);
    uint64_t seed = 88172645463325252ull;

    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        data[i] = (uint8_t)(seed >> 32);
    }
    return data;
}

static void assert_same_in_pieces(unsigned kinds, struct bytes whole, size_t step)
{
    AUTO(hash_set) struct hash_set *set = NULL;
    struct bytes rest = whole;
    struct err err;

    assert_int_equal(hash_set_new(kinds, &set, &err), ERR_OK);
    for (; rest.len > 0; rest = bytes_from(rest, step))
        hash_set_update(set, bytes_first(rest, step));
    hash_set_update(set, bytes_of(NULL, 0));
    for (int kind = 0; kind < HASH_KINDS; kind++) {
        if (!(kinds & HASH_BIT(kind)))
            continue;
        struct hash_value once = hash_once(kind, whole), pieces = hash_set_finish(set, kind);
        assert_int_equal(pieces.len, once.len);
        assert_memory_equal(pieces.data, once.data, sizeof(once.data));
    }
}

/* BASE-HASH-2: any mix of kinds, pieces shorter and longer than every block. */
static void pieces_make_the_same_digest(void **state UNUSED)
{
    static const size_t steps[] = {1, 7, 16, 63, 64, 65, 127, 1000, 16384, 16385, 100000};
    uint8_t *data = noise(50000);

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_same_in_pieces(ALL_KINDS, bytes_of(data, 50000), steps[i]);
    for (unsigned kinds = 0; kinds <= ALL_KINDS; kinds++)
        assert_same_in_pieces(kinds, bytes_of(data, 1000), 33);
    for (size_t len = 0; len < 300; len++)
        assert_same_in_pieces(ALL_KINDS, bytes_of(data, len), 50);
    free(data);
}

static void frees_what_was_not_finished(void **state UNUSED)
{
    struct hash_set *set;
    struct err err;

    hash_set_free(NULL);
    assert_int_equal(hash_set_new(ALL_KINDS, &set, &err), ERR_OK);
    hash_set_update(set, BYTES_LIT("abc"));
    hash_set_free(set);
}

/* BASE-HASH-4: RFC 4231 and RFC 2202. */
static void hmac_knows_the_answers(void **state UNUSED)
{
    static const char long_message[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t key[131], mac[HASH_HMAC_LEN];

    memset(key, 0x0B, 20);
    hash_hmac_sha256(bytes_of(key, 20), BYTES_LIT("Hi There"), mac);
    assert_hex(bytes_of(mac, 32),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hash_hmac_sha256(BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"), mac);
    assert_hex(bytes_of(mac, 32),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xAA, sizeof(key));
    hash_hmac_sha256(bytes_of(key, 131), bytes_of_str(long_message), mac);
    assert_hex(bytes_of(mac, 32),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hash_hmac_sha1(BYTES_LIT("Jefe"), BYTES_LIT("what do ya want for nothing?"), mac);
    assert_hex(bytes_of(mac, 20), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    hash_hmac_sha1(bytes_of(key, 80), bytes_of_str(long_message), mac);
    assert_hex(bytes_of(mac, 20), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    hash_hmac_sha256(bytes_of(NULL, 0), bytes_of(NULL, 0), mac);
    assert_hex(bytes_of(mac, 32),
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* The chain of keys that signatures use writes each key over the last. */
static void hmac_takes_its_result_as_key(void **state UNUSED)
{
    uint8_t mac[HASH_HMAC_LEN] = {0}, apart[HASH_HMAC_LEN];

    hash_hmac_sha256(bytes_of(mac, 32), BYTES_LIT("x"), apart);
    hash_hmac_sha256(bytes_of(mac, 32), BYTES_LIT("x"), mac);
    assert_memory_equal(mac, apart, sizeof(mac));
}

/* BASE-HASH-5 */
static void compares_secrets(void **state UNUSED)
{
    assert_true(hash_equal_secret(bytes_of(NULL, 0), BYTES_LIT("")));
    assert_true(hash_equal_secret(BYTES_LIT("abc"), BYTES_LIT("abc")));
    assert_false(hash_equal_secret(BYTES_LIT("abc"), BYTES_LIT("abd")));
    assert_false(hash_equal_secret(BYTES_LIT("abc"), BYTES_LIT("xbc")));
    assert_false(hash_equal_secret(BYTES_LIT("abc"), BYTES_LIT("ab")));
    assert_false(hash_equal_secret(BYTES_LIT("a\0b"), BYTES_LIT("a\0c")));
}

static void *hash_much(void *data)
{
    struct hash_value first = hash_once(HASH_CRC64NVME, bytes_of(data, 4096));
    bool same = true;

    for (int i = 0; i < 1000; i++) {
        struct hash_value again = hash_once(HASH_CRC64NVME, bytes_of(data, 4096));
        same = same && memcmp(first.data, again.data, again.len) == 0;
    }
    return same ? data : NULL;
}

static void many_threads_hash_at_once(void **state UNUSED)
{
    uint8_t *data = noise(4096);
    pthread_t threads[4];
    void *result;

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_much, data), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, data);
    }
    free(data);
}

/* BASE-MEMORY-1 */
static bool start_set(void *ctx UNUSED)
{
    AUTO(hash_set) struct hash_set *set = NULL;
    struct err err;
    enum err_code code = hash_set_new(ALL_KINDS, &set, &err);

    assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
    return code == ERR_OK;
}

static void survives_failing_allocations(void **state UNUSED)
{
    assert_int_equal(alloc_fail_sweep(start_set, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_answers),
        cmocka_unit_test(pieces_make_the_same_digest),
        cmocka_unit_test(frees_what_was_not_finished),
        cmocka_unit_test(hmac_knows_the_answers),
        cmocka_unit_test(hmac_takes_its_result_as_key),
        cmocka_unit_test(compares_secrets),
        cmocka_unit_test(many_threads_hash_at_once),
        cmocka_unit_test(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
