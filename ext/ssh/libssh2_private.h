#ifndef AGS_SSH_LIBSSH2_PRIVATE_H
#define AGS_SSH_LIBSSH2_PRIVATE_H

#include "ssh/channel_private.h"

/* What session_libssh2.c and channel_libssh2.c share. */

/* Ends the session for a call of libssh2 that failed while doing `what`. */
void ags_libssh2_break(struct ags_session *s, const char *what);
/* Memory that libssh2 will free; NULL when there is none. */
void *ags_libssh2_memory(struct ags_session *s, size_t n);
/* The socket took bytes: the channels whose bytes may be among them live, and those that waited for room are told. */
void ags_libssh2_sent(struct ags_session *s, uint64_t sent_before);

enum ags_step ags_libssh2_start(struct ags_channel *ch);
enum ags_step ags_libssh2_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err);
enum ags_step ags_libssh2_read(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err);
enum ags_step ags_libssh2_send_eof(struct ags_channel *ch, struct ags_err *err);
enum ags_step ags_libssh2_finish(struct ags_channel *ch, struct ags_err *err);
bool ags_libssh2_drain(struct ags_channel *ch);
int ags_libssh2_queue(const struct ags_channel *ch);
bool ags_libssh2_close(struct ags_channel *ch);

#endif
