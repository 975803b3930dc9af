#ifndef AGS_RSYNC_SENDER_PRIVATE_H
#define AGS_RSYNC_SENDER_PRIVATE_H

#include "rsync/sender.h"
#include "rsync/wire.h"

/* A file that the receiver asked for. */
struct ags_request {
	struct ags_request *next;
	uint32_t ndx;
	uint16_t flags;
	uint8_t  basis;                 /* with AGS_ITEM_BASIS */
	bool     redo;
	struct ags_sums sums;
	uint8_t *sum_bytes;             /* what sums.data points to */
	uint16_t name_len;              /* with AGS_ITEM_NAME: repeated to the receiver, and nothing else */
	char     name[];
};

/* The flags of an item (rsync calls them iflags). */
#define AGS_ITEM_BASIS     0x0800
#define AGS_ITEM_NAME      0x1000
#define AGS_ITEM_NEW       0x2000
#define AGS_ITEM_LOCAL     0x4000
#define AGS_ITEM_TRANSFER  0x8000

enum input_state { IN_VERSION, IN_FLAGS, IN_CHECKSUMS, IN_COMPRESSORS, IN_SEED, IN_FRAMES };

struct ags_sender {
	struct ags_sender_job *job;
	struct ags_sender_events events;
	struct ags_sender_counts counts;
	enum ags_sender_phase phase;

	/* what comes */
	enum input_state input;
	struct ags_buf raw;             /* not yet understood: handshake, or part of a frame's header or message */
	struct ags_buf data;            /* payload of MSG_DATA, not yet understood */
	unsigned tag;                   /* of the frame that frame_left belongs to */
	size_t frame_left;
	struct ags_ndx_state ndx_in;
	struct ags_request *filling;    /* its block sums are coming */
	size_t fill_at, fill_left;      /* bytes of them; kept only while sum_bytes is not NULL */
	unsigned done_in;               /* NDX_DONEs: 1 all asked for, 2 all staged, 3 committed, 4 deleted, 5 goodbye */
	uint8_t *asked;                 /* two bits per entry: in the first round, in the second */
	int protocol;
	uint32_t compat;
	uint32_t skip;                  /* as in the job; its indices are so much smaller than the list's */
	enum ags_digest digest;
	enum ags_encoding encoding;
	char complaint[512];

	/* what goes */
	struct ags_request *first, **last;      /* the queue of requests */
	size_t queued_bytes;
	struct ags_buf replies;         /* written by the input side */
	struct ags_buf stage;           /* small things gathered for one write */
	struct ags_reading reading;     /* of the request being answered */
	struct ags_request *answering;
	const struct ags_piece *piece;  /* being given out, from piece_at */
	size_t piece_at;
	bool direct;                    /* output points into the piece */
	bool offered;                   /* output was given and not yet consumed: it stays as it is */
	bool list_sent, starved, released;
	bool is_over;                   /* the input broke off: nothing is begun any more */
	unsigned done_out;
	bool redone, fence_sent, fence_echoed;
	char fence[32];
};

bool ags_sender_parse(struct ags_sender *s, struct ags_err *err);       /* raw, as far as it goes */
size_t ags_request_size(const struct ags_request *r);                   /* what it holds in memory */
void ags_request_free(struct ags_request *r);
bool ags_sender_put_frame(struct ags_buf *out, unsigned tag, const void *payload, size_t len);

#endif
