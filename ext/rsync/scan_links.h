#ifndef AGS_RSYNC_SCAN_LINKS_H
#define AGS_RSYNC_SCAN_LINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Which names are the same file, for -H: what is no directory and has more than one name is put into a group by device and inode.
 *
 *   a name is seen ──► ags_links_group: 1, 2, 3 …            in the order in which a directory is read
 *   it is put into the list ──► ags_links_first             the group's first in the list's order
 *
 * A file whose other names lie outside what is sent is a group of one, which does no harm.
 */
struct ags_links {
	struct ags_links_file { uint64_t dev, ino; uint32_t first; } *files;     /* first: 1 + index, 0 while none is in the list */
	uint32_t count, capacity;
	uint32_t *slots;              /* 1 + index in files, by hash; 0: free */
	uint32_t slot_count;          /* a power of two, at least twice count */
};

void ags_links_fini(struct ags_links *links);                 /* also of a zeroed one, which is how they begin */

/* The number of the file's group, never 0; 0 on lack of memory. */
uint32_t ags_links_group(struct ags_links *links, const struct stat *st);

/* What the entry's `link` is when a member of the group gets index ndx. */
uint32_t ags_links_first(struct ags_links *links, uint32_t group, uint32_t ndx);

#endif
