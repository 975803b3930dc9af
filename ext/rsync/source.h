#ifndef AGS_RSYNC_SOURCE_H
#define AGS_RSYNC_SOURCE_H

#include <sys/stat.h>

#include "base/limits.h"
#include "rsync/filelist.h"

/*
 * Opens files of the list for reading, component by component below the pushed path with O_NOFOLLOW, and keeps the
 * descriptors of the current directory chain, as files come in the order of the list.
 */
struct ags_source;

struct ags_source *ags_source_new(const struct ags_filelist *list);      /* borrows the list; NULL on lack of memory */
void ags_source_free(struct ags_source *source);

/* A descriptor of the regular file, the caller's to close, and its fstat; -1 with err (AGS_LOCAL_IO, sys set, path absolute) when it
 * vanished, cannot be read or is no regular file any more. */
int ags_source_open(struct ags_source *source, uint32_t ndx, struct stat *st, struct ags_err *err);

#define AGS_SOURCE_PATH (2 * AGS_MAX_PATH)       /* a pushed path, and what lies below it */

/* Where the entry lies on this machine, absolute. */
void ags_source_path(const struct ags_filelist *list, uint32_t ndx, char path[AGS_SOURCE_PATH]);

/* Are these the same size, mtime (with nanoseconds), ctime, device and inode? */
bool ags_source_same(const struct stat *before, const struct stat *after);

#endif
