/* object_copy.c - object.h: copy inside the store. Both keys are locked from the
 * read of the source to the commit, so the source's reference to the shared
 * body cannot end before the copy's exists. */
#include "storage/obj/object_edit.h"

/* The source under its lock, whichever row holds it. */
static enum err_code find_source(struct store *store, const struct object_copy *request,
                                 struct arena *arena, struct record_object *ret_source,
                                 struct err *err)
{
    struct edit source;
    enum err_code rc =
        edit_begin_locked(&source, store, request->source_bucket, request->source_key, arena, err);
    struct edit_version older;
    if (rc == ERR_OK)
        rc = edit_find(&source, &request->source_version, ret_source, &older, err);
    if (rc == ERR_OK && request->source_condition.check)
        rc = request->source_condition.check(request->source_condition.ctx, ret_source, err);
    return rc;
}

static enum err_code copy_locked(struct edit *edit, const struct object_copy *request,
                                 const struct record_object *source,
                                 struct record_object *ret_object, struct err *err)
{
    *ret_object = *source;
    enum err_code rc = edit_check(edit, &request->condition, err);
    if (rc == ERR_OK)
        rc = request->change(request->ctx, source, ret_object, err);
    if (rc == ERR_OK)
        rc = body_share(edit->store, &source->body, &edit->batch, &ret_object->body, err);
    if (rc == ERR_OK)
        rc = edit_retire(edit, err);
    if (rc != ERR_OK)
        return rc;
    edit_put_current(edit, ret_object, CHANGE_OBJECT_COPY);
    rc = edit_commit(edit, err);
    ret_object->seq = edit->batch.ret_seq;
    ret_object->stamp = edit->batch.ret_stamp;
    return rc;
}

static enum err_code copy_entered(struct store *store, struct bucket *bucket,
                                  const struct object_copy *request, struct arena *arena,
                                  struct record_object *ret_source,
                                  struct record_object *ret_object, struct err *err)
{
    const struct lock_key wanted[] = {{bucket->id, request->key},
                                      {request->source_bucket->id, request->source_key}};
    struct lock_held held;
    lock_keys(&store->locks, wanted, ARRAY_LEN(wanted), &held);
    enum err_code rc = find_source(store, request, arena, ret_source, err);
    struct edit edit;
    if (rc == ERR_OK)
        rc = edit_begin_locked(&edit, store, bucket, request->key, arena, err);
    if (rc == ERR_OK)
        rc = copy_locked(&edit, request, ret_source, ret_object, err);
    lock_release(&store->locks, &held);
    return rc;
}

enum err_code object_copy(struct store *store, struct bucket *bucket,
                          const struct object_copy *request, struct arena *arena,
                          struct record_object *ret_source, struct record_object *ret_object,
                          struct err *err)
{
    enum err_code rc = edit_check_key(request->key, err);
    if (rc == ERR_OK)
        rc = edit_check_key(request->source_key, err);
    if (rc == ERR_OK)
        rc = store_health(store, err);
    struct bucket_pair pair;
    if (rc == ERR_OK)
        rc = bucket_enter_two(&pair, bucket, request->source_bucket, err);
    if (rc != ERR_OK)
        return rc;
    rc = copy_entered(store, bucket, request, arena, ret_source, ret_object, err);
    bucket_leave_two(&pair);
    return rc;
}
