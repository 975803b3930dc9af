#include "base/buf.h"

#include <stdlib.h>

#define FIRST_CAPACITY 256

static bool grow(struct ags_buf *b, size_t n);

void ags_buf_free(struct ags_buf *b)
{
	free(b->data);
	b->data = NULL;
	b->start = b->len = b->cap = 0;
}

void ags_buf_clear(struct ags_buf *b)
{
	b->start = b->len = 0;
}

bool ags_buf_add(struct ags_buf *b, const void *bytes, size_t n)
{
	uint8_t *room;

	if (n == 0)
		return true;
	room = ags_buf_reserve(b, n);
	if (room == NULL)
		return false;
	memcpy(room, bytes, n);
	ags_buf_added(b, n);
	return true;
}

uint8_t *ags_buf_reserve(struct ags_buf *b, size_t n)
{
	if (b->cap - b->len < n && !grow(b, n))
		return NULL;
	return b->data + b->len;
}

void ags_buf_added(struct ags_buf *b, size_t n)
{
	b->len += n;
}

bool ags_buf_u8(struct ags_buf *b, uint8_t v)
{
	return ags_buf_add(b, &v, 1);
}

bool ags_buf_u32(struct ags_buf *b, uint32_t v)
{
	uint8_t bytes[4];

	ags_store_u32(bytes, v);
	return ags_buf_add(b, bytes, 4);
}

void ags_buf_consume(struct ags_buf *b, size_t n)
{
	b->start += n;
	if (b->start == b->len)
		b->start = b->len = 0;
}

/* Makes room for n bytes behind len: first by moving the content down over what was consumed. */
static bool grow(struct ags_buf *b, size_t n)
{
	size_t used = ags_buf_len(b), want, cap = b->cap > 0 ? b->cap : FIRST_CAPACITY;
	uint8_t *data;

	if (!ags_add_size(used, n, &want) || (b->max > 0 && want > b->max))
		return false;
	if (b->start > 0) {
		memmove(b->data, b->data + b->start, used);
		b->start = 0;
		b->len = used;
	}
	if (want <= b->cap)
		return true;
	while (cap < want)
		if (!ags_mul_size(cap, 2, &cap))
			return false;
	if (b->max > 0 && cap > b->max)
		cap = b->max;                 /* so that there is never room above the ceiling */
	data = realloc(b->data, cap);
	if (data == NULL)
		return false;
	b->data = data;
	b->cap = cap;
	return true;
}
