/* xml_read_fuzz.c - request documents: a tree that was read, written by
 * xml_write.h and read again, is the same tree.
 *
 * Catches   UTF-16 let through (is_utf8() left out: the pool overflows) */
#include "storage/s3/xml_read.h"

#include <assert.h>

#include "base/limits.h"
#include "storage/s3/tagging.h"
#include "storage/s3/xml_write.h"

#define ROOT "Tagging"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Without its prefix, any name is a name but one that begins like "a:1". */
static bool is_name(struct bytes name)
{
    return name.len > 0 && ((name.data[0] | 0x20) >= 'a' && (name.data[0] | 0x20) <= 'z');
}

/* Write the tree again.
 *
 * returns  false where it has names that cannot stand alone */
static bool write_node(const struct xml_node *node, struct xml_write *xml, struct arena *arena)
{
    const char *name = arena_str(arena, node->name);
    assert(name);
    if (!is_name(node->name))
        return false;
    if (!node->first) {
        xml_write_text(xml, name, node->text);
        return true;
    }
    assert(node->text.len == 0);
    xml_write_open(xml, name);
    for (const struct xml_node *child = node->first; child; child = child->next)
        if (!write_node(child, xml, arena))
            return false;
    xml_write_close(xml);
    return true;
}

static void compare(const struct xml_node *a, const struct xml_node *b)
{
    for (; a && b; a = a->next, b = b->next) {
        assert(bytes_equal(a->name, b->name) && bytes_equal(a->text, b->text));
        compare(a->first, b->first);
    }
    assert(!a && !b);
}

static void check_again(const struct xml_node *root, struct arena *arena)
{
    struct xml_write xml = {.depth = 0};
    struct buf text;
    struct err err = {0};
    const struct xml_node *again;
    buf_init(&text, MIB(16));
    xml.to = &text;
    if (write_node(root, &xml, arena) && text.len <= S3_XML_MAX) {
        enum err_code code = xml_read(buf_bytes(&text), ROOT, arena, &again, &err);
        assert(code == ERR_OK);
        compare(root, again);
    }
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};
    const struct xml_node *root;
    struct record_pairs tags;
    arena_init(&arena, MIB(64));
    if (xml_read(bytes_of(data, size), ROOT, &arena, &root, &err) == ERR_OK) {
        check_again(root, &arena);
        if (tagging_read_xml(root, S3_BUCKET_TAGS_MAX, &arena, &tags, &err) == ERR_OK)
            assert(tags.count <= S3_BUCKET_TAGS_MAX);
    }
    arena_done(&arena);
    return 0;
}
