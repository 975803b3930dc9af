/* Answers shared by readers of any speed: everyone gets the same bytes, and nobody's slowness costs memory without bound. */
#include "unit/basis.h"
#include "unit/receiver.h"

#include "base/loop.h"

#include <errno.h>

#define MB (1u << 20)

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static struct rx_job tree;
static struct ags_answers *answers;

struct reader {
	struct ags_reading at;
	struct ags_hash hash;           /* of all bytes handed out */
	const struct ags_piece *piece;  /* the last one, which must stay as it is */
	uint8_t sum[AGS_DIGEST_LEN];
	uint64_t bytes;
	bool is_over;
	struct ags_buf *keep;
	struct ags_err err;
};

static size_t memory(void)
{
	return __sanitizer_get_current_allocated_bytes != NULL ? __sanitizer_get_current_allocated_bytes() : 0;
}

static void begin(const char *command)
{
	CHECK(rx_job_init(&tree, command));
	answers = tree.job.answers;
}

static void change(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && %s", tree.dir, command);
	CHECK_INT(system(line), 0);
}

static struct ags_question question(const char *name)
{
	return (struct ags_question){ .ndx = rx_ndx(&tree, name) };
}

static enum ags_step ask(struct reader *r, const struct ags_question *q)
{
	memset(r, 0, sizeof(*r));
	CHECK(ags_hash_init(&r->hash, AGS_DIGEST_XXH128));
	return ags_reading_begin(answers, q, &r->at, &r->err);
}

/* Uses the piece from before up only now: it must have stayed. */
static enum ags_step read_on(struct reader *r)
{
	enum ags_step step;

	if (r->piece != NULL) {
		ags_hash_add(&r->hash, r->piece->bytes, r->piece->len);
		r->bytes += r->piece->len;
		if (r->keep != NULL)
			CHECK(ags_buf_add(r->keep, r->piece->bytes + AGS_FRAME_HEADER, r->piece->len - AGS_FRAME_HEADER));
	}
	r->piece = NULL;
	step = ags_reading_next(answers, &r->at, &r->piece, &r->err);
	if (step == AGS_DONE && r->piece == NULL) {
		ags_hash_end(&r->hash, r->sum);
		r->is_over = true;
	}
	return step;
}

static void read_all(struct reader *r)
{
	while (!r->is_over)
		if (read_on(r) == AGS_FAILED) {
			CHECK(false);
			return;
		}
}

static void stop(struct reader *r)
{
	ags_reading_end(answers, &r->at);
	ags_hash_fini(&r->hash);
}

static struct ags_answers_stats stats(void)
{
	struct ags_answers_stats s;

	ags_answers_stats(answers, &s);
	return s;
}

static void test_equal_questions_share_an_answer(void)
{
	struct ags_question q;
	struct reader r[3];

	begin("seq 1 5000 > f && seq 1 50 > g");
	q = question("f");
	for (int i = 0; i < 3; i++)
		CHECK_INT(ask(&r[i], &q), AGS_DONE);
	for (int i = 0; i < 3; i++)
		read_all(&r[i]);
	for (int i = 0; i < 3; i++) {
		CHECK(memcmp(r[i].sum, r[0].sum, AGS_DIGEST_LEN) == 0);
		stop(&r[i]);
	}
	CHECK_INT(ask(&r[0], &q), AGS_DONE);                    /* long after the others */
	read_all(&r[0]);
	CHECK(memcmp(r[0].sum, r[1].sum, AGS_DIGEST_LEN) == 0);
	stop(&r[0]);
	CHECK_INT(stats().computed, 1);
	CHECK_INT(stats().shared, 3);
	rx_job_fini(&tree);
}

static struct ags_sums sums_of(uint32_t count, uint32_t s2length, int seed)
{
	uint64_t state = (uint64_t)seed;
	uint8_t *data = basis_bytes(&state, count * (4 + (size_t)s2length), 255);

	return (struct ags_sums){ .count = count, .blength = 700, .s2length = s2length, .data = data };
}

static void test_different_questions_do_not_share(void)
{
	struct ags_sums a, b, c, zero = {0};
	struct ags_question q[9];
	struct reader r;

	begin("seq 1 5000 > f && seq 1 5000 > g");
	a = sums_of(30, 2, 1);
	b = sums_of(30, 2, 2);
	c = a;
	c.remainder = 5;
	for (int i = 0; i < 9; i++)
		q[i] = question("f");
	q[1] = question("g");
	q[2].digest = AGS_DIGEST_MD5;
	q[3].encoding = AGS_ENCODING_ZSTD;
	q[4].encoding = AGS_ENCODING_ZLIB;
	q[5].redo = true;
	q[6].sums = &a;
	q[7].sums = &b;
	q[8].sums = &c;
	for (int i = 0; i < 9; i++) {
		CHECK_INT(ask(&r, &q[i]), AGS_DONE);
		read_all(&r);
		stop(&r);
	}
	CHECK_INT(stats().computed, 9);
	CHECK_INT(stats().shared, 0);
	q[0].sums = &zero;                                      /* no sums are no sums */
	CHECK_INT(ask(&r, &q[0]), AGS_DONE);
	stop(&r);
	CHECK_INT(stats().computed, 9);
	free((void *)a.data);
	free((void *)b.data);
	rx_job_fini(&tree);
}

/* One reads on while the others, which have got so many pieces, stand still. */
static size_t outrun(struct reader *fast, size_t most)
{
	size_t peak = memory();
	int64_t until = ags_now_ms() + 20000;

	while (!fast->is_over && ags_now_ms() < until) {
		enum ags_step step = read_on(fast);

		CHECK(step != AGS_FAILED);
		if (memory() > peak)
			peak = memory();
		if (step == AGS_AGAIN)
			usleep(2000);
	}
	CHECK(fast->is_over);
	CHECK(peak < most);
	return peak;
}

static void stall(const char *make, enum ags_encoding encoding, const unsigned *places, size_t count)
{
	struct reader alone, fast, slow[8];
	struct ags_question q;
	size_t before;
	int64_t began;

	begin(make);
	q = question("f");
	q.encoding = encoding;
	CHECK_INT(ask(&alone, &q), AGS_DONE);
	read_all(&alone);
	stop(&alone);
	before = memory();
	for (size_t i = 0; i < count; i++)
		CHECK_INT(ask(&slow[i], &q), AGS_DONE);
	CHECK_INT(ask(&fast, &q), AGS_DONE);
	CHECK_INT(stats().computed, 2);
	for (size_t i = 0; i < count; i++)
		for (unsigned n = 0; n < places[i]; n++)
			CHECK_INT(read_on(&slow[i]), AGS_DONE);
	began = ags_now_ms();
	outrun(&fast, before + AGS_ANSWERS_WINDOW + (2 + count) * 2 * MB);
	CHECK(ags_now_ms() - began >= AGS_ANSWERS_PATIENCE_MS);
	CHECK(memcmp(fast.sum, alone.sum, AGS_DIGEST_LEN) == 0);
	stop(&fast);
	for (size_t i = 0; i < count; i++) {
		read_all(&slow[i]);
		CHECK_INT(slow[i].bytes, alone.bytes);
		CHECK(memcmp(slow[i].sum, alone.sum, AGS_DIGEST_LEN) == 0);
		stop(&slow[i]);
	}
	rx_job_fini(&tree);
}

static const unsigned several[] = { 1, 1, 7, 2, 20, 40 };

static void test_a_slow_reader_gets_the_same_bytes_later(void)
{
	stall("head -c 70000000 /dev/urandom > f", AGS_ENCODING_PLAIN, several, 1);
}

static void test_slow_readers_hold_the_window_not_the_file(void)
{
	stall("head -c 70000000 /dev/urandom > f", AGS_ENCODING_PLAIN, several, 6);
}

static void test_compressed_bytes_are_the_same_later_too(void)
{
	stall("head -c 40000000 /dev/urandom > f && head -c 9000000 /dev/zero >> f && cat f f > g && mv g f", AGS_ENCODING_ZSTD, several, 3);
	stall("head -c 30000000 /dev/urandom > f", AGS_ENCODING_ZLIB, several, 2);
}

static void test_who_has_not_begun_gets_an_answer_of_its_own(void)
{
	struct reader fast, late;
	struct ags_question q;

	begin("head -c 70000000 /dev/urandom > f");
	q = question("f");
	CHECK_INT(ask(&fast, &q), AGS_DONE);
	CHECK_INT(ask(&late, &q), AGS_DONE);
	outrun(&fast, memory() + AGS_ANSWERS_WINDOW + 4 * MB);
	read_all(&late);
	CHECK(memcmp(fast.sum, late.sum, AGS_DIGEST_LEN) == 0);
	stop(&late);
	stop(&fast);
	rx_job_fini(&tree);
}

/* Any order of reading, and readers that leave and come, against one that reads alone. */
static void test_readers_in_any_order_get_the_same(void)
{
	uint64_t seed = (uint64_t)ags_now_ms();
	struct reader alone[2], r[6];
	struct ags_question q[2];
	unsigned finished = 0;

	begin("head -c 6000000 /dev/urandom > f && cat f f > g");
	for (int i = 0; i < 2; i++) {
		q[i] = question(i ? "g" : "f");
		CHECK_INT(ask(&alone[i], &q[i]), AGS_DONE);
		read_all(&alone[i]);
		stop(&alone[i]);
	}
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 6; i++)
		CHECK_INT(ask(&r[i], &q[i % 2]), AGS_DONE);
	while (finished < 40) {
		unsigned i = basis_random(&seed) % 6;

		if (!r[i].is_over && basis_random(&seed) % 100 != 0) {
			CHECK(read_on(&r[i]) != AGS_FAILED);
			continue;
		}
		if (r[i].is_over)
			CHECK(memcmp(r[i].sum, alone[i % 2].sum, AGS_DIGEST_LEN) == 0);
		stop(&r[i]);
		CHECK_INT(ask(&r[i], &q[i % 2]), AGS_DONE);
		finished++;
	}
	for (unsigned i = 0; i < 6; i++)
		stop(&r[i]);
	rx_job_fini(&tree);
}

static void test_kept_answers_stay_within_their_bound(void)
{
	struct reader r;
	struct ags_question q;
	size_t before;
	char name[16];

	begin("for i in 0 1 2 3 4 5 6 7 8 9; do head -c 10000000 /dev/urandom > f$i; done");
	before = memory();
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		q = question(name);
		CHECK_INT(ask(&r, &q), AGS_DONE);
		read_all(&r);
		stop(&r);
		CHECK(memory() < before + AGS_ANSWERS_KEPT + MB);
	}
	CHECK_INT(ask(&r, &q), AGS_DONE);                       /* the newest is kept, */
	stop(&r);
	CHECK_INT(stats().shared, 1);
	q = question("f0");                                     /* the oldest went */
	CHECK_INT(ask(&r, &q), AGS_DONE);
	stop(&r);
	CHECK_INT(stats().shared, 1);
	rx_job_fini(&tree);
}

static void test_kept_answers_do_not_keep_block_sums(void)
{
	struct ags_question q;
	struct reader r;
	size_t before;

	begin("echo f > f");
	q = question("f");
	before = memory();
	for (int i = 0; i < 6; i++) {
		struct ags_sums sums = sums_of(1000000, 16, i);

		q.sums = &sums;
		CHECK_INT(ask(&r, &q), AGS_DONE);
		read_all(&r);
		stop(&r);
		free((void *)sums.data);
	}
	CHECK(memory() < before + 4 * MB);
	rx_job_fini(&tree);
}

/* The content that a plain token stream brings, and whether the checksum at its end is right. */
static bool is_right(const struct ags_buf *stream, size_t *len)
{
	struct ags_cursor in = { ags_buf_bytes(stream), ags_buf_bytes(stream) + ags_buf_len(stream) };
	struct ags_hash hash;
	uint8_t sum[AGS_DIGEST_LEN];
	const uint8_t *bytes;
	uint32_t n = 1;

	CHECK(ags_hash_init(&hash, AGS_DIGEST_XXH128));
	for (*len = 0; n > 0; *len += n) {
		CHECK(ags_get_u32(&in, &n) && n <= 32768 && ags_get_bytes(&in, &bytes, n));
		ags_hash_add(&hash, bytes, n);
	}
	ags_hash_end(&hash, sum);
	ags_hash_fini(&hash);
	CHECK_INT(ags_left(&in), AGS_DIGEST_LEN);
	return memcmp(in.p, sum, AGS_DIGEST_LEN) == 0;
}

/* The slow one is three pieces far when the file changes, and is moved then. */
static void change_while_moved(const char *command, size_t want)
{
	struct ags_buf stream = AGS_BUF_INIT;
	struct reader fast, slow;
	struct ags_question q;
	size_t len = 0;

	begin("head -c 40000000 /dev/urandom > f");
	q = question("f");
	CHECK_INT(ask(&slow, &q), AGS_DONE);
	CHECK_INT(ask(&fast, &q), AGS_DONE);
	slow.keep = &stream;
	for (int i = 0; i < 3; i++)
		CHECK_INT(read_on(&slow), AGS_DONE);
	outrun(&fast, memory() + AGS_ANSWERS_WINDOW + 8 * MB);
	stop(&fast);
	change(command);
	read_all(&slow);
	CHECK(!is_right(&stream, &len));
	CHECK_INT(len, want);
	stop(&slow);
	ags_buf_free(&stream);
	rx_job_fini(&tree);
}

static void test_a_file_changed_under_a_moved_reader_is_sent_as_damaged(void)
{
	change_while_moved("head -c 40000000 /dev/urandom > f", 40000000);
	change_while_moved("head -c 100 /dev/urandom > g && mv g f", 3 * 256 * 1024 + 100);
	change_while_moved(": > f", 3 * 256 * 1024);
	change_while_moved("head -c 50000000 /dev/urandom > f", 50000000);
}

static void test_a_compressed_file_changed_under_a_moved_reader_fails_it(void)
{
	struct reader fast, slow;
	struct ags_question q;

	begin("head -c 40000000 /dev/urandom > f");
	q = question("f");
	q.encoding = AGS_ENCODING_ZSTD;
	CHECK_INT(ask(&slow, &q), AGS_DONE);
	CHECK_INT(ask(&fast, &q), AGS_DONE);
	CHECK_INT(read_on(&slow), AGS_DONE);
	outrun(&fast, memory() + AGS_ANSWERS_WINDOW + 8 * MB);
	change("echo more >> f");
	CHECK_INT(read_on(&slow), AGS_FAILED);
	CHECK_INT(slow.err.code, AGS_LOCAL_IO);
	CHECK(strstr(slow.err.message, "a file changed") != NULL);
	stop(&slow);
	stop(&fast);
	rx_job_fini(&tree);
}

static void test_a_file_gone_under_a_moved_reader_fails_that_reader_only(void)
{
	struct reader fast, slow, other;
	struct ags_question q;

	begin("head -c 40000000 /dev/urandom > f && echo g > g");
	q = question("f");
	CHECK_INT(ask(&slow, &q), AGS_DONE);
	CHECK_INT(ask(&fast, &q), AGS_DONE);
	CHECK_INT(read_on(&slow), AGS_DONE);
	change("rm f");
	outrun(&fast, memory() + AGS_ANSWERS_WINDOW + 8 * MB);
	CHECK_INT(read_on(&slow), AGS_FAILED);
	CHECK_INT(slow.err.code, AGS_LOCAL_IO);
	CHECK(strstr(slow.err.message, "can no longer be read") != NULL);
	q = question("g");
	CHECK_INT(ask(&other, &q), AGS_DONE);
	read_all(&other);
	stop(&other);
	stop(&slow);
	stop(&fast);
	rx_job_fini(&tree);
}

static void refused(const char *command, const char *path, int sys, bool is_unreadable)
{
	const struct ags_complaint *complaints;
	struct ags_question q;
	struct reader r;
	size_t count;

	begin("mkdir -p d && echo f > d/f");
	change(command);
	q = question("f");
	for (int i = 0; i < 2; i++) {
		CHECK_INT(ask(&r, &q), AGS_AGAIN);
		CHECK_INT(r.err.code, AGS_OK);
		stop(&r);
	}
	complaints = ags_answers_complaints(answers, &count);
	CHECK_INT(count, 1);
	CHECK_INT(complaints[0].sys, sys);
	CHECK(strlen(complaints[0].path) > strlen(path) &&
	      strcmp(complaints[0].path + strlen(complaints[0].path) - strlen(path), path) == 0);
	CHECK((ags_answers_unreadable(answers) != NULL) == is_unreadable);
	CHECK_INT(stats().computed, 0);
	rx_job_fini(&tree);
}

static void test_what_cannot_be_read_is_a_complaint(void)
{
	refused("rm d/f", "/d/f", ENOENT, false);
	refused("rm -r d", "/d/f", ENOENT, false);
	refused("rm d/f && mkdir d/f", "/d/f", EINVAL, true);
	refused("rm d/f && mkfifo d/f", "/d/f", EINVAL, true);
	refused("rm d/f && ln -s /etc/passwd d/f", "/d/f", ELOOP, true);
	refused("mv d e && ln -s e d", "/d/f", ENOTDIR, true);
}

int main(void)
{
	RUN(test_equal_questions_share_an_answer);
	RUN(test_different_questions_do_not_share);
	RUN(test_a_slow_reader_gets_the_same_bytes_later);
	RUN(test_slow_readers_hold_the_window_not_the_file);
	RUN(test_compressed_bytes_are_the_same_later_too);
	RUN(test_who_has_not_begun_gets_an_answer_of_its_own);
	RUN(test_readers_in_any_order_get_the_same);
	RUN(test_kept_answers_stay_within_their_bound);
	RUN(test_kept_answers_do_not_keep_block_sums);
	RUN(test_a_file_changed_under_a_moved_reader_is_sent_as_damaged);
	RUN(test_a_compressed_file_changed_under_a_moved_reader_fails_it);
	RUN(test_a_file_gone_under_a_moved_reader_fails_that_reader_only);
	RUN(test_what_cannot_be_read_is_a_complaint);
	return check_result();
}
