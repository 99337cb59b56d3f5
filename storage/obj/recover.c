/* recover.c - after a start: space in segments that was written and never
 * committed goes back. What is alive is told by the rows of bodies, all of them.
 *
 * Threads   the sweeper's. */
#include "base/log.h"
#include "storage/obj/internal.h"

#define ARENA_MAX MIB(8) /* one row of a body */

static enum err_code tell_live(struct store *store, struct bytes row, struct arena *arena,
                               struct err *err)
{
    struct record_extents extents;
    arena_reset(arena);
    enum err_code rc = record_decode_extents(row, arena, &extents, err);
    for (size_t i = 0; rc == ERR_OK && i < extents.extent_count; i++)
        rc = segments_live(store->segments, &extents.extents[i], err);
    return rc;
}

enum err_code recover_space(struct store *store, struct err *err)
{
    const struct kv_calls *calls = store->kv->calls;
    const uint8_t first = TAG_BODY, behind = TAG_BODY + 1;
    struct kv_iter *iter;
    enum err_code rc = calls->iter_open(store->kv, NULL, KV_META, bytes_of(&first, 1),
                                        bytes_of(&behind, 1), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    segments_live_start(store->segments);
    struct bytes key, value;
    for (; rc == ERR_OK && !sweep_stopping(store) && calls->iter_at(iter, &key, &value);
         calls->iter_next(iter))
        rc = tell_live(store, value, &arena, err);
    if (rc == ERR_OK)
        rc = calls->iter_check(iter, err);
    calls->iter_close(iter);
    arena_done(&arena);
    uint64_t freed = 0;
    if (rc == ERR_OK && !sweep_stopping(store))
        rc = segments_recover(store->segments, &freed, err);
    if (freed)
        log_message(LOG_INFO, "obj", "freed %llu bytes that no record names",
                    (unsigned long long)freed);
    return rc;
}
