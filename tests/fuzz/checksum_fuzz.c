/* checksum_fuzz.c - checksums of any text: a value that was accepted has its
 * kind's length, and written again it is the text that was read.
 *
 * Input     lines "name:value"; they serve as head and as trailer
 * Catches   a value of another length (`!=` made `>` in checksum_parse) */
#include "storage/s3/checksum.h"

#include <assert.h>

#include "tests/fuzz/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(enum hash_kind kind, const struct hash_value *value, struct bytes text)
{
    struct record_checksum checksum = {true, false, kind, *value};
    char again[CHECKSUM_TEXT_MAX];
    assert(value->len == hash_len(kind));
    checksum_text(&checksum, 0, again);
    assert(bytes_equal_str(text, again));
}

static void check_request(const struct fields *fields)
{
    struct checksum_request request;
    struct record_pair items[FIELDS_MAX];
    struct record_pairs trailer = {items, fields->head.field_count};
    struct err err;
    if (checksum_read(&fields->head, &request, &err))
        return;
    assert(request.declared == (request.in_trailer || request.expected.len > 0));
    assert(!request.in_trailer || request.expected.len == 0);
    if (request.expected.len > 0)
        check_value(request.kind, &request.expected,
                    http_head_find(&fields->head, checksum_header(request.kind)));
    if (request.md5.len > 0)
        check_value(HASH_MD5, &request.md5, http_head_find(&fields->head, "content-md5"));
    for (size_t i = 0; i < trailer.count; i++)
        items[i] = (struct record_pair){fields->items[i].name, fields->items[i].value};
    if (checksum_take_trailer(&request, &trailer, &err) == ERR_OK && request.in_trailer)
        assert(request.expected.len == hash_len(request.kind));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fields fields;
    struct checksum_policy policy;
    struct record_checksum checksum;
    struct err err;
    fields_cut(&fields, bytes_of(data, size));
    check_request(&fields);
    if (checksum_read_policy(&fields.head, &policy, &err))
        return 0;
    assert(policy.kind != HASH_CRC64NVME || !policy.composite);
    assert((policy.kind != HASH_SHA1 && policy.kind != HASH_SHA256) || policy.composite);
    if (checksum_read_object(&fields.head, &policy, 3, &checksum, &err) == ERR_OK &&
        checksum.present)
        assert(checksum.value.len == hash_len(checksum.kind));
    return 0;
}
