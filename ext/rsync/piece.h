#ifndef AGS_RSYNC_PIECE_H
#define AGS_RSYNC_PIECE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes for the wire, already framed, counted by reference: the same piece goes to many
 * receivers. Pieces of one stream form a chain in which each holds the next, so
 * that what every reader has passed is freed by itself.
 */
struct ags_piece {
	struct ags_piece *next;
	size_t *live;                 /* where the bytes of living pieces are counted; NULL: nowhere */
	size_t len;
	size_t covers;                /* bytes of a file that it stands for, copied blocks included */
	unsigned refs;
	uint8_t bytes[];
};

struct ags_piece *ags_piece_new(const uint8_t *bytes, size_t len, size_t *live);      /* one reference; NULL on lack of memory */
struct ags_piece *ags_piece_hold(struct ags_piece *piece);
void ags_piece_drop(struct ags_piece *piece);                                          /* NULL is fine */
/* It stays, but no longer holds what follows, and is no longer counted. */
void ags_piece_cut(struct ags_piece *piece);                                           /* NULL is fine */

#endif
