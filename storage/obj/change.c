/* change.c - see change.h. */
#include "storage/obj/change.h"

#include "storage/obj/each.h"
#include "storage/obj/internal.h"

#define CHANGE_ARENA_MAX KIB(64)
#define TAIL_MAX         1000 /* numbers kept while nobody reads */
#define SLACK_MIN        1000 /* numbers trimmed at once, at least: a range deleted is not free */

static const struct bytes floor_row = {(const uint8_t *)"changes_floor", 13};

/* One row: a number under a key. */
static enum err_code read_number(struct store *store, const struct key *row, bool *ret_found,
                                 uint64_t *ret_seq, struct err *err)
{
    struct kv_value value;
    *ret_seq = 0;
    enum err_code rc = kv_find(store->kv, KV_META, key_bytes(row), ret_found, &value, err);
    if (rc != ERR_OK || !*ret_found)
        return rc;
    rc = record_decode_cursor(value.bytes, ret_seq, err);
    kv_value_free(store->kv, &value);
    return rc;
}

static enum err_code write_number(struct store *store, const struct key *row, uint64_t seq,
                                  struct err *err)
{
    struct arena arena;
    arena_init(&arena, CHANGE_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    commit_put(&batch, KV_META, key_bytes(row), record_encode_cursor(seq, &arena));
    enum err_code rc = commit(store->committer, &batch, err);
    arena_done(&arena);
    return rc;
}

static enum err_code check_name(struct bytes name, struct err *err)
{
    if (name.len >= 1 && name.len <= CHANGE_READER_NAME_MAX)
        return ERR_OK;
    return err_fail(err, ERR_INVALID, "CHANGE_READER_NAME_MAX: a reader's name has 1 to %d bytes",
                    CHANGE_READER_NAME_MAX);
}

enum err_code change_reader_add(struct store *store, struct bytes name, uint64_t *ret_seq,
                                struct err *err)
{
    enum err_code rc = check_name(name, err);
    if (rc != ERR_OK)
        return rc;
    struct key row = key_named(TAG_CURSOR, name);
    bool found;
    pthread_mutex_lock(&store->readers_lock);
    rc = read_number(store, &row, &found, ret_seq, err);
    if (rc == ERR_OK && !found) {
        *ret_seq = committer_durable_seq(store->committer);
        rc = write_number(store, &row, *ret_seq, err);
    }
    pthread_mutex_unlock(&store->readers_lock);
    return rc;
}

enum err_code change_reader_remove(struct store *store, struct bytes name, struct err *err)
{
    enum err_code rc = check_name(name, err);
    if (rc != ERR_OK)
        return rc;
    struct arena arena;
    arena_init(&arena, CHANGE_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    struct key row = key_named(TAG_CURSOR, name);
    commit_delete(&batch, KV_META, key_bytes(&row));
    pthread_mutex_lock(&store->readers_lock);
    rc = commit(store->committer, &batch, err);
    pthread_mutex_unlock(&store->readers_lock);
    arena_done(&arena);
    return rc;
}

static enum err_code ack_locked(struct store *store, struct bytes name, uint64_t seq,
                                struct err *err)
{
    struct key row = key_named(TAG_CURSOR, name);
    uint64_t cursor;
    bool found;
    enum err_code rc = read_number(store, &row, &found, &cursor, err);
    if (rc != ERR_OK)
        return rc;
    if (!found)
        return err_fail(err, ERR_NOT_FOUND, "no reader '%" BYTES_FMT "'", BYTES_ARG(name));
    if (seq > committer_durable_seq(store->committer))
        return err_fail(err, ERR_INVALID, "there is no change %llu yet", (unsigned long long)seq);
    return seq > cursor ? write_number(store, &row, seq, err) : ERR_OK;
}

enum err_code change_reader_ack(struct store *store, struct bytes name, uint64_t seq,
                                struct err *err)
{
    enum err_code rc = check_name(name, err);
    if (rc != ERR_OK)
        return rc;
    pthread_mutex_lock(&store->readers_lock);
    rc = ack_locked(store, name, seq, err);
    pthread_mutex_unlock(&store->readers_lock);
    return rc;
}

/* Rows after `after` up to `until`. */
static enum err_code read_rows(struct store *store, uint64_t after, uint64_t until, size_t max,
                               struct arena *arena, struct change_page *page, struct err *err)
{
    const struct kv_calls *calls = store->kv->calls;
    struct key from = key_bare(after + 1), behind = key_bare(until + 1);
    struct kv_iter *iter;
    enum err_code rc = calls->iter_open(store->kv, NULL, KV_CHANGES, key_bytes(&from),
                                        key_bytes(&behind), &iter, err);
    if (rc != ERR_OK)
        return rc;
    struct bytes key, value;
    for (; rc == ERR_OK && page->count < max && calls->iter_at(iter, &key, &value);
         calls->iter_next(iter))
        rc = record_decode_change(value, arena, &page->changes[page->count++], err);
    if (rc == ERR_OK)
        rc = calls->iter_check(iter, err);
    calls->iter_close(iter);
    page->upto = page->count == max && max ? page->changes[max - 1].seq : until;
    return rc;
}

enum err_code change_read(struct store *store, uint64_t after, size_t max, struct arena *arena,
                          struct change_page *ret_page, struct err *err)
{
    *ret_page = (struct change_page){.upto = after};
    ret_page->changes = arena_alloc(arena, (max ? max : 1) * sizeof(*ret_page->changes));
    if (!ret_page->changes)
        return err_fail(err, ERR_NO_MEMORY, "changes");
    uint64_t until = committer_durable_seq(store->committer);
    struct key row = key_named(TAG_SYSTEM, floor_row);
    uint64_t floor;
    bool found;
    enum err_code rc = ERR_OK;
    if (after < until)
        rc = read_rows(store, after, until, max, arena, ret_page, err);
    /* Looked at after the rows: what was trimmed meanwhile is not missed. */
    if (rc == ERR_OK)
        rc = read_number(store, &row, &found, &floor, err);
    ret_page->lost = rc == ERR_OK && found && after < floor;
    return rc;
}

void change_wait(struct store *store, uint64_t after, uint32_t timeout_ms)
{
    (void)committer_wait(store->committer, after, timeout_ms);
}

struct lowest {
    bool any;
    uint64_t seq;
};

static enum err_code note_lowest(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                                 struct err *err)
{
    (void)key, (void)ret_enough;
    struct lowest *lowest = ctx;
    uint64_t seq;
    enum err_code rc = record_decode_cursor(value, &seq, err);
    if (rc == ERR_OK && (!lowest->any || seq < lowest->seq))
        *lowest = (struct lowest){true, seq};
    return rc;
}

/* The lowest cursor of all readers. ret_any  there are readers */
static enum err_code lowest_cursor(struct store *store, bool *ret_any, uint64_t *ret_seq,
                                   struct err *err)
{
    struct lowest lowest = {0};
    enum err_code rc = each_of_tag(store->kv, TAG_CURSOR, note_lowest, &lowest, err);
    *ret_any = lowest.any;
    *ret_seq = lowest.seq;
    return rc;
}

enum err_code change_lag(struct store *store, uint64_t *ret_lag, struct err *err)
{
    uint64_t last = committer_durable_seq(store->committer), lowest;
    bool any;
    *ret_lag = 0;
    enum err_code rc = lowest_cursor(store, &any, &lowest, err);
    if (rc == ERR_OK && any && lowest < last)
        *ret_lag = last - lowest;
    return rc;
}

struct telling {
    uint64_t last;
    change_reader_fn fn;
    void *ctx;
};

static enum err_code tell_reader(void *ctx, struct bytes key, struct bytes value, bool *ret_enough,
                                 struct err *err)
{
    (void)ret_enough;
    const struct telling *telling = ctx;
    uint64_t seq;
    enum err_code rc = record_decode_cursor(value, &seq, err);
    if (rc != ERR_OK)
        return rc;
    uint64_t lag = seq < telling->last ? telling->last - seq : 0;
    return telling->fn(telling->ctx, bytes_from(key, 1), lag, err); /* a tag, then the name */
}

enum err_code change_reader_each(struct store *store, change_reader_fn fn, void *ctx,
                                 struct err *err)
{
    struct telling telling = {committer_durable_seq(store->committer), fn, ctx};
    return each_of_tag(store->kv, TAG_CURSOR, tell_reader, &telling, err);
}

/* Up to which number nobody needs the log. The newest row stays: it tells a restart
 * where to go on. (The newest number may have no row: its batch failed for space.) */
static enum err_code find_target(struct store *store, uint64_t *ret_target, struct err *err)
{
    uint64_t lowest, last, stamp, keep = store->changes_max;
    bool any;
    enum err_code rc = lowest_cursor(store, &any, &lowest, err);
    if (rc == ERR_OK)
        rc = store_last_seq(store->kv, &last, &stamp, err);
    if (rc != ERR_OK)
        return rc;
    if (!any && keep > TAIL_MAX)
        keep = TAIL_MAX;
    uint64_t capped = last > keep ? last - keep : 0;
    *ret_target = any && lowest > capped ? lowest : capped;
    if (*ret_target >= last)
        *ret_target = last ? last - 1 : 0;
    return ERR_OK;
}

static enum err_code trim_to(struct store *store, uint64_t target, struct err *err)
{
    struct arena arena;
    arena_init(&arena, CHANGE_ARENA_MAX);
    struct commit_batch batch;
    commit_batch_init(&batch, &arena);
    struct key from = key_bare(0), until = key_bare(target + 1);
    commit_delete_range(&batch, KV_CHANGES, key_bytes(&from), key_bytes(&until));
    struct key row = key_named(TAG_SYSTEM, floor_row);
    commit_put(&batch, KV_META, key_bytes(&row), record_encode_cursor(target, &arena));
    enum err_code rc = commit(store->committer, &batch, err);
    arena_done(&arena);
    if (rc == ERR_OK)
        store->changes_floor = target;
    return rc;
}

enum err_code change_trim(struct store *store, struct err *err)
{
    uint64_t last = committer_durable_seq(store->committer), target = 0;
    enum err_code rc = ERR_OK;
    pthread_mutex_lock(&store->readers_lock);
    if (last >= store->changes_floor + SLACK_MIN)
        rc = find_target(store, &target, err);
    if (rc == ERR_OK && target >= store->changes_floor + SLACK_MIN)
        rc = trim_to(store, target, err);
    pthread_mutex_unlock(&store->readers_lock);
    return rc;
}
