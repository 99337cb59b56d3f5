/* delete_objects.c - DeleteObjects: up to S3_DELETE_MAX of them, each for itself,
 * in one commit.
 *
 * Source    Amazon S3 API Reference, DeleteObjects. */
#include "storage/s3/answer.h"
#include "storage/s3/names.h"
#include "storage/s3/op/op.h"
#include "storage/s3/writing.h"
#include "storage/s3/xml_read.h"

/* One entry of the request. */
struct entry {
    struct bytes key, version_id; /* version_id: data NULL = not there */
    struct condition condition;   /* ETag */
    struct err err;               /* refused before it was tried */
    size_t at;                    /* else: which of the deletions */
};

struct entries {
    struct entry *items;
    size_t count;
    struct object_delete *deletions; /* of those that are not refused */
    size_t deletion_count;
    struct object_delete_result *results;
};

static enum err_code check_document(const struct xml_node *root, struct err *err)
{
    const struct xml_node *node = xml_read_child(root, "Object");
    size_t count = 0;
    if (!node)
        return s3_fail(err, S3_MALFORMED_XML);
    for (; node; node = xml_read_next(node), count++)
        if (!xml_read_child(node, "Key") || count == S3_DELETE_MAX)
            return s3_fail(err, S3_MALFORMED_XML);
    return ERR_OK;
}

static enum err_code read_entry(struct call *call, const struct xml_node *node, struct entry *entry,
                                struct object_delete *deletion, struct err *err)
{
    entry->key = xml_read_text(node, "Key");
    entry->version_id = xml_read_text(node, "VersionId");
    entry->condition = (struct condition){.match = xml_read_text(node, "ETag")};
    *deletion = (struct object_delete){.key = entry->key, .user = call_user_id(call)};
    writing_condition(&entry->condition, &deletion->condition);
    if (xml_read_child(node, "LastModifiedTime") || xml_read_child(node, "Size"))
        return s3_fail_because(err, S3_NOT_IMPLEMENTED,
                               "The conditions LastModifiedTime and Size are not implemented");
    if (names_check_key(entry->key, err))
        return err->code;
    if (!object_version_parse(entry->version_id, &deletion->version))
        return s3_fail_because(err, S3_NO_SUCH_VERSION, "Invalid version id specified");
    return ERR_OK;
}

static enum err_code read_entries(struct call *call, const struct xml_node *root,
                                  struct entries *entries, struct err *err)
{
    const struct xml_node *node;
    size_t count = 0;
    for (node = xml_read_child(root, "Object"); node; node = xml_read_next(node))
        count++;
    entries->items = arena_alloc(call->arena, count * sizeof(*entries->items));
    entries->deletions = arena_alloc(call->arena, count * sizeof(*entries->deletions));
    entries->results = arena_alloc(call->arena, count * sizeof(*entries->results));
    if (!entries->items || !entries->deletions || !entries->results)
        return err_fail(err, ERR_NO_MEMORY, "deletions");
    for (node = xml_read_child(root, "Object"); node; node = xml_read_next(node)) {
        struct entry *entry = &entries->items[entries->count++];
        entry->at = entries->deletion_count;
        if (read_entry(call, node, entry, &entries->deletions[entry->at], err))
            entry->err = *err;
        else
            entries->deletion_count++;
    }
    return ERR_OK;
}

static void write_deleted(struct xml_write *xml, const struct entry *entry,
                          const struct object_deleted *deleted)
{
    xml_write_open(xml, "Deleted");
    xml_write_text(xml, "Key", entry->key);
    if (entry->version_id.len > 0)
        xml_write_text(xml, "VersionId", entry->version_id);
    if (deleted->is_marker) {
        xml_write_bool(xml, "DeleteMarker", true);
        xml_write_str(xml, "DeleteMarkerVersionId", deleted->version_id);
    }
    xml_write_close(xml);
}

static void write_failed(struct xml_write *xml, const struct entry *entry, const struct err *err)
{
    xml_write_open(xml, "Error");
    xml_write_text(xml, "Key", entry->key);
    if (entry->version_id.len > 0)
        xml_write_text(xml, "VersionId", entry->version_id);
    xml_write_str(xml, "Code", error_row(error_of(err))->code);
    xml_write_str(xml, "Message", error_message(err));
    xml_write_close(xml);
}

static void write_entry(struct xml_write *xml, const struct entries *entries,
                        const struct entry *entry, bool quiet)
{
    const struct object_delete_result *result = &entries->results[entry->at];
    if (entry->err.code)
        write_failed(xml, entry, &entry->err);
    else if (result->err.code)
        write_failed(xml, entry, &result->err);
    else if (!quiet)
        write_deleted(xml, entry, &result->deleted);
}

enum err_code delete_objects_run(struct call *call, struct err *err)
{
    const struct xml_node *root;
    struct entries entries = {0};
    struct xml_write xml;
    if (xml_read(buf_bytes(&call->document), "Delete", call->arena, &root, err) ||
        check_document(root, err) || read_entries(call, root, &entries, err) ||
        object_delete_many(call->s3->store, call->bucket, entries.deletions, entries.deletion_count,
                           call->arena, entries.results, err))
        return err->code;
    bool quiet = bytes_equal_nocase(bytes_trim(xml_read_text(root, "Quiet")), BYTES_LIT("true"));
    xml_write_start(&xml, &call->out, "DeleteResult", true);
    for (size_t i = 0; i < entries.count; i++)
        write_entry(&xml, &entries, &entries.items[i], quiet);
    xml_write_end(&xml);
    return answer_document(call, err);
}
