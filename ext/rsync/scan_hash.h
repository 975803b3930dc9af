#ifndef AGS_RSYNC_SCAN_HASH_H
#define AGS_RSYNC_SCAN_HASH_H

#include "rsync/scan_walk.h"

/* The sums of -c: every regular file is read once, for both digests. */
bool ags_scan_hash_init(struct ags_walk *w);
void ags_scan_hash_fini(struct ags_walk *w);

/* False on lack of memory or when told to stop. A file that cannot be read has no sum: it is then asked for, and found missing, when
 * its content is sent. */
bool ags_scan_hash_file(struct ags_walk *w, int dir, const char *name, struct ags_entry *entry);

#endif
