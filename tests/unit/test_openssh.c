/* Servers through the program ssh: its answers, its master's language, and commands on a stock sshd. */
#include "unit/check.h"
#include "unit/sshd.h"

#include "ssh/blob.h"
#include "ssh/mux.h"

#include <glob.h>

static struct sshd sshd;
static struct ags_pool *pool;

struct job {
	struct ags_channel *ch;
	struct ags_err err;
	struct ags_exit exit;
	size_t got, errors_got, to_send;
	uint64_t sum;
	char head[256];
	bool out_ended, errors_ended, eof_sent, is_done;
};

static void ignore(void *arg)
{
	(void)arg;
}

static void begin(struct job *job, const struct ags_endpoint *to, const char *command)
{
	job->ch = ags_channel_open(pool, to, command, ignore, NULL, &job->err);
	job->is_done = job->ch == NULL;
}

static void read_stream(struct job *job, enum ags_stream stream, bool *ended, enum ags_step *step)
{
	static char bytes[65536];
	size_t n = 0;

	while (*step == AGS_DONE && !*ended) {
		*step = ags_channel_read(job->ch, stream, bytes, sizeof(bytes), &n, &job->err);
		if (*step != AGS_DONE)
			break;
		*ended = n == 0;
		if (stream == AGS_STDERR) {
			job->errors_got += n;
			continue;
		}
		for (size_t i = 0; i < n && job->got + i < sizeof(job->head) - 1; i++)
			job->head[job->got + i] = bytes[i];
		job->got += n;
	}
	if (*step == AGS_AGAIN)
		*step = AGS_DONE;
}

static void work(struct job *job)
{
	static const char nothing[32768];
	enum ags_step step = ags_channel_ready(job->ch, &job->err);
	size_t taken;

	while (step == AGS_DONE && job->to_send > 0) {
		step = ags_channel_write(job->ch, nothing, job->to_send < sizeof(nothing) ? job->to_send : sizeof(nothing), &taken, &job->err);
		job->to_send -= taken;
	}
	if (step == AGS_DONE && !job->eof_sent) {
		step = ags_channel_send_eof(job->ch, &job->err);
		job->eof_sent = step == AGS_DONE;
	}
	if (step == AGS_AGAIN && ags_channel_ready(job->ch, &job->err) == AGS_DONE)
		step = AGS_DONE;
	if (step == AGS_DONE)
		read_stream(job, AGS_STDERR, &job->errors_ended, &step);
	if (step == AGS_DONE)
		read_stream(job, AGS_STDOUT, &job->out_ended, &step);
	if (step == AGS_DONE) {
		if (!job->out_ended || !job->errors_ended)
			return;
		step = ags_channel_finish(job->ch, &job->exit, &job->err);
	}
	job->is_done = step != AGS_AGAIN;
}

static void drive(struct job *jobs, size_t count, int ms)
{
	struct ags_err err = AGS_ERR_INIT;
	int64_t until = ags_now_ms() + ms;
	size_t left = 1;

	while (left > 0 && ags_now_ms() < until) {
		left = 0;
		for (size_t i = 0; i < count; i++) {
			if (!jobs[i].is_done)
				work(&jobs[i]);
			left += !jobs[i].is_done;
		}
		if (left > 0)
			ags_loop_once(ags_pool_loop(pool), 20, &err);
	}
	CHECK_INT(left, 0);
}

static void end(struct job *job)
{
	ags_channel_close(job->ch);
	job->ch = NULL;
}

static void run(struct job *job, const struct ags_endpoint *to, const char *command)
{
	begin(job, to, command);
	drive(job, 1, 60000);
	end(job);
}

static void check_says(const struct job *job, const char *what)
{
	if (strstr(job->err.message, what) == NULL)
		CHECK_STR(job->err.message, what);
}

static struct ags_endpoint through_ssh(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);

	to.transport = AGS_TRANSPORT_OPENSSH;
	return to;
}

static struct ags_session_stats the_session(void)
{
	struct ags_session_stats stats = { .transport = "", .reason = "" };

	CHECK(ags_pool_session(pool, 0, &stats));
	return stats;
}

static void test_a_command_runs(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};

	run(&job, &to, "echo hello; echo err >&2; exit 7");
	CHECK_STR(job.err.message, "");
	CHECK_STR(job.head, "hello\n");
	CHECK_INT(job.errors_got, 4);
	CHECK_INT(job.exit.status, 7);
	CHECK_STR(the_session().transport, "openssh");
	CHECK_STR(the_session().reason, "the topology says so");
}

static void test_20_megabytes_come_back(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = { .to_send = 20000000 };

	run(&job, &to, "cat");
	CHECK_STR(job.err.message, "");
	CHECK_INT(job.got, 20000000);
	CHECK_INT(job.exit.status, 0);
}

static void test_a_flood_of_errors_blocks_nothing(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};

	run(&job, &to, "head -c 5000000 /dev/zero >&2; echo done");
	CHECK_STR(job.head, "done\n");
	CHECK(job.errors_got > 100000);
}

static void test_the_session_is_used_again(void)
{
	struct ags_endpoint to = through_ssh();
	struct ags_pool_stats before, after;
	int64_t began;

	ags_pool_totals(pool, &before);
	began = ags_now_ms();
	for (int i = 0; i < 20; i++) {
		struct job job = {0};

		run(&job, &to, "true");
		CHECK_INT(job.exit.status, 0);
	}
	printf("# %g ms per command\n", (double)(ags_now_ms() - began) / 20);
	ags_pool_totals(pool, &after);
	CHECK_INT(after.opened, before.opened);
}

static void test_ten_at_once_share_two_connections(void)
{
	struct ags_endpoint to = through_ssh();
	struct job jobs[10] = { { .got = 0 } };
	struct ags_pool_stats totals;

	for (int i = 0; i < 10; i++)
		begin(&jobs[i], &to, "sleep 0.2; echo x");
	drive(jobs, 10, 60000);
	for (int i = 0; i < 10; i++) {
		CHECK_STR(jobs[i].err.message, "");
		CHECK_STR(jobs[i].head, "x\n");
		end(&jobs[i]);
	}
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.idle, 2);
}

static void test_a_server_with_few_channels_gets_more_connections(void)
{
	struct ags_endpoint to = through_ssh();
	struct job jobs[5] = { { .got = 0 } };

	ags_pool_close(pool);
	sshd_stop(&sshd);
	CHECK(sshd_start(&sshd, "MaxSessions 2"));
	for (int i = 0; i < 5; i++)
		begin(&jobs[i], &to, "sleep 0.5; echo x");
	drive(jobs, 5, 60000);
	for (int i = 0; i < 5; i++) {
		CHECK_STR(jobs[i].err.message, "");
		CHECK_STR(jobs[i].head, "x\n");
		end(&jobs[i]);
	}
	ags_pool_close(pool);
	sshd_stop(&sshd);
	CHECK(sshd_start(&sshd, ""));
}

static void test_a_server_that_allows_no_command_is_told(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};

	ags_pool_close(pool);
	sshd_stop(&sshd);
	CHECK(sshd_start(&sshd, "MaxSessions 0"));
	run(&job, &to, "true");
	check_says(&job, "refuses to open a channel");
	ags_pool_close(pool);
	sshd_stop(&sshd);
	CHECK(sshd_start(&sshd, ""));
}

static void test_an_idle_connection_that_died_is_replaced(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0}, again = {0};

	run(&job, &to, "true");
	sshd_stop(&sshd);
	CHECK(sshd_start(&sshd, ""));
	usleep(200000);
	run(&again, &to, "echo again");
	CHECK_STR(again.err.message, "");
	CHECK_STR(again.head, "again\n");
}

/* As one that is about to end, but is not over yet. */
static void test_a_kept_master_that_takes_no_more_commands_is_replaced(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0}, again = {0};

	run(&job, &to, "true");
	CHECK_INT(sh("rm /tmp/aegir-scale-%d-*/*", (int)getpid()), 0);
	run(&again, &to, "echo again");
	CHECK_STR(again.err.message, "");
	CHECK_STR(again.head, "again\n");
}

static void test_closing_an_unfinished_command_ends_it_there(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};
	char command[128];
	int64_t until = ags_now_ms() + 20000;

	snprintf(command, sizeof(command), "echo $$ > %s/pid; exec sleep 100", sshd.folder);
	begin(&job, &to, command);
	while (ags_channel_ready(job.ch, &job.err) == AGS_AGAIN && ags_now_ms() < until)
		ags_loop_once(ags_pool_loop(pool), 20, &job.err);
	CHECK(ags_channel_ready(job.ch, &job.err) == AGS_DONE);
	end(&job);
	CHECK(!ags_pool_session(pool, 0, &(struct ags_session_stats){ .server = "" }));
}

static void test_closing_one_of_two_leaves_the_other(void)
{
	struct ags_endpoint to = through_ssh();
	struct job jobs[2] = { { .got = 0 } };

	begin(&jobs[0], &to, "sleep 100");
	begin(&jobs[1], &to, "sleep 1; echo left");
	for (int64_t until = ags_now_ms() + 20000; ags_channel_ready(jobs[1].ch, &jobs[1].err) == AGS_AGAIN && ags_now_ms() < until;)
		ags_loop_once(ags_pool_loop(pool), 20, &jobs[1].err);
	end(&jobs[0]);
	drive(&jobs[1], 1, 30000);
	CHECK_STR(jobs[1].head, "left\n");
	end(&jobs[1]);
}

static void test_closing_while_connecting_is_clean(void)
{
	struct ags_endpoint to = through_ssh();

	for (int turns = 0; turns < 40; turns += 3) {
		struct job job = {0};

		begin(&job, &to, "true");
		for (int i = 0; i < turns; i++)
			ags_loop_once(ags_pool_loop(pool), 10, &job.err);
		end(&job);
		ags_pool_close(pool);
	}
}

static void test_what_is_no_name_never_reaches_ssh(void)
{
	static const char *const hosts[] = { "-oProxyCommand=touch", "a b", "a;b", "$(x)", "`x`", "a'b", "" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct ags_endpoint to = through_ssh();
		struct job host = {0}, user = {0};

		to.host = hosts[i];
		run(&host, &to, "true");
		CHECK_INT(host.err.code, AGS_USAGE);
		to = through_ssh();
		to.user = hosts[i];
		run(&user, &to, "true");
		CHECK_INT(user.err.code, AGS_USAGE);
	}
}

static void test_files_with_odd_names_are_found(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};
	char identity[128], known[128];

	sh("cd %s && cp key 'a %%h key' && cp known 'k %%u n' ", sshd.folder);
	snprintf(identity, sizeof(identity), "%s/a %%h key", sshd.folder);
	snprintf(known, sizeof(known), "%s/k %%u n", sshd.folder);
	to.identity = identity;
	to.known_hosts = known;
	run(&job, &to, "echo in");
	CHECK_STR(job.err.message, "");
	CHECK_STR(job.head, "in\n");
}

/* Whatever comes first in PATH. */
static void with_stand_in(const char *script, struct job *job, struct ags_endpoint *to)
{
	char *path = strdup(getenv("PATH")), changed[8192], name[128];

	sh("mkdir -p %s/bin", sshd.folder);
	snprintf(name, sizeof(name), "%s/bin", sshd.folder);
	write_file(name, "ssh", script);
	sh("chmod 755 %s/bin/ssh", sshd.folder);
	snprintf(changed, sizeof(changed), "%s:%s", name, path);
	setenv("PATH", changed, 1);
	run(job, to, "true");
	setenv("PATH", path, 1);
	free(path);
}

static void test_what_ssh_says_last_is_the_reason(void)
{
	struct ags_endpoint to = through_ssh();
	struct job plain = {0}, jump = {0}, mute = {0}, killed = {0};

	with_stand_in("#!/bin/sh\necho 'Warning: x' >&2; echo 'ssh: it is raining.' >&2; exit 255\n", &plain, &to);
	check_says(&plain, "logging in: ssh: it is raining; try by hand: ssh ");
	CHECK_STR(plain.err.server, "web1");
	with_stand_in("#!/bin/sh\nprintf 'ssh: connect to host jump port 22: No route to host\\r\\nkex_exchange_identification: Connection closed by remote host\\r\\nConnection closed by UNKNOWN port 65535\\r\\n' >&2; exit 255\n", &jump, &to);
	check_says(&jump, "connect to host jump port 22: No route to host; try");
	with_stand_in("#!/bin/sh\nexit 3\n", &mute, &to);
	check_says(&mute, "ended with status 3 while logging in");
	with_stand_in("#!/bin/sh\nkill -9 $$\n", &killed, &to);
	check_says(&killed, "was killed by signal 9 while");
}

static void test_an_ssh_that_hangs_costs_the_time_limit(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};
	int64_t began = ags_now_ms();

	to.connect_timeout_ms = 500;
	with_stand_in("#!/bin/sh\nsleep 100\n", &job, &to);
	CHECK_INT(job.err.code, AGS_TIMEOUT);
	CHECK(ags_now_ms() - began < 20000);
}

static void test_nothing_is_left_behind(void)
{
	struct ags_endpoint to = through_ssh();
	struct job job = {0};
	char pattern[64];
	glob_t found;
	int before;

	ags_pool_free(pool);
	before = check_descriptors();
	pool = ags_pool_new(&(struct ags_pool_limits){ .idle_ms = 60000 });
	run(&job, &to, "true");
	snprintf(pattern, sizeof(pattern), "/tmp/aegir-scale-%d-*", (int)getpid());
	CHECK_INT(glob(pattern, 0, NULL, &found), 0);
	globfree(&found);
	ags_pool_close(pool);
	CHECK(glob(pattern, 0, NULL, &found) == GLOB_NOMATCH);
	run(&job, &to, "true");
	ags_pool_free(pool);
	CHECK(glob(pattern, 0, NULL, &found) == GLOB_NOMATCH);
	CHECK_INT(check_descriptors(), before);
	pool = ags_pool_new(&(struct ags_pool_limits){ .idle_ms = 60000 });
}

/* --- the language of the master --- */

static void test_a_wish_is_what_ssh_reads(void)
{
	static const uint8_t want[] = {
		0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4,
		0, 0, 0, 42, 0x10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 2, 'i', 'd',
	};
	struct ags_buf b = AGS_BUF_INIT;

	CHECK(ags_mux_ask(&b, "id", 2));
	CHECK_INT(ags_buf_len(&b), sizeof(want));
	CHECK(memcmp(ags_buf_bytes(&b), want, sizeof(want)) == 0);
	ags_buf_free(&b);
}

static void test_messages_are_read_whole_or_not_at_all(void)
{
	static const uint8_t bytes[] = {
		0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4,
		0, 0, 0, 14, 0x80, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 2, 'n', 'o',
		0, 0, 0, 12, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9,
	};
	bool is_broken;

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct ags_cursor in = { bytes, bytes + len };
		struct ags_mux_message m;
		unsigned count = 0;

		while (ags_mux_read(&in, &m, &is_broken)) {
			count++;
			if (m.kind == AGS_MUX_REFUSED)
				CHECK(m.why_len == 2 && memcmp(m.why, "no", 2) == 0);
			if (m.kind == AGS_MUX_EXIT)
				CHECK_INT(m.number, 9);
		}
		CHECK(!is_broken);
		CHECK_INT(count, len < 12 ? 0 : len < 30 ? 1 : len < sizeof(bytes) ? 2 : 3);
	}
}

static void test_broken_messages_are_told(void)
{
	static const uint8_t bad[][16] = {
		{ 0, 0, 0, 3, 0, 0, 0 }, { 0xff, 0xff, 0xff, 0xff }, { 0, 0, 0, 4, 0, 0, 0, 1 }, { 0, 0, 0, 8, 0x80, 0, 0, 4, 0, 0, 0, 0 },
		{ 0, 0, 0, 12, 0x80, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9 },
	};
	struct ags_mux_message m;
	bool is_broken;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ags_cursor in = { bad[i], bad[i] + sizeof(bad[i]) };

		CHECK(!ags_mux_read(&in, &m, &is_broken) && is_broken);
	}
}

static void test_any_bytes_are_harmless(void)
{
	unsigned seed = 7;

	for (int round = 0; round < 20000; round++) {
		uint8_t *bytes = malloc(64);
		struct ags_cursor in = { bytes, bytes + 64 };
		struct ags_mux_message m;
		bool is_broken;

		for (int i = 0; i < 64; i++)
			bytes[i] = rand_r(&seed) % 3 == 0 ? (uint8_t)rand_r(&seed) : i % 4 == 3 ? (uint8_t)(rand_r(&seed) % 20) : 0;
		bytes[4] = 0x80;
		bytes[7] = (uint8_t)(rand_r(&seed) % 9);
		while (ags_mux_read(&in, &m, &is_broken))
			if (m.kind == AGS_MUX_REFUSED)
				CHECK(m.why >= bytes && m.why + m.why_len <= bytes + 64);
		free(bytes);
	}
}

int main(void)
{
	RUN(test_a_wish_is_what_ssh_reads);
	RUN(test_messages_are_read_whole_or_not_at_all);
	RUN(test_broken_messages_are_told);
	RUN(test_any_bytes_are_harmless);
	signal(SIGPIPE, SIG_DFL);                /* nothing may rest on its being ignored */
	ags_ssh_init();
	if (!sshd_new(&sshd, "")) {
		sshd_free(&sshd);
		return access("/usr/sbin/sshd", X_OK) == 0 || check_result();
	}
	pool = ags_pool_new(&(struct ags_pool_limits){ .idle_ms = 60000 });
	RUN(test_a_command_runs);
	RUN(test_20_megabytes_come_back);
	RUN(test_a_flood_of_errors_blocks_nothing);
	RUN(test_the_session_is_used_again);
	RUN(test_ten_at_once_share_two_connections);
	RUN(test_a_server_with_few_channels_gets_more_connections);
	RUN(test_a_server_that_allows_no_command_is_told);
	RUN(test_an_idle_connection_that_died_is_replaced);
	RUN(test_a_kept_master_that_takes_no_more_commands_is_replaced);
	RUN(test_closing_an_unfinished_command_ends_it_there);
	RUN(test_closing_one_of_two_leaves_the_other);
	RUN(test_closing_while_connecting_is_clean);
	RUN(test_what_is_no_name_never_reaches_ssh);
	RUN(test_files_with_odd_names_are_found);
	RUN(test_what_ssh_says_last_is_the_reason);
	RUN(test_an_ssh_that_hangs_costs_the_time_limit);
	RUN(test_nothing_is_left_behind);
	ags_pool_free(pool);
	sshd_free(&sshd);
	ags_ssh_exit();
	return check_result();
}
