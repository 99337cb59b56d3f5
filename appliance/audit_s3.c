/* audit_s3.c - see audit_s3.h. */
#include "appliance/audit_s3.h"

#include <stdio.h>

#define ACTION_ROOM 96 /* bytes of "s3:" and an operation's name */

/* The bucket's or the object's ARN. */
static struct bytes arn(const struct s3_event *event, char *room, size_t size)
{
    if (event->bucket.len == 0)
        return bytes_of(NULL, 0);
    int len = snprintf(room, size, "arn:aws:s3:::%" BYTES_FMT "%s%" BYTES_FMT,
                       BYTES_ARG(event->bucket), event->key.len ? "/" : "", BYTES_ARG(event->key));
    return bytes_first(bytes_of(room, len < 0 ? 0 : (size_t)len), size - 1);
}

static struct audit_entry entry_of(const struct s3_event *event)
{
    return (struct audit_entry){
        .actor = {.user = event->user,
                  .access_key = event->access_key,
                  .address = bytes_of_str(event->address)},
        .result = bytes_of_str(event->result),
        .request_id = bytes_of_str(event->request_id),
    };
}

static enum err_code changed(void *ctx, const struct s3_event *event, struct err *err)
{
    const struct audit_s3 *to = ctx;
    char action[ACTION_ROOM], resource[AUDIT_RESOURCE_MAX];
    struct audit_entry entry = entry_of(event);
    snprintf(action, sizeof(action), "s3:%s", event->op);
    entry.action = bytes_of_str(action);
    entry.resource = arn(event, resource, sizeof(resource));
    return audit_write(to->audit, &entry, err);
}

/* Without a resource: a stranger chooses what to ask for. */
static void refused(void *ctx, const struct s3_event *event)
{
    const struct audit_s3 *to = ctx;
    struct audit_entry entry = entry_of(event);
    entry.action = BYTES_LIT("auth:refused");
    audit_repeat_note(to->repeat, &entry);
}

/* Without an address: what is rotten is rotten for everybody. */
static void rotten(void *ctx, const struct s3_event *event)
{
    const struct audit_s3 *to = ctx;
    char resource[AUDIT_RESOURCE_MAX];
    struct audit_entry entry = entry_of(event);
    entry.action = BYTES_LIT("rot:read");
    entry.actor.address = bytes_of(NULL, 0);
    entry.resource = arn(event, resource, sizeof(resource));
    audit_repeat_note(to->repeat, &entry);
}

void audit_s3_init(struct audit_s3 *to)
{
    to->calls =
        (struct s3_audit){.ctx = to, .changed = changed, .refused = refused, .rotten = rotten};
}
