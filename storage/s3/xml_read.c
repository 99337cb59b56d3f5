/* xml_read.c - see xml_read.h. Expat calls back; a stack of open elements grows the tree.
 *
 * All text and names go into one pool as long as the document, which they
 * cannot outgrow: a reference is never shorter than what it stands for, and the
 * input is UTF-8. Expat would take UTF-16 too, whatever it is told, and that
 * grows; hence is_utf8(). */
#include "storage/s3/xml_read.h"

#include <assert.h>
#include <expat.h>
#include <string.h>

#include "base/limits.h"

/* Bytes that expat gets at once: it keeps a copy of them. */
#define SLICE KIB(64)

struct open_node {
    struct xml_node *node;
    struct xml_node *last; /* its youngest child */
};

struct reader {
    XML_Parser parser;
    struct arena *arena;
    uint8_t *pool;
    size_t pool_len, pool_room; /* bytes */
    struct open_node open[S3_XML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    struct xml_node *root;
    const char *refused; /* why, where a callback stopped the parser */
    bool no_memory;
};

static void refuse(struct reader *reader, const char *why)
{
    reader->refused = why;
    XML_StopParser(reader->parser, XML_FALSE);
}

static struct bytes pool_add(struct reader *reader, struct bytes text)
{
    uint8_t *to = reader->pool + reader->pool_len;
    assert(text.len <= reader->pool_room - reader->pool_len);
    memcpy(to, text.data, text.len);
    reader->pool_len += text.len;
    return bytes_of(to, text.len);
}

/* Without the prefix: namespaces are not looked at. */
static struct bytes local_name(const XML_Char *name)
{
    const char *colon = strrchr(name, ':');
    return bytes_of_str(colon ? colon + 1 : name);
}

static bool is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr(" \t\r\n", text.data[i], 4))
            return false;
    return true;
}

static void link_node(struct reader *reader, struct xml_node *node)
{
    struct open_node *parent;
    if (reader->depth == 0) {
        reader->root = node;
        return;
    }
    parent = &reader->open[reader->depth - 1];
    if (parent->last)
        parent->last->next = node;
    else
        parent->node->first = node;
    parent->last = node;
    parent->node->text = bytes_of(NULL, 0);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = ctx;
    struct xml_node *node;
    (void)attributes;
    if (reader->depth == S3_XML_DEPTH_MAX || reader->nodes == S3_XML_NODES_MAX) {
        refuse(reader, "it is too deep or has too many elements");
        return;
    }
    if (reader->depth > 0 && !is_blank(reader->open[reader->depth - 1].node->text)) {
        refuse(reader, "it has text between elements");
        return;
    }
    node = arena_alloc(reader->arena, sizeof(*node));
    if (!node) {
        reader->no_memory = true;
        refuse(reader, "memory is out");
        return;
    }
    node->name = pool_add(reader, local_name(name));
    link_node(reader, node);
    reader->nodes++;
    reader->open[reader->depth++] = (struct open_node){node, NULL};
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct reader *reader = ctx;
    (void)name;
    if (!reader->refused) /* expat ends an empty element even after a stop */
        reader->depth--;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
    struct reader *reader = ctx;
    struct open_node *open = &reader->open[reader->depth - 1];
    struct bytes piece = bytes_of(text, (size_t)len);
    if (open->node->first) {
        if (!is_blank(piece))
            refuse(reader, "it has text between elements");
        return;
    }
    piece = pool_add(reader, piece);
    if (open->node->text.len == 0)
        open->node->text = piece;
    else
        open->node->text.len += piece.len;
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_subset;
    refuse(ctx, "a DOCTYPE is not allowed");
}

static enum err_code failure(const struct reader *reader, struct err *err)
{
    enum XML_Error error = XML_GetErrorCode(reader->parser);
    if (reader->no_memory || error == XML_ERROR_NO_MEMORY)
        return err_fail(err, ERR_NO_MEMORY, "XML document");
    return s3_fail_because(err, S3_MALFORMED_XML, "The XML you provided was not accepted: %s",
                           reader->refused ? reader->refused : XML_ErrorString(error));
}

static enum err_code parse(struct reader *reader, struct bytes document, struct err *err)
{
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    while (document.len > 0) {
        struct bytes slice = bytes_first(document, SLICE);
        document = bytes_from(document, slice.len);
        if (XML_Parse(reader->parser, (const char *)slice.data, (int)slice.len,
                      document.len == 0) != XML_STATUS_OK)
            return failure(reader, err);
    }
    return ERR_OK;
}

/* Every document in UTF-16 has a NUL, in its '<', or begins with a mark that is not UTF-8. */
static bool is_utf8(struct bytes document)
{
    return bytes_find(document, 0) < 0 && bytes_is_utf8(document);
}

enum err_code xml_read(struct bytes document, const char *root, struct arena *arena,
                       const struct xml_node **ret_root, struct err *err)
{
    struct reader reader = {.arena = arena, .pool_room = document.len};
    enum err_code code;
    if (document.len > S3_XML_MAX)
        return s3_fail(err, S3_MAX_MESSAGE_LENGTH);
    if (document.len == 0 || !is_utf8(document))
        return s3_fail(err, S3_MALFORMED_XML);
    reader.pool = arena_alloc_raw(arena, document.len);
    reader.parser = XML_ParserCreate("UTF-8");
    if (!reader.pool || !reader.parser)
        code = err_fail(err, ERR_NO_MEMORY, "XML document");
    else
        code = parse(&reader, document, err);
    if (reader.parser)
        XML_ParserFree(reader.parser);
    if (code)
        return code;
    if (!bytes_equal_str(reader.root->name, root))
        return s3_fail(err, S3_MALFORMED_XML);
    *ret_root = reader.root;
    return ERR_OK;
}

static const struct xml_node *find(const struct xml_node *from, struct bytes name)
{
    while (from && !bytes_equal(from->name, name))
        from = from->next;
    return from;
}

const struct xml_node *xml_read_child(const struct xml_node *node, const char *name)
{
    return node ? find(node->first, bytes_of_str(name)) : NULL;
}

const struct xml_node *xml_read_next(const struct xml_node *node)
{
    return find(node->next, node->name);
}

struct bytes xml_read_text(const struct xml_node *node, const char *name)
{
    const struct xml_node *child = xml_read_child(node, name);
    if (!child)
        return bytes_of(NULL, 0);
    return child->text.data ? child->text : BYTES_LIT("");
}

bool xml_read_u64(const struct xml_node *node, const char *name, uint64_t max, uint64_t *ret_value)
{
    return bytes_to_u64(bytes_trim(xml_read_text(node, name)), max, ret_value);
}
