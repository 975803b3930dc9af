#ifndef AGS_BASE_ARENA_H
#define AGS_BASE_ARENA_H

#include <stddef.h>

/* Memory for things that die together: a topology, a file list, a report. */
struct ags_arena {
	struct ags_arena_block *blocks;
	size_t bytes;                       /* asked of malloc in all */
};

#define AGS_ARENA_INIT { .blocks = NULL }

/* Aligned for any type and filled with zeros; NULL on lack of memory. */
void *ags_arena_alloc(struct ags_arena *a, size_t n);
/* Unaligned bytes, for strings and digests. */
void *ags_arena_bytes(struct ags_arena *a, size_t n);
/* A copy of n bytes with a NUL behind it. */
char *ags_arena_copy(struct ags_arena *a, const void *bytes, size_t n);
char *ags_arena_string(struct ags_arena *a, const char *s);
char *ags_arena_printf(struct ags_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ags_arena_free(struct ags_arena *a);

#endif
