#include "base/limits.h"
#include "base/loop.h"
#include "base/text.h"
#include "scale/fetch_private.h"
#include "ssh/quote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES   32768u
#define KEPT_ERRORS  4096u
#define STOP_MS      2000            /* from the first signal to the second */
#define OUR_FD       3
#define STEP_BITS    16              /* of bytes that count as something done: a server that gives a byte now and then is stopped */
#define LOOK_BITS    20              /* of bytes between two looks at the disk */
#define RESERVE      (1ull << 30)    /* bytes that are left free on the disk, or a twentieth of a small one */

/* rsync's remote shell: tells descriptor 3 what it was asked to run, and copies. It ends when the server does, as rsync waits for that. */
#define SHELL "sh -c 'printf \"%s\\0\" \"$@\" >&3; printf \"\\0\" >&3; exec 4<&0; cat <&4 >&3 & cat <&3; kill $!' sh"

extern char **environ;

static bool make_argv(const struct ags_member *m, const char *path, const char *stage, const struct ags_sync_options *o,
                      struct ags_arena *arena, char ***argv);
static bool spawn(struct ags_bridge *b, char **argv, struct ags_err *err);
static bool spawn_with(pid_t *pid, char **argv, int sock, int errors, struct ags_err *err);
static void on_local(void *arg, unsigned happened);
static bool exchange(struct ags_member *m, struct ags_bridge *b, struct ags_err *err);
static bool read_words(struct ags_member *m, struct ags_bridge *b, struct ags_err *err);
static bool start_remote(struct ags_member *m, struct ags_bridge *b, struct ags_err *err);
static bool to_server(struct ags_member *m, struct ags_bridge *b, struct ags_err *err);
static bool from_server(struct ags_member *m, struct ags_bridge *b, struct ags_err *err);
static bool end_remote(struct ags_member *m, struct ags_bridge *b, struct ags_err *err);
static bool has_room(const struct ags_bridge *b, struct ags_err *err);
static bool flush_out(struct ags_bridge *b);
static bool read_local(struct ags_bridge *b, struct ags_buf *to, struct ags_err *err);
static void read_errors(struct ags_bridge *b);
static void set_events(struct ags_bridge *b);
static void close_sock(struct ags_bridge *b);
static bool has_exited(struct ags_bridge *b);
static void finish(struct ags_member *m, struct ags_bridge *b);
static void judge(struct ags_member *m, struct ags_bridge *b, int status);

bool ags_bridge_start(struct ags_bridge *b, struct ags_member *m, const char *path, const char *stage,
                      const struct ags_sync_options *options, struct ags_err *err)
{
	struct ags_loop *loop = ags_pool_loop(m->fanout->env->pool);
	struct ags_arena arena = AGS_ARENA_INIT;
	char **argv;
	bool ok;

	b->sock = b->errors = -1;
	b->options = options;
	b->stage = stage;
	m->own = b;
	ok = make_argv(m, path, stage, options, &arena, &argv) || ags_fail_nomem(err);
	ok = ok && spawn(b, argv, err);
	ags_arena_free(&arena);
	if (!ok)
		return false;
	b->sock_watch = ags_watch_add(loop, b->sock, AGS_READABLE, on_local, m);
	b->errors_watch = ags_watch_add(loop, b->errors, AGS_READABLE, on_local, m);
	return (b->sock_watch != NULL && b->errors_watch != NULL) || ags_fail_nomem(err);
}

void ags_bridge_step(struct ags_member *m)
{
	struct ags_bridge *b = m->own;
	struct ags_err err = AGS_ERR_INIT;

	read_errors(b);
	if (!exchange(m, b, &err)) {
		ags_member_fail(m, &err);
		return;
	}
	if (m->is_over)
		return;
	if (has_exited(b))
		finish(m, b);
	else
		set_events(b);
}

void ags_bridge_stop(struct ags_bridge *b)
{
	int64_t until = ags_now_ms() + STOP_MS;

	close_sock(b);
	ags_watch_remove(b->errors_watch);
	b->errors_watch = NULL;
	if (b->errors >= 0)
		close(b->errors);
	b->errors = -1;
	if (b->pid > 0) {
		kill(b->pid, SIGTERM);
		while (waitpid(b->pid, NULL, WNOHANG) == 0 && ags_now_ms() < until)
			usleep(10000);
		if (waitpid(b->pid, NULL, WNOHANG) == 0) {
			kill(b->pid, SIGKILL);
			waitpid(b->pid, NULL, 0);
		}
	}
	b->pid = 0;
	ags_buf_free(&b->words);
	ags_buf_free(&b->in);
	ags_buf_free(&b->out);
	ags_buf_free(&b->said);
}

/* -s: paths travel in the protocol, and no shell reads them. */
static bool make_argv(const struct ags_member *m, const char *path, const char *stage, const struct ags_sync_options *o,
                      struct ags_arena *arena, char ***argv)
{
	size_t n = 0, room = 20 + o->filter.count + o->include.count + o->exclude.count;
	uint32_t timeout = o->timeout > 0 ? o->timeout : m->server->timeout;
	char **words = ags_arena_alloc(arena, room * sizeof(*words));

	*argv = words;
	if (words == NULL)
		return false;
	words[n++] = ags_arena_string(arena, "rsync");
	words[n++] = ags_arena_string(arena, o->checksum ? "-rptgsc" : "-rptgs");
	words[n++] = ags_arena_string(arena, "--chmod=Fug-s,Fu+r,Du-s,Du+rwx");
	words[n++] = ags_arena_string(arena, "--ignore-missing-args");
	words[n++] = ags_arena_printf(arena, "--timeout=%u", (unsigned)timeout);
	words[n++] = ags_arena_printf(arena, "--compare-dest=%s", path);
	words[n++] = ags_arena_string(arena, "--blocking-io");          /* cat knows no other */
	words[n++] = ags_arena_string(arena, "--rsh=" SHELL);
	words[n++] = ags_arena_string(arena, "--filter=- .aegir-fetch.*");
	for (size_t i = 0; i < o->filter.count; i++)
		words[n++] = ags_arena_printf(arena, "--filter=%s", o->filter.items[i]);
	for (size_t i = 0; i < o->include.count; i++)
		words[n++] = ags_arena_printf(arena, "--include=%s", o->include.items[i]);
	for (size_t i = 0; i < o->exclude.count; i++)
		words[n++] = ags_arena_printf(arena, "--exclude=%s", o->exclude.items[i]);
	words[n++] = ags_arena_string(arena, "--");
	words[n++] = ags_arena_printf(arena, "server:%s%s/", m->server->root, path);
	words[n++] = ags_arena_printf(arena, "%s/", stage);
	for (size_t i = 0; i < n; i++)
		if (words[i] == NULL)
			return false;
	return true;
}

static bool spawn(struct ags_bridge *b, char **argv, struct ags_err *err)
{
	int pair[2] = { -1, -1 }, said[2] = { -1, -1 };
	bool ok;

	ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, said) == 0 &&
	     fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(said[0], F_SETFL, O_NONBLOCK) == 0;
	if (!ok)
		ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot make a socket to rsync");
	ok = ok && spawn_with(&b->pid, argv, pair[1], said[1], err);
	b->sock = pair[0];
	b->errors = said[0];
	if (pair[1] >= 0)
		close(pair[1]);
	if (said[1] >= 0)
		close(said[1]);
	return ok;
}

/* Signals that we ignore or hold are the child's own business. */
static bool spawn_with(pid_t *pid, char **argv, int sock, int errors, struct ags_err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, usual;
	int failed;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGCHLD);
	sigaddset(&usual, SIGTERM);
	if (posix_spawn_file_actions_init(&files) != 0 || posix_spawnattr_init(&how) != 0)
		return ags_fail_nomem(err);
	failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	failed = failed ? failed : posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(&files, errors, 2);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(&files, sock, OUR_FD);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &usual);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	failed = failed ? failed : posix_spawnp(pid, argv[0], &files, &how, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	errno = failed;
	return failed == 0 || ags_fail_sys(err, AGS_LOCAL_IO, "rsync", "cannot run, on this machine,");
}

/* Of one that has failed nobody takes what it says any more. */
static void on_local(void *arg, unsigned happened)
{
	struct ags_member *m = arg;
	struct ags_bridge *b = m->own;

	(void)happened;
	ags_member_wake(m);
	if (m->is_over && b->sock_watch != NULL)
		ags_watch_events(b->sock_watch, 0);
	if (m->is_over && b->errors_watch != NULL)
		ags_watch_events(b->errors_watch, 0);
}

static bool exchange(struct ags_member *m, struct ags_bridge *b, struct ags_err *err)
{
	if (!b->is_started)
		return read_words(m, b, err);
	if (b->remote_is_over)
		return true;
	switch (ags_channel_ready(m->channel, err)) {
	case AGS_AGAIN:
		return true;
	case AGS_FAILED:
		return false;
	case AGS_DONE:
		break;
	}
	ags_member_progress(m, AGS_PHASE_TRANSFER);
	return to_server(m, b, err) && from_server(m, b, err) && ags_member_read_errors(m, KEPT_ERRORS, err) && end_remote(m, b, err);
}

/* So that the connection can be used again. What the exit status means is told by rsync here. */
static bool end_remote(struct ags_member *m, struct ags_bridge *b, struct ags_err *err)
{
	struct ags_exit how;
	enum ags_step step;

	if (!m->out_ended || !m->errors_ended)
		return true;
	step = ags_channel_finish(m->channel, &how, err);
	b->remote_is_over = step == AGS_DONE;
	return step != AGS_FAILED;
}

/* Words with a NUL behind each, and one more NUL behind all. */
static bool read_words(struct ags_member *m, struct ags_bridge *b, struct ags_err *err)
{
	const uint8_t *bytes;
	size_t len;

	if (!read_local(b, &b->words, err))
		return false;
	bytes = ags_buf_bytes(&b->words);
	len = ags_buf_len(&b->words);
	for (size_t i = 1; i < len; i++)
		if (bytes[i] == '\0' && bytes[i - 1] == '\0') {
			if (!ags_buf_add(&b->in, bytes + i + 1, len - i - 1))
				return ags_fail_nomem(err);
			return start_remote(m, b, err);
		}
	return len < AGS_MAX_COMMAND || ags_fail(err, AGS_LIMIT, "rsync wants to run a command of more than %u bytes", AGS_MAX_COMMAND);
}

/* The first word is the name of the server that rsync was given. */
static bool start_remote(struct ags_member *m, struct ags_bridge *b, struct ags_err *err)
{
	struct ags_buf command = AGS_BUF_INIT;
	const char *word = (const char *)ags_buf_bytes(&b->words);
	bool ok = true;
	size_t n = 0;

	for (word += strlen(word) + 1; ok && *word != '\0'; word += strlen(word) + 1) {
		ok = (n++ == 0 || ags_buf_add(&command, " ", 1) || ags_fail_nomem(err)) && ags_quote_argv(&word, 1, &command, err);
	}
	if (ok && n == 0)
		ok = ags_fail(err, AGS_LOCAL_IO, "rsync asked for no command");
	if (ok && !ags_buf_u8(&command, '\0'))
		ok = ags_fail_nomem(err);
	b->is_started = true;
	if (ok)
		ags_fanout_start(m, (const char *)ags_buf_bytes(&command));
	ags_buf_free(&command);
	return ok;
}

static bool to_server(struct ags_member *m, struct ags_bridge *b, struct ags_err *err)
{
	enum ags_step step;
	size_t taken;

	for (;;) {
		if (ags_buf_len(&b->in) == 0 && !read_local(b, &b->in, err))
			return false;
		if (ags_buf_len(&b->in) == 0)
			break;
		step = ags_channel_write(m->channel, ags_buf_bytes(&b->in), ags_buf_len(&b->in), &taken, err);
		if (step != AGS_DONE)
			return step == AGS_AGAIN || m->out_ended;
		ags_buf_consume(&b->in, taken);
		m->result->bytes_sent += taken;
	}
	if (b->in_ended && !b->eof_sent) {
		step = ags_channel_send_eof(m->channel, err);
		b->eof_sent = step == AGS_DONE;
		return step != AGS_FAILED;
	}
	return true;
}

static bool from_server(struct ags_member *m, struct ags_bridge *b, struct ags_err *err)
{
	enum ags_step step = AGS_DONE;
	uint8_t bytes[PIPE_BYTES];
	size_t got = 0;

	while (step == AGS_DONE && flush_out(b) && !m->out_ended) {
		step = ags_channel_read(m->channel, AGS_STDOUT, bytes, sizeof(bytes), &got, err);
		if (step != AGS_DONE)
			break;
		m->out_ended = got == 0;
		if (!ags_buf_add(&b->out, bytes, got))
			return ags_fail_nomem(err);
		if (b->received >> LOOK_BITS != (b->received + got) >> LOOK_BITS && !has_room(b, err))
			step = AGS_FAILED;
		b->received += got;
	}
	m->now.bytes_done = m->now.bytes_total = b->received;
	m->progress_mark = 1 + (b->received >> STEP_BITS) + (m->result->bytes_sent >> STEP_BITS);
	if (m->out_ended && ags_buf_len(&b->out) == 0 && !b->out_closed && b->sock >= 0) {
		shutdown(b->sock, SHUT_WR);
		b->out_closed = true;
	}
	return step != AGS_FAILED;
}

/* A server may have more than this machine can hold, or say so. */
static bool has_room(const struct ags_bridge *b, struct ags_err *err)
{
	uint64_t free_bytes, all;
	struct statvfs fs;

	if (statvfs(b->stage, &fs) != 0)
		return true;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	all = (uint64_t)fs.f_blocks * fs.f_frsize;
	return free_bytes >= (all / 20 < RESERVE ? all / 20 : RESERVE) ||
	       ags_fail(err, AGS_LIMIT, "sent %llu MB and was stopped: %llu MB are left on the disk of this machine, in %s",
	                (unsigned long long)(b->received >> 20), (unsigned long long)(free_bytes >> 20), b->stage);
}

/* True when nothing is left to be written. What rsync no longer reads is lost, and rsync says why. */
static bool flush_out(struct ags_bridge *b)
{
	while (ags_buf_len(&b->out) > 0) {
		ssize_t n = b->sock < 0 ? -1 : send(b->sock, ags_buf_bytes(&b->out), ags_buf_len(&b->out), MSG_NOSIGNAL);

		if (n < 0 && b->sock >= 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n < 0)
			ags_buf_clear(&b->out);
		else
			ags_buf_consume(&b->out, (size_t)n);
	}
	return true;
}

static bool read_local(struct ags_bridge *b, struct ags_buf *to, struct ags_err *err)
{
	uint8_t bytes[PIPE_BYTES];
	ssize_t n;

	if (b->in_ended)
		return true;
	n = recv(b->sock, bytes, sizeof(bytes), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		b->in_ended = true;
		return true;
	}
	return ags_buf_add(to, bytes, (size_t)n) || ags_fail_nomem(err);
}

static void read_errors(struct ags_bridge *b)
{
	uint8_t bytes[1024];
	ssize_t n;

	while (b->errors >= 0) {
		n = read(b->errors, bytes, sizeof(bytes));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0) {
			if (ags_buf_len(&b->said) + (size_t)n <= KEPT_ERRORS)
				ags_buf_add(&b->said, bytes, (size_t)n);
			continue;
		}
		ags_watch_remove(b->errors_watch);
		b->errors_watch = NULL;
		close(b->errors);
		b->errors = -1;
	}
}

/* A socket that has ended both ways would wake us for ever. */
static void set_events(struct ags_bridge *b)
{
	unsigned events = (!b->in_ended && ags_buf_len(&b->in) == 0 ? AGS_READABLE : 0) | (ags_buf_len(&b->out) > 0 ? AGS_WRITABLE : 0);

	if (b->in_ended && ags_buf_len(&b->out) == 0)
		close_sock(b);
	if (b->sock_watch != NULL)
		ags_watch_events(b->sock_watch, events);
}

static void close_sock(struct ags_bridge *b)
{
	ags_watch_remove(b->sock_watch);
	b->sock_watch = NULL;
	if (b->sock >= 0)
		close(b->sock);
	b->sock = -1;
}

/* Its remote shell may outlive it, and hold its standard error. */
static bool has_exited(struct ags_bridge *b)
{
	pid_t pid;

	if (b->pid == 0)
		return true;
	pid = waitpid(b->pid, &b->status, WNOHANG);
	if (pid == 0 || (pid < 0 && errno == EINTR))
		return false;
	if (pid < 0)
		b->status = -1;
	b->pid = 0;
	return true;
}

static void finish(struct ags_member *m, struct ags_bridge *b)
{
	if (b->status != 0 || b->remote_is_over || !b->is_started)
		judge(m, b, b->status);
}

static void judge(struct ags_member *m, struct ags_bridge *b, int status)
{
	size_t len = ags_buf_len(&b->said);
	const char *said = (const char *)ags_buf_bytes(&b->said);
	const char *newline = len > 0 ? memchr(said, '\n', len) : NULL;

	if (status == 0) {
		ags_member_progress(m, AGS_PHASE_DONE);
		ags_member_end(m, AGS_OUTCOME_SYNCED);
		return;
	}
	if (newline != NULL)
		len = (size_t)(newline - said);
	if (ags_buf_len(&m->errors) > 0 && len == 0)
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "%.*s", (int)ags_buf_len(&m->errors), (const char *)ags_buf_bytes(&m->errors));
	else if (status == -1)
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "rsync, on this machine, was reaped by somebody else, and how it ended is not known");
	else if (WIFSIGNALED(status))
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "rsync, on this machine, was killed by signal %d", WTERMSIG(status));
	else
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "rsync, on this machine, exited with status %d: %.*s", WEXITSTATUS(status), (int)len, said);
}
