/* first_run.c - see first_run.h. */
#include "appliance/first_run.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/seal.h"

#define MEMBER(b) (const char *)(b).data, (int)(b).len

static json_t *to_json(const struct box_first_run *first_run)
{
    return json_pack("{s:s%, s:s%, s:s%, s:s%, s:s%, s:s%, s:s%}", "box_id",
                     MEMBER(first_run->box_id), "account_id", MEMBER(first_run->account_id), "user",
                     MEMBER(first_run->user), "user_id", MEMBER(first_run->user_id), "access_key",
                     MEMBER(first_run->access_key), "secret_key", MEMBER(first_run->secret_key),
                     "claim_code", MEMBER(first_run->claim_code));
}

enum err_code first_run_text(const struct box_first_run *first_run, struct arena *arena,
                             struct bytes *ret_text, struct err *err)
{
    json_t *object = to_json(first_run);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!text)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    *ret_text = arena_printf(arena, "%s\n", text);
    seal_wipe(text, strlen(text));
    free(text);
    return ret_text->data ? ERR_OK : err_fail(err, ERR_NO_MEMORY, "out of memory");
}

enum err_code first_run_write(const char *dir, const struct box_first_run *first_run,
                              struct err *err)
{
    struct arena arena;
    arena_init(&arena, KIB(64));
    struct bytes text = {0};
    enum err_code code = first_run_text(first_run, &arena, &text, err);
    char *path = file_join(&arena, dir, "first-run.json");
    if (code == ERR_OK && !path)
        code = err_fail(err, ERR_NO_MEMORY, "out of memory");
    if (code == ERR_OK)
        code = file_replace(path, 0600, text, err);
    seal_wipe((void *)text.data, text.len);
    arena_done(&arena);
    return code;
}
