#ifndef AGS_TESTS_BASIS_H
#define AGS_TESTS_BASIS_H

#include "base/buf.h"
#include "rsync/match.h"
#include "unit/check.h"

/*
 * What the delta tests share: repeatable random bytes, the block sums of an old file, and a trace that rebuilds the
 * new file from what the matcher says.
 */
static inline uint32_t basis_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Bytes of a small alphabet repeat, so that sums collide and blocks are found everywhere. */
static inline uint8_t *basis_bytes(uint64_t *state, size_t n, unsigned alphabet)
{
	uint8_t *bytes = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(basis_random(state) % alphabet * 201);
	return bytes;
}

/* As a receiver computes them. Free data. */
static inline struct ags_sums basis_sums(const uint8_t *old, size_t n, uint32_t blength, uint32_t s2length, enum ags_digest digest, int32_t seed)
{
	struct ags_sums sums = { .blength = blength, .s2length = s2length };
	uint8_t strong[AGS_DIGEST_LEN], *p;
	size_t len;

	sums.count = (uint32_t)((n + blength - 1) / blength);
	sums.remainder = (uint32_t)(n % blength);
	sums.data = p = malloc((size_t)sums.count * (4 + s2length) + 1);
	for (size_t at = 0; at < n; at += len, p += 4 + s2length) {
		len = n - at < blength ? n - at : blength;
		ags_store_u32(p, ags_rolling_sum(old + at, len));
		ags_digest_block(digest, seed, old + at, len, strong);
		memcpy(p + 4, strong, s2length);
	}
	return sums;
}

/* Literals that follow each other are one op, as their cuts mean nothing. */
struct trace_op {
	bool is_copy;
	uint32_t block;
	size_t n;
};

struct trace {
	const uint8_t *old;
	uint32_t blength;
	struct trace_op *ops;
	size_t count, room;
	struct ags_buf file;            /* rebuilt */
	size_t literal, copied, longest_literal;
};

static inline void trace_free(struct trace *t)
{
	free(t->ops);
	ags_buf_free(&t->file);
	memset(t, 0, sizeof(*t));
}

static inline void trace_op(struct trace *t, bool is_copy, uint32_t block, size_t n)
{
	if (!is_copy && t->count > 0 && !t->ops[t->count - 1].is_copy) {
		t->ops[t->count - 1].n += n;
		return;
	}
	if (t->count == t->room) {
		t->room = t->room * 2 + 16;
		t->ops = realloc(t->ops, t->room * sizeof(*t->ops));
	}
	t->ops[t->count++] = (struct trace_op){ is_copy, block, n };
}

static inline bool trace_literal(void *arg, const uint8_t *bytes, size_t n)
{
	struct trace *t = arg;

	trace_op(t, false, 0, n);
	t->literal += n;
	if (n > t->longest_literal)
		t->longest_literal = n;
	return ags_buf_add(&t->file, bytes, n);
}

static inline bool trace_copy(void *arg, uint32_t block, size_t n)
{
	struct trace *t = arg;

	trace_op(t, true, block, n);
	t->copied += n;
	return ags_buf_add(&t->file, t->old + (size_t)block * t->blength, n);
}

static inline bool trace_same(const struct trace *a, const struct trace *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->ops[i].is_copy != b->ops[i].is_copy || a->ops[i].block != b->ops[i].block || a->ops[i].n != b->ops[i].n)
			return false;
	return true;
}

static inline bool trace_rebuilt(const struct trace *t, const uint8_t *file, size_t n)
{
	return ags_buf_len(&t->file) == n && (n == 0 || memcmp(ags_buf_bytes(&t->file), file, n) == 0);
}

#endif
