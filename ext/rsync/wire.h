#ifndef AGS_RSYNC_WIRE_H
#define AGS_RSYNC_WIRE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * The integers and strings of rsync's protocol, 30 to 32.
 *
 *   varint    1 to 5 bytes: the leading 1-bits of the first count the bytes behind it, its other bits are the number's top
 *   varlong   the same for 64 bits, with at least `min` bytes
 *   vstring   a length of one byte, or of two with the top bit set and the high byte first; the bytes
 *   ndx       an index, as the difference from the one before in the same direction
 *
 * A put returns false when the buffer takes no more. A get that has too few bytes returns AGS_AGAIN and moves nothing;
 * AGS_FAILED (AGS_PROTOCOL) is for bytes that no writer produces.
 */

#define AGS_NDX_DONE       (-1)
#define AGS_NDX_DEL_STATS  (-3)

/* The tags of multiplexed frames. */
enum ags_tag {
	AGS_TAG_DATA = 0, AGS_TAG_ERROR_XFER = 1, AGS_TAG_INFO = 2, AGS_TAG_ERROR = 3, AGS_TAG_WARNING = 4,
	AGS_TAG_IO_ERROR = 22, AGS_TAG_IO_TIMEOUT = 33, AGS_TAG_NOOP = 42, AGS_TAG_ERROR_EXIT = 86,
	AGS_TAG_SUCCESS = 100, AGS_TAG_DELETED = 101, AGS_TAG_NO_SEND = 102
};

#define AGS_FRAME_HEADER 4

/* len <= AGS_MAX_FRAME */
void ags_wire_put_frame(uint8_t header[AGS_FRAME_HEADER], unsigned tag, size_t len);

bool ags_wire_put_varint(struct ags_buf *out, int32_t value);
bool ags_wire_put_varlong(struct ags_buf *out, int64_t value, unsigned min);
bool ags_wire_put_vstring(struct ags_buf *out, const void *bytes, size_t len);      /* len <= 0x7fff, else false */

enum ags_step ags_wire_get_varint(struct ags_cursor *in, int32_t *value, struct ags_err *err);

/* A NUL is put behind the bytes; a string that has no room in size bytes with its NUL is a failure. */
enum ags_step ags_wire_get_vstring(struct ags_cursor *in, char *buf, size_t size, size_t *len, struct ags_err *err);

/* What the last index was, one per direction. */
struct ags_ndx_state {
	int32_t prev_pos, prev_neg;
};

#define AGS_NDX_STATE_INIT { .prev_pos = -1, .prev_neg = 1 }

enum ags_step ags_wire_get_ndx(struct ags_cursor *in, struct ags_ndx_state *state, int32_t *ndx, struct ags_err *err);

/* ndx >= 0 in its 5-byte form, which owes nothing to the index before, so that the bytes can be shared; or AGS_NDX_DONE. */
bool ags_wire_put_ndx_absolute(struct ags_buf *out, int32_t ndx);

#endif
