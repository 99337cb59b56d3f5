/* certificate_test.c - chains and keys that are good, cut, damaged, locked, of somebody else.
 * Planted bugs it caught: a chain of which only the first certificate was looked at. */
#include "base/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* wants those three before it */

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define ROOM 4096

/* A certificate that signs itself, and its key, as text. */
struct pair {
    char cert[ROOM], key[ROOM], locked[ROOM];
};

static void take_text(BIO *from, char ret_text[ROOM])
{
    int len = BIO_read(from, ret_text, ROOM - 1);
    assert_in_range(len, 1, ROOM - 2);
    ret_text[len] = 0;
    BIO_free(from);
}

static X509 *make_cert(EVP_PKEY *key, long begin_s, long end_s)
{
    X509 *cert = X509_new();
    assert_non_null(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    ASN1_TIME_set(X509_getm_notBefore(cert), begin_s);
    ASN1_TIME_set(X509_getm_notAfter(cert), end_s);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void make_pair(struct pair *pair, long begin_s, long end_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *cert = make_cert(key, begin_s, end_s);
    BIO *to = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_X509(to, cert));
    take_text(to, pair->cert);
    to = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL));
    take_text(to, pair->key);
    to = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PKCS8PrivateKey(to, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
    take_text(to, pair->locked);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static struct pair mine, other;

static int setup(void **state)
{
    (void)state;
    make_pair(&mine, 1000000000, 2000000000);
    make_pair(&other, 0, 4000000000);
    return 0;
}

static enum err_code read_text(const char *chain, struct certificate_times *ret_times)
{
    struct err err = {0};
    return certificate_read(bytes_of_str(chain), ret_times, &err);
}

static void good_ones(void **state)
{
    (void)state;
    struct certificate_times times;
    struct err err;
    char chain[4 * ROOM];
    assert_int_equal(read_text(mine.cert, &times), ERR_OK);
    assert_int_equal(times.begin_unix_ms, 1000000000000);
    assert_int_equal(times.end_unix_ms, 2000000000000);
    snprintf(chain, sizeof(chain), "words before\n%swords between\n%s%s", mine.cert, mine.key,
             other.cert);
    assert_int_equal(read_text(chain, &times), ERR_OK);
    assert_int_equal(times.end_unix_ms, 2000000000000);
    struct bytes text = bytes_of_str(chain);
    assert_int_equal(certificate_check_key(text, bytes_of_str(mine.key), &err), ERR_OK);
    assert_int_equal(certificate_check_key(text, text, &err), ERR_OK);
}

static void keys_that_do_not_fit(void **state)
{
    (void)state;
    struct bytes cert = bytes_of_str(mine.cert);
    const char *const KEYS[] = {"", "words", mine.cert, mine.locked, other.key};
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        struct err err = {0};
        assert_int_equal(certificate_check_key(cert, bytes_of_str(KEYS[i]), &err), ERR_INVALID);
    }
}

/* Every beginning of a chain of two: none but its whole first and the whole are taken. */
static void chains_that_are_cut(void **state)
{
    (void)state;
    struct certificate_times times;
    struct err err;
    char chain[2 * ROOM];
    size_t one = strlen(mine.cert);
    snprintf(chain, sizeof(chain), "%s%s", mine.cert, other.cert);
    for (size_t len = 0; len + 1 < strlen(chain); len++) {
        enum err_code code = certificate_read(bytes_of(chain, len), &times, &err);
        if (len + 1 >= one && len < one + strlen("-----BEGIN CERTIFICATE-----\n"))
            continue; /* a line feed more or less, the begin of a line: words to a reader */
        if (code != ERR_INVALID)
            fail_msg("taken at %zu of %zu", len, strlen(chain));
    }
}

/* No byte changed makes it crash; base64 that decodes may still be a certificate. */
static void bytes_changed(void **state)
{
    (void)state;
    char copy[ROOM];
    struct certificate_times times;
    struct err err;
    size_t len = strlen(mine.cert);
    for (size_t i = 0; i < len; i++) {
        memcpy(copy, mine.cert, len + 1);
        copy[i] ^= 0x11;
        if (certificate_read(bytes_of(copy, len), &times, &err) == ERR_OK)
            (void)!certificate_check_key(bytes_of(copy, len), bytes_of_str(mine.key), &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(keys_that_do_not_fit),
        cmocka_unit_test(chains_that_are_cut),
        cmocka_unit_test(bytes_changed),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
