#ifndef AGS_RSYNC_SCAN_H
#define AGS_RSYNC_SCAN_H

#include "rsync/chmod.h"
#include "rsync/filelist.h"
#include "rsync/filter.h"

/*
 * Walks the source once and builds the list, in rsync's order, with directory descriptors and O_NOFOLLOW:
 * a symlink put in place of a directory while we walk is never followed, unless symlinks to directories are asked for.
 */
struct ags_scan_options {
	bool relative;                       /* keep the whole path; its parents become implied directories */
	bool hard_links;                     /* find the names that are the same file */
	bool copy_dirlinks;                  /* a symlink to a directory is that directory, unless it leads to one that it lies in */
	const struct ags_chmod *chmod;       /* NULL: permissions as they are */
	bool may_be_empty;                   /* a directory that is given */
	bool checksum;                       /* hash every regular file for -c, with both digests (xxh128 first, then md5) */
	const struct ags_filter *filter;     /* NULL: none */
	bool (*tick)(void *arg);             /* called often; false stops with AGS_CANCELLED. May be NULL */
	void *arg;
};

/*
 * paths are absolute and normalised (no "." or "..", no "//", no trailing slash unless the path is to be
 * followed and, when not relative, its contents sent instead of itself). Doubles and paths below another one are merged.
 * Not relative, a path with a trailing slash stands alone, and two with the same last component are an error. Parents of a path may be symlinks.
 *
 * The filters are asked about the paths themselves too, as rsync does it (with relative by the whole path), but not about their parents.
 * A directory named .~tmp~, where rsync's receivers stage, is left out with a complaint that has no errno and no io_error.
 *
 * A path that is missing is an error (AGS_LOCAL_IO), as is a directory given that holds nothing that would be sent. What vanishes or cannot be
 * read below is a complaint in the list. The list must be freed either way.
 */
bool ags_scan(const char *const *paths, size_t count, const struct ags_scan_options *options, struct ags_filelist *list,
              struct ags_err *err);

#endif
