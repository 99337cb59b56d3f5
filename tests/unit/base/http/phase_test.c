/* phase_test.c - every pair of the connection table.
 * Planted bug it caught: DROPPED + DONE leading back to IDLE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those four before it */

#include "base/http/phase.h"

#define I PHASE_IDLE
#define B PHASE_BODY
#define D PHASE_DISCARD
#define R PHASE_REPLY
#define X PHASE_DROPPED

static void every_pair(void **state)
{
    (void)state;
    static const enum phase EXPECTED[PHASES][PHASE_EVENTS] = {
        /* HEAD REFUSE REPLY DRAIN DONE DROP */
        {B, X, X, X, I, X}, /* IDLE */
        {X, D, R, D, I, X}, /* BODY */
        {X, D, R, D, I, X}, /* DISCARD */
        {X, X, R, D, I, X}, /* REPLY */
        {X, X, X, X, X, X}, /* DROPPED */
    };
    for (int phase = 0; phase < PHASES; phase++)
        for (int event = 0; event < PHASE_EVENTS; event++)
            assert_int_equal(phase_next((enum phase)phase, (enum phase_event)event),
                             EXPECTED[phase][event]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_pair)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
