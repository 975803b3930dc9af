#include "scale/pace.h"

#define BURST_MS     100           /* what may be saved up while nobody sends */
#define TURNS        16            /* pieces a second, when they are not bounded below or above */
#define LEAST_PIECE  1024u
#define MOST_PIECE   32700u        /* of libssh2: one packet */

void ags_pace_init(struct ags_pace *pace, uint64_t rate, int64_t now_ms)
{
	*pace = (struct ags_pace){ .rate = rate, .left = (int64_t)rate * BURST_MS, .filled_ms = now_ms };
}

size_t ags_pace_piece(const struct ags_pace *pace)
{
	uint64_t piece = pace->rate / TURNS;

	if (pace->rate == 0)
		return SIZE_MAX;
	return piece < LEAST_PIECE ? LEAST_PIECE : piece > MOST_PIECE ? MOST_PIECE : (size_t)piece;
}

bool ags_pace_may_send(struct ags_pace *pace, int64_t now_ms)
{
	int64_t passed = now_ms - pace->filled_ms, most = (int64_t)pace->rate * BURST_MS;

	if (pace->rate == 0)
		return true;
	pace->filled_ms = now_ms;
	/* after so long the bucket is full, however far below zero a piece has brought it */
	if (passed > 1000 * 1000)
		passed = 1000 * 1000;
	if (passed > 0)
		pace->left += passed * (int64_t)pace->rate;
	if (pace->left > most)
		pace->left = most;
	return pace->left > 0;
}

void ags_pace_sent(struct ags_pace *pace, size_t n)
{
	if (pace->rate > 0)
		pace->left -= (int64_t)n * 1000;
}

int ags_pace_wait_ms(const struct ags_pace *pace)
{
	return pace->left > 0 ? 1 : (int)(-pace->left / (int64_t)pace->rate) + 1;
}
