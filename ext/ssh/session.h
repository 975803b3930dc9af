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
 *   WAITING ──► CHOOSING ──► DIALING ──► GREETING ──► LOGIN ──► READY        one deadline from CHOOSING to READY
 *      for a slot   a link          (banner, keys)      ▲          │
 *                   └─────────────── ssh: ──────────────┘          │
 *                   any of them ──► BROKEN ◄───────────────────────┘          err says why
 *
 * What is the same for every connection is in session.c and channel.c; what carries it is a link: libssh2 in this process, or the
 * program ssh as a child process. choice.h says which one a server gets.
 */
enum ags_session_state {
	AGS_SESSION_WAITING, AGS_SESSION_CHOOSING, AGS_SESSION_DIALING, AGS_SESSION_GREETING, AGS_SESSION_LOGIN, AGS_SESSION_READY,
	AGS_SESSION_BROKEN
};

#define AGS_SESSION_CHANNELS 8            /* sshd's MaxSessions is 10 unless set otherwise */

struct ags_channel;
struct ags_choice;
struct ags_openssh;
struct ags_dial;
struct ags_auth;
struct ags_process;
struct _LIBSSH2_SESSION;

/* What carries a session and its channels. A step that fails has said why in s->err, or has broken the session itself. */
struct ags_link {
	const char *name;
	enum ags_step (*connect)(struct ags_session *s);                  /* AGS_DONE: one state further, up to READY */
	void (*begin_turn)(struct ags_session *s);
	void (*end_turn)(struct ags_session *s, unsigned happened);
	void (*settle)(struct ags_session *s);                            /* what was queued is sent, wishes to the loop are renewed */
	bool (*is_alive)(const struct ags_session *s);
	const char *(*doing)(const struct ags_session *s, char *to, size_t size);
	void (*hang_up)(struct ags_session *s, bool tell_server);         /* its descriptors go; may be called again */
	void (*free)(struct ags_session *s);

	enum ags_step (*start)(struct ags_channel *ch);                   /* AGS_DONE: its command runs */
	enum ags_step (*write)(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err);
	enum ags_step (*read)(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err);
	enum ags_step (*send_eof)(struct ags_channel *ch, struct ags_err *err);
	enum ags_step (*finish)(struct ags_channel *ch, struct ags_err *err);    /* AGS_DONE: ch->exit is known */
	bool (*drain)(struct ags_channel *ch);                            /* takes in what came on standard error */
	int (*queue)(const struct ags_channel *ch);                       /* a socket whose unsent bytes are a sign of life; -1: none */
	bool (*close)(struct ags_channel *ch);                            /* true once nothing is left of it on the session */
};

extern const struct ags_link ags_link_libssh2, ags_link_openssh;

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

	const struct ags_link *link;            /* NULL until it is chosen */
	struct ags_choice *choice;              /* while choosing */
	char reason[256];                       /* of the choice */
	bool user_is_theirs;                    /* ssh's configuration names the user, and the topology does not */
	struct ags_watch *watch;
	char address[320];
	bool is_freeing, is_forgotten;
	uint64_t sent, received;                /* bytes, since the beginning */
	uint64_t told;                          /* `received` when the channels were last woken */

	struct ags_channel *channels;
	struct ags_channel *starting;           /* the one that may open and exec now */
	uint64_t commands;
	char host_key[64 + 1 + 64], cipher[48];     /* "ssh-ed25519 SHA256:…"; ssh keeps them to itself */

	/* libssh2 */
	struct ags_dial *dial;
	struct ags_auth *auth;
	struct _LIBSSH2_SESSION *ssh;
	struct ags_ssh_piece *ssh_pieces;       /* memory that libssh2 holds for it */
	size_t ssh_memory;                      /* their bytes */
	int fd;
	struct ags_buf out;
	size_t may_read;                        /* bytes left of this turn */
	bool is_at_end, is_dismissed;
	bool has_asked, is_deaf;                /* nobody takes in what has come: the loop need not tell of it again */
	int lost_errno;
	uint64_t queued, received_before;       /* before this turn */
	int64_t turn_ends;
	int64_t moved_at;                       /* when the socket took or gave bytes */
	char farewell[256];                     /* what the server said when it hung up */

	/* OpenSSH */
	struct ags_process *master;
	const char *socket;                     /* where the master takes commands */
};

struct ags_session *ags_session_new(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err);
void ags_session_free(struct ags_session *s);            /* not within its own turn */
void ags_session_start(struct ags_session *s);           /* it has a slot now; the work begins in the loop */
void ags_session_turn(struct ags_session *s, unsigned happened);      /* all that happens to it happens here; may free it */
void ags_session_nudge(void *s, unsigned happened);      /* for watches of what it waits for beside its socket */

void ags_session_login_done(struct ags_session *s);      /* READY: for links */
/* Ends it: what made it fail is in s->err, which holds the first failure. */
void ags_session_break(struct ags_session *s);
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

struct ags_openssh *ags_pool_openssh(struct ags_pool *pool);

/* channels.c: the channels of a session are told what happened to it. */
void ags_channels_turn(struct ags_session *s);
void ags_channels_broken(struct ags_session *s);
void ags_channels_gone(struct ags_session *s);           /* it is being freed, with those that nobody holds any more */
int64_t ags_channels_deadline(const struct ags_session *s);

#endif
