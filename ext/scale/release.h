#ifndef AGS_SCALE_RELEASE_H
#define AGS_SCALE_RELEASE_H

#include "scale/sync.h"

/*
 * Releases of a directory: every push is a new directory on each server, and one rename of a symbolic link on all servers
 * makes it the one that is served. Web servers point to PATH/current.
 *
 *   PATH/current -> .releases/ID             what is served
 *   PATH/.releases/ID/                       a whole tree; nothing is written into it any more
 *   PATH/.releases/.staging.ID/              one that is being filled, or that a failed call left to be gone on with
 *   PATH/.releases/.shared/sites/x/files/    what visitors uploaded: of all releases, each has a symbolic link to it
 *   PATH/.releases/.begun.ID .made.ID .good.ID    empty files; their times tell the order
 *
 *   prepare ─► stage ─► uploads ─► finish ═► switch ─► mark as good
 *                                    ║ the barrier: all servers have the whole release, or none switches
 *
 * Staging hard-links what is the same in the release that is current there, and takes nothing over from a failed call that is a hard link,
 * as a change of its attributes would change the release that is served. A server that fails in the switch: when more
 * have failed than may, those that switched go back to what they served.
 *
 * A release is good once it was switched to in a call that ended well. The last good one is the newest that is not current: what one goes back to.
 *
 * Uploads are sites/NAME/files and sites/NAME/private of a Drupal root, which is PATH itself or a directory in it. Those of the
 * server are never in a release. Those of this machine are added to the shared ones: nothing is deleted there, and no older file goes
 * over a newer one. A symbolic link in their place is code and is sent as it is. A server where PATH is a plain tree is refused, as
 * its uploads would be hidden.
 *
 * The commands on the servers are one fixed script for sh (release_script.c) with words behind it; servers need GNU coreutils and findutils.
 */

/* Letters, digits, dots, dashes and underscores, the first a letter or a digit, at most 64. */
#define AGS_MAX_RELEASE 64
bool ags_release_check(const char *id, struct ags_err *err);

/* ags_sync() of one directory into the release options->release. Filters begin at the directory: /cache is PATH/cache.
 * A release that is there already with the same content is only switched to; with another content it is that server's failure. */
bool ags_release_sync(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
                      const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report,
                      struct ags_err *err);

/* What one server has of a path; in its result of the calls below. */
struct ags_releases {
	const char *current;             /* NULL: none */
	const char *last_good;           /* NULL: none */
	struct ags_strings whole;        /* newest first */
	struct ags_strings good;         /* most recently served first */
	struct ags_strings unfinished;
	struct ags_strings removed;      /* by this call */
};

/* Of the options below the servers, max_failures, parallel, connect_timeout and timeout are used. */
bool ags_release_list(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                      const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report,
                      struct ags_err *err);
/* All servers must have it before one switches. */
bool ags_release_switch(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                        const char *id, const struct ags_sync_options *options, const struct ags_host *host,
                        struct ags_report *report, struct ags_err *err);
/* Keeps the `keep` good releases that were served last, the current and the last good one, and what was begun or made within a day. */
bool ags_release_prune(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                       unsigned keep, const struct ags_sync_options *options, const struct ags_host *host,
                       struct ags_report *report, struct ags_err *err);

#endif
