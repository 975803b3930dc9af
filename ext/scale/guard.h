#ifndef AGS_SCALE_GUARD_H
#define AGS_SCALE_GUARD_H

#include "scale/lock.h"

/*
 * What keeps a call from doing harm before any server is touched: no other call is at work on the same (scale/lock.h), and the source is
 * what it was.
 *
 *   lock ─► look ─► the push itself ─► remember ─► unlock
 *
 * A hub on which a disk or a share is not mounted shows an empty directory, or an older tree, in its place, and a push would delete the rest
 * on all servers. So the file system of each source, and those that are mounted below it, is remembered with every push that changed
 * servers or found them as the source, for each group and path (scale/mount.h). A source that is empty, or on another file system, is
 * refused. A mount point that is no directory any more was taken away on purpose; mounts of uploads do not count, as nothing is deleted there.
 *
 * Without a directory to remember it in, a call does without and says so in a warning. What is there and cannot be understood is an error.
 */
enum {
	AGS_GUARD_LOCK   = 1,            /* no other call at the same time */
	AGS_GUARD_SOURCE = 2,            /* with a lock: the paths are pushed, and where they are is remembered */
	AGS_GUARD_REFUSE = 4,            /* when they are not what they were */
};

struct ags_guard {
	const struct ags_lock_wish *wish;
	struct ags_report *report;
	bool is_remembered;              /* where the source is, if the call goes well */
	struct ags_lock lock;
	struct ags_arena arena;
	const char **sources;            /* the paths */
	struct ags_buf *found;           /* per path: the record as it would be now */
	const char **warnings;           /* at most one for the lock and one for the source */
	size_t warning_count;
};

#define AGS_GUARD_INIT { .lock = AGS_LOCK_INIT }

/* Borrows the wish until the end. */
bool ags_guard_begin(struct ags_guard *guard, const struct ags_lock_wish *wish, unsigned what, struct ags_report *report, struct ags_err *err);

/* After a call that went as the report says, which gets our warnings; also when begin failed. */
void ags_guard_end(struct ags_guard *guard);

#endif
