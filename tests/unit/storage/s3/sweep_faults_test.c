/* sweep_faults_test.c - every operation with every failure, one at a time
 * (S3-FAULT): the 1st allocation fails, then the 2nd, … until none does, the same
 * with all after it failing too, and the same for reads, steps of iterators and
 * commits of the ordered store. What failed answers 503 or 500, or cuts the body
 * short; what is said to be done is, and the next request is served.
 *
 * Bugs that it caught: a key left empty in a listing, and metadata left out of a
 * reply, where memory was out; a parameter that could not be decoded for want of
 * memory called a broken URI. Planted: a document sent although it had not grown.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 * LINK: -Wl,--wrap=arena_alloc_raw,--wrap=arena_alloc,--wrap=arena_copy
 * LINK: -Wl,--wrap=arena_str,--wrap=arena_printf
 */
#include "tests/unit/storage/s3/operations.h"

#include "tests/unit/arena_fail.h"

#define TAGS   "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
#define PIECES "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"

static const struct operation operations[] = {
    {"ListBuckets", bucket, {"GET", "/"}, 200, "<Name>box</Name>"},
    {"CreateBucket", NULL, {"PUT", "/box"}, 200, NULL, "/box?location=", 200},
    {"CreateBucket, with a document",
     NULL,
     {"PUT", "/box",
      .body = BYTES_LIT("<CreateBucketConfiguration><LocationConstraint>eu-west-1"
                        "</LocationConstraint></CreateBucketConfiguration>")},
     200,
     NULL,
     "/box?location=",
     200},
    {"HeadBucket", bucket, {"HEAD", "/box"}, 200},
    {"HeadBucket, none", NULL, {"HEAD", "/box"}, 404},
    {"DeleteBucket", bucket, {"DELETE", "/box"}, 204, NULL, "/box?location=", 404},
    {"DeleteBucket, not empty", object, {"DELETE", "/box"}, 409, "BucketNotEmpty"},
    {"GetBucketLocation", bucket, {"GET", "/box?location="}, 200, "LocationConstraint"},
    {"GetBucketVersioning", versions, {"GET", "/box?versioning="}, 200, "Enabled"},
    {"PutBucketVersioning",
     bucket,
     {"PUT", "/box?versioning=",
      .body =
          BYTES_LIT("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")},
     200,
     NULL,
     "/box?versioning=",
     200,
     "Enabled"},
    {"GetBucketTagging", tagged, {"GET", "/box?tagging="}, 200, "<Value>b</Value>"},
    {"PutBucketTagging",
     bucket,
     {"PUT", "/box?tagging=", .body = BYTES_LIT(TAGS)},
     204,
     NULL,
     "/box?tagging=",
     200},
    {"DeleteBucketTagging", tagged, {"DELETE", "/box?tagging="}, 204, NULL, "/box?tagging=", 404},
    {"GetBucketAcl", bucket, {"GET", "/box?acl="}, 200, "FULL_CONTROL"},
    {"PutBucketAcl", bucket, {"PUT", "/box?acl=", {{"x-amz-acl", "private"}}}, 200},
    {"GetBucketPolicy", bucket, {"GET", "/box?policy="}, 404, "NoSuchBucketPolicy"},
    {"GetBucketLogging", bucket, {"GET", "/box?logging="}, 200, "BucketLoggingStatus"},
    {"PutBucketCors", bucket, {"PUT", "/box?cors="}, 501, "NotImplemented"},
    {"ListObjects", versions, {"GET", "/box?delimiter=%2F"}, 200, "<Prefix>folder/</Prefix>"},
    {"ListObjects, a page", versions, {"GET", "/box?encoding-type=url&max-keys=1"}, 200, "folder"},
    {"ListObjectsV2",
     large_object,
     {"GET", "/box?fetch-owner=true&list-type=2"},
     200,
     "<Key>key</Key>"},
    {"ListObjectVersions", versions, {"GET", "/box?versions="}, 200, "<DeleteMarker>"},
    {"ListObjectVersions, a page",
     versions,
     {"GET", "/box?key-marker=folder%2Fkey&max-keys=1&versions="},
     200,
     "<IsTruncated>true"},
    {"PutObject", bucket, {"PUT", "/box/key", .body = HELLO}, 200, NULL, "/box/key", 200, "hello"},
    {"PutObject, its SHA-256",
     bucket,
     {"PUT", "/box/key", .payload = HELLO_SHA256, .body = HELLO},
     200,
     NULL,
     "/box/key",
     200,
     "hello"},
    {"PutObject, much said",
     bucket,
     {"PUT",
      "/box/key",
      {{"content-type", "text/plain"},
       {"if-none-match", "*"},
       {"x-amz-checksum-crc32", "NhCmhg=="},
       {"x-amz-meta-a", "b"},
       {"x-amz-tagging", "a=b&c=d"}},
      .body = HELLO},
     200,
     NULL,
     "/box/key",
     200,
     "hello"},
    {"PutObject, large",
     bucket,
     {"PUT", "/box/key", .body = {large, LARGE_LEN}},
     200,
     NULL,
     "/box/key",
     200},
    {"PutObject, pieces and a trailer",
     bucket,
     {"PUT",
      "/box/key",
      {{"content-encoding", "aws-chunked"},
       {"x-amz-decoded-content-length", "5"},
       {"x-amz-trailer", "x-amz-checksum-crc32"}},
      "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      BYTES_LIT(PIECES)},
     200,
     NULL,
     "/box/key",
     200,
     "hello"},
    {"PutObject, presigned",
     bucket,
     {"PUT", "/box/key?x-amz-meta-a=b", .body = HELLO, .presigned = true},
     200,
     NULL,
     "/box/key",
     200,
     "x-amz-meta-a: b"},
    {"PutObject, a wrong digest",
     bucket,
     {"PUT", "/box/key", {{"content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="}}, .body = HELLO},
     400,
     "BadDigest"},
    {"GetObject", object, {"GET", "/box/key"}, 200, "hello"},
    {"GetObject, metadata", described, {"GET", "/box/key"}, 200, "x-amz-meta-c: =?UTF-8?B?w6Q=?="},
    {"GetObject, a range", object, {"GET", "/box/key", {{"range", "bytes=1-2"}}}, 206, "el"},
    {"GetObject, no range",
     object,
     {"GET", "/box/key", {{"range", "bytes=9-"}}},
     416,
     "InvalidRange"},
    {"GetObject, large", large_object, {"GET", "/box/key"}, 200, "the end"},
    {"GetObject, a part", whole, {"GET", "/box/big?partNumber=1"}, 206, "hello"},
    {"GetObject, none", bucket, {"GET", "/box/key"}, 404, "NoSuchKey"},
    {"GetObject, a marker", versions, {"GET", "/box/key"}, 404, "NoSuchKey"},
    {"HeadObject", tagged, {"HEAD", "/box/key"}, 200},
    {"GetObjectAttributes",
     whole,
     {"GET",
      "/box/big?attributes=",
      {{"x-amz-object-attributes", "ETag,ObjectParts,ObjectSize,Checksum"}}},
     200,
     "<PartsCount>1<"},
    {"GetObjectTagging", tagged, {"GET", "/box/key?tagging="}, 200, "<Value>b</Value>"},
    {"PutObjectTagging",
     object,
     {"PUT", "/box/key?tagging=", .body = BYTES_LIT(TAGS)},
     200,
     NULL,
     "/box/key?tagging=",
     200,
     "<Value>b</Value>"},
    {"DeleteObjectTagging",
     tagged,
     {"DELETE", "/box/key?tagging="},
     204,
     NULL,
     "/box/key?tagging=",
     200,
     "<TagSet></TagSet>"},
    {"GetObjectAcl", object, {"GET", "/box/key?acl="}, 200, "FULL_CONTROL"},
    {"PutObjectAcl", object, {"PUT", "/box/key?acl=", {{"x-amz-acl", "private"}}}, 200},
    {"CopyObject",
     tagged,
     {"PUT", "/box/copy", {{"x-amz-copy-source", "/box/key"}}},
     200,
     HELLO_ETAG,
     "/box/copy",
     200,
     "hello"},
    {"CopyObject, another checksum",
     object,
     {"PUT",
      "/box/copy",
      {{"x-amz-checksum-algorithm", "SHA256"},
       {"x-amz-copy-source", "/box/key"},
       {"x-amz-metadata-directive", "REPLACE"}}},
     200,
     "ChecksumSHA256",
     "/box/copy",
     200,
     "hello"},
    {"CopyObject, no source",
     bucket,
     {"PUT", "/box/copy", {{"x-amz-copy-source", "/box/key"}}},
     404,
     "NoSuchKey"},
    {"DeleteObject", object, {"DELETE", "/box/key"}, 204, NULL, "/box/key", 404},
    {"DeleteObjects",
     object,
     {"POST",
      "/box?delete=",
      {{"x-amz-checksum-crc32", "+0FcTQ=="}},
      .body = BYTES_LIT("<Delete><Object><Key>key</Key></Object></Delete>")},
     200,
     NULL,
     "/box/key",
     404},
    {"CreateMultipartUpload",
     bucket,
     {"POST", "/box/big?uploads="},
     200,
     "<UploadId>",
     "/box?uploads=",
     200,
     "<UploadId>"},
    {"UploadPart",
     upload,
     {"PUT", "/box/big?partNumber=1&uploadId=@", .body = HELLO},
     200,
     NULL,
     "/box/big?uploadId=@",
     200,
     "<Part>"},
    {"UploadPartCopy",
     upload,
     {"PUT",
      "/box/big?partNumber=1&uploadId=@",
      {{"x-amz-copy-source", "/box/key"}, {"x-amz-copy-source-range", "bytes=0-4"}}},
     200,
     HELLO_ETAG,
     "/box/big?uploadId=@",
     200,
     "<Part>"},
    {"CompleteMultipartUpload",
     part,
     {"POST", "/box/big?uploadId=@",
      .body = BYTES_LIT("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" HELLO_ETAG
                        "</ETag></Part></CompleteMultipartUpload>")},
     200,
     "<ETag>",
     "/box/big",
     200,
     "hello"},
    {"AbortMultipartUpload",
     part,
     {"DELETE", "/box/big?uploadId=@"},
     204,
     NULL,
     "/box/big?uploadId=@",
     404},
    {"ListBuckets, a page", two_buckets, {"GET", "/?max-buckets=1"}, 200, "<ContinuationToken>"},
    {"ListObjectsV2, a page",
     versions,
     {"GET", "/box?encoding-type=url&list-type=2&max-keys=0"},
     200,
     "<KeyCount>0"},
    {"ListObjectsV2, a page with more",
     two_objects,
     {"GET", "/box?encoding-type=url&list-type=2&max-keys=1"},
     200,
     "<NextContinuationToken>"},
    {"ListMultipartUploads, encoded",
     part,
     {"GET", "/box?encoding-type=url&uploads="},
     200,
     "<Key>big</Key>"},
    {"ListParts", part, {"GET", "/box/big?uploadId=@"}, 200, HELLO_ETAG},
    {"ListMultipartUploads", part, {"GET", "/box?delimiter=%2F&uploads="}, 200, "<Key>big</Key>"},
};

/* One kind of failure. */
struct fault {
    const char *name;
    void (*arm)(struct service *s, long nth);
    bool (*disarm)(struct service *s); /* returns whether it came */
    bool poisons;                      /* no more writes until a restart */
    bool is_late; /* may come after the commit, when the answer is made: 503 promises nothing */
};

static void arm_alloc(struct service *s UNUSED, long nth)
{
    alloc_fail_arm(nth);
}

static void arm_alloc_from(struct service *s UNUSED, long nth)
{
    alloc_fail_arm_from(nth);
}

static bool disarm_alloc(struct service *s UNUSED)
{
    return alloc_fail_disarm();
}

static void arm_read(struct service *s, long nth)
{
    s->f->fake->fail_read = (unsigned)nth;
}

static void arm_iter(struct service *s, long nth)
{
    s->f->fake->fail_iter = (unsigned)nth;
}

static void arm_write(struct service *s, long nth)
{
    s->f->fake->fail_write = (unsigned)nth;
}

static bool disarm(atomic_uint *countdown)
{
    return atomic_exchange(countdown, 0) == 0;
}

static bool disarm_read(struct service *s)
{
    return disarm(&s->f->fake->fail_read);
}

static bool disarm_iter(struct service *s)
{
    return disarm(&s->f->fake->fail_iter);
}

static bool disarm_write(struct service *s)
{
    return disarm(&s->f->fake->fail_write);
}

static void perform(struct service *s, const struct service_request *request)
{
    struct service_request full = *request;
    full.target = with_id(request->target);
    service_do(s, &full);
}

/* What a request got. */
enum outcome {
    DONE,    /* what it should get without a fault */
    REFUSED, /* 503, 500, or a body that was cut; or a key's error in a document */
    WRONG
};

static enum outcome outcome_of(const struct service *s, const struct operation *operation)
{
    const struct service_reply *reply = &s->reply;
    bool key_failed = reply->status == 200 && service_says(s, "<Error>");
    if (reply->cut || reply->status == 503 || reply->status == 500 || key_failed)
        return REFUSED;
    bool is_bare = reply->status >= 400 && reply->len == 0; /* no memory for words */
    bool says = !operation->says || is_bare || service_says(s, operation->says);
    return reply->status == operation->status && says ? DONE : WRONG;
}

static bool is_done(struct service *s, const struct operation *operation)
{
    const struct service_request probe = {.method = "GET", .target = operation->probe};
    perform(s, &probe);
    if (s->reply.status >= 500)
        fail_msg("%s: its probe answers %d", operation->name, s->reply.status);
    return s->reply.status == operation->done_status &&
           (!operation->done_says || service_says(s, operation->done_says));
}

static struct service *start(const struct operation *operation)
{
    struct service *s = service_new();
    if (operation->prepare)
        operation->prepare(s);
    wait_swept(s->f);
    return s;
}

/* The operation with its N-th fault. returns  whether there was one */
static bool run(struct service **at, const struct operation *operation, const struct fault *fault,
                long nth)
{
    struct service *s = *at;
    fault->arm(s, nth);
    perform(s, &operation->request);
    bool hit = fault->disarm(s);
    enum outcome outcome = outcome_of(s, operation);
    if (outcome == WRONG || (!hit && outcome != DONE))
        fail_msg("%s, %s %ld: %d %.*s", operation->name, fault->name, nth, s->reply.status,
                 (int)(s->reply.len < 500 ? s->reply.len : 500), (const char *)s->reply.body);
    if (hit && fault->poisons)
        service_restart(s);
    bool done = operation->probe ? is_done(s, operation) : outcome == DONE;
    if (done != (outcome == DONE) && !(done && fault->is_late))
        fail_msg("%s, %s %ld: it is%s done", operation->name, fault->name, nth, done ? "" : " not");
    if (hit && done && operation->probe) {
        service_free(s);
        *at = start(operation);
    }
    return hit;
}

/* Every operation with every fault. returns  how many there were */
static long sweep(const struct fault *fault)
{
    long total = 0;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        struct service *s = start(&operations[i]);
        for (long nth = 1; run(&s, &operations[i], fault, nth); nth++)
            total++;
        service_free(s);
    }
    print_message("%s: %ld faults\n", fault->name, total);
    return total;
}

/* S3-FAULT-1 */
static void test_allocations(void **state UNUSED)
{
    assert_true(sweep(&(struct fault){"allocation", arm_alloc, disarm_alloc, false, true}) > 1000);
    assert_true(sweep(&(struct fault){"from allocation", arm_alloc_from, disarm_alloc, false,
                                      true}) > 1000);
}

/* S3-FAULT-2 */
static void test_store(void **state UNUSED)
{
    assert_true(sweep(&(struct fault){"read", arm_read, disarm_read, false, false}) > 50);
    assert_true(sweep(&(struct fault){"entry", arm_iter, disarm_iter, false, false}) > 10);
    assert_true(sweep(&(struct fault){"commit", arm_write, disarm_write, true, false}) > 10);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    fixture_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_store),
    };
    return cmocka_run_group_tests(tests, operations_setup, NULL);
}
