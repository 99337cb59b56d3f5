/* notify.h - tell the service manager what we are up to (sd_notify's protocol:
 * one datagram to the socket that NOTIFY_SOCKET names).
 *
 * Threads   any. Source    sd_notify(3). */
#ifndef APPLIANCE_NOTIFY_H
#define APPLIANCE_NOTIFY_H

/* Send `state` ("READY=1"). Without a service manager, or where it cannot be
 * reached, nothing happens. */
void notify(const char *state);

#endif
