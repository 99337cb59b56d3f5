/* step_faults.h - one public function of storage/obj, called with every failure,
 * one at a time: the 1st allocation fails, then the 2nd, … until none does, and
 * the same with all after it failing too; then reads, steps of iterators and
 * commits of the ordered store, and calls on segment files.
 *
 * A step tells by `is_done` whether what it does is done. After every fault it
 * must be done where success was reported, and must not be where it was not.
 *
 * A test that includes this names the wraps of alloc_fail.h, arena_fail.h and
 * io_fail.h. The sweeper may take a fault meant for the step: then the step
 * succeeds, rightly. */
#ifndef TESTS_UNIT_STORAGE_OBJ_STEP_FAULTS_H
#define TESTS_UNIT_STORAGE_OBJ_STEP_FAULTS_H

#include "tests/unit/storage/obj/faults.h"

#include "storage/obj/segment_internal.h"
#include "tests/unit/arena_fail.h"

struct step {
    const char *name;
    void (*prepare)(struct fixture *f); /* without faults; may be NULL */
    enum err_code (*run)(struct fixture *f, struct arena *arena, struct err *err);
    bool (*is_done)(struct fixture *f); /* NULL: it changes nothing, and looks at what it got */
};

/* Wait for what a start does in the background: it is done, or it failed. */
static inline void step_wait_recovered(struct fixture *f)
{
    struct segments *segments = f->store->segments;
    bool earlier = true;
    for (int i = 0; i < 400 && earlier && !metrics_get(&f->store->stats.sweep_errors); i++) {
        earlier = false;
        pthread_mutex_lock(&segments->lock);
        for (size_t k = 0; k < segments->count; k++)
            earlier = earlier || segments->table[k]->earlier;
        pthread_mutex_unlock(&segments->lock);
        usleep(earlier ? 1000 : 0);
    }
}

static inline struct fixture *step_fixture(const struct step *step)
{
    struct fixture *f = fixture_new();
    if (step->prepare)
        step->prepare(f);
    wait_swept(f);
    return f;
}

/* The step with its N-th fault. returns  whether there was one */
static inline bool step_run(const struct step *step, const struct fault *fault, long nth,
                            struct fixture **f)
{
    struct err err = {0};
    struct arena arena;
    arena_init(&arena, MIB(16));
    fault->arm(*f, nth);
    enum err_code rc = step->run(*f, &arena, &err);
    bool hit = fault->disarm(*f);
    arena_done(&arena);
    bool wanted = rc == fault->code || fault->code == ERR_OK;
    if (rc != ERR_OK && (!hit || !wanted))
        fail_msg("%s, %s %ld: %s at %s", step->name, fault->name, nth, err.msg, err.at);
    if (step->is_done && step->is_done(*f) != (rc == ERR_OK))
        fail_msg("%s, %s %ld: it says %s, yet it is%s done", step->name, fault->name, nth,
                 err_code_name(rc), rc == ERR_OK ? " not" : "");
    if (hit && fault->poisons)
        fixture_restart(*f);
    if (hit && rc == ERR_OK && step->is_done) {
        fixture_free(*f);
        *f = step_fixture(step);
    }
    return hit;
}

/* Every step with every fault. returns  how many there were */
static inline long step_sweep(const struct step *steps, size_t count, const struct fault *faults,
                              size_t fault_count)
{
    long total = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < fault_count; k++) {
            struct fixture *f = step_fixture(&steps[i]);
            for (long nth = 1; step_run(&steps[i], &faults[k], nth, &f); nth++)
                total++;
            fixture_free(f);
        }
    print_message("%ld faults\n", total);
    return total;
}

#define STEP_SWEEP(steps, faults) step_sweep(steps, ARRAY_LEN(steps), faults, ARRAY_LEN(faults))

/* The store answers ERR_OK (true) or ERR_NOT_FOUND (false), and nothing else. */
static inline bool step_is_there(enum err_code rc, const struct err *err)
{
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        fail_msg("%s at %s", err->msg, err->at);
    return rc == ERR_OK;
}

/* A key's latest version is of that length. */
static inline bool step_has(struct fixture *f, const char *key, uint64_t len)
{
    struct err err;
    struct record_object object;
    return step_is_there(object_head(f->store, f->bucket, bytes_of_str(key),
                                     (struct object_version){.kind = VERSION_LATEST}, &f->arena,
                                     &object, &err),
                         &err) &&
           object.length == len;
}

#endif
