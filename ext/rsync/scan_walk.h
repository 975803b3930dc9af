#ifndef AGS_RSYNC_SCAN_WALK_H
#define AGS_RSYNC_SCAN_WALK_H

#include <dirent.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "rsync/scan.h"
#include "rsync/scan_links.h"

/*
 * The part of the scan that goes through directories. One absolute path is kept, of what is being looked at; the directories
 * above it are open.
 *
 *   /srv/www/b/css/x.css
 *            |    |   +---- an entry in the making
 *            |    +-------- frames[depth-1]: its directory, open
 *            +------------- root: from here on the path is relative to the transfer
 */
struct ags_walk_frame {
	DIR *dir;
	uint32_t ndx;                 /* the directory's index in the list */
	size_t path_len;
	size_t first, next, end;      /* its sub-directories in children: all, and those not yet entered */
};

struct ags_walk {
	const struct ags_scan_options *options;
	struct ags_filelist *list;
	struct ags_err *err;
	size_t root;
	struct ags_walk_frame *frames;
	size_t depth, frame_capacity;
	struct ags_entry *children;   /* of the open directories, not yet in the list */
	size_t child_count, child_capacity;
	struct ags_links links;
	struct ags_hash hashes[2];
	uint8_t *block;               /* what is hashed */
	size_t since_tick;
	char path[AGS_MAX_PATH];
};

bool ags_walk_init(struct ags_walk *w, const struct ags_scan_options *options, struct ags_filelist *list, struct ags_err *err);
void ags_walk_fini(struct ags_walk *w);

/* Fills in what stat says, a symlink's target and a file's sums. `name` is relative to dir, w->path is the absolute path. The name is
 * not copied. AGS_AGAIN: could not be read, a complaint was made. */
enum ags_step ags_walk_describe(struct ags_walk *w, int dir, const char *name, const struct stat *st, struct ags_entry *entry);

bool ags_walk_append(struct ags_walk *w, const struct ags_entry *entry, uint32_t *ndx);

/* Appends all that is in the directory w->path (its text without a trailing slash; "" for "/"), which is entry ndx. To open it `open_as`
 * is taken. That it cannot be opened is a failure; what is wrong below is a complaint. */
bool ags_walk_directory(struct ags_walk *w, const char *open_as, uint32_t ndx);

/* errno as sys, or 0. False on lack of memory. */
bool ags_walk_complain(struct ags_walk *w, int sys, const char *what);

/* With copy_dirlinks: is the symlink `name` one that is taken as the directory to which it leads? Then *st becomes the directory's. A symlink
 * that leads to a directory which is open now would never end: it stays one, with a complaint. False on lack of memory. */
bool ags_walk_follow(struct ags_walk *w, int dir, const char *name, struct stat *st, bool *follows);

/* The name that rsync's receivers stage under; in a list it would be their own files that are changed. */
bool ags_walk_is_staging(const char *name, size_t len);

/* rsync's order of two entries of one directory: what is no directory first, then directories as if a slash were behind their names. */
int ags_walk_compare(const void *a, const void *b);

bool ags_walk_tick(struct ags_walk *w);

#endif
