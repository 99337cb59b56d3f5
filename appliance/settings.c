/* settings.c - see settings.h. */
#include "appliance/settings.h"

#include "base/limits.h"

#define ROOM_SPARE_BYTES MIB(24) /* beside the memtables: logs, manifest, folders */

#define SETTING(name, type, fallback, min, max, unit, help)                                        \
    {name, SETTING_##type, fallback, min, max, unit, help},

static const struct setting rows[] = {
#include "appliance/settings.def"
};

const struct setting *settings_rows(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(rows);
    return rows;
}

static bool is_set(const struct settings *settings, const char *name)
{
    return settings_text(settings, name)[0] != '\0';
}

uint64_t settings_room_bytes(const struct settings *settings)
{
    return settings_u64(settings, "store.memtable_bytes") + ROOM_SPARE_BYTES;
}

enum err_code settings_check(const struct settings *settings, struct err *err)
{
    if (is_set(settings, "api.tls_cert") != is_set(settings, "api.tls_key"))
        return err_fail(err, ERR_INVALID, "set both of api.tls_cert and api.tls_key, or none");
    if (settings_u64(settings, "store.segment_bytes") % MIB(1) != 0)
        return err_fail(err, ERR_INVALID, "store.segment_bytes must be a multiple of 1M");
    if (settings_u64(settings, "store.reserve_bytes") < 2 * settings_room_bytes(settings))
        return err_fail(err, ERR_INVALID,
                        "store.reserve_bytes must be at least twice store.memtable_bytes and %zuM",
                        2 * ROOM_SPARE_BYTES / MIB(1));
    return ERR_OK;
}
