/* xml_read.h - request documents: a small tree, read safely.
 *
 * No DTD, so no entities but the five of XML; UTF-8 only; depth, nodes and
 * bytes are capped. Namespaces are stripped: clients send S3's, none, or old
 * spellings of it. Attributes are dropped. The work and the memory are linear
 * in the document.
 *
 * Owns      expat.
 * Threads   pure; a tree belongs to its arena.
 * Source    XML 1.0, Namespaces in XML 1.0 */
#ifndef STORAGE_S3_XML_READ_H
#define STORAGE_S3_XML_READ_H

#include "base/arena.h"
#include "storage/s3/error.h"

struct xml_node {
    struct bytes name;            /* without namespace */
    struct bytes text;            /* decoded, not trimmed; empty where there are children */
    const struct xml_node *first; /* child, in document order; NULL = none */
    const struct xml_node *next;  /* sibling; NULL = the last */
};

/* Read a document whose root is named `root`.
 *
 * document  borrowed for the call
 * arena     the tree's home: at most document.len + 48 bytes a node
 * ret_root  set on success
 * errors    S3_MALFORMED_XML (empty, not well-formed, DOCTYPE, another root, text
 *           between elements, deeper than S3_XML_DEPTH_MAX, more nodes than
 *           S3_XML_NODES_MAX), S3_MAX_MESSAGE_LENGTH (above S3_XML_MAX), ERR_NO_MEMORY */
MUST_USE enum err_code xml_read(struct bytes document, const char *root, struct arena *arena,
                                const struct xml_node **ret_root, struct err *err);

/* The first child of that name; NULL without one. `node` may be NULL. */
const struct xml_node *xml_read_child(const struct xml_node *node, const char *name);

/* The next sibling of the same name; NULL without one. So all parts are
 *     for (part = xml_read_child(root, "Part"); part; part = xml_read_next(part)) */
const struct xml_node *xml_read_next(const struct xml_node *node);

/* The text of the first child of that name; data is NULL without one. */
struct bytes xml_read_text(const struct xml_node *node, const char *name);

/* The text of the first child of that name as a number 0..max; spaces around it are fine.
 *
 * returns  false where it is not there or not such a number */
bool xml_read_u64(const struct xml_node *node, const char *name, uint64_t max, uint64_t *ret_value);

#endif
