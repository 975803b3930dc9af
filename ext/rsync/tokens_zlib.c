#include "rsync/packer.h"

#include <stdlib.h>
#include <zlib.h>

/*
 * A literal run as raw deflate with a deflate object of its own. The run ends with a sync flush, whose last four bytes, always
 * 00 00 FF FF, are left out: the receiver puts them back when it meets the token behind the run. A flush within a run leaves
 * them out too and remembers that it owes them; they go out first if the run does go on, and never if a token follows.
 */
#define LEVEL   4                       /* 6 saves 4 % more of source text and takes 1.7 times as long */
#define WINDOW  (-15)                   /* 32 KB, and no zlib header */
#define MEMORY  8
#define INPUT   (128u << 10)            /* of one call of deflate, which bounds what it can put out */
#define PIECE   (32u << 10)             /* of deflate's output, at a time */

static const uint8_t sync_tail[4] = { 0x00, 0x00, 0xff, 0xff };

enum run { RUN_NONE, RUN_OPEN, RUN_FLUSHED };

struct ags_zlib_packer {
	z_stream z;
	enum run run;                   /* flushed: the tail is owed */
	int level;
	struct ags_buf packed;          /* what one call has deflated */
};

static bool deflate_all(struct ags_zlib_packer *p, const uint8_t *bytes, size_t n, int flush);
static void drop(struct ags_zlib_packer *p);
static bool pay_tail(struct ags_zlib_packer *p, struct ags_buf *out);

struct ags_zlib_packer *ags_zlib_packer_new(void)
{
	struct ags_zlib_packer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->level = LEVEL;
	if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(p);
		return NULL;
	}
	return p;
}

void ags_zlib_packer_free(struct ags_zlib_packer *p)
{
	if (p == NULL)
		return;
	deflateEnd(&p->z);
	ags_buf_free(&p->packed);
	free(p);
}

void ags_zlib_packer_begin(struct ags_zlib_packer *p, bool is_packed)
{
	int level = is_packed ? 0 : LEVEL;

	drop(p);
	/* behind a reset, so that there is nothing to flush with the old level */
	if (level != p->level && deflateReset(&p->z) == Z_OK && deflateParams(&p->z, level, Z_DEFAULT_STRATEGY) == Z_OK)
		p->level = level;
}

bool ags_zlib_packer_add(struct ags_zlib_packer *p, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	size_t piece;

	for (; n > 0; bytes += piece, n -= piece) {
		piece = n < INPUT ? n : INPUT;
		if (!pay_tail(p, out))
			return false;
		p->run = RUN_OPEN;
		if (!deflate_all(p, bytes, piece, Z_NO_FLUSH) ||
		    !ags_pack_data(out, ags_buf_bytes(&p->packed), ags_buf_len(&p->packed)))
			return false;
	}
	return true;
}

bool ags_zlib_packer_flush(struct ags_zlib_packer *p, struct ags_buf *out)
{
	if (p->run != RUN_OPEN)
		return true;
	p->run = RUN_FLUSHED;
	return deflate_all(p, NULL, 0, Z_SYNC_FLUSH) && ags_buf_len(&p->packed) >= sizeof(sync_tail) &&
	       ags_pack_data(out, ags_buf_bytes(&p->packed), ags_buf_len(&p->packed) - sizeof(sync_tail));
}

bool ags_zlib_packer_end(struct ags_zlib_packer *p, struct ags_buf *out)
{
	if (!ags_zlib_packer_flush(p, out))
		return false;
	drop(p);
	return true;
}

static void drop(struct ags_zlib_packer *p)
{
	if (p->run != RUN_NONE)
		deflateReset(&p->z);
	p->run = RUN_NONE;
}

static bool pay_tail(struct ags_zlib_packer *p, struct ags_buf *out)
{
	if (p->run != RUN_FLUSHED)
		return true;
	return ags_pack_data(out, sync_tail, sizeof(sync_tail));
}

/* A call that leaves room in its output has nothing more to say. */
static bool deflate_all(struct ags_zlib_packer *p, const uint8_t *bytes, size_t n, int flush)
{
	int result = Z_OK;

	ags_buf_clear(&p->packed);
	p->z.next_in = (Bytef *)bytes;
	p->z.avail_in = (uInt)n;
	do {
		p->z.next_out = ags_buf_reserve(&p->packed, PIECE);
		p->z.avail_out = PIECE;
		if (p->z.next_out == NULL)
			return false;
		result = deflate(&p->z, flush);
		ags_buf_added(&p->packed, PIECE - p->z.avail_out);
	} while (result == Z_OK && p->z.avail_out == 0);
	return result == Z_OK || result == Z_BUF_ERROR;
}
