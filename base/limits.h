/* limits.h - every cap of the program, by name, in one place. Errors that a
 * cap causes name it. Limits that an operator may change are settings instead. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define GIB(n) ((unsigned long long)(n) << 30)
#define TIB(n) ((unsigned long long)(n) << 40)

/* Settings (base/settings) */
#define SETTINGS_FILE_MAX KIB(64) /* bytes of a settings file */

/* HTTP (base/http) */
#define HTTP_HEAD_MAX       KIB(24)  /* bytes of request line and fields */
#define HTTP_TARGET_MAX     KIB(12)  /* bytes of request target */
#define HTTP_FIELDS_MAX     100      /* header fields in a request */
#define HTTP_POOL_BYTES     KIB(32)  /* libmicrohttpd's pool for a connection */
#define HTTP_STACK_BYTES    KIB(256) /* stack of a connection's thread */
#define HTTP_ARENA_MAX      MIB(16)  /* bytes a request may allocate */
#define HTTP_DISCARD_MAX    MIB(64)  /* bytes of a refused body read before the answer */
#define HTTP_DISCARD_MS     30000    /* time for the same */
#define HTTP_HEAD_MS        10000    /* from the first byte of a head to its last */
#define HTTP_BODY_RATE_MIN  1024     /* bytes per second, averaged over the window */
#define HTTP_BODY_WINDOW_MS 30000
#define HTTP_IDLE_MS        120000   /* kept-alive connection without a request */
#define HTTP_STREAM_BLOCK   KIB(256) /* bytes asked from a streaming reply at once */

/* S3 (storage/s3), from the Amazon S3 API Reference where not ours */
#define S3_KEY_MAX             1024   /* bytes of UTF-8 */
#define S3_METADATA_MAX        KIB(2) /* bytes of all x-amz-meta- names and values */
#define S3_XML_MAX             MIB(2) /* bytes of a request document */
#define S3_XML_DEPTH_MAX       8
#define S3_XML_NODES_MAX       65536 /* elements of a request document */
#define S3_LIST_MAX            1000  /* entries of one listing page */
#define S3_DELETE_MAX          1000  /* keys of one DeleteObjects */
#define S3_PARTS_MAX           10000
#define S3_PART_BYTES_MIN      MIB(5) /* all parts but the last */
#define S3_PART_BYTES_MAX      GIB(5)
#define S3_PUT_BYTES_MAX       GIB(5)
#define S3_OBJECT_BYTES_MAX    TIB(5)
#define S3_TRAILER_MAX         KIB(8)
#define S3_CHUNK_LINE_MAX      256 /* bytes of one aws-chunked size line */
#define S3_TAGS_MAX            10
#define S3_BUCKET_TAGS_MAX     50
#define S3_SKEW_MS             (15 * 60 * 1000) /* between the client's clock and ours */
#define S3_PRESIGN_SECONDS_MAX 604800

/* Storage (storage/kv, storage/obj, storage/auth) */
#define KV_KEY_MAX               KIB(4)   /* bytes */
#define KV_GROUP_BYTES_MAX       MIB(4)   /* bytes merged into one commit */
#define OBJ_INLINE_MAX           KIB(64)  /* bytes of a body kept in the ordered store */
#define OBJ_BLOCK_BYTES          KIB(256) /* bytes under one CRC of a large body */
#define OBJ_BUFFER_BYTES         MIB(2)   /* bytes of a writer's buffer */
#define OBJ_BUFFER_BYTES_CROWDED KIB(64)  /* the same once OBJ_BUFFERS are in use */
#define OBJ_BUFFERS              16       /* large buffers in all */
#define OBJ_WRITE_BYTES          KIB(256) /* written to a segment at once, a block or a part of one */
#define WRITE_BEHIND_THREADS     4        /* that write them */
#define WRITE_BEHIND_SYNC_BYTES  MIB(4)   /* of one body: synced before its end */
#define AUTH_SECRET_MIN          16       /* printable characters */
#define AUTH_SECRET_MAX          128
#define AUTH_KEY_ID_MAX          128
#define AUTH_USER_NAME_MAX       64
#define AUTH_SESSION_SECONDS_MAX 129600
#define AUTH_CACHE_MAX           256 /* keys in use, each with its day, region and service */
#define AUTH_USED_MAX            512 /* keys whose last use waits to be written */

/* The audit log (appliance/audit*); how many entries are kept is a setting */
#define AUDIT_TEXT_MAX     256    /* bytes of one text of an entry; what is longer is cut */
#define AUDIT_RESOURCE_MAX 1280   /* bytes of its resource: a key and its bucket's name */
#define AUDIT_PAGE_MAX     1000   /* entries told at once */
#define AUDIT_ARENA_MAX    MIB(1) /* bytes: the entries of one commit */
#define AUDIT_REPEAT_MAX   64     /* kinds of repeated entry that are told apart at a time */
#define AUDIT_REPEAT_BURST 60     /* entries that they make at once; then one a minute */

#endif
