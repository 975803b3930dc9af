#ifndef AGS_RSYNC_WILDMATCH_H
#define AGS_RSYNC_WILDMATCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * rsync's wildcards: ? and * stop at a slash, ** does not, [..] is one byte that is no slash, a backslash takes the
 * meaning from what follows. Bytes, not characters; the classes are those of ASCII, whatever the locale says.
 */
struct ags_wild;

/* Compiles the pattern once. One that can match nothing, such as "[a", is no failure. NULL on lack of memory. */
struct ags_wild *ags_wild_new(const char *pattern, size_t len);
void ags_wild_free(struct ags_wild *wild);                /* NULL is fine */

bool ags_wild_matches(const struct ags_wild *wild, const char *text, size_t len);

#endif
