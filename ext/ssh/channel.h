#ifndef AGS_SSH_CHANNEL_H
#define AGS_SSH_CHANNEL_H

#include <stdint.h>

#include "ssh/pool.h"

/*
 * One command on one server: its standard input, output and error.
 *
 *   open ──► (connecting, logging in, exec) ──► write, read … send_eof ──► finish
 *                         any step may fail: err says why; then abort
 *
 * Nothing here blocks. A call that can do nothing now returns AGS_AGAIN; the channel's `wake` is called from the loop when trying
 * again makes sense (also when it failed). wake must not use the channel; it marks it for the caller's own round.
 * Several channels to one server may share a session. What a command writes to its standard error is taken off the
 * session as it comes, so that it blocks nothing; of what nobody reads only the first AGS_MAX_STDERR bytes are kept.
 */
struct ags_channel;

enum ags_stream { AGS_STDOUT, AGS_STDERR };

typedef void ags_wake_fn(void *arg);

/* Starts a command, already quoted for the shell. The session may still be connecting, and may have other channels.
 * When a reused session turns out to be dead before the command has started, the channel moves to a fresh one by itself.
 * NULL with err on lack of memory. The channel is the caller's. */
struct ags_channel *ags_channel_open(struct ags_pool *pool, const struct ags_endpoint *to, const char *command,
                                     ags_wake_fn *wake, void *arg, struct ags_err *err);

/* AGS_DONE once the server has accepted the command, AGS_AGAIN while connecting. */
enum ags_step ags_channel_ready(struct ags_channel *ch, struct ags_err *err);

/* AGS_DONE: *taken > 0 bytes were accepted, at most 32700 at once. After AGS_AGAIN the same bytes must be offered again, and
 * at least as many. Best in pieces of 32 KB. */
enum ags_step ags_channel_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err);

/* AGS_DONE: *got bytes were read; 0 means the end of that stream. Of standard output size is 16 KB or more. */
enum ags_step ags_channel_read(struct ags_channel *ch, enum ags_stream stream, void *bytes, size_t size, size_t *got,
                               struct ags_err *err);

/* No more input for the command. AGS_DONE once it is on its way. */
enum ags_step ags_channel_send_eof(struct ags_channel *ch, struct ags_err *err);

struct ags_exit {
	int  status;                 /* 0 to 255; -1 when the command was killed by a signal. libssh2 cannot tell a status of 0 from
	                              * one that was never sent: a 0 alone proves nothing, look for the command's own end */
	char signal[16];             /* "KILL", "" when there was none */
};

/* After the end of both streams: AGS_DONE with the command's exit once the server has closed the channel. */
enum ags_step ags_channel_finish(struct ags_channel *ch, struct ags_exit *exit, struct ags_err *err);

/* Milliseconds since bytes of this command last moved in either direction (since open, while connecting). Bytes that the
 * server acknowledges out of the kernel's queue count too. */
int64_t ags_channel_silent_ms(const struct ags_channel *ch);

/* The session was there before (false: opened for this channel). */
bool ags_channel_was_reused(const struct ags_channel *ch);

/* Ends the use: a finished channel gives its session back to the pool, an unfinished one cuts the connection (the only
 * way to stop a remote command at once) unless other channels use it; then the server is told that nobody listens any more, and
 * the connection ends with the last of the others. NULL is fine. */
void ags_channel_close(struct ags_channel *ch);

#endif
