#ifndef AGS_RSYNC_PRODUCER_H
#define AGS_RSYNC_PRODUCER_H

#include "rsync/answers.h"
#include "rsync/source.h"

/*
 * Reads one file and makes the pieces of one answer from it: tokens of new bytes and copied blocks,
 * then the checksum of the whole. What all producers of a call need lies in the workshop.
 */
struct ags_workshop {
	const struct ags_filelist *list;
	struct ags_source *source;
	int32_t seed;
	uint8_t *input;                          /* AGS_PRODUCER_INPUT bytes */
	struct ags_buf output;
	struct ags_tokens *idle_tokens[AGS_ENCODINGS];       /* by encoding: a compressor is too big to make one per file */
	struct ags_complaint *complaints;
	size_t complaint_count, complaint_capacity;
	char unreadable[512];                    /* the first that is there and cannot be read, for people */
	struct ags_arena arena;                  /* the complaints' paths */
};

#define AGS_PRODUCER_INPUT (256u << 10)

bool ags_workshop_init(struct ags_workshop *w, const struct ags_filelist *list, int32_t seed);
void ags_workshop_fini(struct ags_workshop *w);

struct ags_producer;

/* AGS_DONE with *producer; AGS_AGAIN when the file cannot be had (a complaint was added); AGS_FAILED on lack of memory.
 * The sums are borrowed for the life of the producer. */
enum ags_step ags_producer_open(struct ags_workshop *w, const struct ags_question *q, struct ags_producer **producer,
                                struct ags_err *err);

/* The next piece, whose bytes are counted in *live; *last with the one that ends the answer. NULL on lack of memory, with err. */
struct ags_piece *ags_producer_make(struct ags_producer *p, size_t *live, bool *last, struct ags_err *err);

const struct stat *ags_producer_stat(const struct ags_producer *p);      /* of the file, when it was opened */
void ags_producer_counts(const struct ags_producer *p, uint64_t *literal, uint64_t *matched);
void ags_producer_free(struct ags_producer *p);      /* NULL is fine */

#endif
