#include "rsync/tokens.h"

#include "rsync/packer.h"

#include <stdlib.h>

#define PLAIN_MAX    32768u             /* receivers of rsync 3.4.3 and later refuse longer literals */
#define DATA_MAX     16383u
#define RUN_MAX      65536u             /* blocks of one run */
#define NEAR_MAX     63u

#define END          0x00
#define FAR          0x20               /* int: block */
#define DATA         0x40               /* + high 6 bits of the length, and the low byte */
#define NEAR         0x80               /* + distance from the last block of the run before */
#define NEAR_RUN     0xc0               /* the same, and short: blocks that follow the first */
#define FAR_RUN      0x21

struct ags_tokens {
	enum ags_encoding encoding;
	struct ags_zstd_packer *zstd;   /* the one that the encoding uses, or none */
	struct ags_zlib_packer *zlib;
	struct ags_lz4_packer *lz4;
	uint32_t run_first, run_len;    /* blocks held back to make a run of them; none while run_len is 0 */
	uint32_t reference;             /* last block of the run written last */
};

static void begin(struct ags_tokens *t, bool is_packed);
static bool plain_literal(const uint8_t *bytes, size_t n, struct ags_buf *out);
static bool end_literal(struct ags_tokens *t, struct ags_buf *out);
static bool end_blocks(struct ags_tokens *t, struct ags_buf *out);

struct ags_tokens *ags_tokens_new(enum ags_encoding encoding)
{
	struct ags_tokens *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->encoding = encoding;
	if (encoding == AGS_ENCODING_ZSTD)
		t->zstd = ags_zstd_packer_new();
	if (encoding == AGS_ENCODING_ZLIB)
		t->zlib = ags_zlib_packer_new();
	if (encoding == AGS_ENCODING_LZ4)
		t->lz4 = ags_lz4_packer_new();
	if (encoding != AGS_ENCODING_PLAIN && t->zstd == NULL && t->zlib == NULL && t->lz4 == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void ags_tokens_free(struct ags_tokens *t)
{
	if (t == NULL)
		return;
	ags_zstd_packer_free(t->zstd);
	ags_zlib_packer_free(t->zlib);
	ags_lz4_packer_free(t->lz4);
	free(t);
}

void ags_tokens_begin(struct ags_tokens *t)
{
	begin(t, false);
}

void ags_tokens_begin_packed(struct ags_tokens *t)
{
	begin(t, true);
}

bool ags_tokens_literal(struct ags_tokens *t, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	if (n == 0)
		return true;
	if (!end_blocks(t, out))
		return false;
	switch (t->encoding) {
	case AGS_ENCODING_ZSTD:
		return ags_zstd_packer_add(t->zstd, bytes, n, out);
	case AGS_ENCODING_ZLIB:
		return ags_zlib_packer_add(t->zlib, bytes, n, out);
	case AGS_ENCODING_LZ4:
		return ags_lz4_packer_add(t->lz4, bytes, n, out);
	case AGS_ENCODING_PLAIN:
		break;
	}
	return plain_literal(bytes, n, out);
}

bool ags_tokens_copy(struct ags_tokens *t, uint32_t block, struct ags_buf *out)
{
	if (t->encoding == AGS_ENCODING_PLAIN)
		return ags_buf_u32(out, ~block);        /* -(block + 1) */
	if (!end_literal(t, out))
		return false;
	if (t->run_len > 0 && t->run_len < RUN_MAX && block == t->run_first + t->run_len) {
		t->run_len++;
		return true;
	}
	if (!end_blocks(t, out))
		return false;
	t->run_first = block;
	t->run_len = 1;
	return true;
}

bool ags_tokens_flush(struct ags_tokens *t, struct ags_buf *out)
{
	if (t->zstd != NULL && !ags_zstd_packer_flush(t->zstd, out))
		return false;
	if (t->zlib != NULL && !ags_zlib_packer_flush(t->zlib, out))
		return false;
	if (t->lz4 != NULL && !ags_lz4_packer_flush(t->lz4, out))
		return false;
	return end_blocks(t, out);
}

bool ags_tokens_end(struct ags_tokens *t, struct ags_buf *out)
{
	if (t->encoding == AGS_ENCODING_PLAIN)
		return ags_buf_u32(out, 0);
	return end_literal(t, out) && end_blocks(t, out) && ags_buf_u8(out, END);
}

bool ags_pack_data(struct ags_buf *out, const uint8_t *bytes, size_t n)
{
	size_t piece;

	for (; n > 0; bytes += piece, n -= piece) {
		piece = n < DATA_MAX ? n : DATA_MAX;
		if (!ags_buf_u8(out, (uint8_t)(DATA | piece >> 8)) || !ags_buf_u8(out, (uint8_t)piece) ||
		    !ags_buf_add(out, bytes, piece))
			return false;
	}
	return true;
}

static void begin(struct ags_tokens *t, bool is_packed)
{
	t->run_len = 0;
	t->reference = 0;
	if (t->zstd != NULL)
		ags_zstd_packer_begin(t->zstd, is_packed);
	if (t->zlib != NULL)
		ags_zlib_packer_begin(t->zlib, is_packed);
	if (t->lz4 != NULL)
		ags_lz4_packer_begin(t->lz4, is_packed);
}

static bool plain_literal(const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	size_t piece;

	for (; n > 0; bytes += piece, n -= piece) {
		piece = n < PLAIN_MAX ? n : PLAIN_MAX;
		if (!ags_buf_u32(out, (uint32_t)piece) || !ags_buf_add(out, bytes, piece))
			return false;
	}
	return true;
}

/* At most one of a literal and a block run is open; the other's end is nothing. */
static bool end_literal(struct ags_tokens *t, struct ags_buf *out)
{
	if (t->zstd != NULL)
		return ags_zstd_packer_end(t->zstd, out);
	if (t->lz4 != NULL)
		return ags_lz4_packer_flush(t->lz4, out);
	return t->zlib == NULL || ags_zlib_packer_end(t->zlib, out);
}

static bool end_blocks(struct ags_tokens *t, struct ags_buf *out)
{
	uint32_t first = t->run_first, more = t->run_len - 1, distance = first - t->reference;
	bool is_run = t->run_len > 1, ok;

	if (t->run_len == 0)
		return true;
	if (first >= t->reference && distance <= NEAR_MAX)
		ok = ags_buf_u8(out, (uint8_t)((is_run ? NEAR_RUN : NEAR) + distance));
	else
		ok = ags_buf_u8(out, is_run ? FAR_RUN : FAR) && ags_buf_u32(out, first);
	t->reference = first + more;
	t->run_len = 0;
	return ok && (!is_run || (ags_buf_u8(out, (uint8_t)more) && ags_buf_u8(out, (uint8_t)(more >> 8))));
}
