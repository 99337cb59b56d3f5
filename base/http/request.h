/* request.h - a request's way through the service, step by step.
 * Private to base/http.
 *
 * mhd.c calls these in order: request_open, request_begin, request_add_field…,
 * request_head, request_body…, request_end, request_close.
 *
 * Owns      the struct http_request inside its connection.
 * Not here  libmicrohttpd (mhd.c).
 * Threads   the connection's own. */
#ifndef BASE_HTTP_REQUEST_H
#define BASE_HTTP_REQUEST_H

#include "base/http/front.h"

enum request_step {
    REQUEST_READ_ON, /* give me the body, or its end */
    REQUEST_SEND,    /* request->reply is complete: send it */
    REQUEST_CUT      /* close the connection, nothing can be said */
};

/* A request line came in. `target` is copied. */
void request_open(struct http_conn *conn, const char *target);

/* The head is complete; `field_count` fields follow. `method` and `version`
 * are borrowed until request_close.
 *
 * returns  false where the fields do not fit: add none, call request_head */
bool request_begin(struct http_request *request, const char *method, const char *version,
                   size_t field_count);

/* One field as it came; `name` is copied and lowered, `value` borrowed until request_close. */
void request_add_field(struct http_request *request, struct bytes name, struct bytes value);

enum request_step request_head(struct http_request *request);
enum request_step request_body(struct http_request *request, struct bytes piece);
enum request_step request_end(struct http_request *request);

/* The next bytes of a streaming reply.
 *
 * returns  how many, 0 at the end of one of unknown length, -1 to cut */
ptrdiff_t request_read(struct http_request *request, uint64_t offset, uint8_t *to, size_t room);

/* The request is over.
 *
 * delivered  a reply went out in full */
void request_close(struct http_request *request, bool delivered);

#endif
