/* What a receiver may say in the handshake and ask for to harm the sender machine. */
#define _GNU_SOURCE      /* memmem */

#include "unit/hostile.h"

static const enum ags_encoding likes[] = { AGS_ENCODING_ZSTD, AGS_ENCODING_ZLIB };

static void test_an_honest_receiver_is_served(void)
{
	struct rx_script s = {0};
	struct ags_buf got = AGS_BUF_INIT;
	struct rx r;

	rx_honest(&s, rx_ndx(&tree, "b"));
	accepted(&s, &r);
	rx_heard(&r, AGS_TAG_DATA, &got);
	CHECK(memmem(ags_buf_bytes(&got), ags_buf_len(&got), "\2\0\0\0b\n\0\0\0\0", 10) != NULL);
	CHECK_INT(r.items, 1);
	CHECK_INT(ags_sender_counts(r.sender)->sent, 1);
	ags_buf_free(&got);
	rx_end(&r);
}

/* --- the handshake ------------------------------------------------------------------------------------------------- */

static void test_shell_noise_is_shown_and_refused(void)
{
	struct rx_script s = {0};

	rx_text(&s, "Welcome to web1!\n");
	refused(&s, AGS_PROTOCOL, "the login shell printed \"Welc");
	rx_text(&s, "\033[31m\302\233\377red\n");
	refused(&s, AGS_PROTOCOL, "the login shell printed \"\\x1b[31");
	rx_text(&s, "%s%n%s%n");
	refused(&s, AGS_PROTOCOL, "the login shell printed \"%s%n");
}

static void refuse_version(uint32_t version, const char *words)
{
	struct rx_script s = {0};

	rx_hello(&s, version, RX_FLAGS);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_versions_out_of_range_are_refused(void)
{
	refuse_version(0, "greeting");
	refuse_version(19, "greeting");
	refuse_version(41, "greeting");
	refuse_version(0xffffffff, "greeting");
	refuse_version(29, "protocol 29");
	refuse_version(30, "protocol 30");
}

static void test_newer_versions_are_spoken_to_as_ours(void)
{
	struct rx_script s = {0};
	struct rx r;

	rx_hello(&s, 40, RX_FLAGS);
	rx_names(&s, RX_CHECKSUMS);
	rx_u32(&s, RX_SEED);
	rx_turn(&s);
	rx_done(&s);
	rx_turn(&s);
	rx_goodbyes(&s);
	accepted(&s, &r);
	CHECK_INT(r.sender->protocol, 32);
	rx_end(&r);
}

static void refuse_flags(uint32_t flags, const char *words)
{
	struct rx_script s = {0};

	rx_hello(&s, 32, flags);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_bad_flags_are_refused(void)
{
	struct rx_script s = {0};

	refuse_flags(RX_FLAGS | 1, "incremental recursion");
	refuse_flags(RX_FLAGS & ~0xa0u, "older than 3.1.2");
	refuse_flags(0xffffffff, "incremental recursion");
	rx_u32(&s, 32);
	rx_raw(&s, "\xff\1\2\3\4\5\6", 7);
	refused(&s, AGS_PROTOCOL, "a number begins with byte 0xff");
}

static void refuse_checksums(const char *list, size_t len, const char *words)
{
	struct rx_script s = {0};

	rx_hello(&s, 32, RX_FLAGS);
	CHECK(ags_wire_put_vstring(&s.bytes, list, len));
	refused(&s, AGS_PROTOCOL, words);
}

static void test_a_list_of_checksums_must_be_names(void)
{
	char longest[0x7fff];

	memset(longest, 'a', sizeof(longest));
	refuse_checksums("xxh128\033[31m md5", 15, "not a list of names");
	refuse_checksums("xxh128\0md5", 10, "not a list of names");
	refuse_checksums("xxh128 \377\376", 9, "not a list of names");
	refuse_checksums(longest, 256, "a string has 256 bytes");
	refuse_checksums(longest, sizeof(longest), "a string has 32767 bytes");
}

static void test_a_common_checksum_is_wanted(void)
{
	struct rx_script s = {0};

	refuse_checksums("", 0, "want xxh128 or md5");
	refuse_checksums("xxh64 md4 none", 14, "offers the checksums \"xxh64 md4 none\"");
	refuse_checksums("xxh1280 nmd5 md55", 17, "want xxh128 or md5");
	rx_hello(&s, 32, RX_FLAGS & ~0x20u);                    /* md5 with the seed behind the data */
	rx_names(&s, "md5");
	refused(&s, AGS_PROTOCOL, "want xxh128 or md5");
}

static void refuse_compressors(const char *list, size_t len, const char *words)
{
	struct rx_script s = {0};

	tree.job.compress = true;
	tree.job.encodings = likes;
	tree.job.encoding_count = 2;
	rx_hello(&s, 32, RX_FLAGS);
	rx_names(&s, "md5");
	CHECK(ags_wire_put_vstring(&s.bytes, list, len));
	refused(&s, AGS_PROTOCOL, words);
	tree.job.compress = false;
}

static void test_a_common_compressor_is_wanted(void)
{
	char longest[300];

	memset(longest, 'z', sizeof(longest));
	refuse_compressors("lz4 zlibxx", 10, "offers the compressors \"lz4 zlibxx\"");
	refuse_compressors("", 0, "want zstd, lz4, zlib or none");
	refuse_compressors("zstd\n", 5, "not a list of names");
	refuse_compressors(longest, sizeof(longest), "a string has 300 bytes");
}

static void test_another_seed_is_refused(void)
{
	struct rx_script s = {0};

	rx_hello(&s, 32, RX_FLAGS);
	rx_names(&s, RX_CHECKSUMS);
	rx_u32(&s, RX_SEED + 1);
	refused(&s, AGS_PROTOCOL, "checksum seed 4712, want 4711");
}

/* --- indices and requests ------------------------------------------------------------------------------------------ */

static void refuse_item(uint32_t ndx, const char *words)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	rx_item(&s, ndx, 0);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_an_index_outside_the_list_is_refused(void)
{
	refuse_item(tree.list.count, "of a list of");
	refuse_item(0x7fffffff, "named entry 2147483647");
}

static void refuse_data(const char *bytes, size_t n, const char *words)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	rx_frame(&s, AGS_TAG_DATA, bytes, n);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_a_negative_index_is_refused(void)
{
	refuse_data("\xff\1\0\0", 4, "named entry -2");
	refuse_data("\xff\3\0\0", 4, "named entry -4");
	refuse_data("\xff\xfe\xff\xff\xff\xff", 6, "named entry -2147483647");
	refuse_data("\xff\xfe\x80\0\0\0", 6, "minus 0");
	refuse_data("\xff\xff", 2, "index begins with byte 0xff");
	refuse_data("\xfe\xff\xff\xff\xff\0\0\1\0\0", 10, "named entry 2147483647");
}

static void test_nothing_may_come_before_the_list(void)
{
	struct ags_answers *answers = tree.job.answers;
	struct rx_script s = {0};

	tree.job.answers = NULL;
	rx_greeting(&s);
	rx_item(&s, 0, 0);
	refused(&s, AGS_PROTOCOL, "before it had the list");
	rx_greeting(&s);
	rx_item(&s, rx_ndx(&tree, "a"), AGS_ITEM_TRANSFER);
	refused(&s, AGS_PROTOCOL, "before it had the list");
	rx_greeting(&s);
	rx_done(&s);
	refused(&s, AGS_PROTOCOL, "before it had the list");
	tree.job.answers = answers;
}

static void refuse_request(uint32_t ndx, const char *words)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	rx_item(&s, ndx, AGS_ITEM_TRANSFER);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_only_regular_files_can_be_asked_for(void)
{
	refuse_request(rx_ndx(&tree, "dir"), "no regular file");
	refuse_request(rx_ndx(&tree, "link"), "no regular file");
}

static void test_a_file_is_asked_for_once_in_a_round(void)
{
	struct rx_script s = {0};
	uint32_t a = rx_ndx(&tree, "a");

	rx_greeting(&s);
	rx_item(&s, a, AGS_ITEM_TRANSFER);
	rx_item(&s, rx_ndx(&tree, "b"), AGS_ITEM_TRANSFER);
	rx_item(&s, a, AGS_ITEM_TRANSFER);
	refused(&s, AGS_PROTOCOL, "twice");
	rx_greeting(&s);
	rx_item(&s, a, AGS_ITEM_TRANSFER);
	rx_done(&s);
	rx_item(&s, a, AGS_ITEM_TRANSFER);
	rx_turn(&s);
	rx_item(&s, a, AGS_ITEM_TRANSFER);
	refused(&s, AGS_PROTOCOL, "twice");
}

static void test_no_file_is_asked_for_after_all_were_there(void)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	rx_done(&s);
	rx_turn(&s);
	rx_done(&s);
	rx_turn(&s);
	rx_item(&s, rx_ndx(&tree, "a"), AGS_ITEM_TRANSFER);
	refused(&s, AGS_PROTOCOL, "after it had said that it has all");
}

static void refuse_head(uint32_t count, uint32_t blength, uint32_t s2length, uint32_t remainder, const char *words)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	rx_head(&s, rx_ndx(&tree, "a"), count, blength, s2length, remainder);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_bad_sum_heads_are_refused(void)
{
	refuse_head(AGS_MAX_BLOCKS + 1, 700, 16, 0, "block sums of 67108865 blocks");
	refuse_head(0xffffffff, 700, 16, 0, "blocks, want at most");
	refuse_head(0x80000000, 700, 16, 0, "blocks, want at most");
	refuse_head(1, 0, 16, 0, "blocks of 0 bytes");
	refuse_head(1, 131073, 16, 0, "blocks of 131073 bytes");
	refuse_head(1, 0xffffffff, 16, 0, "blocks of 4294967295 bytes");
	refuse_head(1, 700, 0, 0, "sums of 0 bytes");
	refuse_head(1, 700, 1, 0, "sums of 1 bytes");
	refuse_head(1, 700, 17, 0, "sums of 17 bytes");
	refuse_head(1, 700, 0xffffffff, 0, "sums of 4294967295 bytes");
	refuse_head(1, 700, 16, 700, "has 700, want less than a block");
	refuse_head(1, 700, 16, 0xffffffff, "want less than a block");
	refuse_head(0, 700, 16, 5, "want less than a block");
}

static void test_a_huge_count_takes_no_memory(void)
{
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_head(&s, rx_ndx(&tree, "a"), AGS_MAX_BLOCKS, 131072, 16, 0);
	rx_begin(&r, &tree);
	CHECK(rx_play(&r, &s, RX_WHOLE));
	CHECK(r.sender->filling != NULL && r.sender->filling->sum_bytes == NULL);
	CHECK(r.sender->fill_left == (size_t)AGS_MAX_BLOCKS * 20);
	rx_end(&r);
	rx_script_free(&s);
}

static void test_too_many_sums_get_the_whole_file(void)
{
	uint32_t count = AGS_MAX_SUMS / 20 + 1, a = rx_ndx(&tree, "b");
	size_t left = (size_t)count * 20;
	struct rx_script s = {0}, rest = {0};
	static uint8_t zeros[65536];
	struct ags_buf got = AGS_BUF_INIT;
	struct rx r;

	rx_greeting(&s);
	rx_head(&s, a, count, 131072, 16, 0);
	rx_begin(&r, &tree);
	CHECK(rx_play(&r, &s, RX_WHOLE));
	for (size_t n; left > 0; left -= n) {
		struct rx_script piece = {0};

		n = left < sizeof(zeros) ? left : sizeof(zeros);
		rx_frame(&piece, AGS_TAG_DATA, zeros, n);
		CHECK(rx_play(&r, &piece, RX_WHOLE));
		rx_script_free(&piece);
	}
	rx_done(&rest);
	rx_turn(&rest);
	rx_goodbyes(&rest);
	CHECK(rx_play(&r, &rest, RX_WHOLE));
	CHECK_INT(ags_sender_phase(r.sender), AGS_SENDER_DONE);
	rx_heard(&r, AGS_TAG_DATA, &got);
	/* flags, an empty sum head, and two bytes */
	CHECK(memmem(ags_buf_bytes(&got), ags_buf_len(&got), "\0\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0b\n", 24) != NULL);
	CHECK(r.sender->data.cap < 1 << 20 && r.sender->raw.cap < 1 << 20);
	ags_buf_free(&got);
	rx_end(&r);
	rx_script_free(&s);
	rx_script_free(&rest);
}

static void test_requests_beyond_our_queue_are_not_read(void)
{
	struct rx_script s = {0};
	struct rx r;
	size_t len = 5u << 20;
	uint8_t *zeros = calloc(len, 1);

	rx_greeting(&s);
	rx_head(&s, rx_ndx(&tree, "a"), (5u << 20) / 20, 700, 16, 0);
	rx_frame(&s, AGS_TAG_DATA, zeros, (5u << 20) / 20 * 20);
	rx_begin(&r, &tree);
	CHECK(ags_sender_wants_input(r.sender));
	CHECK(ags_sender_feed(r.sender, ags_buf_bytes(&s.bytes), s.turns[0], &r.err) && rx_drain(&r));
	CHECK(ags_sender_feed(r.sender, ags_buf_bytes(&s.bytes) + s.turns[0], ags_buf_len(&s.bytes) - s.turns[0], &r.err));
	CHECK(!ags_sender_wants_input(r.sender));
	CHECK(rx_drain(&r));
	CHECK(ags_sender_wants_input(r.sender));
	rx_end(&r);
	rx_script_free(&s);
	free(zeros);
}

static void test_a_name_is_repeated_and_never_opened(void)
{
	struct rx_script s = {0};
	char name[AGS_MAX_PATH];
	struct ags_buf got = AGS_BUF_INIT;
	struct rx r;

	memset(name, '/', sizeof(name));
	memcpy(name, "../../etc/passwd", 16);
	rx_greeting(&s);
	rx_named(&s, rx_ndx(&tree, "b"), 0x82, name, AGS_MAX_PATH - 1);
	rx_done(&s);
	rx_turn(&s);
	rx_goodbyes(&s);
	accepted(&s, &r);
	rx_heard(&r, AGS_TAG_DATA, &got);
	CHECK(memmem(ags_buf_bytes(&got), ags_buf_len(&got), name, AGS_MAX_PATH - 1) != NULL);
	CHECK(memmem(ags_buf_bytes(&got), ags_buf_len(&got), "root:", 5) == NULL);
	ags_buf_free(&got);
	rx_end(&r);
}

static void test_a_name_too_long_is_refused(void)
{
	struct rx_script s = {0};
	static char name[AGS_MAX_PATH];

	memset(name, 'n', sizeof(name));
	rx_greeting(&s);
	rx_named(&s, rx_ndx(&tree, "b"), 0x80, name, AGS_MAX_PATH);
	refused(&s, AGS_PROTOCOL, "a string has 4096 bytes");
}

static void test_a_basis_that_we_did_not_name_is_refused(void)
{
	static const uint8_t wrong[] = { 0, 1, 0x7f, 0x84, 0xff };

	for (size_t i = 0; i < sizeof(wrong); i++) {
		struct rx_script s = {0};

		rx_greeting(&s);
		rx_named(&s, rx_ndx(&tree, "b"), wrong[i], "n", 1);
		refused(&s, AGS_PROTOCOL, "compares with file");
	}
}

/* By its flags and checksums each server chooses one for itself, and by the command that it takes. */
static void test_every_format_of_the_list_has_its_place(void)
{
	static const uint32_t flags[] = { RX_FLAGS, RX_FLAGS & ~0x100u, RX_FLAGS & ~0x80u, RX_FLAGS & ~0x180u };
	static const char *const checksums[] = { "xxh128", "md5" };
	const struct ags_scan_options relative = { .relative = true };
	struct ags_err err = AGS_ERR_INIT;
	struct rx_job job;
	const char *path = job.dir;
	size_t formats = 0;

	CHECK(rx_job_init(&job, TREE));
	ags_answers_free(job.job.answers);
	ags_filelist_free(&job.list);
	job.list = (struct ags_filelist)AGS_FILELIST_INIT;
	CHECK(ags_scan(&path, 1, &relative, &job.list, &err));
	job.job.answers = ags_answers_new(&job.list, RX_SEED);
	for (unsigned i = 0; i < 32; i++) {
		struct rx_script s = {0};
		struct rx r;

		job.job.skip = i / 8 % 2;
		job.job.checksum = i / 16;
		rx_hello(&s, 32, flags[i % 4]);
		if (flags[i % 4] & 0x80)
			rx_names(&s, checksums[i / 4 % 2]);
		rx_u32(&s, RX_SEED);
		rx_turn(&s);
		rx_done(&s);
		rx_turn(&s);
		rx_goodbyes(&s);
		rx_begin(&r, &job);
		CHECK(rx_play(&r, &s, RX_WHOLE));
		CHECK_INT(ags_sender_phase(r.sender), AGS_SENDER_DONE);
		rx_end(&r);
		rx_script_free(&s);
	}
	while (formats < AGS_LIST_FORMATS && job.job.lists[formats] != NULL)
		formats++;
	CHECK_INT(formats, AGS_LIST_FORMATS);
	rx_job_fini(&job);
}

int main(void)
{
	if (!rx_job_init(&tree, TREE))
		return 1;
	RUN(test_an_honest_receiver_is_served);
	RUN(test_shell_noise_is_shown_and_refused);
	RUN(test_versions_out_of_range_are_refused);
	RUN(test_newer_versions_are_spoken_to_as_ours);
	RUN(test_bad_flags_are_refused);
	RUN(test_a_list_of_checksums_must_be_names);
	RUN(test_a_common_checksum_is_wanted);
	RUN(test_a_common_compressor_is_wanted);
	RUN(test_another_seed_is_refused);
	RUN(test_an_index_outside_the_list_is_refused);
	RUN(test_a_negative_index_is_refused);
	RUN(test_nothing_may_come_before_the_list);
	RUN(test_only_regular_files_can_be_asked_for);
	RUN(test_a_file_is_asked_for_once_in_a_round);
	RUN(test_no_file_is_asked_for_after_all_were_there);
	RUN(test_bad_sum_heads_are_refused);
	RUN(test_a_huge_count_takes_no_memory);
	RUN(test_too_many_sums_get_the_whole_file);
	RUN(test_requests_beyond_our_queue_are_not_read);
	RUN(test_a_name_is_repeated_and_never_opened);
	RUN(test_a_name_too_long_is_refused);
	RUN(test_a_basis_that_we_did_not_name_is_refused);
	RUN(test_every_format_of_the_list_has_its_place);
	rx_job_fini(&tree);
	return check_result();
}
