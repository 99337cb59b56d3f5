/* sign_fuzz.c - any request head at the door of authentication.
 *
 * Input: "METHOD target LF { name ':' value LF }…", as lenient as can be: what
 * http_head_check would refuse comes here too. The store holds the key of
 * Amazon's published examples, and the clock stands at their moment, so the
 * seeds are accepted and mutations of them come deep.
 *
 * Planted bug it caught: a SignedHeaders list that names a header twice written
 * past the bound of the canonical request. */
#include <assert.h>
#include <stdlib.h>

#include "storage/auth/sign.h"
#include "tests/unit/storage/kv/fake_kv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t example_now(void *ctx UNUSED)
{
    return 1369353600000; /* 2013-05-24 */
}

static const struct clock example_clock = {example_now, example_now, NULL};

static struct auth *open_store(void)
{
    static const uint8_t box_key[SEAL_KEY_LEN] = {1};
    static const struct auth_key_request request = {
        .user = BYTES_LIT("alice"),
        .access_key = BYTES_LIT("AKIAIOSFODNN7EXAMPLE"),
        .secret = BYTES_LIT("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    };
    struct committer *committer = NULL;
    struct auth *auth = NULL;
    struct auth_key key;
    struct bytes secret;
    struct arena arena;
    struct err err;
    struct fake_kv *fake = fake_kv_new();
    arena_init(&arena, MIB(1));
    if (seal_start(&err) || committer_start(&fake->kv, &example_clock, 0, 0, &committer, &err) ||
        auth_open(&fake->kv, committer, &example_clock, box_key, &auth, &err) ||
        auth_key_create(auth, &request, &arena, &key, &secret, &err))
        abort();
    arena_done(&arena);
    return auth;
}

/* Names are in lower case, as the front has them. */
static struct bytes lower(struct arena *arena, struct bytes name)
{
    struct bytes copy = arena_copy(arena, name);
    for (size_t i = 0; i < copy.len; i++)
        if (copy.data[i] >= 'A' && copy.data[i] <= 'Z')
            ((uint8_t *)copy.data)[i] |= 0x20;
    return copy;
}

static void read_head(struct bytes rest, struct arena *arena, struct http_head *ret_head)
{
    static struct http_field fields[HTTP_FIELDS_MAX];
    struct bytes line, target;
    bytes_cut(&rest, '\n', &line);
    *ret_head = (struct http_head){.fields = fields};
    bytes_cut(&line, ' ', &ret_head->method);
    ret_head->target = target = line;
    if (bytes_cut(&target, '?', &ret_head->path))
        ret_head->query = target;
    while (rest.len > 0 && ret_head->field_count < HTTP_FIELDS_MAX) {
        struct http_field *field = &fields[ret_head->field_count++];
        bytes_cut(&rest, '\n', &line);
        bytes_cut(&line, ':', &field->name);
        field->name = lower(arena, field->name);
        field->value = bytes_trim(line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct auth *auth;
    static const struct bytes domains[] = {{NULL, 0}, BYTES_LIT("s3.amazonaws.com")};
    struct arena arena;
    struct http_head head;
    if (!auth)
        auth = open_store();
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        struct sign_rules rules = {.clock = &example_clock, .domain = domains[i]};
        struct sign_result result;
        struct err err = {0};
        uint8_t sha256[32] = {0};
        char service[16];
        arena_init(&arena, HTTP_ARENA_MAX);
        read_head(bytes_of(data, size), &arena, &head);
        enum err_code code = sign_authenticate(auth, &rules, &head, &arena, &result, &err);
        sign_service_of(&head, service);
        if ((code == ERR_OK) != (result.mode != SIGN_DENIED) || code == ERR_NO_MEMORY)
            abort();
        if (code != ERR_OK && err.reason == 0)
            abort();
        if (result.mode > SIGN_ANONYMOUS && strcmp(result.key.user, "alice") != 0)
            abort();
        if (sign_check_chunk(&result, sha256, bytes_first(bytes_of(data, size), 64), &err) ==
            ERR_OK)
            abort();
        arena_done(&arena);
    }
    return 0;
}
