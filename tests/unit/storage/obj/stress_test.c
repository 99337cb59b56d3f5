/* stress_test.c - everything at once (OBJ-PUT-1, OBJ-PUT-2, OBJ-FREE-1, OBJ-SCRUB-1,
 * OBJ-COMPACT-2):
 * threads put, overwrite, delete, copy, upload, read, list and give up on the
 * same few keys, in a bucket with versions and one without, while a scrub
 * reads all of it and compaction empties segments as soon as half of one is dead;
 * between rounds the store is closed and opened again.
 *
 * Bodies are made of words of 16 bytes that say what they are from and where
 * they belong, so that a lost, foreign, old or zero byte is seen. Each thread
 * also has keys of its own, which must always be what it wrote last. In the end
 * everything is deleted, and nothing may be left.
 *
 * VALISE_STRESS_SECONDS says how long it runs. Made for the sanitizers: run it
 * in the variants asan and tsan.
 *
 * Planted bugs that it caught: a sweeper that does not look at pins; space that is
 * given back although a record names it; keys that are not locked; a start that
 * punches a page too much; the old place of a body that moved punched while a
 * reader is there.
 */
#include "tests/unit/storage/obj/obj_fixture.h"

#include "storage/obj/scrub.h"

#define SECONDS     10
#define ROUND_MS    2000
#define WORKERS     6
#define SHARED_KEYS 8
#define OWN_KEYS    3
#define UPLOADS     4
#define READ_MAX    MIB(2)
#define BIG_BYTES   MIB(6)
#define PART_BYTES  MIB(5) /* all parts but the last: where one word need not follow another */
#define BUCKETS     2

/* No cmocka in threads: it would jump out of them. */
#define demand(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "stress_test:%d: ", __LINE__);                                         \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct own_key {
    bool present;
    uint32_t salt;
    uint64_t len;
};

struct shared_upload {
    int bucket, key;
    char id[UPLOAD_ID_TEXT]; /* empty: none */
};

struct stress {
    struct fixture *f;
    uint64_t moved; /* bodies */
    struct bucket *buckets[BUCKETS];
    atomic_bool stop;
    pthread_mutex_t lock;
    struct shared_upload uploads[UPLOADS]; /* lock */
};

struct client {
    struct stress *s;
    pthread_t thread;
    unsigned number;
    uint64_t random;
    uint32_t salts;
    struct own_key own[BUCKETS][OWN_KEYS];
    struct arena arena; /* of one operation */
    uint8_t *memory;    /* READ_MAX */
    uint64_t operations;
};

/* ---- words ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x7FB5D329728EA185u;
    x = (x ^ x >> 27) * 0x81DADEF4BC2DD44Du;
    return x ^ x >> 33;
}

static void make_word(uint8_t *to, uint32_t salt, uint32_t at)
{
    codec_put_u32be(to, salt);
    codec_put_u32be(to + 4, at);
    codec_put_u64be(to + 8, mix((uint64_t)salt << 32 | at));
}

/* Bytes [from, from + len) of a body; `from` is that of a word. */
static void make_words(uint8_t *to, uint32_t salt, uint64_t from, size_t len)
{
    uint8_t word[16];
    for (size_t at = 0; at < len; at += sizeof(word)) {
        make_word(word, salt, (uint32_t)((from + at) / sizeof(word)));
        memcpy(to + at, word, len - at < sizeof(word) ? len - at : sizeof(word));
    }
}

/* What was read of `object` from `from` on is what belongs there. */
static void check_words(const struct record_object *object, const uint8_t *data, uint64_t from,
                        size_t len)
{
    uint32_t salt = codec_get_u32be(object->etag), at = (uint32_t)(from / 16);
    uint8_t want[16];
    for (size_t i = 0; i < len; i += 16, at++) {
        size_t now = len - i < 16 ? len - i : 16;
        bool part_begins = object->parts && (i == 0 || (from + i) % PART_BYTES == 0);
        if (part_begins && now < 16)
            return; /* too short to say what it is */
        if (part_begins) {
            salt = codec_get_u32be(data + i);
            at = codec_get_u32be(data + i + 4);
        }
        make_word(want, salt, at);
        demand(memcmp(data + i, want, now) == 0,
               "wrong bytes at %llu of %llu, body %016llx kind %d", (unsigned long long)(from + i),
               (unsigned long long)object->length, (unsigned long long)object->body.id,
               object->body.kind);
    }
}

/* ---- choices ---- */

static uint32_t pick(struct client *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(mix(w->random) >> 32) % below;
}

static uint64_t pick_len(struct client *w)
{
    static const uint32_t most[] = {40, KIB(5), OBJ_INLINE_MAX + 2, KIB(300), KIB(1500)};
    return pick(w, most[pick(w, ARRAY_LEN(most))]);
}

static struct bytes shared_key(struct client *w, int key)
{
    return arena_printf(&w->arena, "dir/%d", key);
}

static struct bytes own_key(struct client *w, int key)
{
    return arena_printf(&w->arena, "own/%u/%d", w->number, key);
}

static bool is_absent(enum err_code rc)
{
    return rc == ERR_NOT_FOUND;
}

/* ---- operations ---- */

static enum err_code write_words(struct client *w, struct body_writer *writer, uint32_t salt,
                                 uint64_t len, struct err *err)
{
    size_t step = pick(w, 2) ? KIB(64) : 16 * (1 + pick(w, 9000));
    enum err_code rc = ERR_OK;
    for (uint64_t at = 0; rc == ERR_OK && at < len; at += step) {
        size_t now = len - at < step ? (size_t)(len - at) : step;
        make_words(w->memory, salt, at, now);
        rc = body_writer_write(writer, bytes_of(w->memory, now), err);
    }
    return rc;
}

static struct body_writer *write_body(struct client *w, uint32_t salt, uint64_t len)
{
    struct err err;
    struct body_writer *writer;
    uint64_t announced = pick(w, 3) ? len : BODY_LENGTH_UNKNOWN;
    demand(body_writer_open(w->s->f->store, announced, &writer, &err) == ERR_OK, "%s", err.msg);
    demand(write_words(w, writer, salt, len, &err) == ERR_OK, "%s", err.msg);
    return writer;
}

static uint32_t new_salt(struct client *w)
{
    return w->number << 24 | ++w->salts;
}

static void put_words(struct client *w, int bucket, struct bytes key, uint32_t salt, uint64_t len)
{
    struct err err;
    struct record_object stored;
    struct object_put put = {.key = key,
                             .object = {.owner = OWNER},
                             .body = write_body(w, salt, len),
                             .operation = CHANGE_OBJECT_PUT};
    codec_put_u32be(put.object.etag, salt);
    enum err_code rc =
        object_put(w->s->f->store, w->s->buckets[bucket], &put, &w->arena, &stored, &err);
    demand(rc == ERR_OK, "put: %s at %s", err.msg, err.at);
}

/* A range of it, or all where that is not too much. */
static void read_words(struct client *w, const struct record_object *object,
                       struct body_reader *reader)
{
    struct err err;
    uint64_t from = object->length ? pick(w, (uint32_t)object->length) / 16 * 16 : 0;
    if (object->length <= READ_MAX && pick(w, 2))
        from = 0;
    size_t fill = 0,
           most = object->length - from < READ_MAX ? (size_t)(object->length - from) : READ_MAX;
    while (fill < most) {
        size_t room = most - fill < KIB(256) || pick(w, 2) ? most - fill : 1 + pick(w, KIB(256));
        size_t len = 0;
        enum err_code rc =
            body_reader_read(reader, from + fill, w->memory + fill, room, &len, &err);
        demand(rc == ERR_OK, "read: %s at %s", err.msg, err.at);
        fill += len;
    }
    check_words(object, w->memory, from, fill);
}

/* returns  false where there is no such object */
static bool get_words_after(struct client *w, int bucket, struct bytes key,
                            struct object_version version, unsigned ms,
                            struct record_object *ret_object)
{
    struct err err;
    AUTO(body_reader) struct body_reader *reader = NULL;
    enum err_code rc = object_get(w->s->f->store, w->s->buckets[bucket], key, version, &w->arena,
                                  ret_object, &reader, &err);
    demand(rc == ERR_OK || is_absent(rc), "get: %s at %s", err.msg, err.at);
    usleep(ms * 1000);
    if (rc == ERR_OK)
        read_words(w, ret_object, reader);
    return rc == ERR_OK;
}

static bool get_words(struct client *w, int bucket, struct bytes key, struct object_version version,
                      struct record_object *ret_object)
{
    return get_words_after(w, bucket, key, version, 0, ret_object);
}

static void do_put(struct client *w)
{
    uint64_t len = pick_len(w);
    put_words(w, (int)pick(w, BUCKETS), shared_key(w, (int)pick(w, SHARED_KEYS)), new_salt(w), len);
}

static void do_put_big(struct client *w)
{
    put_words(w, 0, BYTES_LIT("big"), new_salt(w), BIG_BYTES + pick(w, 1000));
}

static void do_get(struct client *w)
{
    struct record_object object;
    int bucket = (int)pick(w, BUCKETS);
    struct object_version version = {.kind = pick(w, 8) ? VERSION_LATEST : VERSION_NULL};
    (void)get_words(w, bucket, shared_key(w, (int)pick(w, SHARED_KEYS)), version, &object);
}

/* Somebody who reads while the body is deleted, or moves. */
static void do_get_late(struct client *w)
{
    struct record_object object;
    struct bytes key = pick(w, 4) ? shared_key(w, (int)pick(w, SHARED_KEYS)) : BYTES_LIT("big");
    (void)get_words_after(w, (int)pick(w, BUCKETS), key, (struct object_version){0}, pick(w, 300),
                          &object);
}

static void do_delete(struct client *w)
{
    struct err err;
    struct object_deleted deleted;
    struct object_delete request = {.key = shared_key(w, (int)pick(w, SHARED_KEYS)), .user = OWNER};
    enum err_code rc = object_delete(w->s->f->store, w->s->buckets[pick(w, BUCKETS)], &request,
                                     &w->arena, &deleted, &err);
    demand(rc == ERR_OK, "delete: %s at %s", err.msg, err.at);
}

static void do_delete_many(struct client *w)
{
    struct err err;
    struct object_delete requests[3];
    struct object_delete_result results[3];
    for (size_t i = 0; i < 3; i++)
        requests[i] =
            (struct object_delete){.key = shared_key(w, (int)pick(w, SHARED_KEYS)), .user = OWNER};
    enum err_code rc = object_delete_many(w->s->f->store, w->s->buckets[pick(w, BUCKETS)], requests,
                                          3, &w->arena, results, &err);
    demand(rc == ERR_OK, "delete many: %s", err.msg);
    for (size_t i = 0; i < 3; i++)
        demand(results[i].err.code == ERR_OK, "delete many: %s", results[i].err.msg);
}

static enum err_code change_nothing(void *ctx, const struct record_object *source,
                                    struct record_object *copy, struct err *err)
{
    (void)ctx, (void)source, (void)copy, (void)err;
    return ERR_OK;
}

static void do_copy(struct client *w)
{
    struct err err;
    struct record_object source, copy;
    struct object_copy request = {.source_bucket = w->s->buckets[pick(w, BUCKETS)],
                                  .source_key = shared_key(w, (int)pick(w, SHARED_KEYS)),
                                  .key = shared_key(w, (int)pick(w, SHARED_KEYS)),
                                  .change = change_nothing};
    enum err_code rc = object_copy(w->s->f->store, w->s->buckets[pick(w, BUCKETS)], &request,
                                   &w->arena, &source, &copy, &err);
    demand(rc == ERR_OK || is_absent(rc), "copy: %s at %s", err.msg, err.at);
}

static void do_tags(struct client *w)
{
    struct err err;
    struct record_object object;
    struct record_pair pair = {BYTES_LIT("name"), BYTES_LIT("value")};
    struct record_pairs tags = {&pair, pick(w, 2)};
    enum err_code rc = object_set_tags(w->s->f->store, w->s->buckets[pick(w, BUCKETS)],
                                       shared_key(w, (int)pick(w, SHARED_KEYS)),
                                       (struct object_version){0}, &tags, &w->arena, &object, &err);
    demand(rc == ERR_OK || is_absent(rc), "tags: %s at %s", err.msg, err.at);
}

static void do_give_up(struct client *w)
{
    body_writer_free(write_body(w, new_salt(w), pick_len(w)));
}

/* Keys rise, numbers fall within a key, and each key has one latest version. One
 * of the versions is read, and perhaps deleted. */
static void do_versions(struct client *w)
{
    struct err err;
    struct list_options options = {.versions = true, .prefix = BYTES_LIT("dir/")};
    int bucket = (int)pick(w, BUCKETS);
    AUTO(list) struct list *list = NULL;
    enum err_code rc = list_open(w->s->f->store, w->s->buckets[bucket], &options, &list, &err);
    struct bytes before = BYTES_LIT(""), chosen = BYTES_LIT("");
    uint64_t before_seq = 0;
    struct object_version version = {0};
    for (bool at_end = false; rc == ERR_OK;) {
        struct list_item item;
        rc = list_next(list, &item, &at_end, &err);
        if (rc != ERR_OK || at_end)
            break;
        int order = bytes_compare(before, item.key);
        demand(order < 0 || (order == 0 && item.object.seq < before_seq), "versions out of order");
        demand(item.is_latest == (order < 0), "not one latest version");
        before = arena_copy(&w->arena, item.key);
        before_seq = item.object.seq;
        if (pick(w, 10) == 0)
            chosen = before, version = version_of(&item.object);
    }
    demand(rc == ERR_OK, "list: %s at %s", err.msg, err.at);
    list_close(TAKE(list));
    struct record_object object;
    if (chosen.len == 0)
        return;
    (void)get_words(w, bucket, chosen, version, &object);
    struct object_delete request = {.key = chosen, .version = version, .user = OWNER};
    struct object_deleted deleted;
    rc = object_delete(w->s->f->store, w->s->buckets[bucket], &request, &w->arena, &deleted, &err);
    demand(rc == ERR_OK, "delete a version: %s at %s", err.msg, err.at);
}

/* ---- uploads: any thread may do anything to any of them ---- */

static void upload_begin(struct client *w, struct shared_upload *upload)
{
    struct err err;
    struct record_upload record = {.object = {.owner = OWNER}, .initiator = OWNER};
    upload->bucket = (int)pick(w, BUCKETS);
    upload->key = (int)pick(w, SHARED_KEYS);
    enum err_code rc =
        upload_create(w->s->f->store, w->s->buckets[upload->bucket], shared_key(w, upload->key),
                      &record, &w->arena, upload->id, &err);
    demand(rc == ERR_OK, "create: %s", err.msg);
}

static struct shared_upload pick_upload(struct client *w)
{
    struct stress *s = w->s;
    uint32_t slot = pick(w, UPLOADS);
    pthread_mutex_lock(&s->lock);
    if (!s->uploads[slot].id[0])
        upload_begin(w, &s->uploads[slot]);
    struct shared_upload upload = s->uploads[slot];
    pthread_mutex_unlock(&s->lock);
    return upload;
}

static void upload_gone(struct client *w, const struct shared_upload *upload)
{
    pthread_mutex_lock(&w->s->lock);
    for (int i = 0; i < UPLOADS; i++)
        if (strcmp(w->s->uploads[i].id, upload->id) == 0)
            w->s->uploads[i].id[0] = '\0';
    pthread_mutex_unlock(&w->s->lock);
}

static void do_part(struct client *w)
{
    struct err err;
    struct shared_upload upload = pick_upload(w);
    struct record_part part = {.number = 4};
    enum err_code rc = upload_put_part(w->s->f->store, w->s->buckets[upload.bucket],
                                       shared_key(w, upload.key), bytes_of_str(upload.id), &part,
                                       write_body(w, new_salt(w), pick_len(w)), &w->arena, &err);
    demand(rc == ERR_OK || is_absent(rc), "part: %s at %s", err.msg, err.at);
}

static void do_part_copy(struct client *w)
{
    struct err err;
    struct shared_upload upload = pick_upload(w);
    struct record_object source;
    struct record_part part;
    uint64_t first = pick(w, (BIG_BYTES - PART_BYTES) / 16) * 16;
    struct upload_copy_part request = {.source_bucket = w->s->buckets[0],
                                       .source_key = BYTES_LIT("big"),
                                       .has_range = true,
                                       .first = first,
                                       .last = first + PART_BYTES - 1};
    enum err_code rc = upload_copy_part(w->s->f->store, w->s->buckets[upload.bucket],
                                        shared_key(w, upload.key), bytes_of_str(upload.id),
                                        1 + pick(w, 3), &request, &w->arena, &source, &part, &err);
    demand(rc == ERR_OK || is_absent(rc), "part copy: %s at %s", err.msg, err.at);
}

static void do_complete(struct client *w)
{
    struct err err;
    struct shared_upload upload = pick_upload(w);
    struct bytes key = shared_key(w, upload.key), id = bytes_of_str(upload.id);
    struct bucket *bucket = w->s->buckets[upload.bucket];
    struct record_part *parts;
    size_t count;
    bool more;
    enum err_code rc = upload_parts(w->s->f->store, bucket, key, id, 0, 10, &w->arena, &parts,
                                    &count, &more, &err);
    demand(rc == ERR_OK || is_absent(rc), "parts: %s at %s", err.msg, err.at);
    if (rc != ERR_OK || count == 0)
        return;
    struct upload_part_named named[10] = {0};
    for (size_t i = 0; i < count; i++) {
        named[i].number = parts[i].number;
        memcpy(named[i].etag, parts[i].etag, RECORD_ETAG_LEN);
    }
    struct upload_complete request = {
        .parts = named, .part_count = count, .expected_length = UINT64_MAX};
    struct record_object object;
    rc = upload_complete(w->s->f->store, bucket, key, id, &request, &w->arena, &object, &err);
    demand(rc == ERR_OK || is_absent(rc) || rc == ERR_INVALID, "complete: %s at %s", err.msg,
           err.at);
    upload_gone(w, &upload);
}

static void do_abort(struct client *w)
{
    struct err err;
    struct shared_upload upload = pick_upload(w);
    enum err_code rc =
        upload_abort(w->s->f->store, w->s->buckets[upload.bucket], shared_key(w, upload.key),
                     bytes_of_str(upload.id), &w->arena, &err);
    demand(rc == ERR_OK || is_absent(rc), "abort: %s at %s", err.msg, err.at);
    upload_gone(w, &upload);
}

/* ---- keys of one's own ---- */

static void check_own(struct client *w, int bucket, int key)
{
    const struct own_key *own = &w->own[bucket][key];
    struct record_object object;
    bool found = get_words(w, bucket, own_key(w, key), (struct object_version){0}, &object);
    demand(found == own->present, "own/%u/%d is %s", w->number, key, found ? "back" : "lost");
    demand(!found || (object.length == own->len && codec_get_u32be(object.etag) == own->salt),
           "own/%u/%d is an older one", w->number, key);
}

static void do_own(struct client *w)
{
    int bucket = (int)pick(w, BUCKETS), key = (int)pick(w, OWN_KEYS);
    struct own_key *own = &w->own[bucket][key];
    check_own(w, bucket, key);
    if (own->present && pick(w, 3) == 0) {
        struct err err;
        struct object_deleted deleted;
        struct object_delete request = {.key = own_key(w, key), .user = OWNER};
        demand(object_delete(w->s->f->store, w->s->buckets[bucket], &request, &w->arena, &deleted,
                             &err) == ERR_OK,
               "delete: %s", err.msg);
        own->present = false;
    } else {
        *own = (struct own_key){true, new_salt(w), pick_len(w)};
        put_words(w, bucket, own_key(w, key), own->salt, own->len);
    }
    check_own(w, bucket, key);
}

/* ---- rounds ---- */

static const struct {
    void (*run)(struct client *w);
    unsigned weight;
} operations[] = {
    {do_put, 24},    {do_get, 30},     {do_delete, 8},    {do_delete_many, 3}, {do_copy, 12},
    {do_tags, 3},    {do_give_up, 6},  {do_own, 16},      {do_versions, 8},    {do_part, 5},
    {do_put_big, 1}, {do_get_late, 4}, {do_part_copy, 3}, {do_abort, 1},       {do_complete, 3},
};

static void *work(void *ctx)
{
    struct client *w = ctx;
    unsigned sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        sum += operations[i].weight;
    while (!atomic_load(&w->s->stop)) {
        uint32_t ticket = pick(w, sum);
        size_t at = 0;
        while (ticket >= operations[at].weight)
            ticket -= operations[at++].weight;
        arena_init(&w->arena, MIB(16));
        operations[at].run(w);
        arena_done(&w->arena);
        w->operations++;
    }
    return NULL;
}

/* Scrubs one after the other: none finds anything. */
static void *scrub(void *ctx)
{
    struct stress *s = ctx;
    struct err err;
    struct scrub_status status = {0};
    while (!atomic_load(&s->stop)) {
        enum err_code rc = status.running ? ERR_OK : scrub_start(s->f->store, 0, &err);
        demand(rc == ERR_OK, "scrub: %s", err.msg);
        usleep(5000);
        demand(scrub_get_status(s->f->store, &status, &err) == ERR_OK, "scrub: %s", err.msg);
        demand(status.rot == 0 && !status.failed, "the scrub found rot, or failed");
        struct store_space space;
        store_get_space(s->f->store, &space);
    }
    scrub_stop(s->f->store);
    return NULL;
}

static void enter_buckets(struct stress *s)
{
    struct err err;
    s->buckets[0] = s->f->bucket;
    assert_ok(bucket_acquire(s->f->store, BYTES_LIT("versions"), &s->buckets[1], &err));
}

static void restart(struct stress *s)
{
    bucket_release(s->buckets[1]);
    fixture_restart(s->f);
    enter_buckets(s);
}

static void run_round(struct stress *s, struct client *workers, unsigned ms)
{
    pthread_t scrubber;
    atomic_store(&s->stop, false);
    assert_int_equal(pthread_create(&scrubber, NULL, scrub, s), 0);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    usleep(ms * 1000);
    atomic_store(&s->stop, true);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(pthread_join(scrubber, NULL), 0);
    s->moved += metrics_get(&store_stats(s->f->store)->bodies_moved);
    assert_int_equal(metrics_get(&store_stats(s->f->store)->compact_errors), 0);
    restart(s);
    for (int i = 0; i < WORKERS * BUCKETS * OWN_KEYS; i++) {
        struct client *w = &workers[i % WORKERS];
        arena_init(&w->arena, MIB(16));
        check_own(w, i / WORKERS % BUCKETS, i / WORKERS / BUCKETS);
        arena_done(&w->arena);
    }
}

/* Every version of every key. */
static void empty_bucket(struct fixture *f, struct bucket *bucket)
{
    struct err err;
    struct list_options options = {.versions = true};
    for (bool at_end = false; !at_end;) {
        AUTO(list) struct list *list = NULL;
        struct list_item item;
        arena_reset(&f->arena);
        assert_ok(list_open(f->store, bucket, &options, &list, &err));
        assert_ok(list_next(list, &item, &at_end, &err));
        if (at_end)
            break;
        struct object_delete request = {.key = arena_copy(&f->arena, item.key),
                                        .version = version_of(&item.object),
                                        .user = OWNER};
        struct object_deleted deleted;
        assert_ok(object_delete(f->store, bucket, &request, &f->arena, &deleted, &err));
    }
}

static unsigned wanted_ms(void)
{
    const char *seconds = getenv("VALISE_STRESS_SECONDS");
    return (unsigned)(seconds ? atoi(seconds) : SECONDS) * 1000;
}

static void test_everything(void **state)
{
    (void)state;
    struct err err;
    static struct stress s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static struct client workers[WORKERS];
    fixture_compaction = (struct store_compaction){.below_percent = 50};
    s.f = fixture_new();
    assert_ok(bucket_create(s.f->store, BYTES_LIT("versions"), OWNER, (struct bytes){0}, &err));
    enter_buckets(&s);
    assert_ok(bucket_set_versioning(s.f->store, s.buckets[1], BUCKET_ENABLED, OWNER, &err));
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct client){.s = &s, .number = i + 1, .random = mix(i + 1)};
        workers[i].memory = malloc(READ_MAX);
        assert_non_null(workers[i].memory);
    }
    unsigned long long operations_done = 0;
    for (unsigned ms = 0; ms < wanted_ms(); ms += ROUND_MS) {
        run_round(&s, workers, ROUND_MS);
        enum bucket_versioning next = ms / ROUND_MS % 2 ? BUCKET_ENABLED : BUCKET_SUSPENDED;
        assert_ok(bucket_set_versioning(s.f->store, s.buckets[1], next, OWNER, &err));
    }
    for (int i = 0; i < WORKERS; i++) {
        operations_done += workers[i].operations;
        free(workers[i].memory);
    }
    print_message("%llu operations, %llu bodies moved\n", operations_done,
                  (unsigned long long)s.moved);
    assert_true(s.moved > 0);
    size_t count;
    assert_ok(upload_expire(s.f->store, UINT64_MAX, 1000, &count, &err));
    for (int i = 0; i < BUCKETS; i++)
        empty_bucket(s.f, s.buckets[i]);
    assert_nothing_left(s.f);
    assert_int_equal(metrics_get(&store_stats(s.f->store)->sweep_errors), 0);
    bucket_release(s.buckets[1]);
    fixture_free(s.f);
}

int main(void)
{
    log_set_level(LOG_WARN);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
