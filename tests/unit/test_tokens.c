#include "unit/basis.h"
#include "unit/mini_sender.h"

#include "rsync/packed.h"

#include <lz4.h>
#include <signal.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

static uint64_t random_state;
static const enum ags_encoding encodings[] = { AGS_ENCODING_PLAIN, AGS_ENCODING_ZSTD, AGS_ENCODING_ZLIB, AGS_ENCODING_LZ4 };

/* A reader of token streams that is given all of it at once. What it reads goes into the trace. */
struct reader {
	enum ags_encoding encoding;
	ZSTD_DCtx *zstd;
	z_stream zlib;
	bool in_literal;                /* a literal run is open; for zstd, not yet at the end of a frame */
	uint32_t reference;
	struct trace *t;
};

static bool inflate_data(struct reader *r, const uint8_t *bytes, size_t n)
{
	uint8_t room[5000];

	r->zlib.next_in = (Bytef *)bytes;
	r->zlib.avail_in = (uInt)n;
	do {
		r->zlib.next_out = room;
		r->zlib.avail_out = sizeof(room);
		if (inflate(&r->zlib, Z_SYNC_FLUSH) < 0 && r->zlib.avail_in > 0)
			return false;
		trace_literal(r->t, room, sizeof(room) - r->zlib.avail_out);
	} while (r->zlib.avail_out == 0 || r->zlib.avail_in > 0);
	r->in_literal = true;
	return true;
}

static bool unzstd_data(struct reader *r, const uint8_t *bytes, size_t n)
{
	ZSTD_inBuffer in = { bytes, n, 0 };
	uint8_t room[5000];
	ZSTD_outBuffer out = { room, sizeof(room), 0 };
	size_t hint;

	do {
		out.pos = 0;
		hint = ZSTD_decompressStream(r->zstd, &out, &in);
		if (ZSTD_isError(hint))
			return false;
		trace_literal(r->t, room, out.pos);
	} while (in.pos < in.size || (out.pos == sizeof(room) && hint != 0));
	r->in_literal = hint != 0;
	return true;
}

static bool unlz4_data(struct reader *r, const uint8_t *bytes, size_t n)
{
	char room[16383];
	int got = LZ4_decompress_safe((const char *)bytes, room, (int)n, sizeof(room));

	if (got <= 0)
		return false;
	trace_literal(r->t, (const uint8_t *)room, (size_t)got);
	return true;
}

static bool unpack_data(struct reader *r, const uint8_t *bytes, size_t n)
{
	switch (r->encoding) {
	case AGS_ENCODING_ZLIB:
		return inflate_data(r, bytes, n);
	case AGS_ENCODING_LZ4:
		return unlz4_data(r, bytes, n);
	default:
		return unzstd_data(r, bytes, n);
	}
}

/* A zstd frame must be over by now; deflate gets back the bytes that are never sent. */
static bool end_run(struct reader *r)
{
	bool was_open = r->in_literal;

	if (r->encoding == AGS_ENCODING_ZLIB && was_open && !inflate_data(r, (const uint8_t *)"\0\0\xff\xff", 4))
		return false;
	r->in_literal = false;
	return r->encoding == AGS_ENCODING_ZLIB || !was_open;
}

static bool read_blocks(struct reader *r, uint8_t byte, struct ags_cursor *c)
{
	bool is_run = byte == 0x21 || byte >= 0xc0;
	uint32_t first = r->reference + (byte & 63);
	uint16_t more = 0;

	if (byte < 0x80 && byte != 0x20 && byte != 0x21)
		return false;
	if (!end_run(r) || (byte < 0x80 && !ags_get_u32(c, &first)) || (is_run && !ags_get_u16(c, &more)))
		return false;
	r->reference = first + more;
	for (uint32_t i = 0; i <= more; i++)
		trace_copy(r->t, first + i, r->t->blength);
	return true;
}

static bool read_packed(struct reader *r, struct ags_cursor *c)
{
	uint8_t byte = 1, low;
	const uint8_t *bytes;
	size_t n;

	while (ags_get_u8(c, &byte) && byte != 0) {
		if ((byte & 0xc0) != 0x40) {
			if (!read_blocks(r, byte, c))
				return false;
			continue;
		}
		if (!ags_get_u8(c, &low) || (n = (size_t)(byte & 63) << 8 | low) == 0 || !ags_get_bytes(c, &bytes, n))
			return false;
		if (!unpack_data(r, bytes, n))
			return false;
	}
	return end_run(r);
}

static bool read_plain(struct reader *r, struct ags_cursor *c)
{
	uint32_t n;
	const uint8_t *bytes;

	while (ags_get_u32(c, &n) && n != 0) {
		if (n & 0x80000000u)
			trace_copy(r->t, -n - 1, r->t->blength);
		else if (n <= 32768 && ags_get_bytes(c, &bytes, n))
			trace_literal(r->t, bytes, n);
		else
			return false;
	}
	return true;
}

/* True when the stream is good, and ends with an end mark or at a place where it may be cut. */
static bool read_tokens(enum ags_encoding encoding, const struct ags_buf *stream, struct trace *t)
{
	struct reader r = { .encoding = encoding, .zstd = ZSTD_createDCtx(), .t = t };
	struct ags_cursor c = { stream->data, stream->data };
	bool ok = inflateInit2(&r.zlib, -15) == Z_OK;

	if (ags_buf_len(stream) > 0)
		c = (struct ags_cursor){ ags_buf_bytes(stream), ags_buf_bytes(stream) + ags_buf_len(stream) };
	ok = ok && (encoding == AGS_ENCODING_PLAIN ? read_plain(&r, &c) : read_packed(&r, &c)) && ags_left(&c) == 0;
	inflateEnd(&r.zlib);
	ZSTD_freeDCtx(r.zstd);
	return ok;
}

static void check_bytes(const struct ags_buf *got, const void *want, size_t n)
{
	CHECK_INT(ags_buf_len(got), n);
	CHECK(ags_buf_len(got) == n && memcmp(ags_buf_bytes(got), want, n) == 0);
}

static void test_a_plain_stream_is_lengths_and_negative_blocks(void)
{
	static const uint8_t want[] = { 3, 0, 0, 0, 'a', 'b', 'c', 0xff, 0xff, 0xff, 0xff, 0xfb, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
	struct ags_tokens *t = ags_tokens_new(AGS_ENCODING_PLAIN);
	struct ags_buf out = AGS_BUF_INIT;

	ags_tokens_begin(t);
	CHECK(ags_tokens_literal(t, (const uint8_t *)"abc", 3, &out));
	CHECK(ags_tokens_literal(t, NULL, 0, &out));
	CHECK(ags_tokens_copy(t, 0, &out));
	CHECK(ags_tokens_flush(t, &out));
	CHECK(ags_tokens_copy(t, 4, &out));
	CHECK(ags_tokens_end(t, &out));
	check_bytes(&out, want, sizeof(want));
	ags_buf_free(&out);
	ags_tokens_free(t);
}

static void test_a_plain_literal_is_cut_at_32768(void)
{
	struct ags_tokens *t = ags_tokens_new(AGS_ENCODING_PLAIN);
	struct ags_buf out = AGS_BUF_INIT;
	uint8_t *bytes = basis_bytes(&random_state, 70000, 256);

	ags_tokens_begin(t);
	CHECK(ags_tokens_literal(t, bytes, 70000, &out));
	CHECK_INT(ags_buf_len(&out), 70000 + 3 * 4);
	CHECK_INT(ags_load_u32(ags_buf_bytes(&out)), 32768);
	CHECK_INT(ags_load_u32(ags_buf_bytes(&out) + 4 + 32768), 32768);
	CHECK_INT(ags_load_u32(ags_buf_bytes(&out) + 2 * (4 + 32768)), 70000 - 65536);
	free(bytes);
	ags_buf_free(&out);
	ags_tokens_free(t);
}

/* blocks: first and how many, ended by how many = 0 */
static void check_runs(const uint32_t (*blocks)[2], const char *want, size_t n)
{
	for (int i = 1; i < 3; i++) {
		struct ags_tokens *t = ags_tokens_new(encodings[i]);
		struct ags_buf out = AGS_BUF_INIT;

		ags_tokens_begin(t);
		for (int k = 0; blocks[k][1] > 0; k++)
			for (uint32_t b = 0; b < blocks[k][1]; b++)
				CHECK(ags_tokens_copy(t, blocks[k][0] + b, &out));
		CHECK(ags_tokens_end(t, &out));
		check_bytes(&out, want, n);
		ags_buf_free(&out);
		ags_tokens_free(t);
	}
}

#define RUNS(want, ...) check_runs((const uint32_t[][2]){ __VA_ARGS__, { 0, 0 } }, want, sizeof(want))

static void test_blocks_are_written_as_runs_near_or_far(void)
{
	RUNS("\x80", { 0, 1 });
	RUNS("\xc0\x01\x00", { 0, 2 });
	RUNS("\xbf", { 63, 1 });
	RUNS("\x20\x40\0\0\0", { 64, 1 });
	RUNS("\x21\x40\0\0\0\x02\0", { 64, 3 });
	RUNS("\x85\x20\x03\0\0\0", { 5, 1 }, { 3, 1 });
	RUNS("\x85\x80", { 5, 1 }, { 5, 1 });
	RUNS("\xc5\x09\x00\x82", { 5, 10 }, { 16, 1 });
	RUNS("\xc0\xff\xff\xc1\x01\x00", { 0, 65538 });
	RUNS("\x21\x78\x56\x34\x02\x01\x00\x80", { 0x02345678, 2 }, { 0x02345679, 1 });
}

/* Keeps what the reader should see beside what was written. */
static bool random_call(struct ags_tokens *tokens, struct ags_buf *out, struct trace *want, const uint8_t *bytes, size_t n)
{
	uint32_t block = basis_random(&random_state) % 200, run = basis_random(&random_state) % 9;
	size_t len = basis_random(&random_state) % 8 == 0 ? n : basis_random(&random_state) % 300;
	bool ok = true;

	switch (basis_random(&random_state) % 5) {
	case 0:
		return ags_tokens_flush(tokens, out);
	case 1:
	case 2:
		for (uint32_t i = 0; i < run && ok; i++) {
			trace_copy(want, block + i, want->blength);
			ok = ags_tokens_copy(tokens, block + i, out);
		}
		return ok;
	default:
		bytes += basis_random(&random_state) % 100;
		trace_literal(want, bytes, len);
		return ags_tokens_literal(tokens, bytes, len, out);
	}
}

static void check_random_stream(enum ags_encoding encoding, struct ags_tokens *tokens, const uint8_t *old, const uint8_t *bytes, size_t n)
{
	struct trace want = { .old = old, .blength = 7 }, got = want, cut = want;
	struct ags_buf out = AGS_BUF_INIT;
	int calls = (int)(basis_random(&random_state) % 30);

	ags_tokens_begin(tokens);
	for (int i = 0; i < calls; i++)
		CHECK(random_call(tokens, &out, &want, bytes, n));
	CHECK(ags_tokens_flush(tokens, &out));
	CHECK(read_tokens(encoding, &out, &cut));
	CHECK(trace_rebuilt(&cut, want.file.data, ags_buf_len(&want.file)));
	for (int i = 0; i < calls; i++)
		CHECK(random_call(tokens, &out, &want, bytes, n));
	CHECK(ags_tokens_end(tokens, &out));
	CHECK(read_tokens(encoding, &out, &got));
	CHECK(trace_rebuilt(&got, want.file.data, ags_buf_len(&want.file)));
	CHECK_INT(got.copied, want.copied);
	trace_free(&want);
	trace_free(&got);
	trace_free(&cut);
	ags_buf_free(&out);
}

static void test_random_streams_read_back_whole_and_cut_at_a_flush(void)
{
	const size_t n = 40000;
	uint8_t *old = basis_bytes(&random_state, 7 * 300, 256), *bytes = basis_bytes(&random_state, n + 100, 3);

	for (int e = 0; e < AGS_ENCODINGS; e++) {
		struct ags_tokens *tokens = ags_tokens_new(encodings[e]);

		for (int i = 0; i < 150 && check_failures == 0; i++)
			check_random_stream(encodings[e], tokens, old, bytes, n);
		ags_tokens_free(tokens);
	}
	free(old);
	free(bytes);
}

static void write_run(struct ags_tokens *t, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	for (size_t at = 0; at < n; at += 60000)
		CHECK(ags_tokens_literal(t, bytes + at, n - at < 60000 ? n - at : 60000, out));
	CHECK(ags_tokens_copy(t, 9, out));
	CHECK(ags_tokens_flush(t, out));
}

/* The second run's bytes in a stream are those it has alone, up to the reference of the block behind it. */
static void test_a_literal_run_does_not_depend_on_what_was_written_before(void)
{
	const size_t n = 500000;
	uint8_t *bytes = basis_bytes(&random_state, n, 5);

	for (int e = 0; e < AGS_ENCODINGS; e++) {
		struct ags_tokens *t = ags_tokens_new(encodings[e]);
		struct ags_buf alone = AGS_BUF_INIT, second = AGS_BUF_INIT;

		ags_tokens_begin(t);
		write_run(t, bytes, n, &alone);
		write_run(t, bytes, n, &second);
		CHECK(ags_buf_len(&second) == ags_buf_len(&alone));
		CHECK(memcmp(ags_buf_bytes(&second), ags_buf_bytes(&alone), ags_buf_len(&alone) - 4) == 0);
		ags_buf_free(&alone);
		ags_buf_free(&second);
		ags_tokens_free(t);
	}
	free(bytes);
}

static void test_begin_forgets_an_unfinished_file(void)
{
	for (int e = 0; e < AGS_ENCODINGS; e++) {
		struct ags_tokens *t = ags_tokens_new(encodings[e]);
		struct ags_buf clean = AGS_BUF_INIT, after = AGS_BUF_INIT, lost = AGS_BUF_INIT;

		ags_tokens_begin(t);
		CHECK(ags_tokens_copy(t, 3, &clean));
		CHECK(ags_tokens_literal(t, (const uint8_t *)"hello", 5, &clean));
		CHECK(ags_tokens_end(t, &clean));
		for (int how = 0; how < 3; how++) {
			ags_tokens_begin(t);
			CHECK(ags_tokens_copy(t, 77, &lost));
			CHECK(how == 0 || ags_tokens_literal(t, (const uint8_t *)"lost", 4, &lost));
			CHECK(how < 2 || ags_tokens_flush(t, &lost));
			ags_tokens_begin(t);
			ags_buf_clear(&after);
			CHECK(ags_tokens_copy(t, 3, &after));
			CHECK(ags_tokens_literal(t, (const uint8_t *)"hello", 5, &after));
			CHECK(ags_tokens_end(t, &after));
			check_bytes(&after, ags_buf_bytes(&clean), ags_buf_len(&clean));
		}
		ags_buf_free(&clean);
		ags_buf_free(&after);
		ags_buf_free(&lost);
		ags_tokens_free(t);
	}
}

static bool write_all(struct ags_tokens *t, const uint8_t *bytes, size_t n, struct ags_buf *out)
{
	ags_tokens_begin(t);
	return ags_tokens_copy(t, 100, out) && ags_tokens_copy(t, 101, out) && ags_tokens_literal(t, bytes, n, out) &&
	       ags_tokens_flush(t, out) && ags_tokens_literal(t, bytes, 10, out) && ags_tokens_copy(t, 5, out) &&
	       ags_tokens_end(t, out);
}

static void test_a_full_buffer_is_told_at_every_byte(void)
{
	uint8_t *bytes = basis_bytes(&random_state, 40, 256);

	for (int e = 0; e < AGS_ENCODINGS; e++) {
		struct ags_tokens *t = ags_tokens_new(encodings[e]);
		struct ags_buf out = AGS_BUF_INIT;
		size_t whole, max;

		CHECK(write_all(t, bytes, 40, &out));
		whole = ags_buf_len(&out);
		for (max = 1; max <= whole; max++) {
			ags_buf_free(&out);
			out = (struct ags_buf){ .data = malloc(max), .cap = max, .max = max };
			CHECK_INT(write_all(t, bytes, 40, &out), max == whole);
		}
		ags_buf_free(&out);
		ags_tokens_free(t);
	}
	free(bytes);
}

static void test_text_gets_smaller_and_noise_hardly_larger(void)
{
	const size_t n = 1000000;
	uint8_t *noise = basis_bytes(&random_state, n, 256), *text = basis_bytes(&random_state, n, 4);

	for (int i = 1; i < 4; i++) {
		struct ags_tokens *t = ags_tokens_new(encodings[i]);
		struct ags_buf out = AGS_BUF_INIT;

		ags_tokens_begin(t);
		CHECK(ags_tokens_literal(t, noise, n, &out) && ags_tokens_end(t, &out));
		CHECK(ags_buf_len(&out) < n + n / 200);
		ags_buf_clear(&out);
		ags_tokens_begin(t);
		CHECK(ags_tokens_literal(t, text, n, &out) && ags_tokens_end(t, &out));
		CHECK(ags_buf_len(&out) < (encodings[i] == AGS_ENCODING_LZ4 ? n * 3 / 4 : n / 3));
		ags_buf_free(&out);
		ags_tokens_free(t);
	}
	free(noise);
	free(text);
}

/* Of one object, in turn: each as if it were the only one. */
static void test_packed_files_are_left_as_they_are(void)
{
	const size_t n = 300000;
	uint8_t *text = basis_bytes(&random_state, n, 4);

	for (int i = 1; i < 4; i++) {
		struct ags_tokens *t = ags_tokens_new(encodings[i]);
		size_t sizes[4];

		for (int round = 0; round < 4; round++) {
			struct ags_buf out = AGS_BUF_INIT;
			struct trace got = {0};

			if (round % 2)
				ags_tokens_begin_packed(t);
			else
				ags_tokens_begin(t);
			CHECK(ags_tokens_literal(t, text, n / 2, &out) && ags_tokens_flush(t, &out) && ags_tokens_literal(t, text + n / 2, n - n / 2, &out) &&
			      ags_tokens_end(t, &out));
			sizes[round] = ags_buf_len(&out);
			CHECK(read_tokens(encodings[i], &out, &got));
			ags_buf_free(&out);
			trace_free(&got);
		}
		CHECK_INT(sizes[0], sizes[2]);
		CHECK_INT(sizes[1], sizes[3]);
		CHECK(sizes[1] > sizes[0]);
		CHECK(sizes[1] < n + n / 100);
		ags_tokens_free(t);
	}
	free(text);
}

static void test_names_of_packed_files(void)
{
	static const char *const packed[] = { "a.jpg", "a.JPEG", "b.tar.gz", "x.7z", ".zip", "disk.squashfs", "a.z", "A.MP4", "q.3g2", "z.zst" };
	static const char *const plain[] = { "jpg", "a.php", "a.jpg.txt", "", ".", "a.", "app.ts", "a.css", "x.squashfss", "a.svg", "gz", "a.gz ", "aa.a7z" };

	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		CHECK(ags_packed_by_name(packed[i], strlen(packed[i])));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		CHECK(!ags_packed_by_name(plain[i], strlen(plain[i])));
}

/* From here on the stock receiver judges. */

struct content {
	const char *name;
	uint8_t *old, *file;
	size_t old_len, file_len;
	size_t most_literal;            /* bytes that the receiver has not */
};

static bool put_file(const char *path, const uint8_t *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");
	bool ok = f != NULL && fwrite(bytes, 1, n, f) == n;

	return f != NULL && fclose(f) == 0 && ok;
}

static bool file_is(const char *path, const uint8_t *bytes, size_t n)
{
	uint8_t *got = malloc(n + 1);
	FILE *f = fopen(path, "rb");
	bool ok = f != NULL && fread(got, 1, n + 1, f) == n && memcmp(got, bytes, n) == 0;

	if (f != NULL)
		fclose(f);
	free(got);
	return ok;
}

static void check_receiver(const struct content *c, enum ags_encoding encoding, enum ags_digest digest)
{
	char dir[] = "/tmp/ags-tokens-XXXXXX", path[64];
	struct mini_sender s;
	bool ok;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/file", dir);
	CHECK(c->old == NULL || put_file(path, c->old, c->old_len));
	ok = mini_send(&s, dir, c->file, c->file_len, encoding, digest) && file_is(path, c->file, c->file_len);
	if (!ok)
		fprintf(stderr, "%s, encoding %d, %s: %s, exit code %d\n", c->name, encoding, ags_digest_name(digest),
		        s.problem ? s.problem : "wrong content", s.exit_code);
	CHECK(ok);
	CHECK_INT(s.copied + s.literal, c->file_len);
	CHECK(s.literal <= c->most_literal);
	unlink(path);
	rmdir(dir);
}

static uint8_t *text_bytes(size_t n)
{
	static const char *const words[] = { "server ", "cluster ", "pack\n", "balancer ", "storage ", "of ", "the ", "aegir " };
	char *text = malloc(n + 16);

	for (size_t at = 0; at < n;)
		at += (size_t)sprintf(text + at, "%s", words[basis_random(&random_state) % 8]);
	return (uint8_t *)text;
}

/* The old file with its parts in the order that the letters say; a small letter is a new part. */
static struct content rearranged(const char *name, uint8_t *(*make)(size_t), size_t part, const char *order)
{
	struct content c = { .name = name, .old_len = 4 * part + 123, .file_len = strlen(order) * part };

	c.old = make(c.old_len);
	c.file = malloc(c.file_len + 1);
	for (size_t i = 0; order[i] != '\0'; i++) {
		uint8_t *fresh = order[i] >= 'a' ? make(part) : NULL;

		memcpy(c.file + i * part, fresh != NULL ? fresh : c.old + (size_t)(order[i] - 'A') * part, part);
		c.most_literal += fresh != NULL ? part + 4096 : 2048;
		free(fresh);
	}
	return c;
}

static uint8_t *noise_bytes(size_t n) { return basis_bytes(&random_state, n, 256); }
static uint8_t *zero_bytes(size_t n) { return calloc(1, n + 1); }

static void check_content(struct content c)
{
	for (int e = 0; e < AGS_ENCODINGS; e++)
		check_receiver(&c, encodings[e], e == 0 ? AGS_DIGEST_MD5 : AGS_DIGEST_XXH128);
	free(c.old);
	free(c.file);
}

static bool rsync_is_there(void)
{
	if (system("rsync --version >/dev/null 2>&1") == 0)
		return true;
	printf("# skipped: there is no rsync to receive\n");
	return false;
}

static void test_rsync_takes_new_files(void)
{
	if (!rsync_is_there())
		return;
	check_content((struct content){ .name = "empty", .file = noise_bytes(0) });
	check_content((struct content){ .name = "one byte", .file = noise_bytes(1), .file_len = 1, .most_literal = 1 });
	check_content((struct content){ .name = "new noise", .file = noise_bytes(3000000), .file_len = 3000000, .most_literal = 3000000 });
	check_content((struct content){ .name = "new text", .file = text_bytes(3000000), .file_len = 3000000, .most_literal = 3000000 });
	check_content((struct content){ .name = "new zeros", .file = zero_bytes(3000000), .file_len = 3000000, .most_literal = 3000000 });
	check_content((struct content){ .name = "empty old file", .old = noise_bytes(0), .file = text_bytes(5000), .file_len = 5000, .most_literal = 5000 });
}

static void test_rsync_takes_changed_files(void)
{
	if (!rsync_is_there())
		return;
	check_content(rearranged("unchanged", noise_bytes, 300000, "ABCD"));
	check_content(rearranged("truncated", text_bytes, 300000, "AB"));
	check_content(rearranged("appended", noise_bytes, 300000, "ABCDxy"));
	check_content(rearranged("moved", noise_bytes, 400000, "DxCBAyA"));
	check_content(rearranged("moved text", text_bytes, 400000, "DxCBAyA"));
	check_content(rearranged("repeated", noise_bytes, 100000, "AAAABBBBAAAAxxAAAA"));
	check_content(rearranged("zeros", zero_bytes, 1000000, "AxABCDA"));
	check_content(rearranged("all new", text_bytes, 500000, "xyz"));
	check_content(rearranged("emptied", text_bytes, 500000, ""));
	check_content(rearranged("small", text_bytes, 100, "DxCB"));
}

/* Many short runs of both kinds, at places that have nothing to do with blocks. */
static void test_rsync_takes_many_small_edits(void)
{
	struct content c = { .name = "edited", .old_len = 2000000, .most_literal = 3000000 };

	if (!rsync_is_there())
		return;
	c.old = text_bytes(c.old_len);
	c.file = malloc(3000000);
	for (size_t from = 0; from < c.old_len && c.file_len < 2900000;) {
		size_t keep = basis_random(&random_state) % 20000, fresh = basis_random(&random_state) % 300;

		keep = keep < c.old_len - from ? keep : c.old_len - from;
		memcpy(c.file + c.file_len, c.old + from, keep);
		c.file_len += keep;
		for (; fresh > 0; fresh--)
			c.file[c.file_len++] = (uint8_t)basis_random(&random_state);
		from += keep + basis_random(&random_state) % 50;
	}
	check_content(c);
}

int main(int argc, char **argv)
{
	random_state = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	printf("# random seed %llu\n", (unsigned long long)random_state);
	signal(SIGPIPE, SIG_IGN);
	alarm(300);                     /* a receiver that waits for us must not hang the run */
	RUN(test_a_plain_stream_is_lengths_and_negative_blocks);
	RUN(test_a_plain_literal_is_cut_at_32768);
	RUN(test_blocks_are_written_as_runs_near_or_far);
	RUN(test_random_streams_read_back_whole_and_cut_at_a_flush);
	RUN(test_a_literal_run_does_not_depend_on_what_was_written_before);
	RUN(test_begin_forgets_an_unfinished_file);
	RUN(test_a_full_buffer_is_told_at_every_byte);
	RUN(test_text_gets_smaller_and_noise_hardly_larger);
	RUN(test_packed_files_are_left_as_they_are);
	RUN(test_names_of_packed_files);
	RUN(test_rsync_takes_new_files);
	RUN(test_rsync_takes_changed_files);
	RUN(test_rsync_takes_many_small_edits);
	return check_result();
}
