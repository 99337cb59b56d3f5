/* certificate.c - see certificate.h.
 *
 * Owns      openssl/pem.h, openssl/x509.h. The errors that OpenSSL keeps for a
 *           thread are emptied: what it says is for programmers.
 * Threads   any. */
#include "base/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include "base/limits.h"

/* Nobody is there to be asked for a passphrase. */
static int no_passphrase(char *buf, int size, int for_writing, void *ctx)
{
    (void)buf, (void)size, (void)for_writing, (void)ctx;
    return -1;
}

static BIO *open_text(struct bytes text)
{
    return text.len <= INT32_MAX ? BIO_new_mem_buf(text.data, (int)text.len) : NULL;
}

/* The end of the text, as opposed to something that cannot be read. */
static bool is_end_of_pem(void)
{
    unsigned long why = ERR_peek_last_error();
    return ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
}

/* The first certificate; the others are only looked at. NULL: none, or not all can be read. */
static X509 *read_chain(BIO *from)
{
    X509 *first = PEM_read_bio_X509(from, NULL, no_passphrase, NULL);
    X509 *next = first;
    while (next) {
        next = PEM_read_bio_X509(from, NULL, no_passphrase, NULL);
        X509_free(next);
    }
    if (first && !is_end_of_pem()) {
        X509_free(first);
        first = NULL;
    }
    ERR_clear_error();
    return first;
}

static enum err_code open_chain(struct bytes chain, X509 **ret_first, struct err *err)
{
    BIO *from = open_text(chain);
    if (!from)
        return err_fail(err, ERR_NO_MEMORY, "certificate");
    *ret_first = read_chain(from);
    BIO_free(from);
    return *ret_first ? ERR_OK : err_fail(err, ERR_INVALID, "no certificate in PEM");
}

static uint64_t unix_ms_of(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return 0;
    time_t seconds = timegm(&parts);
    return seconds > 0 ? (uint64_t)seconds * 1000 : 0;
}

enum err_code certificate_read(struct bytes chain, struct certificate_times *ret_times,
                               struct err *err)
{
    X509 *first;
    enum err_code code = open_chain(chain, &first, err);
    if (code != ERR_OK)
        return code;
    *ret_times = (struct certificate_times){unix_ms_of(X509_get0_notBefore(first)),
                                            unix_ms_of(X509_get0_notAfter(first))};
    X509_free(first);
    return ERR_OK;
}

static enum err_code read_key(struct bytes key, EVP_PKEY **ret_key, struct err *err)
{
    BIO *from = open_text(key);
    if (!from)
        return err_fail(err, ERR_NO_MEMORY, "private key");
    *ret_key = PEM_read_bio_PrivateKey(from, NULL, no_passphrase, NULL);
    BIO_free(from);
    ERR_clear_error();
    return *ret_key ? ERR_OK
                    : err_fail(err, ERR_INVALID, "no private key in PEM without a passphrase");
}

enum err_code certificate_check_key(struct bytes chain, struct bytes key, struct err *err)
{
    X509 *first;
    EVP_PKEY *parsed = NULL;
    enum err_code code = open_chain(chain, &first, err);
    if (code != ERR_OK)
        return code;
    code = read_key(key, &parsed, err);
    if (code == ERR_OK && X509_check_private_key(first, parsed) != 1)
        code = err_fail(err, ERR_INVALID, "not the key of this certificate");
    ERR_clear_error();
    EVP_PKEY_free(parsed);
    X509_free(first);
    return code;
}
