#include "rsync/blockindex.h"

#include <stdlib.h>

#define BITS_MIN         4
#define FILTER_MORE      7      /* the filter has 128 bits a bucket, 1 to 3 of them set ... */
#define FILTER_BITS_MAX  27     /* ... and at most 16 MB */

static uint32_t bucket_of(const struct ags_block_index *index, uint32_t block);
static void fill(struct ags_block_index *index);

bool ags_block_index_init(struct ags_block_index *index, const struct ags_sums *sums)
{
	size_t buckets;

	memset(index, 0, sizeof(*index));
	index->data = sums->data;
	index->stride = 4 + (size_t)sums->s2length;
	index->blocks = sums->count - (sums->count > 0 && sums->remainder > 0);
	index->bits = BITS_MIN;
	while (index->blocks >> index->bits > 1)
		index->bits++;
	index->filter_bits = index->bits + FILTER_MORE < FILTER_BITS_MAX ? index->bits + FILTER_MORE : FILTER_BITS_MAX;
	buckets = (size_t)1 << index->bits;
	index->first = calloc(buckets + 1, sizeof(*index->first));
	index->order = calloc((size_t)index->blocks + 1, sizeof(*index->order));
	index->filter = calloc((size_t)1 << (index->filter_bits - 3), 1);
	if (index->first == NULL || index->order == NULL || index->filter == NULL) {
		ags_block_index_fini(index);
		return false;
	}
	fill(index);
	return true;
}

void ags_block_index_fini(struct ags_block_index *index)
{
	free(index->first);
	free(index->order);
	free(index->filter);
	memset(index, 0, sizeof(*index));
}

size_t ags_block_index_bucket(const struct ags_block_index *index, uint32_t rolling, const uint32_t **blocks)
{
	uint32_t bucket = ags_block_hash(rolling) >> (32 - index->bits);

	*blocks = index->order + index->first[bucket];
	return index->first[bucket + 1] - index->first[bucket];
}

static uint32_t bucket_of(const struct ags_block_index *index, uint32_t block)
{
	return ags_block_hash(ags_block_rolling(index, block)) >> (32 - index->bits);
}

/* A counting sort. `first` holds the buckets' ends until the blocks are put in, last block first. */
static void fill(struct ags_block_index *index)
{
	size_t buckets = (size_t)1 << index->bits;
	uint32_t bit;

	for (uint32_t block = 0; block < index->blocks; block++) {
		bit = ags_block_hash(ags_block_rolling(index, block)) >> (32 - index->filter_bits);
		index->filter[bit >> 3] |= (uint8_t)(1u << (bit & 7));
		index->first[bucket_of(index, block)]++;
	}
	for (size_t i = 1; i <= buckets; i++)
		index->first[i] += index->first[i - 1];
	for (uint32_t block = index->blocks; block-- > 0;)
		index->order[--index->first[bucket_of(index, block)]] = block;
}
