#include "rsync/packer.h"

#include <stdlib.h>
#include <zstd.h>

/*
 * A literal run as whole zstd frames. rsync's own sender keeps one frame open for the whole session; receivers take any number
 * of frames, each begun after the one before has ended. The size of a frame bounds our memory and the receiver's window.
 */
#define FRAME_INPUT  (256u << 10)
#define LEVEL        3
#define IN_PASSING   (-10000)           /* steps over nearly all, and stores what does not compress */

struct ags_zstd_packer {
	ZSTD_CCtx *zstd;
	uint8_t *held;                  /* input of the next frame */
	size_t held_len;
	int level;
	uint8_t *frame;
	size_t frame_cap;
};

static bool write_frame(struct ags_zstd_packer *p, const uint8_t *bytes, size_t n, struct ags_buf *out);

struct ags_zstd_packer *ags_zstd_packer_new(void)
{
	struct ags_zstd_packer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->level = LEVEL;
	p->frame_cap = ZSTD_compressBound(FRAME_INPUT);
	p->zstd = ZSTD_createCCtx();
	p->held = malloc(FRAME_INPUT);
	p->frame = malloc(p->frame_cap);
	if (p->zstd == NULL || p->held == NULL || p->frame == NULL) {
		ags_zstd_packer_free(p);
		return NULL;
	}
	return p;
}

void ags_zstd_packer_free(struct ags_zstd_packer *p)
{
	if (p == NULL)
		return;
	ZSTD_freeCCtx(p->zstd);
	free(p->held);
	free(p->frame);
	free(p);
}

void ags_zstd_packer_begin(struct ags_zstd_packer *p, bool is_packed)
{
	p->held_len = 0;
	p->level = is_packed ? IN_PASSING : LEVEL;
}

bool ags_zstd_packer_add(struct ags_zstd_packer *p, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	size_t piece;

	for (; n > 0; bytes += piece, n -= piece) {
		piece = n < FRAME_INPUT - p->held_len ? n : FRAME_INPUT - p->held_len;
		memcpy(p->held + p->held_len, bytes, piece);
		p->held_len += piece;
		if (p->held_len == FRAME_INPUT && !ags_zstd_packer_flush(p, out))
			return false;
	}
	return true;
}

bool ags_zstd_packer_flush(struct ags_zstd_packer *p, struct ags_buf *out)
{
	size_t n = p->held_len;

	p->held_len = 0;
	return n == 0 || write_frame(p, p->held, n, out);
}

/* A run ends with a frame, and so does every flush. */
bool ags_zstd_packer_end(struct ags_zstd_packer *p, struct ags_buf *out)
{
	return ags_zstd_packer_flush(p, out);
}

static bool write_frame(struct ags_zstd_packer *p, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	size_t packed = ZSTD_compressCCtx(p->zstd, p->frame, p->frame_cap, bytes, n, p->level);

	return !ZSTD_isError(packed) && ags_pack_data(out, p->frame, packed);
}
