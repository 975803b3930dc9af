#ifndef AGS_RSYNC_ANSWERS_H
#define AGS_RSYNC_ANSWERS_H

#include "base/digest.h"
#include "base/err.h"
#include "rsync/filelist.h"
#include "rsync/match.h"
#include "rsync/piece.h"
#include "rsync/tokens.h"

/*
 * What receivers are sent for a file, computed once for all that ask for the same.
 *
 *   question (file, checksum, encoding, block sums)
 *      └─► answer: a chain of pieces, made as the fastest reader needs them
 *             piece ─► piece ─► piece ─► …          each reading holds its place
 *               ▲ slow reader      ▲ fast reader
 *
 * Equal questions share one answer while its first piece is still there. Small answers are kept for those who
 * ask later, within AGS_ANSWERS_KEPT bytes. A reader that lets the others of a big file wait for longer than
 * AGS_ANSWERS_PATIENCE_MS is moved to an answer of its own, which is computed again up to its place.
 */
#define AGS_ANSWERS_KEPT        (64u << 20)    /* bytes of pieces kept for readers to come */
#define AGS_ANSWERS_WINDOW      (16u << 20)    /* bytes between the fastest and the slowest reader of one answer */
#define AGS_ANSWERS_PATIENCE_MS 500

struct ags_answers;
struct ags_answer;

struct ags_question {
	uint32_t ndx;
	enum ags_digest digest;
	enum ags_encoding encoding;
	bool redo;                      /* the second time: what changes meanwhile is sent as it is */
	const struct ags_sums *sums;    /* of the receiver's old file; NULL or count 0: it gets the whole file */
};

/* A receiver's place in an answer. All zero at rest. */
struct ags_reading {
	struct ags_answer *answer;
	struct ags_piece *piece;        /* the last one handed out, or NULL at the beginning */
	uint64_t index;                 /* pieces passed */
	uint64_t skip;                  /* pieces to pass silently: the reader has them from the answer it was moved from */
	struct ags_reading *next, **self;
	bool is_evicted;
};

struct ags_answers_stats {
	uint64_t computed, shared;      /* answers made, and questions that found one */
};

/* Borrows the list. NULL on lack of memory. */
struct ags_answers *ags_answers_new(const struct ags_filelist *list, int32_t seed);
void ags_answers_free(struct ags_answers *answers);         /* all readings must have ended */
void ags_answers_stats(const struct ags_answers *answers, struct ags_answers_stats *stats);

/* Files that could not be opened or read, or changed while they were sent; one entry per file. */
const struct ags_complaint *ags_answers_complaints(const struct ags_answers *answers, size_t *count);

/* The first of them that is there and cannot be read, as one sentence, or NULL. A file that vanished is none of these. */
const char *ags_answers_unreadable(const struct ags_answers *answers);

/* AGS_DONE: the reading is at the beginning of the answer. AGS_AGAIN: there is nothing to send, as the file vanished or cannot be read (a complaint).
 * AGS_FAILED: out of memory. The sums are copied. */
enum ags_step ags_reading_begin(struct ags_answers *answers, const struct ags_question *question, struct ags_reading *reading,
                                struct ags_err *err);

/* AGS_DONE: *piece is the next one, NULL after the last; it is good until the next call for this reading. AGS_AGAIN: slower readers
 * must catch up first, or there is more to compute than one call should; ask again when something has moved or a little time has passed. */
enum ags_step ags_reading_next(struct ags_answers *answers, struct ags_reading *reading, const struct ags_piece **piece,
                               struct ags_err *err);

/* Bytes of the file that are new and that the receiver has; good once the last piece was handed out. */
void ags_reading_counts(const struct ags_reading *reading, uint64_t *literal, uint64_t *matched);

void ags_reading_end(struct ags_answers *answers, struct ags_reading *reading);      /* at rest again; fine at rest */

#endif
