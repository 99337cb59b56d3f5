/* phase.c - the table drawn in phase.h; what cannot happen ends the connection.
 *
 * Threads   pure. */
#include "base/http/phase.h"

#include <assert.h>

#define NEVER PHASE_DROPPED

static const enum phase NEXT[PHASES][PHASE_EVENTS] = {
    [PHASE_IDLE] = {PHASE_BODY, NEVER, NEVER, NEVER, PHASE_IDLE, PHASE_DROPPED},
    [PHASE_BODY] = {NEVER, PHASE_DISCARD, PHASE_REPLY, PHASE_DISCARD, PHASE_IDLE, PHASE_DROPPED},
    [PHASE_DISCARD] = {NEVER, PHASE_DISCARD, PHASE_REPLY, PHASE_DISCARD, PHASE_IDLE, PHASE_DROPPED},
    [PHASE_REPLY] = {NEVER, NEVER, PHASE_REPLY, PHASE_DISCARD, PHASE_IDLE, PHASE_DROPPED},
    [PHASE_DROPPED] = {PHASE_DROPPED, PHASE_DROPPED, PHASE_DROPPED, PHASE_DROPPED, PHASE_DROPPED,
                       PHASE_DROPPED},
};

enum phase phase_next(enum phase phase, enum phase_event event)
{
    assert(phase < PHASES && event < PHASE_EVENTS);
    return NEXT[phase][event];
}
