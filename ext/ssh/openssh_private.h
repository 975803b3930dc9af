#ifndef AGS_SSH_OPENSSH_PRIVATE_H
#define AGS_SSH_OPENSSH_PRIVATE_H

#include "ssh/channel_private.h"

/*
 * What session_openssh.c and channel_openssh.c share.
 *
 *   ssh, the master: one process per session, logged in to the server          its stderr: why it ended
 *     └─ socket ── passenger: one per channel; hands the master three descriptors, hears how the command ended
 */

/* A connection to the master's socket; -1 when nobody listens there. */
int ags_openssh_connect(const char *socket);

/* Breaks a session whose master is over, and says why. */
void ags_openssh_lost(struct ags_session *s);

enum ags_step ags_openssh_start(struct ags_channel *ch);
enum ags_step ags_openssh_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err);
enum ags_step ags_openssh_read(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err);
enum ags_step ags_openssh_send_eof(struct ags_channel *ch, struct ags_err *err);
enum ags_step ags_openssh_finish(struct ags_channel *ch, struct ags_err *err);
bool ags_openssh_drain(struct ags_channel *ch);
int ags_openssh_queue(const struct ags_channel *ch);
bool ags_openssh_close_channel(struct ags_channel *ch);

#endif
