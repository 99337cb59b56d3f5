/* upload_checksum.c - ETag and checksum of an object from those of its parts.
 *
 * Source    Amazon S3 User Guide, "Checking object integrity": COMPOSITE is the
 *           digest of the parts' digests, FULL_OBJECT the CRC of all bytes. */
#include "storage/obj/upload_internal.h"

enum err_code upload_etag(const struct record_part *const *parts, size_t count,
                          uint8_t ret_etag[RECORD_ETAG_LEN], struct err *err)
{
    AUTO(hash_set) struct hash_set *set = NULL;
    enum err_code rc = hash_set_new(HASH_BIT(HASH_MD5), &set, err);
    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < count; i++)
        hash_set_update(set, bytes_of(parts[i]->etag, RECORD_ETAG_LEN));
    struct hash_value value = hash_set_finish(set, HASH_MD5);
    memcpy(ret_etag, value.data, RECORD_ETAG_LEN);
    return ERR_OK;
}

static enum err_code check_parts(enum hash_kind kind, const struct record_part *const *parts,
                                 size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!parts[i]->checksum.present || parts[i]->checksum.kind != kind)
            return err_fail_reason(err, ERR_INVALID, STORE_BAD_PART,
                                   "part %u has no checksum of the upload's kind",
                                   parts[i]->number);
    return ERR_OK;
}

static enum err_code composite(enum hash_kind kind, const struct record_part *const *parts,
                               size_t count, struct hash_value *ret_value, struct err *err)
{
    AUTO(hash_set) struct hash_set *set = NULL;
    enum err_code rc = hash_set_new(HASH_BIT(kind), &set, err);
    if (rc != ERR_OK)
        return rc;
    for (size_t i = 0; i < count; i++)
        hash_set_update(set, bytes_of(parts[i]->checksum.value.data, parts[i]->checksum.value.len));
    *ret_value = hash_set_finish(set, kind);
    return ERR_OK;
}

enum err_code upload_checksum(const struct record_upload *upload,
                              const struct record_part *const *parts, size_t count,
                              struct record_checksum *ret_checksum, struct err *err)
{
    *ret_checksum = (struct record_checksum){0};
    if (!upload->has_checksum)
        return ERR_OK;
    enum hash_kind kind = upload->checksum_kind;
    enum err_code rc = check_parts(kind, parts, count, err);
    if (rc != ERR_OK)
        return rc;
    ret_checksum->present = true;
    ret_checksum->kind = kind;
    ret_checksum->composite = upload->composite;
    if (upload->composite)
        return composite(kind, parts, count, &ret_checksum->value, err);
    ret_checksum->value = parts[0]->checksum.value;
    for (size_t i = 1; i < count; i++)
        ret_checksum->value =
            hash_crc_combine(kind, ret_checksum->value, parts[i]->checksum.value, parts[i]->length);
    return ERR_OK;
}
