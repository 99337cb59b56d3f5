/* faults.h - failures under the object store of obj_fixture.h, to be armed one at a
 * time: allocations; reads, steps of iterators, snapshots and commits of the ordered
 * store; calls on segment files.
 *
 * A test that includes this names the wraps of alloc_fail.h and io_fail.h. */
#ifndef TESTS_UNIT_STORAGE_OBJ_FAULTS_H
#define TESTS_UNIT_STORAGE_OBJ_FAULTS_H

#include "tests/unit/storage/obj/obj_fixture.h"

#include "tests/unit/alloc_fail.h"
#include "tests/unit/io_fail.h"

struct fault {
    const char *name;
    void (*arm)(struct fixture *f, long nth);
    bool (*disarm)(struct fixture *f); /* returns whether it came */
    enum err_code code;                /* what a step must end in; ERR_OK = any error */
    bool poisons;                      /* the store takes no writes after it */
};

static inline void fault_arm_alloc(struct fixture *f UNUSED, long nth)
{
    alloc_fail_arm(nth);
}

static inline void fault_arm_alloc_from(struct fixture *f UNUSED, long nth)
{
    alloc_fail_arm_from(nth);
}

static inline bool fault_disarm_alloc(struct fixture *f UNUSED)
{
    return alloc_fail_disarm();
}

static inline void fault_arm_read(struct fixture *f, long nth)
{
    f->fake->fail_read = (unsigned)nth;
}

static inline void fault_arm_iter(struct fixture *f, long nth)
{
    f->fake->fail_iter = (unsigned)nth;
}

static inline void fault_arm_write(struct fixture *f, long nth)
{
    f->fake->fail_write = (unsigned)nth;
}

static inline bool fault_disarm(atomic_uint *countdown)
{
    return atomic_exchange(countdown, 0) == 0;
}

static inline bool fault_disarm_read(struct fixture *f)
{
    return fault_disarm(&f->fake->fail_read);
}

static inline bool fault_disarm_iter(struct fixture *f)
{
    return fault_disarm(&f->fake->fail_iter);
}

static inline bool fault_disarm_write(struct fixture *f)
{
    return fault_disarm(&f->fake->fail_write);
}

static inline void fault_arm_snapshot(struct fixture *f, long nth)
{
    f->fake->fail_snapshot = (unsigned)nth;
}

static inline bool fault_disarm_snapshot(struct fixture *f)
{
    return fault_disarm(&f->fake->fail_snapshot);
}

static inline void fault_arm_io(struct fixture *f UNUSED, long nth)
{
    io_fail_arm(nth, EIO);
}

static inline void fault_arm_space(struct fixture *f UNUSED, long nth)
{
    io_fail_arm(nth, ENOSPC);
}

static inline bool fault_disarm_io(struct fixture *f UNUSED)
{
    return io_fail_disarm();
}

static const struct fault fault_allocations[] = {
    {"allocation", fault_arm_alloc, fault_disarm_alloc, ERR_NO_MEMORY, false},
    {"allocations from", fault_arm_alloc_from, fault_disarm_alloc, ERR_NO_MEMORY, false},
    {"snapshot", fault_arm_snapshot, fault_disarm_snapshot, ERR_NO_MEMORY, false},
};
static const struct fault fault_reads[] = {
    {"read", fault_arm_read, fault_disarm_read, ERR_IO, false},
    {"entry", fault_arm_iter, fault_disarm_iter, ERR_IO, false},
};
static const struct fault fault_commits[] = {
    {"commit", fault_arm_write, fault_disarm_write, ERR_IO, true},
};
static const struct fault fault_files[] = {
    {"call on a file", fault_arm_io, fault_disarm_io, ERR_IO, true},
};
static const struct fault fault_full_disk = {"call on a full disk", fault_arm_space,
                                             fault_disarm_io, ERR_NO_SPACE, true};

/* The 1st call fails, then the 2nd, … until none does: `run` arms the N-th, disarms it
 * and returns whether it came. returns  how many came */
static inline long fault_each(const struct fault *fault,
                              bool (*run)(const struct fault *fault, long nth))
{
    long nth = 1;
    while (run(fault, nth))
        nth++;
    print_message("%s: %ld faults\n", fault->name, nth - 1);
    return nth - 1;
}

#endif
