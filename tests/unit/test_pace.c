#include "unit/check.h"
#include "scale/pace.h"

/* Sends as much as allowed, asking at the times it was told to; the bytes of `seconds`. */
static uint64_t send_for(struct ags_pace *p, int64_t from_ms, int seconds, size_t piece)
{
	uint64_t sent = 0;
	int64_t now = from_ms;

	while (now < from_ms + 1000 * (int64_t)seconds) {
		while (ags_pace_may_send(p, now)) {
			ags_pace_sent(p, piece);
			sent += piece;
		}
		now += ags_pace_wait_ms(p);
	}
	return sent;
}

static void test_the_rate_holds_whatever_the_pieces(void)
{
	static const uint64_t rates[] = { 1024, 10 * 1024, 500 * 1024, 3000000, (uint64_t)INT32_MAX };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (int own = 0; own < 2; own++) {
			struct ags_pace p;
			uint64_t sent;

			ags_pace_init(&p, rates[i], 5000);
			sent = send_for(&p, 5000, 20, own ? ags_pace_piece(&p) : 700);
			CHECK(sent >= rates[i] * 20 * 95 / 100);
			CHECK(sent <= rates[i] * 20 * 102 / 100 + ags_pace_piece(&p));
		}
}

static void test_silence_saves_up_no_more_than_a_moment(void)
{
	struct ags_pace p;

	ags_pace_init(&p, 100000, 0);
	send_for(&p, 0, 1, 1000);
	CHECK(send_for(&p, 3600 * 1000, 1, 1000) <= 112000);
}

static void test_a_clock_that_jumps_does_no_harm(void)
{
	struct ags_pace p;

	ags_pace_init(&p, (uint64_t)INT32_MAX * 1024, 0);
	CHECK(ags_pace_may_send(&p, INT64_MAX / 2));
	ags_pace_sent(&p, 1u << 30);
	CHECK(ags_pace_may_send(&p, 0) || ags_pace_wait_ms(&p) < 1000);
	CHECK(send_for(&p, 0, 1, 32700) > 0);
}

static void test_no_limit_is_no_limit(void)
{
	struct ags_pace p;

	ags_pace_init(&p, 0, 0);
	for (int i = 0; i < 1000; i++) {
		CHECK(ags_pace_may_send(&p, 0));
		ags_pace_sent(&p, 1u << 30);
	}
	CHECK(ags_pace_piece(&p) == SIZE_MAX);
}

int main(void)
{
	RUN(test_the_rate_holds_whatever_the_pieces);
	RUN(test_silence_saves_up_no_more_than_a_moment);
	RUN(test_a_clock_that_jumps_does_no_harm);
	RUN(test_no_limit_is_no_limit);
	return check_result();
}
