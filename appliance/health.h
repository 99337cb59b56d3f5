/* health.h - whether the box can serve reads and writes, and why not.
 *
 * Reasons keep it from serving (503); warnings are shown only.
 *
 * Threads   any. */
#ifndef APPLIANCE_HEALTH_H
#define APPLIANCE_HEALTH_H

#include <jansson.h>
#include <stdbool.h>

#include "appliance/last_seen.h"
#include "appliance/space.h"
#include "storage/obj/store.h"

enum health_item {
    HEALTH_STORE,       /* refuses writes since one failed */
    HEALTH_DISK_FULL,   /* past the high-water mark */
    HEALTH_DESCRIPTORS, /* none left */
    HEALTH_CLOCK,       /* warning: behind the last time seen */
    HEALTH_ROT,         /* warning: damaged blocks were found */
    HEALTH_ITEMS
};

struct health {
    struct store *store; /* all borrowed */
    const struct space *space;
    const struct last_seen *last_seen;
};

struct health_report {
    bool found[HEALTH_ITEMS];
    bool ok;                /* no reason; warnings do not count */
    struct err store_error; /* HEALTH_STORE: names files, so not for strangers */
};

/* Look now. */
struct health_report health_look(const struct health *health);

/* A short name ("disk-full"); static. */
const char *health_name(enum health_item item);

/* What was found, the reasons or the warnings: an array of strings that begin
 * with the item's name and say what to do.
 *
 * returns  yours to decref; NULL or incomplete when memory is out */
json_t *health_texts(const struct health_report *report, bool reasons);

#endif
