/* owner.c - see owner.h. */
#include "storage/s3/owner.h"

void owner_write_identity(struct call *call, struct xml_write *xml, struct bytes id)
{
    xml_write_text(xml, "ID", id);
    if (bytes_equal(id, call_user_id(call)))
        xml_write_str(xml, "DisplayName", call->who.key.user);
}

void owner_write(struct call *call, struct xml_write *xml, const char *name, struct bytes id)
{
    xml_write_open(xml, name);
    owner_write_identity(call, xml, id);
    xml_write_close(xml);
}
