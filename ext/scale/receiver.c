/* One server's part of a push: between its channel and its sender machine. */
#include "base/limits.h"
#include "base/text.h"
#include "scale/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define STEP_BYTES   (256u << 10)     /* written to one server before the others have their turn */
#define READ_BYTES   (64u << 10)
#define KEPT_ERRORS  4096u            /* of stderr: enough for the reason */

static bool exchange(struct ags_receiver *r, struct ags_err *err);
static bool read_output(struct ags_receiver *r, bool *moved, struct ags_err *err);
static bool write_input(struct ags_receiver *r, size_t *budget, bool *moved, struct ags_err *err);
static void finish(struct ags_receiver *r);
static void judge(struct ags_receiver *r, const struct ags_exit *how);
static void start_old(struct ags_receiver *r);
static enum ags_outcome outcome_of(const struct ags_receiver *r, bool has_changed);
static void fail_limit(struct ags_member *m, uint64_t would, uint64_t limit);
static void fail(struct ags_receiver *r, const struct ags_err *err);
static const char *said_on_stderr(const struct ags_member *m, char *text, size_t size);
static const char *exit_meaning(int status);
static enum ags_phase phase_of(const struct ags_receiver *r);
static void count(struct ags_receiver *r);
static void on_item(void *arg, uint32_t ndx, uint16_t flags);
static void on_look(void *arg, uint32_t ndx, uint16_t flags);
static bool is_itemized(const struct ags_push *p);
static void on_deleted(void *arg, const char *path, size_t len);
static void add_change(struct ags_receiver *r, const char *path, size_t len, const char *code);

bool ags_receiver_init(struct ags_receiver *r, struct ags_push *push, struct ags_member *m, struct ags_err *err)
{
	bool is_look = push->is_apart && push->round == AGS_ROUND_LOOK;
	const struct ags_sender_events events = {
		.arg = r,
		.item = is_look ? on_look : on_item,
		.deleted = on_deleted,
	};

	r->push = push;
	r->member = m;
	m->own = r;
	r->sender = ags_sender_new(&push->job, &events);
	return r->sender != NULL || ags_fail_nomem(err);
}

void ags_receiver_fini(struct ags_receiver *r)
{
	ags_sender_free(r->sender);
}

void ags_receiver_step(struct ags_member *m)
{
	struct ags_receiver *r = m->own;
	struct ags_err err = AGS_ERR_INIT;

	if (!exchange(r, &err)) {
		fail(r, &err);
		return;
	}
	m->is_starved = r->push->job.answers == NULL || ags_sender_is_starved(r->sender) || r->is_paced;
	count(r);
	ags_member_progress(m, phase_of(r));
	if (m->out_ended && m->errors_ended)
		finish(r);
}

static bool exchange(struct ags_receiver *r, struct ags_err *err)
{
	struct ags_member *m = r->member;
	size_t budget = STEP_BYTES;
	bool moved = true;

	if (ags_channel_ready(m->channel, err) == AGS_FAILED)
		return false;
	while (moved && budget > 0) {
		moved = false;
		if (!read_output(r, &moved, err) || !ags_member_read_errors(m, KEPT_ERRORS, err) ||
		    !write_input(r, &budget, &moved, err))
			return false;
	}
	if (budget == 0)
		ags_member_wake(m);
	return true;
}

static bool read_output(struct ags_receiver *r, bool *moved, struct ags_err *err)
{
	struct ags_member *m = r->member;
	uint8_t bytes[READ_BYTES];
	size_t got = 0;
	enum ags_step step;

	if (m->out_ended || !ags_sender_wants_input(r->sender))
		return true;
	step = ags_channel_read(m->channel, AGS_STDOUT, bytes, sizeof(bytes), &got, err);
	if (step != AGS_DONE)
		return step == AGS_AGAIN;
	m->out_ended = got == 0;
	*moved = got > 0;
	return ags_sender_feed(r->sender, bytes, got, err);
}

static bool write_input(struct ags_receiver *r, size_t *budget, bool *moved, struct ags_err *err)
{
	struct ags_pace *pace = &r->push->pace;
	size_t taken = 0;
	enum ags_step step;

	r->is_paced = false;
	if (r->member->out_ended)
		return true;
	if (ags_sender_phase(r->sender) == AGS_SENDER_DONE && !r->eof_sent) {
		step = ags_channel_send_eof(r->member->channel, err);
		r->eof_sent = step == AGS_DONE;
		return step != AGS_FAILED;
	}
	while (*budget > 0) {
		if (r->offer_len == 0) {
			step = ags_sender_output(r->sender, &r->offer, &r->offer_len, err);
			if (step != AGS_DONE)
				return step == AGS_AGAIN;
			if (r->offer_len > ags_pace_piece(pace))
				r->offer_len = ags_pace_piece(pace);
		}
		r->is_paced = !ags_pace_may_send(pace, ags_now_ms());
		if (r->is_paced)
			return true;
		step = ags_channel_write(r->member->channel, r->offer, r->offer_len, &taken, err);
		if (step != AGS_DONE)
			return step == AGS_AGAIN;
		ags_sender_consume(r->sender, taken);
		ags_pace_sent(pace, taken);
		r->offer_len = 0;
		*budget -= taken < *budget && pace->rate == 0 ? taken : *budget;       /* with a limit, one piece and then the next server */
		*moved = true;
		pace->next = (size_t)(r->member - r->push->fanout.members) + 1;
	}
	return true;
}

/* Both streams have ended: the exit status says the rest. */
static void finish(struct ags_receiver *r)
{
	struct ags_err err = AGS_ERR_INIT;
	struct ags_exit how;

	switch (ags_channel_finish(r->member->channel, &how, &err)) {
	case AGS_AGAIN:
		return;
	case AGS_FAILED:
		fail(r, &err);
		return;
	case AGS_DONE:
		judge(r, &how);
		return;
	}
}

static void judge(struct ags_receiver *r, const struct ags_exit *how)
{
	struct ags_member *m = r->member;
	const struct ags_sender_counts *counts = ags_sender_counts(r->sender);
	const char *complaint = ags_sender_complaint(r->sender);
	char text[512];

	if (how->status == 1 && how->signal[0] == '\0' && ags_sender_heard_nothing(r->sender) && !r->is_old) {
		start_old(r);
	} else if (complaint[0] != '\0') {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "%s", complaint);
	} else if (how->signal[0] != '\0') {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "rsync was killed by signal %s", how->signal);
	} else if (ags_sender_phase(r->sender) != AGS_SENDER_DONE && how->status == 127) {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "rsync is not installed there, or not in the PATH of %s: %s", m->server->user,
		                     said_on_stderr(m, text, sizeof(text)));
	} else if (ags_sender_heard_nothing(r->sender) && m->errors.len == 0) {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the command ended with status %d before rsync said a word: look at ~/.bashrc and the like of "
		                     "%s there, and at forced commands", how->status, m->server->user);
	} else if (ags_sender_phase(r->sender) != AGS_SENDER_DONE || how->status != 0) {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "rsync ended with status %d (%s)%s%s", how->status,
		                     exit_meaning(how->status), m->errors.len > 0 ? ": " : "", said_on_stderr(m, text, sizeof(text)));
	} else if (r->push->job.dry_run && counts->deleted > r->push->options->max_delete) {
		fail_limit(m, counts->deleted, r->push->options->max_delete);
	} else {
		enum ags_outcome outcome = outcome_of(r, counts->changes > 0 || counts->deleted > 0);

		if (outcome == AGS_OUTCOME_UNCHANGED && !r->push->options->checksum)
			ags_member_progress(m, AGS_PHASE_DONE);
		if (r->is_old)
			ags_rounds_learn_old(r);       /* without memory for it the next push asks again */
		ags_member_end(m, outcome);
	}
}

/* An rsync that does not know an option says so before anything else. What it says about the older command is told, if it does not know that. */
static void start_old(struct ags_receiver *r)
{
	struct ags_err err = AGS_ERR_INIT;

	if (!ags_rounds_start_old(r, &err))
		ags_member_fail(r->member, &err);
}

/* Of a round that ended well. Whoever is in a round after the look differed in it. */
static enum ags_outcome outcome_of(const struct ags_receiver *r, bool has_changed)
{
	const struct ags_push *p = r->push;

	if (p->round == AGS_ROUND_STAGE || p->round == AGS_ROUND_FINISH)
		return AGS_OUTCOME_SYNCED;
	if (!has_changed && !r->before.has_changed)
		return AGS_OUTCOME_UNCHANGED;
	return p->job.dry_run ? AGS_OUTCOME_DIFFERS : AGS_OUTCOME_SYNCED;
}

/* "would delete 1,234 entries, max_delete is 100" */
static void fail_limit(struct ags_member *m, uint64_t would, uint64_t limit)
{
	char a[AGS_TEXT_NUMBER], b[AGS_TEXT_NUMBER];

	ags_text_number(a, would);
	ags_text_number(b, limit);
	ags_member_fail_text(m, AGS_OUTCOME_FAILED, "would delete %s %s, max_delete is %s", a, would == 1 ? "entry" : "entries", b);
}

/* What rsync said itself explains more than that the connection ended. */
static void fail(struct ags_receiver *r, const struct ags_err *err)
{
	struct ags_err better = *err;
	const char *complaint = ags_sender_complaint(r->sender);

	count(r);
	if (err->code == AGS_CONNECT && complaint[0] != '\0')
		snprintf(better.message, sizeof(better.message), "%s", complaint);
	ags_member_fail(r->member, &better);
}

static const char *said_on_stderr(const struct ags_member *m, char *text, size_t size)
{
	size_t len = ags_buf_len(&m->errors);
	const uint8_t *bytes = ags_buf_bytes(&m->errors);

	while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	text[0] = '\0';
	if (len > 0)
		ags_text_clean(text, size, (const char *)bytes, len);
	return text;
}

/* rsync(1), EXIT VALUES */
static const char *exit_meaning(int status)
{
	switch (status) {
	case 0:   return "before it had finished";
	case 1:   return "it does not know an option: it is older than 3.1.2, or the key's forced command refuses it";
	case 2:   return "protocol incompatibility";
	case 3:   return "the destination cannot be entered or made";
	case 4:   return "the requested action is not supported";
	case 11:  return "error in file input/output, often a full disk";
	case 12:  return "error in the protocol stream";
	case 14:  return "error between its processes";
	case 20:  return "it was told to stop";
	case 22:  return "out of memory";
	case 23:  return "some files could not be written";
	case 24:  return "some files vanished";
	case 25:  return "too many deletions";
	case 30:  return "timeout";
	case 126: return "rsync cannot be executed";
	default:  return "see rsync(1), exit values";
	}
}

static enum ags_phase phase_of(const struct ags_receiver *r)
{
	static const enum ags_phase phases[] = {
		[AGS_SENDER_HANDSHAKE] = AGS_PHASE_START, [AGS_SENDER_LIST] = AGS_PHASE_LIST,
		[AGS_SENDER_TRANSFER] = AGS_PHASE_TRANSFER, [AGS_SENDER_STAGED] = AGS_PHASE_STAGED,
		[AGS_SENDER_COMMIT] = AGS_PHASE_COMMIT, [AGS_SENDER_DELETE] = AGS_PHASE_DELETE, [AGS_SENDER_DONE] = AGS_PHASE_DONE,
	};
	enum ags_phase phase = phases[ags_sender_phase(r->sender)], now = r->member->now.phase;
	struct ags_err err = AGS_ERR_INIT;

	if (now == AGS_PHASE_CONNECT && ags_channel_ready(r->member->channel, &err) != AGS_DONE)
		return AGS_PHASE_CONNECT;
	if (r->push->round == AGS_ROUND_LOOK && phase > AGS_PHASE_LIST)
		phase = AGS_PHASE_LIST;
	else if (r->push->round == AGS_ROUND_STAGE && r->push->needs_finish && phase > AGS_PHASE_COMMIT)
		phase = AGS_PHASE_COMMIT;
	else if ((r->push->round == AGS_ROUND_FINISH || r->push->round == AGS_ROUND_UPLOADS) && phase < AGS_PHASE_DELETE)
		phase = AGS_PHASE_DELETE;
	if (r->push->uploads.count > 0 && r->push->round != AGS_ROUND_UPLOADS && phase > AGS_PHASE_DELETE)
		phase = AGS_PHASE_DELETE;
	return phase > now ? phase : now;        /* rounds do not lead back */
}

static void count(struct ags_receiver *r)
{
	const struct ags_sender_counts *c = ags_sender_counts(r->sender);
	struct ags_member *m = r->member;

	m->result->files = r->before.files;
	if (r->push->round != AGS_ROUND_LOOK) {
		m->result->files += c->sent;
		m->now.files_done = m->result->files;
		m->now.files_total = r->before.files + c->requested;
		m->now.bytes_done = r->before.file_bytes + c->sent_bytes;
		m->now.bytes_total = r->before.file_bytes + c->requested_bytes;
	}
	m->progress_mark = c->requested + c->sent_bytes + c->changes + c->deleted + c->wire_bytes + 1;
	m->result->deleted = r->before.deleted + c->deleted;
	m->result->bytes_sent = r->before.bytes_sent + c->wire_bytes;
	m->result->bytes_matched = r->before.matched + c->matched;
}

static void on_item(void *arg, uint32_t ndx, uint16_t flags)
{
	struct ags_receiver *r = arg;
	bool is_uploads = r->push->round == AGS_ROUND_UPLOADS;
	const struct ags_filelist *list = is_uploads ? &r->push->uploads : &r->push->list;
	char path[AGS_MAX_PATH], code[12];

	if (flags == 0 || !is_itemized(r->push) || (is_uploads && !S_ISREG(list->entries[ndx].mode)))
		return;
	ags_itemize(&list->entries[ndx], flags, code);
	add_change(r, path, ags_filelist_path(list, ndx, path), code);
}

/* Content is staged, and a directory that is new or has another time comes with it; all else has to wait for the last round. */
static void on_look(void *arg, uint32_t ndx, uint16_t flags)
{
	struct ags_push *p = ((struct ags_receiver *)arg)->push;
	uint32_t mode = p->list.entries[ndx].mode;

	if (S_ISDIR(mode) && (ags_item_is_new(flags) || ags_item_is_time_only(flags)))
		p->touched[ndx] = 1;
	else if (flags != 0 && !(S_ISREG(mode) && ags_item_is_sent(flags)))
		p->needs_finish = true;
	on_item(arg, ndx, flags);
}

static void on_deleted(void *arg, const char *path, size_t len)
{
	struct ags_receiver *r = arg;

	r->push->needs_finish = true;
	if (is_itemized(r->push))
		add_change(r, path, len, "*deleting");
}

/* Once: by the round that sees everything first. */
static bool is_itemized(const struct ags_push *p)
{
	return p->options->itemize && (p->round == AGS_ROUND_UPLOADS || p->round == (p->is_apart ? AGS_ROUND_LOOK : AGS_ROUND_ONLY));
}

/* A change that finds no room is left out; the outcome does not depend on it. */
static void add_change(struct ags_receiver *r, const char *path, size_t len, const char *code)
{
	const char *below = r->push->options->shown_below != NULL ? r->push->options->shown_below : "/";
	size_t below_len = strlen(below);
	struct ags_server_result *result = r->member->result;
	struct ags_arena *arena = &r->push->report->arena;
	struct ags_change *c;
	char *copy;

	if (result->change_count == AGS_MAX_CHANGES)
		return;
	copy = ags_arena_bytes(arena, below_len + len + 1);
	if (result->change_count == result->change_capacity) {
		size_t capacity = result->change_capacity > 0 ? result->change_capacity * 2 : 16;
		struct ags_change *more = ags_arena_alloc(arena, capacity * sizeof(*more));

		if (more == NULL)
			return;
		if (result->change_count > 0)
			memcpy(more, result->changes, result->change_count * sizeof(*more));
		result->changes = more;
		result->change_capacity = capacity;
	}
	if (copy == NULL)
		return;
	memcpy(copy, below, below_len);
	memcpy(copy + below_len, path, len);
	copy[below_len + len] = '\0';
	c = &result->changes[result->change_count++];
	c->path = copy;
	c->path_len = below_len + len;
	snprintf(c->code, sizeof(c->code), "%s", code);
}
