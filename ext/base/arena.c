#include "base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (64u << 10)

struct ags_arena_block {
	struct ags_arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

static void *take(struct ags_arena *a, size_t n, size_t align)
{
	struct ags_arena_block *b = a->blocks;
	size_t at = b != NULL ? (b->used + align - 1) & ~(align - 1) : 0, size;

	if (b == NULL || at > b->size || b->size - at < n) {
		size = n > BLOCK_BYTES / 4 ? n : BLOCK_BYTES;
		if (size > SIZE_MAX - sizeof(*b))
			return NULL;
		b = malloc(sizeof(*b) + size);
		if (b == NULL)
			return NULL;
		b->used = 0;
		b->size = size;
		at = 0;
		a->bytes += sizeof(*b) + size;
		if (size == n && a->blocks != NULL) {     /* a big one goes behind, so that the open block stays open */
			b->next = a->blocks->next;
			a->blocks->next = b;
		} else {
			b->next = a->blocks;
			a->blocks = b;
		}
	}
	b->used = at + n;
	return b->data + at;
}

void *ags_arena_alloc(struct ags_arena *a, size_t n)
{
	void *p = take(a, n, alignof(max_align_t));

	if (p != NULL)
		memset(p, 0, n);
	return p;
}

void *ags_arena_bytes(struct ags_arena *a, size_t n)
{
	return take(a, n, 1);
}

char *ags_arena_copy(struct ags_arena *a, const void *bytes, size_t n)
{
	char *p = n < SIZE_MAX ? take(a, n + 1, 1) : NULL;

	if (p != NULL) {
		if (n > 0)
			memcpy(p, bytes, n);
		p[n] = '\0';
	}
	return p;
}

char *ags_arena_string(struct ags_arena *a, const char *s)
{
	return ags_arena_copy(a, s, strlen(s));
}

char *ags_arena_printf(struct ags_arena *a, const char *format, ...)
{
	va_list args;
	char *p;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return NULL;
	p = take(a, (size_t)n + 1, 1);
	if (p == NULL)
		return NULL;
	va_start(args, format);
	vsnprintf(p, (size_t)n + 1, format, args);
	va_end(args);
	return p;
}

void ags_arena_free(struct ags_arena *a)
{
	struct ags_arena_block *b = a->blocks;

	while (b != NULL) {
		struct ags_arena_block *next = b->next;

		free(b);
		b = next;
	}
	a->blocks = NULL;
	a->bytes = 0;
}
