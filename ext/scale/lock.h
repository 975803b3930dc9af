#ifndef AGS_SCALE_LOCK_H
#define AGS_SCALE_LOCK_H

#include "scale/sync.h"

/*
 * One call at a time changes a path on a server: a push, a release, a switch, a prune, a fetch. Two calls are in each other's way when
 * they have a server in common and a path of one is, holds or lies in a path of the other.
 *
 *   runs/mutex       held for the moment in which a call looks at the others and registers
 *   runs/run.NONCE   of one call: its process, since when, servers and paths. Locked as long as the call lasts; the kernel unlocks
 *                    it when the process dies, however it dies, and the next call removes it
 *
 * It holds for the calls of one user on one machine.
 */
struct ags_lock {
	int dir, fd;                     /* -1: none */
	int pid;
	int *held;                       /* ags_environment.held */
	char name[24];
};

#define AGS_LOCK_INIT { .dir = -1, .fd = -1 }

struct ags_lock_wish {
	const struct ags_environment *env;
	const struct ags_topology *topology;
	const char *group;
	const struct ags_strings *only;      /* of its servers; empty: all */
	const struct ags_strings *paths;     /* absolute */
	bool covers_all;                     /* the whole root of each server is changed, not paths below it */
	bool writes_here;                    /* the paths of this machine are changed, too */
	uint32_t timeout;                    /* seconds to wait for others; 0: the longest of the servers' */
	const struct ags_host *host;         /* asked, and told of servers in AGS_PHASE_CONNECT, while it waits */
};

/* AGS_DONE: it is ours. AGS_AGAIN with err: there is nowhere to keep it. AGS_FAILED: another call did not end in time (AGS_TIMEOUT), the
 * host stopped this one, or there is no such group. */
enum ags_step ags_lock_take(struct ags_lock *lock, const struct ags_lock_wish *wish, struct ags_err *err);

/* Also of one that was not taken. In a forked child it leaves the parent's lock alone. */
void ags_lock_release(struct ags_lock *lock);

#endif
