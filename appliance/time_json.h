/* time_json.h - wall time in JSON: text in ISO 8601, null for a time that never was.
 *
 * Threads   any. */
#ifndef APPLIANCE_TIME_JSON_H
#define APPLIANCE_TIME_JSON_H

#include <jansson.h>

#include "base/clock.h"

/* returns  yours to decref; NULL when memory is out */
static inline json_t *time_json(uint64_t unix_ms)
{
    if (unix_ms == 0)
        return json_null();
    char text[CLOCK_TEXT_MAX];
    clock_format_iso(unix_ms, text);
    return json_string(text);
}

#endif
