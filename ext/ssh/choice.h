#ifndef AGS_SSH_CHOICE_H
#define AGS_SSH_CHOICE_H

#include "ssh/session.h"

/*
 * Which link a session gets, before it connects. With `auto` it is libssh2, unless
 *
 *   - ssh_config(5) says something about the server that libssh2 does not do (sshconfig.h has the words); ssh itself is asked, but
 *     only when one of the words is in a file at all, and its answer is kept until a file changes;
 *   - the key is one that this libssh2 cannot use: RSA before 1.11, a certificate beside it, one on a security token;
 *   - an earlier session found out what shows only on the way: no algorithm in common, or none but such keys in the agent.
 *
 * Without a program ssh it is libssh2, which then says what it lacks.
 */

/* What is known of an endpoint. */
struct ags_chosen {
	uint64_t mark;               /* of ssh's configuration */
	const char *need;            /* the word of it that asks for ssh; NULL: none */
	bool user_is_theirs;
	const char *found;           /* on the way, by an earlier session; NULL: nothing. Constant strings, both */
};

/* AGS_DONE: s->link and s->reason are set. */
enum ags_step ags_choice_step(struct ags_session *s);
void ags_choice_free(struct ags_choice *choice);             /* NULL is fine */

/* Turns a session of libssh2 that may do so and is not logged in into one of ssh, for a constant reason; so will the next ones be.
 * False: it may not. */
bool ags_choice_fall_back(struct ags_session *s, const char *reason);

/* Where the program ssh is, by PATH; false when there is none. */
bool ags_ssh_program(char *to, size_t size);

/* The arguments of ssh for this server, `more` before the host. NULL with s->err when something cannot be passed on safely. */
const char **ags_ssh_arguments(struct ags_session *s, const char *const *more, size_t count);

#endif
