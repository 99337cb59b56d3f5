/* recover.c - after a start: space in segments that was written and never
 * committed goes back. What is alive is told by the rows of bodies, all of them.
 *
 * Threads   the sweeper's. */
#include "base/log.h"
#include "storage/obj/each.h"
#include "storage/obj/internal.h"

#define ARENA_MAX MIB(8) /* one row of a body */

struct recovery {
    struct store *store;
    struct arena arena; /* of one row */
};

/* What nobody owns is about to be freed: a segment that it was the last of may be gone. */
static enum err_code excuse(struct store *store, struct bytes row_key, struct err *err)
{
    struct err failed;
    bool owned = true;
    enum err_code rc = ERR_OK;
    if (row_key.len == 9)
        rc = body_is_owned(store, codec_get_u64be(row_key.data + 1), &owned, &failed);
    if (rc != ERR_OK)
        *err = failed;
    return rc != ERR_OK || owned ? err->code : ERR_OK;
}

static enum err_code tell_live(void *ctx, struct bytes key, struct bytes row, bool *ret_enough,
                               struct err *err)
{
    struct recovery *recovery = ctx;
    struct record_extents extents;
    arena_reset(&recovery->arena);
    enum err_code rc = record_decode_extents(row, &recovery->arena, &extents, err);
    bool lost = false; /* some of it; the rest is alive until its row goes */
    for (size_t i = 0; rc == ERR_OK && i < extents.extent_count; i++) {
        rc = segments_live(recovery->store->segments, &extents.extents[i], err);
        lost |= rc == ERR_CORRUPT;
        rc = rc == ERR_CORRUPT ? ERR_OK : rc;
    }
    *ret_enough = worker_stopping(&recovery->store->sweeper);
    return rc == ERR_OK && lost ? excuse(recovery->store, key, err) : rc;
}

enum err_code recover_space(struct store *store, struct err *err)
{
    struct recovery recovery = {.store = store};
    arena_init(&recovery.arena, ARENA_MAX);
    segments_live_start(store->segments);
    enum err_code rc = each_of_tag(store->kv, TAG_BODY, tell_live, &recovery, err);
    arena_done(&recovery.arena);
    uint64_t freed = 0;
    if (rc == ERR_OK && !worker_stopping(&store->sweeper))
        rc = segments_recover(store->segments, &freed, err);
    if (freed)
        log_message(LOG_INFO, "obj", "freed %llu bytes that no record names",
                    (unsigned long long)freed);
    return rc;
}
