/* operations.h - what a row about an operation of the S3 service is, and what is done
 * before it: buckets, objects, versions, uploads to ask for.
 *
 * Include once in a program; its setup calls operations_setup(). */
#ifndef TESTS_UNIT_STORAGE_S3_OPERATIONS_H
#define TESTS_UNIT_STORAGE_S3_OPERATIONS_H

#include "tests/unit/storage/s3/service.h"

#define LARGE_LEN    KIB(150)
#define HELLO        BYTES_LIT("hello")
#define HELLO_ETAG   "5d41402abc4b2a76b9719d911017c592"
#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* An operation: what was done before, what is asked, and how to see that it is done. */
struct operation {
    const char *name;
    void (*prepare)(struct service *s); /* without faults; may be NULL */
    struct service_request request;     /* "@" in the target: the upload's id */
    int status;                         /* without a fault */
    const char *says;                   /* NULL, or what the reply's body holds */
    const char *probe;                  /* NULL: it changes nothing. Else GET this target */
    int done_status;                    /* … answers that status where it is done, */
    const char *done_says;              /* and, where not NULL, this */
};

static uint8_t large[LARGE_LEN];
static char upload_id[UPLOAD_ID_TEXT];

static void must(struct service *s, const char *method, const char *target, struct bytes body,
                 int status)
{
    const struct service_request request = {.method = method, .target = target, .body = body};
    if (service_do(s, &request) != status)
        fail_msg("%s %s: %d %.*s", method, target, s->reply.status, (int)s->reply.len,
                 (const char *)s->reply.body);
}

static void bucket(struct service *s)
{
    must(s, "PUT", "/box", (struct bytes){0}, 200);
}

static void object(struct service *s)
{
    bucket(s);
    must(s, "PUT", "/box/key", HELLO, 200);
}

static void two_objects(struct service *s)
{
    object(s);
    must(s, "PUT", "/box/other", HELLO, 200);
}

static void two_buckets(struct service *s)
{
    bucket(s);
    must(s, "PUT", "/case", (struct bytes){0}, 200);
}

static void large_object(struct service *s)
{
    bucket(s);
    must(s, "PUT", "/box/key", bytes_of(large, sizeof(large)), 200);
}

static void versions(struct service *s)
{
    object(s);
    must(s, "PUT", "/box?versioning=",
         BYTES_LIT("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
         200);
    must(s, "PUT", "/box/key", HELLO, 200);
    must(s, "PUT", "/box/folder/key", HELLO, 200);
    must(s, "DELETE", "/box/key", (struct bytes){0}, 204);
}

static void tagged(struct service *s)
{
    static const struct bytes tags =
        BYTES_LIT("<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>");
    object(s);
    must(s, "PUT", "/box/key?tagging=", tags, 200);
    must(s, "PUT", "/box?tagging=", tags, 204);
}

static void described(struct service *s)
{
    const struct service_request request = {
        .method = "PUT",
        .target = "/box/key",
        .fields = {{"x-amz-meta-a", "b"}, {"x-amz-meta-c", "\xc3\xa4"}},
        .body = HELLO};
    bucket(s);
    assert_int_equal(service_do(s, &request), 200);
}

/* The id stands in the reply. */
static void upload(struct service *s)
{
    object(s);
    must(s, "POST", "/box/big?uploads=", (struct bytes){0}, 200);
    ptrdiff_t at = bytes_find_bytes(bytes_of(s->reply.body, s->reply.len), BYTES_LIT("<UploadId>"));
    assert_true(at > 0);
    memcpy(upload_id, s->reply.body + at + strlen("<UploadId>"), UPLOAD_ID_TEXT - 1);
}

/* The target with the upload's id in place of '@'. */
static const char *with_id(const char *target)
{
    static char full[2][256];
    static int turn;
    const char *at = strchr(target, '@');
    char *to = full[turn = !turn];
    if (!at)
        return target;
    snprintf(to, sizeof(full[0]), "%.*s%s%s", (int)(at - target), target, upload_id, at + 1);
    return to;
}

static void part(struct service *s)
{
    upload(s);
    must(s, "PUT", with_id("/box/big?partNumber=1&uploadId=@"), HELLO, 200);
}

static void whole(struct service *s)
{
    part(s);
    must(s, "POST", with_id("/box/big?uploadId=@"),
         BYTES_LIT("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" HELLO_ETAG
                   "</ETag></Part></CompleteMultipartUpload>"),
         200);
}

static int operations_setup(void **state UNUSED)
{
    memset(large, 'x', sizeof(large));
    memcpy(large + sizeof(large) - strlen("the end"), "the end", strlen("the end"));
    return 0;
}

#endif
