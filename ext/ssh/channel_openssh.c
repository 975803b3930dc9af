#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* pipe2 */
#endif

#include "ssh/mux.h"
#include "ssh/openssh_private.h"
#include "ssh/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE       16384
#define TURN_BYTES  (64u << 10)
#define LONG_PIPE   (256 << 10)
#define END_MS      1000                  /* a master that hangs up without a word may be about to end itself */

/* One command on the master: its control connection and our ends of the command's three streams. */
struct ags_passenger {
	struct ags_channel *ch;
	int control, in, out, errors;
	struct ags_watch *control_watch, *in_watch, *out_watch, *errors_watch;
	struct ags_buf said;                  /* of the master, not yet read */
	bool has_exit, is_left;               /* is_left: the master hung up */
	int64_t left_at;
};

static bool board(struct ags_channel *ch);
static bool make_streams(struct ags_passenger *p, int theirs[3], struct ags_err *err);
static bool watch_streams(struct ags_passenger *p);
static bool hand_over(struct ags_passenger *p, struct ags_channel *ch, const int theirs[3]);
static enum ags_step fail(struct ags_channel *ch);
static bool send_descriptor(int socket, int fd);
static enum ags_step listen_to(struct ags_channel *ch);
static enum ags_step hear(struct ags_channel *ch, const struct ags_mux_message *m);
static void refuse(struct ags_channel *ch, const char *why);
static bool is_full(const uint8_t *why, size_t len);
static void on_control(void *arg, unsigned happened);
static void on_stream(void *arg, unsigned happened);
static void on_errors(void *arg, unsigned happened);
static void close_fd(int *fd);

enum ags_step ags_openssh_start(struct ags_channel *ch)
{
	if (ch->passenger == NULL && !board(ch))
		return AGS_FAILED;
	return listen_to(ch);
}

enum ags_step ags_openssh_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err)
{
	struct ags_passenger *p = ch->passenger;
	ssize_t sent = send(p->in, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)err;
	if (sent > 0) {
		*taken = (size_t)sent;
		ch->s->sent += (size_t)sent;
		ch->moved_at = ags_now_ms();
		return AGS_DONE;
	}
	/* A command that reads no more says the rest by its output and its exit. */
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		ags_watch_events(p->in_watch, AGS_WRITABLE);
	return AGS_AGAIN;
}

enum ags_step ags_openssh_read(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	ssize_t n = read(ch->passenger->out, bytes, size);

	if (n > 0) {
		*got = (size_t)n;
		s->received += (size_t)n;
		s->told = s->received;
		return AGS_DONE;
	}
	if (s->state == AGS_SESSION_BROKEN)
		return ags_channel_fail(err, &s->err);
	if (n == 0)
		return AGS_DONE;
	ags_watch_events(ch->passenger->out_watch, AGS_READABLE);
	return AGS_AGAIN;
}

enum ags_step ags_openssh_send_eof(struct ags_channel *ch, struct ags_err *err)
{
	(void)err;
	shutdown(ch->passenger->in, SHUT_WR);
	return AGS_DONE;
}

/* A master says nothing of a command that was killed by a signal: then it only hangs up. It does so too when it is about to end. */
enum ags_step ags_openssh_finish(struct ags_channel *ch, struct ags_err *err)
{
	struct ags_passenger *p = ch->passenger;

	(void)err;
	if (p->has_exit)
		return AGS_DONE;
	if (!p->is_left || ch->s->state == AGS_SESSION_BROKEN)
		return AGS_AGAIN;
	if (ags_now_ms() < p->left_at + END_MS) {
		ags_watch_deadline(p->control_watch, p->left_at + END_MS);
		return AGS_AGAIN;
	}
	ch->exit = (struct ags_exit){ .status = -1 };
	return AGS_DONE;
}

bool ags_openssh_drain(struct ags_channel *ch)
{
	struct ags_passenger *p = ch->passenger;
	uint8_t piece[PIECE];

	for (size_t budget = TURN_BYTES; !ch->errors_ended && budget >= sizeof(piece); budget -= sizeof(piece)) {
		ssize_t n = read(p->errors, piece, sizeof(piece));

		if (n < 0)
			return true;
		if (n > 0 && !ags_channel_keep_errors(ch, piece, (size_t)n))
			return false;
		ch->s->received += (size_t)n;
		if (n == 0) {
			ch->errors_ended = true;
			ags_watch_events(p->errors_watch, 0);
		}
	}
	return true;
}

int ags_openssh_queue(const struct ags_channel *ch)
{
	return ch->passenger != NULL ? ch->passenger->in : -1;
}

/* To a master whose passenger is gone the command's streams are closed, and that is all of it. */
bool ags_openssh_close_channel(struct ags_channel *ch)
{
	struct ags_passenger *p = ch->passenger;

	if (p == NULL)
		return true;
	ags_watch_remove(p->control_watch);
	ags_watch_remove(p->in_watch);
	ags_watch_remove(p->out_watch);
	ags_watch_remove(p->errors_watch);
	close_fd(&p->control);
	close_fd(&p->in);
	close_fd(&p->out);
	close_fd(&p->errors);
	ags_buf_free(&p->said);
	free(p);
	ch->passenger = NULL;
	return true;
}

static bool board(struct ags_channel *ch)
{
	struct ags_session *s = ch->s;
	struct ags_passenger *p = calloc(1, sizeof(*p));
	int theirs[3] = { -1, -1, -1 };
	bool ok = p != NULL || ags_fail_nomem(&ch->err), is_handed = false;

	if (ok) {
		*p = (struct ags_passenger){ .ch = ch, .control = -1, .in = -1, .out = -1, .errors = -1, .said.max = 2 * AGS_MUX_LONGEST };
		ch->passenger = p;
		p->control = ags_openssh_connect(s->socket);
		ok = make_streams(p, theirs, &ch->err) && (watch_streams(p) || ags_fail_nomem(&ch->err));
		is_handed = ok && p->control >= 0 && hand_over(p, ch, theirs);
	}
	for (int i = 0; i < 3; i++)
		close_fd(&theirs[i]);
	if (!ok || ch->err.code != AGS_OK) {
		fail(ch);
	} else if (!is_handed && ags_process_is_over(s->master)) {
		ags_openssh_lost(s);
	} else if (!is_handed) {
		s->is_doomed = true;                           /* it may be about to end, as a kept one does whose server hangs up */
		if (!ags_channel_make_way(ch))
			refuse(ch, "ssh takes no more commands");
	}
	return is_handed;
}

static bool make_streams(struct ags_passenger *p, int theirs[3], struct ags_err *err)
{
	int in[2], out[2], errors[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot make a pipe to ssh");
	p->in = in[0];
	theirs[0] = in[1];
	if (pipe2(out, O_CLOEXEC) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot make a pipe to ssh");
	p->out = out[0];
	theirs[1] = out[1];
	if (pipe2(errors, O_CLOEXEC) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot make a pipe to ssh");
	p->errors = errors[0];
	theirs[2] = errors[1];
	fcntl(p->out, F_SETFL, O_NONBLOCK);
	fcntl(p->errors, F_SETFL, O_NONBLOCK);
	fcntl(p->out, F_SETPIPE_SZ, LONG_PIPE);            /* fewer wakes; it may refuse */
	return true;
}

static bool watch_streams(struct ags_passenger *p)
{
	struct ags_loop *loop = ags_pool_loop(p->ch->pool);

	p->control_watch = ags_watch_add(loop, p->control, AGS_READABLE, on_control, p);
	p->in_watch = ags_watch_add(loop, p->in, 0, on_stream, p);
	p->out_watch = ags_watch_add(loop, p->out, 0, on_stream, p);
	p->errors_watch = ags_watch_add(loop, p->errors, AGS_READABLE, on_errors, p);
	return p->control_watch != NULL && p->in_watch != NULL && p->out_watch != NULL && p->errors_watch != NULL;
}

/* All of it fits into the socket's own buffer, so the master cannot make us wait. */
static bool hand_over(struct ags_passenger *p, struct ags_channel *ch, const int theirs[3])
{
	struct ags_buf wish = AGS_BUF_INIT;
	bool ok = (ags_mux_ask(&wish, ch->command, ch->command_len) || ags_fail_nomem(&ch->err)) &&
	          send(p->control, ags_buf_bytes(&wish), ags_buf_len(&wish), MSG_NOSIGNAL) == (ssize_t)ags_buf_len(&wish);

	ags_buf_free(&wish);
	for (int i = 0; ok && i < 3; i++)
		ok = send_descriptor(p->control, theirs[i]);
	return ok;
}

static bool send_descriptor(int socket, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	char nothing = 0;
	struct iovec one = { .iov_base = &nothing, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &one, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_len = CMSG_LEN(sizeof(int));
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

/* AGS_DONE once the command runs. */
static enum ags_step listen_to(struct ags_channel *ch)
{
	struct ags_passenger *p = ch->passenger;
	struct ags_mux_message m;
	struct ags_cursor in;
	bool is_broken = false;
	uint8_t piece[1024];
	ssize_t n = 0;

	while (!p->is_left && !is_broken && (n = read(p->control, piece, sizeof(piece))) > 0) {
		enum ags_step step = AGS_AGAIN;

		if (!ags_buf_add(&p->said, piece, (size_t)n))            /* it is read at once, so there is always room */
			return ags_fail_nomem(&ch->err), fail(ch);
		in = (struct ags_cursor){ ags_buf_bytes(&p->said), ags_buf_bytes(&p->said) + ags_buf_len(&p->said) };
		while (step != AGS_FAILED && ags_mux_read(&in, &m, &is_broken))
			step = hear(ch, &m);
		if (step == AGS_FAILED)
			return step;
		ags_buf_consume(&p->said, (size_t)(in.p - ags_buf_bytes(&p->said)));
	}
	if (!p->is_left && (is_broken || n == 0 || (errno != EAGAIN && errno != EINTR))) {
		p->is_left = true;
		p->left_at = ags_now_ms();
		ags_watch_events(p->control_watch, 0);
		ags_watch_deadline(p->control_watch, p->left_at + END_MS);
	}
	if (ch->state >= AGS_CHANNEL_RUNNING)
		return AGS_DONE;
	if (p->is_left && ags_now_ms() >= p->left_at + END_MS)
		return refuse(ch, "ssh hung up on it"), AGS_FAILED;
	return AGS_AGAIN;
}

static enum ags_step hear(struct ags_channel *ch, const struct ags_mux_message *m)
{
	switch (m->kind) {
	case AGS_MUX_HELLO:
		if (m->number == AGS_MUX_VERSION)
			return AGS_AGAIN;
		return refuse(ch, "this ssh speaks another language on its socket than version 4"), AGS_FAILED;
	case AGS_MUX_OPENED:
		if (ch->state < AGS_CHANNEL_RUNNING)
			ags_channel_runs(ch);
		ags_watch_events(ch->passenger->errors_watch, AGS_READABLE);      /* what came before waits for it */
		return AGS_DONE;
	case AGS_MUX_REFUSED:
		if (ch->state < AGS_CHANNEL_RUNNING && !(is_full(m->why, m->why_len) && ags_channel_make_way(ch)))
			ags_channel_refuse(ch, "open a channel", (const char *)m->why, m->why_len);
		return AGS_FAILED;
	case AGS_MUX_EXIT:
		ch->exit = (struct ags_exit){ .status = m->number <= 255 ? (int)m->number : -1 };
		ch->passenger->has_exit = true;
		return AGS_DONE;
	case AGS_MUX_OTHER:
		break;
	}
	return AGS_AGAIN;
}

/* What failed on this side is in ch->err. */
static enum ags_step fail(struct ags_channel *ch)
{
	ags_err_set_server(&ch->err, ch->s->to.server);
	ch->state = AGS_CHANNEL_REFUSED;
	return AGS_FAILED;
}

static void refuse(struct ags_channel *ch, const char *why)
{
	ags_channel_refuse(ch, "run a command", why, strlen(why));
}

/* sshd's MaxSessions. */
static bool is_full(const uint8_t *why, size_t len)
{
	static const char text[] = "Session open refused by peer";

	return len == sizeof(text) - 1 && memcmp(why, text, len) == 0;
}

/* The last thing done, as the session's turn may free all of it. */
static void on_control(void *arg, unsigned happened)
{
	struct ags_channel *ch = ((struct ags_passenger *)arg)->ch;

	(void)happened;
	if (ch->state < AGS_CHANNEL_RUNNING) {
		ags_session_turn(ch->s, 0);
		return;
	}
	listen_to(ch);
	ch->wake(ch->arg);
}

/* Told once; asking for more asks to be told again. */
static void on_stream(void *arg, unsigned happened)
{
	struct ags_passenger *p = arg;

	ags_watch_events(happened & AGS_WRITABLE ? p->in_watch : p->out_watch, 0);
	p->ch->wake(p->ch->arg);
}

static void on_errors(void *arg, unsigned happened)
{
	struct ags_passenger *p = arg;
	struct ags_channel *ch = p->ch;

	(void)happened;
	if (ch->state < AGS_CHANNEL_RUNNING)
		ags_watch_events(p->errors_watch, 0);
	else if (ags_openssh_drain(ch))
		ch->wake(ch->arg);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
