#include "rsync/piece.h"

#include <stdlib.h>
#include <string.h>

struct ags_piece *ags_piece_new(const uint8_t *bytes, size_t len, size_t *live)
{
	struct ags_piece *p = len < SIZE_MAX - sizeof(*p) ? malloc(sizeof(*p) + len) : NULL;

	if (p == NULL)
		return NULL;
	p->next = NULL;
	p->live = live;
	p->len = len;
	p->covers = 0;
	p->refs = 1;
	memcpy(p->bytes, bytes, len);
	if (live != NULL)
		*live += len;
	return p;
}

struct ags_piece *ags_piece_hold(struct ags_piece *piece)
{
	piece->refs++;
	return piece;
}

void ags_piece_cut(struct ags_piece *piece)
{
	if (piece == NULL)
		return;
	if (piece->live != NULL)
		*piece->live -= piece->len;
	piece->live = NULL;
	ags_piece_drop(piece->next);
	piece->next = NULL;
}

void ags_piece_drop(struct ags_piece *piece)
{
	while (piece != NULL && --piece->refs == 0) {
		struct ags_piece *next = piece->next;

		if (piece->live != NULL)
			*piece->live -= piece->len;
		free(piece);
		piece = next;
	}
}
