/* condition_fuzz.c - conditions of any text: the verdicts agree with each other.
 *
 * Input     lines "name:value"
 * Catches   a date that wins over a tag (the `else` of condition_read() left out) */
#include "storage/s3/condition.h"

#include <assert.h>

#include "tests/fuzz/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record_object object = {.etag = {0xd4, 0x1d, 0x8c, 0xd9},
                                            .modified_unix_ms = 1795515379500};

static void check(const struct condition *condition)
{
    enum condition_verdict read = condition_read(condition, &object);
    enum condition_verdict copy = condition_copy(condition, &object);
    enum condition_verdict write = condition_write(condition, &object);
    enum condition_verdict absent = condition_write(condition, NULL);
    assert((read == CONDITION_PASS) == (copy == CONDITION_PASS));
    assert(copy == CONDITION_PASS || copy == CONDITION_FAILED);
    assert(write == CONDITION_PASS || write == CONDITION_FAILED);
    assert(absent == (condition->match.data ? CONDITION_NO_KEY : CONDITION_PASS));
    if (condition->match.data && condition->none_match.data)
        assert((read == CONDITION_PASS) == (write == CONDITION_PASS));
    if (condition_is_empty(condition))
        assert(read == CONDITION_PASS && write == CONDITION_PASS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fields fields;
    struct condition own, copy;
    fields_cut(&fields, bytes_of(data, size));
    own = condition_of(&fields.head);
    copy = condition_of_copy_source(&fields.head);
    check(&own);
    check(&copy);
    condition_range(http_head_find(&fields.head, "if-range"), &object);
    return 0;
}
