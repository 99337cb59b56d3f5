/* xml_write.h - reply documents, written straight into a buffer.
 *
 *     struct xml_write xml;
 *     xml_write_start(&xml, &call->out, "ListPartsResult", true);
 *     xml_write_text(&xml, "Key", key);
 *     xml_write_open(&xml, "Part"); … xml_write_close(&xml);
 *     xml_write_end(&xml);
 *
 * Failures of the buffer are looked at once, with buf_ok().
 *
 * Text is escaped so that parsers give it back byte for byte: & < > " ' as
 * entities, CR as &#13;. What XML 1.0 cannot carry at all (control bytes other
 * than tab, LF, CR; U+FFFE, U+FFFF) is written as a numeric reference, as S3
 * does: strict parsers refuse it, which is what encoding-type=url is for.
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * Not here  which elements a reply has (op/).
 * Threads   a writer belongs to one thread. */
#ifndef STORAGE_S3_XML_WRITE_H
#define STORAGE_S3_XML_WRITE_H

#include "base/buf.h"

#define XML_WRITE_DEPTH_MAX 8
#define XML_WRITE_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

struct xml_write {
    struct buf *to; /* borrowed */
    const char *open[XML_WRITE_DEPTH_MAX];
    size_t depth;
};

/* Begin: declaration and root element. Names, here and below, are static text.
 *
 * namespaced  with S3's namespace: every root but Error */
void xml_write_start(struct xml_write *xml, struct buf *to, const char *root, bool namespaced);

/* Close every element that is open. */
void xml_write_end(struct xml_write *xml);

void xml_write_open(struct xml_write *xml, const char *name);

/* The same with attributes, which are static text (` xmlns:xsi="…"`, with the space before). */
void xml_write_open_with(struct xml_write *xml, const char *name, const char *attributes);

/* Close the element opened last. */
void xml_write_close(struct xml_write *xml);

/* An element with content. */
void xml_write_text(struct xml_write *xml, const char *name, struct bytes text);
/* The same for a text that was made for it: where its data is NULL, memory was out,
 * and the document fails. */
void xml_write_made(struct xml_write *xml, const char *name, struct bytes text);
void xml_write_str(struct xml_write *xml, const char *name, const char *text);
void xml_write_u64(struct xml_write *xml, const char *name, uint64_t value);
void xml_write_bool(struct xml_write *xml, const char *name, bool value);
void xml_write_time(struct xml_write *xml, const char *name, uint64_t unix_ms); /* ISO with ms */

#endif
