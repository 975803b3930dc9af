#include "unit/check.h"

#include "ssh/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ags_loop *loop;
static struct ags_family *family;
static unsigned told;

static void tell(void *arg, unsigned happened)
{
	(void)arg;
	(void)happened;
	told++;
}

static struct ags_process *start(const char *script)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct ags_err err = AGS_ERR_INIT;
	struct ags_process *p = ags_process_start(family, argv, tell, NULL, &err);

	CHECK_STR(err.message, "");
	return p;
}

static bool wait_over(struct ags_process *p, int ms)
{
	struct ags_err err = AGS_ERR_INIT;
	int64_t until = ags_now_ms() + ms;

	while (!ags_process_is_over(p) && ags_now_ms() < until)
		ags_loop_once(loop, 50, &err);
	return ags_process_is_over(p);
}

static const char *text(const struct ags_buf *b)
{
	static char copy[65536];
	size_t len = ags_buf_len(b) < sizeof(copy) - 1 ? ags_buf_len(b) : sizeof(copy) - 1;

	if (len > 0)
		memcpy(copy, ags_buf_bytes(b), len);
	copy[len] = '\0';
	return copy;
}

static bool is_running(pid_t pid)
{
	char file[64], line[512] = "", *state;
	int fd;

	snprintf(file, sizeof(file), "/proc/%d/stat", (int)pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	close(fd);
	state = strrchr(line, ')');
	return state != NULL && state[2] != 'Z';
}

static void test_what_it_says_and_how_it_ends_is_kept(void)
{
	struct ags_process *p = start("echo out; echo err >&2; exit 3");
	int sig;

	CHECK(wait_over(p, 10000));
	CHECK_STR(text(ags_process_output(p)), "out\n");
	CHECK_STR(text(ags_process_errors(p)), "err\n");
	CHECK_INT(ags_process_status(p, &sig), 3);
	CHECK_INT(sig, 0);
	ags_process_free(p);
}

static void test_a_signal_is_told(void)
{
	struct ags_process *p = start("kill -TERM $$");
	int sig;

	CHECK(wait_over(p, 10000));
	CHECK_INT(ags_process_status(p, &sig), -1);
	CHECK_INT(sig, SIGTERM);
	ags_process_free(p);
}

static void test_of_a_flood_the_ends_that_matter_are_kept(void)
{
	struct ags_process *p = start("echo first; head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2; echo last >&2");
	const struct ags_buf *errors;

	CHECK(wait_over(p, 60000));
	CHECK(strncmp(text(ags_process_output(p)), "first\nxxx", 9) == 0);
	CHECK(ags_buf_len(ags_process_output(p)) <= 16384);
	errors = ags_process_errors(p);
	CHECK(ags_buf_len(errors) <= 16384 && ags_buf_len(errors) > 1000);
	CHECK_STR(text(errors) + strlen(text(errors)) - 6, "ylast\n");
	ags_process_free(p);
}

static void test_an_endless_flood_gives_way(void)
{
	struct ags_process *p = start("exec yes >&2");
	struct ags_err err = AGS_ERR_INIT;
	int64_t until = ags_now_ms() + 300, longest = 0;

	while (ags_now_ms() < until) {
		int64_t began = ags_now_ms();

		ags_loop_once(loop, 50, &err);
		longest = ags_now_ms() - began > longest ? ags_now_ms() - began : longest;
	}
	CHECK(longest < 5000);
	CHECK(!ags_process_is_over(p));
	ags_process_free(p);
}

static void test_it_has_three_descriptors_no_terminal_and_a_group_of_its_own(void)
{
	int mine = open("/dev/null", O_RDONLY);           /* not close on exec */
	struct ags_process *p = start("ls /proc/self/fd | tr '\\n' ' '; cat <&0; (: </dev/tty) 2>/dev/null && echo terminal; "
	                              "ps -o pid=,pgid=,sid= -p $$ | awk '{ print ($1 == $2 && $2 == $3) }'");

	CHECK(wait_over(p, 10000));
	/* ls has the folder itself open, too. */
	CHECK_STR(text(ags_process_output(p)), "0 1 2 3 1\n");
	ags_process_free(p);
	close(mine);
}

static void test_nothing_asks_for_a_password_in_a_window(void)
{
	struct ags_process *p;

	setenv("DISPLAY", ":0", 1);
	setenv("SSH_ASKPASS", "/bin/false", 1);
	setenv("OTHER", "kept", 1);
	p = start("echo \"$DISPLAY-$SSH_ASKPASS-$SSH_ASKPASS_REQUIRE-$OTHER\"");
	CHECK(wait_over(p, 10000));
	CHECK_STR(text(ags_process_output(p)), "--never-kept\n");
	ags_process_free(p);
}

static void test_signals_that_we_ignore_or_block_are_as_usual_for_it(void)
{
	struct ags_process *p;
	sigset_t block, before;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &before);
	p = start("grep -E '^Sig(Blk|Ign):' /proc/self/status | tr -d '\\n\\t'");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGTERM, SIG_DFL);
	CHECK(wait_over(p, 10000));
	CHECK_STR(text(ags_process_output(p)), "SigBlk:0000000000000000SigIgn:0000000000000000");
	ags_process_free(p);
}

static void test_freeing_kills_all_of_its_group(void)
{
	struct ags_process *p = start("sleep 100 & echo $! >&2; trap '' TERM HUP; echo $$ >&2; wait; sleep 100");
	struct ags_err err = AGS_ERR_INIT;
	int64_t until = ags_now_ms() + 10000;
	int a = 0, b = 0;

	while (sscanf(text(ags_process_errors(p)), "%d %d", &a, &b) != 2 && ags_now_ms() < until)
		ags_loop_once(loop, 50, &err);
	CHECK(a > 1 && b > 1);
	ags_process_free(p);
	ags_family_wait(family);
	for (until = ags_now_ms() + 5000; (is_running(a) || is_running(b)) && ags_now_ms() < until;)
		usleep(1000);
	CHECK(!is_running(a) && !is_running(b));
	CHECK(waitpid(b, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void test_one_that_ends_takes_its_group_with_it(void)
{
	struct ags_process *p = start("sleep 100 & echo $!");
	int64_t until = ags_now_ms() + 5000;
	int a = 0;

	CHECK(wait_over(p, 10000));
	CHECK_INT(sscanf(text(ags_process_output(p)), "%d", &a), 1);
	while (is_running(a) && ags_now_ms() < until)
		usleep(1000);
	CHECK(!is_running(a));
	ags_process_free(p);
}

static void test_only_our_own_are_waited_for(void)
{
	pid_t other = fork();
	struct ags_process *p;
	int status = 0;

	if (other == 0)
		_exit(9);
	p = start("exit 0");
	CHECK(wait_over(p, 10000));
	ags_process_free(p);
	CHECK_INT(waitpid(other, &status, 0), other);
	CHECK_INT(WEXITSTATUS(status), 9);
}

static void test_one_that_somebody_else_has_waited_for_is_over(void)
{
	struct ags_process *p = start("exit 5");
	int status, sig;

	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK(wait_over(p, 10000));
	CHECK_INT(ags_process_status(p, &sig), -1);
	CHECK_INT(sig, -1);
	ags_process_free(p);
}

static void test_it_ends_when_we_are_killed(void)
{
	int pipes[2];
	pid_t child;
	char line[32] = "";
	int64_t until;

	if (pipe(pipes) != 0)
		return;
	child = fork();
	if (child == 0) {
		struct ags_loop *own = ags_loop_new();
		struct ags_family *own_family = ags_family_new(own);
		const char *argv[] = { "/bin/sh", "-c", "echo $$ >&2; while :; do sleep 1; done", NULL };
		struct ags_err err = AGS_ERR_INIT;
		struct ags_process *p = ags_process_start(own_family, argv, tell, NULL, &err);

		while (ags_buf_len(ags_process_errors(p)) == 0)
			ags_loop_once(own, 50, &err);
		if (write(pipes[1], ags_buf_bytes(ags_process_errors(p)), ags_buf_len(ags_process_errors(p))) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	close(pipes[1]);
	CHECK(read(pipes[0], line, sizeof(line) - 1) > 0);
	close(pipes[0]);
	waitpid(child, NULL, 0);
	for (until = ags_now_ms() + 5000; is_running(atoi(line)) && ags_now_ms() < until;)
		usleep(1000);
	CHECK(atoi(line) > 1 && !is_running(atoi(line)));
}

static void test_a_child_that_frees_leaves_it_alone(void)
{
	struct ags_process *p = start("echo $$ >&2; exec sleep 100");
	struct ags_err err = AGS_ERR_INIT;
	int64_t until = ags_now_ms() + 10000;
	pid_t child;
	int pid = 0;

	while (sscanf(text(ags_process_errors(p)), "%d", &pid) != 1 && ags_now_ms() < until)
		ags_loop_once(loop, 50, &err);
	child = fork();
	if (child == 0) {
		ags_process_free(p);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	CHECK(pid > 1 && is_running(pid));
	CHECK(!ags_process_is_over(p));
	ags_process_free(p);
}

static void test_a_program_that_is_not_there_ends_with_127(void)
{
	const char *argv[] = { "/nowhere/ssh", NULL };
	struct ags_err err = AGS_ERR_INIT;
	struct ags_process *p = ags_process_start(family, argv, tell, NULL, &err);
	int sig;

	CHECK(p != NULL && wait_over(p, 10000));
	CHECK_INT(ags_process_status(p, &sig), 127);
	ags_process_free(p);
}

static void test_it_works_when_our_own_three_are_closed(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct ags_process *p;
		bool ok;

		close(0);
		close(1);
		close(2);
		p = start("echo out; echo err >&2; cat");
		ok = p != NULL && wait_over(p, 10000) && strcmp(text(ags_process_output(p)), "out\n") == 0 &&
		     strcmp(text(ags_process_errors(p)), "err\n") == 0;
		_exit(ok ? 0 : 1);
	}
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_no_descriptor_is_lost(void)
{
	int before = check_descriptors();

	for (int i = 0; i < 20; i++) {
		struct ags_process *p = start(i % 2 == 0 ? "exit 0" : "sleep 100");

		if (i % 2 == 0)
			CHECK(wait_over(p, 10000));
		ags_process_free(p);
	}
	ags_family_wait(family);
	CHECK_INT(check_descriptors(), before);
}

static void test_without_descriptors_left_there_is_an_error_and_ours_stay(void)
{
	const char *argv[] = { "/bin/true", NULL };
	struct rlimit before, few;
	int first = dup(0), is_open;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	CHECK(first > 0);
	close(first);
	for (unsigned more = 0; more < 6; more++) {
		struct ags_err err = AGS_ERR_INIT;
		struct ags_process *p;

		few = before;
		few.rlim_cur = (rlim_t)first + more;
		CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
		p = ags_process_start(family, argv, tell, NULL, &err);
		is_open = fcntl(0, F_GETFD);
		CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
		CHECK(is_open >= 0);
		CHECK((p == NULL) == (err.code == AGS_LOCAL_IO));
		CHECK(p == NULL || more > 4);
		ags_process_free(p);
	}
	ags_family_wait(family);
}

int main(void)
{
	loop = ags_loop_new();
	family = ags_family_new(loop);
	RUN(test_what_it_says_and_how_it_ends_is_kept);
	RUN(test_a_signal_is_told);
	RUN(test_of_a_flood_the_ends_that_matter_are_kept);
	RUN(test_an_endless_flood_gives_way);
	RUN(test_it_has_three_descriptors_no_terminal_and_a_group_of_its_own);
	RUN(test_nothing_asks_for_a_password_in_a_window);
	RUN(test_signals_that_we_ignore_or_block_are_as_usual_for_it);
	RUN(test_freeing_kills_all_of_its_group);
	RUN(test_one_that_ends_takes_its_group_with_it);
	RUN(test_only_our_own_are_waited_for);
	RUN(test_one_that_somebody_else_has_waited_for_is_over);
	RUN(test_it_ends_when_we_are_killed);
	RUN(test_a_child_that_frees_leaves_it_alone);
	RUN(test_a_program_that_is_not_there_ends_with_127);
	RUN(test_it_works_when_our_own_three_are_closed);
	RUN(test_without_descriptors_left_there_is_an_error_and_ours_stay);
	RUN(test_no_descriptor_is_lost);
	ags_family_free(family);
	ags_loop_free(loop);
	return check_result();
}
