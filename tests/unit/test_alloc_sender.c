/* A whole push, from the scan to the last goodbye, in which each allocation fails in its turn. */
#include "unit/basis.h"
#include "unit/failing_malloc.h"
#include "unit/receiver.h"

#define TREE "mkdir -p dir/sub empty && seq 1 200000 > a && seq 1 3000 > b && : > none && echo x > dir/x && ln -s a link"

/* What is made before the failing begins. */
struct stage {
	char dir[64];
	struct rx_script script;
	enum ags_encoding encoding;
	bool compress, checksum, dry_run;
	uint32_t a, b;
};

struct outcome {
	struct ags_err err;
	bool is_done, is_null;          /* a _new() gave none */
};

static void play(const struct stage *st, struct ags_sender *s, struct outcome *o)
{
	const uint8_t *bytes = ags_buf_bytes(&st->script.bytes), *out;
	size_t at = 0, n;

	for (size_t turn = 0; turn <= st->script.turn_count; turn++) {
		size_t to = turn < st->script.turn_count ? st->script.turns[turn] : ags_buf_len(&st->script.bytes);
		enum ags_step step;

		if (to > at && !ags_sender_feed(s, bytes + at, to - at, &o->err))
			return;
		at = to;
		while ((step = ags_sender_output(s, &out, &n, &o->err)) == AGS_DONE)
			ags_sender_consume(s, n > 1000 ? n - n / 3 : n);
		if (step == AGS_FAILED)
			return;
		if (ags_sender_phase(s) == AGS_SENDER_STAGED) {
			ags_sender_release(s);
			turn--;
			if (at == ags_buf_len(&st->script.bytes))
				return;
		}
	}
	o->is_done = ags_sender_phase(s) == AGS_SENDER_DONE;
}

/* To two receivers, one after the other. */
static void push(const struct stage *st, bool stays, struct outcome *o)
{
	char path[80];
	const char *paths[] = { path };
	struct ags_filelist list = AGS_FILELIST_INIT;
	struct ags_buf rules = AGS_BUF_INIT;
	struct ags_sender_job job = { .list = &list, .rules = &rules, .seed = RX_SEED, .delete_extraneous = true,
	                              .compress = st->compress, .encodings = &st->encoding, .encoding_count = 1,
	                              .checksum = st->checksum, .dry_run = st->dry_run };
	struct ags_filter *filter = ags_filter_new();
	struct ags_scan_options options = { .filter = filter, .checksum = st->checksum };
	struct ags_sender *s = NULL, *neighbour = NULL;
	struct outcome second = {0};

	snprintf(path, sizeof(path), "%s/", st->dir);
	o->is_null = filter == NULL;
	if (filter == NULL || !ags_filter_add_rule(filter, "- /*.skip", &o->err) || !ags_scan(paths, 1, &options, &list, &o->err) ||
	    !ags_filter_encode(filter, &rules, &o->err))
		goto out;
	job.answers = ags_answers_new(&list, RX_SEED);
	s = ags_sender_new(&job, NULL);
	neighbour = ags_sender_new(&job, NULL);
	o->is_null = job.answers == NULL || s == NULL || neighbour == NULL;
	if (o->is_null)
		goto out;
	play(st, s, o);
	play(st, neighbour, &second);
	CHECK(stays || o->err.code == AGS_OK || second.is_done);        /* one failure, one victim */
	if (o->err.code == AGS_OK) {
		o->err = second.err;
		o->is_done = o->is_done && second.is_done;
	}
out:
	ags_sender_free(s);
	ags_sender_free(neighbour);
	ags_answers_free(job.answers);
	for (size_t i = 0; i < sizeof(job.lists) / sizeof(job.lists[0]); i++)
		ags_piece_drop(job.lists[i]);
	ags_filter_free(filter);
	ags_buf_free(&rules);
	ags_filelist_free(&list);
}

/* Done all the same: the list could not give back the room it did not need. */
static bool did_without(const struct outcome *o)
{
	return o->is_done && o->err.code == AGS_OK;
}

static void check_outcome(const struct outcome *o, bool has_failed)
{
	if (!has_failed) {
		CHECK(o->is_done);
		CHECK_STR(o->err.message, "");
	} else if (!did_without(o)) {
		CHECK(o->is_null || o->err.code == AGS_NOMEM);
		CHECK(!o->is_done);
	}
}

static void walk(const struct stage *st, bool stays)
{
	bool has_failed = true;
	size_t n, without = 0;

	for (n = 1; has_failed && n < 100000 && check_failures == 0; n++) {
		struct outcome o = { .err = AGS_ERR_INIT };

		failing_begin(n, stays);
		push(st, stays, &o);
		has_failed = failing_end();
		check_outcome(&o, has_failed);
		without += has_failed && did_without(&o);
		if (check_failures > 0)
			fprintf(stderr, "at allocation %zu: code %d \"%s\" done %d\n", n, o.err.code, o.err.message, o.is_done);
	}
	CHECK(!has_failed && n > 25);
	CHECK(without <= 1);
}

/* A request with the sums of the first half of the file, then a second round of the same without. */
static void write_script(struct stage *st)
{
	struct rx_script *s = &st->script;
	static const int32_t counts[5] = { 1, 0, 0, 0, 0 };
	struct ags_sums sums;
	struct ags_buf file = AGS_BUF_INIT;

	rx_hello(s, 32, RX_FLAGS);
	rx_names(s, "xxh128 md5");
	if (st->compress)
		rx_names(s, "zstd zlibx none");
	rx_u32(s, RX_SEED);
	rx_turn(s);
	rx_item(s, 0, 8);
	for (int i = 1; i <= 20000; i++) {
		char line[16];

		CHECK(ags_buf_add(&file, line, (size_t)snprintf(line, sizeof(line), "%d\n", i)));
	}
	if (!st->dry_run) {
		sums = basis_sums(ags_buf_bytes(&file), ags_buf_len(&file), 700, 2, AGS_DIGEST_XXH128, RX_SEED);
		rx_head(s, st->a, sums.count, sums.blength, sums.s2length, sums.remainder);
		rx_frame(s, AGS_TAG_DATA, sums.data, (size_t)sums.count * (4 + sums.s2length));
		free((void *)sums.data);
		rx_named(s, st->b, 0x82, "near", 4);
	}
	ags_buf_free(&file);
	rx_message(s, AGS_TAG_ERROR, "file has vanished");
	rx_done(s);
	rx_turn(s);
	if (!st->dry_run) {
		rx_item(s, st->a, AGS_ITEM_TRANSFER);
		rx_done(s);
		rx_turn(s);
		rx_message(s, AGS_TAG_DELETED, "aegir_scale-fence-00001267");
	} else {
		rx_done(s);
	}
	rx_turn(s);
	rx_done(s);
	rx_turn(s);
	rx_delete_counts(s, counts);
	rx_done(s);
	rx_turn(s);
	rx_done(s);
}

static void survive(struct stage *st)
{
	struct rx_job look;

	CHECK(rx_job_init(&look, TREE));
	st->a = rx_ndx(&look, "a");
	st->b = rx_ndx(&look, "b");
	memcpy(st->dir, look.dir, sizeof(st->dir));
	write_script(st);
	walk(st, false);
	walk(st, true);
	rx_script_free(&st->script);
	rx_job_fini(&look);
}

static void test_a_push_survives_any_failed_allocation(void)
{
	survive(&(struct stage){ .checksum = true });
}

static void test_a_dry_run_survives_any_failed_allocation(void)
{
	survive(&(struct stage){ .dry_run = true });
}

static void test_zstd_survives_any_failed_allocation(void)
{
	survive(&(struct stage){ .compress = true, .encoding = AGS_ENCODING_ZSTD });
}

static void test_zlib_survives_any_failed_allocation(void)
{
	survive(&(struct stage){ .compress = true, .encoding = AGS_ENCODING_ZLIB });
}

int main(void)
{
	RUN(test_a_push_survives_any_failed_allocation);
	RUN(test_a_dry_run_survives_any_failed_allocation);
	RUN(test_zstd_survives_any_failed_allocation);
	RUN(test_zlib_survives_any_failed_allocation);
	return check_result();
}
