/* What a receiver may say to the sender machine to harm it, and what comes of it: one clear error, and nobody else notices. */
#define _GNU_SOURCE      /* memmem */

#include "unit/receiver.h"

#define TREE "mkdir -p dir/sub empty && seq 1 3000 > a && echo b > b && : > none && echo x > dir/x && echo y > dir/sub/y && ln -s a link"

static struct rx_job tree;
static const enum ags_encoding likes[] = { AGS_ENCODING_ZSTD, AGS_ENCODING_ZLIB };

static bool is_readable(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p += ags_text_utf8(p, strlen((const char *)p)))
		if (*p < 0x20 || *p == 0x7f || ags_text_utf8(p, strlen((const char *)p)) == 0 || (p[0] == 0xc2 && p[1] < 0xa0))
			return false;
	return text[0] != '\0';
}

/* An honest receiver of the same job is half served while the other lies; it must get all. */
static void refuse_once(const struct rx_script *lies, size_t cut, enum ags_code code, const char *words)
{
	struct rx_script first = {0}, rest = {0};
	struct rx honest, liar;
	unsigned dones;

	rx_begin(&honest, &tree);
	rx_begin(&liar, &tree);
	rx_greeting(&first);
	rx_item(&first, rx_ndx(&tree, "a"), AGS_ITEM_TRANSFER);
	rx_done(&rest);
	rx_turn(&rest);
	rx_goodbyes(&rest);
	if (tree.job.answers != NULL && !tree.job.compress)
		CHECK(rx_play(&honest, &first, RX_WHOLE));
	CHECK(!rx_play(&liar, lies, cut));
	CHECK_INT(liar.err.code, code);
	if (strstr(liar.err.message, words) == NULL || !is_readable(liar.err.message)) {
		fprintf(stderr, "cut at %zu: \"%s\", want \"%s\"\n", cut, liar.err.message, words);
		check_failures++;
	}
	dones = rx_heard(&liar, 0, NULL);
	CHECK(!rx_say(&liar, (const uint8_t *)"\1\0\0\7\0", 5));
	CHECK_INT(liar.err.code, code);
	CHECK_INT(rx_heard(&liar, 0, NULL), dones);
	if (tree.job.answers != NULL && !tree.job.compress) {
		CHECK(rx_play(&honest, &rest, RX_WHOLE));
		CHECK_INT(ags_sender_phase(honest.sender), AGS_SENDER_DONE);
	}
	rx_end(&honest);
	rx_end(&liar);
	rx_script_free(&first);
	rx_script_free(&rest);
}

/* Whatever the cut. Takes the script. */
static void refused(struct rx_script *lies, enum ags_code code, const char *words)
{
	size_t len = ags_buf_len(&lies->bytes), step = len / 300 + 1;

	refuse_once(lies, RX_WHOLE, code, words);
	refuse_once(lies, RX_EACH, code, words);
	for (size_t cut = 1; cut < len && check_failures == 0; cut += step)
		refuse_once(lies, cut, code, words);
	rx_script_free(lies);
}

static void accept_once(const struct rx_script *s, size_t cut, struct rx *r)
{
	rx_begin(r, &tree);
	CHECK(rx_play(r, s, cut));
	CHECK_INT(ags_sender_phase(r->sender), AGS_SENDER_DONE);
	CHECK_INT(rx_heard(r, 0, NULL), 4);
}

/* Whatever the cut, to the last goodbye. Takes the script; *last is the last run, for a look at it and rx_end(). */
static void accepted(struct rx_script *s, struct rx *last)
{
	size_t len = ags_buf_len(&s->bytes), step = len / 300 + 1;

	for (size_t cut = 1; cut < len && check_failures == 0; cut += step) {
		accept_once(s, cut, last);
		rx_end(last);
	}
	accept_once(s, RX_EACH, last);
	rx_end(last);
	accept_once(s, RX_WHOLE, last);
	rx_script_free(s);
}

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
	refuse_flags(RX_FLAGS & ~0x80u, "older than 3.2.0");
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
	refuse_compressors("", 0, "want zstd, zlib or none");
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

/* --- phases -------------------------------------------------------------------------------------------------------- */


/* The two are said in one breath: the cuts are left out, as they give the sender its turn. */
static void refuse_two_dones(int before)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	for (int i = 1; i <= before; i++) {
		rx_done(&s);
		rx_turn(&s);
	}
	rx_done(&s);
	rx_done(&s);
	refuse_once(&s, RX_WHOLE, AGS_PROTOCOL, "ended a phase that had not begun");
	rx_script_free(&s);
}

static void test_a_phase_does_not_end_before_it_began(void)
{
	refuse_two_dones(0);
	refuse_two_dones(1);
	refuse_two_dones(2);
	refuse_two_dones(3);
}

static void test_no_commit_is_reported_before_the_release(void)
{
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_done(&s);
	rx_turn(&s);
	rx_done(&s);
	rx_turn(&s);
	rx_done(&s);
	rx_begin(&r, &tree);
	r.hold = true;
	CHECK(!rx_play(&r, &s, RX_WHOLE));
	CHECK_INT(r.err.code, AGS_PROTOCOL);
	CHECK_INT(rx_heard(&r, 0, NULL), 1);
	rx_end(&r);
	rx_script_free(&s);
}

static void test_nothing_comes_after_the_goodbye(void)
{
	struct rx_script s = {0};

	rx_honest(&s, rx_ndx(&tree, "a"));
	rx_done(&s);
	refused(&s, AGS_PROTOCOL, "data after its goodbye");
	rx_honest(&s, rx_ndx(&tree, "a"));
	rx_item(&s, 0, 0);
	refused(&s, AGS_PROTOCOL, "data after its goodbye");
}

static void refuse_counts(int32_t files, int32_t links, const char *words)
{
	const int32_t counts[5] = { files, 0, links, 0, 0 };
	struct rx_script s = {0};

	rx_greeting(&s);
	for (int i = 0; i < 3; i++) {
		rx_done(&s);
		rx_turn(&s);
	}
	rx_delete_counts(&s, counts);
	refused(&s, AGS_PROTOCOL, words);
}

static void test_impossible_counts_of_deletions_are_refused(void)
{
	refuse_counts(-1, 0, "counted -1 deletions");
	refuse_counts(INT32_MIN, 0, "counted -2147483648 deletions");
	refuse_counts(3, 1 << 28, "counted 268435456 deletions");
}

static void test_deletions_are_not_counted_before_the_commit(void)
{
	const int32_t counts[5] = { 1, 1, 1, 1, 1 };

	for (int dones = 0; dones < 2; dones++) {
		struct rx_script s = {0};

		rx_greeting(&s);
		for (int i = 0; i < dones; i++) {
			rx_done(&s);
			rx_turn(&s);
		}
		rx_delete_counts(&s, counts);
		refused(&s, AGS_PROTOCOL, "before it was allowed any");
	}
}

static void test_the_largest_counts_add_up(void)
{
	const int32_t most = (1 << 28) - 1, counts[5] = { most, most, most, most, most };
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	for (int i = 0; i < 3; i++) {
		rx_done(&s);
		rx_turn(&s);
	}
	rx_delete_counts(&s, counts);
	rx_done(&s);
	rx_turn(&s);
	rx_done(&s);
	accepted(&s, &r);
	CHECK_INT(ags_sender_counts(r.sender)->deleted, 5LL * most);
	rx_end(&r);
}

/* --- the second round and its fence -------------------------------------------------------------------------------- */

static void begin_second_round(struct rx_script *s)
{
	rx_greeting(s);
	rx_item(s, rx_ndx(&tree, "b"), AGS_ITEM_TRANSFER);
	rx_done(s);
	rx_turn(s);
	rx_item(s, rx_ndx(&tree, "b"), AGS_ITEM_TRANSFER);
	rx_done(s);
	rx_turn(s);
}

static void test_a_fence_echoed_wrongly_is_not_passed(void)
{
	static const char *const wrong[] = { "aegir_scale-fence-00001268", "aegir_scale-fence-0000126", "aegir_scale-fence-000012677", "" };
	struct rx_script s = {0};
	struct rx r;

	begin_second_round(&s);
	for (size_t i = 0; i < 4; i++)
		rx_message(&s, AGS_TAG_DELETED, wrong[i]);
	rx_begin(&r, &tree);
	CHECK(rx_play(&r, &s, RX_WHOLE));
	CHECK_INT(ags_sender_phase(r.sender), AGS_SENDER_TRANSFER);
	CHECK_INT(r.deletions, 4);
	rx_end(&r);
	rx_message(&s, AGS_TAG_DELETED, "aegir_scale-fence-00001267");
	rx_turn(&s);
	for (int i = 0; i < 3; i++) {
		rx_done(&s);
		rx_turn(&s);
	}
	accepted(&s, &r);
	CHECK_INT(r.deletions, 4);
	rx_end(&r);
}

static void test_a_fence_echoed_too_early_is_not_passed(void)
{
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_message(&s, AGS_TAG_DELETED, "aegir_scale-fence-00001267");
	rx_item(&s, rx_ndx(&tree, "b"), AGS_ITEM_TRANSFER);
	rx_done(&s);
	rx_turn(&s);
	rx_item(&s, rx_ndx(&tree, "b"), AGS_ITEM_TRANSFER);
	rx_message(&s, AGS_TAG_DELETED, "aegir_scale-fence-00001267");
	rx_done(&s);
	rx_begin(&r, &tree);
	CHECK(rx_play(&r, &s, RX_WHOLE));
	CHECK_INT(ags_sender_phase(r.sender), AGS_SENDER_TRANSFER);
	rx_end(&r);
	rx_script_free(&s);
}

/* --- messages ------------------------------------------------------------------------------------------------------ */

static void test_unknown_tags_are_refused(void)
{
	static const unsigned tags[] = { 5, 6, 7, 8, 9, 10, 11, 21, 43, 85, 99, 102, 103, 200, 248 };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct rx_script s = {0};

		rx_greeting(&s);
		rx_message(&s, tags[i], "abcd");
		refused(&s, AGS_PROTOCOL, "which rsync does not send here");
	}
}

static void test_a_frame_below_all_tags_is_refused(void)
{
	struct rx_script s = {0};

	rx_greeting(&s);
	rx_u32(&s, 0);
	refused(&s, AGS_PROTOCOL, "tag -7, which");
}

static void test_an_over_long_message_is_refused(void)
{
	static char text[AGS_MAX_MESSAGE + 1];
	static const unsigned tags[] = { AGS_TAG_ERROR, AGS_TAG_INFO, AGS_TAG_DELETED, AGS_TAG_SUCCESS };
	struct rx_script s = {0};
	struct rx r;

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 4; i++) {
		rx_greeting(&s);
		rx_frame(&s, tags[i], text, sizeof(text));
		refused(&s, AGS_PROTOCOL, "a message of 5121 bytes");
	}
	rx_greeting(&s);
	rx_u32(&s, (7u + AGS_TAG_ERROR) << 24 | 0xffffff);
	refused(&s, AGS_PROTOCOL, "a message of 16777215 bytes");
	rx_greeting(&s);
	rx_frame(&s, AGS_TAG_ERROR, text, AGS_MAX_MESSAGE);
	rx_done(&s);
	rx_turn(&s);
	rx_goodbyes(&s);
	accepted(&s, &r);
	CHECK(strlen(ags_sender_complaint(r.sender)) > 500);
	rx_end(&r);
}

static void test_success_never_removes_a_file(void)
{
	uint32_t a = rx_ndx(&tree, "a");
	struct rx_script s = {0};
	uint8_t ndx[4];
	char path[128];
	struct rx r;

	ags_store_u32(ndx, a);
	rx_greeting(&s);
	rx_item(&s, a, AGS_ITEM_TRANSFER);
	rx_frame(&s, AGS_TAG_SUCCESS, ndx, 4);
	rx_frame(&s, AGS_TAG_SUCCESS, "\xff\xff\xff\xff", 4);
	rx_frame(&s, AGS_TAG_SUCCESS, "", 0);
	rx_done(&s);
	rx_turn(&s);
	rx_frame(&s, AGS_TAG_SUCCESS, ndx, 4);
	rx_goodbyes(&s);
	accepted(&s, &r);
	snprintf(path, sizeof(path), "%s/a", tree.dir);
	CHECK_INT(access(path, R_OK), 0);
	rx_end(&r);
}

static void test_information_clocks_and_keep_alives_pass(void)
{
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_message(&s, AGS_TAG_INFO, "building\n");
	rx_message(&s, AGS_TAG_WARNING, "\033]0;title\a");
	rx_frame(&s, AGS_TAG_IO_TIMEOUT, "\xff\xff\xff\xff", 4);
	rx_frame(&s, AGS_TAG_IO_TIMEOUT, "", 0);
	rx_frame(&s, AGS_TAG_NOOP, "", 0);
	rx_frame(&s, AGS_TAG_DATA, "", 0);
	rx_done(&s);
	rx_turn(&s);
	rx_frame(&s, AGS_TAG_DATA, "", 0);
	rx_goodbyes(&s);
	rx_frame(&s, AGS_TAG_DATA, "", 0);
	accepted(&s, &r);
	CHECK_STR(ags_sender_complaint(r.sender), "");
	rx_end(&r);
}

static void complains(const char *text, const char *want)
{
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_message(&s, AGS_TAG_ERROR_XFER, text);
	rx_message(&s, AGS_TAG_ERROR, "a second one");
	rx_done(&s);
	rx_turn(&s);
	rx_goodbyes(&s);
	accepted(&s, &r);
	CHECK_STR(ags_sender_complaint(r.sender), want);
	CHECK(is_readable(ags_sender_complaint(r.sender)));
	rx_end(&r);
}

static void test_texts_are_cleaned(void)
{
	complains("mkstemp \"/x\" failed: Permission denied (13)\r\n\n", "mkstemp \"/x\" failed: Permission denied (13)");
	complains("\033[2J\033]0;owned\a", "\\x1b[2J\\x1b]0;owned\\x07");
	complains("caf\303\251 \377\300\200\302\233\177", "caf\303\251 \\xff\\xc0\\x80\\xc2\\x9b\\x7f");
	complains("one\ntwo\ttabs%s%n", "one\\ntwo\\ttabs%s%n");
}

static void test_who_complains_deletes_nothing(void)
{
	struct ags_buf got = AGS_BUF_INIT;
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_frame(&s, AGS_TAG_IO_ERROR, "\1\0\0\0", 4);
	rx_done(&s);
	rx_turn(&s);
	rx_goodbyes(&s);
	accepted(&s, &r);
	CHECK_STR(ags_sender_complaint(r.sender), "the receiver reported an input/output error");
	rx_heard(&r, AGS_TAG_IO_ERROR, &got);
	CHECK(ags_buf_len(&got) == 4 && memcmp(ags_buf_bytes(&got), "\1\0\0\0", 4) == 0);
	ags_buf_free(&got);
	rx_end(&r);
}

static void gives_up(const char *complaint, const char *code, size_t n, const char *words)
{
	struct rx_script s = {0};
	struct rx r;

	rx_greeting(&s);
	rx_item(&s, rx_ndx(&tree, "a"), AGS_ITEM_TRANSFER);
	if (complaint != NULL)
		rx_message(&s, AGS_TAG_ERROR, complaint);
	rx_frame(&s, AGS_TAG_ERROR_EXIT, code, n);
	rx_begin(&r, &tree);
	CHECK(!rx_play(&r, &s, RX_WHOLE));
	/* the same back, empty, once: it lingers until it gets that */
	CHECK(ags_buf_len(&r.out) > 4 && memcmp(ags_buf_bytes(&r.out) + ags_buf_len(&r.out) - 4, "\0\0\0\x5d", 4) == 0);
	rx_end(&r);
	refused(&s, AGS_REMOTE, words);
}

static void test_who_gives_up_is_believed(void)
{
	gives_up(NULL, "\14\0\0\0", 4, "gave up with exit status 12");
	gives_up(NULL, "", 0, "gave up");
	gives_up(NULL, "\377\377\377\377", 4, "gave up with exit status 255");
	gives_up(NULL, "abcdefgh", 8, "gave up");
	gives_up("no space \033[1mleft\n", "\13\0\0\0", 4, "no space \\x1b[1mleft");
}

static void test_silence_is_no_error(void)
{
	struct rx_script s = {0};

	rx_honest(&s, rx_ndx(&tree, "a"));
	for (size_t len = 0; len < ags_buf_len(&s.bytes); len++) {
		struct rx_script part = s;
		struct rx r;

		part.bytes.len = part.bytes.start + len;
		rx_begin(&r, &tree);
		CHECK(rx_play(&r, &part, RX_WHOLE));
		CHECK(ags_sender_phase(r.sender) != AGS_SENDER_DONE);
		rx_end(&r);
	}
	rx_script_free(&s);
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
	RUN(test_a_phase_does_not_end_before_it_began);
	RUN(test_no_commit_is_reported_before_the_release);
	RUN(test_nothing_comes_after_the_goodbye);
	RUN(test_impossible_counts_of_deletions_are_refused);
	RUN(test_deletions_are_not_counted_before_the_commit);
	RUN(test_the_largest_counts_add_up);
	RUN(test_a_fence_echoed_wrongly_is_not_passed);
	RUN(test_a_fence_echoed_too_early_is_not_passed);
	RUN(test_unknown_tags_are_refused);
	RUN(test_a_frame_below_all_tags_is_refused);
	RUN(test_an_over_long_message_is_refused);
	RUN(test_success_never_removes_a_file);
	RUN(test_information_clocks_and_keep_alives_pass);
	RUN(test_texts_are_cleaned);
	RUN(test_who_complains_deletes_nothing);
	RUN(test_who_gives_up_is_believed);
	RUN(test_silence_is_no_error);
	rx_job_fini(&tree);
	return check_result();
}
