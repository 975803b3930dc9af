#include "base/limits.h"
#include "base/text.h"
#include "ssh/libssh2_private.h"

#include <libssh2.h>
#include <string.h>

#define WINDOW (2u << 20)                 /* what a server may send unasked; enough for a LAN */
#define PACKET 32768u
#define LARGEST_WRITE 32700u              /* libssh2 takes no more at once */
#define SMALLEST_PACKET 1024u             /* RFC 4254 wants 32768; a packet for every byte would take all our time */
#define MAX_SMALL_WRITES 8                /* one after the other; a single one may be the end of a window that has grown meanwhile */
/* Of every read, whichever the stream. While keys are exchanged libssh2 cannot tell the server of more room: it does so later, by the size of
 * the read that could not, but counts by that of the read that did. With two sizes it takes less than it offered, and loses bytes. */
#define READ_PIECE 16384

static enum ags_step open_channel(struct ags_channel *ch);
static enum ags_step exec(struct ags_channel *ch);
static void refuse(struct ags_channel *ch, const char *what);
static enum ags_step failed(struct ags_channel *ch, const char *what, struct ags_err *err);
static bool takes_too_little(struct ags_channel *ch, size_t taken);
static void read_exit(struct ags_channel *ch);

enum ags_step ags_libssh2_start(struct ags_channel *ch)
{
	enum ags_step step = AGS_DONE;

	if (ch->state == AGS_CHANNEL_OPENING)
		step = open_channel(ch);
	return step == AGS_DONE ? exec(ch) : step;
}

enum ags_step ags_libssh2_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	ssize_t rc;

	if (ags_buf_len(&s->out) >= AGS_MAX_OUTQ) {
		ch->wants_room = true;
		return AGS_AGAIN;
	}
	if (ch->offered == 0)
		ch->offered = n < LARGEST_WRITE ? n : LARGEST_WRITE;
	rc = libssh2_channel_write_ex(ch->ssh, 0, bytes, ch->offered);
	if (rc == 0 || rc == LIBSSH2_ERROR_EAGAIN)
		return AGS_AGAIN;
	if (rc < 0)
		return failed(ch, "writing to a command", err);
	if (takes_too_little(ch, (size_t)rc)) {
		ags_fail(&s->err, AGS_LIMIT, "%s takes %zd bytes in a packet, want at least %u", s->address, rc, SMALLEST_PACKET);
		return failed(ch, "writing to a command", err);
	}
	*taken = (size_t)rc;
	ch->offered = 0;
	ch->queued_mark = s->queued;
	return AGS_DONE;
}

/* What came before the connection broke can still be read. */
enum ags_step ags_libssh2_read(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err)
{
	ssize_t n;

	if (size < READ_PIECE)
		return ags_fail_step(err, AGS_USAGE, "a read of %zu bytes is too small, want at least %u", size, READ_PIECE);
	n = libssh2_channel_read_ex(ch->ssh, 0, bytes, READ_PIECE);
	if (n >= 0) {
		*got = (size_t)n;
		return AGS_DONE;
	}
	if (n != LIBSSH2_ERROR_EAGAIN || ch->s->state == AGS_SESSION_BROKEN)
		return failed(ch, "reading from a command", err);
	return AGS_AGAIN;
}

enum ags_step ags_libssh2_send_eof(struct ags_channel *ch, struct ags_err *err)
{
	int rc = libssh2_channel_send_eof(ch->ssh);

	if (rc == 0 || rc == LIBSSH2_ERROR_EAGAIN)
		return rc == 0 ? AGS_DONE : AGS_AGAIN;
	return failed(ch, "ending the input of a command", err);
}

enum ags_step ags_libssh2_finish(struct ags_channel *ch, struct ags_err *err)
{
	int rc = libssh2_channel_wait_closed(ch->ssh);

	if (rc == 0) {
		read_exit(ch);
		return AGS_DONE;
	}
	if (rc != LIBSSH2_ERROR_EAGAIN && ch->output_ended && ch->s->state != AGS_SESSION_BROKEN)
		return failed(ch, "waiting for the end of a command", err);
	return AGS_AGAIN;
}

/* Reading standard error is also what makes libssh2 take in all that has come, for every channel of the session. */
bool ags_libssh2_drain(struct ags_channel *ch)
{
	uint8_t piece[READ_PIECE];
	ssize_t n;

	while ((n = libssh2_channel_read_ex(ch->ssh, SSH_EXTENDED_DATA_STDERR, (char *)piece, sizeof(piece))) > 0)
		if (!ags_channel_keep_errors(ch, piece, (size_t)n))
			return false;
	if (n == 0)
		ch->errors_ended = true;
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
		ags_libssh2_break(ch->s, "reading from a command");
	return ch->s->state == AGS_SESSION_READY;
}

int ags_libssh2_queue(const struct ags_channel *ch)
{
	return ch->queued_mark > 0 ? ch->s->fd : -1;
}

bool ags_libssh2_close(struct ags_channel *ch)
{
	return ch->ssh == NULL || libssh2_channel_free(ch->ssh) == 0;
}

void ags_libssh2_sent(struct ags_session *s, uint64_t sent_before)
{
	bool has_room = ags_buf_len(&s->out) <= AGS_MAX_OUTQ / 2;

	for (struct ags_channel *ch = s->channels; ch != NULL; ch = ch->next) {
		if (ch->queued_mark > sent_before)
			ch->moved_at = s->moved_at;
		if (ch->wants_room && has_room) {
			ch->wants_room = false;
			ch->wake(ch->arg);
		}
	}
}

/* The size of the server's packets is not told, so it shows only in what is taken while its window is open. */
static bool takes_too_little(struct ags_channel *ch, size_t taken)
{
	bool is_small = taken < ch->offered && taken < SMALLEST_PACKET && libssh2_channel_window_write(ch->ssh) >= SMALLEST_PACKET;

	ch->small_writes = is_small ? ch->small_writes + 1 : 0;
	return ch->small_writes > MAX_SMALL_WRITES;
}

static enum ags_step open_channel(struct ags_channel *ch)
{
	struct ags_session *s = ch->s;

	ch->ssh = libssh2_channel_open_ex(s->ssh, "session", 7, WINDOW, PACKET, NULL, 0);
	if (ch->ssh != NULL) {
		ch->state = AGS_CHANNEL_EXECING;
		return AGS_DONE;
	}
	switch (libssh2_session_last_errno(s->ssh)) {
	case LIBSSH2_ERROR_EAGAIN:
		return AGS_AGAIN;
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
		if (s->is_dismissed || !ags_channel_make_way(ch))
			refuse(ch, "open a channel");
		return AGS_FAILED;
	default:
		ags_libssh2_break(s, "opening a channel");
		return AGS_FAILED;
	}
}

static enum ags_step exec(struct ags_channel *ch)
{
	int rc = libssh2_channel_process_startup(ch->ssh, "exec", 4, ch->command, (unsigned)ch->command_len);

	if (rc == LIBSSH2_ERROR_EAGAIN)
		return AGS_AGAIN;
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		refuse(ch, "run a command");
	else if (rc != 0)
		ags_libssh2_break(ch->s, "starting a command");
	if (rc != 0)
		return AGS_FAILED;
	ags_channel_runs(ch);
	return AGS_DONE;
}

static void refuse(struct ags_channel *ch, const char *what)
{
	char *reason = NULL;

	libssh2_session_last_error(ch->s->ssh, &reason, NULL, 0);
	ags_channel_refuse(ch, what, reason != NULL ? reason : "", reason != NULL ? strlen(reason) : 0);
}

static enum ags_step failed(struct ags_channel *ch, const char *what, struct ags_err *err)
{
	if (ch->s->state != AGS_SESSION_BROKEN)
		ags_libssh2_break(ch->s, what);
	return ags_channel_fail(err, &ch->s->err);
}

static void read_exit(struct ags_channel *ch)
{
	char *name = NULL;
	size_t len = 0;
	int status = libssh2_channel_get_exit_status(ch->ssh);

	ch->exit = (struct ags_exit){ .status = status >= 0 && status <= 255 ? status : -1 };
	if (libssh2_channel_get_exit_signal(ch->ssh, &name, &len, NULL, NULL, NULL, NULL) == 0 && name != NULL) {
		ags_text_clean(ch->exit.signal, sizeof(ch->exit.signal), name, len);
		ch->exit.status = -1;
	}
	if (name != NULL)
		libssh2_free(ch->s->ssh, name);
}
