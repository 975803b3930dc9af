#include "rsync/packer.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

/*
 * A literal run as LZ4 blocks, each on its own. Receivers unpack a block into a buffer of 16383 bytes, so that neither side of it may be
 * longer; BLOCK_INPUT is what fits even when it does not compress.
 */
#define BLOCK_INPUT   16300u
#define BLOCK_OUTPUT  16383
#define IN_PASSING    65537            /* acceleration for what is compressed already: over the whole block at once */

_Static_assert(LZ4_COMPRESSBOUND(BLOCK_INPUT) <= BLOCK_OUTPUT, "a block may not fit");

struct ags_lz4_packer {
	uint8_t held[BLOCK_INPUT];      /* input of the next block */
	size_t held_len;
	int acceleration;
	char block[BLOCK_OUTPUT];
};

struct ags_lz4_packer *ags_lz4_packer_new(void)
{
	struct ags_lz4_packer *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->acceleration = 1;
	return p;
}

void ags_lz4_packer_free(struct ags_lz4_packer *p)
{
	free(p);
}

void ags_lz4_packer_begin(struct ags_lz4_packer *p, bool is_packed)
{
	p->held_len = 0;
	p->acceleration = is_packed ? IN_PASSING : 1;
}

bool ags_lz4_packer_add(struct ags_lz4_packer *p, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	size_t piece;

	for (; n > 0; bytes += piece, n -= piece) {
		piece = n < BLOCK_INPUT - p->held_len ? n : BLOCK_INPUT - p->held_len;
		memcpy(p->held + p->held_len, bytes, piece);
		p->held_len += piece;
		if (p->held_len == BLOCK_INPUT && !ags_lz4_packer_flush(p, out))
			return false;
	}
	return true;
}

bool ags_lz4_packer_flush(struct ags_lz4_packer *p, struct ags_buf *out)
{
	int packed;

	if (p->held_len == 0)
		return true;
	packed = LZ4_compress_fast((const char *)p->held, p->block, (int)p->held_len, BLOCK_OUTPUT, p->acceleration);
	p->held_len = 0;
	return packed > 0 && ags_pack_data(out, (const uint8_t *)p->block, (size_t)packed);
}
