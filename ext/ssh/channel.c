#include "ssh/channel.h"
#include "base/limits.h"
#include "base/text.h"
#include "ssh/session.h"

#include <libssh2.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define WINDOW (2u << 20)                 /* what a server may send unasked; enough for a LAN */
#define PACKET 32768u
#define LARGEST_WRITE 32700u              /* libssh2 takes no more at once */
#define ERROR_PIECE 16384

enum state { QUEUED, OPENING, EXECING, RUNNING, FINISHED, REFUSED };

struct ags_channel {
	struct ags_pool *pool;
	struct ags_session *s;
	struct ags_channel *next;
	LIBSSH2_CHANNEL *ssh;
	enum state state;
	struct ags_err err;                   /* REFUSED: of this channel, not of its session */
	ags_wake_fn *wake;
	void *arg;
	int64_t moved_at, deadline;
	uint32_t timeout_ms;                  /* until the command runs */
	uint64_t queued_mark;                 /* the session's `queued` after this channel's last write */
	size_t offered;                       /* bytes of a write that libssh2 has begun */
	struct ags_buf errors;
	bool errors_ended, output_ended, input_ended;
	bool is_reused, may_move, wants_room, is_orphan;
	struct ags_exit exit;
	size_t command_len;
	char command[];
};

static void attach(struct ags_channel *ch, struct ags_session *s);
static void detach(struct ags_channel *ch);
static void enter(struct ags_session *s);
static void leave(struct ags_session *s);
static void start_channels(struct ags_session *s);
static enum ags_step start(struct ags_channel *ch);
static enum ags_step open_channel(struct ags_channel *ch);
static enum ags_step exec(struct ags_channel *ch);
static void refuse(struct ags_channel *ch, const char *what);
static bool move(struct ags_channel *ch);
static bool drain(struct ags_channel *ch);
static bool bury_orphan(struct ags_channel *ch);
static void check_times(struct ags_session *s);
static uint32_t start_ms(const struct ags_channel *ch);
static bool has_failed(struct ags_channel *ch, struct ags_err *err);
static enum ags_step fail_with(struct ags_err *err, const struct ags_err *why);
static enum ags_step read_output(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err);
static enum ags_step read_errors(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err);
static enum ags_step ssh_failed(struct ags_channel *ch, const char *what, struct ags_err *err);
static bool ends_tidy(struct ags_channel *ch);
static void read_exit(struct ags_channel *ch);
static void free_channel(struct ags_channel *ch);

struct ags_channel *ags_channel_open(struct ags_pool *pool, const struct ags_endpoint *to, const char *command,
                                     ags_wake_fn *wake, void *arg, struct ags_err *err)
{
	size_t len = strlen(command);
	struct ags_channel *ch;
	struct ags_session *s;

	if (len > AGS_MAX_COMMAND) {
		ags_fail(err, AGS_LIMIT, "a command of %zu bytes is too long for one SSH packet, want at most %u", len, AGS_MAX_COMMAND);
		return NULL;
	}
	ch = calloc(1, sizeof(*ch) + len + 1);
	if (ch == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	*ch = (struct ags_channel){ .pool = pool, .wake = wake, .arg = arg, .moved_at = ags_now_ms(), .command_len = len,
	                            .errors = { .max = AGS_MAX_STDERR } };
	memcpy(ch->command, command, len);
	s = ags_pool_lend(pool, to, err);
	if (s == NULL) {
		free(ch);
		return NULL;
	}
	ch->is_reused = s->lent > 1;
	ch->may_move = s->state == AGS_SESSION_READY;
	ch->timeout_ms = to->connect_timeout_ms > 0 ? to->connect_timeout_ms : s->to.connect_timeout_ms;
	attach(ch, s);
	if (s->state == AGS_SESSION_READY) {
		enter(s);
		start_channels(s);
		leave(s);
	}
	return ch;
}

enum ags_step ags_channel_ready(struct ags_channel *ch, struct ags_err *err)
{
	if (has_failed(ch, err))
		return AGS_FAILED;
	return ch->state >= RUNNING ? AGS_DONE : AGS_AGAIN;
}

enum ags_step ags_channel_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	ssize_t rc;

	*taken = 0;
	if (has_failed(ch, err))
		return AGS_FAILED;
	if (ch->input_ended || n < ch->offered || n == 0)
		return ags_fail_step(err, AGS_USAGE, "a write of %zu bytes is not the one that has to be repeated or the first after the end of input", n);
	if (ch->state != RUNNING)
		return ch->state < RUNNING ? AGS_AGAIN : ags_fail_step(err, AGS_USAGE, "the command has ended");
	if (ags_buf_len(&s->out) >= AGS_MAX_OUTQ) {
		ch->wants_room = true;
		return AGS_AGAIN;
	}
	if (ch->offered == 0)
		ch->offered = n < LARGEST_WRITE ? n : LARGEST_WRITE;
	enter(s);
	rc = libssh2_channel_write_ex(ch->ssh, 0, bytes, ch->offered);
	if (rc > 0) {
		*taken = (size_t)rc;
		ch->offered = 0;
		ch->queued_mark = s->queued;
	} else if (rc < 0 && rc != LIBSSH2_ERROR_EAGAIN) {
		ssh_failed(ch, "writing to a command", err);
	}
	leave(s);
	return rc > 0 ? AGS_DONE : rc == 0 || rc == LIBSSH2_ERROR_EAGAIN ? AGS_AGAIN : AGS_FAILED;
}

enum ags_step ags_channel_read(struct ags_channel *ch, enum ags_stream stream, void *bytes, size_t size, size_t *got,
                               struct ags_err *err)
{
	*got = 0;
	if (!ags_pool_is_ours(ch->pool) || ch->s->is_forgotten || ch->state == REFUSED)
		return has_failed(ch, err), AGS_FAILED;
	if (ch->state < RUNNING)
		return has_failed(ch, err) ? AGS_FAILED : AGS_AGAIN;
	return stream == AGS_STDOUT ? read_output(ch, bytes, size, got, err) : read_errors(ch, bytes, size, got, err);
}

enum ags_step ags_channel_send_eof(struct ags_channel *ch, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	int rc;

	if (has_failed(ch, err))
		return AGS_FAILED;
	if (ch->input_ended || ch->state == FINISHED)
		return AGS_DONE;
	if (ch->state != RUNNING)
		return AGS_AGAIN;
	enter(s);
	rc = libssh2_channel_send_eof(ch->ssh);
	if (rc == 0)
		ch->input_ended = true;
	else if (rc != LIBSSH2_ERROR_EAGAIN)
		ssh_failed(ch, "ending the input of a command", err);
	leave(s);
	return rc == 0 ? AGS_DONE : rc == LIBSSH2_ERROR_EAGAIN ? AGS_AGAIN : AGS_FAILED;
}

enum ags_step ags_channel_finish(struct ags_channel *ch, struct ags_exit *result, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	int rc;

	if (!ags_pool_is_ours(ch->pool) || s->is_forgotten || ch->state == REFUSED)
		return has_failed(ch, err), AGS_FAILED;
	if (ch->state == RUNNING) {
		enter(s);
		rc = libssh2_channel_wait_closed(ch->ssh);
		if (rc == 0)
			read_exit(ch);
		leave(s);
		if (rc != 0 && has_failed(ch, err))
			return AGS_FAILED;
		if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN && ch->output_ended)
			return ssh_failed(ch, "waiting for the end of a command", err);
	}
	if (ch->state != FINISHED)
		return has_failed(ch, err) ? AGS_FAILED : AGS_AGAIN;
	*result = ch->exit;
	return AGS_DONE;
}

/* Bytes that wait in the kernel count as moving when they grow fewer: a slow line may take seconds for them. */
int64_t ags_channel_silent_ms(const struct ags_channel *ch)
{
	struct ags_session *s = ch->s;
	int64_t moved_at = ch->moved_at, now = ags_now_ms();
	int left = 0;

	if (now - moved_at > 1000 && s->fd >= 0 && ioctl(s->fd, SIOCOUTQ, &left) == 0) {
		if (left < s->kernel_queue)
			s->acked_at = now;
		s->kernel_queue = left;
		if (ch->queued_mark > 0 && s->acked_at > moved_at)
			moved_at = s->acked_at;
	}
	return now - moved_at;
}

bool ags_channel_was_reused(const struct ags_channel *ch)
{
	return ch->is_reused;
}

void ags_channel_close(struct ags_channel *ch)
{
	struct ags_session *s;
	bool is_done;

	if (ch == NULL)
		return;
	s = ch->s;
	ags_pool_is_ours(ch->pool);
	enter(s);
	is_done = ends_tidy(ch);
	if (is_done || s->users == 1 || s->state != AGS_SESSION_READY) {
		detach(ch);
		free_channel(ch);
	} else {
		ch->is_orphan = true;
		if (ch != s->starting)
			bury_orphan(ch);
	}
	s->is_doomed |= !is_done && s->state == AGS_SESSION_READY;
	s->is_stepping = false;
	ags_session_settle(s);
	ags_pool_give_back(s->pool, s);
}

/* The session's own turn: starts what waits, takes in what has come, and tells the callers. */
void ags_channels_turn(struct ags_session *s)
{
	struct ags_channel *next;

	start_channels(s);
	for (struct ags_channel *ch = s->channels; ch != NULL && s->state == AGS_SESSION_READY; ch = next) {
		next = ch->next;
		if (ch->is_orphan && ch != s->starting && bury_orphan(ch))
			continue;
		if (ch->ssh != NULL && ch->state >= RUNNING && !drain(ch))
			return;
	}
	check_times(s);
	if (s->state != AGS_SESSION_READY || s->received == s->told)
		return;
	s->told = s->received;
	for (struct ags_channel *ch = s->channels; ch != NULL; ch = ch->next)
		if (ch->state >= RUNNING && !ch->is_orphan)
			ch->wake(ch->arg);
}

void ags_channels_sent(struct ags_session *s, uint64_t sent_before)
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

void ags_channels_broken(struct ags_session *s)
{
	struct ags_channel *next;

	for (struct ags_channel *ch = s->channels; ch != NULL; ch = next) {
		next = ch->next;
		if (ch->is_orphan || (ch->may_move && ch->state <= OPENING && move(ch)))
			continue;
		ch->wake(ch->arg);
	}
}

void ags_channels_gone(struct ags_session *s)
{
	while (s->channels != NULL) {
		struct ags_channel *ch = s->channels;

		s->channels = ch->next;
		free_channel(ch);
	}
}

int64_t ags_channels_deadline(const struct ags_session *s)
{
	int64_t first = 0;

	for (const struct ags_channel *ch = s->channels; ch != NULL; ch = ch->next)
		if (ch->deadline != 0 && (first == 0 || ch->deadline < first))
			first = ch->deadline;
	return first;
}

static void attach(struct ags_channel *ch, struct ags_session *s)
{
	struct ags_channel **at = &s->channels;

	while (*at != NULL)
		at = &(*at)->next;
	*at = ch;
	ch->next = NULL;
	ch->s = s;
}

static void detach(struct ags_channel *ch)
{
	struct ags_channel **at = &ch->s->channels;

	while (*at != ch)
		at = &(*at)->next;
	*at = ch->next;
	if (ch->s->starting == ch)
		ch->s->starting = NULL;
}

/* Around calls of libssh2 that are not made in the session's turn: a session that breaks meanwhile is freed at the end. */
static void enter(struct ags_session *s)
{
	s->is_stepping = true;
}

static void leave(struct ags_session *s)
{
	s->is_stepping = false;
	ags_session_settle(s);
	ags_pool_after_turn(s);
}

/* One at a time: with two, libssh2 may hand the answer for one to the other. */
static void start_channels(struct ags_session *s)
{
	while (s->state == AGS_SESSION_READY) {
		struct ags_channel *ch = s->starting;

		for (ch = ch != NULL ? ch : s->channels; ch != NULL && ch != s->starting && ch->state != QUEUED; ch = ch->next)
			continue;
		if (ch == NULL)
			return;
		s->starting = ch;
		if (start(ch) == AGS_AGAIN)
			return;
	}
}

/* AGS_DONE: it runs. AGS_FAILED: it, or its session, does not; the next may be tried. */
static enum ags_step start(struct ags_channel *ch)
{
	struct ags_session *s = ch->s;
	enum ags_step step = AGS_DONE;

	if (ch->state == QUEUED) {
		ch->state = OPENING;
		ch->deadline = ags_now_ms() + start_ms(ch);
	}
	if (ch->state == OPENING)
		step = open_channel(ch);
	if (step == AGS_DONE)
		step = exec(ch);
	if (step == AGS_AGAIN || ch->s != s)
		return step;
	s->starting = NULL;
	ch->deadline = 0;
	if (!ch->is_orphan && s->state == AGS_SESSION_READY)
		ch->wake(ch->arg);
	return step;
}

static enum ags_step open_channel(struct ags_channel *ch)
{
	struct ags_session *s = ch->s;

	ch->ssh = libssh2_channel_open_ex(s->ssh, "session", 7, WINDOW, PACKET, NULL, 0);
	if (ch->ssh != NULL) {
		ch->state = EXECING;
		return AGS_DONE;
	}
	switch (libssh2_session_last_errno(s->ssh)) {
	case LIBSSH2_ERROR_EAGAIN:
		return AGS_AGAIN;
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
		if (s->users > 1 && !s->is_dismissed) {           /* sshd's MaxSessions is low: this session has all it may */
			s->max_users = s->users - 1;
			if (move(ch))
				return AGS_FAILED;
		}
		refuse(ch, "open a channel");
		return AGS_FAILED;
	default:
		ags_session_break_ssh(s, "opening a channel");
		return AGS_FAILED;
	}
}

static enum ags_step exec(struct ags_channel *ch)
{
	struct ags_session *s = ch->s;
	int rc = libssh2_channel_process_startup(ch->ssh, "exec", 4, ch->command, (unsigned)ch->command_len);

	if (rc == LIBSSH2_ERROR_EAGAIN)
		return AGS_AGAIN;
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		refuse(ch, "run a command");
	else if (rc != 0)
		ags_session_break_ssh(s, "starting a command");
	if (rc != 0)
		return AGS_FAILED;
	ch->state = RUNNING;
	ch->moved_at = ags_now_ms();
	s->commands++;
	return AGS_DONE;
}

static void refuse(struct ags_channel *ch, const char *what)
{
	char *reason = NULL, text[256];

	libssh2_session_last_error(ch->s->ssh, &reason, NULL, 0);
	ags_text_clean(text, sizeof(text), reason != NULL ? reason : "", reason != NULL ? strlen(reason) : 0);
	ags_fail(&ch->err, AGS_REMOTE, "%s refuses to %s: %s", ch->s->address, what, text);
	ags_err_set_server(&ch->err, ch->s->to.server);
	ch->state = REFUSED;
}

/* To a fresh session, once, which has the other half of the time. The old one keeps its strings until the new one has copied them. */
static bool move(struct ags_channel *ch)
{
	struct ags_session *old = ch->s, *fresh;
	struct ags_endpoint to = old->to;
	struct ags_err why = AGS_ERR_INIT;

	to.connect_timeout_ms = ch->timeout_ms / 2;
	fresh = ags_pool_lend_fresh(ch->pool, &to, &why);
	if (fresh == NULL)
		return false;
	detach(ch);
	attach(ch, fresh);
	ch->ssh = NULL;
	ch->state = QUEUED;
	ch->deadline = 0;
	ch->may_move = ch->is_reused = false;
	ags_pool_give_back(ch->pool, old);
	return true;
}

/* Reading standard error is also what makes libssh2 take in all that has come, for every channel of the session. */
static bool drain(struct ags_channel *ch)
{
	uint8_t piece[ERROR_PIECE];
	bool has_memory = true;
	size_t room;
	ssize_t n;

	while (has_memory && (n = libssh2_channel_read_ex(ch->ssh, SSH_EXTENDED_DATA_STDERR, (char *)piece, sizeof(piece))) > 0) {
		ch->moved_at = ags_now_ms();
		room = AGS_MAX_STDERR - ags_buf_len(&ch->errors);
		has_memory = ags_buf_add(&ch->errors, piece, (size_t)n < room ? (size_t)n : room);       /* the rest is lost, as told */
	}
	if (!has_memory) {
		ags_fail_nomem(&ch->s->err);
		ags_session_break(ch->s);
		return false;
	}
	if (n == 0)
		ch->errors_ended = true;
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
		ags_session_break_ssh(ch->s, "reading from a command");
	return ch->s->state == AGS_SESSION_READY;
}

/* A channel that nobody holds any more: its end has been announced to the server, which must confirm it. */
static bool bury_orphan(struct ags_channel *ch)
{
	if (ch->ssh != NULL && libssh2_channel_free(ch->ssh) != 0)
		return false;
	detach(ch);
	free_channel(ch);
	return true;
}

static void check_times(struct ags_session *s)
{
	int64_t deadline = ags_channels_deadline(s);

	if (s->state != AGS_SESSION_READY || deadline == 0 || ags_now_ms() < deadline)
		return;
	ags_fail(&s->err, AGS_TIMEOUT, "no answer from %s within %g s while starting a command", s->address,
	         s->starting != NULL ? start_ms(s->starting) / 1000.0 : 0);
	ags_session_break(s);
}

/* On a kept session that may be dead half of the time is left for a fresh one. */
static uint32_t start_ms(const struct ags_channel *ch)
{
	return ch->may_move ? ch->timeout_ms / 2 : ch->timeout_ms;
}

/* The session is as good as before it. */
static bool ends_tidy(struct ags_channel *ch)
{
	if (ch->s->is_forgotten || ch->ssh == NULL)
		return ch->state != OPENING;
	return ch->state == FINISHED && ch->s->state == AGS_SESSION_READY && libssh2_channel_free(ch->ssh) == 0;
}

static bool has_failed(struct ags_channel *ch, struct ags_err *err)
{
	ags_pool_is_ours(ch->pool);
	if (ch->state == REFUSED)
		return fail_with(err, &ch->err) == AGS_FAILED;
	if (ch->s->state == AGS_SESSION_BROKEN && ch->state != FINISHED)
		return fail_with(err, &ch->s->err) == AGS_FAILED;
	return false;
}

static enum ags_step fail_with(struct ags_err *err, const struct ags_err *why)
{
	if (err->code == AGS_OK)
		*err = *why;
	return AGS_FAILED;
}

/* What came before the connection broke can still be read. */
static enum ags_step read_output(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	ssize_t n;

	if (ch->output_ended || ch->state == FINISHED)
		return AGS_DONE;
	enter(s);
	n = libssh2_channel_read_ex(ch->ssh, 0, bytes, size);
	if (n > 0) {
		*got = (size_t)n;
		ch->moved_at = ags_now_ms();
	} else if (n == 0) {
		ch->output_ended = true;
	} else if (n != LIBSSH2_ERROR_EAGAIN || s->state == AGS_SESSION_BROKEN) {
		ssh_failed(ch, "reading from a command", err);
	}
	leave(s);
	return n >= 0 ? AGS_DONE : err->code != AGS_OK ? AGS_FAILED : AGS_AGAIN;
}

static enum ags_step read_errors(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err)
{
	size_t held = ags_buf_len(&ch->errors);

	if (held == 0 && (ch->errors_ended || ch->state == FINISHED))
		return AGS_DONE;
	if (held == 0)
		return has_failed(ch, err) ? AGS_FAILED : AGS_AGAIN;
	*got = held < size ? held : size;
	memcpy(bytes, ags_buf_bytes(&ch->errors), *got);
	ags_buf_consume(&ch->errors, *got);
	return AGS_DONE;
}

static enum ags_step ssh_failed(struct ags_channel *ch, const char *what, struct ags_err *err)
{
	if (ch->s->state != AGS_SESSION_BROKEN)
		ags_session_break_ssh(ch->s, what);
	return fail_with(err, &ch->s->err);
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
	ch->state = FINISHED;
}

static void free_channel(struct ags_channel *ch)
{
	ags_buf_free(&ch->errors);
	free(ch);
}
