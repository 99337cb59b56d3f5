/* list_versions.c - ListObjectVersions: every version and delete marker, newest
 * first within a key.
 *
 * Source    Amazon S3 API Reference, ListObjectVersions. */
#include "storage/s3/answer.h"
#include "storage/s3/listing.h"
#include "storage/s3/op/op.h"
#include "storage/s3/owner.h"

/* Find the version that the page starts behind. "null" is looked up; where it
 * is gone meanwhile, the page starts behind its key. */
static enum err_code read_version_marker(struct listing *listing, struct bytes text,
                                         struct err *err)
{
    struct call *call = listing->call;
    struct list_options *options = &listing->options;
    struct object_version version;
    struct record_object object;
    enum err_code rc;
    if (options->after.len == 0)
        return call_bad_argument(call, "version-id-marker", text,
                                 "A version-id marker cannot be specified without a key marker.",
                                 err);
    if (!object_version_parse(text, &version))
        return call_bad_argument(call, "version-id-marker", text, "Invalid version id specified",
                                 err);
    options->has_after_version = true;
    options->after_seq = version.seq;
    if (version.kind != VERSION_NULL)
        return ERR_OK;
    rc = object_head(call->s3->store, call->bucket, options->after, version, call->arena, &object,
                     err);
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        return rc;
    options->has_after_version = rc == ERR_OK || err->reason == STORE_DELETE_MARKER;
    options->after_seq = options->has_after_version ? object.seq : 0;
    return ERR_OK;
}

static enum err_code read_start(struct listing *listing, struct err *err)
{
    struct bytes version = call_param(listing->call, "version-id-marker");
    listing->options.versions = true;
    listing->options.after = call_param(listing->call, "key-marker");
    listing_write_name(listing, "KeyMarker", listing->options.after);
    xml_write_text(&listing->xml, "VersionIdMarker", version);
    return version.len > 0 ? read_version_marker(listing, version, err) : ERR_OK;
}

static void write_version(struct listing *listing, const struct list_item *item)
{
    struct xml_write *xml = &listing->xml;
    char version[OBJECT_VERSION_TEXT];
    object_version_text(&item->object, version);
    xml_write_open(xml, item->object.delete_marker ? "DeleteMarker" : "Version");
    listing_write_name(listing, "Key", item->key);
    xml_write_str(xml, "VersionId", version);
    xml_write_bool(xml, "IsLatest", item->is_latest);
    if (item->object.delete_marker)
        xml_write_time(xml, "LastModified", item->object.modified_unix_ms);
    else
        listing_write_content(listing, &item->object);
    owner_write(listing->call, xml, "Owner", item->object.owner);
    xml_write_close(xml);
}

/* The next page's markers. The version's is its number even where it is shown as
 * "null", so that the next page finds its place when that version is gone. */
static void write_next(struct listing *listing)
{
    char version[OBJECT_VERSION_TEXT];
    if (!listing->truncated)
        return;
    listing_write_name(listing, "NextKeyMarker", listing_last(listing));
    if (listing->last_is_prefix)
        return;
    object_version_text(&listing->last, version);
    xml_write_str(&listing->xml, "NextVersionIdMarker", version);
}

enum err_code list_versions_run(struct call *call, struct err *err)
{
    struct listing listing;
    if (listing_start(call, "ListVersionsResult", &listing, err) || read_start(&listing, err) ||
        listing_fill(&listing, write_version, err))
        return err->code;
    listing_end(&listing);
    write_next(&listing);
    xml_write_end(&listing.xml);
    return answer_document(call, err);
}
