/* layout.c - see layout.h.
 *
 * Owns      nothing.
 * Threads   pure. */
#include "base/http/layout.h"

#include <string.h>

#define CRLF_LEN 2

static uintptr_t address_of(const void *data)
{
    return (uintptr_t)data;
}

void layout_open(struct layout *layout, const char *target)
{
    *layout = (struct layout){.target = address_of(target),
                              .target_end = address_of(target) + strlen(target)};
}

void layout_begin(struct layout *layout, const char *method, const char *version, size_t head_len)
{
    layout->end = address_of(method) + head_len;
    layout->at = address_of(version) + strlen(version) + CRLF_LEN;
    layout->broken = address_of(method) + strlen(method) + 1 != layout->target ||
                     layout->target_end + 1 != address_of(version);
}

static bool is_blank(const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (from[i] != ' ' && from[i] != '\t')
            return false;
    return true;
}

void layout_add(struct layout *layout, struct bytes name, struct bytes value)
{
    uintptr_t after_colon = layout->at + name.len + 1;
    uintptr_t value_at = address_of(value.data);
    uintptr_t next = value_at + value.len + CRLF_LEN;
    if (layout->broken || address_of(name.data) != layout->at || value_at < after_colon ||
        next > layout->end || !is_blank(name.data + name.len + 1, value_at - after_colon))
        layout->broken = true;
    layout->at = next;
}

bool layout_is_whole(const struct layout *layout)
{
    return !layout->broken && layout->at + CRLF_LEN == layout->end;
}
