#ifndef AGS_SSH_CHANNEL_PRIVATE_H
#define AGS_SSH_CHANNEL_PRIVATE_H

#include "ssh/channel.h"
#include "ssh/session.h"

/*
 * A channel from inside, for channel.c and the links.
 *
 *   QUEUED ──► OPENING ──► EXECING ──► RUNNING ──► FINISHED
 *                 └───────────┴──► REFUSED                        the session goes on
 */
enum ags_channel_state {
	AGS_CHANNEL_QUEUED, AGS_CHANNEL_OPENING, AGS_CHANNEL_EXECING, AGS_CHANNEL_RUNNING, AGS_CHANNEL_FINISHED, AGS_CHANNEL_REFUSED
};

struct ags_passenger;
struct _LIBSSH2_CHANNEL;

struct ags_channel {
	struct ags_pool *pool;
	struct ags_session *s;
	struct ags_channel *next;
	enum ags_channel_state state;
	struct ags_err err;                   /* REFUSED: of this channel, not of its session */
	ags_wake_fn *wake;
	void *arg;
	int64_t moved_at, deadline;
	int64_t acked_at;                     /* when the kernel's own queue was seen to have grown shorter */
	int kernel_queue;
	uint32_t timeout_ms;                  /* until the command runs */
	struct ags_buf errors;
	bool errors_ended, output_ended, input_ended;
	bool is_reused, may_move, wants_room, is_orphan;
	struct ags_exit exit;

	struct _LIBSSH2_CHANNEL *ssh;
	uint64_t queued_mark;                 /* the session's `queued` after this channel's last write */
	size_t offered;                       /* bytes of a write that libssh2 has begun */
	unsigned small_writes;                /* one after the other */

	struct ags_passenger *passenger;      /* OpenSSH */

	size_t command_len;
	char command[];
};

/* Around calls of a link that are not made in the session's turn: a session that breaks meanwhile is freed at the end. */
void ags_channel_enter(struct ags_session *s);
void ags_channel_leave(struct ags_session *s);

/* To another session, when the one it has may carry no more. False: it has to be refused. */
bool ags_channel_make_way(struct ags_channel *ch);
/* The server does not `what` this channel, and says `why`, which may be anything. */
void ags_channel_refuse(struct ags_channel *ch, const char *what, const char *why, size_t len);
void ags_channel_runs(struct ags_channel *ch);
/* What came on standard error; of what nobody reads only the beginning is kept. False breaks the session. */
bool ags_channel_keep_errors(struct ags_channel *ch, const void *bytes, size_t n);
void ags_channel_attach(struct ags_channel *ch, struct ags_session *s);
void ags_channel_detach(struct ags_channel *ch);
void ags_channel_free(struct ags_channel *ch);
void ags_channels_start(struct ags_session *s);
/* A channel that nobody holds any more: its end has been announced to the server, which must confirm it. */
bool ags_channel_bury(struct ags_channel *ch);
enum ags_step ags_channel_fail(struct ags_err *err, const struct ags_err *why);

#endif
