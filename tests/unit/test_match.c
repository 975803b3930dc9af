#include "base/limits.h"
#include "unit/basis.h"

#include <time.h>

#define SEED 12345

static uint64_t random_state;

/* Runs the matcher over the file in pieces of 1 to max_piece bytes. */
static bool match(const struct ags_sums *sums, const uint8_t *file, size_t n, size_t max_piece, struct trace *t)
{
	struct ags_match *m = ags_match_new(sums, AGS_DIGEST_XXH128, SEED);
	struct ags_match_events events = { t, trace_literal, trace_copy };
	size_t piece;
	bool ok = true;

	for (size_t at = 0; ok && at < n; at += piece) {
		piece = basis_random(&random_state) % max_piece + 1;
		if (piece > n - at)
			piece = n - at;
		ok = ags_match_feed(m, file + at, piece, false, &events);
	}
	ok = ok && ags_match_feed(m, NULL, 0, true, &events);
	ags_match_free(m);
	return ok;
}

/* The same policy without a table, a rolling step or a window. */
static void dull_match(const struct ags_sums *sums, const uint8_t *file, size_t n, struct trace *t)
{
	uint32_t whole = sums->count - (sums->remainder > 0), expected = 0, block, length = sums->blength;
	size_t at = 0, stride = 4 + sums->s2length;
	uint8_t want[4 + AGS_DIGEST_LEN];

	while (n - at >= length) {
		ags_store_u32(want, ags_rolling_sum(file + at, length));
		ags_digest_block(AGS_DIGEST_XXH128, SEED, file + at, length, want + 4);
		for (block = 0; block < whole && memcmp(want, sums->data + block * stride, stride) != 0;)
			block++;
		if (expected < whole && memcmp(want, sums->data + expected * stride, stride) == 0)
			block = expected;
		if (block == whole) {
			trace_literal(t, file + at++, 1);
			continue;
		}
		trace_copy(t, block, length);
		expected = block + 1;
		at += length;
	}
	for (; at < n; at++) {
		ags_store_u32(want, ags_rolling_sum(file + at, n - at));
		ags_digest_block(AGS_DIGEST_XXH128, SEED, file + at, n - at, want + 4);
		if (n - at == sums->remainder && memcmp(want, sums->data + whole * stride, stride) == 0) {
			trace_copy(t, whole, n - at);
			return;
		}
		trace_literal(t, file + at, 1);
	}
}

static void test_rolling_sum_is_the_sum_of_signed_bytes_and_the_sum_of_sums(void)
{
	for (size_t n = 0; n < 2000; n = n * 2 + 1) {
		uint8_t *bytes = basis_bytes(&random_state, n, 256);
		uint16_t s1 = 0, s2 = 0;

		for (size_t i = 0; i < n; i++) {
			s1 = (uint16_t)(s1 + (signed char)bytes[i]);
			s2 = (uint16_t)(s2 + s1);
		}
		CHECK_INT(ags_rolling_sum(bytes, n), s1 | (uint32_t)s2 << 16);
		free(bytes);
	}
	CHECK_INT(ags_rolling_sum((const uint8_t *)"\xff", 1), 0xffffffffu);
	CHECK_INT(ags_rolling_sum((const uint8_t *)"ab", 2), 0x012400c3);
}

static void test_sums_are_checked_against_each_other_and_the_limits(void)
{
	static const struct { struct ags_sums sums; bool good; } cases[] = {
		{ { 0, 0, 0, 0, NULL }, true },
		{ { 0, 700, 2, 0, NULL }, true },
		{ { 1, 1, 2, 0, NULL }, true },
		{ { 10, 700, 16, 699, NULL }, true },
		{ { AGS_MAX_BLOCKS, AGS_MAX_BLOCK, 6, 0, NULL }, true },
		{ { AGS_MAX_BLOCKS + 1, AGS_MAX_BLOCK, 6, 0, NULL }, false },
		{ { 0xffffffffu, 700, 2, 0, NULL }, false },
		{ { 1, 0, 2, 0, NULL }, false },
		{ { 1, AGS_MAX_BLOCK + 1, 2, 0, NULL }, false },
		{ { 1, 700, 1, 0, NULL }, false },
		{ { 1, 700, 17, 0, NULL }, false },
		{ { 1, 700, 2, 700, NULL }, false },
		{ { 1, 700, 2, 0x80000000u, NULL }, false },
		{ { 0, 700, 2, 1, NULL }, false },
		{ { 0, 0xffffffffu, 2, 0, NULL }, false },
		{ { 0, 0, 17, 0, NULL }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ags_err err = AGS_ERR_INIT;

		CHECK_INT(ags_sums_check(&cases[i].sums, &err), cases[i].good);
		CHECK_INT(err.code, cases[i].good ? AGS_OK : AGS_PROTOCOL);
		if (cases[i].good != (err.code == AGS_OK))
			fprintf(stderr, "case %zu\n", i);
	}
}

static void test_without_sums_everything_is_literal(void)
{
	struct ags_sums none = { .count = 0 };
	uint8_t *file = basis_bytes(&random_state, 300000, 256);
	struct trace t = {0};

	CHECK(match(&none, file, 300000, 200000, &t));
	CHECK_INT(t.literal, 300000);
	CHECK_INT(t.copied, 0);
	CHECK(t.longest_literal <= 65536);
	CHECK(trace_rebuilt(&t, file, 300000));
	trace_free(&t);
	CHECK(match(&none, file, 0, 1, &t));
	CHECK_INT(t.count, 0);
	trace_free(&t);
	free(file);
}

static void test_an_unchanged_file_is_copied_block_after_block(void)
{
	const size_t n = 1000000;
	uint8_t *file = basis_bytes(&random_state, n, 256);
	struct ags_sums sums = basis_sums(file, n, 1000 - 1, 2, AGS_DIGEST_XXH128, SEED);
	struct trace t = { .old = file, .blength = sums.blength };

	CHECK(match(&sums, file, n, 70000, &t));
	CHECK_INT(t.count, sums.count);
	CHECK_INT(t.literal, 0);
	for (size_t i = 0; i < t.count; i++)
		CHECK(t.ops[i].is_copy && t.ops[i].block == i);
	CHECK_INT(t.ops[t.count - 1].n, sums.remainder);
	trace_free(&t);
	free((void *)sums.data);
	free(file);
}

/* Old: ABCDEFGH of 40000 bytes each. New: what `order` says, lower case letters being new bytes. */
static void check_edit(const char *order, size_t want_literal)
{
	const size_t part = 40000, parts = strlen(order);
	uint8_t *old = basis_bytes(&random_state, 8 * part, 256), *file = basis_bytes(&random_state, parts * part, 256);
	struct ags_sums sums = basis_sums(old, 8 * part, 800, 4, AGS_DIGEST_XXH128, SEED);
	struct trace t = { .old = old, .blength = sums.blength };

	for (size_t i = 0; i < parts; i++)
		if (order[i] < 'a')
			memcpy(file + i * part, old + (size_t)(order[i] - 'A') * part, part);
	CHECK(match(&sums, file, parts * part, 100000, &t));
	CHECK(trace_rebuilt(&t, file, parts * part));
	CHECK_INT(t.literal, want_literal);
	CHECK(t.longest_literal <= 65536);
	trace_free(&t);
	free((void *)sums.data);
	free(old);
	free(file);
}

static void test_moved_repeated_and_dropped_parts_cost_no_literals(void)
{
	check_edit("ABCDEFGH", 0);
	check_edit("HGFEDCBA", 0);
	check_edit("AAAAHHHHBAB", 0);
	check_edit("C", 0);
	check_edit("", 0);
}

static void test_new_parts_cost_their_own_length(void)
{
	check_edit("xABCDEFGH", 40000);
	check_edit("ABCxDEFyyyyyGH", 240000);
	check_edit("ABCDEFGHxyz", 120000);
	check_edit("xyzxyzxyzxyz", 480000);
}

static void test_an_inserted_byte_costs_one_block(void)
{
	const size_t n = 500000;
	uint8_t *old = basis_bytes(&random_state, n, 256), *file = malloc(n + 1);
	struct ags_sums sums = basis_sums(old, n, 704, 4, AGS_DIGEST_XXH128, SEED);
	struct trace t = { .old = old, .blength = sums.blength };

	memcpy(file, old, 250000);
	file[250000] = (uint8_t)~old[250000];
	memcpy(file + 250001, old + 250000, n - 250000);
	CHECK(match(&sums, file, n + 1, 9999, &t));
	CHECK(trace_rebuilt(&t, file, n + 1));
	CHECK_INT(t.literal, 704 + 1);
	trace_free(&t);
	free((void *)sums.data);
	free(old);
	free(file);
}

static void test_repeated_content_is_copied_in_a_run(void)
{
	const size_t n = 300000;
	uint8_t *zeros = calloc(1, n);
	struct ags_sums sums = basis_sums(zeros, n, 700, 2, AGS_DIGEST_XXH128, SEED);
	struct trace t = { .old = zeros, .blength = 700 };

	CHECK(match(&sums, zeros, n, 65536, &t));
	CHECK_INT(t.literal, 0);
	for (size_t i = 0; i < t.count; i++)
		CHECK_INT(t.ops[i].block, i);
	trace_free(&t);
	free((void *)sums.data);
	free(zeros);
}

static void test_the_short_last_block_is_found_at_the_end_only(void)
{
	static const uint8_t old[] = "abcdefghXYZ", tail_inside[] = "XYZabcdefgh", tail_moved[] = "0123456789XYZ";
	struct ags_sums sums = basis_sums(old, 11, 4, 16, AGS_DIGEST_XXH128, SEED);
	struct trace t = { .old = old, .blength = 4 };

	CHECK(match(&sums, tail_inside, 11, 3, &t));
	CHECK_INT(t.literal, 3);
	CHECK_INT(t.copied, 8);
	trace_free(&t);
	t = (struct trace){ .old = old, .blength = 4 };
	CHECK(match(&sums, tail_moved, 13, 3, &t));
	CHECK_INT(t.literal, 10);
	CHECK_INT(t.ops[t.count - 1].block, 2);
	CHECK_INT(t.ops[t.count - 1].n, 3);
	trace_free(&t);
	free((void *)sums.data);
}

/* A random edit of the old file, so that there is something to find at odd offsets. */
static uint8_t *edited(const uint8_t *old, size_t n, size_t *file_len, unsigned alphabet)
{
	size_t room = 2 * n + 100, len = 0;
	uint8_t *file = basis_bytes(&random_state, room, alphabet);

	while (n > 0 && len < n && basis_random(&random_state) % 20 != 0) {
		size_t from = basis_random(&random_state) % n, piece = basis_random(&random_state) % (n - from) + 1;

		memcpy(file + len, old + from, piece);
		len += piece + basis_random(&random_state) % 5;
	}
	*file_len = len;
	return file;
}

static void check_against_dull(unsigned alphabet)
{
	size_t n = basis_random(&random_state) % 400 + 1, file_len;
	uint32_t blength = basis_random(&random_state) % 40 + 1, s2length = basis_random(&random_state) % 15 + 2;
	uint8_t *old = basis_bytes(&random_state, n, alphabet), *file = edited(old, n, &file_len, alphabet);
	struct ags_sums sums = basis_sums(old, n, blength, s2length, AGS_DIGEST_XXH128, SEED);
	struct trace dull = { .old = old, .blength = blength }, quick = dull, cut = dull;

	dull_match(&sums, file, file_len, &dull);
	CHECK(match(&sums, file, file_len, 1000, &quick));
	CHECK(match(&sums, file, file_len, 3, &cut));
	CHECK(trace_same(&dull, &quick));
	CHECK(trace_same(&dull, &cut));
	if (s2length > 6)
		CHECK(trace_rebuilt(&quick, file, file_len));
	trace_free(&dull);
	trace_free(&quick);
	trace_free(&cut);
	free((void *)sums.data);
	free(old);
	free(file);
}

static void test_random_edits_match_as_the_dull_matcher_says(void)
{
	for (int i = 0; i < 3000 && check_failures == 0; i++)
		check_against_dull(i % 3 == 0 ? 2 : i % 3 == 1 ? 5 : 256);
}

static void test_a_file_longer_than_the_window_matches_however_it_is_cut(void)
{
	for (int i = 0; i < 6; i++) {
		size_t n = 700000, file_len;
		uint8_t *old = basis_bytes(&random_state, n, 256), *file = edited(old, n, &file_len, 256);
		struct ags_sums sums = basis_sums(old, n, 700 + (uint32_t)i * 20000, 8, AGS_DIGEST_XXH128, SEED);
		struct trace a = { .old = old, .blength = sums.blength }, b = a;

		CHECK(match(&sums, file, file_len, 500, &a));
		CHECK(match(&sums, file, file_len, 900000, &b));
		CHECK(trace_same(&a, &b));
		CHECK(trace_rebuilt(&a, file, file_len));
		CHECK(a.longest_literal <= 65536);
		trace_free(&a);
		trace_free(&b);
		free((void *)sums.data);
		free(old);
		free(file);
	}
}

/* Every window has the rolling sum of every block and the strong sum of none. Hashing each of the 8 million windows would be
 * 1 TB of digest, comparing each with all blocks 10^12 steps. */
static void check_hostile(uint32_t blength, uint32_t count)
{
	const size_t n = 8 << 20;
	uint8_t *zeros = calloc(1, n), *data = calloc(count, 6);
	struct ags_sums sums = { .count = count, .blength = blength, .s2length = 2, .data = data };
	struct trace t = { .old = zeros, .blength = blength };
	uint8_t strong[AGS_DIGEST_LEN];
	time_t start = time(NULL);

	ags_digest_block(AGS_DIGEST_XXH128, SEED, zeros, blength, strong);
	for (uint32_t i = 0; i < count; i++)
		data[6 * i + 4] = (uint8_t)~strong[0];
	CHECK(match(&sums, zeros, n, 100000, &t));
	CHECK_INT(t.literal, n);
	CHECK(time(NULL) - start < 20);
	trace_free(&t);
	free(data);
	free(zeros);
}

static void test_sums_made_up_to_nearly_match_do_not_stop_the_matcher(void)
{
	check_hostile(AGS_MAX_BLOCK, 1);
	check_hostile(700, 200000);
	check_hostile(AGS_MAX_BLOCK, 200000);
}

static bool refuse_literal(void *arg, const uint8_t *bytes, size_t n)
{
	(void)arg;
	(void)bytes;
	(void)n;
	return false;
}

static bool refuse_copy(void *arg, uint32_t block, size_t n)
{
	(void)arg;
	(void)block;
	(void)n;
	return false;
}

static void test_a_refused_event_stops_the_matcher(void)
{
	uint8_t *file = basis_bytes(&random_state, 2000, 256);
	struct ags_sums sums = basis_sums(file, 1500, 700, 8, AGS_DIGEST_XXH128, SEED), none = { .count = 0 };
	struct trace t = { .old = file, .blength = 700 };
	struct ags_match_events no_copy = { &t, trace_literal, refuse_copy }, no_literal = { &t, refuse_literal, trace_copy };
	struct ags_match *m = ags_match_new(&sums, AGS_DIGEST_XXH128, SEED);

	CHECK(!ags_match_feed(m, file, 2000, true, &no_copy));
	ags_match_free(m);
	m = ags_match_new(&sums, AGS_DIGEST_XXH128, SEED);
	CHECK(!ags_match_feed(m, file, 2000, true, &no_literal));
	ags_match_free(m);
	m = ags_match_new(&none, AGS_DIGEST_XXH128, SEED);
	CHECK(!ags_match_feed(m, file, 2000, true, &no_literal));
	ags_match_free(m);
	trace_free(&t);
	free((void *)sums.data);
	free(file);
}

int main(int argc, char **argv)
{
	random_state = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	printf("# random seed %llu\n", (unsigned long long)random_state);
	RUN(test_rolling_sum_is_the_sum_of_signed_bytes_and_the_sum_of_sums);
	RUN(test_sums_are_checked_against_each_other_and_the_limits);
	RUN(test_without_sums_everything_is_literal);
	RUN(test_an_unchanged_file_is_copied_block_after_block);
	RUN(test_moved_repeated_and_dropped_parts_cost_no_literals);
	RUN(test_new_parts_cost_their_own_length);
	RUN(test_an_inserted_byte_costs_one_block);
	RUN(test_repeated_content_is_copied_in_a_run);
	RUN(test_the_short_last_block_is_found_at_the_end_only);
	RUN(test_random_edits_match_as_the_dull_matcher_says);
	RUN(test_a_file_longer_than_the_window_matches_however_it_is_cut);
	RUN(test_sums_made_up_to_nearly_match_do_not_stop_the_matcher);
	RUN(test_a_refused_event_stops_the_matcher);
	return check_result();
}
