#ifndef AGS_SSH_POOL_H
#define AGS_SSH_POOL_H

#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"

/*
 * A pool of authenticated SSH sessions, one list per user@host:port (and identity).
 *
 *   lend ──► in use ──► give_back ──► idle ──► (lend again, or retired after idle_ms)
 *                  └──► retire: the session failed, close it
 *
 * A session belongs to the pool from first to last; a borrower only uses it. The pool is tied to the process
 * that made it: in another process (after fork) every call forgets the sessions without a word to the servers, as
 * the parent still uses them.
 */
struct ags_pool;
struct ags_session;

/* AUTO: libssh2, unless the key or ssh's configuration asks for what it cannot do (choice.h). */
enum ags_transport { AGS_TRANSPORT_AUTO, AGS_TRANSPORT_LIBSSH2, AGS_TRANSPORT_OPENSSH };

/* Where and as whom to log in. The pool copies what it keeps. */
struct ags_endpoint {
	const char *server;              /* the name for people, for errors */
	const char *host;
	const char *user;
	const char *identity;            /* NULL: the agent, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa */
	const char *known_hosts;         /* NULL: ~/.ssh/known_hosts. A ~/ at the front of a file is `home` */
	const char *home;                /* of this user, for the usual files; may be NULL */
	const char *agent;               /* SSH_AUTH_SOCK, NULL when there is none */
	uint16_t    port;
	enum ags_transport transport;
	bool        user_is_default, port_is_default;    /* nobody asked for them: what ssh's configuration says about the host comes first */
	uint32_t    connect_timeout_ms;  /* for all from connect to login, and again for the start of a command; 0: 10 s */
};

struct ags_pool_limits {
	unsigned handshakes;             /* at once; further ones wait their turn without their clock running */
	int64_t  idle_ms;                /* an idle session older than this is closed when next looked at */
};

struct ags_pool *ags_pool_new(const struct ags_pool_limits *limits);      /* NULL on lack of memory */
void ags_pool_free(struct ags_pool *pool);       /* NULL is fine; closes all, so no channel may be left */
/* Closes every idle session and marks those in use for closing on return. */
void ags_pool_close(struct ags_pool *pool);

/* How many handshakes may run at once from now on; 0: AGS_MAX_HANDSHAKES. */
void ags_pool_set_handshakes(struct ags_pool *pool, unsigned handshakes);

/* The loop all sessions of this pool live in. */
struct ags_loop *ags_pool_loop(struct ags_pool *pool);

/* An idle session if there is one that still answers, else one in use that has room for another, else a new one
 * that is still connecting.
 * Borrowed: hand it to give_back or retire, once. NULL with err on lack of memory or descriptors. */
struct ags_session *ags_pool_lend(struct ags_pool *pool, const struct ags_endpoint *to, struct ags_err *err);
void ags_pool_give_back(struct ags_pool *pool, struct ags_session *session);
void ags_pool_retire(struct ags_pool *pool, struct ags_session *session);

struct ags_session_stats {
	const char *server, *host, *user;
	uint16_t port;
	const char *state;               /* "connecting", "ready", "in use", "closed" */
	const char *transport;           /* "libssh2", "openssh", "" before it is chosen */
	const char *reason;              /* why this transport */
	const char *host_key, *cipher;   /* as negotiated, "" before and with openssh: "ssh-ed25519 SHA256:…", "aes128-ctr" */
	uint64_t bytes_sent, bytes_received;       /* on the socket; with openssh those of the commands */
	uint64_t commands;               /* run on it so far */
	int64_t  age_ms;
};

struct ags_pool_stats {
	uint64_t opened, reused, failed, closed;   /* sessions, since the pool was made */
	uint64_t in_use, idle;
};

/* Once per process, before the first pool and after the last; counted. init is false when libssh2 cannot be set up. */
bool ags_ssh_init(void);
void ags_ssh_exit(void);
/* "1.10.0": of the library that runs, and of its headers when this was compiled. */
const char *ags_ssh_version(void);
const char *ags_ssh_compiled_version(void);
/* The library that runs can log in with RSA keys at servers of today: 1.11 or newer. */
bool ags_ssh_can_rsa(void);

void ags_pool_totals(const struct ags_pool *pool, struct ags_pool_stats *stats);
/* The i-th live session; false past the last. */
bool ags_pool_session(const struct ags_pool *pool, size_t i, struct ags_session_stats *stats);

/* What a caller has found out about a server, as a text of its own choice, for as long as the pool lives. */
bool ags_pool_learn(struct ags_pool *pool, const char *fact);           /* false on lack of memory */
bool ags_pool_knows(const struct ags_pool *pool, const char *fact);

#endif
