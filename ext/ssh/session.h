#ifndef AGS_SSH_SESSION_H
#define AGS_SSH_SESSION_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "ssh/knownhosts.h"
#include "ssh/pool.h"

/*
 * One SSH connection, from the look-up of its host to the end of its last command. For the files of this folder only.
 *
 *   WAITING ──► DIALING ──► GREETING ──► LOGIN ──► READY        one deadline from DIALING to READY
 *      for a slot                (banner, keys)       │
 *                   any of them ──► BROKEN ◄──────────┘          err says why
 *
 * libssh2 never sees the socket. What it sends goes into `out` and is always taken, as it wedges for good when a
 * send of its own is refused at the wrong moment. What it receives it gets from the socket only within the session's own turn
 * in the loop, so that no call of a channel can take in bytes that another channel waits for, and that a
 * busy session gives way to the others. The end of the connection is hidden from it, so that what came before the
 * end can still be read.
 */
enum ags_session_state {
	AGS_SESSION_WAITING, AGS_SESSION_DIALING, AGS_SESSION_GREETING, AGS_SESSION_LOGIN, AGS_SESSION_READY, AGS_SESSION_BROKEN
};

#define AGS_SESSION_CHANNELS 8            /* sshd's MaxSessions is 10 unless set otherwise */

struct ags_channel;
struct ags_dial;
struct ags_auth;
struct _LIBSSH2_SESSION;

struct ags_session {
	struct ags_pool *pool;
	struct ags_session *next, *prev;        /* all of the pool */
	struct ags_session *next_waiting;       /* for a handshake slot */
	struct ags_arena arena;                 /* the strings of `to` */
	struct ags_endpoint to;
	const char *identity_file, *known_file; /* with ~ and what is usual filled in */
	uint64_t hash;                          /* of what makes an endpoint's sessions alike */

	enum ags_session_state state;
	struct ags_err err;
	int64_t born, deadline, idle_since;
	unsigned users, max_users;              /* borrowed so often now, and may be */
	uint64_t lent;                          /* so often in its life */
	bool is_doomed;                         /* not to be lent again */
	bool is_stepping, has_slot;

	struct ags_dial *dial;
	struct ags_auth *auth;
	struct ags_watch *watch;
	struct _LIBSSH2_SESSION *ssh;
	int fd;
	char address[320];

	struct ags_buf out;
	size_t may_read;                        /* bytes left of this turn */
	bool is_freeing, is_forgotten, is_at_end, is_dismissed;
	bool has_asked, is_deaf;                /* nobody takes in what has come: the loop need not tell of it again */
	int lost_errno;
	uint64_t queued, sent, received;        /* bytes, since the beginning */
	uint64_t told;                          /* `received` when the channels were last woken */
	int64_t moved_at;                       /* when the socket took or gave bytes */
	int64_t acked_at;                       /* when the kernel's own queue was seen to have grown shorter */
	int kernel_queue;

	struct ags_channel *channels;
	struct ags_channel *starting;           /* the one that may open and exec now */
	uint64_t commands;
	char farewell[256];                     /* what the server said when it hung up */
	char host_key[64 + 1 + 64], cipher[48];     /* "ssh-ed25519 SHA256:…" */
};

struct ags_session *ags_session_new(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err);
void ags_session_free(struct ags_session *s);            /* not within its own turn */
void ags_session_start(struct ags_session *s);           /* it has a slot now; the work begins in the loop */
void ags_session_nudge(void *s, unsigned happened);      /* for watches of what it waits for beside its socket */

/* Ends it: what made it fail is in s->err, which holds the first failure. */
void ags_session_break(struct ags_session *s);
/* The same, for a call of libssh2 that failed while doing `what`. */
void ags_session_break_ssh(struct ags_session *s, const char *what);
/* For a process that is not the session's: the descriptor goes, the server hears nothing. */
void ags_session_forget(struct ags_session *s);

/* After calls of libssh2 outside the session's turn: what they queued is sent, the wishes to the loop are renewed. */
void ags_session_settle(struct ags_session *s);
/* An idle session: the server has not hung up. */
bool ags_session_is_alive(const struct ags_session *s);
void ags_session_rest(struct ags_session *s);            /* nobody uses it: the loop need not look */
bool ags_session_is_like(const struct ags_session *s, const struct ags_endpoint *to, uint64_t hash);
uint64_t ags_endpoint_hash(const struct ags_endpoint *to);

/* pool.c */
void ags_pool_leave_slot(struct ags_session *s);
void ags_pool_after_turn(struct ags_session *s);         /* may free it */
void ags_pool_note_broken(struct ags_session *s);
bool ags_pool_is_ours(struct ags_pool *pool);            /* false in a child process, which has now forgotten all */
struct ags_session *ags_pool_lend_fresh(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err);
/* Borrowed until the next call; NULL with err. */
const struct ags_known_hosts *ags_pool_known_hosts(struct ags_pool *pool, const char *file, struct ags_err *err);

/* channel.c: the channels of a session are told what happened to it. */
void ags_channels_turn(struct ags_session *s);
void ags_channels_sent(struct ags_session *s, uint64_t sent_before);
void ags_channels_broken(struct ags_session *s);
void ags_channels_gone(struct ags_session *s);           /* it is being freed, with those that nobody holds any more */
int64_t ags_channels_deadline(const struct ags_session *s);

#endif
