#ifndef AGS_SSH_OPENSSH_H
#define AGS_SSH_OPENSSH_H

#include "ssh/choice.h"

/*
 * What a pool keeps for the program ssh: the answers it got from it, who this user is, and a folder that nobody else may
 * enter, in which each master has the socket that it takes commands from. The folder is made with the first socket and removed with the
 * last, or when the pool is closed; only a process that was killed leaves it, empty.
 */
struct ags_openssh;

struct ags_openssh *ags_openssh_new(struct ags_loop *loop);          /* NULL on lack of memory */
void ags_openssh_free(struct ags_openssh *o);                        /* NULL is fine; after all sessions */
/* Of what was found out nothing is known any more, and what was ended is waited for. */
void ags_openssh_close(struct ags_openssh *o);
void ags_openssh_forget(struct ags_openssh *o);                      /* in another process: folder and processes are the parent's */

/* What is known of how a session like this connects, or NULL. Good until the next change. */
const struct ags_chosen *ags_openssh_chosen(const struct ags_openssh *o, const struct ags_session *s);
/* Replaces it; without memory for it nothing is known. */
void ags_openssh_choose(struct ags_openssh *o, const struct ags_session *s, const struct ags_chosen *chosen);

/* This user for the system, which is whom ssh goes by: not $HOME. "" when it cannot be told. */
struct ags_who {
	char home[1024], login[256];
};
const struct ags_who *ags_openssh_who(struct ags_openssh *o);

struct ags_family *ags_openssh_family(struct ags_openssh *o);

/* The name of a new socket, in s->arena; NULL with err. drop_socket removes it. */
const char *ags_openssh_socket(struct ags_openssh *o, struct ags_session *s, struct ags_err *err);
void ags_openssh_drop_socket(struct ags_openssh *o, const char *socket);

#endif
