#include "rsync/match.h"

#include "base/limits.h"
#include "rsync/blockindex.h"

#include <stdlib.h>

#define LITERAL_MAX   (64u << 10)     /* bytes of one literal event */
#define WINDOW_SPARE  (128u << 10)    /* room for new bytes beside two blocks */

/*
 * What looking for blocks may cost without finding any, counted in bytes hashed. Honest sums stay far below. Sums made up so
 * that every window nearly matches (equal rolling sums, other strong ones) would cost a whole block or a long walk for each
 * byte of the file; once they have used up the allowance, windows pass unlooked at until the file has moved on.
 */
#define WASTE_FREE      (64u << 20)
#define WASTE_PER_BYTE  32u
#define STEP_COST       8u            /* looking at one candidate */
#define CANDIDATES_MAX  1024u         /* for one window */

/*
 *   window   | delivered | literal, so far | this window ... | bytes ahead | room |
 *            0           lit               pos               pos+blength   end    cap
 */
struct ags_match {
	struct ags_sums sums;
	enum ags_digest digest;
	int32_t seed;
	struct ags_block_index index;
	uint8_t *window;
	size_t cap, lit, pos, end;
	uint64_t passed;                /* bytes of the file before window[0] */
	uint64_t waste;
	uint32_t rolling;               /* of the window at pos, unless fresh */
	bool fresh;                     /* the window at pos was not looked at yet */
	uint32_t expected;              /* the block after the one found last */
};

static bool all_literal(const uint8_t *bytes, size_t n, const struct ags_match_events *events);
static size_t take(struct ags_match *m, const uint8_t *bytes, size_t n);
static bool scan(struct ags_match *m, const struct ags_match_events *events);
static bool make_room(struct ags_match *m, const struct ags_match_events *events);
static bool finish(struct ags_match *m, const struct ags_match_events *events);

bool ags_sums_check(const struct ags_sums *sums, struct ags_err *err)
{
	if (sums->count > AGS_MAX_BLOCKS)
		return ags_fail(err, AGS_PROTOCOL, "block sums of %u blocks, want at most %u", sums->count, AGS_MAX_BLOCKS);
	if (sums->blength > AGS_MAX_BLOCK || (sums->count > 0 && sums->blength == 0))
		return ags_fail(err, AGS_PROTOCOL, "block sums of blocks of %u bytes, want 1 to %u", sums->blength, AGS_MAX_BLOCK);
	if (sums->s2length > AGS_DIGEST_LEN || (sums->count > 0 && sums->s2length < 2))
		return ags_fail(err, AGS_PROTOCOL, "block sums of %u bytes, want 2 to %u", sums->s2length, AGS_DIGEST_LEN);
	if (sums->count > 0 ? sums->remainder >= sums->blength : sums->remainder > 0)
		return ags_fail(err, AGS_PROTOCOL, "last of %u blocks of %u bytes has %u, want less than a block",
		                sums->count, sums->blength, sums->remainder);
	return true;
}

struct ags_match *ags_match_new(const struct ags_sums *sums, enum ags_digest digest, int32_t seed)
{
	struct ags_match *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->sums = *sums;
	m->digest = digest;
	m->seed = seed;
	m->fresh = true;
	if (sums->count == 0)
		return m;
	m->cap = 2 * (size_t)sums->blength + WINDOW_SPARE;
	m->window = malloc(m->cap);
	if (m->window == NULL || !ags_block_index_init(&m->index, sums)) {
		ags_match_free(m);
		return NULL;
	}
	return m;
}

void ags_match_free(struct ags_match *m)
{
	if (m == NULL)
		return;
	ags_block_index_fini(&m->index);
	free(m->window);
	free(m);
}

bool ags_match_feed(struct ags_match *m, const uint8_t *bytes, size_t n, bool last, const struct ags_match_events *events)
{
	size_t taken;

	if (m->sums.count == 0)
		return all_literal(bytes, n, events);
	while (n > 0) {
		taken = take(m, bytes, n);
		bytes += taken;
		n -= taken;
		if (!scan(m, events) || !make_room(m, events))
			return false;
	}
	return !last || finish(m, events);
}

/* The inner loop has a fixed length and no dependence from byte to byte, so that compilers make vectors of it. */
uint32_t ags_rolling_sum(const uint8_t *bytes, size_t n)
{
	uint32_t s1 = 0, s2 = 0;

	for (; n >= 32; n -= 32, bytes += 32) {
		int32_t sum = 0, weighted = 0;

		for (int i = 0; i < 32; i++) {
			sum += (int8_t)bytes[i];
			weighted += (32 - i) * (int8_t)bytes[i];
		}
		s2 += 32 * s1 + (uint32_t)weighted;
		s1 += (uint32_t)sum;
	}
	for (; n > 0; n--, bytes++) {
		s1 += (uint32_t)(int8_t)*bytes;
		s2 += s1;
	}
	return (s1 & 0xffff) | s2 << 16;
}

static bool all_literal(const uint8_t *bytes, size_t n, const struct ags_match_events *events)
{
	while (n > 0) {
		size_t piece = n < LITERAL_MAX ? n : LITERAL_MAX;

		if (!events->literal(events->arg, bytes, piece))
			return false;
		bytes += piece;
		n -= piece;
	}
	return true;
}

static size_t take(struct ags_match *m, const uint8_t *bytes, size_t n)
{
	if (n > m->cap - m->end)
		n = m->cap - m->end;
	memcpy(m->window + m->end, bytes, n);
	m->end += n;
	return n;
}

/* Says what is new before `to`. */
static bool deliver_literal(struct ags_match *m, size_t to, const struct ags_match_events *events)
{
	size_t from = m->lit;

	m->lit = to;
	return all_literal(m->window + from, to - from, events);
}

static bool deliver_copy(struct ags_match *m, uint32_t block, size_t n, const struct ags_match_events *events)
{
	if (!deliver_literal(m, m->pos, events) || !events->copy(events->arg, block, n))
		return false;
	m->pos += n;
	m->lit = m->pos;
	m->fresh = true;
	m->expected = block + 1;
	return true;
}

/* Moves the window on, byte by byte, to one whose rolling sum some block may have; false at the end of the bytes. */
static bool roll(struct ags_match *m)
{
	const struct ags_block_index index = m->index;
	const size_t length = m->sums.blength;
	const uint8_t *p = m->window + m->pos, *stop = m->window + m->end - length;
	uint32_t s1 = m->rolling & 0xffff, s2 = m->rolling >> 16, rolling = m->rolling;
	bool known = false;

	while (p < stop && !known) {
		uint32_t old = (uint32_t)(int8_t)p[0], new = (uint32_t)(int8_t)p[length];

		s1 += new - old;
		s2 += s1 - (uint32_t)length * old;
		rolling = (s1 & 0xffff) | s2 << 16;
		known = ags_block_index_knows(&index, rolling);
		p++;
	}
	m->rolling = rolling;
	m->pos = (size_t)(p - m->window);
	return known;
}

static bool is_expected(const struct ags_match *m)
{
	return m->expected < m->index.blocks && ags_block_rolling(&m->index, m->expected) == m->rolling;
}

/*
 * Looks for a block equal to the window. The one after the block found last comes first: where content repeats, the copies
 * then run on and make long runs of tokens.
 */
static bool find(struct ags_match *m, uint32_t *block)
{
	uint8_t strong[AGS_DIGEST_LEN];
	const uint32_t *candidates;
	bool hashed = is_expected(m), found = false;
	size_t n, i;

	if (m->waste > WASTE_FREE + WASTE_PER_BYTE * (m->passed + m->pos))
		return false;
	if (hashed) {
		ags_digest_block(m->digest, m->seed, m->window + m->pos, m->sums.blength, strong);
		*block = m->expected;
		if (memcmp(strong, ags_block_strong(&m->index, m->expected), m->sums.s2length) == 0)
			return true;
	}
	n = ags_block_index_bucket(&m->index, m->rolling, &candidates);
	for (i = 0; i < n && i < CANDIDATES_MAX && !found; i++) {
		*block = candidates[i];
		if (ags_block_rolling(&m->index, *block) != m->rolling)
			continue;
		if (!hashed)
			ags_digest_block(m->digest, m->seed, m->window + m->pos, m->sums.blength, strong);
		hashed = true;
		found = memcmp(strong, ags_block_strong(&m->index, *block), m->sums.s2length) == 0;
	}
	m->waste += i * STEP_COST + (hashed && !found ? m->sums.blength : 0);
	return found;
}

/* Looks at every window that has all its bytes. A rolling sum is computed afresh only after a block was found. */
static bool scan(struct ags_match *m, const struct ags_match_events *events)
{
	uint32_t block;

	while (m->end - m->pos >= m->sums.blength) {
		if (m->fresh)
			m->rolling = ags_rolling_sum(m->window + m->pos, m->sums.blength);
		else if (!roll(m))
			break;
		m->fresh = false;
		if (find(m, &block) && !deliver_copy(m, block, m->sums.blength, events))
			return false;
	}
	return true;
}

/* At most one block is kept: scan() left no more. */
static bool make_room(struct ags_match *m, const struct ags_match_events *events)
{
	if (m->end < m->cap)
		return true;
	if (!deliver_literal(m, m->pos, events))
		return false;
	memmove(m->window, m->window + m->pos, m->end - m->pos);
	m->passed += m->pos;
	m->end -= m->pos;
	m->lit = m->pos = 0;
	return true;
}

/* The end of the file: the only place where the short last block may be. */
static bool finish(struct ags_match *m, const struct ags_match_events *events)
{
	size_t rest = m->sums.remainder;
	uint32_t block = m->sums.count - 1;
	const uint8_t *tail;
	uint8_t strong[AGS_DIGEST_LEN];

	if (rest == 0 || m->end - m->pos < rest)
		return deliver_literal(m, m->end, events);
	tail = m->window + m->end - rest;
	if (ags_block_rolling(&m->index, block) != ags_rolling_sum(tail, rest))
		return deliver_literal(m, m->end, events);
	ags_digest_block(m->digest, m->seed, tail, rest, strong);
	if (memcmp(strong, ags_block_strong(&m->index, block), m->sums.s2length) != 0)
		return deliver_literal(m, m->end, events);
	m->pos = m->end - rest;
	return deliver_copy(m, block, rest, events);
}
