/* tls.c - see tls.h.
 *
 * Threads   one, at the start. */
#include "appliance/tls.h"

#include "base/certificate.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#define CERT    "api.tls_cert"
#define KEY     "api.tls_key"
#define PEM_MAX KIB(256) /* bytes of a certificate chain or key */

static enum err_code read_file(const struct settings *settings, const char *setting,
                               struct arena *arena, struct bytes *ret_pem, struct err *err)
{
    const char *path = settings_text(settings, setting);
    enum err_code code = file_read(path, PEM_MAX, arena, ret_pem, err);
    return code == ERR_OK ? code : err_add(err, "%s", setting);
}

/* "setting 'path': what is wrong" */
static enum err_code blame(const struct settings *settings, const char *setting, struct err *err)
{
    return err_add(err, "%s '%s'", setting, settings_text(settings, setting));
}

static void warn_of_times(const struct certificate_times *times, uint64_t now_unix_ms,
                          const char *path)
{
    char when[CLOCK_TEXT_MAX];
    bool is_over = now_unix_ms > times->end_unix_ms;
    if (!is_over && now_unix_ms >= times->begin_unix_ms)
        return;
    clock_format_iso(is_over ? times->end_unix_ms : times->begin_unix_ms, when);
    log_message(LOG_WARN, "tls", "%s '%s': the certificate %s %s", CERT, path,
                is_over ? "expired at" : "is not valid before", when);
}

enum err_code tls_read(const struct settings *settings, const struct clock *clock,
                       struct arena *arena, struct tls_files *ret_files, struct err *err)
{
    struct tls_files files = {0};
    struct certificate_times times;
    const char *path = settings_text(settings, CERT);
    *ret_files = files;
    if (!path[0])
        return ERR_OK;
    enum err_code code = read_file(settings, CERT, arena, &files.cert, err);
    if (code == ERR_OK)
        code = read_file(settings, KEY, arena, &files.key, err);
    if (code != ERR_OK)
        return code;
    if (certificate_read(files.cert, &times, err) != ERR_OK)
        return blame(settings, CERT, err);
    if (certificate_check_key(files.cert, files.key, err) != ERR_OK)
        return blame(settings, KEY, err);
    warn_of_times(&times, clock_unix_ms(clock), path);
    *ret_files = files;
    return ERR_OK;
}
