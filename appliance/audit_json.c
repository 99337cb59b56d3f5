/* audit_json.c - see audit_json.h. */
#include "appliance/audit_json.h"

#include "appliance/time_json.h"
#include "base/codec.h"
#include "base/escape.h"

#define ESCAPED_MAX (4 * AUDIT_RESOURCE_MAX) /* bytes of the longest text, escaped */

/* null for an empty text; NULL when memory is out. */
static json_t *text_json(struct bytes text, enum escape_style style)
{
    struct buf escaped;
    char room[ESCAPE_ROOM];
    if (text.len == 0)
        return json_null();
    buf_init(&escaped, ESCAPED_MAX);
    while (text.len > 0)
        buf_append(&escaped, escape_next(&text, style, room));
    json_t *json = buf_ok(&escaped) ? json_stringn((const char *)escaped.data, escaped.len) : NULL;
    buf_done(&escaped);
    return json;
}

static json_t *word_json(struct bytes text)
{
    return text_json(text, ESCAPE_TO_WORD);
}

static json_t *hash_json(const uint8_t hash[SEAL_HASH_LEN])
{
    char text[2 * SEAL_HASH_LEN + 1];
    codec_hex(bytes_of(hash, SEAL_HASH_LEN), text);
    return json_string(text);
}

static json_t *entry_json(const struct audit_entry *entry)
{
    const struct audit_actor *actor = &entry->actor;
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "seq",
                     (json_int_t)entry->seq, "time", time_json(entry->unix_ms), "user",
                     word_json(actor->user), "access_key", word_json(actor->access_key), "uid",
                     actor->is_local ? json_integer(actor->uid) : json_null(), "address",
                     word_json(actor->address), "action", word_json(entry->action), "resource",
                     word_json(entry->resource), "result", word_json(entry->result), "count",
                     (json_int_t)(entry->count ? entry->count : 1), "detail",
                     text_json(entry->detail, ESCAPE_TO_LINE), "request_id",
                     word_json(entry->request_id), "hash", hash_json(entry->hash));
}

enum err_code audit_json_list(struct audit *audit, uint64_t since, struct arena *arena,
                              json_t **ret_list, struct err *err)
{
    struct audit_entry *entries;
    size_t count;
    enum err_code code = audit_read_list(audit, since, arena, &entries, &count, err);
    if (code != ERR_OK)
        return code;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, entry_json(&entries[i])) != 0) {
            json_decref(list);
            return err_fail(err, ERR_NO_MEMORY, "out of memory");
        }
    *ret_list = json_pack("{s:o}", "entries", list);
    return ERR_OK;
}

/* null for 0 */
static json_t *seq_json(uint64_t seq)
{
    return seq ? json_integer((json_int_t)seq) : json_null();
}

enum err_code audit_json_verify(struct audit *audit, json_t **ret_report, struct err *err)
{
    struct audit_report report;
    enum err_code code = audit_read_verify(audit, &report, err);
    if (code != ERR_OK)
        return code;
    *ret_report =
        json_pack("{s:b, s:I, s:o, s:o, s:o, s:o, s:o}", "intact", !report.broken_seq, "entries",
                  (json_int_t)report.entries, "first_seq", seq_json(report.first_seq), "last_seq",
                  seq_json(report.last_seq), "hash", hash_json(report.hash), "broken_seq",
                  seq_json(report.broken_seq), "why",
                  report.broken_seq ? json_string(report.why) : json_null());
    return ERR_OK;
}
