#ifndef AGS_SSH_LOOKUP_H
#define AGS_SSH_LOOKUP_H

#include <netdb.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A name look-up that blocks nobody. getaddrinfo() may wait for a dead name
 * server for a minute, so a name is looked up in a thread of its own; numbers
 * need none. Whoever is last, thread or owner, frees what they share.
 */
struct ags_lookup;

/* NULL with err when no thread or descriptor can be had. */
struct ags_lookup *ags_lookup_new(const char *host, uint16_t port, struct ags_err *err);

/* Readable once there is an answer; the owner's until free. -1 when the answer is there already. */
int ags_lookup_fd(const struct ags_lookup *lookup);

/* AGS_DONE: *found is the caller's, for freeaddrinfo(). */
enum ags_step ags_lookup_step(struct ags_lookup *lookup, struct addrinfo **found, struct ags_err *err);

void ags_lookup_free(struct ags_lookup *lookup);             /* NULL is fine; the thread may go on alone */

#endif
