#include "unit/check.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/node.h"
#include "base/text.h"

#include <errno.h>
#include <stdalign.h>

static const char *cleaned(const char *bytes, size_t len, size_t size)
{
	static char text[256];

	memset(text, '#', sizeof(text));
	CHECK_INT(ags_text_clean(text, size, bytes, len), strnlen(text, size));
	CHECK(text[size] == '#');
	return text;
}

static void test_clean_keeps_utf8_and_spells_out_the_rest(void)
{
	CHECK_STR(cleaned("plain", 5, 100), "plain");
	CHECK_STR(cleaned("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98", 12, 100), "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98");
	CHECK_STR(cleaned("a\nb\rc\td\0e\x1b[0m\x7f", 14, 100), "a\\nb\\rc\\td\\x00e\\x1b[0m\\x7f");
	CHECK_STR(cleaned("\xff\xc3(\xe2\x82", 5, 100), "\\xff\\xc3(\\xe2\\x82");
	CHECK_STR(cleaned("\xc2\x9b" "31m\xc2\xa0", 7, 100), "\\xc2\\x9b31m\xc2\xa0");
}

static void test_clean_never_cuts_a_character(void)
{
	CHECK_STR(cleaned("ab\xe2\x82\xac", 5, 5), "ab");
	CHECK_STR(cleaned("ab\xe2\x82\xac", 5, 6), "ab\xe2\x82\xac");
	CHECK_STR(cleaned("ab\x01", 3, 6), "ab");
	CHECK_STR(cleaned("ab", 2, 1), "");
	CHECK_INT(ags_text_clean(NULL, 0, "ab", 2), 0);
}

static void test_clean_lines_keeps_lines(void)
{
	char text[64];

	ags_text_clean_lines(text, sizeof(text), "a\n\tb\r\x1b\n", 7);
	CHECK_STR(text, "a\n\tb\\r\\x1b\n");
}

static void test_a_number_has_commas(void)
{
	static const struct { uint64_t n; const char *text; } all[] = {
		{ 0, "0" }, { 7, "7" }, { 999, "999" }, { 1000, "1,000" }, { 1234567, "1,234,567" }, { UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	char text[AGS_TEXT_NUMBER];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ags_text_number(text, all[i].n);
		CHECK_STR(text, all[i].text);
	}
}

/* The dull version: decode by the book and look at the number. */
static size_t utf8_by_the_book(const unsigned char *p, size_t len)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	unsigned long c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (p[i] / 64 != 2)
			return 0;
		c = c * 64 + p[i] % 64;
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

static void test_utf8_agrees_with_a_dull_decoder(void)
{
	unsigned char p[4];
	size_t differ = 0;

	for (unsigned i = 0; i < 0x10000; i++)
		for (unsigned j = 0; j < 0x100; j += 3) {
			p[0] = (unsigned char)(i >> 8);
			p[1] = (unsigned char)i;
			p[2] = (unsigned char)(0x80 ^ (j & 0xff));
			p[3] = (unsigned char)(0xbf - j / 2);
			for (size_t len = 1; len <= 4; len++)
				differ += ags_text_utf8(p, len) != utf8_by_the_book(p, len);
		}
	CHECK_INT(differ, 0);
	CHECK_INT(ags_text_utf8(p, 0), 0);
}

static void test_nearest_finds_typing_mistakes_only(void)
{
	static const char *const names[] = { "host", "port", "user", "known_hosts", "transport" };
	char longest[128];

	CHECK_STR(ags_text_nearest("hots", names, 5), "host");
	CHECK_STR(ags_text_nearest("prot", names, 5), "port");
	CHECK_STR(ags_text_nearest("knownhosts", names, 5), "known_hosts");
	CHECK_STR(ags_text_nearest("user", names, 5), "user");
	CHECK(ags_text_nearest("balancer", names, 5) == NULL);
	CHECK(ags_text_nearest("host", names, 0) == NULL);
	memset(longest, 'a', sizeof(longest));
	longest[127] = '\0';
	CHECK(ags_text_nearest(longest, (const char *const[]){ longest }, 1) == NULL);
}

static void test_buf_keeps_bytes_in_order_and_below_its_ceiling(void)
{
	struct ags_buf b = { .max = 1000 };
	uint8_t want[1000];

	CHECK_INT(ags_buf_len(&b), 0);
	CHECK(ags_buf_add(&b, NULL, 0));
	for (int i = 0; i < 1000; i++) {
		want[i] = (uint8_t)(i * 7);
		CHECK(ags_buf_u8(&b, want[i]));
	}
	CHECK(!ags_buf_u8(&b, 0));
	CHECK(ags_buf_len(&b) == 1000 && memcmp(ags_buf_bytes(&b), want, 1000) == 0);
	ags_buf_consume(&b, 300);
	CHECK(ags_buf_add(&b, want, 300));
	CHECK(!ags_buf_add(&b, want, 1) && !ags_buf_add(&b, want, SIZE_MAX));
	CHECK(memcmp(ags_buf_bytes(&b), want + 300, 700) == 0 && memcmp(ags_buf_bytes(&b) + 700, want, 300) == 0);
	ags_buf_clear(&b);
	CHECK(ags_buf_len(&b) == 0 && ags_buf_u32(&b, 0x04030201) && memcmp(ags_buf_bytes(&b), "\1\2\3\4", 4) == 0);
	ags_buf_free(&b);
	CHECK(b.data == NULL && ags_buf_len(&b) == 0);
}

/* A queue of bytes that counts up, pushed and taken in random pieces. */
static void test_buf_is_a_queue_on_random_pieces(void)
{
	struct ags_buf b = AGS_BUF_INIT;
	unsigned seed = 4711;
	uint8_t in = 0, out = 0, piece[300];
	size_t wrong = 0;

	for (int i = 0; i < 20000; i++) {
		size_t push = (size_t)rand_r(&seed) % sizeof(piece), take = (size_t)rand_r(&seed) % sizeof(piece);

		for (size_t j = 0; j < push; j++)
			piece[j] = in++;
		wrong += !ags_buf_add(&b, piece, push);
		take = take < ags_buf_len(&b) ? take : ags_buf_len(&b);
		for (size_t j = 0; j < take; j++)
			wrong += ags_buf_bytes(&b)[j] != out++;
		ags_buf_consume(&b, take);
	}
	if (wrong > 0)
		fprintf(stderr, "seed 4711\n");
	CHECK_INT(wrong, 0);
	ags_buf_free(&b);
}

static void test_a_cursor_stops_at_the_end_and_does_not_move_on_failure(void)
{
	const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct ags_cursor c = { bytes, bytes + sizeof(bytes) };
	const uint8_t *p;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	CHECK(ags_get_u32(&c, &u32) && u32 == 0x04030201);
	CHECK(!ags_get_u32(&c, &u32) && ags_left(&c) == 3);
	CHECK(!ags_get_bytes(&c, &p, SIZE_MAX) && ags_left(&c) == 3);
	CHECK(ags_get_u16(&c, &u16) && u16 == 0x0605);
	CHECK(!ags_get_u16(&c, &u16) && ags_left(&c) == 1);
	CHECK(ags_get_u8(&c, &u8) && u8 == 7);
	CHECK(!ags_get_u8(&c, &u8) && ags_get_bytes(&c, &p, 0));
}

static void test_sums_and_products_say_no_when_they_do_not_fit(void)
{
	size_t n;

	CHECK(ags_add_size(SIZE_MAX - 1, 1, &n) && n == SIZE_MAX);
	CHECK(!ags_add_size(SIZE_MAX, 1, &n));
	CHECK(ags_mul_size(SIZE_MAX / 2, 2, &n) && n == SIZE_MAX - 1);
	CHECK(!ags_mul_size(SIZE_MAX / 2 + 1, 2, &n));
}

static void test_an_arena_gives_zeroed_aligned_memory_that_stays(void)
{
	struct ags_arena a = AGS_ARENA_INIT;
	unsigned char *kept[500];
	size_t wrong = 0, size;

	for (size_t i = 0; i < 500; i++) {
		size = i * 37 % 3000;
		CHECK(ags_arena_bytes(&a, i % 5) != NULL);
		kept[i] = ags_arena_alloc(&a, size);
		CHECK(kept[i] != NULL && (uintptr_t)kept[i] % alignof(max_align_t) == 0);
		for (size_t j = 0; j < size; j++)
			wrong += kept[i][j] != 0;
		memset(kept[i], (int)i, size);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t j = 0; j < i * 37 % 3000; j++)
			wrong += kept[i][j] != (unsigned char)i;
	CHECK_INT(wrong, 0);
	CHECK(a.bytes > 500 * 1000);
	ags_arena_free(&a);
	CHECK(a.bytes == 0 && a.blocks == NULL);
}

static void test_an_arena_takes_big_pieces_without_wasting_its_open_block(void)
{
	struct ags_arena a = AGS_ARENA_INIT;
	char *small = ags_arena_string(&a, "small"), *big = ags_arena_alloc(&a, 1 << 20), *next = ags_arena_string(&a, "next");

	CHECK(big != NULL && next == small + 6);
	memset(big, 1, 1 << 20);
	CHECK_STR(small, "small");
	CHECK(ags_arena_alloc(&a, SIZE_MAX) == NULL && ags_arena_bytes(&a, SIZE_MAX) == NULL);
	CHECK(ags_arena_copy(&a, "x", SIZE_MAX) == NULL);
	CHECK_STR(ags_arena_copy(&a, NULL, 0), "");
	CHECK_STR(ags_arena_copy(&a, "a\0b", 3) + 2, "b");
	CHECK_STR(ags_arena_printf(&a, "%s-%d", "web", 7), "web-7");
	ags_arena_free(&a);
}

static void test_the_first_failure_stays(void)
{
	struct ags_err err = AGS_ERR_INIT;

	CHECK(!ags_fail(&err, AGS_CONFIG, "port is %d", 7));
	CHECK(!ags_fail(&err, AGS_NOMEM, "later"));
	CHECK(ags_fail_step(&err, AGS_NOMEM, "later") == AGS_FAILED);
	errno = ENOENT;
	CHECK(!ags_fail_sys(&err, AGS_LOCAL_IO, "/x", "cannot open") && !ags_fail_nomem(&err));
	CHECK(err.code == AGS_CONFIG && err.sys == 0 && err.path[0] == '\0');
	CHECK_STR(err.message, "port is 7");
	ags_err_clear(&err);
	CHECK(err.code == AGS_OK && err.message[0] == '\0');
}

static void test_a_failure_of_the_system_has_errno_path_and_reason(void)
{
	struct ags_err err = AGS_ERR_INIT;

	errno = ENOENT;
	ags_fail_sys(&err, AGS_LOCAL_IO, "/a\nb", "cannot open");
	CHECK_INT(err.sys, ENOENT);
	CHECK_STR(err.path, "/a\\nb");
	CHECK_STR(err.message, "cannot open /a\\nb: No such file or directory");
	ags_err_clear(&err);
	errno = EAGAIN;
	ags_fail_sys(&err, AGS_LOCAL_IO, NULL, "cannot fork");
	CHECK(strstr(err.message, "cannot fork: ") == err.message && err.path[0] == '\0');
}

static void test_server_and_path_are_named_once_and_only_after_a_failure(void)
{
	struct ags_err err = AGS_ERR_INIT;
	char path[2000];

	ags_err_set_server(&err, "web1");
	ags_err_set_path(&err, "/x");
	CHECK(err.server[0] == '\0' && err.path[0] == '\0');
	ags_fail(&err, AGS_REMOTE, "\x1b[31mbad\xff");
	CHECK_STR(err.message, "\\x1b[31mbad\\xff");
	memset(path, 'a', sizeof(path));
	strcpy(path + sizeof(path) - 5, "/end");
	ags_err_set_path(&err, path);
	ags_err_set_server(&err, "web1");
	ags_err_set_server(&err, "web2");
	CHECK_STR(err.server, "web1");
	CHECK_INT(strlen(err.path), sizeof(err.path) - 1);
	CHECK_STR(err.path + strlen(err.path) - 4, "/end");
}

static void test_problems_are_cleaned_and_sorted_stably(void)
{
	struct ags_problems p = AGS_PROBLEMS_INIT;

	ags_problem_add(&p, 2, 1, "b\x1b", "second %s", "a\nb");
	ags_problem_add(&p, 1, 9, "", "first");
	ags_problem_add(&p, 2, 1, "c", "third");
	ags_problem_add(&p, 1, 2, "", "before");
	ags_problems_sort(&p);
	CHECK_INT(p.count, 4);
	CHECK_STR(p.items[0].message, "before");
	CHECK_STR(p.items[1].message, "first");
	CHECK_STR(p.items[2].message, "second a\\nb");
	CHECK_STR(p.items[2].where, "b\\x1b");
	CHECK_STR(p.items[3].message, "third");
	ags_problems_free(&p);
}

static void test_problems_end_with_a_remark_that_there_are_more(void)
{
	struct ags_problems p = AGS_PROBLEMS_INIT;
	char *text = malloc(100000);

	memset(text, 'a', 99999);
	text[99999] = '\0';
	for (unsigned i = 0; i < AGS_MAX_PROBLEMS + 50; i++)
		ags_problem_add(&p, i, 1, text, "%s", text);
	CHECK_INT(p.count, AGS_MAX_PROBLEMS + 1);
	CHECK_STR(p.items[AGS_MAX_PROBLEMS].message, "there are more than 1000 problems, the others are not listed");
	CHECK_INT(strlen(p.items[0].message), 511);
	CHECK_INT(strlen(p.items[0].where), 511);
	ags_problems_free(&p);
	CHECK(p.count == 0 && p.items == NULL);
	free(text);
}

int main(void)
{
	RUN(test_clean_keeps_utf8_and_spells_out_the_rest);
	RUN(test_clean_never_cuts_a_character);
	RUN(test_clean_lines_keeps_lines);
	RUN(test_a_number_has_commas);
	RUN(test_utf8_agrees_with_a_dull_decoder);
	RUN(test_nearest_finds_typing_mistakes_only);
	RUN(test_buf_keeps_bytes_in_order_and_below_its_ceiling);
	RUN(test_buf_is_a_queue_on_random_pieces);
	RUN(test_a_cursor_stops_at_the_end_and_does_not_move_on_failure);
	RUN(test_sums_and_products_say_no_when_they_do_not_fit);
	RUN(test_an_arena_gives_zeroed_aligned_memory_that_stays);
	RUN(test_an_arena_takes_big_pieces_without_wasting_its_open_block);
	RUN(test_the_first_failure_stays);
	RUN(test_a_failure_of_the_system_has_errno_path_and_reason);
	RUN(test_server_and_path_are_named_once_and_only_after_a_failure);
	RUN(test_problems_are_cleaned_and_sorted_stably);
	RUN(test_problems_end_with_a_remark_that_there_are_more);
	return check_result();
}
