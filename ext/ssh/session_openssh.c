#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* memmem */
#endif

#include "base/text.h"
#include "ssh/openssh.h"
#include "ssh/openssh_private.h"
#include "ssh/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KNOCK_MS 10                       /* between two looks whether the master has logged in: its socket is there then */

static enum ags_step connect_step(struct ags_session *s);
static bool start_master(struct ags_session *s);
static void begin_turn(struct ags_session *s);
static void end_turn(struct ags_session *s, unsigned happened);
static void settle(struct ags_session *s);
static bool is_alive(const struct ags_session *s);
static const char *doing(const struct ags_session *s, char *to, size_t size);
static void hang_up(struct ags_session *s, bool tell_server);
static void free_all(struct ags_session *s);
static void on_master(void *arg, unsigned happened);
static void explain(struct ags_session *s);
static void explain_host_key(struct ags_session *s, const char *line);
static bool best_line(const struct ags_buf *said, char *to, size_t size);
static unsigned worth(const char *line, size_t len);
static bool has(const struct ags_buf *said, const char *text);
static const char *by_hand(const struct ags_session *s, char *to, size_t size);

const struct ags_link ags_link_openssh = {
	.name = "openssh",
	.connect = connect_step, .begin_turn = begin_turn, .end_turn = end_turn, .settle = settle, .is_alive = is_alive, .doing = doing,
	.hang_up = hang_up, .free = free_all,
	.start = ags_openssh_start, .write = ags_openssh_write, .read = ags_openssh_read, .send_eof = ags_openssh_send_eof,
	.finish = ags_openssh_finish, .drain = ags_openssh_drain, .queue = ags_openssh_queue, .close = ags_openssh_close_channel,
};

int ags_openssh_connect(const char *socket_name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if ((size_t)snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_name) >= sizeof(at.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void ags_openssh_lost(struct ags_session *s)
{
	explain(s);
	ags_session_break(s);
}

static enum ags_step connect_step(struct ags_session *s)
{
	int fd;

	if (s->master == NULL) {
		s->state = AGS_SESSION_LOGIN;
		return start_master(s) ? AGS_AGAIN : AGS_FAILED;
	}
	if (ags_process_is_over(s->master)) {
		explain(s);
		return AGS_FAILED;
	}
	fd = ags_openssh_connect(s->socket);
	if (fd < 0)
		return AGS_AGAIN;
	close(fd);
	ags_session_login_done(s);
	return AGS_DONE;
}

static bool start_master(struct ags_session *s)
{
	const char *more[] = { "-oControlMaster=yes", "-oControlPersist=no", "-oControlPath=", "-N", "-T", "-a", "-x" };
	const char **argv;

	s->socket = ags_openssh_socket(ags_pool_openssh(s->pool), s, &s->err);
	if (s->socket == NULL)
		return false;
	more[2] = ags_arena_printf(&s->arena, "-oControlPath=%s", s->socket);
	argv = ags_ssh_arguments(s, more, sizeof(more) / sizeof(more[0]));
	if (argv != NULL)
		s->master = ags_process_start(ags_openssh_family(ags_pool_openssh(s->pool)), argv, on_master, s, &s->err);
	return s->master != NULL;
}

static void begin_turn(struct ags_session *s)
{
	if (s->state == AGS_SESSION_READY && ags_process_is_over(s->master))
		ags_openssh_lost(s);
}

static void end_turn(struct ags_session *s, unsigned happened)
{
	(void)s;
	(void)happened;
}

static void settle(struct ags_session *s)
{
	int64_t knock = ags_now_ms() + KNOCK_MS;

	if (s->state == AGS_SESSION_READY)
		ags_watch_deadline(s->watch, ags_channels_deadline(s));
	else
		ags_watch_deadline(s->watch, knock < s->deadline ? knock : s->deadline);
}

static bool is_alive(const struct ags_session *s)
{
	return !ags_process_is_over(s->master);
}

static const char *doing(const struct ags_session *s, char *to, size_t size)
{
	if (s->state == AGS_SESSION_READY)
		return "running a command";
	snprintf(to, size, "ssh logged in as %s", s->to.user);
	return to;
}

static void hang_up(struct ags_session *s, bool tell_server)
{
	ags_process_free(s->master);
	s->master = NULL;
	if (tell_server && s->socket != NULL)
		ags_openssh_drop_socket(ags_pool_openssh(s->pool), s->socket);
	s->socket = NULL;
}

static void free_all(struct ags_session *s)
{
	hang_up(s, true);
}

static void on_master(void *arg, unsigned happened)
{
	(void)happened;
	ags_session_turn(arg, 0);
}

/* Why the master ended, from what it said last. */
static void explain(struct ags_session *s)
{
	const struct ags_buf *said = ags_process_errors(s->master);
	char line[240], what[320], hand[400];
	int signal = 0, status = ags_process_status(s->master, &signal);
	bool has_line = best_line(said, line, sizeof(line)), logs_in = s->state < AGS_SESSION_READY;

	doing(s, what, sizeof(what));
	if (has(said, "Host key verification failed"))
		explain_host_key(s, line);
	else if (signal > 0)
		ags_fail(&s->err, AGS_CONNECT, "the ssh that connects to %s was killed by signal %d while %s", s->address, signal,
		         logs_in ? what : "running a command");
	else if (has(said, "Permission denied ("))
		ags_fail(&s->err, AGS_AUTH, "the server does not let ssh in: %s; try by hand: %s", line, by_hand(s, hand, sizeof(hand)));
	else if (has_line)
		ags_fail(&s->err, AGS_CONNECT, "ssh to %s ended while %s: %s; try by hand: %s", s->address,
		         logs_in ? "logging in" : "running a command", line, by_hand(s, hand, sizeof(hand)));
	else
		ags_fail(&s->err, AGS_CONNECT, "ssh to %s ended with status %d while %s; try by hand: %s", s->address, status,
		         logs_in ? "logging in" : "running a command", by_hand(s, hand, sizeof(hand)));
}

/* The line may be of a jump host, so the name is in there. */
static void explain_host_key(struct ags_session *s, const char *line)
{
	char hand[400];

	if (has(ags_process_errors(s->master), "IDENTIFICATION HAS CHANGED"))
		ags_fail(&s->err, AGS_AUTH, "a host key on the way to %s (%s) has CHANGED: %s; someone may be in between; if the server was set up anew, remove the old key with ssh-keygen -R",
		         s->to.server, s->address, line);
	else
		ags_fail(&s->err, AGS_AUTH, "ssh refuses a host key on the way to %s (%s): %s; if it is right, add it, to see it: %s",
		         s->to.server, s->address, line, by_hand(s, hand, sizeof(hand)));
}

/* The last of the lines that tell most. */
static bool best_line(const struct ags_buf *said, char *to, size_t size)
{
	const char *at = (const char *)ags_buf_bytes(said), *end = at + ags_buf_len(said);
	unsigned best = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline != NULL ? newline : end;
		size_t len = (size_t)(stop - at);

		while (len > 0 && (at[len - 1] == '\r' || at[len - 1] == ' ' || at[len - 1] == '.'))
			len--;
		if (worth(at, len) >= best && worth(at, len) > 0) {
			best = worth(at, len);
			ags_text_clean(to, size, at, len);
		}
		at = newline != NULL ? newline + 1 : end;
	}
	return best > 0;
}

/* With a jump host that fails ssh first hears why, and then complains that nobody talks to it. */
static unsigned worth(const char *line, size_t len)
{
	static const char *const little[] = { "kex_exchange_identification:", "Connection closed by", "banner exchange:",
	                                      "Host key verification failed", "stdio forwarding failed", "Warning:", "@@@" };
	static const char *const much[] = { "Offending ", "No " };

	if (len == 0)
		return 0;
	for (size_t i = 0; i < sizeof(little) / sizeof(little[0]); i++)
		if (len >= strlen(little[i]) && memcmp(line, little[i], strlen(little[i])) == 0)
			return 1;
	for (size_t i = 0; i < sizeof(much) / sizeof(much[0]); i++)
		if (len >= strlen(much[i]) && memcmp(line, much[i], strlen(much[i])) == 0)
			return 3;
	return 2;
}

static bool has(const struct ags_buf *said, const char *text)
{
	return ags_buf_len(said) > 0 && memmem(ags_buf_bytes(said), ags_buf_len(said), text, strlen(text)) != NULL;
}

static const char *by_hand(const struct ags_session *s, char *to, size_t size)
{
	char port[16] = "", user[260] = "";

	if (!s->to.port_is_default && s->to.port != 22)
		snprintf(port, sizeof(port), "-p %u ", s->to.port);
	if (!s->user_is_theirs)
		snprintf(user, sizeof(user), "%.250s@", s->to.user);
	snprintf(to, size, "ssh %s%s%s", port, user, s->to.host);
	return to;
}
