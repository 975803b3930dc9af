#include "rsync/sender.h"
#include "base/limits.h"
#include "rsync/filter.h"
#include "rsync/sender_private.h"

#include <stdio.h>
#include <stdlib.h>

#define WRITE_BYTES   32700u            /* what libssh2 sends in one packet */
#define DIRECT_BYTES  16384u            /* a piece with so much left is given out where it lies */
#define MAX_HEAD      (AGS_MAX_PATH + 64u)
#define QUEUE_BYTES   (4u << 20)        /* of requests, before we stop reading more */

static enum ags_step advance(struct ags_sender *s, struct ags_err *err);
static enum ags_step send_list(struct ags_sender *s, struct ags_err *err);
static bool put_rules(struct ags_sender *s);
static struct ags_piece *encoded_list(struct ags_sender *s, struct ags_err *err);
static enum ags_step send_answers(struct ags_sender *s, struct ags_err *err);
static enum ags_step begin_answer(struct ags_sender *s, struct ags_err *err);
static bool put_answer_head(struct ags_sender *s, const struct ags_request *r);
static void end_answer(struct ags_sender *s);
static enum ags_step end_transfer(struct ags_sender *s, struct ags_err *err);
static enum ags_step put_done(struct ags_sender *s, enum ags_sender_phase next, struct ags_err *err);

struct ags_sender *ags_sender_new(struct ags_sender_job *job, const struct ags_sender_events *events)
{
	struct ags_sender *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->job = job;
	s->skip = job->skip;
	if (events != NULL)
		s->events = *events;
	s->ndx_in = (struct ags_ndx_state)AGS_NDX_STATE_INIT;
	s->last = &s->first;
	if (!ags_buf_u32(&s->replies, 32)) {            /* [int version] */
		ags_sender_free(s);
		return NULL;
	}
	return s;
}

void ags_sender_free(struct ags_sender *s)
{
	if (s == NULL)
		return;
	if (s->job->answers != NULL)
		ags_reading_end(s->job->answers, &s->reading);
	ags_request_free(s->filling);
	ags_request_free(s->answering);
	while (s->first != NULL) {
		struct ags_request *next = s->first->next;

		ags_request_free(s->first);
		s->first = next;
	}
	free(s->asked);
	ags_buf_free(&s->raw);
	ags_buf_free(&s->data);
	ags_buf_free(&s->replies);
	ags_buf_free(&s->stage);
	free(s);
}

bool ags_sender_feed(struct ags_sender *s, const uint8_t *bytes, size_t n, struct ags_err *err)
{
	if (s->is_over)
		return ags_fail(err, AGS_PROTOCOL, "the receiver spoke after its conversation had broken off");
	s->is_over = true;
	if (!ags_buf_add(&s->raw, bytes, n))
		return ags_fail_nomem(err);
	s->is_over = !ags_sender_parse(s, err);
	return !s->is_over;
}

bool ags_sender_wants_input(const struct ags_sender *s)
{
	return s->queued_bytes < QUEUE_BYTES;
}

enum ags_step ags_sender_output(struct ags_sender *s, const uint8_t **bytes, size_t *n, struct ags_err *err)
{
	enum ags_step step = AGS_DONE;

	while (!s->offered && !s->direct && ags_buf_len(&s->stage) < WRITE_BYTES && step == AGS_DONE) {
		if (s->piece != NULL) {
			size_t left = s->piece->len - s->piece_at;

			if (left >= DIRECT_BYTES) {
				s->direct = true;
				break;
			}
			if (!ags_buf_add(&s->stage, s->piece->bytes + s->piece_at, left))
				return ags_fail_step(err, AGS_NOMEM, "out of memory");
			s->piece = NULL;
		} else {
			step = advance(s, err);
		}
	}
	s->is_over = s->is_over || step == AGS_FAILED;
	if (step == AGS_FAILED)
		return AGS_FAILED;
	s->offered = s->direct || ags_buf_len(&s->stage) > 0;
	if (ags_buf_len(&s->stage) > 0) {
		*bytes = ags_buf_bytes(&s->stage);
		*n = ags_buf_len(&s->stage);
		return AGS_DONE;
	}
	if (!s->direct)
		return AGS_AGAIN;
	*bytes = s->piece->bytes + s->piece_at;
	*n = s->piece->len - s->piece_at;
	return AGS_DONE;
}

void ags_sender_consume(struct ags_sender *s, size_t n)
{
	s->counts.wire_bytes += n;
	s->offered = false;
	if (ags_buf_len(&s->stage) > 0) {
		ags_buf_consume(&s->stage, n);
		return;
	}
	s->piece_at += n;
	if (s->piece_at == s->piece->len)
		s->piece = NULL;
	s->direct = false;
}

bool ags_sender_is_starved(const struct ags_sender *s)
{
	return s->starved;
}

bool ags_sender_keep_alive(struct ags_sender *s)
{
	return s->phase != AGS_SENDER_LIST || ags_sender_put_frame(&s->replies, AGS_TAG_DATA, NULL, 0);
}

bool ags_sender_heard_nothing(const struct ags_sender *s)
{
	return s->input == IN_VERSION && ags_buf_len(&s->raw) == 0;
}

enum ags_sender_phase ags_sender_phase(const struct ags_sender *s)
{
	return s->phase;
}

bool ags_sender_was_asked(const struct ags_sender *s, uint32_t ndx)
{
	return s->asked != NULL && (s->asked[ndx / 4] >> (ndx % 4 * 2) & 3) != 0;
}

void ags_sender_release(struct ags_sender *s)
{
	s->released = true;
}

void ags_sender_is_old(struct ags_sender *s)
{
	s->skip = 0;
}

const struct ags_sender_counts *ags_sender_counts(const struct ags_sender *s)
{
	return &s->counts;
}

const char *ags_sender_complaint(const struct ags_sender *s)
{
	return s->complaint;
}

bool ags_sender_put_frame(struct ags_buf *out, unsigned tag, const void *payload, size_t len)
{
	uint8_t *room = ags_buf_reserve(out, AGS_FRAME_HEADER + len);

	if (room == NULL)
		return false;
	ags_wire_put_frame(room, tag, len);
	if (len > 0)
		memcpy(room + AGS_FRAME_HEADER, payload, len);
	ags_buf_added(out, AGS_FRAME_HEADER + len);
	return true;
}

/* Puts the next thing to say into the stage or sets the next piece. */
static enum ags_step advance(struct ags_sender *s, struct ags_err *err)
{
	if (ags_buf_len(&s->replies) > 0) {
		if (!ags_buf_add(&s->stage, ags_buf_bytes(&s->replies), ags_buf_len(&s->replies)))
			return ags_fail_step(err, AGS_NOMEM, "out of memory");
		ags_buf_clear(&s->replies);
		return AGS_DONE;
	}
	if (s->is_over)
		return AGS_AGAIN;
	switch (s->phase) {
	case AGS_SENDER_LIST:
		return send_list(s, err);
	case AGS_SENDER_TRANSFER:
		return s->answering != NULL || s->first != NULL ? send_answers(s, err) : end_transfer(s, err);
	case AGS_SENDER_STAGED:
		return s->released ? put_done(s, AGS_SENDER_COMMIT, err) : AGS_AGAIN;
	case AGS_SENDER_COMMIT:
		if (s->done_in < 3)
			return AGS_AGAIN;
		/* who could not write everything removes nothing, as in rsync itself */
		if (s->complaint[0] != '\0' && !ags_sender_put_frame(&s->stage, AGS_TAG_IO_ERROR, "\1\0\0\0", 4))
			return ags_fail_step(err, AGS_NOMEM, "out of memory");
		return put_done(s, AGS_SENDER_DELETE, err);
	case AGS_SENDER_DELETE:
		if (s->done_in >= 4 && s->done_out == 3)
			return put_done(s, AGS_SENDER_DELETE, err);
		if (s->done_in == 5)
			s->phase = AGS_SENDER_DONE;
		return AGS_AGAIN;
	case AGS_SENDER_HANDSHAKE:
	case AGS_SENDER_DONE:
		break;
	}
	return AGS_AGAIN;
}

/* [filter list] only to a receiver that deletes, [file list] [id lists] */
static enum ags_step send_list(struct ags_sender *s, struct ags_err *err)
{
	struct ags_piece *list;

	if (s->job->answers == NULL)
		return AGS_AGAIN;
	if (s->job->list->count < s->skip)
		return ags_fail_step(err, AGS_USAGE, "a list of %u entries has no way of %u to its destination", s->job->list->count, s->skip);
	list = encoded_list(s, err);
	if (list == NULL)
		return AGS_FAILED;
	if (s->job->delete_extraneous && !put_rules(s))
		return ags_fail_step(err, AGS_NOMEM, "out of memory");
	s->piece = list;
	s->piece_at = 0;
	s->list_sent = true;
	s->phase = AGS_SENDER_TRANSFER;
	return AGS_DONE;
}

static bool put_rules(struct ags_sender *s)
{
	struct ags_buf rules = AGS_BUF_INIT;
	char way[AGS_MAX_PATH];
	size_t len = s->skip > 0 ? ags_filelist_path(s->job->list, s->skip - 1, way) : 0;
	bool ok = ags_filter_put_below(s->job->rules, way, len, &rules) &&
	          ags_sender_put_frame(&s->stage, AGS_TAG_DATA, ags_buf_bytes(&rules), ags_buf_len(&rules));

	ags_buf_free(&rules);
	return ok;
}

static struct ags_piece *encoded_list(struct ags_sender *s, struct ags_err *err)
{
	struct ags_sender_job *job = s->job;
	const struct ags_list_format format = {
		.varint_flags = (s->compat & 0x80) != 0, .id0_names = (s->compat & 0x100) != 0, .nanoseconds = true,
		.numeric_ids = job->numeric_ids, .checksums = job->checksum, .digest = s->digest, .skip = s->skip,
	};
	struct ags_buf bytes = AGS_BUF_INIT;
	size_t i = 0;

	while (i < AGS_LIST_FORMATS && job->lists[i] != NULL)
		if (ags_list_format_equal(&job->formats[i++], &format))
			return job->lists[i - 1];
	if (i == AGS_LIST_FORMATS) {
		ags_fail(err, AGS_PROTOCOL, "the servers want the list in more than %d formats", AGS_LIST_FORMATS);
		return NULL;
	}
	if (!ags_filelist_encode(job->list, &format, &bytes, err))
		goto out;
	job->formats[i] = format;
	job->lists[i] = ags_piece_new(ags_buf_bytes(&bytes), ags_buf_len(&bytes), NULL);
	if (job->lists[i] == NULL)
		ags_fail_nomem(err);
out:
	ags_buf_free(&bytes);
	return job->lists[i];
}

static enum ags_step send_answers(struct ags_sender *s, struct ags_err *err)
{
	const struct ags_piece *piece;
	enum ags_step step;

	if (s->answering == NULL)
		return begin_answer(s, err);
	step = ags_reading_next(s->job->answers, &s->reading, &piece, err);
	s->starved = step == AGS_AGAIN;
	if (step != AGS_DONE)
		return step;
	s->piece = piece;
	s->piece_at = 0;
	if (piece == NULL)
		end_answer(s);
	else if (!s->answering->redo)
		s->counts.sent_bytes += piece->covers;
	return AGS_DONE;
}

static enum ags_step begin_answer(struct ags_sender *s, struct ags_err *err)
{
	struct ags_request *r = s->first;
	struct ags_question q = {
		.ndx = s->job->source_ndx != NULL ? s->job->source_ndx[r->ndx] : r->ndx, .digest = s->digest,
		.encoding = s->encoding, .redo = r->redo, .sums = &r->sums,
	};
	enum ags_step step = AGS_DONE;
	uint8_t ndx[4];
	bool put;

	if (!s->job->dry_run)
		step = ags_reading_begin(s->job->answers, &q, &s->reading, err);
	if (step == AGS_FAILED)
		return step;
	s->first = r->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->queued_bytes -= ags_request_size(r);
	s->answering = r;
	if (step == AGS_AGAIN) {
		ags_store_u32(ndx, r->ndx - s->skip);
		put = ags_sender_put_frame(&s->stage, AGS_TAG_NO_SEND, ndx, 4);
	} else {
		put = put_answer_head(s, r);
	}
	if (!put)
		return ags_fail_step(err, AGS_NOMEM, "out of memory");
	if (step == AGS_AGAIN || s->job->dry_run)
		end_answer(s);
	return AGS_DONE;
}

/* [ndx] [short flags] [byte basis] [vstring name] [sum head], all as it was asked; a dry run gets no sum head */
static bool put_answer_head(struct ags_sender *s, const struct ags_request *r)
{
	struct ags_buf *out = &s->stage;
	bool ok = ags_buf_reserve(out, MAX_HEAD) != NULL;       /* so that the header stays where it is */
	size_t header = out->len;

	ok = ok && ags_buf_u32(out, 0) && ags_wire_put_ndx_absolute(out, (int32_t)(r->ndx - s->skip)) &&
	     ags_buf_u8(out, (uint8_t)r->flags) && ags_buf_u8(out, (uint8_t)(r->flags >> 8));
	if (ok && (r->flags & AGS_ITEM_BASIS))
		ok = ags_buf_u8(out, r->basis);
	if (ok && (r->flags & AGS_ITEM_NAME))
		ok = ags_wire_put_vstring(out, r->name, r->name_len);
	if (ok && !s->job->dry_run)
		ok = ags_buf_u32(out, r->sums.count) && ags_buf_u32(out, r->sums.blength) &&
		     ags_buf_u32(out, r->sums.s2length) && ags_buf_u32(out, r->sums.remainder);
	if (ok)
		ags_wire_put_frame(out->data + header, AGS_TAG_DATA, out->len - header - AGS_FRAME_HEADER);
	return ok;
}

static void end_answer(struct ags_sender *s)
{
	struct ags_request *r = s->answering;
	uint64_t literal, matched;

	if (s->reading.answer != NULL) {
		ags_reading_counts(&s->reading, &literal, &matched);
		s->counts.matched += matched;
	}
	if (!r->redo) {
		s->counts.sent++;
		if (s->job->dry_run)
			s->counts.sent_bytes += (uint64_t)s->job->list->entries[r->ndx].size;
	} else {
		s->redone = true;
	}
	ags_reading_end(s->job->answers, &s->reading);
	ags_request_free(r);
	s->answering = NULL;
}

/* Nothing is asked for now. The second NDX_DONE of the receiver acknowledges the first round; what was sent again in
 * the second round is acknowledged by the echo of a message. */
static enum ags_step end_transfer(struct ags_sender *s, struct ags_err *err)
{
	if (s->done_in >= 1 && s->done_out == 0)
		return put_done(s, AGS_SENDER_TRANSFER, err);
	if (s->done_in < 2 || s->filling != NULL)
		return AGS_AGAIN;
	if (s->redone && !s->fence_sent) {
		snprintf(s->fence, sizeof(s->fence), "aegir_scale-fence-%08x", (unsigned)s->job->seed);
		s->fence_sent = true;
		if (!ags_sender_put_frame(&s->stage, AGS_TAG_DELETED, s->fence, strlen(s->fence)))
			return ags_fail_step(err, AGS_NOMEM, "out of memory");
		return AGS_DONE;
	}
	if (s->redone && !s->fence_echoed)
		return AGS_AGAIN;
	s->phase = AGS_SENDER_STAGED;
	return s->released ? AGS_DONE : AGS_AGAIN;
}

static enum ags_step put_done(struct ags_sender *s, enum ags_sender_phase next, struct ags_err *err)
{
	if (!ags_sender_put_frame(&s->stage, AGS_TAG_DATA, "", 1))
		return ags_fail_step(err, AGS_NOMEM, "out of memory");
	s->done_out++;
	s->phase = next;
	return AGS_DONE;
}
