#ifndef AGS_RSYNC_FILELIST_H
#define AGS_RSYNC_FILELIST_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * The list of everything that is sent, in rsync's order (in a directory first all that is no directory, then the directories
 * with a slash behind their names), so that an index
 * is a position. Built once by ags_scan(), encoded once per wire format, shared by all receivers.
 *
 *   entries:  .   a   b   d/  d/x   d/e/  d/e/y        parent of d/x is d/
 */
enum {
	AGS_ENTRY_TOP     = 1,       /* a pushed path itself: rsync's TOP_DIR when it is a directory */
	AGS_ENTRY_IMPLIED = 2,       /* a parent of a pushed path: no content, nothing is deleted in it */
	AGS_ENTRY_FOLLOW  = 4,       /* here a symlink to a directory, sent as that directory */
};

#define AGS_NO_PARENT UINT32_MAX

struct ags_entry {
	const char *name;            /* the last component; "." for the root of a non-relative transfer */
	const char *text;            /* a symlink's target; a TOP entry's absolute path on this machine; else NULL */
	const uint8_t *sum;          /* with checksum, of a regular file: AGS_DIGEST_LEN bytes per wanted digest; else NULL */
	int64_t  size;               /* of a device: its number, st_rdev */
	int64_t  mtime;
	uint32_t mtime_nsec;
	uint32_t mode;               /* st_mode */
	uint32_t uid, gid;
	uint32_t parent;             /* index, or AGS_NO_PARENT */
	uint32_t link;               /* names of one file: 1 + the index of the first of them; 0: no other name */
	uint16_t name_len;
	uint16_t text_len;
	uint8_t  flags;
};

/* Something in the source that could not be taken along. */
struct ags_complaint {
	const char *path;            /* absolute */
	int sys;                     /* errno; ENOENT: vanished */
	const char *what;            /* "cannot read directory" */
};

struct ags_filelist {
	struct ags_arena arena;      /* names, texts, sums, complaints */
	struct ags_entry *entries;
	uint32_t count, capacity;
	uint64_t bytes;              /* sum of the sizes of regular files */
	unsigned io_error;           /* rsync's bits: 1 something could not be read (receivers then delete nothing), 2 vanished */
	struct ags_complaint *complaints;
	size_t complaint_count, complaint_capacity;
};

#define AGS_FILELIST_INIT { .arena = AGS_ARENA_INIT }

void ags_filelist_free(struct ags_filelist *list);

/* The entry's path relative to the transfer's root, e.g. "var/aegir/x/index.php", NUL behind it. Returns its length; buf has AGS_MAX_PATH. */
size_t ags_filelist_path(const struct ags_filelist *list, uint32_t ndx, char *buf);

/* All that can change the bytes of a list for protocol 30 to 32. */
struct ags_list_format {
	bool varint_flags;           /* compat 0x80 */
	bool id0_names;              /* compat 0x100 */
	bool nanoseconds;            /* protocol >= 31 */
	bool numeric_ids;
	bool checksums;              /* the option -c */
	enum ags_digest digest;      /* which of them, with checksums */
	uint32_t skip;               /* entries at the front that are left out, each in the one before: names are given without their path */
};

bool ags_list_format_equal(const struct ags_list_format *a, const struct ags_list_format *b);

/* Entries, end mark and id lists, cut into MSG_DATA frames, behind what `out` holds. Options o, g, l, D and p, t are always on. */
bool ags_filelist_encode(const struct ags_filelist *list, const struct ags_list_format *format, struct ags_buf *out,
                         struct ags_err *err);

#endif
