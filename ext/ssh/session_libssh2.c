#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* POLLRDHUP */
#endif

/*
 * libssh2 never sees the socket. What it sends goes into `out` and is always taken, as it wedges for good when a
 * send of its own is refused at the wrong moment. What it receives it gets from the socket only within the session's own turn
 * in the loop, so that no call of a channel can take in bytes that another channel waits for, and that a
 * busy session gives way to the others. The end of the connection is hidden from it, so that what came before the
 * end can still be read.
 */
#include "base/limits.h"
#include "base/text.h"
#include "ssh/auth.h"
#include "ssh/choice.h"
#include "ssh/dial.h"
#include "ssh/hostkey.h"
#include "ssh/libssh2_private.h"

#include <errno.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_BYTES (256u << 10)           /* taken in per turn: half a millisecond of decryption */
#define TURN_MS 2                         /* and no more after that: a flood of tiny packets takes time, not bytes */
#define MAX_GREETING (64u << 10)          /* what a server may send before its SSH banner and keys are read */
#define MAX_MEMORY (32u << 20)            /* of libssh2 for a session: twice the windows of its channels */
#define MAX_UNSENT (1u << 20)             /* eight times what writers may queue: the rest are answers that the server does not read */
#define FLUSH_AT_ONCE (16u << 10)         /* less than this is a question that someone waits for, more is a stream */
#define FIRST_WITH_RSA_SHA2 0x010b00      /* libssh2 1.11 */
#define QUICK_BYTES 4096                  /* a turn that took less is a conversation, not a transfer */

struct ags_ssh_piece {
	struct ags_ssh_piece *next, **back;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

static enum ags_step connect_step(struct ags_session *s);
static void begin_turn(struct ags_session *s);
static void end_turn(struct ags_session *s, unsigned happened);
static void settle(struct ags_session *s);
static bool is_alive(const struct ags_session *s);
static const char *doing(const struct ags_session *s, char *to, size_t size);
static void hang_up(struct ags_session *s, bool tell_server);
static void free_all(struct ags_session *s);
static void on_socket(void *arg, unsigned happened);
static enum ags_step dial(struct ags_session *s);
static bool begin_greeting(struct ags_session *s);
static enum ags_step greet(struct ags_session *s);
static enum ags_step log_in(struct ags_session *s);
static enum ags_step fall_back(struct ags_session *s, const char *reason);
static void lose(struct ags_session *s);
static bool has_banner(const struct ags_session *s);
static void flush(struct ags_session *s);
static LIBSSH2_ALLOC_FUNC(give_memory);
static LIBSSH2_REALLOC_FUNC(give_more_memory);
static LIBSSH2_FREE_FUNC(take_memory);
static struct ags_ssh_piece *piece_of(void *bytes);
static LIBSSH2_SEND_FUNC(take_for_sending);
static LIBSSH2_RECV_FUNC(give_received);
static LIBSSH2_DISCONNECT_FUNC(note_farewell);

const struct ags_link ags_link_libssh2 = {
	.name = "libssh2",
	.connect = connect_step, .begin_turn = begin_turn, .end_turn = end_turn, .settle = settle, .is_alive = is_alive, .doing = doing,
	.hang_up = hang_up, .free = free_all,
	.start = ags_libssh2_start, .write = ags_libssh2_write, .read = ags_libssh2_read, .send_eof = ags_libssh2_send_eof,
	.finish = ags_libssh2_finish, .drain = ags_libssh2_drain, .queue = ags_libssh2_queue, .close = ags_libssh2_close,
};

void ags_libssh2_break(struct ags_session *s, const char *what)
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

void *ags_libssh2_memory(struct ags_session *s, size_t n)
{
	void *abstract = s;

	return give_memory(n, &abstract);
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

bool ags_ssh_can_rsa(void)
{
	return libssh2_version(FIRST_WITH_RSA_SHA2) != NULL;
}

static enum ags_step connect_step(struct ags_session *s)
{
	switch (s->state) {
	case AGS_SESSION_CHOOSING: s->state = AGS_SESSION_DIALING; return AGS_DONE;
	case AGS_SESSION_DIALING:  return dial(s);
	case AGS_SESSION_GREETING: return greet(s);
	case AGS_SESSION_LOGIN:    return log_in(s);
	default:                   return AGS_AGAIN;
	}
}

static void begin_turn(struct ags_session *s)
{
	s->is_deaf = s->has_asked = false;
	s->may_read = TURN_BYTES;
	s->received_before = s->received;
	s->turn_ends = ags_now_ms() + TURN_MS;
	flush(s);
}

static void end_turn(struct ags_session *s, unsigned happened)
{
	int on = 1;

	s->may_read = 0;
	if (s->err.code != AGS_OK)               /* libssh2 may have gone on after what it was refused */
		ags_session_break(s);
	if (s->is_at_end)
		lose(s);
	flush(s);
	s->is_deaf = (happened & AGS_READABLE) && !s->has_asked;
	if (s->fd >= 0 && s->received - s->received_before < QUICK_BYTES)
		setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void settle(struct ags_session *s)
{
	unsigned events = 0;

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

static bool is_alive(const struct ags_session *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN | POLLRDHUP };

	return poll(&p, 1, 0) >= 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0;
}

static void on_socket(void *arg, unsigned happened)
{
	ags_session_turn(arg, happened);
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
	s->watch = ags_watch_add(ags_pool_loop(s->pool), s->fd, AGS_READABLE, on_socket, s);
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
	s->ssh = libssh2_session_init_ex(give_memory, take_memory, give_more_memory, s);
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
		return ags_hostkey_explain(s, &s->err), fall_back(s, rc == LIBSSH2_ERROR_KEX_FAILURE ? "the server and libssh2 have no algorithms in common" : NULL);
	if (rc != 0) {
		ags_libssh2_break(s, "exchanging keys");
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
	if (step == AGS_FAILED && s->err.code == AGS_AUTH)
		return fall_back(s, ags_auth_passed_over(s->auth) ? "there are keys that libssh2 cannot use" : NULL);
	if (step != AGS_DONE)
		return step;
	ags_auth_free(s->auth);
	s->auth = NULL;
	ags_session_login_done(s);
	return AGS_DONE;
}

/* What libssh2 cannot do and the server asks for shows only now. No command has been sent yet, and ssh holds to the same host key. */
static enum ags_step fall_back(struct ags_session *s, const char *reason)
{
	return reason != NULL && ags_choice_fall_back(s, reason) ? AGS_DONE : AGS_FAILED;
}

/* The other side has hung up. A server that has too many log-ins under way says so in a line before its banner. */
static void lose(struct ags_session *s)
{
	char what[320], reason[128];
	const char *line = s->state == AGS_SESSION_GREETING && !has_banner(s) ? libssh2_session_banner_get(s->ssh) : NULL;

	if (line != NULL && s->farewell[0] == '\0')
		ags_text_clean(s->farewell, sizeof(s->farewell), line, strlen(line));

	if (s->lost_errno != 0 && s->farewell[0] == '\0')
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
		ags_libssh2_sent(s, before);
}

static void hang_up(struct ags_session *s, bool tell_server)
{
	ags_auth_free(s->auth);
	s->auth = NULL;
	ags_dial_free(s->dial);
	s->dial = NULL;
	if (s->fd < 0)
		return;
	if (tell_server)
		shutdown(s->fd, SHUT_RDWR);
	close(s->fd);
	s->fd = -1;
}

/* With everything swallowed and nothing received it cannot wait; the bound is for a library that thinks otherwise. What it forgets goes too. */
static void free_all(struct ags_session *s)
{
	bool was_freeing = s->is_freeing;
	void *abstract = s;

	s->is_freeing = true;
	ags_auth_free(s->auth);
	s->auth = NULL;
	for (int i = 0; s->ssh != NULL && i < 100 && libssh2_session_free(s->ssh) == LIBSSH2_ERROR_EAGAIN; i++)
		continue;
	s->ssh = NULL;
	while (s->ssh_pieces != NULL)
		take_memory(s->ssh_pieces->bytes, &abstract);
	hang_up(s, true);
	ags_buf_free(&s->out);
	s->is_freeing = was_freeing;
}

/* libssh2's memory has a ceiling, as it keeps every message that nobody waits for. It is zeros, with one more behind: 1.10 and 1.11 read the name
 * of a signal to its end that was never written. */
static LIBSSH2_ALLOC_FUNC(give_memory)
{
	struct ags_session *s = *abstract;
	struct ags_ssh_piece *piece;
	size_t size = (sizeof(*piece) + count) / alignof(struct ags_ssh_piece) * alignof(struct ags_ssh_piece) + alignof(struct ags_ssh_piece);

	if (count > MAX_MEMORY || s->ssh_memory > MAX_MEMORY - count) {
		ags_fail(&s->err, AGS_LIMIT, "%s sends what nobody asked for, more than %u MB of it", s->address, MAX_MEMORY >> 20);
		return NULL;
	}
	piece = aligned_alloc(alignof(struct ags_ssh_piece), size);
	if (piece == NULL) {
		ags_fail_nomem(&s->err);
		return NULL;
	}
	memset(piece, 0, size);
	piece->size = count;
	piece->next = s->ssh_pieces;
	piece->back = &s->ssh_pieces;
	if (piece->next != NULL)
		piece->next->back = &piece->next;
	s->ssh_pieces = piece;
	s->ssh_memory += sizeof(*piece) + count;
	return piece->bytes;
}

static LIBSSH2_REALLOC_FUNC(give_more_memory)
{
	const struct ags_ssh_piece *old = ptr != NULL ? piece_of(ptr) : NULL;
	void *more = give_memory(count, abstract);

	if (more == NULL || old == NULL)
		return more;
	memcpy(more, ptr, old->size < count ? old->size : count);
	take_memory(ptr, abstract);
	return more;
}

static LIBSSH2_FREE_FUNC(take_memory)
{
	struct ags_session *s = *abstract;
	struct ags_ssh_piece *piece;

	if (ptr == NULL)
		return;
	piece = piece_of(ptr);
	*piece->back = piece->next;
	if (piece->next != NULL)
		piece->next->back = piece->back;
	s->ssh_memory -= sizeof(*piece) + piece->size;
	free(piece);
}

static struct ags_ssh_piece *piece_of(void *bytes)
{
	return (struct ags_ssh_piece *)((unsigned char *)bytes - offsetof(struct ags_ssh_piece, bytes));
}

static LIBSSH2_SEND_FUNC(take_for_sending)
{
	struct ags_session *s = *abstract;

	(void)socket;
	(void)flags;
	if (s->is_freeing || s->state == AGS_SESSION_BROKEN || s->lost_errno != 0)
		return (ssize_t)length;
	if (ags_buf_len(&s->out) + length > MAX_UNSENT) {
		ags_fail(&s->err, AGS_LIMIT, "%s asks for more answers than it reads", s->address);
		return -ENOBUFS;
	}
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
	if (s->may_read == 0 || s->is_at_end || s->fd < 0 || (s->received > s->received_before && ags_now_ms() > s->turn_ends))
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
