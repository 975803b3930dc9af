#ifndef AGS_BASE_BUF_H
#define AGS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A growing byte buffer with a ceiling, and a cursor that reads strangers'
 * bytes and cannot run past their end.
 *
 *   data            data+start      data+len        data+cap
 *   | consumed ...  | bytes ...     | room ...      |
 *
 * Every call that adds returns false when memory or the ceiling says no and
 * leaves the content as it was. A pointer into the buffer is good until the
 * next call that adds.
 */
struct ags_buf {
	uint8_t *data;
	size_t start, len, cap;
	size_t max;                   /* 0: no ceiling but memory */
};

#define AGS_BUF_INIT { .data = NULL }

void ags_buf_free(struct ags_buf *b);
void ags_buf_clear(struct ags_buf *b);                              /* keeps the memory */
bool ags_buf_add(struct ags_buf *b, const void *bytes, size_t n);   /* n may be 0 */
uint8_t *ags_buf_reserve(struct ags_buf *b, size_t n);              /* room for n bytes; NULL when there is none */
void ags_buf_added(struct ags_buf *b, size_t n);                    /* n of the reserved bytes were written */
bool ags_buf_u8(struct ags_buf *b, uint8_t v);
bool ags_buf_u32(struct ags_buf *b, uint32_t v);                    /* little endian */
void ags_buf_consume(struct ags_buf *b, size_t n);                  /* n <= ags_buf_len() */

static inline size_t ags_buf_len(const struct ags_buf *b) { return b->len - b->start; }
static inline const uint8_t *ags_buf_bytes(const struct ags_buf *b) { return b->start > 0 ? b->data + b->start : b->data; }

/* Not enough bytes is not an error: a get returns false and moves nothing. */
struct ags_cursor {
	const uint8_t *p, *end;
};

static inline size_t ags_left(const struct ags_cursor *c) { return (size_t)(c->end - c->p); }

static inline bool ags_get_bytes(struct ags_cursor *c, const uint8_t **bytes, size_t n)
{
	if (ags_left(c) < n)
		return false;
	*bytes = c->p;
	c->p += n;
	return true;
}

static inline bool ags_get_u8(struct ags_cursor *c, uint8_t *v)
{
	if (c->p == c->end)
		return false;
	*v = *c->p++;
	return true;
}

static inline uint16_t ags_load_u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t ags_load_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline void ags_store_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static inline bool ags_get_u16(struct ags_cursor *c, uint16_t *v)
{
	const uint8_t *p;

	if (!ags_get_bytes(c, &p, 2))
		return false;
	*v = ags_load_u16(p);
	return true;
}

static inline bool ags_get_u32(struct ags_cursor *c, uint32_t *v)
{
	const uint8_t *p;

	if (!ags_get_bytes(c, &p, 4))
		return false;
	*v = ags_load_u32(p);
	return true;
}

/* Sums and products of outside numbers; false when they do not fit. */
static inline bool ags_add_size(size_t a, size_t b, size_t *sum) { return !__builtin_add_overflow(a, b, sum); }
static inline bool ags_mul_size(size_t a, size_t b, size_t *product) { return !__builtin_mul_overflow(a, b, product); }

#endif
