/* certificate.h - what a certificate and a private key in PEM are worth, before
 * somebody serves with them.
 *
 * Not here  TLS itself: base/http/mhd.c hands both to libmicrohttpd.
 * Threads   any. Source    RFC 5280, RFC 7468. */
#ifndef BASE_CERTIFICATE_H
#define BASE_CERTIFICATE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

struct certificate_times {
    uint64_t begin_unix_ms, end_unix_ms;
};

/* Read a chain of certificates, its own first.
 *
 * ret_times  of its own one; 0 where a time is before 1970
 * errors     ERR_INVALID (none there, or one that is damaged), ERR_NO_MEMORY */
MUST_USE enum err_code certificate_read(struct bytes chain, struct certificate_times *ret_times,
                                        struct err *err);

/* Check that this is the private key of a chain that certificate_read() took.
 *
 * errors  ERR_INVALID (no key, one with a passphrase, that of another certificate),
 *         ERR_NO_MEMORY */
MUST_USE enum err_code certificate_check_key(struct bytes chain, struct bytes key, struct err *err);

#endif
