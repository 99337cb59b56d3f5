/* request.c - see request.h. */
#include "tests/bench/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/limits.h"

#define REGION      "us-east-1"
#define CHUNK_BYTES MIB(1) /* of an aws-chunked body, as botocore cuts it */
#define STRIDE      7919   /* a prime: reads go through the keys in a scattered order */

static const struct {
    const char *method;
    bool has_body;
} ops[JOB_OPS] = {
    [JOB_PUT] = {"PUT", true},        [JOB_GET] = {"GET", false},  [JOB_HEAD] = {"HEAD", false},
    [JOB_DELETE] = {"DELETE", false}, [JOB_LIST] = {"GET", false}, [JOB_PART] = {"PUT", true},
};

/* ---- the body ---- */

/* Bytes that do not compress, the same in every run. */
static void fill(uint8_t *to, size_t len)
{
    uint64_t state = 88172645463325252ull;
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        to[i] = (uint8_t)(state >> 32);
    }
}

static void write_chunks(FILE *to, const uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += CHUNK_BYTES) {
        size_t part = len - at < CHUNK_BYTES ? len - at : CHUNK_BYTES;
        fprintf(to, "%zx\r\n", part);
        fwrite(data + at, 1, part, to);
        fputs("\r\n", to);
    }
}

/* Wrap the body in chunks, its CRC32 behind them. */
static void wrap_body(struct request_maker *maker)
{
    char *wrapped, text[CODEC_BASE64_LEN(4) + 1];
    size_t len;
    struct hash_value crc = hash_once(HASH_CRC32, bytes_of(maker->body, maker->body_len));
    codec_base64(bytes_of(crc.data, crc.len), text);
    FILE *to = open_memstream(&wrapped, &len);
    if (!to)
        abort();
    write_chunks(to, maker->body, maker->body_len);
    fprintf(to, "0\r\nx-amz-checksum-crc32:%s\r\n\r\n", text);
    if (fclose(to) != 0)
        abort();
    free(maker->body);
    maker->body = (uint8_t *)wrapped;
    maker->body_len = len;
}

static void make_body(struct request_maker *maker)
{
    maker->body_len = maker->job->size;
    maker->body = malloc(maker->body_len + 1);
    if (!maker->body)
        abort();
    fill(maker->body, maker->body_len);
}

/* ---- what stays the same ---- */

static void make_payload(struct request_maker *maker)
{
    const struct job *job = maker->job;
    snprintf(maker->payload, sizeof(maker->payload), "%s",
             job->trailer ? "STREAMING-UNSIGNED-PAYLOAD-TRAILER" : "UNSIGNED-PAYLOAD");
    if (job->hashed) {
        struct hash_value sha = hash_once(HASH_SHA256, bytes_of(maker->body, maker->body_len));
        codec_hex(bytes_of(sha.data, sha.len), maker->payload);
    }
}

static void derive_key(struct request_maker *maker, const char *day)
{
    char secret[160];
    const char *const pieces[] = {day, REGION, "s3", "aws4_request"};
    int len = snprintf(secret, sizeof(secret), "AWS4%s", maker->job->secret_key);
    struct bytes key = bytes_of(secret, (size_t)len);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        uint8_t next[HASH_HMAC_LEN];
        hash_hmac_sha256(key, bytes_of_str(pieces[i]), next);
        memcpy(maker->key, next, sizeof(next));
        key = bytes_of(maker->key, sizeof(maker->key));
    }
}

static void make_date(struct request_maker *maker)
{
    char day[9];
    struct tm tm;
    time_t now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(maker->date, sizeof(maker->date), "%Y%m%dT%H%M%SZ", &tm);
    strftime(day, sizeof(day), "%Y%m%d", &tm);
    snprintf(maker->scope, sizeof(maker->scope), "%s/" REGION "/s3/aws4_request", day);
    derive_key(maker, day);
}

static void make_fields(struct request_maker *maker)
{
    bool has_body = ops[maker->job->op].has_body;
    int len = snprintf(maker->signed_fields, sizeof(maker->signed_fields),
                       "host:%s\r\nx-amz-content-sha256:%s\r\nx-amz-date:%s\r\n", maker->host,
                       maker->payload, maker->date);
    maker->signed_headers = "host;x-amz-content-sha256;x-amz-date";
    if (has_body && maker->job->trailer) {
        maker->signed_headers = "host;x-amz-content-sha256;x-amz-date;"
                                "x-amz-decoded-content-length;x-amz-trailer";
        snprintf(maker->signed_fields + len, sizeof(maker->signed_fields) - (size_t)len,
                 "x-amz-decoded-content-length:%llu\r\nx-amz-trailer:x-amz-checksum-crc32\r\n",
                 (unsigned long long)maker->job->size);
    }
    if (has_body)
        snprintf(maker->sent_fields, sizeof(maker->sent_fields), "Content-Length: %zu\r\n%s",
                 maker->body_len, maker->job->trailer ? "Content-Encoding: aws-chunked\r\n" : "");
}

/* The prefix holds letters, digits and '/' alone. */
static void make_list_query(struct request_maker *maker)
{
    char prefix[64];
    size_t len = 0;
    for (const char *c = maker->job->prefix; *c && len + 4 < sizeof(prefix); c++)
        len += (size_t)snprintf(prefix + len, sizeof(prefix) - len, *c == '/' ? "%%2F" : "%c", *c);
    prefix[len] = 0;
    snprintf(maker->query, sizeof(maker->query), "%slist-type=2&max-keys=1000&prefix=%s",
             maker->job->delimited ? "delimiter=%2F&" : "", prefix);
}

void request_maker_init(struct request_maker *maker, const struct job *job)
{
    *maker = (struct request_maker){.job = job};
    snprintf(maker->host, sizeof(maker->host), "%s:%u", job->address, job->port);
    if (ops[job->op].has_body)
        make_body(maker);
    if (ops[job->op].has_body && job->trailer)
        wrap_body(maker);
    if (job->op == JOB_LIST)
        make_list_query(maker);
    make_payload(maker);
    make_date(maker);
    make_fields(maker);
}

/* ---- what changes ---- */

/* The path, and "?query" where there is one. */
static void write_target(const struct request_maker *maker, uint64_t n, char path[256],
                         char query[256])
{
    const struct job *job = maker->job;
    unsigned long long at = job->first + n;
    query[0] = 0;
    if (job->op == JOB_LIST) {
        snprintf(path, 256, "/%s", job->bucket);
        memcpy(query, maker->query, sizeof(maker->query));
    } else if (job->op == JOB_PART) {
        snprintf(path, 256, "/%s/%s", job->bucket, job->prefix);
        snprintf(query, 256, "partNumber=%llu&uploadId=%s", at, job->upload);
    } else {
        if (job->keys)
            at = n * STRIDE % job->keys;
        snprintf(path, 256, "/%s/%s%02llu/%08llu", job->bucket, job->prefix, at % job->folders,
                 at / job->folders);
    }
}

/* Without the carriage returns: lines of a canonical request. */
static size_t write_canonical_fields(const char *fields, char *to)
{
    char *end = to;
    for (; *fields; fields++)
        if (*fields != '\r')
            *end++ = *fields;
    return (size_t)(end - to);
}

static void sign(const struct request_maker *maker, const char *path, const char *query,
                 char ret_signature[65])
{
    char text[REQUEST_HEAD_MAX], digest[65];
    uint8_t mac[HASH_HMAC_LEN];
    int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n", ops[maker->job->op].method, path, query);
    len += (int)write_canonical_fields(maker->signed_fields, text + len);
    len += snprintf(text + len, sizeof(text) - (size_t)len, "\n%s\n%s", maker->signed_headers,
                    maker->payload);
    struct hash_value sha = hash_once(HASH_SHA256, bytes_of(text, (size_t)len));
    codec_hex(bytes_of(sha.data, sha.len), digest);
    len = snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%s", maker->date, maker->scope,
                   digest);
    hash_hmac_sha256(bytes_of(maker->key, sizeof(maker->key)), bytes_of(text, (size_t)len), mac);
    codec_hex(bytes_of(mac, sizeof(mac)), ret_signature);
}

size_t request_head(const struct request_maker *maker, uint64_t n, char ret_head[REQUEST_HEAD_MAX])
{
    char path[256], query[256], signature[65];
    write_target(maker, n, path, query);
    sign(maker, path, query, signature);
    int len = snprintf(ret_head, REQUEST_HEAD_MAX,
                       "%s %s%s%s HTTP/1.1\r\n%s%sAuthorization: AWS4-HMAC-SHA256 "
                       "Credential=%s/%s, SignedHeaders=%s, Signature=%s\r\n\r\n",
                       ops[maker->job->op].method, path, *query ? "?" : "", query,
                       maker->signed_fields, maker->sent_fields, maker->job->access_key,
                       maker->scope, maker->signed_headers, signature);
    if (len < 0 || len >= REQUEST_HEAD_MAX)
        abort();
    return (size_t)len;
}
