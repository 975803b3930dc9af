#include "unit/check.h"

#include "base/limits.h"
#include "base/loop.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	struct ags_watch *watch, *other;
	int fd, calls;
	unsigned happened;
	int64_t at, again;
	int *order, place;
};

static void note(void *arg, unsigned happened)
{
	struct seen *s = arg;

	s->calls++;
	s->happened = happened;
	s->at = ags_now_ms();
	if (s->order != NULL)
		s->place = ++*s->order;
}

static void turn(struct ags_loop *loop, int ms)
{
	struct ags_err err = AGS_ERR_INIT;

	CHECK(ags_loop_once(loop, ms, &err));
	CHECK_INT(err.code, AGS_OK);
}

static void test_a_readable_descriptor_runs_its_watch(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen s = {0};
	int p[2];

	CHECK(pipe(p) == 0);
	s.watch = ags_watch_add(loop, p[0], AGS_READABLE, note, &s);
	turn(loop, 0);
	CHECK_INT(s.calls, 0);
	CHECK(write(p[1], "x", 1) == 1);
	turn(loop, 1000);
	CHECK_INT(s.calls, 1);
	CHECK_INT(s.happened, AGS_READABLE);
	ags_watch_remove(s.watch);
	ags_loop_free(loop);
	close(p[0]);
	close(p[1]);
}

static void test_only_what_is_wanted_is_told(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen s = {0};
	int p[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	s.watch = ags_watch_add(loop, p[0], AGS_READABLE | AGS_WRITABLE, note, &s);
	CHECK(write(p[1], "x", 1) == 1);
	turn(loop, 1000);
	CHECK_INT(s.happened, AGS_READABLE | AGS_WRITABLE);
	ags_watch_events(s.watch, AGS_READABLE);
	turn(loop, 1000);
	CHECK_INT(s.happened, AGS_READABLE);
	ags_watch_events(s.watch, 0);
	close(p[1]);
	turn(loop, 0);
	CHECK_INT(s.calls, 2);             /* not even the hang-up */
	ags_watch_events(s.watch, AGS_READABLE);
	turn(loop, 1000);
	CHECK_INT(s.calls, 3);
	ags_watch_remove(s.watch);
	ags_loop_free(loop);
	close(p[0]);
}

static void test_a_deadline_fires_once_and_not_early(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen s = {0};
	int64_t start = ags_now_ms();

	s.watch = ags_watch_add(loop, -1, 0, note, &s);
	ags_watch_deadline(s.watch, start + 30);
	while (s.calls == 0 && ags_now_ms() < start + 5000)
		turn(loop, 1000);
	CHECK_INT(s.happened, AGS_EXPIRED);
	CHECK(s.at >= start + 30 && s.at < start + 1000);
	turn(loop, 20);
	CHECK_INT(s.calls, 1);
	ags_watch_remove(s.watch);
	ags_loop_free(loop);
}

static void test_a_deadline_of_0_is_none(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen s = {0};

	s.watch = ags_watch_add(loop, -1, 0, note, &s);
	ags_watch_deadline(s.watch, ags_now_ms());
	ags_watch_deadline(s.watch, 0);
	turn(loop, 10);
	CHECK_INT(s.calls, 0);
	ags_loop_free(loop);
}

static void test_deadlines_fire_in_their_order(void)
{
	enum { N = 500 };
	static struct seen s[N];
	struct ags_loop *loop = ags_loop_new();
	unsigned seed = 20240817;
	int order = 0;
	int64_t base = ags_now_ms() - 100000;

	memset(s, 0, sizeof(s));
	printf("# seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < N; i++) {
		s[i].watch = ags_watch_add(loop, -1, 0, note, &s[i]);
		s[i].order = &order;
	}
	for (int round = 0; round < 4; round++)
		for (int i = 0; i < N; i++) {
			s[i].again = rand() % 3 == 0 ? 0 : base + rand() % 50000;
			ags_watch_deadline(s[i].watch, s[i].again);
		}
	for (int i = 0; i < N; i += 7) {
		ags_watch_remove(s[i].watch);
		s[i].again = 0;
	}
	turn(loop, 0);
	for (int i = 0; i < N; i++) {
		CHECK_INT(s[i].calls, s[i].again != 0);
		for (int j = 0; s[i].calls > 0 && j < N; j++)
			if (s[j].calls > 0 && s[i].again < s[j].again)
				CHECK(s[i].place < s[j].place);
	}
	ags_loop_free(loop);
}

static void remove_other(void *arg, unsigned happened)
{
	struct seen *s = arg;

	note(arg, happened);
	ags_watch_remove(s->other);
	ags_watch_remove(s->watch);
	s->watch = NULL;
}

static void test_a_callback_may_remove_itself_and_others(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen a = {0}, b = {0};
	int p[2], q[2];

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	a.watch = ags_watch_add(loop, p[0], AGS_READABLE, remove_other, &a);
	b.watch = ags_watch_add(loop, q[0], AGS_READABLE, remove_other, &b);
	a.other = b.watch;
	b.other = a.watch;
	CHECK(write(p[1], "x", 1) == 1 && write(q[1], "x", 1) == 1);
	turn(loop, 1000);
	CHECK_INT(a.calls + b.calls, 1);
	turn(loop, 0);
	CHECK_INT(a.calls + b.calls, 1);
	ags_loop_free(loop);
	close(p[0]); close(p[1]); close(q[0]); close(q[1]);
}

static void set_again(void *arg, unsigned happened)
{
	struct seen *s = arg;

	note(arg, happened);
	ags_watch_deadline(s->watch, ags_now_ms() - 1);
}

static void test_a_deadline_set_in_the_past_waits_for_the_next_turn(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen s = {0};

	s.watch = ags_watch_add(loop, -1, 0, set_again, &s);
	ags_watch_deadline(s.watch, ags_now_ms());
	turn(loop, 10);
	CHECK_INT(s.calls, 1);
	turn(loop, 1000);
	CHECK_INT(s.calls, 2);
	ags_loop_free(loop);
}

static void test_sleep_is_never_longer_than_the_ceiling(void)
{
	struct ags_loop *loop = ags_loop_new();
	int64_t start = ags_now_ms();

	turn(loop, 60000);
	CHECK(ags_now_ms() - start >= AGS_MAX_WAIT_MS - 5);
	CHECK(ags_now_ms() - start < 10 * AGS_MAX_WAIT_MS);
	ags_loop_free(loop);
}

static void ring(int signo)
{
	(void)signo;
}

static void test_a_signal_ends_the_sleep_without_an_error(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct sigaction action = { .sa_handler = ring, .sa_flags = SA_RESTART };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	int64_t start = ags_now_ms();

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	turn(loop, 200);
	CHECK(ags_now_ms() - start < 180);
	ags_loop_free(loop);
}

static void test_a_child_does_not_disturb_its_parents_loop(void)
{
	struct ags_loop *loop = ags_loop_new();
	struct seen s = {0};
	int p[2], status = -1;
	pid_t child;

	CHECK(pipe(p) == 0);
	s.watch = ags_watch_add(loop, p[0], AGS_READABLE, note, &s);
	child = fork();
	if (child == 0) {
		struct ags_err err = AGS_ERR_INIT;
		bool works = write(p[1], "x", 1) == 1 && ags_loop_once(loop, 1000, &err) && s.calls == 1;

		ags_watch_remove(s.watch);
		ags_loop_free(loop);
		_exit(works ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	turn(loop, 1000);
	CHECK_INT(s.calls, 1);
	ags_watch_remove(s.watch);
	ags_loop_free(loop);
	close(p[0]);
	close(p[1]);
}

static void test_a_regular_file_cannot_be_watched(void)
{
	struct ags_loop *loop = ags_loop_new();
	FILE *file = tmpfile();
	struct seen s = {0};

	CHECK(ags_watch_add(loop, fileno(file), AGS_READABLE, note, &s) == NULL);
	ags_loop_free(loop);
	fclose(file);
}

int main(void)
{
	RUN(test_a_readable_descriptor_runs_its_watch);
	RUN(test_only_what_is_wanted_is_told);
	RUN(test_a_deadline_fires_once_and_not_early);
	RUN(test_a_deadline_of_0_is_none);
	RUN(test_deadlines_fire_in_their_order);
	RUN(test_a_callback_may_remove_itself_and_others);
	RUN(test_a_deadline_set_in_the_past_waits_for_the_next_turn);
	RUN(test_sleep_is_never_longer_than_the_ceiling);
	RUN(test_a_signal_ends_the_sleep_without_an_error);
	RUN(test_a_child_does_not_disturb_its_parents_loop);
	RUN(test_a_regular_file_cannot_be_watched);
	return check_result();
}
