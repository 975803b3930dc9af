/* Phases that end when they cannot, messages that say too much, and receivers that complain, give up or fall silent. */
#include "unit/hostile.h"

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
