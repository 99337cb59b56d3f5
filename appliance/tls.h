/* tls.h - the certificate and the key that the settings api.tls_cert and
 * api.tls_key name, read and checked before anything is started with them.
 *
 * Threads   one, at the start. */
#ifndef APPLIANCE_TLS_H
#define APPLIANCE_TLS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/settings.h"

struct tls_files {
    struct bytes cert, key; /* PEM, arena memory; both empty without TLS */
};

/* Read and check both. Every error names the setting and the file.
 *
 * clock   a certificate that is not valid now is taken, and a warning logged: a box whose
 *         clock is wrong must be reachable
 * errors  ERR_INVALID (not PEM, a key with a passphrase or of another certificate),
 *         ERR_NOT_FOUND, ERR_LIMIT, ERR_IO, ERR_NO_MEMORY */
MUST_USE enum err_code tls_read(const struct settings *settings, const struct clock *clock,
                                struct arena *arena, struct tls_files *ret_files, struct err *err);

#endif
