/* writing.c - see writing.h. */
#include "storage/s3/writing.h"

static enum err_code check(void *ctx, const struct record_object *current, struct err *err)
{
    return condition_error(condition_write(ctx, current), err);
}

void writing_condition(const struct condition *condition, struct object_condition *ret_condition)
{
    *ret_condition = (struct object_condition){NULL, NULL};
    if (!condition_is_empty(condition))
        *ret_condition = (struct object_condition){check, (void *)condition};
}

enum err_code writing_check_early(struct call *call, const struct object_condition *condition,
                                  struct err *err)
{
    struct object_version latest = {.kind = VERSION_LATEST};
    struct record_object object;
    enum err_code rc;
    if (!condition->check)
        return ERR_OK;
    rc = object_head(call->s3->store, call->bucket, call->key, latest, call->arena, &object, err);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        return rc;
    return condition->check(condition->ctx, rc == ERR_OK ? &object : NULL, err);
}
