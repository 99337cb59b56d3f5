/* audit_fixture.h - what tests of the audit log stand on: a fake store, the real
 * committer, a clock that the test owns, a log.
 *
 * Include once in a program, after cmocka.h. */
#ifndef TESTS_UNIT_APPLIANCE_AUDIT_FIXTURE_H
#define TESTS_UNIT_APPLIANCE_AUDIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include <stdio.h>

#include "appliance/audit_read.h"
#include "appliance/audit_row.h"
#include "tests/unit/storage/kv/fake_kv.h"

struct audit_fixture {
    struct fake_kv *fake;
    struct committer *committer;
    struct audit *audit;
    uint64_t now_ms; /* of both clocks */
    struct clock clock;
    struct arena arena;
    struct audit_report report;
    struct err err;
};

UNUSED static uint64_t audit_fixture_now(void *ctx)
{
    return ((struct audit_fixture *)ctx)->now_ms;
}

UNUSED static void audit_fixture_open(struct audit_fixture *f)
{
    assert_int_equal(audit_open(&f->fake->kv, f->committer, &f->clock, &f->audit, &f->err), ERR_OK);
}

/* As a restart would. */
UNUSED static void audit_fixture_reopen(struct audit_fixture *f)
{
    audit_close(f->audit);
    audit_fixture_open(f);
}

UNUSED static int audit_fixture_setup(void **state)
{
    struct audit_fixture *f = calloc(1, sizeof(*f));
    f->fake = fake_kv_new();
    f->now_ms = 1795521071000;
    f->clock = (struct clock){audit_fixture_now, audit_fixture_now, f};
    arena_init(&f->arena, MIB(16));
    assert_int_equal(seal_start(&f->err), ERR_OK);
    assert_int_equal(committer_start(&f->fake->kv, &f->clock, 0, 0, &f->committer, &f->err),
                     ERR_OK);
    audit_fixture_open(f);
    *state = f;
    return 0;
}

UNUSED static int audit_fixture_teardown(void **state)
{
    struct audit_fixture *f = *state;
    audit_close(f->audit);
    committer_stop(f->committer);
    fake_kv_free(f->fake);
    arena_done(&f->arena);
    free(f);
    return 0;
}

UNUSED static enum err_code audit_fixture_try(struct audit_fixture *f, const char *resource)
{
    const struct audit_entry entry = {
        .actor = {.user = BYTES_LIT("ann"), .address = BYTES_LIT("192.0.2.1")},
        .action = BYTES_LIT("test:do"),
        .resource = bytes_of_str(resource),
        .result = BYTES_LIT("ok"),
    };
    return audit_write(f->audit, &entry, &f->err);
}

/* Write entries "1", "2" … behind those that are there. */
UNUSED static void audit_fixture_write(struct audit_fixture *f, size_t count)
{
    char name[24];
    for (size_t i = 1; i <= count; i++) {
        snprintf(name, sizeof(name), "%zu", i);
        assert_int_equal(audit_fixture_try(f, name), ERR_OK);
    }
}

/* The first broken entry; 0 = the chain holds. */
UNUSED static uint64_t audit_fixture_broken(struct audit_fixture *f)
{
    assert_int_equal(audit_read_verify(f->audit, &f->report, &f->err), ERR_OK);
    return f->report.broken_seq;
}

UNUSED static struct audit_entry *audit_fixture_list(struct audit_fixture *f, uint64_t since,
                                                     size_t *ret_count)
{
    struct audit_entry *entries;
    assert_int_equal(audit_read_list(f->audit, since, &f->arena, &entries, ret_count, &f->err),
                     ERR_OK);
    return entries;
}

/* A row as it lies in the store, past the log. */
UNUSED static struct bytes audit_fixture_row(struct audit_fixture *f, uint64_t seq)
{
    struct audit_row_key key = audit_row_key(seq);
    struct kv_value value;
    assert_int_equal(kv_get(&f->fake->kv, KV_META, audit_row_key_bytes(&key), &value, &f->err),
                     ERR_OK);
    struct bytes copy = arena_copy(&f->arena, value.bytes);
    kv_value_free(&f->fake->kv, &value);
    return copy;
}

UNUSED static void audit_fixture_set(struct audit_fixture *f, uint64_t seq, struct bytes row)
{
    struct audit_row_key key = audit_row_key(seq);
    fake_kv_set(f->fake, KV_META, audit_row_key_bytes(&key), row);
}

UNUSED static void audit_fixture_remove(struct audit_fixture *f, struct bytes key)
{
    struct kv_op op = {.kind = KV_DELETE, .family = KV_META, .key = key};
    assert_int_equal(f->fake->kv.calls->write(&f->fake->kv, &op, 1, true, &f->err), ERR_OK);
}

#endif
