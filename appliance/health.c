/* health.c - see health.h. */
#include "appliance/health.h"

#include <fcntl.h>
#include <unistd.h>

/* A clock that was set back by less is not worth a word. */
#define CLOCK_BEHIND_MS (10 * 60 * 1000)

struct item {
    const char *name, *advice;
    bool is_reason;
};

static const struct item items[HEALTH_ITEMS] = {
    [HEALTH_STORE] = {"store-read-only",
                      "a write to the disk failed: check the disk, then restart the box", true},
    [HEALTH_DISK_FULL] = {"disk-full", "the disk is full: delete objects or add space", true},
    [HEALTH_DESCRIPTORS] = {"no-descriptors",
                            "no file descriptor is left: raise the limit (LimitNOFILE)", true},
    [HEALTH_CLOCK] = {"clock-behind",
                      "the clock is behind the last time this box was seen running: check the date",
                      false},
    [HEALTH_ROT] = {"damaged-blocks",
                    "stored blocks failed their check and are not served: check the disk", false},
};

static bool descriptors_are_out(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return true;
    close(fd);
    return false;
}

struct health_report health_look(const struct health *health)
{
    struct health_report report = {.ok = true};
    enum err_code store = store_health(health->store, &report.store_error);
    report.found[HEALTH_STORE] = store != ERR_OK && store != ERR_NO_SPACE;
    report.found[HEALTH_DISK_FULL] = store == ERR_NO_SPACE || space_now(health->space).full;
    report.found[HEALTH_DESCRIPTORS] = descriptors_are_out();
    report.found[HEALTH_CLOCK] = last_seen_behind_ms(health->last_seen) > CLOCK_BEHIND_MS;
    report.found[HEALTH_ROT] = store_is_damaged(health->store);
    for (size_t i = 0; i < HEALTH_ITEMS; i++)
        if (report.found[i] && items[i].is_reason)
            report.ok = false;
    return report;
}

const char *health_name(enum health_item item)
{
    return items[item].name;
}

json_t *health_texts(const struct health_report *report, bool reasons)
{
    json_t *list = json_array();
    for (enum health_item item = 0; item < HEALTH_ITEMS; item++)
        if (report->found[item] && items[item].is_reason == reasons)
            json_array_append_new(list,
                                  json_sprintf("%s: %s", items[item].name, items[item].advice));
    return list;
}
