/* kv.c - what is the same for every ordered store: short forms and key arithmetic.
 *
 * Must not know  which store stands behind the table of calls.
 * Threads        any. */
#include "storage/kv/kv.h"

enum err_code kv_get(struct kv *kv, enum kv_family family, struct bytes key,
                     struct kv_value *ret_value, struct err *err)
{
    return kv->calls->get(kv, NULL, family, key, ret_value, err);
}

void kv_value_free(struct kv *kv, struct kv_value *value)
{
    if (value->owner)
        kv->calls->value_free(kv, value);
    *value = (struct kv_value){0};
}

enum err_code kv_find(struct kv *kv, enum kv_family family, struct bytes key, bool *ret_found,
                      struct kv_value *ret_value, struct err *err)
{
    return kv_find_in(kv, NULL, family, key, ret_found, ret_value, err);
}

enum err_code kv_find_in(struct kv *kv, const struct kv_snapshot *snapshot, enum kv_family family,
                         struct bytes key, bool *ret_found, struct kv_value *ret_value,
                         struct err *err)
{
    struct kv_value value = {0};
    struct err failed; /* a row's absence leaves the caller's untouched */
    enum err_code code = kv->calls->get(kv, snapshot, family, key, &value, &failed);
    if (code != ERR_OK && code != ERR_NOT_FOUND) {
        if (err)
            *err = failed;
        return code;
    }
    *ret_found = code == ERR_OK;
    *ret_value = value;
    return ERR_OK;
}

struct bytes kv_prefix_end(struct bytes prefix, uint8_t *room)
{
    size_t len = prefix.len;
    while (len > 0 && prefix.data[len - 1] == 0xff)
        len--;
    if (len == 0)
        return (struct bytes){0};
    memcpy(room, prefix.data, len);
    room[len - 1]++;
    return bytes_of(room, len);
}
