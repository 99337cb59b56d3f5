/* audit_repeat.c - see audit_repeat.h.
 *
 * Threads   `lock` is a leaf; `flushing` is held by who writes, over the commit. */
#include "appliance/audit_repeat.h"

#include <pthread.h>
#include <stdlib.h>

#define OTHERS      4 /* of the kinds: one for each action that has too many of them */
#define MINUTE_MS   60000
#define TEXTS_BYTES (AUDIT_RESOURCE_MAX + 6 * AUDIT_TEXT_MAX)

/* The texts of a kind, one behind the other; the first four tell kinds apart. */
enum text { ACTION, ADDRESS, RESOURCE, RESULT, USER, ACCESS_KEY, REQUEST_ID, TEXTS };
#define TEXTS_OF_KIND USER

struct kind {
    uint64_t count, since_unix_ms;
    size_t len[TEXTS]; /* bytes */
    uint8_t data[TEXTS_BYTES];
};

struct audit_repeat {
    struct audit *audit;
    struct metrics_counter total;
    pthread_mutex_t flushing;
    uint64_t refilled_ms; /* under flushing, as the next */
    uint64_t tokens;      /* entries that may be written now */

    pthread_mutex_t lock;
    size_t used; /* under lock, as the next */
    struct kind kinds[AUDIT_REPEAT_MAX];
};

enum err_code audit_repeat_new(struct audit *audit, struct audit_repeat **ret_repeat,
                               struct err *err)
{
    struct audit_repeat *repeat = calloc(1, sizeof(*repeat));
    if (!repeat)
        return err_fail(err, ERR_NO_MEMORY, "counts of repeated entries");
    repeat->audit = audit;
    repeat->tokens = AUDIT_REPEAT_BURST;
    repeat->refilled_ms = clock_mono_ms(audit_clock(audit));
    pthread_mutex_init(&repeat->flushing, NULL);
    pthread_mutex_init(&repeat->lock, NULL);
    *ret_repeat = repeat;
    return ERR_OK;
}

void audit_repeat_free(struct audit_repeat *repeat)
{
    if (!repeat)
        return;
    pthread_mutex_destroy(&repeat->lock);
    pthread_mutex_destroy(&repeat->flushing);
    free(repeat);
}

/* ---- note ---- */

static void fill(struct kind *kind, const struct audit_entry *entry, uint64_t now_unix_ms)
{
    const struct bytes texts[TEXTS] = {
        [ACTION] = entry->action,         [ADDRESS] = entry->actor.address,
        [RESOURCE] = entry->resource,     [RESULT] = entry->result,
        [USER] = entry->actor.user,       [ACCESS_KEY] = entry->actor.access_key,
        [REQUEST_ID] = entry->request_id,
    };
    uint8_t *to = kind->data;
    kind->count = entry->count ? entry->count : 1;
    kind->since_unix_ms = now_unix_ms;
    for (enum text i = 0; i < TEXTS; i++) {
        struct bytes text =
            bytes_first(texts[i], i == RESOURCE ? AUDIT_RESOURCE_MAX : AUDIT_TEXT_MAX);
        if (text.len)
            memcpy(to, text.data, text.len);
        kind->len[i] = text.len;
        to += text.len;
    }
}

static bool is_same(const struct kind *a, const struct kind *b)
{
    size_t len = 0;
    for (enum text i = 0; i < TEXTS_OF_KIND; len += a->len[i++])
        if (a->len[i] != b->len[i])
            return false;
    return memcmp(a->data, b->data, len) == 0;
}

/* Count it among the kinds, of which `max` may be in use; false where there is no room. */
static bool add(struct audit_repeat *repeat, const struct kind *kind, size_t max)
{
    for (size_t i = 0; i < repeat->used; i++)
        if (is_same(&repeat->kinds[i], kind)) {
            repeat->kinds[i].count += kind->count;
            return true;
        }
    if (repeat->used >= max)
        return false;
    repeat->kinds[repeat->used++] = *kind;
    return true;
}

void audit_repeat_note(struct audit_repeat *repeat, const struct audit_entry *entry)
{
    const struct audit_entry others = {.action = entry->action,
                                       .actor.address = BYTES_LIT("others"),
                                       .result = BYTES_LIT("various"),
                                       .count = entry->count};
    uint64_t now_unix_ms = clock_unix_ms(audit_clock(repeat->audit));
    struct kind kind;
    fill(&kind, entry, now_unix_ms);
    metrics_add(&repeat->total, kind.count);
    pthread_mutex_lock(&repeat->lock);
    if (!add(repeat, &kind, AUDIT_REPEAT_MAX - OTHERS)) {
        fill(&kind, &others, now_unix_ms);
        (void)add(repeat, &kind, AUDIT_REPEAT_MAX);
    }
    pthread_mutex_unlock(&repeat->lock);
}

/* ---- flush ---- */

static struct audit_entry entry_of(const struct kind *kind, struct arena *arena)
{
    struct bytes texts[TEXTS];
    const uint8_t *from = kind->data;
    char since[CLOCK_TEXT_MAX];
    for (enum text i = 0; i < TEXTS; from += kind->len[i++])
        texts[i] = bytes_of(from, kind->len[i]);
    clock_format_iso(kind->since_unix_ms, since);
    return (struct audit_entry){
        .action = texts[ACTION],
        .actor = {.user = texts[USER], .access_key = texts[ACCESS_KEY], .address = texts[ADDRESS]},
        .resource = texts[RESOURCE],
        .result = texts[RESULT],
        .detail = arena_printf(arena, "since %s", since),
        .request_id = texts[REQUEST_ID],
        .count = kind->count,
    };
}

/* Take the oldest kinds out. returns  how many */
static size_t take(struct audit_repeat *repeat, size_t max, struct kind *ret_kinds)
{
    pthread_mutex_lock(&repeat->lock);
    size_t count = repeat->used < max ? repeat->used : max;
    memcpy(ret_kinds, repeat->kinds, count * sizeof(*ret_kinds));
    repeat->used -= count;
    memmove(repeat->kinds, repeat->kinds + count, repeat->used * sizeof(*ret_kinds));
    pthread_mutex_unlock(&repeat->lock);
    return count;
}

/* Those that could not be written count on. What has come meanwhile may have taken
 * their room: then only the total knows of them. */
static void give_back(struct audit_repeat *repeat, const struct kind *kinds, size_t count)
{
    pthread_mutex_lock(&repeat->lock);
    for (size_t i = 0; i < count; i++)
        (void)add(repeat, &kinds[i], AUDIT_REPEAT_MAX);
    pthread_mutex_unlock(&repeat->lock);
}

static enum err_code write_kinds(struct audit_repeat *repeat, const struct kind *kinds,
                                 size_t count, struct err *err)
{
    struct audit_entry entries[AUDIT_REPEAT_MAX];
    struct arena arena;
    struct commit_batch batch;
    arena_init(&arena, AUDIT_ARENA_MAX);
    commit_batch_init(&batch, &arena);
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        entries[i] = entry_of(&kinds[i], &arena);
        if (!entries[i].detail.data)
            code = err_fail(err, ERR_NO_MEMORY, "writing repeated entries");
    }
    if (code == ERR_OK)
        code = audit_commit(repeat->audit, entries, count, &batch, err);
    arena_done(&arena);
    return code;
}

static void refill(struct audit_repeat *repeat)
{
    uint64_t minutes =
        (clock_mono_ms(audit_clock(repeat->audit)) - repeat->refilled_ms) / MINUTE_MS;
    repeat->refilled_ms += minutes * MINUTE_MS;
    repeat->tokens += minutes;
    if (repeat->tokens > AUDIT_REPEAT_BURST)
        repeat->tokens = AUDIT_REPEAT_BURST;
}

/* Under `flushing`. */
static enum err_code flush(struct audit_repeat *repeat, bool all, struct err *err)
{
    struct kind *kinds = malloc(AUDIT_REPEAT_MAX * sizeof(*kinds));
    enum err_code code = ERR_OK;
    if (!kinds)
        return err_fail(err, ERR_NO_MEMORY, "counts of repeated entries");
    refill(repeat);
    size_t count = take(repeat, all ? AUDIT_REPEAT_MAX : (size_t)repeat->tokens, kinds);
    if (count > 0)
        code = write_kinds(repeat, kinds, count, err);
    if (code == ERR_OK)
        repeat->tokens -= count < repeat->tokens ? count : repeat->tokens;
    else
        give_back(repeat, kinds, count);
    free(kinds);
    return code;
}

enum err_code audit_repeat_flush(struct audit_repeat *repeat, bool all, struct err *err)
{
    pthread_mutex_lock(&repeat->flushing);
    enum err_code code = flush(repeat, all, err);
    pthread_mutex_unlock(&repeat->flushing);
    return code;
}

uint64_t audit_repeat_total(const struct audit_repeat *repeat)
{
    return metrics_get(&repeat->total);
}
