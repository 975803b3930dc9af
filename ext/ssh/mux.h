#ifndef AGS_SSH_MUX_H
#define AGS_SSH_MUX_H

#include "base/buf.h"

/*
 * What ssh's master and its passengers say to each other over its socket (PROTOCOL.mux of OpenSSH, version 4). Messages have
 * their length before them.
 *
 *   we: hello, session with the command, three descriptors          master: hello … opened … exit, then it hangs up
 *                                                                                 └── or a refusal
 */
enum ags_mux_kind { AGS_MUX_HELLO, AGS_MUX_OPENED, AGS_MUX_REFUSED, AGS_MUX_EXIT, AGS_MUX_OTHER };

struct ags_mux_message {
	enum ags_mux_kind kind;
	uint32_t number;                 /* HELLO: the version; EXIT: the status */
	const uint8_t *why;              /* REFUSED: in the bytes that were read */
	size_t why_len;
};

#define AGS_MUX_VERSION 4
#define AGS_MUX_LONGEST 4096         /* a refusal is a line */

/* Hello and the wish to run a command; the descriptors for its input, output and errors follow. False on lack of memory. */
bool ags_mux_ask(struct ags_buf *to, const char *command, size_t len);

/* The next message; false when there is none yet, and the cursor stays. *is_broken when there will never be one. */
bool ags_mux_read(struct ags_cursor *in, struct ags_mux_message *message, bool *is_broken);

#endif
