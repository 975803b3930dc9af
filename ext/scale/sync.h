#ifndef AGS_SCALE_SYNC_H
#define AGS_SCALE_SYNC_H

#include "scale/report.h"
#include "scale/topology.h"
#include "ssh/pool.h"

/*
 * Copies paths of this machine to every server of a group, all at once.
 *
 * Everything that is about one server is in its result; false with err only when the call as a whole could not be done
 * (AGS_USAGE: a bad option or path, AGS_CONFIG: no such group, AGS_LOCAL_IO: the source is missing, empty or unreadable, AGS_CANCELLED, AGS_NOMEM).
 * After AGS_CANCELLED the report still says how each server was left.
 */
enum ags_compress { AGS_COMPRESS_AUTO, AGS_COMPRESS_NONE, AGS_COMPRESS_ZSTD, AGS_COMPRESS_ZLIB, AGS_COMPRESS_LZ4 };

/* What a server has of a path that is pushed into releases. A directory of that name is never deleted. */
#define AGS_RELEASES ".releases"

struct ags_sync_options {
	bool delete_extraneous;          /* "delete", default true */
	struct ags_strings filter;       /* rules in rsync's --filter syntax; asked first */
	struct ags_strings include;      /* patterns; asked second */
	struct ags_strings exclude;      /* patterns; asked third */
	struct ags_strings protect;      /* patterns that are never deleted on a server; a leading / means the pushed path */
	bool protect_is_set;             /* false: the uploads of Drupal sites (scale/uploads.h) */
	bool relative;                   /* default true */
	bool keep_dirlinks, omit_dir_times, checksum, numeric_ids, update, hard_links, copy_dirlinks;
	struct ags_strings chmod;        /* in rsync's --chmod syntax, one after the other */
	unsigned umask;                  /* of this process, for clauses of chmod that name nobody */
	bool dry_run, itemize;
	bool status;                     /* the report is ok only when no server differs */
	bool commit_each;                /* "commit": each instead of together */
	unsigned max_failures;           /* servers that may fail without stopping the others' commit */
	unsigned max_delete;             /* a server on which more would be deleted fails before anything there changes */
	unsigned parallel;               /* handshakes at once; 0: AGS_MAX_HANDSHAKES */
	enum ags_compress compress;
	unsigned bwlimit;                /* KiB a second for all servers together; 0: none */
	uint32_t connect_timeout, timeout;     /* seconds; 0: the server's own */
	struct ags_strings servers;      /* a subset of the group; empty: all */
	struct ags_strings link_dest;    /* directories there; files that are the same in one of them are hard-linked */
	const char *release;             /* NULL, or the name of a release: ags_release_sync() */
	const char *dest;                /* not relative: the directory below a server's root, both ends a slash; NULL: the root itself */
	bool is_unseen;                  /* with dest: nobody looks there before the call ends, so files are not staged */
	const char *shown_below;         /* with dest: where changes are said to be; ends with a slash */
	bool no_uploads;                 /* uploads of Drupal sites in the list are an error */
	bool guard;                      /* default true: a source that is empty or on another file system than before is refused (scale/guard.h) */
};

#define AGS_NO_MAX_DELETE UINT32_MAX

#define AGS_SYNC_OPTIONS_INIT { .delete_extraneous = true, .relative = true, .guard = true, .umask = 022, .max_delete = AGS_NO_MAX_DELETE }

struct ags_environment {
	struct ags_pool *pool;
	const char *home;                /* $HOME or NULL */
	const char *agent;               /* $SSH_AUTH_SOCK or NULL */
	const char *state_home;          /* $XDG_STATE_HOME or NULL */
	int *held;                       /* a descriptor that a forked child is to close, -1: none; or NULL */
};

bool ags_sync(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
              const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err);

/* Runs one command, argv and nothing else, on every server of a group at once. */
struct ags_run_options {
	const char *input;               /* bytes for the command's standard input, or NULL */
	size_t input_len;
	unsigned parallel;
	uint32_t connect_timeout, timeout;     /* seconds; timeout is of silence; 0: the server's own */
	bool with_root;                  /* the server's root is added as the last word */
	struct ags_strings servers;
};

bool ags_run(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *argv,
             const struct ags_run_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err);

#endif
