#ifndef AGS_RSYNC_IDNAMES_H
#define AGS_RSYNC_IDNAMES_H

#include "rsync/filelist.h"

/* The names of the users and groups that own something in the list, as they follow it. */
enum ags_ids { AGS_IDS_USER, AGS_IDS_GROUP };

/* The list's ids but 0 that have a name, the end mark and, when asked for, the name of id 0. False on lack of memory. */
bool ags_idnames_encode(const struct ags_filelist *list, enum ags_ids kind, bool with_id0, struct ags_buf *out);

#endif
