/* space.c - see space.h. */
#include "appliance/space.h"

#include <errno.h>
#include <stddef.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/reserve.h"
#include "base/limits.h"

#define FLOOR_BYTES       MIB(16) /* the mark is at least this far from the end of the disk */
#define LOW_BYTES         MIB(8)  /* less available: the end of the disk */
#define TAKE_BYTES        MIB(16) /* available above the store's room when the reserve is taken */
#define FILL_BYTES_PER_MS MIB(4)  /* about the fastest that a disk is filled */
#define GIVE_ROUNDS       3
#define FAR_MS            1000
#define NEAR_MS           10

static uint64_t mark_bytes(uint64_t size, uint32_t full_percent)
{
    uint64_t mark = size / 100 * (100 - full_percent);
    return mark > FLOOR_BYTES ? mark : FLOOR_BYTES;
}

enum space_advice space_decide(uint64_t used_bytes, const struct space_limits *limits,
                               struct space_now *now)
{
    uint64_t available = now->available_bytes;
    uint64_t lacking =
        limits->reserve_bytes > now->reserve_bytes ? limits->reserve_bytes - now->reserve_bytes : 0;
    uint64_t mark = mark_bytes(used_bytes + available, limits->full_percent);
    uint64_t until = now->full ? mark + mark / 8 : mark;
    bool was_low = now->low;
    now->full = available < until + lacking;
    now->low = available < LOW_BYTES;
    if (now->low)
        return was_low && now->reserve_bytes > limits->room_bytes ? SPACE_GIVE : SPACE_KEEP;
    return lacking && available >= lacking + limits->room_bytes + TAKE_BYTES ? SPACE_TAKE
                                                                             : SPACE_KEEP;
}

void space_init(struct space *space, const char *dir, const struct space_limits *limits)
{
    space->dir = dir;
    space->limits = *limits;
    space->low = false;
    atomic_init(&space->total, 0);
    atomic_init(&space->available, 0);
    atomic_init(&space->reserve, 0);
    atomic_init(&space->full, false);
}

static enum err_code look(const char *dir, struct statvfs *ret_disk, struct err *err)
{
    if (statvfs(dir, ret_disk) != 0)
        return err_fail_sys(err, errno, "looking at the disk of '%s'", dir);
    return ERR_OK;
}

static uint64_t available_bytes(const struct statvfs *disk)
{
    return (uint64_t)disk->f_bavail * disk->f_frsize;
}

enum err_code space_measure(struct space *space, enum space_advice *ret_advice, struct err *err)
{
    struct statvfs disk;
    enum err_code code = look(space->dir, &disk, err);
    if (code != ERR_OK)
        return code;
    struct space_now now = {
        .total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize,
        .available_bytes = available_bytes(&disk),
        .reserve_bytes = reserve_held(space->dir),
        .low = space->low,
        .full = atomic_load(&space->full),
    };
    uint64_t used = (uint64_t)(disk.f_blocks - disk.f_bfree) * disk.f_frsize;
    *ret_advice = space_decide(used, &space->limits, &now);
    space->low = now.low;
    atomic_store(&space->total, now.total_bytes);
    atomic_store(&space->available, now.available_bytes);
    atomic_store(&space->reserve, now.reserve_bytes);
    atomic_store(&space->full, now.full);
    return ERR_OK;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What is given may first refill what the file system keeps for the
 * superuser, so look again. */
enum err_code space_make_room(const char *dir, uint64_t room_bytes, uint64_t keep_bytes,
                              struct err *err)
{
    for (int round = 0; round < GIVE_ROUNDS; round++) {
        struct statvfs disk;
        enum err_code code = look(dir, &disk, err);
        if (code != ERR_OK)
            return code;
        uint64_t available = available_bytes(&disk), held = reserve_held(dir);
        if (available >= room_bytes || held <= keep_bytes)
            return ERR_OK;
        code = reserve_give(dir, smaller(room_bytes - available, held - keep_bytes), err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* The superuser may use what df does not count as available. */
enum err_code space_check_end(const char *dir, struct err *err)
{
    struct statvfs disk;
    enum err_code code = look(dir, &disk, err);
    uint64_t usable = 0;
    if (code == ERR_OK)
        usable = geteuid() == 0 ? (uint64_t)disk.f_bfree * disk.f_frsize : available_bytes(&disk);
    if (code == ERR_OK && usable < LOW_BYTES)
        code = err_fail(err, ERR_NO_SPACE, "the disk is full, free at least %zu MiB: '%s'",
                        LOW_BYTES / MIB(1), dir);
    return code;
}

enum err_code space_keep(struct space *space, struct err *err)
{
    enum space_advice advice;
    enum err_code code = space_measure(space, &advice, err);
    if (code == ERR_OK && advice == SPACE_GIVE)
        code = space_make_room(space->dir, space->limits.room_bytes, space->limits.room_bytes, err);
    if (code == ERR_OK && advice == SPACE_TAKE)
        code = reserve_take(space->dir, space->limits.reserve_bytes, err);
    return code;
}

struct space_now space_now(const struct space *space)
{
    return (struct space_now){
        .total_bytes = atomic_load(&space->total),
        .available_bytes = atomic_load(&space->available),
        .reserve_bytes = atomic_load(&space->reserve),
        .full = atomic_load(&space->full),
    };
}

uint32_t space_interval_ms(const struct space *space)
{
    struct space_now now = space_now(space);
    uint64_t mark = mark_bytes(now.total_bytes, space->limits.full_percent);
    uint64_t left = now.available_bytes > mark ? now.available_bytes - mark : 0;
    uint64_t ms = left / FILL_BYTES_PER_MS;
    if (now.full || ms > FAR_MS)
        return FAR_MS;
    return ms < NEAR_MS ? NEAR_MS : (uint32_t)ms;
}
