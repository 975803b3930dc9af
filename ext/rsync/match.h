#ifndef AGS_RSYNC_MATCH_H
#define AGS_RSYNC_MATCH_H

#include "base/digest.h"
#include "base/err.h"

/*
 * Finds blocks of a receiver's old file in the new one. A machine: it is fed
 * the new file in pieces of any size and says, in order, which bytes are new and which blocks are copied.
 */

/* What the receiver says about its old file. data: count times {rolling sum, s2length bytes of strong sum}. */
struct ags_sums {
	uint32_t count, blength, s2length, remainder;
	const uint8_t *data;
};

/* Checks the four numbers against each other and the limits; digest_len is AGS_DIGEST_LEN. */
bool ags_sums_check(const struct ags_sums *sums, struct ags_err *err);

struct ags_match_events {
	void *arg;
	bool (*literal)(void *arg, const uint8_t *bytes, size_t n);    /* good for the call; false stops with err from out of memory */
	bool (*copy)(void *arg, uint32_t block, size_t n);             /* block index, and how many bytes of the file it covers */
};

struct ags_match;

/* Borrows sums for its life. NULL on lack of memory. */
struct ags_match *ags_match_new(const struct ags_sums *sums, enum ags_digest digest, int32_t seed);
void ags_match_free(struct ags_match *match);

/* Feeds n bytes; last says that the file ends with them. A false callback makes this return false. The same file gives the same
 * events however it is cut, except that a literal may be cut differently. */
bool ags_match_feed(struct ags_match *match, const uint8_t *bytes, size_t n, bool last, const struct ags_match_events *events);

/* rsync's rolling sum of a block: bytes taken as signed. */
uint32_t ags_rolling_sum(const uint8_t *bytes, size_t n);

#endif
