/*
 * What a receiver says, in pieces, to a sender over a small fixed list:
 *
 *   {options: RX_*, largest piece: 0 byte by byte, else pieces of 1 to so many} bytes of the receiver
 *
 * Whatever it says, the sender ends at most four phases, in order, commits only when released, writes whole frames, and breaks
 * off once, with one readable sentence. Seeds are recorded sessions: tests/unit/test_recorded.c.
 */
#include "unit/receiver.h"

static struct rx_job tree;
static bool is_ready;

static void must(bool claim)
{
	if (!claim || check_failures > 0)
		abort();
}

static void clean_up(void)
{
	rx_job_fini(&tree);
}

static bool is_readable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* A frame is never left half given. */
static void check_frames(const struct rx *r)
{
	struct ags_cursor in = { ags_buf_bytes(&r->out), ags_buf_bytes(&r->out) + ags_buf_len(&r->out) };
	const uint8_t *bytes;
	unsigned dones = 0;
	uint32_t header;

	must(ags_get_u32(&in, &header) && header == 32);
	/* a receiver of rsync 3.1 negotiates no names */
	for (int names = r->sender->input > IN_CHECKSUMS && r->sender->compat & 0x80 ? r->sender->job->compress && r->sender->input > IN_COMPRESSORS ? 2 : 1 : 0;
	     names > 0; names--)
		must(ags_left(&in) > 0 && ags_get_bytes(&in, &bytes, 1u + in.p[0]));
	while (ags_left(&in) > 0) {
		must(ags_get_u32(&in, &header) && ags_get_bytes(&in, &bytes, header & 0xffffff));
		dones += header == (7u << 24 | 1) && bytes[0] == 0;
	}
	must(dones == r->sender->done_out);
}

static void check_state(const struct rx *r, enum ags_sender_phase before)
{
	const struct ags_sender *s = r->sender;

	must(s->phase >= before);
	must(s->done_out <= 4 && s->done_in <= 5);
	must(s->done_out < 2 || s->released);
	must(s->phase != AGS_SENDER_DONE || (s->done_out == 4 && s->done_in == 5));
	must(s->phase < AGS_SENDER_COMMIT || s->released);
	must(s->raw.cap <= 32768 && s->data.cap <= 32768);
	must(is_readable(s->complaint));
}

static void check_end(struct rx *r)
{
	size_t said = ags_buf_len(&r->out);
	enum ags_sender_phase phase = r->sender->phase;

	must(r->err.code == AGS_PROTOCOL || r->err.code == AGS_REMOTE);
	must(r->err.message[0] != '\0' && is_readable(r->err.message));
	must(!rx_say(r, (const uint8_t *)"\1\0\0\7\0", 5));
	must(ags_buf_len(&r->out) == said && r->sender->phase == phase);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rx r;
	uint64_t state = 1;
	size_t largest;

	if (!is_ready) {
		must(rx_job_init(&tree, RX_TREE) && atexit(clean_up) == 0);
		is_ready = true;
	}
	if (size < 2 || size > 16384)
		return 0;
	rx_job_options(&tree.job, data[0]);
	largest = data[1];
	rx_begin(&r, &tree);
	r.hold = data[0] & RX_HOLD;
	must(rx_drain(&r));
	for (size_t at = 2, n; at < size; at += n) {
		enum ags_sender_phase before = r.sender->phase;

		state = state * 6364136223846793005u + 1442695040888963407u;
		n = largest == 0 ? 1 : 1 + (size_t)(state >> 33) % largest;
		n = n < size - at ? n : size - at;
		/* as the driver does: nothing is read while enough requests wait */
		must(ags_sender_wants_input(r.sender));
		if (!rx_say(&r, data + at, n)) {
			check_state(&r, before);
			check_end(&r);
			break;
		}
		check_state(&r, before);
	}
	check_frames(&r);
	rx_end(&r);
	for (size_t i = 0; i < sizeof(tree.job.lists) / sizeof(tree.job.lists[0]); i++) {
		ags_piece_drop(tree.job.lists[i]);
		tree.job.lists[i] = NULL;
	}
	ags_answers_free(tree.job.answers);
	tree.job.answers = ags_answers_new(&tree.list, RX_SEED);
	must(tree.job.answers != NULL);
	return 0;
}
