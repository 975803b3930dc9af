#ifndef AGS_RSYNC_BLOCKINDEX_H
#define AGS_RSYNC_BLOCKINDEX_H

#include "base/buf.h"
#include "rsync/match.h"

/*
 * Finds the blocks of a receiver's old file by their rolling sum. Private to the matcher.
 *
 *   filter   a bit for each of many hashes, set where a block has it: nearly all sums of new bytes are turned away here
 *   first    where the bucket begins in `order`; one more at the end
 *   order    block numbers, bucket after bucket, ascending within one
 *
 * A short last block is not in it: only the end of a file can be that block.
 */
struct ags_block_index {
	const uint8_t *data;            /* borrowed: the sums as they came */
	size_t stride;                  /* bytes from one block's sums to the next */
	uint32_t blocks;                /* whole blocks */
	uint32_t bits, filter_bits;     /* log2 of the number of buckets, and of bits in the filter */
	uint32_t *first, *order;
	uint8_t *filter;
};

bool ags_block_index_init(struct ags_block_index *index, const struct ags_sums *sums);      /* false on lack of memory */
void ags_block_index_fini(struct ags_block_index *index);                                   /* also of a zeroed struct */

/* The blocks that may have this rolling sum; how many of them is returned. */
size_t ags_block_index_bucket(const struct ags_block_index *index, uint32_t rolling, const uint32_t **blocks);

static inline uint32_t ags_block_rolling(const struct ags_block_index *index, uint32_t block)
{
	return ags_load_u32(index->data + block * index->stride);
}

static inline const uint8_t *ags_block_strong(const struct ags_block_index *index, uint32_t block)
{
	return index->data + block * index->stride + 4;
}

/* Rolling sums of similar blocks differ in few bits, so they are spread first. */
static inline uint32_t ags_block_hash(uint32_t rolling) { return rolling * 0x9e3779b1u; }

/* False: no block has this rolling sum. */
static inline bool ags_block_index_knows(const struct ags_block_index *index, uint32_t rolling)
{
	uint32_t bit = ags_block_hash(rolling) >> (32 - index->filter_bits);

	return index->filter[bit >> 3] >> (bit & 7) & 1;
}

#endif
