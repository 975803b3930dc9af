#ifndef AGS_TESTS_RECEIVER_H
#define AGS_TESTS_RECEIVER_H

#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "rsync/scan.h"
#include "rsync/sender_private.h"
#include "unit/check.h"

/*
 * A receiver that says what a test wrote down for it, true or not, and keeps what the sender answers.
 *
 *   script: greeting ─► rx_item ─► rx_item ─► rx_turn ─► rx_done ─► rx_turn ─► ...
 *                                              └── here the sender may speak before the receiver goes on
 *
 * A script can be played whole, cut at one place, or byte by byte: what comes of it must be the same.
 */
#define RX_SEED   4711
#define RX_FLAGS  0x1be                 /* what rsync 3.5.0 answers to the letters LsfxCvu */
#define RX_WHOLE  SIZE_MAX
#define RX_EACH   (SIZE_MAX - 1)        /* cut behind every byte */
#define RX_CHECKSUMS "xxh128 xxh3 xxh64 md5 md4 sha1 none"

/* What sessions are recorded with, and played again: tests/fuzz/seeds/receiver. */
#define RX_TREE  "mkdir -p dir/sub && seq 1 3000 > a && seq 1 40 > b && : > none && echo x > dir/x && echo y > dir/sub/y && ln -s a link"
#define RX_SEEDS "tests/fuzz/seeds/receiver"

/* The first byte of a recorded session. */
#define RX_ZSTD     1
#define RX_ZLIB     2
#define RX_DRY_RUN  4
#define RX_KEEP     8                   /* nothing is deleted */
#define RX_HOLD     16                  /* never released */

struct rx_script {
	struct ags_buf bytes;
	size_t turns[64], turn_count;
};

/* A small tree, its list, and what senders of one call share. */
struct rx_job {
	char dir[64];
	struct ags_filelist list;
	struct ags_buf rules;
	struct ags_sender_job job;
};

struct rx {
	struct ags_sender *sender;
	struct ags_err err;
	struct ags_buf out;                 /* all that the sender said */
	bool is_broken, hold;
	uint64_t items, deletions;
};

/* --- what a receiver says ------------------------------------------------------------------------------------------ */

static inline void rx_raw(struct rx_script *s, const void *bytes, size_t n) { CHECK(ags_buf_add(&s->bytes, bytes, n)); }
static inline void rx_text(struct rx_script *s, const char *text) { rx_raw(s, text, strlen(text)); }
static inline void rx_turn(struct rx_script *s) { s->turns[s->turn_count++] = ags_buf_len(&s->bytes); }
static inline void rx_u32(struct rx_script *s, uint32_t v) { CHECK(ags_buf_u32(&s->bytes, v)); }
static inline void rx_names(struct rx_script *s, const char *list) { CHECK(ags_wire_put_vstring(&s->bytes, list, strlen(list))); }

static inline void rx_hello(struct rx_script *s, uint32_t version, uint32_t flags)
{
	rx_u32(s, version);
	CHECK(ags_wire_put_varint(&s->bytes, (int32_t)flags));
}

static inline void rx_greeting(struct rx_script *s)
{
	rx_hello(s, 32, RX_FLAGS);
	rx_names(s, RX_CHECKSUMS);
	rx_u32(s, RX_SEED);
	rx_turn(s);
}

static inline void rx_frame(struct rx_script *s, unsigned tag, const void *bytes, size_t n)
{
	CHECK(ags_sender_put_frame(&s->bytes, tag, bytes, n));
}

static inline void rx_data(struct rx_script *s, const struct ags_buf *data)
{
	rx_frame(s, AGS_TAG_DATA, ags_buf_bytes(data), ags_buf_len(data));
}

static inline void rx_done(struct rx_script *s) { rx_frame(s, AGS_TAG_DATA, "", 1); }
static inline void rx_message(struct rx_script *s, unsigned tag, const char *text) { rx_frame(s, tag, text, strlen(text)); }

static inline void rx_put_u16(struct ags_buf *d, unsigned v)
{
	CHECK(ags_buf_u8(d, (uint8_t)v) && ags_buf_u8(d, (uint8_t)(v >> 8)));
}

static inline void rx_put_sums(struct ags_buf *d, uint32_t count, uint32_t blength, uint32_t s2length, uint32_t remainder)
{
	CHECK(ags_buf_u32(d, count) && ags_buf_u32(d, blength) && ags_buf_u32(d, s2length) && ags_buf_u32(d, remainder));
}

static inline void rx_item(struct rx_script *s, uint32_t ndx, unsigned flags)
{
	struct ags_buf d = AGS_BUF_INIT;

	CHECK(ags_wire_put_ndx_absolute(&d, (int32_t)ndx));
	rx_put_u16(&d, flags);
	if (flags & AGS_ITEM_TRANSFER)
		rx_put_sums(&d, 0, 0, 0, 0);
	rx_data(s, &d);
	ags_buf_free(&d);
}

/* A request with this sum head, and no sums behind it. */
static inline void rx_head(struct rx_script *s, uint32_t ndx, uint32_t count, uint32_t blength, uint32_t s2length, uint32_t remainder)
{
	struct ags_buf d = AGS_BUF_INIT;

	CHECK(ags_wire_put_ndx_absolute(&d, (int32_t)ndx));
	rx_put_u16(&d, AGS_ITEM_TRANSFER);
	rx_put_sums(&d, count, blength, s2length, remainder);
	rx_data(s, &d);
	ags_buf_free(&d);
}

/* A request with basis type and name behind it. */
static inline void rx_named(struct rx_script *s, uint32_t ndx, uint8_t basis, const char *name, size_t len)
{
	struct ags_buf d = AGS_BUF_INIT;

	CHECK(ags_wire_put_ndx_absolute(&d, (int32_t)ndx));
	rx_put_u16(&d, AGS_ITEM_TRANSFER | AGS_ITEM_BASIS | AGS_ITEM_NAME);
	CHECK(ags_buf_u8(&d, basis) && ags_wire_put_vstring(&d, name, len));
	rx_put_sums(&d, 0, 0, 0, 0);
	rx_data(s, &d);
	ags_buf_free(&d);
}

static inline void rx_delete_counts(struct rx_script *s, const int32_t counts[5])
{
	struct ags_buf d = AGS_BUF_INIT;

	CHECK(ags_buf_add(&d, "\xff\x02", 2));
	for (int i = 0; i < 5; i++)
		CHECK(ags_wire_put_varint(&d, counts[i]));
	rx_data(s, &d);
	ags_buf_free(&d);
}

/* From the second of its NDX_DONEs to the last. */
static inline void rx_goodbyes(struct rx_script *s)
{
	for (int i = 2; i <= 5; i++) {
		rx_done(s);
		rx_turn(s);
	}
}

/* An honest one that has nothing and asks for one file. */
static inline void rx_honest(struct rx_script *s, uint32_t ndx)
{
	rx_greeting(s);
	rx_item(s, ndx, AGS_ITEM_TRANSFER | AGS_ITEM_NEW);
	rx_done(s);
	rx_turn(s);
	rx_goodbyes(s);
}

/* --- the sender that listens --------------------------------------------------------------------------------------- */

static inline bool rx_job_init(struct rx_job *j, const char *command)
{
	struct ags_scan_options options = {0};
	struct ags_err err = AGS_ERR_INIT;
	char path[80], line[4096];
	const char *paths[] = { path };

	memset(j, 0, sizeof(*j));
	snprintf(j->dir, sizeof(j->dir), "/tmp/ags-receiver-XXXXXX");
	if (mkdtemp(j->dir) == NULL)
		return false;
	snprintf(line, sizeof(line), "cd %s && %s", j->dir, command);
	snprintf(path, sizeof(path), "%s/", j->dir);
	if (system(line) != 0 || !ags_scan(paths, 1, &options, &j->list, &err) || !ags_buf_u32(&j->rules, 0)) {
		fprintf(stderr, "%s\n", err.message);
		return false;
	}
	j->job = (struct ags_sender_job){ .list = &j->list, .rules = &j->rules, .seed = RX_SEED, .delete_extraneous = true };
	j->job.answers = ags_answers_new(&j->list, RX_SEED);
	return j->job.answers != NULL;
}

static inline void rx_job_fini(struct rx_job *j)
{
	char line[128];

	ags_answers_free(j->job.answers);
	for (size_t i = 0; i < sizeof(j->job.lists) / sizeof(j->job.lists[0]); i++)
		ags_piece_drop(j->job.lists[i]);
	ags_filelist_free(&j->list);
	ags_buf_free(&j->rules);
	snprintf(line, sizeof(line), "rm -rf %s", j->dir);
	CHECK_INT(system(line), 0);
}

static inline uint32_t rx_ndx(const struct rx_job *j, const char *name)
{
	for (uint32_t i = 0; i < j->list.count; i++)
		if (strcmp(j->list.entries[i].name, name) == 0)
			return i;
	fprintf(stderr, "no entry %s\n", name);
	abort();
}

static inline void rx_on_item(void *arg, uint32_t ndx, uint16_t flags)
{
	(void)ndx;
	((struct rx *)arg)->items += flags != 0;
}

static inline void rx_on_deleted(void *arg, const char *path, size_t len)
{
	(void)path;
	(void)len;
	((struct rx *)arg)->deletions++;
}

static inline void rx_job_options(struct ags_sender_job *job, uint8_t options)
{
	static const enum ags_encoding encodings[] = { AGS_ENCODING_ZSTD, AGS_ENCODING_ZLIB };

	job->compress = options & (RX_ZSTD | RX_ZLIB);
	job->encodings = options & RX_ZSTD ? encodings : encodings + 1;
	job->encoding_count = 1;
	job->dry_run = job->itemize = options & RX_DRY_RUN;
	job->delete_extraneous = !(options & RX_KEEP);
}

static inline void rx_begin(struct rx *r, struct rx_job *j)
{
	const struct ags_sender_events events = { .arg = r, .item = rx_on_item, .deleted = rx_on_deleted };

	memset(r, 0, sizeof(*r));
	r->sender = ags_sender_new(&j->job, &events);
	CHECK(r->sender != NULL);
}

static inline void rx_end(struct rx *r)
{
	ags_sender_free(r->sender);
	ags_buf_free(&r->out);
}

/* Takes what the sender has to say, and releases it when it is staged. */
static inline bool rx_drain(struct rx *r)
{
	const uint8_t *bytes;
	size_t n;

	for (;;) {
		switch (ags_sender_output(r->sender, &bytes, &n, &r->err)) {
		case AGS_FAILED:
			return false;
		case AGS_DONE:
			n = n > 1 ? n - n / 3 : n;          /* a write seldom takes all */
			CHECK(ags_buf_add(&r->out, bytes, n));
			ags_sender_consume(r->sender, n);
			break;
		case AGS_AGAIN:
			if (ags_sender_phase(r->sender) != AGS_SENDER_STAGED || r->hold || r->sender->released)
				return true;
			ags_sender_release(r->sender);
			break;
		}
	}
}

static inline bool rx_say(struct rx *r, const uint8_t *bytes, size_t n)
{
	bool ok = ags_sender_feed(r->sender, bytes, n, &r->err);

	CHECK(ok == (r->err.code == AGS_OK));
	ok = rx_drain(r) && ok;
	r->is_broken = r->is_broken || !ok;
	return ok;
}

/* False when the sender has broken off. */
static inline bool rx_play(struct rx *r, const struct rx_script *s, size_t cut)
{
	const uint8_t *bytes = ags_buf_bytes(&s->bytes);
	size_t at = 0, len = ags_buf_len(&s->bytes), turn = 0;

	if (!rx_drain(r))
		return false;
	while (at < len) {
		size_t to = len;

		while (turn < s->turn_count && s->turns[turn] <= at)
			turn++;
		if (turn < s->turn_count && s->turns[turn] < len)
			to = s->turns[turn];
		if (cut == RX_EACH)
			to = at + 1;
		else if (cut > at && cut < to)
			to = cut;
		if (!rx_say(r, bytes + at, to - at))
			return false;
		at = to;
	}
	return true;
}

static inline void rx_script_free(struct rx_script *s)
{
	ags_buf_free(&s->bytes);
	s->turn_count = 0;
}

/* The payload of the sender's data frames, or with a tag of those messages; frames of one zero byte, its NDX_DONEs, are counted. */
static inline unsigned rx_heard(const struct rx *r, unsigned tag, struct ags_buf *payload)
{
	const uint8_t *p = ags_buf_bytes(&r->out), *end = p + ags_buf_len(&r->out);
	unsigned dones = 0;

	if (end - p < 5)
		return 0;
	p += 4;                                              /* version */
	p += 1 + p[0];                                       /* the checksum's name */
	if (r->sender->job->compress && p < end)
		p += 1 + p[0];
	while (end - p >= 4) {
		uint32_t header = ags_load_u32(p), len = header & 0xffffff;

		p += 4;
		if (len > (size_t)(end - p))
			len = (uint32_t)(end - p);
		if (header >> 24 == 7 && len == 1 && p[0] == 0)
			dones++;
		if (payload != NULL && header >> 24 == 7 + tag)
			CHECK(ags_buf_add(payload, p, len));
		p += len;
	}
	return dones;
}

#endif
