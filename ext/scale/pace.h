#ifndef AGS_SCALE_PACE_H
#define AGS_SCALE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How fast all servers of a call may be written to together: a bucket that fills with time and that every write empties.
 *
 *   may_send? ──► write ──► sent(n) ──► … empty ──► wait_ms
 *
 * It may go below zero by one piece; whoever sends next waits for that, too. So nobody cuts what was offered once, and the rate holds.
 */
struct ags_pace {
	uint64_t rate;                 /* bytes a second; 0: no limit */
	int64_t left;                  /* thousandths of a byte */
	int64_t filled_ms;
	size_t next;                   /* whose turn it is */
};

void ags_pace_init(struct ags_pace *pace, uint64_t rate, int64_t now_ms);

/* The most to offer at once, so that everybody's turn comes soon. */
size_t ags_pace_piece(const struct ags_pace *pace);

bool ags_pace_may_send(struct ags_pace *pace, int64_t now_ms);
void ags_pace_sent(struct ags_pace *pace, size_t n);
int  ags_pace_wait_ms(const struct ags_pace *pace);      /* until may_send says yes, at least 1 */

#endif
