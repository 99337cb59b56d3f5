/* tag_set.c - see tag_set.h. */
#include "storage/s3/tag_set.h"

#include "storage/s3/tagging.h"
#include "storage/s3/xml_write.h"

enum err_code tag_set_read(struct call *call, size_t max, struct record_pairs *ret_tags,
                           struct err *err)
{
    const struct xml_node *root;
    if (xml_read(buf_bytes(&call->document), "Tagging", call->arena, &root, err))
        return err->code;
    return tagging_read_xml(root, max, call->arena, ret_tags, err);
}

void tag_set_write(struct buf *to, const struct record_pairs *tags)
{
    struct xml_write xml;
    xml_write_start(&xml, to, "Tagging", true);
    xml_write_open(&xml, "TagSet");
    for (size_t i = 0; i < tags->count; i++) {
        xml_write_open(&xml, "Tag");
        xml_write_text(&xml, "Key", tags->items[i].name);
        xml_write_text(&xml, "Value", tags->items[i].value);
        xml_write_close(&xml);
    }
    xml_write_end(&xml);
}
