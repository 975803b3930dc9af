#include "rsync/producer.h"
#include "base/limits.h"
#include "rsync/packed.h"
#include "rsync/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES   (256u << 10)      /* a piece is closed when it has so many bytes, */
#define PIECE_INPUT   (4u << 20)        /* or when so much of the file went into it: the longest a loop turn waits for us */
#define MAX_COMPLAINTS 1000             /* more than anyone reads */

struct ags_producer {
	struct ags_workshop *w;
	uint32_t ndx;
	bool redo;
	int fd;
	struct stat before;
	int64_t left;                   /* bytes of the file still to read, by its size when it was opened */
	enum ags_encoding encoding;
	struct ags_tokens *tokens;
	struct ags_match *match;        /* NULL: everything is new */
	struct ags_hash hash;
	bool is_damaged;                /* a read failed: the checksum must not fit */
	uint64_t literal, matched;
};

static bool feed(struct ags_producer *p, size_t n, bool last);
static ssize_t read_some(struct ags_producer *p, struct ags_err *err);
static bool finish(struct ags_producer *p, struct ags_err *err);
static bool on_literal(void *arg, const uint8_t *bytes, size_t n);
static bool on_copy(void *arg, uint32_t block, size_t n);
static void describe(struct ags_workshop *w, int sys, const char *what, const char *path);
static bool complain(struct ags_workshop *w, uint32_t ndx, int sys, const char *what);

bool ags_workshop_init(struct ags_workshop *w, const struct ags_filelist *list, int32_t seed)
{
	memset(w, 0, sizeof(*w));
	w->list = list;
	w->seed = seed;
	w->source = ags_source_new(list);
	w->input = malloc(AGS_PRODUCER_INPUT);
	return w->source != NULL && w->input != NULL;
}

void ags_workshop_fini(struct ags_workshop *w)
{
	for (size_t i = 0; i < sizeof(w->idle_tokens) / sizeof(w->idle_tokens[0]); i++)
		ags_tokens_free(w->idle_tokens[i]);
	ags_source_free(w->source);
	free(w->input);
	free(w->complaints);
	ags_buf_free(&w->output);
	ags_arena_free(&w->arena);
}

enum ags_step ags_producer_open(struct ags_workshop *w, const struct ags_question *q, struct ags_producer **producer,
                                struct ags_err *err)
{
	struct ags_producer *p = calloc(1, sizeof(*p));
	struct ags_err why = AGS_ERR_INIT;
	const struct ags_entry *e = &w->list->entries[q->ndx];

	if (p == NULL)
		goto nomem;
	p->w = w;
	p->ndx = q->ndx;
	p->redo = q->redo;
	p->encoding = q->encoding;
	p->fd = ags_source_open(w->source, q->ndx, &p->before, &why);
	if (p->fd < 0) {
		if (why.code == AGS_NOMEM || !complain(w, q->ndx, why.sys != 0 ? why.sys : EINVAL, "cannot read"))
			goto nomem;
		ags_producer_free(p);
		return AGS_AGAIN;
	}
	if ((p->before.st_size != e->size || p->before.st_mtim.tv_sec != e->mtime ||
	     (uint32_t)p->before.st_mtim.tv_nsec != e->mtime_nsec) &&
	    !complain(w, q->ndx, 0, "changed after it was listed"))
		goto nomem;
	p->left = p->before.st_size;
	p->tokens = w->idle_tokens[q->encoding] != NULL ? w->idle_tokens[q->encoding] : ags_tokens_new(q->encoding);
	w->idle_tokens[q->encoding] = NULL;
	if (p->tokens == NULL || !ags_hash_init(&p->hash, q->digest))
		goto nomem;
	if (q->sums != NULL && q->sums->count > 0 && (p->match = ags_match_new(q->sums, q->digest, w->seed)) == NULL)
		goto nomem;
	if (ags_packed_by_name(e->name, e->name_len))
		ags_tokens_begin_packed(p->tokens);
	else
		ags_tokens_begin(p->tokens);
	*producer = p;
	return AGS_DONE;
nomem:
	ags_producer_free(p);
	ags_fail_nomem(err);
	return AGS_FAILED;
}

struct ags_piece *ags_producer_make(struct ags_producer *p, size_t *live, bool *last, struct ags_err *err)
{
	struct ags_buf *out = &p->w->output;
	struct ags_piece *piece;
	size_t taken = 0;

	ags_buf_clear(out);
	if (!ags_buf_u32(out, 0))                          /* room for the frame's header */
		goto nomem;
	while (ags_buf_len(out) < PIECE_BYTES && taken < PIECE_INPUT && p->left > 0) {
		ssize_t n = read_some(p, err);

		if (n < 0 || !feed(p, (size_t)n, p->left == 0))
			goto nomem;
		taken += (size_t)n;
	}
	*last = p->left == 0;
	if (*last && !finish(p, err))
		goto nomem;
	ags_wire_put_frame(out->data + out->start, AGS_TAG_DATA, ags_buf_len(out) - AGS_FRAME_HEADER);
	piece = ags_piece_new(ags_buf_bytes(out), ags_buf_len(out), live);
	if (piece == NULL)
		goto nomem;
	piece->covers = taken;
	return piece;
nomem:
	ags_fail_nomem(err);
	return NULL;
}

const struct stat *ags_producer_stat(const struct ags_producer *p)
{
	return &p->before;
}

void ags_producer_counts(const struct ags_producer *p, uint64_t *literal, uint64_t *matched)
{
	*literal = p->literal;
	*matched = p->matched;
}

void ags_producer_free(struct ags_producer *p)
{
	if (p == NULL)
		return;
	if (p->fd >= 0)
		close(p->fd);
	if (p->tokens != NULL && p->w->idle_tokens[p->encoding] == NULL)
		p->w->idle_tokens[p->encoding] = p->tokens;
	else
		ags_tokens_free(p->tokens);
	ags_match_free(p->match);
	ags_hash_fini(&p->hash);
	free(p);
}

/* Reads into the workshop's input. A file that is shorter than it was, or a read error, ends the file here; the checksum is then
 * made wrong, so that the receiver asks again. -1 only on lack of memory. */
static ssize_t read_some(struct ags_producer *p, struct ags_err *err)
{
	size_t want = p->left < (int64_t)AGS_PRODUCER_INPUT ? (size_t)p->left : AGS_PRODUCER_INPUT;
	ssize_t n;

	do
		n = read(p->fd, p->w->input, want);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		p->is_damaged = true;
		if (!complain(p->w, p->ndx, errno, "cannot read"))
			return ags_fail_nomem(err) - 1;
	}
	if (n <= 0) {
		p->left = 0;
		return 0;
	}
	p->left -= n;
	return n;
}

static bool feed(struct ags_producer *p, size_t n, bool last)
{
	const struct ags_match_events events = { .arg = p, .literal = on_literal, .copy = on_copy };

	ags_hash_add(&p->hash, p->w->input, n);
	if (p->match != NULL)
		return ags_match_feed(p->match, p->w->input, n, last, &events);
	return on_literal(p, p->w->input, n);
}

static bool finish(struct ags_producer *p, struct ags_err *err)
{
	struct stat after;
	uint8_t sum[AGS_DIGEST_LEN];

	ags_hash_end(&p->hash, sum);
	if (fstat(p->fd, &after) != 0 || !ags_source_same(&p->before, &after)) {
		if (!p->redo)
			p->is_damaged = true;
		else if (!complain(p->w, p->ndx, 0, "kept changing while it was sent"))
			return ags_fail_nomem(err);
	}
	if (p->is_damaged)
		sum[0] ^= 0xff;
	return ags_tokens_end(p->tokens, &p->w->output) && ags_buf_add(&p->w->output, sum, sizeof(sum));
}

static bool on_literal(void *arg, const uint8_t *bytes, size_t n)
{
	struct ags_producer *p = arg;

	p->literal += n;
	return n == 0 || ags_tokens_literal(p->tokens, bytes, n, &p->w->output);
}

static bool on_copy(void *arg, uint32_t block, size_t n)
{
	struct ags_producer *p = arg;

	p->matched += n;
	return ags_tokens_copy(p->tokens, block, &p->w->output);
}

static void describe(struct ags_workshop *w, int sys, const char *what, const char *path)
{
	struct ags_err err = AGS_ERR_INIT;

	errno = sys;
	ags_fail_sys(&err, AGS_LOCAL_IO, path, what);
	snprintf(w->unreadable, sizeof(w->unreadable), "%s", err.message);
}

static bool complain(struct ags_workshop *w, uint32_t ndx, int sys, const char *what)
{
	struct ags_complaint *c;
	char path[AGS_SOURCE_PATH];
	const char *copy;

	ags_source_path(w->list, ndx, path);
	if (sys != 0 && sys != ENOENT && w->unreadable[0] == '\0')
		describe(w, sys, what, path);
	if (w->complaint_count == MAX_COMPLAINTS)
		return true;
	for (size_t i = 0; i < w->complaint_count; i++)
		if (strcmp(w->complaints[i].path, path) == 0 && w->complaints[i].what == what)
			return true;
	if (w->complaint_count == w->complaint_capacity) {
		size_t capacity = w->complaint_capacity > 0 ? w->complaint_capacity * 2 : 16;

		c = realloc(w->complaints, capacity * sizeof(*c));
		if (c == NULL)
			return false;
		w->complaints = c;
		w->complaint_capacity = capacity;
	}
	copy = ags_arena_string(&w->arena, path);
	if (copy == NULL)
		return false;
	w->complaints[w->complaint_count++] = (struct ags_complaint){ .path = copy, .sys = sys, .what = what };
	return true;
}
