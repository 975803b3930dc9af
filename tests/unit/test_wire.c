#include "unit/check.h"
#include "rsync/wire.h"

#include <time.h>

static const char *hex(const struct ags_buf *b, char *text)
{
	size_t n = ags_buf_len(b);

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", ags_buf_bytes(b)[i]);
	return text;
}

static struct ags_cursor cursor_of(const struct ags_buf *b)
{
	return (struct ags_cursor){ ags_buf_bytes(b), ags_buf_bytes(b) + ags_buf_len(b) };
}

static const char *varint(int32_t value, char *text)
{
	struct ags_buf b = AGS_BUF_INIT;

	CHECK(ags_wire_put_varint(&b, value));
	hex(&b, text);
	ags_buf_free(&b);
	return text;
}

static const char *varlong(int64_t value, unsigned min, char *text)
{
	struct ags_buf b = AGS_BUF_INIT;

	CHECK(ags_wire_put_varlong(&b, value, min));
	hex(&b, text);
	ags_buf_free(&b);
	return text;
}

/* The numbers that a real client and server were seen to send. */
static void test_numbers_have_the_bytes_rsync_sends(void)
{
	char text[64];

	CHECK_STR(varint(0, text), "00");
	CHECK_STR(varint(0x7f, text), "7f");
	CHECK_STR(varint(0x80, text), "8080");
	CHECK_STR(varint(0x1be, text), "81be");
	CHECK_STR(varint(0x2098, text), "a098");
	CHECK_STR(varint(0x3fff, text), "bfff");
	CHECK_STR(varint(0x4000, text), "c00040");
	CHECK_STR(varint(-1, text), "f0ffffffff");
	CHECK_STR(varlong(4096, 3, text), "000010");
	CHECK_STR(varlong(6, 3, text), "000600");
	CHECK_STR(varlong(1700000000, 4, text), "6500f153");
	CHECK_STR(varlong(0x7fffffffffffffff, 3, text), "fcffffffffffffff7f");
}

/* Reads a varlong as its definition says it, without any cleverness. */
static int64_t dull_varlong(const struct ags_buf *b, unsigned min, size_t *used)
{
	const uint8_t *p = ags_buf_bytes(b);
	unsigned extra = 0, more;
	uint64_t v = 0;

	while (extra < 8 && (p[0] & (0x80 >> extra)))
		extra++;
	more = min - 1 + extra;
	for (unsigned i = 0; i < more; i++)
		v |= (uint64_t)p[1 + i] << 8 * i;
	if (more < 8)
		v |= (uint64_t)(p[0] & (0x7f >> extra)) << 8 * more;
	*used = 1 + more;
	return (int64_t)v;
}

static void test_numbers_come_back_as_they_went(void)
{
	unsigned seed = (unsigned)time(NULL);
	struct ags_err err = AGS_ERR_INIT;

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		uint64_t wide = ((uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random()) >> random() % 64;
		unsigned min = 3 + (unsigned)random() % 2;
		struct ags_buf b = AGS_BUF_INIT, l = AGS_BUF_INIT;
		struct ags_cursor c;
		int32_t got;
		size_t used;

		CHECK(ags_wire_put_varint(&b, (int32_t)wide));
		c = cursor_of(&b);
		CHECK_INT(ags_wire_get_varint(&c, &got, &err), AGS_DONE);
		CHECK_INT(got, (int32_t)wide);
		CHECK_INT(ags_left(&c), 0);
		CHECK(ags_wire_put_varlong(&l, (int64_t)wide, min));
		CHECK_INT(dull_varlong(&l, min, &used), (int64_t)wide);
		CHECK_INT(used, ags_buf_len(&l));
		ags_buf_free(&b);
		ags_buf_free(&l);
	}
}

static void test_a_number_with_too_few_bytes_moves_nothing(void)
{
	const uint8_t bytes[] = { 0xf0, 1, 2, 3, 4 };
	struct ags_err err = AGS_ERR_INIT;
	int32_t value = 77;

	for (size_t n = 0; n < 5; n++) {
		struct ags_cursor c = { bytes, bytes + n };

		CHECK_INT(ags_wire_get_varint(&c, &value, &err), AGS_AGAIN);
		CHECK(c.p == bytes && value == 77 && err.code == AGS_OK);
	}
}

static void test_a_number_of_more_than_32_bits_is_refused(void)
{
	for (unsigned first = 0xf1; first <= 0xff; first++) {
		uint8_t byte = (uint8_t)first;
		struct ags_cursor c = { &byte, &byte + 1 };
		struct ags_err err = AGS_ERR_INIT;
		int32_t value;

		CHECK_INT(ags_wire_get_varint(&c, &value, &err), AGS_FAILED);
		CHECK_INT(err.code, AGS_PROTOCOL);
	}
}

static void test_strings_come_back_and_know_their_room(void)
{
	static char text[0x8000], back[0x8000];
	const size_t sizes[] = { 0, 1, 0x7f, 0x80, 0x1ff, 0x7fff };

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct ags_buf b = AGS_BUF_INIT;
		struct ags_err err = AGS_ERR_INIT;
		struct ags_cursor c, cut;
		size_t len = 1;

		CHECK(ags_wire_put_vstring(&b, text, sizes[i]));
		CHECK_INT(ags_buf_len(&b), sizes[i] + (sizes[i] > 0x7f ? 2 : 1));
		c = cut = cursor_of(&b);
		cut.end--;
		CHECK_INT(ags_wire_get_vstring(&cut, back, sizeof(back), &len, &err), AGS_AGAIN);
		CHECK(cut.p == c.p);
		CHECK_INT(ags_wire_get_vstring(&c, back, sizes[i] + 1, &len, &err), AGS_DONE);
		CHECK(len == sizes[i] && back[len] == '\0' && memcmp(back, text, len) == 0 && ags_left(&c) == 0);
		c = cursor_of(&b);
		CHECK_INT(ags_wire_get_vstring(&c, back, sizes[i], &len, &err), AGS_FAILED);
		CHECK_INT(err.code, AGS_PROTOCOL);
		ags_buf_free(&b);
	}
}

static void test_a_string_of_32_kilobytes_cannot_be_put(void)
{
	static char text[0x8000];
	struct ags_buf b = AGS_BUF_INIT;

	CHECK(!ags_wire_put_vstring(&b, text, sizeof(text)));
	CHECK_INT(ags_buf_len(&b), 0);
	ags_buf_free(&b);
}

/* Writes an index the way a generator does, by differences. */
static void put_ndx(struct ags_buf *b, struct ags_ndx_state *s, int32_t ndx)
{
	int32_t *prev = ndx < 0 ? &s->prev_neg : &s->prev_pos, value = ndx < 0 ? -ndx : ndx, diff = value - *prev;

	if (ndx == AGS_NDX_DONE) {
		CHECK(ags_buf_u8(b, 0));
		return;
	}
	if (ndx < 0)
		CHECK(ags_buf_u8(b, 0xff));
	*prev = value;
	if (diff >= 1 && diff <= 253) {
		CHECK(ags_buf_u8(b, (uint8_t)diff));
	} else if (diff == 0 || (diff >= 254 && diff <= 32767)) {
		uint8_t bytes[] = { 0xfe, (uint8_t)(diff >> 8), (uint8_t)diff };

		CHECK(ags_buf_add(b, bytes, 3));
	} else {
		CHECK(ags_wire_put_ndx_absolute(b, value));
	}
}

static void test_indices_come_back_as_they_went(void)
{
	unsigned seed = (unsigned)time(NULL);
	struct ags_ndx_state out = AGS_NDX_STATE_INIT, in = AGS_NDX_STATE_INIT;

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 20000; i++) {
		int32_t ndx = (int32_t)(random() >> random() % 31), got;
		struct ags_buf b = AGS_BUF_INIT;
		struct ags_err err = AGS_ERR_INIT;
		struct ags_cursor c, cut;

		if (random() % 8 == 0)
			ndx = ndx == 0 ? AGS_NDX_DONE : -ndx;
		else if (random() % 2 && out.prev_pos < INT32_MAX - 300)
			ndx = out.prev_pos + 1 + (int32_t)(random() % 300);
		put_ndx(&b, &out, ndx);
		c = cursor_of(&b);
		for (cut = c; cut.end > cut.p;) {
			cut.end--;
			CHECK_INT(ags_wire_get_ndx(&cut, &in, &got, &err), AGS_AGAIN);
		}
		CHECK_INT(ags_wire_get_ndx(&c, &in, &got, &err), AGS_DONE);
		CHECK_INT(got, ndx);
		CHECK_INT(ags_left(&c), 0);
		ags_buf_free(&b);
	}
}

static void test_indices_have_the_bytes_rsync_sends(void)
{
	struct ags_buf b = AGS_BUF_INIT;
	char text[64];

	CHECK(ags_wire_put_ndx_absolute(&b, AGS_NDX_DONE));
	CHECK(ags_wire_put_ndx_absolute(&b, 0x01020304));
	CHECK_STR(hex(&b, text), "00fe81040302");
	ags_buf_free(&b);
}

static void test_the_marks_of_a_real_session_are_read(void)
{
	static const uint8_t bytes[] = { 0x01, 0x00, 0xff, 0x02, 0x01 };
	static const int32_t want[] = { 0, AGS_NDX_DONE, AGS_NDX_DEL_STATS, 1 };
	struct ags_ndx_state state = AGS_NDX_STATE_INIT;
	struct ags_cursor c = { bytes, bytes + sizeof(bytes) };
	struct ags_err err = AGS_ERR_INIT;
	int32_t ndx;

	for (size_t i = 0; i < 4; i++) {
		CHECK_INT(ags_wire_get_ndx(&c, &state, &ndx, &err), AGS_DONE);
		CHECK_INT(ndx, want[i]);
	}
	CHECK_INT(ags_left(&c), 0);
}

static void test_broken_indices_are_refused(void)
{
	static const struct { uint8_t bytes[8]; size_t len; } cases[] = {
		{ { 0xff, 0x00 }, 2 },                               /* no difference at all */
		{ { 0xff, 0xff }, 2 },                               /* minus minus */
		{ { 0xff, 0xfe, 0x80, 0, 0, 0 }, 6 },                /* minus 0 */
	};
	struct ags_ndx_state last = { INT32_MAX, 1 };
	const uint8_t one = 1;
	struct ags_cursor c = { &one, &one + 1 };
	struct ags_err err = AGS_ERR_INIT;
	int32_t ndx;

	CHECK_INT(ags_wire_get_ndx(&c, &last, &ndx, &err), AGS_FAILED);
	CHECK_INT(last.prev_pos, INT32_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ags_ndx_state state = AGS_NDX_STATE_INIT;

		ags_err_clear(&err);
		c = (struct ags_cursor){ cases[i].bytes, cases[i].bytes + cases[i].len };
		CHECK_INT(ags_wire_get_ndx(&c, &state, &ndx, &err), AGS_FAILED);
		CHECK_INT(err.code, AGS_PROTOCOL);
	}
}

static void test_a_frame_header_holds_tag_and_length(void)
{
	uint8_t header[AGS_FRAME_HEADER];

	ags_wire_put_frame(header, AGS_TAG_DATA, 20);
	CHECK(memcmp(header, "\x14\0\0\x07", 4) == 0);
	ags_wire_put_frame(header, AGS_TAG_NO_SEND, 0xffffff);
	CHECK(memcmp(header, "\xff\xff\xff\x6d", 4) == 0);
}

int main(void)
{
	RUN(test_numbers_have_the_bytes_rsync_sends);
	RUN(test_numbers_come_back_as_they_went);
	RUN(test_a_number_with_too_few_bytes_moves_nothing);
	RUN(test_a_number_of_more_than_32_bits_is_refused);
	RUN(test_strings_come_back_and_know_their_room);
	RUN(test_a_string_of_32_kilobytes_cannot_be_put);
	RUN(test_indices_come_back_as_they_went);
	RUN(test_indices_have_the_bytes_rsync_sends);
	RUN(test_the_marks_of_a_real_session_are_read);
	RUN(test_broken_indices_are_refused);
	RUN(test_a_frame_header_holds_tag_and_length);
	return check_result();
}
