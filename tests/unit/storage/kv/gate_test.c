/* gate_test.c - whoever shuts the gate is alone, and nobody waits for ever.
 *
 * Planted and caught: a gate_shut that called it empty with somebody inside; one
 * that gave up and left it shut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "storage/kv/gate.h"

#define THREADS 4
#define SHUTS   200

struct yard {
    struct gate gate;
    unsigned guarded; /* written behind the shut gate, read by those inside */
    atomic_bool stop;
};

static void *pass(void *arg)
{
    struct yard *yard = arg;
    while (!atomic_load(&yard->stop)) {
        gate_enter(&yard->gate);
        assert_int_equal(yard->guarded % 2, 0);
        gate_leave(&yard->gate);
    }
    return NULL;
}

static void test_who_shuts_is_alone(void **state)
{
    struct yard yard = {0};
    pthread_t threads[THREADS];
    unsigned shut = 0;
    (void)state;
    gate_init(&yard.gate);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pass, &yard), 0);
    while (shut < SHUTS) {
        if (!gate_shut(&yard.gate, 100))
            continue;
        yard.guarded++; /* odd: nobody may see it */
        usleep(200);
        yard.guarded++;
        shut++;
        gate_open(&yard.gate);
    }
    atomic_store(&yard.stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(yard.guarded, shut * 2);
    gate_done(&yard.gate);
}

static void *enter_twice(void *arg)
{
    struct yard *yard = arg;
    gate_enter(&yard->gate);
    while (!atomic_load(&yard->gate.is_shut))
        ;
    gate_enter(&yard->gate); /* has to wait until the other gives up */
    gate_leave(&yard->gate);
    gate_leave(&yard->gate);
    return NULL;
}

static void test_it_gives_up_for_one_inside_who_wants_in_again(void **state)
{
    struct yard yard = {0};
    pthread_t thread;
    (void)state;
    gate_init(&yard.gate);
    assert_int_equal(pthread_create(&thread, NULL, enter_twice, &yard), 0);
    while (atomic_load(&yard.gate.inside) == 0)
        ;
    assert_false(gate_shut(&yard.gate, 50));
    pthread_join(thread, NULL);
    assert_true(gate_shut(&yard.gate, 0));
    gate_open(&yard.gate);
    gate_done(&yard.gate);
}

static void test_it_gives_up_in_time(void **state)
{
    struct gate gate;
    (void)state;
    gate_init(&gate);
    gate_enter(&gate);
    uint64_t start_ms = clock_mono_ms(clock_system());
    assert_false(gate_shut(&gate, 1100));
    uint64_t took_ms = clock_mono_ms(clock_system()) - start_ms;
    assert_in_range(took_ms, 1050, 5000);
    gate_enter(&gate);
    gate_leave(&gate);
    gate_leave(&gate);
    gate_done(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_shuts_is_alone),
        cmocka_unit_test(test_it_gives_up_for_one_inside_who_wants_in_again),
        cmocka_unit_test(test_it_gives_up_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
