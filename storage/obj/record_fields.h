/* record_fields.h - the pieces that records share, to and from their messages;
 * for record*.c alone.
 *
 * Writing   yields protobuf structs that borrow from the record.
 * Reading   checks: the first bad field is kept in the reader, which makes later
 *           reads harmless, so that a decoder is a list of fields and one test.
 * Threads   values. */
#ifndef STORAGE_OBJ_RECORD_FIELDS_H
#define STORAGE_OBJ_RECORD_FIELDS_H

#include "storage/obj/record.h"
#include "storage/obj/record.pb-c.h"

/* Reading a row: sticky, rc is that of the first failure. */
struct record_reader {
    const char *row; /* what it is, for messages */
    struct arena *arena;
    struct err *err;
    enum err_code rc;
};

/* Read the head and unpack the message.
 *
 * head_len  1, or RECORD_HEAD_LEN
 * returns   the message, in the arena; NULL where reader->rc is not ERR_OK */
void *record_read_row(struct record_reader *reader, const ProtobufCMessageDescriptor *type,
                      struct bytes row, size_t head_len);

/* Fail with ERR_CORRUPT unless `ok`. */
void record_read_check(struct record_reader *reader, bool ok, const char *field);

struct bytes record_read_bytes(ProtobufCBinaryData data);
/* Exactly `len` bytes, or none where `optional`: zeros then. */
void record_read_fixed(struct record_reader *reader, ProtobufCBinaryData data, bool optional,
                       uint8_t *ret_data, size_t len, const char *field);
void record_read_pairs(struct record_reader *reader, Valise__Obj__Pair *const *pairs, size_t count,
                       struct record_pairs *ret_pairs);
void record_read_checksum(struct record_reader *reader, const Valise__Obj__Checksum *checksum,
                          struct record_checksum *ret_checksum);
/* A number of a checksum's algorithm, not 0. */
void record_read_algorithm(struct record_reader *reader, uint32_t number, enum hash_kind *ret_kind);
void record_read_body(struct record_reader *reader, const Valise__Obj__Body *body,
                      struct record_body *ret_body);
struct record_origin record_read_origin(const Valise__Obj__Origin *origin);

/* Pack a message behind a head, whose seq and stamp are 0. data is NULL when memory is out. */
struct bytes record_write_row(const ProtobufCMessage *message, size_t head_len,
                              struct arena *arena);
/* The same, with RECORD_HEAD_LEN bytes of head. */
struct bytes record_write_change_row(const ProtobufCMessage *message, uint64_t seq, uint64_t stamp,
                                     struct arena *arena);

ProtobufCBinaryData record_write_bytes(struct bytes bytes);
/* Nothing where it is all zeros. */
ProtobufCBinaryData record_write_etag(const uint8_t etag[RECORD_ETAG_LEN]);
/* returns  false when memory is out */
bool record_write_pairs(const struct record_pairs *pairs, struct arena *arena,
                        Valise__Obj__Pair ***ret_pairs, size_t *ret_count);
uint32_t record_write_algorithm(enum hash_kind kind);

/* Each fills `room` and returns it, or returns NULL where nothing is worth a message. */
Valise__Obj__Checksum *record_write_checksum(const struct record_checksum *checksum,
                                             Valise__Obj__Checksum *room);
Valise__Obj__Body *record_write_body(const struct record_body *body, Valise__Obj__Body *room);
Valise__Obj__Origin *record_write_origin(const struct record_origin *origin,
                                         Valise__Obj__Origin *room);
Valise__Obj__Lineage *record_write_lineage(struct bytes trace, uint32_t depth,
                                           Valise__Obj__Lineage *room);

#endif
