#include "unit/check.h"
#include "unit/sshd.h"

#include "base/buf.h"
#include "base/limits.h"
#include "ssh/quote.h"

#include <libssh2.h>

/* libssh2 1.10 and 1.11 lose some 100 bytes with every key exchange and with every one that is broken off. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libssh2\n";
}

/* The quick way to walk a stack gets lost in libcrypto, and then the line above does not fit. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

static struct sshd sshd;

/* One command as a caller drives it: the loop marks it, its round does what can be done. */
struct job {
	struct ags_pool *pool;
	struct ags_channel *ch;
	struct ags_err err;
	struct ags_exit exit;
	bool is_marked, is_done, is_eof_sent, out_ended, errors_ended, is_lazy;
	const uint8_t *input;
	size_t input_len, sent;
	uint64_t zeros;                  /* bytes to send instead of input */
	uint64_t got, errors_got;
	uint64_t sum;                    /* of what was read */
	char head[256];
	size_t head_len;
};

static void mark(void *arg)
{
	struct job *job = arg;

	job->is_marked = true;
}

static struct ags_pool *new_pool(void)
{
	return ags_pool_new(&(struct ags_pool_limits){ .handshakes = AGS_MAX_HANDSHAKES, .idle_ms = 60000 });
}

static void begin(struct job *job, struct ags_pool *pool, const struct ags_endpoint *to, const char *command)
{
	job->pool = pool;
	job->ch = ags_channel_open(pool, to, command, mark, job, &job->err);
	job->is_marked = true;
	if (job->ch == NULL)
		job->is_done = true;
}

static void fail_job(struct job *job, enum ags_step step)
{
	if (step == AGS_FAILED)
		job->is_done = true;
}

static void push(struct job *job)
{
	static const uint8_t nothing[32768];
	enum ags_step step = AGS_DONE;

	while (step == AGS_DONE && (job->sent < job->input_len || job->zeros > 0)) {
		const uint8_t *from = job->input_len > 0 ? job->input + job->sent : nothing;
		uint64_t left = job->input_len > 0 ? job->input_len - job->sent : job->zeros;
		size_t n = left < 32768 ? (size_t)left : 32768, taken;

		step = ags_channel_write(job->ch, from, n, &taken, &job->err);
		if (job->input_len > 0)
			job->sent += taken;
		else
			job->zeros -= taken;
	}
	if (step == AGS_DONE && !job->is_eof_sent && job->sent == job->input_len && job->zeros == 0) {
		step = ags_channel_send_eof(job->ch, &job->err);
		job->is_eof_sent = step == AGS_DONE;
	}
	fail_job(job, step);
}

static void pull(struct job *job, enum ags_stream stream, bool *ended)
{
	static uint8_t bytes[65536];
	enum ags_step step = AGS_DONE;
	size_t got;

	while (step == AGS_DONE && !*ended) {
		step = ags_channel_read(job->ch, stream, bytes, sizeof(bytes), &got, &job->err);
		if (step == AGS_DONE && got == 0)
			*ended = true;
		if (stream == AGS_STDERR) {
			job->errors_got += got;
			continue;
		}
		for (size_t i = 0; i < got; i++)
			job->sum = job->sum * 31 + bytes[i];
		if (got > 0 && job->head_len < sizeof(job->head) - 1) {
			size_t n = got < sizeof(job->head) - 1 - job->head_len ? got : sizeof(job->head) - 1 - job->head_len;

			memcpy(job->head + job->head_len, bytes, n);
			job->head_len += n;
		}
		job->got += got;
	}
	fail_job(job, step);
}

static void work(struct job *job)
{
	enum ags_step step;

	job->is_marked = false;
	step = ags_channel_ready(job->ch, &job->err);
	if (step != AGS_DONE) {
		fail_job(job, step);
		return;
	}
	if (!job->is_lazy)
		push(job);
	if (!job->is_done)
		pull(job, AGS_STDERR, &job->errors_ended);
	if (!job->is_done)
		pull(job, AGS_STDOUT, &job->out_ended);
	if (job->is_done || !job->out_ended)
		return;
	step = ags_channel_finish(job->ch, &job->exit, &job->err);
	job->is_done = step != AGS_AGAIN;
}

/* False when not all are done within the time. */
static bool run_all(struct job *jobs, size_t count, int64_t within_ms)
{
	int64_t until = ags_now_ms() + within_ms;
	struct ags_err err = AGS_ERR_INIT;

	for (;;) {
		size_t done = 0;

		for (size_t i = 0; i < count; i++) {
			if (!jobs[i].is_done && jobs[i].is_marked)
				work(&jobs[i]);
			done += jobs[i].is_done;
		}
		if (done == count)
			return true;
		if (ags_now_ms() > until || !ags_loop_once(ags_pool_loop(jobs[0].pool), 100, &err))
			return false;
	}
}

static void end(struct job *job)
{
	ags_channel_close(job->ch);
	job->ch = NULL;
}

/* A whole command in a pool of its own; the error is left in the job. */
static void run_alone(struct job *job, const struct ags_endpoint *to, const char *command, int64_t within_ms)
{
	struct ags_pool *pool = new_pool();

	begin(job, pool, to, command);
	CHECK(run_all(job, 1, within_ms));
	end(job);
	ags_pool_free(pool);
}

static void check_fine(const struct job *job)
{
	CHECK_STR(job->err.message, "");
	CHECK_INT(job->exit.status, 0);
	CHECK_STR(job->exit.signal, "");
}

static void check_failed(const struct job *job, enum ags_code code, const char *says)
{
	CHECK_INT(job->err.code, code);
	CHECK_STR(job->err.server, "web1");
	if (strstr(job->err.message, says) == NULL)
		CHECK_STR(job->err.message, says);
}

static void test_a_command_runs(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};

	run_alone(&job, &to, "echo hello; echo oops >&2", 10000);
	check_fine(&job);
	CHECK_STR(job.head, "hello\n");
	CHECK_INT(job.errors_got, 5);
}

static void test_20_megabytes_come_back_as_they_went(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = { .input_len = 20u << 20 };
	uint8_t *bytes = malloc(job.input_len);
	uint64_t sum = 0;

	for (size_t i = 0; i < job.input_len; i++) {
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
		sum = sum * 31 + bytes[i];
	}
	job.input = bytes;
	run_alone(&job, &to, "cat", 60000);
	check_fine(&job);
	CHECK_INT(job.got, job.input_len);
	CHECK(job.sum == sum);
	free(bytes);
}

static void test_a_session_is_used_again(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct ags_pool_stats totals;
	struct ags_session_stats stats;

	for (int i = 0; i < 20; i++) {
		struct job job = {0};

		begin(&job, pool, &to, "echo x");
		CHECK_INT(ags_channel_was_reused(job.ch), i > 0);
		CHECK(run_all(&job, 1, 10000));
		check_fine(&job);
		CHECK_STR(job.head, "x\n");
		end(&job);
	}
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.opened, 1);
	CHECK_INT(totals.reused, 19);
	CHECK_INT(totals.idle, 1);
	CHECK_INT(totals.in_use, 0);
	CHECK(ags_pool_session(pool, 0, &stats));
	CHECK(!ags_pool_session(pool, 1, &stats) && ags_pool_session(pool, 0, &stats));
	CHECK_STR(stats.state, "ready");
	CHECK_STR(stats.server, "web1");
	CHECK(strncmp(stats.host_key, "ssh-ed25519 SHA256:", 19) == 0);
	CHECK(strncmp(stats.cipher, "aes", 3) == 0);
	CHECK_INT(stats.commands, 20);
	CHECK(stats.bytes_sent > 1000 && stats.bytes_received > 1000);
	ags_pool_close(pool);
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.idle, 0);
	CHECK_INT(totals.closed, 1);
	ags_pool_free(pool);
}

static void test_two_channels_share_a_session(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job jobs[4] = {0};
	struct ags_pool_stats totals;

	for (int i = 0; i < 4; i++) {
		jobs[i].zeros = 3u << 20;
		begin(&jobs[i], pool, &to, "cat");
	}
	CHECK(run_all(jobs, 4, 30000));
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.opened, 1);
	for (int i = 0; i < 4; i++) {
		check_fine(&jobs[i]);
		CHECK_INT(jobs[i].got, 3u << 20);
		end(&jobs[i]);
	}
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.idle, 1);
	ags_pool_free(pool);
}

static void test_the_exit_status_is_told(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0}, killed = {0};

	run_alone(&job, &to, "exit 7", 10000);
	CHECK_INT(job.exit.status, 7);
	CHECK_STR(job.exit.signal, "");
	run_alone(&killed, &to, "kill -9 $$", 10000);
	CHECK_INT(killed.exit.status, -1);
	CHECK_STR(killed.exit.signal, "KILL");
}

static void test_a_flood_of_errors_blocks_nothing(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};

	run_alone(&job, &to, "head -c 10000000 /dev/zero >&2; echo done", 30000);
	check_fine(&job);
	CHECK_STR(job.head, "done\n");
	CHECK_INT(job.errors_got, 10000000);
}

static void test_errors_that_nobody_reads_block_nothing(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = { .errors_ended = true };

	run_alone(&job, &to, "head -c 10000000 /dev/zero >&2; echo done", 30000);
	check_fine(&job);
	CHECK_STR(job.head, "done\n");
}

static void test_an_unknown_host_key_is_refused(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0}, missing = {0};
	char want[256];

	to.known_hosts = "/dev/null";
	run_alone(&job, &to, "true", 10000);
	snprintf(want, sizeof(want), "host key of web1 (127.0.0.1:%u) is not in /dev/null: it offers ssh-ed25519 SHA256:", to.port);
	check_failed(&job, AGS_AUTH, want);
	snprintf(want, sizeof(want), "add it with: ssh-keyscan -p %u 127.0.0.1 >> /dev/null", to.port);
	check_failed(&job, AGS_AUTH, want);
	to.known_hosts = "/nonexistent/known";
	run_alone(&missing, &to, "true", 10000);
	check_failed(&missing, AGS_AUTH, "is not in /nonexistent/known");
}

static void test_a_changed_host_key_is_refused(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char file[256], want[400];

	snprintf(file, sizeof(file), "%s/changed", sshd.folder);
	sh("awk '{print \"[127.0.0.1]:%u \" $1 \" \" $2}' %s/other.pub > %s", to.port, sshd.folder, file);
	to.known_hosts = file;
	run_alone(&job, &to, "true", 10000);
	check_failed(&job, AGS_AUTH, "has CHANGED");
	snprintf(want, sizeof(want), "ssh-keygen -R '[127.0.0.1]:%u' -f %s", to.port, file);
	check_failed(&job, AGS_AUTH, want);
}

static void test_a_host_known_by_another_type_is_refused(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char file[256];

	snprintf(file, sizeof(file), "%s/othertype", sshd.folder);
	sh("cd %s && rm -f ec ec.pub && ssh-keygen -q -t ecdsa -N '' -f ec && awk '{print \"[127.0.0.1]:%u \" $1 \" \" $2}' ec.pub > othertype",
	   sshd.folder, to.port);
	to.known_hosts = file;
	run_alone(&job, &to, "true", 10000);
	check_failed(&job, AGS_AUTH, "which holds ecdsa-sha2-nistp256: it offers ssh-ed25519");
}

static void test_a_revoked_host_key_is_refused(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char file[256];

	snprintf(file, sizeof(file), "%s/revoked", sshd.folder);
	sh("{ cat %s/known; sed 's/^/@revoked /' %s/known; } > %s", sshd.folder, sshd.folder, file);
	to.known_hosts = file;
	run_alone(&job, &to, "true", 10000);
	check_failed(&job, AGS_AUTH, "@revoked");
}

static void test_a_refused_key_is_named(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char other[256];

	snprintf(other, sizeof(other), "%s/other", sshd.folder);
	to.identity = other;
	run_alone(&job, &to, "true", 10000);
	check_failed(&job, AGS_AUTH, "does not let");
	check_failed(&job, AGS_AUTH, other);
}

static void test_keys_that_cannot_be_used_are_explained(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job secret = {0}, open = {0}, text = {0}, none = {0}, missing = {0};
	char file[256];

	sh("cd %s && ssh-keygen -q -t ed25519 -N secret -f secret && cp key open && chmod 644 open && echo hello > text && chmod 600 text", sshd.folder);
	to.identity = file;
	snprintf(file, sizeof(file), "%s/secret", sshd.folder);
	run_alone(&secret, &to, "true", 10000);
	check_failed(&secret, AGS_AUTH, "has a passphrase and there is no agent");
	snprintf(file, sizeof(file), "%s/open", sshd.folder);
	run_alone(&open, &to, "true", 10000);
	check_failed(&open, AGS_AUTH, "mode 0644");
	snprintf(file, sizeof(file), "%s/text", sshd.folder);
	run_alone(&text, &to, "true", 10000);
	check_failed(&text, AGS_AUTH, "is no private key");
	snprintf(file, sizeof(file), "%s/missing", sshd.folder);
	run_alone(&missing, &to, "true", 10000);
	check_failed(&missing, AGS_AUTH, "No such file");
	to.identity = NULL;
	to.home = "/nonexistent";
	run_alone(&none, &to, "true", 10000);
	check_failed(&none, AGS_AUTH, "there is no key to log in as");
}

static void test_an_rsa_key_works_or_says_why_not(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char file[256];

	snprintf(file, sizeof(file), "%s/rsa", sshd.folder);
	sh("cd %s && ssh-keygen -q -t rsa -b 2048 -N '' -f rsa && cat rsa.pub >> authorized", sshd.folder);
	to.identity = file;
	to.transport = AGS_TRANSPORT_LIBSSH2;
	run_alone(&job, &to, "echo in", 10000);
	if (libssh2_version(0x010b00) != NULL)
		CHECK_STR(job.head, "in\n");
	else
		check_failed(&job, AGS_AUTH, "use an ed25519 key");
}

static void test_the_usual_files_are_tried_in_turn(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};

	sh("cd %s && mkdir -p home/.ssh && cp other home/.ssh/id_ed25519 && cp ec home/.ssh/id_ecdsa && cat ec.pub >> authorized", sshd.folder);
	char home[256];
	snprintf(home, sizeof(home), "%s/home", sshd.folder);
	to.identity = NULL;
	to.home = home;
	run_alone(&job, &to, "echo in", 10000);
	check_fine(&job);
	CHECK_STR(job.head, "in\n");
}

static void test_the_agent_logs_in(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job any = {0}, named = {0}, absent = {0};
	char socket[256], file[256], pid[32] = "";
	FILE *f;

	snprintf(socket, sizeof(socket), "%s/agent", sshd.folder);
	sh("cd %s && ssh-agent -a agent | sed -n 's/.*PID=\\([0-9]*\\);.*/\\1/p' > agentpid && "
	   "SSH_AUTH_SOCK=%s ssh-add -q other key ec 2>/dev/null", sshd.folder, socket);
	to.identity = NULL;
	to.agent = socket;
	run_alone(&any, &to, "echo in", 10000);
	check_fine(&any);
	CHECK_STR(any.head, "in\n");
	/* the public half of an encrypted key tells which of the agent's keys it is */
	snprintf(file, sizeof(file), "%s/locked", sshd.folder);
	sh("cd %s && cp key locked && ssh-keygen -q -p -P '' -N secret -f locked >/dev/null", sshd.folder);
	to.identity = file;
	run_alone(&named, &to, "echo in", 10000);
	CHECK_STR(named.head, "in\n");
	snprintf(file, sizeof(file), "%s/secret", sshd.folder);
	run_alone(&absent, &to, "echo in", 10000);
	check_failed(&absent, AGS_AUTH, "the agent does not hold it");
	snprintf(file, sizeof(file), "%s/agentpid", sshd.folder);
	f = fopen(file, "r");
	if (f != NULL && fgets(pid, sizeof(pid), f) != NULL && atoi(pid) > 1)
		kill(atoi(pid), SIGTERM);
	if (f != NULL)
		fclose(f);
}

static void test_an_agent_that_never_answers_costs_its_server_the_time_limit(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct sockaddr_un { sa_family_t family; char path[108]; } at = { .family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct job job = {0};
	int64_t start = ags_now_ms();

	snprintf(at.path, sizeof(at.path), "%s/mute", sshd.folder);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 5) == 0);
	to.identity = NULL;
	to.agent = at.path;
	to.connect_timeout_ms = 500;
	run_alone(&job, &to, "true", 5000);
	check_failed(&job, AGS_TIMEOUT, "within 0.5 s while logging in as");
	CHECK(ags_now_ms() - start >= 500 && ags_now_ms() - start < 5000);
	close(fd);
}

static void test_a_dead_port_is_told(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char want[64];
	int fd = listen_somewhere(&to.port);

	close(fd);
	run_alone(&job, &to, "true", 5000);
	snprintf(want, sizeof(want), "cannot connect to 127.0.0.1:%u: Connection refused", to.port);
	check_failed(&job, AGS_CONNECT, want);
}

static void test_a_silent_server_costs_the_time_limit(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	int64_t start = ags_now_ms();
	struct job job = {0};
	char want[128];
	int fd = listen_somewhere(&to.port);

	to.connect_timeout_ms = 400;
	run_alone(&job, &to, "true", 5000);
	snprintf(want, sizeof(want), "no answer from 127.0.0.1:%u within 0.4 s while waiting for its SSH banner", to.port);
	check_failed(&job, AGS_TIMEOUT, want);
	CHECK(ags_now_ms() - start >= 400 && ags_now_ms() - start < 5000);
	close(fd);
}

/* A server that says `text` and then, when `hangs_up`, closes; else it reads on. */
static pid_t speak(uint16_t *port, const char *text, size_t len, bool hangs_up)
{
	int fd = listen_somewhere(port);
	pid_t pid = fork();

	if (pid == 0) {
		int peer = accept(fd, NULL, NULL);
		char sink[4096];

		if (write(peer, text, len) < 0)
			_exit(1);
		while (!hangs_up && read(peer, sink, sizeof(sink)) > 0)
			continue;
		shutdown(peer, SHUT_WR);
		while (read(peer, sink, sizeof(sink)) > 0)
			continue;
		_exit(0);
	}
	close(fd);
	return pid;
}

static void check_speech(const char *text, size_t len, bool hangs_up, enum ags_code code, const char *says)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	pid_t pid = speak(&to.port, text, len, hangs_up);

	to.connect_timeout_ms = code == AGS_TIMEOUT ? 500 : 20000;
	run_alone(&job, &to, "true", 30000);
	check_failed(&job, code, says);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_servers_that_do_not_speak_ssh_are_told(void)
{
	static char noise[200000], zeros[2000];

	memset(noise, 'x', sizeof(noise));
	for (size_t i = 70; i < sizeof(noise); i += 70)
		noise[i] = '\n';
	check_speech("HTTP/1.1 400 Bad\0Request\r\n", 26, true, AGS_PROTOCOL, "does not answer as an SSH server does");
	check_speech("Exceeded MaxStartups\r\n", 22, true, AGS_CONNECT, "while waiting for its SSH banner: Exceeded MaxStartups");
	check_speech(noise, sizeof(noise), false, AGS_PROTOCOL, "sent 65536 bytes and no SSH banner");
	check_speech("", 0, true, AGS_CONNECT, "closed the connection while waiting for its SSH banner");
	check_speech("SSH-2.0-x\r\n", 11, true, AGS_CONNECT, "closed the connection while exchanging keys");
	check_speech("SSH-2.0-x\r\n", 11, false, AGS_TIMEOUT, "while exchanging keys");
	memcpy(zeros, "SSH-2.0-x\r\n", 11);
	check_speech(zeros, sizeof(zeros), false, AGS_CONNECT, "exchanging keys with 127.0.0.1");
}

static void test_a_name_that_does_not_exist_is_told(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};

	to.host = "no.such.host.invalid";
	to.connect_timeout_ms = 3000;
	run_alone(&job, &to, "true", 5000);
	CHECK(job.err.code == AGS_CONNECT || job.err.code == AGS_TIMEOUT);
	CHECK(strstr(job.err.message, "no.such.host.invalid") != NULL);
}

static void test_a_name_is_looked_up(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct job job = {0};
	char file[256];

	snprintf(file, sizeof(file), "%s/byname", sshd.folder);
	sh("sed 's/127.0.0.1/localhost/' %s/known > %s", sshd.folder, file);
	to.host = "localhost";               /* may be ::1 first, where nobody listens */
	to.known_hosts = file;
	run_alone(&job, &to, "echo in", 5000);
	check_fine(&job);
	CHECK_STR(job.head, "in\n");
}

static void test_50_connections_at_once(void)
{
	static struct job jobs[50];
	static struct ags_endpoint to[50];
	static char users[50][160];
	struct ags_pool *pool = new_pool();
	struct ags_pool_stats totals;

	memset(jobs, 0, sizeof(jobs));
	for (int i = 0; i < 50; i++) {
		to[i] = sshd_endpoint(&sshd);
		/* another spelling of the file makes another endpoint, and so a session of its own */
		snprintf(users[i], sizeof(users[i]), "%.*s%.*s/key", (int)strlen(sshd.folder), sshd.folder, 2 * i,
		         "/./././././././././././././././././././././././././././././././././././././././././././././././././.");
		to[i].identity = users[i];
		to[i].connect_timeout_ms = 60000;          /* sshd shares the machine's cores with us */
		begin(&jobs[i], pool, &to[i], "echo x");
	}
	CHECK(run_all(jobs, 50, 120000));
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.opened, 50);
	for (int i = 0; i < 50; i++) {
		check_fine(&jobs[i]);
		CHECK_STR(jobs[i].head, "x\n");
		end(&jobs[i]);
	}
	ags_pool_free(pool);
}

static void test_a_connection_cut_under_a_command_is_told(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job job = { .is_lazy = true };

	begin(&job, pool, &to, "echo started; sleep 0.3; kill -9 $PPID; sleep 20");
	CHECK(run_all(&job, 1, 10000));
	CHECK_STR(job.head, "started\n");
	check_failed(&job, AGS_CONNECT, "the connection");
	end(&job);
	ags_pool_free(pool);
}

static void test_an_idle_session_that_died_is_replaced(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job first = {0}, second = {0};
	struct ags_pool_stats totals;

	begin(&first, pool, &to, "echo $PPID");
	CHECK(run_all(&first, 1, 10000));
	end(&first);
	CHECK(atoi(first.head) > 1 && kill(atoi(first.head), SIGKILL) == 0);
	usleep(100000);
	begin(&second, pool, &to, "echo again");
	CHECK(!ags_channel_was_reused(second.ch));
	CHECK(run_all(&second, 1, 10000));
	check_fine(&second);
	CHECK_STR(second.head, "again\n");
	end(&second);
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.opened, 2);
	ags_pool_free(pool);
}

static void test_a_reused_session_that_dies_before_the_command_is_replaced(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job first = {0}, second = {0};

	begin(&first, pool, &to, "echo $PPID");
	CHECK(run_all(&first, 1, 10000));
	end(&first);
	CHECK(atoi(first.head) > 1 && kill(atoi(first.head), SIGSTOP) == 0);
	begin(&second, pool, &to, "echo again");
	CHECK(ags_channel_was_reused(second.ch));
	kill(atoi(first.head), SIGKILL);
	CHECK(run_all(&second, 1, 10000));
	check_fine(&second);
	CHECK_STR(second.head, "again\n");
	CHECK(!ags_channel_was_reused(second.ch));
	end(&second);
	ags_pool_free(pool);
}

static void test_a_reused_session_that_is_silent_is_replaced(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job first = {0}, second = {0};

	to.connect_timeout_ms = 3000;
	begin(&first, pool, &to, "echo $PPID");
	CHECK(run_all(&first, 1, 10000));
	end(&first);
	CHECK(atoi(first.head) > 1 && kill(atoi(first.head), SIGSTOP) == 0);
	begin(&second, pool, &to, "echo again");
	CHECK(run_all(&second, 1, 10000));
	check_fine(&second);
	CHECK_STR(second.head, "again\n");
	kill(atoi(first.head), SIGKILL);
	end(&second);
	ags_pool_free(pool);
}

static void test_closing_an_unfinished_command_cuts_its_connection(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job job = { .is_lazy = true };
	struct ags_pool_stats totals;
	int64_t start = ags_now_ms();

	begin(&job, pool, &to, "echo started; sleep 60");
	while (job.head_len == 0 && !job.is_done && ags_now_ms() - start < 10000) {
		work(&job);
		ags_loop_once(ags_pool_loop(pool), 100, &job.err);
	}
	CHECK_STR(job.head, "started\n");
	start = ags_now_ms();
	end(&job);
	CHECK(ags_now_ms() - start < 1000);
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.in_use + totals.idle, 0);
	ags_pool_free(pool);
}

static void test_closing_one_of_two_leaves_the_other(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job jobs[2] = { { .is_lazy = true }, {0} };
	struct ags_pool_stats totals;
	int64_t start = ags_now_ms();

	begin(&jobs[0], pool, &to, "echo started; sleep 60");
	begin(&jobs[1], pool, &to, "sleep 1; echo done");
	while (jobs[0].head_len == 0 && ags_now_ms() - start < 10000) {
		work(&jobs[0]);
		ags_loop_once(ags_pool_loop(pool), 100, &jobs[0].err);
	}
	end(&jobs[0]);
	jobs[1].is_marked = true;
	CHECK(run_all(&jobs[1], 1, 10000));
	check_fine(&jobs[1]);
	CHECK_STR(jobs[1].head, "done\n");
	end(&jobs[1]);
	ags_pool_totals(pool, &totals);
	CHECK_INT(totals.in_use + totals.idle, 0);        /* and nobody gets that session again */
	ags_pool_free(pool);
}

static void test_closing_while_connecting_is_clean(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);

	for (int turns = 0; turns < 12; turns++) {
		struct ags_pool *pool = new_pool();
		struct job job = {0};

		begin(&job, pool, &to, "true");
		for (int i = 0; i < turns; i++)
			ags_loop_once(ags_pool_loop(pool), 20, &job.err);
		end(&job);
		ags_pool_free(pool);
	}
}

static void test_silence_is_measured_in_bytes(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job job = { .is_lazy = true };
	int64_t most = 0, start = ags_now_ms();

	begin(&job, pool, &to, "for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2; echo $i; done; sleep 5");
	while (job.head_len < 18 && ags_now_ms() - start < 10000) {
		work(&job);
		ags_loop_once(ags_pool_loop(pool), 20, &job.err);
		if (job.head_len > 0 && ags_channel_silent_ms(job.ch) > most)
			most = ags_channel_silent_ms(job.ch);
	}
	CHECK(most < 1500);
	usleep(300000);
	CHECK(ags_channel_silent_ms(job.ch) >= 290);
	end(&job);
	ags_pool_free(pool);
}

static void test_a_child_forgets_its_parents_sessions(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	struct job running = { .is_lazy = true }, second = {0};
	int64_t start = ags_now_ms();
	int status = -1;
	pid_t child;

	begin(&running, pool, &to, "echo started; cat");
	while (running.head_len == 0 && ags_now_ms() - start < 10000) {
		work(&running);
		ags_loop_once(ags_pool_loop(pool), 100, &running.err);
	}
	child = fork();
	if (child == 0) {
		struct job own = {0};
		bool ok;

		work(&running);
		ok = running.err.code == AGS_CONNECT && strstr(running.err.message, "belongs to the process") != NULL;
		end(&running);
		begin(&own, pool, &to, "echo child");
		ok = ok && run_all(&own, 1, 10000) && strcmp(own.head, "child\n") == 0;
		end(&own);
		ags_pool_free(pool);
		_exit(ok ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	running.is_lazy = false;
	running.is_marked = true;
	running.zeros = 100000;
	CHECK(run_all(&running, 1, 10000));
	check_fine(&running);
	CHECK_INT(running.got, 100000 + 8);
	end(&running);
	begin(&second, pool, &to, "echo parent");
	CHECK(ags_channel_was_reused(second.ch));
	CHECK(run_all(&second, 1, 10000));
	CHECK_STR(second.head, "parent\n");
	end(&second);
	ags_pool_free(pool);
}

static void test_a_command_longer_than_a_packet_is_an_error(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	struct ags_pool *pool = new_pool();
	static char longest[AGS_MAX_COMMAND + 2];
	struct job job = {0};
	struct ags_err err = AGS_ERR_INIT;

	memset(longest, 'x', AGS_MAX_COMMAND + 1);
	CHECK(ags_channel_open(pool, &to, longest, mark, &job, &err) == NULL);
	CHECK_INT(err.code, AGS_LIMIT);
	memcpy(longest, "echo ", 5);
	longest[AGS_MAX_COMMAND] = '\0';
	begin(&job, pool, &to, longest);
	CHECK(run_all(&job, 1, 10000));
	CHECK_INT(job.got, AGS_MAX_COMMAND - 5 + 1);
	end(&job);
	ags_pool_free(pool);
}

/* New keys every megabyte, three channels in both directions: what wedges libssh2 when it writes to the socket itself. */
static void test_rekeying_under_traffic_in_both_directions(void)
{
	struct sshd other;
	struct ags_endpoint to;
	struct ags_pool *pool = new_pool();
	struct job jobs[3] = {0};

	CHECK(sshd_new(&other, "RekeyLimit 1M\nClientAliveInterval 1\n"));
	to = sshd_endpoint(&other);
	for (int i = 0; i < 3; i++) {
		jobs[i].zeros = 8u << 20;
		begin(&jobs[i], pool, &to, "cat");
	}
	CHECK(run_all(jobs, 3, 60000));
	for (int i = 0; i < 3; i++) {
		check_fine(&jobs[i]);
		CHECK_INT(jobs[i].got, 8u << 20);
		end(&jobs[i]);
	}
	ags_pool_free(pool);
	sshd_free(&other);
}

static void test_a_server_with_few_channels_gets_more_connections(void)
{
	struct sshd other;
	struct ags_endpoint to;
	struct ags_pool *pool = new_pool();
	struct job jobs[5] = {0};
	struct ags_pool_stats totals;

	CHECK(sshd_new(&other, "MaxSessions 2\n"));
	to = sshd_endpoint(&other);
	for (int i = 0; i < 5; i++)
		begin(&jobs[i], pool, &to, "sleep 0.3; echo x");
	CHECK(run_all(jobs, 5, 20000));
	for (int i = 0; i < 5; i++) {
		check_fine(&jobs[i]);
		CHECK_STR(jobs[i].head, "x\n");
		end(&jobs[i]);
	}
	ags_pool_totals(pool, &totals);
	CHECK(totals.opened >= 3);
	ags_pool_free(pool);
	sshd_free(&other);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	libssh2_init(0);
	if (!sshd_new(&sshd, "")) {
		sshd_free(&sshd);
		return access("/usr/sbin/sshd", X_OK) == 0;
	}
	RUN(test_a_command_runs);
	RUN(test_20_megabytes_come_back_as_they_went);
	RUN(test_a_session_is_used_again);
	RUN(test_two_channels_share_a_session);
	RUN(test_the_exit_status_is_told);
	RUN(test_a_flood_of_errors_blocks_nothing);
	RUN(test_errors_that_nobody_reads_block_nothing);
	RUN(test_an_unknown_host_key_is_refused);
	RUN(test_a_changed_host_key_is_refused);
	RUN(test_a_host_known_by_another_type_is_refused);
	RUN(test_a_revoked_host_key_is_refused);
	RUN(test_a_refused_key_is_named);
	RUN(test_keys_that_cannot_be_used_are_explained);
	RUN(test_an_rsa_key_works_or_says_why_not);
	RUN(test_the_usual_files_are_tried_in_turn);
	RUN(test_the_agent_logs_in);
	RUN(test_an_agent_that_never_answers_costs_its_server_the_time_limit);
	RUN(test_a_dead_port_is_told);
	RUN(test_a_silent_server_costs_the_time_limit);
	RUN(test_servers_that_do_not_speak_ssh_are_told);
	RUN(test_a_name_that_does_not_exist_is_told);
	RUN(test_a_name_is_looked_up);
	RUN(test_50_connections_at_once);
	RUN(test_a_connection_cut_under_a_command_is_told);
	RUN(test_an_idle_session_that_died_is_replaced);
	RUN(test_a_reused_session_that_dies_before_the_command_is_replaced);
	RUN(test_a_reused_session_that_is_silent_is_replaced);
	RUN(test_closing_an_unfinished_command_cuts_its_connection);
	RUN(test_closing_one_of_two_leaves_the_other);
	RUN(test_closing_while_connecting_is_clean);
	RUN(test_silence_is_measured_in_bytes);
	RUN(test_a_child_forgets_its_parents_sessions);
	RUN(test_a_command_longer_than_a_packet_is_an_error);
	RUN(test_rekeying_under_traffic_in_both_directions);
	RUN(test_a_server_with_few_channels_gets_more_connections);
	sshd_free(&sshd);
	libssh2_exit();
	return check_result();
}
