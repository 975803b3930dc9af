#ifndef AGS_RSYNC_PACKED_H
#define AGS_RSYNC_PACKED_H

#include <stdbool.h>
#include <stddef.h>

/* Does a file's name say that its content is compressed already? Then it costs time to try again, and gains nothing. */
bool ags_packed_by_name(const char *name, size_t len);

#endif
