#include "rsync/wire.h"

static bool put_prefixed(struct ags_buf *out, uint64_t value, unsigned max, unsigned min);
static enum ags_step get_ndx_number(struct ags_cursor *c, uint8_t first, int32_t prev, int32_t *number, struct ags_err *err);

void ags_wire_put_frame(uint8_t header[AGS_FRAME_HEADER], unsigned tag, size_t len)
{
	ags_store_u32(header, (7 + (uint32_t)tag) << 24 | (uint32_t)len);
}

bool ags_wire_put_varint(struct ags_buf *out, int32_t value)
{
	return put_prefixed(out, (uint32_t)value, 4, 1);
}

bool ags_wire_put_varlong(struct ags_buf *out, int64_t value, unsigned min)
{
	return put_prefixed(out, (uint64_t)value, 8, min);
}

bool ags_wire_put_vstring(struct ags_buf *out, const void *bytes, size_t len)
{
	uint8_t *p;
	size_t n = 0;

	if (len > 0x7fff || (p = ags_buf_reserve(out, len + 2)) == NULL)
		return false;
	if (len > 0x7f)
		p[n++] = (uint8_t)(len >> 8 | 0x80);
	p[n++] = (uint8_t)len;
	if (len > 0)
		memcpy(p + n, bytes, len);
	ags_buf_added(out, n + len);
	return true;
}

enum ags_step ags_wire_get_varint(struct ags_cursor *in, int32_t *value, struct ags_err *err)
{
	struct ags_cursor c = *in;
	const uint8_t *rest;
	uint32_t v = 0;
	uint8_t first;
	unsigned extra = 0;

	if (!ags_get_u8(&c, &first))
		return AGS_AGAIN;
	if (first > 0xf0)
		return ags_fail_step(err, AGS_PROTOCOL, "a number begins with byte 0x%02x, want at most 0xf0 for 32 bits", first);
	while (first & 0x80 >> extra)
		extra++;
	if (!ags_get_bytes(&c, &rest, extra))
		return AGS_AGAIN;
	for (unsigned i = 0; i < extra; i++)
		v |= (uint32_t)rest[i] << 8 * i;
	if (extra < 4)
		v |= (uint32_t)(first & (0x7f >> extra)) << 8 * extra;
	*value = (int32_t)v;
	*in = c;
	return AGS_DONE;
}

enum ags_step ags_wire_get_vstring(struct ags_cursor *in, char *buf, size_t size, size_t *len, struct ags_err *err)
{
	struct ags_cursor c = *in;
	const uint8_t *bytes;
	uint8_t byte;
	size_t n;

	if (!ags_get_u8(&c, &byte))
		return AGS_AGAIN;
	n = byte;
	if (byte & 0x80) {
		if (!ags_get_u8(&c, &byte))
			return AGS_AGAIN;
		n = (n & 0x7f) << 8 | byte;
	}
	if (n >= size)
		return ags_fail_step(err, AGS_PROTOCOL, "a string has %zu bytes, want fewer than %zu", n, size);
	if (!ags_get_bytes(&c, &bytes, n))
		return AGS_AGAIN;
	memcpy(buf, bytes, n);
	buf[n] = '\0';
	*len = n;
	*in = c;
	return AGS_DONE;
}

enum ags_step ags_wire_get_ndx(struct ags_cursor *in, struct ags_ndx_state *state, int32_t *ndx, struct ags_err *err)
{
	struct ags_cursor c = *in;
	enum ags_step step;
	int32_t number = 0;
	uint8_t first;
	bool negative;

	if (!ags_get_u8(&c, &first))
		return AGS_AGAIN;
	if (first == 0) {
		*ndx = AGS_NDX_DONE;
		*in = c;
		return AGS_DONE;
	}
	negative = first == 0xff;
	if (negative && !ags_get_u8(&c, &first))
		return AGS_AGAIN;
	step = get_ndx_number(&c, first, negative ? state->prev_neg : state->prev_pos, &number, err);
	if (step != AGS_DONE)
		return step;
	if (negative && number < 1)
		return ags_fail_step(err, AGS_PROTOCOL, "an index is minus 0, want a position or a known mark");
	if (negative)
		state->prev_neg = number;
	else
		state->prev_pos = number;
	*ndx = negative ? -number : number;
	*in = c;
	return AGS_DONE;
}

bool ags_wire_put_ndx_absolute(struct ags_buf *out, int32_t ndx)
{
	uint32_t v = (uint32_t)ndx;
	const uint8_t bytes[5] = { 0xfe, (uint8_t)(v >> 24 | 0x80), (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16) };

	if (ndx < 0)
		return ags_buf_u8(out, 0);
	return ags_buf_add(out, bytes, sizeof(bytes));
}

/*
 * The number without its zero top bytes, but at least min of them. Its top byte moves into the prefix when the bits that the
 * count leaves free can hold it:
 *
 *   0xxxxxxx          none behind what min asks for       10xxxxxx + 1       110xxxxx + 2   …
 */
static bool put_prefixed(struct ags_buf *out, uint64_t value, unsigned max, unsigned min)
{
	uint8_t bytes[9], top;
	unsigned n = max, room;

	for (unsigned i = 0; i < max; i++)
		bytes[1 + i] = (uint8_t)(value >> 8 * i);
	while (n > min && bytes[n] == 0)
		n--;
	top = bytes[n];
	room = 1u << (7 - (n - min));
	if (top >= room) {
		bytes[0] = (uint8_t)~(room - 1);
		return ags_buf_add(out, bytes, n + 1);
	}
	bytes[0] = n > min ? (uint8_t)(top | ~(2 * room - 1)) : top;
	return ags_buf_add(out, bytes, n);
}

/* One byte of difference, 0xfe and two bytes of it (high first), or 0xfe and the number itself with the top bit set. */
static enum ags_step get_ndx_number(struct ags_cursor *c, uint8_t first, int32_t prev, int32_t *number, struct ags_err *err)
{
	const uint8_t *p, *q;
	int32_t diff = first;

	if (first == 0 || first == 0xff)
		return ags_fail_step(err, AGS_PROTOCOL, "an index begins with byte 0x%02x, want 0x01 to 0xfe", first);
	if (first == 0xfe) {
		if (!ags_get_bytes(c, &p, 2))
			return AGS_AGAIN;
		if (p[0] & 0x80) {
			if (!ags_get_bytes(c, &q, 2))
				return AGS_AGAIN;
			*number = (int32_t)((uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)q[1] << 16 | (uint32_t)q[0] << 8 | p[1]);
			return AGS_DONE;
		}
		diff = p[0] << 8 | p[1];
	}
	if (__builtin_add_overflow(prev, diff, number))
		return ags_fail_step(err, AGS_PROTOCOL, "an index is %d behind %d, want at most 31 bits", diff, prev);
	return AGS_DONE;
}
