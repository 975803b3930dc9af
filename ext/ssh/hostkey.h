#ifndef AGS_SSH_HOSTKEY_H
#define AGS_SSH_HOSTKEY_H

#include "ssh/session.h"

/*
 * Which algorithms are offered to a server, and whether its key is the one that known_hosts holds. A server is
 * first asked for the types of key that are held, as it may have others too.
 */
bool ags_hostkey_prefer(struct ags_session *s, struct ags_err *err);      /* before the handshake */
bool ags_hostkey_check(struct ags_session *s, struct ags_err *err);       /* after it, before any login */
bool ags_hostkey_explain(struct ags_session *s, struct ags_err *err);     /* a failed handshake; returns false */

#endif
