#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* pipe2, environ */
#endif

#include "ssh/process.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_PIECE   16384
#define READ_BYTES   (64u << 10)         /* of each pipe in one turn: who floods us gives way to the servers */
#define LOOK_MS      50                  /* between two looks at one that the kernel cannot tell of (before Linux 5.3) */
#define DYING_MS     2000                /* SIGKILL takes no longer, but a process in the kernel's hands may */

struct ags_family {
	struct ags_loop *loop;
	struct ags_process *dying;
};

struct ags_process {
	struct ags_family *family;
	struct ags_process *next;            /* dying */
	pid_t pid, owner;
	int life, out_fd, errors_fd;         /* life: a pidfd, -1 when there is none */
	struct ags_watch *life_watch, *out_watch, *errors_watch;
	struct ags_buf out, errors;
	bool is_over, is_dying;
	int status, signal;
	ags_watch_fn *fn;
	void *arg;
};

static bool open_pipes(int out[2], int errors[2], int *null, struct ags_err *err);
static pid_t spawn(const char *const *argv, char **environment, int in, int out, int errors);
static void become(const char *const *argv, char **environment, pid_t parent, int in, int out, int errors)
	__attribute__((noreturn));
static void close_others(void);
static char **environment_of_child(void);
static bool is_asking(const char *variable);
static bool watch_all(struct ags_process *p);
static void on_life(void *arg, unsigned happened);
static void on_output(void *arg, unsigned happened);
static void on_errors(void *arg, unsigned happened);
static bool read_pipe(int fd, struct ags_buf *keep, bool keep_last);
static bool reap(struct ags_process *p);
static void kill_group(const struct ags_process *p);
static void close_all(struct ags_process *p);
static void close_fd(int *fd);
static void discard(struct ags_process *p);

struct ags_family *ags_family_new(struct ags_loop *loop)
{
	struct ags_family *family = calloc(1, sizeof(*family));

	if (family != NULL)
		family->loop = loop;
	return family;
}

void ags_family_free(struct ags_family *family)
{
	if (family == NULL)
		return;
	ags_family_wait(family);
	while (family->dying != NULL) {
		struct ags_process *p = family->dying;

		family->dying = p->next;
		discard(p);
	}
	free(family);
}

void ags_family_wait(struct ags_family *family)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	int64_t until = ags_now_ms() + DYING_MS;

	for (struct ags_process **at = &family->dying, *p; (p = *at) != NULL;) {
		while (p->owner == getpid() && !reap(p)) {
			if (ags_now_ms() >= until)
				return;
			nanosleep(&moment, NULL);
		}
		*at = p->next;
		discard(p);
	}
}

struct ags_process *ags_process_start(struct ags_family *family, const char *const *argv, ags_watch_fn *fn, void *arg, struct ags_err *err)
{
	int out[2] = { -1, -1 }, errors[2] = { -1, -1 }, null = -1;
	char **environment = environment_of_child();
	struct ags_process *p = calloc(1, sizeof(*p));
	bool ok = (p != NULL && environment != NULL) || ags_fail_nomem(err);

	if (p != NULL)
		*p = (struct ags_process){ .family = family, .owner = getpid(), .life = -1, .out_fd = -1, .errors_fd = -1,
		                           .fn = fn, .arg = arg, .out.max = AGS_MAX_SAID, .errors.max = 2 * AGS_MAX_SAID };
	ok = ok && open_pipes(out, errors, &null, err);
	if (ok) {
		p->out_fd = out[0];
		p->errors_fd = errors[0];
		out[0] = errors[0] = -1;
		p->pid = spawn(argv, environment, null, out[1], errors[1]);
		ok = p->pid > 0 || ags_fail_sys(err, AGS_LOCAL_IO, argv[0], "cannot start");
	}
	close_fd(&null);
	close_fd(&out[0]);
	close_fd(&out[1]);
	close_fd(&errors[0]);
	close_fd(&errors[1]);
	free(environment);
	if (ok && !watch_all(p))
		ok = ags_fail_nomem(err);
	if (ok)
		return p;
	if (p != NULL && p->pid > 0)
		ags_process_free(p);
	else if (p != NULL)
		discard(p);
	return NULL;
}

bool ags_process_is_over(struct ags_process *p)
{
	if (!p->is_over && reap(p)) {
		p->is_over = true;
		read_pipe(p->out_fd, &p->out, false);
		read_pipe(p->errors_fd, &p->errors, true);
		close_all(p);
	}
	return p->is_over;
}

int ags_process_status(const struct ags_process *p, int *signal)
{
	*signal = p->signal;
	return p->status;
}

const struct ags_buf *ags_process_output(const struct ags_process *p)
{
	return &p->out;
}

const struct ags_buf *ags_process_errors(const struct ags_process *p)
{
	return &p->errors;
}

void ags_process_free(struct ags_process *p)
{
	if (p == NULL)
		return;
	ags_watch_remove(p->out_watch);
	ags_watch_remove(p->errors_watch);
	p->out_watch = p->errors_watch = NULL;
	if (p->is_over || p->owner != getpid()) {
		discard(p);
		return;
	}
	kill_group(p);
	if (reap(p)) {
		discard(p);
		return;
	}
	close_fd(&p->out_fd);
	close_fd(&p->errors_fd);
	p->is_dying = true;
	p->next = p->family->dying;
	p->family->dying = p;
}

static bool open_pipes(int out[2], int errors[2], int *null, struct ags_err *err)
{
	*null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (*null < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot make a pipe to a process");
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(errors[0], F_SETFL, O_NONBLOCK);
	return true;
}

/* Between fork and exec only what is safe in a signal handler: other threads may have held any lock. */
static pid_t spawn(const char *const *argv, char **environment, int in, int out, int errors)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(argv, environment, parent, in, out, errors);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void become(const char *const *argv, char **environment, pid_t parent, int in, int out, int errors)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &usual, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)                     /* it died before it was asked to tell */
		_exit(127);
	in = fcntl(in, F_DUPFD, 3);                  /* one of them may be 0, 1 or 2 itself, when ours were closed */
	out = fcntl(out, F_DUPFD, 3);
	errors = fcntl(errors, F_DUPFD, 3);
	if (dup2(in, 0) != 0 || dup2(out, 1) != 1 || dup2(errors, 2) != 2)
		_exit(127);
	close_others();
	execve(argv[0], (char *const *)argv, environment);
	_exit(127);
}

static void close_others(void)
{
	long last = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
		return;
#endif
	for (int fd = 3; fd < (last > 0 && last < 65536 ? last : 65536); fd++)
		close(fd);
}

/* Ours, without what would make ssh open a window to ask somebody. The strings are not copied. */
static char **environment_of_child(void)
{
	static char never[] = "SSH_ASKPASS_REQUIRE=never";
	size_t n = 0, count = 0;
	char **list;

	while (environ != NULL && environ[n] != NULL)
		n++;
	list = calloc(n + 2, sizeof(*list));
	for (size_t i = 0; list != NULL && i < n; i++)
		if (!is_asking(environ[i]))
			list[count++] = environ[i];
	if (list != NULL)
		list[count] = never;
	return list;
}

static bool is_asking(const char *variable)
{
	static const char *const names[] = { "DISPLAY=", "WAYLAND_DISPLAY=", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool watch_all(struct ags_process *p)
{
	struct ags_loop *loop = p->family->loop;

#ifdef SYS_pidfd_open
	p->life = (int)syscall(SYS_pidfd_open, p->pid, 0u);         /* close on exec by itself */
#endif
	p->life_watch = ags_watch_add(loop, p->life, AGS_READABLE, on_life, p);
	p->out_watch = ags_watch_add(loop, p->out_fd, AGS_READABLE, on_output, p);
	p->errors_watch = ags_watch_add(loop, p->errors_fd, AGS_READABLE, on_errors, p);
	if (p->life_watch != NULL && p->life < 0)
		ags_watch_deadline(p->life_watch, ags_now_ms() + LOOK_MS);
	return p->life_watch != NULL && p->out_watch != NULL && p->errors_watch != NULL;
}

static void on_life(void *arg, unsigned happened)
{
	struct ags_process *p = arg;

	if (p->is_dying && reap(p)) {
		struct ags_process **at = &p->family->dying;

		while (*at != p)
			at = &(*at)->next;
		*at = p->next;
		discard(p);
		return;
	}
	if (!p->is_dying && ags_process_is_over(p)) {
		p->fn(p->arg, happened);
		return;
	}
	if (p->life < 0)
		ags_watch_deadline(p->life_watch, ags_now_ms() + LOOK_MS);
}

static void on_output(void *arg, unsigned happened)
{
	struct ags_process *p = arg;

	(void)happened;
	if (!read_pipe(p->out_fd, &p->out, false))
		ags_watch_events(p->out_watch, 0);
}

static void on_errors(void *arg, unsigned happened)
{
	struct ags_process *p = arg;

	if (!read_pipe(p->errors_fd, &p->errors, true))
		ags_watch_events(p->errors_watch, 0);
	p->fn(p->arg, happened);
}

/* False at its end. What finds no room is lost. */
static bool read_pipe(int fd, struct ags_buf *keep, bool keep_last)
{
	uint8_t piece[READ_PIECE];

	for (size_t budget = READ_BYTES; fd >= 0 && budget > 0;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		size_t from = 0, room;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		budget -= (size_t)n < budget ? (size_t)n : budget;
		if (keep_last && (size_t)n > AGS_MAX_SAID)
			from = (size_t)n - AGS_MAX_SAID;
		if (keep_last && ags_buf_len(keep) + ((size_t)n - from) > AGS_MAX_SAID)
			ags_buf_consume(keep, ags_buf_len(keep) + ((size_t)n - from) - AGS_MAX_SAID);
		room = AGS_MAX_SAID - ags_buf_len(keep);
		ags_buf_add(keep, piece + from, (size_t)n - from < room ? (size_t)n - from : room);
	}
	return fd >= 0;
}

/* Its group goes with it, while the pid is still ours. */
static bool reap(struct ags_process *p)
{
	siginfo_t info = { .si_pid = 0 };
	int status;
	pid_t pid;

	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
		return false;
	if (info.si_pid == p->pid)
		kill(-p->pid, SIGKILL);
	pid = waitpid(p->pid, &status, WNOHANG);
	if (pid == 0)
		return false;
	p->status = pid == p->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	p->signal = p->status >= 0 ? 0 : pid == p->pid && WIFSIGNALED(status) ? WTERMSIG(status) : -1;
	return true;
}

/* It may not have its group yet. */
static void kill_group(const struct ags_process *p)
{
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL);
}

static void close_all(struct ags_process *p)
{
	ags_watch_remove(p->life_watch);
	ags_watch_remove(p->out_watch);
	ags_watch_remove(p->errors_watch);
	p->life_watch = p->out_watch = p->errors_watch = NULL;
	close_fd(&p->life);
	close_fd(&p->out_fd);
	close_fd(&p->errors_fd);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void discard(struct ags_process *p)
{
	close_all(p);
	ags_buf_free(&p->out);
	ags_buf_free(&p->errors);
	free(p);
}
