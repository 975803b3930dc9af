#include "rsync/answers.h"
#include "base/loop.h"
#include "rsync/producer.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 16384                     /* of the table of answers that may still be shared */
#define KEPT_ANSWERS 20000              /* their structs count too */

struct key {
	uint32_t ndx;
	uint32_t count, blength, s2length, remainder;
	enum ags_digest digest;
	enum ags_encoding encoding;
	bool redo;
	uint8_t sums[32];               /* sha256 of the block sums: one receiver must not choose what another gets */
};

struct ags_answer {
	struct key key;
	struct ags_answer *next;              /* in its slot, while it can be shared */
	struct ags_answer *older, *newer;     /* among those nobody reads */
	struct ags_reading *readings;
	struct ags_sums sums;                 /* ours; the producer borrows them, an answer for a slow reader is made from them */
	struct ags_producer *producer;        /* NULL once all is made */
	struct stat opened;                   /* the file as it was made from */
	struct ags_piece *first;              /* held while it can be shared */
	struct ags_piece *last;
	size_t live;                          /* bytes of pieces made that some reader or we hold */
	uint64_t made;                        /* pieces */
	uint64_t made_bytes;
	uint64_t literal, matched;
	int64_t  blocked_since_ms;            /* the fastest reader waits for the slowest; 0: it does not */
	bool is_shared, is_idle;
	bool is_broken;                       /* a piece was lost for lack of memory: it ends here */
};

struct ags_answers {
	struct ags_workshop workshop;
	struct ags_answer *slots[SLOTS];
	struct ags_answer *oldest, *newest;   /* kept, read by nobody */
	size_t idle_count, idle_bytes;
	struct ags_answers_stats stats;
};

static void make_key(struct key *key, const struct ags_question *q);
static struct ags_answer **find(struct ags_answers *all, const struct key *key);
static enum ags_step make_answer(struct ags_answers *all, const struct ags_question *q, struct ags_answer **answer, struct ags_err *err);
static bool copy_sums(struct ags_sums *to, const struct ags_sums *from);
static bool make_piece(struct ags_answers *all, struct ags_answer *a, struct ags_err *err);
static bool may_run_ahead(struct ags_answer *a);
static void evict_slowest(struct ags_answer *a);
static enum ags_step move_to_own(struct ags_answers *all, struct ags_reading *r, struct ags_err *err);
static void pass_one(struct ags_reading *r);
static void attach(struct ags_answers *all, struct ags_answer *a, struct ags_reading *r);
static void detach(struct ags_answers *all, struct ags_reading *r);
static void stop_sharing(struct ags_answers *all, struct ags_answer *a);
static void set_idle(struct ags_answers *all, struct ags_answer *a, bool is_idle);
static void keep_within_bounds(struct ags_answers *all);
static void free_answer(struct ags_answers *all, struct ags_answer *a);

struct ags_answers *ags_answers_new(const struct ags_filelist *list, int32_t seed)
{
	struct ags_answers *all = calloc(1, sizeof(*all));

	if (all != NULL && !ags_workshop_init(&all->workshop, list, seed)) {
		ags_answers_free(all);
		return NULL;
	}
	return all;
}

void ags_answers_free(struct ags_answers *all)
{
	if (all == NULL)
		return;
	while (all->oldest != NULL)
		free_answer(all, all->oldest);
	ags_workshop_fini(&all->workshop);
	free(all);
}

void ags_answers_stats(const struct ags_answers *all, struct ags_answers_stats *stats)
{
	*stats = all->stats;
}

const struct ags_complaint *ags_answers_complaints(const struct ags_answers *all, size_t *count)
{
	*count = all->workshop.complaint_count;
	return all->workshop.complaints;
}

const char *ags_answers_unreadable(const struct ags_answers *all)
{
	return all->workshop.unreadable[0] != '\0' ? all->workshop.unreadable : NULL;
}

enum ags_step ags_reading_begin(struct ags_answers *all, const struct ags_question *q, struct ags_reading *r, struct ags_err *err)
{
	struct ags_answer *a;
	struct key key;
	enum ags_step step;

	make_key(&key, q);
	a = *find(all, &key);
	if (a == NULL) {
		step = make_answer(all, q, &a, err);
		if (step != AGS_DONE)
			return step;
		a->key = key;
		a->next = *find(all, &key);
		*find(all, &key) = a;
		a->is_shared = true;
	} else {
		all->stats.shared++;
	}
	memset(r, 0, sizeof(*r));
	attach(all, a, r);
	return AGS_DONE;
}

enum ags_step ags_reading_next(struct ags_answers *all, struct ags_reading *r, const struct ags_piece **piece, struct ags_err *err)
{
	struct ags_answer *a = r->answer;
	enum ags_step step;

	if (r->is_evicted || (a->is_broken && r->index == a->made)) {
		step = move_to_own(all, r, err);
		if (step != AGS_DONE)
			return step;
		a = r->answer;
	}
	if (r->index == a->made) {
		if (a->producer == NULL) {
			*piece = NULL;
			return AGS_DONE;
		}
		if (!may_run_ahead(a))
			return AGS_AGAIN;
		if (!make_piece(all, a, err))
			return AGS_FAILED;
	}
	pass_one(r);
	/* The last piece is never skipped: if the file has become shorter, its checksum tells the receiver. */
	if (r->skip > 0 && !(r->index == a->made && a->producer == NULL)) {
		r->skip--;
		return AGS_AGAIN;
	}
	*piece = r->piece;
	return AGS_DONE;
}

void ags_reading_counts(const struct ags_reading *r, uint64_t *literal, uint64_t *matched)
{
	*literal = r->answer->literal;
	*matched = r->answer->matched;
}

void ags_reading_end(struct ags_answers *all, struct ags_reading *r)
{
	if (r->answer != NULL)
		detach(all, r);
	memset(r, 0, sizeof(*r));
}

static void make_key(struct key *key, const struct ags_question *q)
{
	memset(key, 0, sizeof(*key));            /* compared as bytes, padding too */
	key->ndx = q->ndx;
	key->digest = q->digest;
	key->encoding = q->encoding;
	key->redo = q->redo;
	if (q->sums == NULL || q->sums->count == 0)
		return;
	key->count = q->sums->count;
	key->blength = q->sums->blength;
	key->s2length = q->sums->s2length;
	key->remainder = q->sums->remainder;
	ags_sha256(q->sums->data, (size_t)q->sums->count * (4 + q->sums->s2length), key->sums);
}

/* Where the answer's pointer is, or where it would be put. */
static struct ags_answer **find(struct ags_answers *all, const struct key *key)
{
	struct ags_answer **at = &all->slots[key->ndx % SLOTS];

	while (*at != NULL && memcmp(&(*at)->key, key, sizeof(*key)) != 0)
		at = &(*at)->next;
	return at;
}

static enum ags_step make_answer(struct ags_answers *all, const struct ags_question *q, struct ags_answer **answer, struct ags_err *err)
{
	struct ags_answer *a = calloc(1, sizeof(*a));
	struct ags_question own = *q;
	enum ags_step step;

	if (a == NULL || !copy_sums(&a->sums, q->sums)) {
		free(a);
		ags_fail_nomem(err);
		return AGS_FAILED;
	}
	own.sums = &a->sums;
	step = ags_producer_open(&all->workshop, &own, &a->producer, err);
	if (step != AGS_DONE) {
		free((void *)a->sums.data);
		free(a);
		return step;
	}
	a->opened = *ags_producer_stat(a->producer);
	all->stats.computed++;
	*answer = a;
	return AGS_DONE;
}

static bool copy_sums(struct ags_sums *to, const struct ags_sums *from)
{
	size_t bytes;
	uint8_t *data;

	if (from == NULL || from->count == 0)
		return true;
	bytes = (size_t)from->count * (4 + from->s2length);
	data = malloc(bytes);
	if (data == NULL)
		return false;
	memcpy(data, from->data, bytes);
	*to = *from;
	to->data = data;
	return true;
}

static bool make_piece(struct ags_answers *all, struct ags_answer *a, struct ags_err *err)
{
	bool last = false;
	struct ags_piece *piece = ags_producer_make(a->producer, &a->live, &last, err);

	if (piece == NULL) {
		a->is_broken = true;
		if (a->is_shared)
			stop_sharing(all, a);
		return false;
	}
	a->made++;
	a->made_bytes += piece->len;
	if (a->made == 1)
		a->first = ags_piece_hold(piece);
	else
		a->last->next = ags_piece_hold(piece);
	ags_piece_drop(a->last);
	a->last = piece;
	if (last) {
		ags_producer_counts(a->producer, &a->literal, &a->matched);
		ags_producer_free(a->producer);
		a->producer = NULL;
	}
	if (a->is_shared && a->made_bytes >= AGS_ANSWERS_WINDOW)
		stop_sharing(all, a);
	return true;
}

/* The fastest reader may go on while the slowest is within the window, and for good once patience with the slowest has ended. */
static bool may_run_ahead(struct ags_answer *a)
{
	int64_t now;

	if (a->live < AGS_ANSWERS_WINDOW) {
		a->blocked_since_ms = 0;
		return true;
	}
	now = ags_now_ms();
	if (a->blocked_since_ms == 0)
		a->blocked_since_ms = now;
	if (now - a->blocked_since_ms < AGS_ANSWERS_PATIENCE_MS)
		return false;
	a->blocked_since_ms = 0;
	evict_slowest(a);
	return true;
}

/* The evicted go on from their place in an answer of their own, made when they next ask. Until then they keep the piece that they were
 * handed, which they may be in the midst of writing; nobody else goes on from it. */
static void evict_slowest(struct ags_answer *a)
{
	uint64_t slowest = UINT64_MAX;

	for (struct ags_reading *r = a->readings; r != NULL; r = r->next)
		if (!r->is_evicted && r->index < slowest)
			slowest = r->index;
	for (struct ags_reading *r = a->readings; r != NULL; r = r->next) {
		if (r->index != slowest || r->index == a->made)
			continue;
		r->is_evicted = true;
		ags_piece_cut(r->piece);
	}
}

/* Computes the answer again, from the file as it is now. If it has changed meanwhile, the checksum at the end
 * does not fit what the receiver got, and it asks again; a compressed stream cannot go on with other bytes. */
static enum ags_step move_to_own(struct ags_answers *all, struct ags_reading *r, struct ags_err *err)
{
	struct ags_answer *old = r->answer, *own;
	struct ags_question q = { .ndx = old->key.ndx, .digest = old->key.digest, .encoding = old->key.encoding,
	                          .redo = old->key.redo, .sums = &old->sums };
	uint64_t skip = r->index;
	enum ags_step step = make_answer(all, &q, &own, err);

	if (step == AGS_AGAIN)
		return ags_fail_step(err, AGS_LOCAL_IO, "a file can no longer be read that a slow server was being sent");
	if (step != AGS_DONE)
		return step;
	own->key = old->key;
	if (q.encoding != AGS_ENCODING_PLAIN && !ags_source_same(&old->opened, &own->opened)) {
		free_answer(all, own);
		return ags_fail_step(err, AGS_LOCAL_IO, "a file changed that a slow server was being sent");
	}
	detach(all, r);
	memset(r, 0, sizeof(*r));
	attach(all, own, r);
	r->skip = skip;
	return AGS_DONE;
}

static void pass_one(struct ags_reading *r)
{
	struct ags_answer *a = r->answer;
	struct ags_piece *next = ags_piece_hold(r->piece != NULL ? r->piece->next : a->first);

	ags_piece_drop(r->piece);
	r->piece = next;
	r->index++;
	if (!a->is_shared) {
		ags_piece_drop(a->first);
		a->first = NULL;
	}
}

static void attach(struct ags_answers *all, struct ags_answer *a, struct ags_reading *r)
{
	if (a->is_idle)
		set_idle(all, a, false);
	r->answer = a;
	r->self = &a->readings;
	r->next = a->readings;
	if (r->next != NULL)
		r->next->self = &r->next;
	a->readings = r;
}

static void detach(struct ags_answers *all, struct ags_reading *r)
{
	struct ags_answer *a = r->answer;

	ags_piece_drop(r->piece);
	r->piece = NULL;
	*r->self = r->next;
	if (r->next != NULL)
		r->next->self = r->self;
	r->answer = NULL;
	if (a->readings != NULL)
		return;
	/* Half an answer is not kept: its open file would be. */
	if (a->is_shared && a->producer == NULL) {
		set_idle(all, a, true);
		keep_within_bounds(all);
	} else {
		free_answer(all, a);
	}
}

/* From now on no one begins with it. A reader that has not begun is a whole window behind: it gets its own. */
static void stop_sharing(struct ags_answers *all, struct ags_answer *a)
{
	struct ags_answer **at = find(all, &a->key);

	*at = a->next;
	a->is_shared = false;
	for (struct ags_reading *r = a->readings; r != NULL; r = r->next)
		if (r->index == 0)
			r->is_evicted = true;
	ags_piece_drop(a->first);
	a->first = NULL;
}

static void set_idle(struct ags_answers *all, struct ags_answer *a, bool is_idle)
{
	a->is_idle = is_idle;
	if (is_idle) {
		free((void *)a->sums.data);             /* it is complete: nobody will be moved from it */
		a->sums.data = NULL;
		a->older = all->newest;
		a->newer = NULL;
		*(all->newest != NULL ? &all->newest->newer : &all->oldest) = a;
		all->newest = a;
		all->idle_count++;
		all->idle_bytes += a->live;
		return;
	}
	*(a->older != NULL ? &a->older->newer : &all->oldest) = a->newer;
	*(a->newer != NULL ? &a->newer->older : &all->newest) = a->older;
	all->idle_count--;
	all->idle_bytes -= a->live;
}

static void keep_within_bounds(struct ags_answers *all)
{
	while (all->oldest != NULL && (all->idle_bytes > AGS_ANSWERS_KEPT || all->idle_count > KEPT_ANSWERS))
		free_answer(all, all->oldest);
}

static void free_answer(struct ags_answers *all, struct ags_answer *a)
{
	if (a->is_idle)
		set_idle(all, a, false);
	if (a->is_shared)
		*find(all, &a->key) = a->next;
	ags_producer_free(a->producer);
	ags_piece_drop(a->first);
	ags_piece_drop(a->last);
	free((void *)a->sums.data);
	free(a);
}
