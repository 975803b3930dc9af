#ifndef AGS_TESTS_MINI_SENDER_H
#define AGS_TESTS_MINI_SENDER_H

#include "base/buf.h"
#include "base/digest.h"
#include "rsync/match.h"
#include "rsync/tokens.h"
#include "rsync/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The least sender that a stock `rsync --server` takes a file from: protocol 32, one file called "file", blocking pipes. It is
 * here to ask the real receiver whether a token stream means what we think. Anything unexpected ends it with `problem` set.
 */
#define MINI_SEED   4711
#define MINI_MTIME  1700000000u

struct mini_sender {
	pid_t pid;
	int to, from;
	struct ags_buf in;              /* data bytes, their frames taken off */
	const char *problem;
	enum ags_digest digest;
	uint8_t request[4];             /* index, item flags and basis type, echoed in the answer */
	size_t request_len;
	struct ags_sums sums;
	struct ags_buf sum_bytes, stream;
	struct ags_tokens *tokens;
	uint64_t copied, literal;
	int exit_code;
};

static inline bool mini_fail(struct mini_sender *s, const char *problem)
{
	if (s->problem == NULL)
		s->problem = problem;
	return false;
}

static inline bool mini_start(struct mini_sender *s, const char *dir, enum ags_encoding encoding)
{
	static const char *const compress[] = { "--compress-choice=none", "--compress-choice=zstd", "--new-compress", "--compress-choice=lz4" };
	char seed[40], sums[40], dest[512];
	int in[2], out[2];

	snprintf(seed, sizeof(seed), "--checksum-seed=%d", MINI_SEED);
	snprintf(sums, sizeof(sums), "--checksum-choice=%s", s->digest == AGS_DIGEST_MD5 ? "md5" : "xxh128");
	snprintf(dest, sizeof(dest), "%s/", dir);
	if (pipe(in) != 0 || pipe(out) != 0 || (s->pid = fork()) < 0)
		return mini_fail(s, "pipe or fork");
	if (s->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execlp("rsync", "rsync", "--server", "-Ite.LsfxCvu", seed, sums, compress[encoding], "--no-msgs2stderr", ".", dest, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	s->to = in[1];
	s->from = out[0];
	return true;
}

static inline bool mini_write_raw(struct mini_sender *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	ssize_t done;

	for (; n > 0; p += done, n -= (size_t)done)
		if ((done = write(s->to, p, n)) <= 0)
			return mini_fail(s, "the receiver takes no more");
	return true;
}

/* In frames of odd size, as nothing may depend on where frames begin. */
static inline bool mini_write(struct mini_sender *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint8_t head[4];
	size_t piece;

	for (; n > 0; p += piece, n -= piece) {
		piece = n < 33333 ? n : 33333;
		ags_store_u32(head, 7u << 24 | (uint32_t)piece);
		if (!mini_write_raw(s, head, 4) || !mini_write_raw(s, p, piece))
			return false;
	}
	return true;
}

static inline bool mini_read_raw(struct mini_sender *s, void *bytes, size_t n)
{
	uint8_t *p = bytes;
	ssize_t got;

	for (; n > 0; p += got, n -= (size_t)got)
		if ((got = read(s->from, p, n)) <= 0)
			return mini_fail(s, "the receiver says no more");
	return true;
}

/* Reads one frame: data goes to `in`, a message to stderr. */
static inline bool mini_read_frame(struct mini_sender *s)
{
	uint8_t head[4], *room;
	size_t n;

	if (!mini_read_raw(s, head, 4))
		return false;
	n = ags_load_u32(head) & 0xffffff;
	room = ags_buf_reserve(&s->in, n + 1);
	if (room == NULL || !mini_read_raw(s, room, n))
		return mini_fail(s, "no frame");
	if (head[3] == 7)
		ags_buf_added(&s->in, n);
	else
		fprintf(stderr, "receiver, message %d: %.*s\n", head[3] - 7, (int)n, (char *)room);
	return true;
}

static inline bool mini_read(struct mini_sender *s, void *bytes, size_t n)
{
	while (ags_buf_len(&s->in) < n)
		if (!mini_read_frame(s))
			return false;
	memcpy(bytes, ags_buf_bytes(&s->in), n);
	ags_buf_consume(&s->in, n);
	return true;
}

static inline bool mini_handshake(struct mini_sender *s)
{
	static const uint8_t version[4] = { 32 };
	uint8_t answer[4 + 2 + 4];

	if (!mini_write_raw(s, version, 4) || !mini_read_raw(s, answer, sizeof(answer)))
		return false;
	if (answer[4] != 0x81 || !(answer[5] & 0x80) || ags_load_u32(answer + 6) != MINI_SEED)
		return mini_fail(s, "unexpected flags or seed");
	return true;
}

/* The flags say: the owner and the group of the entry before, here none. */
static inline bool mini_write_list(struct mini_sender *s, size_t size)
{
	static const uint8_t name[] = { 0x18, 4, 'f', 'i', 'l', 'e' }, mode[] = { 0xa4, 0x81, 0, 0 }, end[] = { 0, 0 };
	struct ags_buf list = AGS_BUF_INIT;
	bool ok;

	ok = ags_buf_add(&list, name, sizeof(name)) && ags_wire_put_varlong(&list, (int64_t)size, 3) &&
	     ags_wire_put_varlong(&list, MINI_MTIME, 4) && ags_buf_add(&list, mode, sizeof(mode)) &&
	     ags_buf_add(&list, end, sizeof(end)) && mini_write(s, ags_buf_bytes(&list), ags_buf_len(&list));
	ags_buf_free(&list);
	return ok;
}

static inline bool mini_read_request(struct mini_sender *s)
{
	struct ags_err err = AGS_ERR_INIT;
	uint8_t head[16];
	size_t n;

	if (!mini_read(s, s->request, 3) || s->request[0] != 1 || !(s->request[2] & 0x80) || s->request[2] & 0x10)
		return mini_fail(s, "not a request of file 0");
	s->request_len = s->request[2] & 0x08 ? 4 : 3;
	if (!mini_read(s, s->request + 3, s->request_len - 3) || !mini_read(s, head, 16))
		return false;
	s->sums = (struct ags_sums){ ags_load_u32(head), ags_load_u32(head + 4), ags_load_u32(head + 8), ags_load_u32(head + 12), NULL };
	if (!ags_sums_check(&s->sums, &err))
		return mini_fail(s, "sums that we would refuse");
	n = (size_t)s->sums.count * (4 + s->sums.s2length);
	if (ags_buf_reserve(&s->sum_bytes, n + 1) == NULL || !mini_read(s, s->sum_bytes.data, n))
		return mini_fail(s, "no sums");
	s->sums.data = s->sum_bytes.data;
	return mini_write(s, s->request, s->request_len) && mini_write(s, head, 16);
}

static inline bool mini_literal(void *arg, const uint8_t *bytes, size_t n)
{
	struct mini_sender *s = arg;

	s->literal += n;
	return ags_tokens_literal(s->tokens, bytes, n, &s->stream);
}

/* Flushes now and then, as the stream must stand that anywhere. */
static inline bool mini_copy(void *arg, uint32_t block, size_t n)
{
	struct mini_sender *s = arg;

	s->copied += n;
	return ags_tokens_copy(s->tokens, block, &s->stream) && (block % 100 != 0 || ags_tokens_flush(s->tokens, &s->stream));
}

static inline bool mini_write_answer(struct mini_sender *s, const uint8_t *file, size_t n)
{
	struct ags_match_events events = { s, mini_literal, mini_copy };
	struct ags_match *match = ags_match_new(&s->sums, s->digest, MINI_SEED);
	struct ags_hash hash = {0};
	uint8_t sum[AGS_DIGEST_LEN];
	bool ok = match != NULL && ags_hash_init(&hash, s->digest);
	size_t piece;

	ags_tokens_begin(s->tokens);
	for (size_t at = 0; ok && at < n; at += piece) {
		piece = n - at < 100000 ? n - at : 100000;
		ok = ags_match_feed(match, file + at, piece, at + piece == n, &events);
		if (at / 100000 % 3 == 2)
			ok = ok && ags_tokens_flush(s->tokens, &s->stream);
	}
	ok = ok && ags_tokens_end(s->tokens, &s->stream) && mini_write(s, ags_buf_bytes(&s->stream), ags_buf_len(&s->stream));
	if (ok) {
		ags_hash_add(&hash, file, n);
		ags_hash_end(&hash, sum);
		ok = mini_write(s, sum, sizeof(sum));
	}
	ags_hash_fini(&hash);
	ags_match_free(match);
	return ok || mini_fail(s, "no answer");
}

/* Done, done, done ... five of the receiver's and four of ours. A second request instead says that the file came out wrong. */
static inline bool mini_goodbye(struct mini_sender *s)
{
	uint8_t byte;

	for (int phase = 1; phase <= 5; phase++) {
		if (!mini_read(s, &byte, 1))
			return false;
		if (byte != 0)
			return mini_fail(s, phase == 2 ? "the receiver asks again" : "not a done");
		if (phase < 5 && !mini_write(s, "", 1))
			return false;
	}
	return true;
}

/* The result's counters and exit_code are good afterwards; a NULL problem and exit code 0 are success. */
static inline bool mini_send(struct mini_sender *s, const char *dir, const uint8_t *file, size_t n, enum ags_encoding encoding, enum ags_digest digest)
{
	int status = -1;
	bool ok;

	memset(s, 0, sizeof(*s));
	s->digest = digest;
	s->tokens = ags_tokens_new(encoding);
	if (s->tokens == NULL || !mini_start(s, dir, encoding))
		return false;
	ok = mini_handshake(s) && mini_write_list(s, n) && mini_read_request(s) && mini_write_answer(s, file, n) && mini_goodbye(s);
	close(s->to);
	close(s->from);
	waitpid(s->pid, &status, 0);
	s->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ags_tokens_free(s->tokens);
	ags_buf_free(&s->in);
	ags_buf_free(&s->sum_bytes);
	ags_buf_free(&s->stream);
	return ok && s->exit_code == 0;
}

#endif
