#include "unit/basis.h"

/*
 * Block sums and a file. The sums are those of an old file, then damaged, since random ones would never be met:
 *
 *   {blength - 1, s2length - 2, feed size - 1, damages, basis length: 2 bytes} {offset: 2 bytes, xor}* old file, new file
 *
 * Every event must be true: a literal has the file's bytes, a copied block the sums of the file's bytes there. Undamaged, the
 * events must rebuild the file.
 */
#define SEED  (-7)
#define HEAD  6

struct check {
	const struct ags_sums *sums;
	const uint8_t *file;
	size_t at, len;
};

static void must(bool claim)
{
	if (!claim)
		abort();
}

static bool check_literal(void *arg, const uint8_t *bytes, size_t n)
{
	struct check *c = arg;

	must(n > 0 && n <= 65536 && n <= c->len - c->at);
	must(memcmp(bytes, c->file + c->at, n) == 0);
	c->at += n;
	return true;
}

static bool check_copy(void *arg, uint32_t block, size_t n)
{
	struct check *c = arg;
	const struct ags_sums *s = c->sums;
	bool is_short = s->remainder > 0 && block == s->count - 1;
	uint8_t want[4 + AGS_DIGEST_LEN];

	must(block < s->count && n == (is_short ? s->remainder : s->blength) && n <= c->len - c->at);
	must(!is_short || c->at + n == c->len);
	ags_store_u32(want, ags_rolling_sum(c->file + c->at, n));
	ags_digest_block(AGS_DIGEST_XXH128, SEED, c->file + c->at, n, want + 4);
	must(memcmp(want, s->data + (size_t)block * (4 + s->s2length), 4 + s->s2length) == 0);
	c->at += n;
	return true;
}

static void feed(const struct ags_sums *sums, const uint8_t *file, size_t n, size_t piece, const struct ags_match_events *events)
{
	struct ags_match *m = ags_match_new(sums, AGS_DIGEST_XXH128, SEED);

	must(m != NULL);
	for (; n > piece; file += piece, n -= piece)
		must(ags_match_feed(m, file, piece, false, events));
	must(ags_match_feed(m, file, n, true, events));
	ags_match_free(m);
}

static size_t damage(struct ags_sums *sums, const uint8_t *damages, size_t n)
{
	size_t len = (size_t)sums->count * (4 + sums->s2length), done = 0;

	for (size_t i = 0; i < n && len > 0; i++, damages += 3) {
		((uint8_t *)sums->data)[(damages[0] | damages[1] << 8) % len] ^= damages[2];
		done += damages[2] != 0;
	}
	return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *old, *file;
	size_t damages, old_len, len;
	struct ags_sums sums;
	struct ags_err err = AGS_ERR_INIT;

	if (size < HEAD || size - HEAD < 3u * data[3] + (size_t)(data[4] | data[5] << 8))
		return 0;
	damages = data[3];
	old_len = (size_t)(data[4] | data[5] << 8);
	old = data + HEAD + 3 * damages;
	file = old + old_len;
	len = size - (size_t)(file - data);
	sums = basis_sums(old, old_len, data[0] + 1u, data[1] % 15 + 2, AGS_DIGEST_XXH128, SEED);
	must(ags_sums_check(&sums, &err));
	damages = damage(&sums, data + HEAD, damages);

	struct check check = { &sums, file, 0, len };
	struct trace t = { .old = old, .blength = sums.blength };

	feed(&sums, file, len, data[2] + 1u, &(struct ags_match_events){ &check, check_literal, check_copy });
	must(check.at == len);
	feed(&sums, file, len, 65536, &(struct ags_match_events){ &t, trace_literal, trace_copy });
	must(t.literal + t.copied == len);
	if (damages == 0 && sums.s2length >= 12)
		must(len == 0 || trace_rebuilt(&t, file, len));
	trace_free(&t);
	free((void *)sums.data);
	return 0;
}
