#ifndef AGS_SSH_DIAL_H
#define AGS_SSH_DIAL_H

#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"

/*
 * From a host name and a port to a connected socket: the name is looked up, then its
 * addresses are tried in turn. Each gets its share of the time that is left,
 * so that a dead first address does not use up the time of a living second.
 */
struct ags_dial;

/* fn runs from the loop when a step makes sense. NULL with err on lack of memory or descriptors. */
struct ags_dial *ags_dial_new(struct ags_loop *loop, const char *host, uint16_t port, int64_t deadline, ags_watch_fn *fn,
                              void *arg, struct ags_err *err);

/* AGS_DONE: *fd is the caller's; non-blocking, close on exec, with TCP_NODELAY. */
enum ags_step ags_dial_step(struct ags_dial *dial, int *fd, struct ags_err *err);

/* The address that is, or was last, tried: "10.0.0.1:22", "[::1]:22"; "name:port" before there is one. */
const char *ags_dial_address(const struct ags_dial *dial);

void ags_dial_free(struct ags_dial *dial);                   /* NULL is fine */

/* "10.0.0.1:22", with brackets around a host that has colons itself. */
void ags_host_port(char *to, size_t size, const char *host, uint16_t port);

#endif
