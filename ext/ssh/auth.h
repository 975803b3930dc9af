#ifndef AGS_SSH_AUTH_H
#define AGS_SSH_AUTH_H

#include "ssh/session.h"

/*
 * Logging in with a key: the named one, else those of the agent, else the usual files. One refused key is not the
 * end, the next is tried. Never a password.
 */

/* The session is nudged when the agent has answered. NULL with err when the named key cannot be used. */
struct ags_auth *ags_auth_new(struct ags_session *s, struct ags_err *err);

/* AGS_FAILED without err: the connection is gone, the session knows more. */
enum ags_step ags_auth_step(struct ags_auth *auth, struct ags_err *err);
/* There were keys that this libssh2 cannot use. */
bool ags_auth_passed_over(const struct ags_auth *auth);
void ags_auth_free(struct ags_auth *auth);                   /* NULL is fine */

#endif
