#ifndef AGS_TESTS_HOSTILE_H
#define AGS_TESTS_HOSTILE_H

#include "unit/receiver.h"

/*
 * What comes of a lie: one clear error, whole or cut anywhere, and nobody else notices. And of what is no lie: the last goodbye.
 */
#define TREE "mkdir -p dir/sub empty && seq 1 3000 > a && echo b > b && : > none && echo x > dir/x && echo y > dir/sub/y && ln -s a link"

static struct rx_job tree;

static inline bool is_readable(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p += ags_text_utf8(p, strlen((const char *)p)))
		if (*p < 0x20 || *p == 0x7f || ags_text_utf8(p, strlen((const char *)p)) == 0 || (p[0] == 0xc2 && p[1] < 0xa0))
			return false;
	return text[0] != '\0';
}

/* An honest receiver of the same job is half served while the other lies; it must get all. */
static inline void refuse_once(const struct rx_script *lies, size_t cut, enum ags_code code, const char *words)
{
	struct rx_script first = {0}, rest = {0};
	struct rx honest, liar;
	unsigned dones;

	rx_begin(&honest, &tree);
	rx_begin(&liar, &tree);
	rx_greeting(&first);
	rx_item(&first, rx_ndx(&tree, "a"), AGS_ITEM_TRANSFER);
	rx_done(&rest);
	rx_turn(&rest);
	rx_goodbyes(&rest);
	if (tree.job.answers != NULL && !tree.job.compress)
		CHECK(rx_play(&honest, &first, RX_WHOLE));
	CHECK(!rx_play(&liar, lies, cut));
	CHECK_INT(liar.err.code, code);
	if (strstr(liar.err.message, words) == NULL || !is_readable(liar.err.message)) {
		fprintf(stderr, "cut at %zu: \"%s\", want \"%s\"\n", cut, liar.err.message, words);
		check_failures++;
	}
	dones = rx_heard(&liar, 0, NULL);
	CHECK(!rx_say(&liar, (const uint8_t *)"\1\0\0\7\0", 5));
	CHECK_INT(liar.err.code, code);
	CHECK_INT(rx_heard(&liar, 0, NULL), dones);
	if (tree.job.answers != NULL && !tree.job.compress) {
		CHECK(rx_play(&honest, &rest, RX_WHOLE));
		CHECK_INT(ags_sender_phase(honest.sender), AGS_SENDER_DONE);
	}
	rx_end(&honest);
	rx_end(&liar);
	rx_script_free(&first);
	rx_script_free(&rest);
}

/* Whatever the cut. Takes the script. */
static inline void refused(struct rx_script *lies, enum ags_code code, const char *words)
{
	size_t len = ags_buf_len(&lies->bytes), step = len / 300 + 1;

	refuse_once(lies, RX_WHOLE, code, words);
	refuse_once(lies, RX_EACH, code, words);
	for (size_t cut = 1; cut < len && check_failures == 0; cut += step)
		refuse_once(lies, cut, code, words);
	rx_script_free(lies);
}

static inline void accept_once(const struct rx_script *s, size_t cut, struct rx *r)
{
	rx_begin(r, &tree);
	CHECK(rx_play(r, s, cut));
	CHECK_INT(ags_sender_phase(r->sender), AGS_SENDER_DONE);
	CHECK_INT(rx_heard(r, 0, NULL), 4);
}

/* Whatever the cut, to the last goodbye. Takes the script; *last is the last run, for a look at it and rx_end(). */
static inline void accepted(struct rx_script *s, struct rx *last)
{
	size_t len = ags_buf_len(&s->bytes), step = len / 300 + 1;

	for (size_t cut = 1; cut < len && check_failures == 0; cut += step) {
		accept_once(s, cut, last);
		rx_end(last);
	}
	accept_once(s, RX_EACH, last);
	rx_end(last);
	accept_once(s, RX_WHOLE, last);
	rx_script_free(s);
}

#endif
