/* record_log.h - a log of RocksDB's format, made by a test in memory.
 *
 * Threads   those of the test. */
#ifndef TESTS_UNIT_STORAGE_KV_RECORD_LOG_H
#define TESTS_UNIT_STORAGE_KV_RECORD_LOG_H

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"

#define RECORD_LOG_BLOCK  32768
#define RECORD_LOG_HEADER 7

static inline void record_log_fragment(uint8_t *head, uint8_t type, struct bytes payload)
{
    head[4] = (uint8_t)payload.len;
    head[5] = (uint8_t)(payload.len >> 8);
    head[6] = type;
    memcpy(head + RECORD_LOG_HEADER, payload.data, payload.len);
    uint32_t crc = hash_crc32c(0, bytes_of(head + 6, 1 + payload.len));
    crc = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    for (int i = 0; i < 4; i++)
        head[i] = (uint8_t)(crc >> 8 * i);
}

/* Add one record, in fragments where it crosses the end of a block. `log` is zeroed behind `len`.
 */
static inline void record_log_add(uint8_t *log, size_t *len, struct bytes record)
{
    bool begins = true, ends = false;
    while (!ends) {
        size_t room = RECORD_LOG_BLOCK - *len % RECORD_LOG_BLOCK;
        if (room < RECORD_LOG_HEADER) {
            *len += room;
            room = RECORD_LOG_BLOCK;
        }
        struct bytes piece = bytes_first(record, room - RECORD_LOG_HEADER);
        record = bytes_from(record, piece.len);
        ends = record.len == 0;
        record_log_fragment(log + *len, begins && ends ? 1 : begins ? 2 : ends ? 4 : 3, piece);
        *len += RECORD_LOG_HEADER + piece.len;
        begins = false;
    }
}

#endif
