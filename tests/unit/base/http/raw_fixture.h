/* raw_fixture.h - raw.h for a test program that has one front, with the default caps,
 * from before its first test to after its last. Include once in a program. */
#ifndef TESTS_UNIT_BASE_HTTP_RAW_FIXTURE_H
#define TESTS_UNIT_BASE_HTTP_RAW_FIXTURE_H

#include "tests/unit/base/http/raw.h"

static struct raw_front raw;
static struct raw_reply reply; /* the last one */

static inline int raw_setup(void **state UNUSED)
{
    raw_start(&raw, NULL);
    return 0;
}

static inline int raw_teardown(void **state UNUSED)
{
    raw_stop(&raw);
    return 0;
}

#endif
