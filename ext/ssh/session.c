#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* POLLRDHUP */
#endif

#include "ssh/session.h"
#include "base/limits.h"
#include "base/text.h"
#include "ssh/auth.h"
#include "ssh/dial.h"
#include "ssh/hostkey.h"

#include <errno.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_BYTES (256u << 10)           /* taken in per turn: half a millisecond of decryption */
#define MAX_GREETING (64u << 10)          /* what a server may send before its SSH banner and keys are read */
#define FLUSH_AT_ONCE (16u << 10)         /* less than this is a question that someone waits for, more is a stream */
#define QUICK_BYTES 4096                  /* a turn that took less is a conversation, not a transfer */

static void turn(void *arg, unsigned happened);
static void advance(struct ags_session *s);
static enum ags_step dial(struct ags_session *s);
static bool begin_greeting(struct ags_session *s);
static enum ags_step greet(struct ags_session *s);
static enum ags_step log_in(struct ags_session *s);
static void check_time(struct ags_session *s);
static void lose(struct ags_session *s);
static bool has_banner(const struct ags_session *s);
static const char *doing(const struct ags_session *s, char *to, size_t size);
static void flush(struct ags_session *s);
static void let_go(struct ags_session *s, bool tell_server);
static void hang_up(struct ags_session *s, bool tell_server);
static LIBSSH2_SEND_FUNC(take_for_sending);
static LIBSSH2_RECV_FUNC(give_received);
static LIBSSH2_DISCONNECT_FUNC(note_farewell);

void ags_session_start(struct ags_session *s)
{
	s->state = AGS_SESSION_DIALING;
	s->deadline = ags_now_ms() + s->to.connect_timeout_ms;
	ags_watch_deadline(s->watch, ags_now_ms());
}

void ags_session_nudge(void *s, unsigned happened)
{
	(void)happened;
	turn(s, 0);
}

void ags_session_free(struct ags_session *s)
{
	if (s == NULL)
		return;
	s->is_freeing = true;
	ags_channels_gone(s);
	ags_auth_free(s->auth);
	ags_dial_free(s->dial);
	/* With everything swallowed and nothing received it cannot wait; the bound is for a library that thinks otherwise. */
	for (int i = 0; s->ssh != NULL && i < 100 && libssh2_session_free(s->ssh) == LIBSSH2_ERROR_EAGAIN; i++)
		continue;
	hang_up(s, true);
	ags_buf_free(&s->out);
	ags_arena_free(&s->arena);
	free(s);
}

void ags_session_break(struct ags_session *s)
{
	if (s->state == AGS_SESSION_BROKEN)
		return;
	ags_fail(&s->err, AGS_CONNECT, "the connection to %s was given up", s->address);
	ags_err_set_server(&s->err, s->to.server);
	let_go(s, true);
	ags_pool_leave_slot(s);
	ags_pool_note_broken(s);
	ags_channels_broken(s);
}

void ags_session_break_ssh(struct ags_session *s, const char *what)
{
	char *reason = NULL, text[256];
	int length = 0, code = libssh2_session_last_error(s->ssh, &reason, &length, 0);

	if (s->is_at_end || s->is_dismissed) {
		lose(s);
		return;
	}
	ags_text_clean(text, sizeof(text), reason != NULL ? reason : "", reason != NULL ? strlen(reason) : 0);
	ags_fail(&s->err, code == LIBSSH2_ERROR_ALLOC ? AGS_NOMEM : AGS_CONNECT, "%s with %s failed: %s (libssh2 error %d)", what,
	         s->address, text, code);
	ags_session_break(s);
}

void ags_session_forget(struct ags_session *s)
{
	if (s->state == AGS_SESSION_BROKEN)
		return;
	ags_fail(&s->err, AGS_CONNECT, "the connection to %s belongs to the process that opened it, not to this one", s->address);
	ags_err_set_server(&s->err, s->to.server);
	let_go(s, false);
	s->has_slot = false;
	s->is_forgotten = true;
}

void ags_session_settle(struct ags_session *s)
{
	unsigned events = 0;

	if (s->state == AGS_SESSION_BROKEN || s->is_stepping)
		return;
	if (ags_buf_len(&s->out) < FLUSH_AT_ONCE)
		flush(s);
	if (s->state != AGS_SESSION_READY || s->users > 0)
		events = s->is_deaf ? 0 : AGS_READABLE;
	if (ags_buf_len(&s->out) > 0)
		events |= AGS_WRITABLE;
	if (s->fd >= 0)
		ags_watch_events(s->watch, events);
	ags_watch_deadline(s->watch, s->state == AGS_SESSION_READY ? ags_channels_deadline(s) : s->deadline);
}

bool ags_session_is_alive(const struct ags_session *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN | POLLRDHUP };

	return s->state == AGS_SESSION_READY && poll(&p, 1, 0) >= 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0;
}

void ags_session_rest(struct ags_session *s)
{
	s->idle_since = ags_now_ms();
	ags_session_settle(s);
}

/* The library counts, as other extensions of the process may use it too. */
bool ags_ssh_init(void)
{
	return libssh2_init(0) == 0;
}

void ags_ssh_exit(void)
{
	libssh2_exit();
}

const char *ags_ssh_version(void)
{
	return libssh2_version(0);
}

const char *ags_ssh_compiled_version(void)
{
	return LIBSSH2_VERSION;
}

/* Everything that happens to a session happens here, when the loop says so. */
static void turn(void *arg, unsigned happened)
{
	struct ags_session *s = arg;
	uint64_t received = s->received;
	int on = 1;

	s->is_stepping = true;
	s->is_deaf = s->has_asked = false;
	s->may_read = TURN_BYTES;
	flush(s);
	advance(s);
	s->may_read = 0;
	if (s->is_at_end)
		lose(s);
	check_time(s);
	flush(s);
	s->is_deaf = (happened & AGS_READABLE) && !s->has_asked;
	s->is_stepping = false;
	if (s->fd >= 0 && s->received - received < QUICK_BYTES)
		setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	ags_session_settle(s);
	ags_pool_after_turn(s);
}

static void advance(struct ags_session *s)
{
	enum ags_step step = AGS_DONE;

	while (step == AGS_DONE && s->state < AGS_SESSION_READY)
		switch (s->state) {
		case AGS_SESSION_DIALING:  step = dial(s); break;
		case AGS_SESSION_GREETING: step = greet(s); break;
		case AGS_SESSION_LOGIN:    step = log_in(s); break;
		default:                   return;
		}
	if (step == AGS_FAILED)
		ags_session_break(s);
	else if (s->state == AGS_SESSION_READY)
		ags_channels_turn(s);
}

static enum ags_step dial(struct ags_session *s)
{
	enum ags_step step;

	if (s->dial == NULL)
		s->dial = ags_dial_new(ags_pool_loop(s->pool), s->to.host, s->to.port, s->deadline, ags_session_nudge, s, &s->err);
	if (s->dial == NULL)
		return AGS_FAILED;
	step = ags_dial_step(s->dial, &s->fd, &s->err);
	ags_text_clean(s->address, sizeof(s->address), ags_dial_address(s->dial), strlen(ags_dial_address(s->dial)));
	if (step != AGS_DONE)
		return step;
	ags_dial_free(s->dial);
	s->dial = NULL;
	ags_watch_remove(s->watch);
	s->watch = ags_watch_add(ags_pool_loop(s->pool), s->fd, AGS_READABLE, turn, s);
	if (s->watch == NULL)
		return ags_fail_nomem(&s->err), AGS_FAILED;
	s->moved_at = ags_now_ms();
	return begin_greeting(s) ? AGS_DONE : AGS_FAILED;
}

#if LIBSSH2_VERSION_NUM >= 0x010b01
#define set_callback(ssh, which, fn) libssh2_session_callback_set2(ssh, which, (libssh2_cb_generic *)(fn))
#else
#define set_callback(ssh, which, fn) libssh2_session_callback_set(ssh, which, (void *)(fn))
#endif

static bool begin_greeting(struct ags_session *s)
{
	s->ssh = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->ssh == NULL)
		return ags_fail_nomem(&s->err);
	libssh2_session_set_blocking(s->ssh, 0);
	set_callback(s->ssh, LIBSSH2_CALLBACK_SEND, take_for_sending);
	set_callback(s->ssh, LIBSSH2_CALLBACK_RECV, give_received);
	set_callback(s->ssh, LIBSSH2_CALLBACK_DISCONNECT, note_farewell);
	s->state = AGS_SESSION_GREETING;
	return ags_hostkey_prefer(s, &s->err);
}

static bool has_banner(const struct ags_session *s)
{
	const char *banner = s->ssh != NULL ? libssh2_session_banner_get(s->ssh) : NULL;

	return banner != NULL && strncmp(banner, "SSH-", 4) == 0;
}

static enum ags_step greet(struct ags_session *s)
{
	int rc = libssh2_session_handshake(s->ssh, s->fd);

	if (rc == LIBSSH2_ERROR_EAGAIN && s->received > MAX_GREETING && !has_banner(s))
		return ags_fail_step(&s->err, AGS_PROTOCOL, "%s sent %u bytes and no SSH banner, want an SSH server there", s->address,
		                     MAX_GREETING);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return AGS_AGAIN;
	if (rc != 0 && !s->is_dismissed && !has_banner(s))
		return ags_fail_step(&s->err, AGS_PROTOCOL, "%s does not answer as an SSH server does", s->address);
	if (rc != 0 && !s->is_dismissed && (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE))
		return ags_hostkey_explain(s, &s->err), AGS_FAILED;
	if (rc != 0) {
		ags_session_break_ssh(s, "exchanging keys");
		return AGS_AGAIN;
	}
	if (!ags_hostkey_check(s, &s->err))
		return AGS_FAILED;
	s->state = AGS_SESSION_LOGIN;
	s->auth = ags_auth_new(s, &s->err);
	return s->auth != NULL ? AGS_DONE : AGS_FAILED;
}

static enum ags_step log_in(struct ags_session *s)
{
	enum ags_step step = ags_auth_step(s->auth, &s->err);

	if (step == AGS_FAILED && s->err.code == AGS_OK)
		lose(s);
	if (step != AGS_DONE)
		return step;
	ags_auth_free(s->auth);
	s->auth = NULL;
	s->state = AGS_SESSION_READY;
	s->deadline = 0;
	ags_pool_leave_slot(s);
	return AGS_DONE;
}

/* The loop may be late, and a session with much to read may never see its deadline fire: so it is asked every turn. */
static void check_time(struct ags_session *s)
{
	char what[320];

	if (s->state >= AGS_SESSION_READY || s->deadline == 0 || ags_now_ms() < s->deadline)
		return;
	ags_fail(&s->err, AGS_TIMEOUT, "no answer from %s within %g s while %s", s->address, s->to.connect_timeout_ms / 1000.0,
	         doing(s, what, sizeof(what)));
	ags_session_break(s);
}

/* The other side has hung up. A server that has too many log-ins under way says so in a line before its banner. */
static void lose(struct ags_session *s)
{
	char what[320], reason[128];
	const char *line = s->state == AGS_SESSION_GREETING && !has_banner(s) ? libssh2_session_banner_get(s->ssh) : NULL;

	if (line != NULL && s->farewell[0] == '\0')
		ags_text_clean(s->farewell, sizeof(s->farewell), line, strlen(line));

	if (s->lost_errno != 0)
		ags_fail(&s->err, AGS_CONNECT, "lost the connection to %s while %s: %s", s->address, doing(s, what, sizeof(what)),
		         ags_err_reason(s->lost_errno, reason, sizeof(reason)));
	else
		ags_fail(&s->err, AGS_CONNECT, "%s closed the connection while %s%s%s", s->address, doing(s, what, sizeof(what)),
		         s->farewell[0] != '\0' ? ": " : "", s->farewell);
	ags_session_break(s);
}

static const char *doing(const struct ags_session *s, char *to, size_t size)
{
	switch (s->state) {
	case AGS_SESSION_WAITING:
	case AGS_SESSION_DIALING:  return "connecting";
	case AGS_SESSION_GREETING: return has_banner(s) ? "exchanging keys" : "waiting for its SSH banner";
	case AGS_SESSION_LOGIN:    snprintf(to, size, "logging in as %s", s->to.user); return to;
	default:                   return "running a command";
	}
}

static void flush(struct ags_session *s)
{
	uint64_t before = s->sent;

	while (s->fd >= 0 && ags_buf_len(&s->out) > 0) {
		ssize_t n = send(s->fd, ags_buf_bytes(&s->out), ags_buf_len(&s->out), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			s->lost_errno = errno;         /* what the server sent before may still be read, so no end yet */
			ags_buf_clear(&s->out);
			break;
		}
		if (n <= 0)
			break;
		ags_buf_consume(&s->out, (size_t)n);
		s->sent += (size_t)n;
		s->moved_at = ags_now_ms();
	}
	if (s->sent != before)
		ags_channels_sent(s, before);
}

static void let_go(struct ags_session *s, bool tell_server)
{
	s->state = AGS_SESSION_BROKEN;
	ags_auth_free(s->auth);
	s->auth = NULL;
	ags_dial_free(s->dial);
	s->dial = NULL;
	hang_up(s, tell_server);
}

static void hang_up(struct ags_session *s, bool tell_server)
{
	ags_watch_remove(s->watch);
	s->watch = NULL;
	if (s->fd < 0)
		return;
	if (tell_server)
		shutdown(s->fd, SHUT_RDWR);
	close(s->fd);
	s->fd = -1;
}

static LIBSSH2_SEND_FUNC(take_for_sending)
{
	struct ags_session *s = *abstract;

	(void)socket;
	(void)flags;
	if (s->is_freeing || s->state == AGS_SESSION_BROKEN || s->lost_errno != 0)
		return (ssize_t)length;
	if (!ags_buf_add(&s->out, buffer, length)) {
		ags_fail_nomem(&s->err);
		return -ENOMEM;
	}
	s->queued += length;
	return (ssize_t)length;
}

static LIBSSH2_RECV_FUNC(give_received)
{
	struct ags_session *s = *abstract;
	ssize_t n;

	(void)socket;
	(void)flags;
	if (s->is_freeing)
		return 0;
	if (s->may_read == 0 || s->is_at_end || s->fd < 0)
		return -EAGAIN;
	s->has_asked = true;
	n = recv(s->fd, buffer, length < s->may_read ? length : s->may_read, MSG_DONTWAIT);
	if (n > 0) {
		s->may_read -= (size_t)n;
		s->received += (size_t)n;
		s->moved_at = ags_now_ms();
		return n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n < 0 && s->lost_errno == 0)
		s->lost_errno = errno;
	s->is_at_end = true;
	return -EAGAIN;
}

static LIBSSH2_DISCONNECT_FUNC(note_farewell)
{
	struct ags_session *s = *abstract;

	(void)session;
	(void)reason;
	(void)language;
	(void)language_len;
	s->is_dismissed = true;
	if (message != NULL && message_len > 0)
		ags_text_clean(s->farewell, sizeof(s->farewell), message, (size_t)message_len);
}
