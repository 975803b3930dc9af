#include "unit/check.h"
#include "unit/failing_malloc.h"
#include "unit/sshd.h"

#include "ssh/quote.h"

#include <libssh2.h>

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libssh2\n";           /* it loses some bytes with every key exchange */
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

static struct sshd sshd;
static char agent[128];

static void ignore(void *arg)
{
	(void)arg;
}

static bool read_both(struct ags_channel *ch, size_t *got, bool ended[2], struct ags_err *err)
{
	char bytes[16384];

	for (int stream = AGS_STDOUT; stream <= AGS_STDERR; stream++) {
		enum ags_step step = AGS_DONE;
		size_t n;

		while (step == AGS_DONE && !ended[stream]) {
			step = ags_channel_read(ch, (enum ags_stream)stream, bytes, sizeof(bytes), &n, err);
			if (step == AGS_FAILED)
				return false;
			ended[stream] = step == AGS_DONE && n == 0;
			*got += n;
		}
	}
	return true;
}

static bool run_command(struct ags_channel *ch, struct ags_loop *loop, size_t *got, struct ags_err *err)
{
	enum ags_step step = AGS_AGAIN;
	bool ended[2] = { false, false };
	struct ags_exit result;
	int64_t until = ags_now_ms() + 10000;

	while (ags_now_ms() < until) {
		step = ags_channel_ready(ch, err);
		if (step == AGS_DONE)
			step = ags_channel_send_eof(ch, err);
		if (step == AGS_DONE && !read_both(ch, got, ended, err))
			return false;
		if (step == AGS_DONE && ended[0])
			step = ags_channel_finish(ch, &result, err);
		else if (step == AGS_DONE)
			step = AGS_AGAIN;
		if (step != AGS_AGAIN)
			return step == AGS_DONE;
		if (!ags_loop_once(loop, 100, err))
			return false;
	}
	return ags_fail(err, AGS_TIMEOUT, "the command hangs");
}

/* Two commands through one pool: false with err, and nothing is left behind. */
static bool use_pool(const struct ags_endpoint *to, struct ags_err *err)
{
	static const char *const argv[] = { "sh", "-c", "echo out; echo err >&2" };
	struct ags_pool *pool = ags_pool_new(&(struct ags_pool_limits){ .idle_ms = 60000 });
	struct ags_buf command = AGS_BUF_INIT;
	bool ok = pool != NULL || ags_fail_nomem(err);

	ok = ok && ags_quote_argv(argv, 3, &command, err) && (ags_buf_u8(&command, 0) || ags_fail_nomem(err));
	for (int i = 0; ok && i < 2; i++) {
		size_t got = 0;
		struct ags_channel *ch = ags_channel_open(pool, to, (const char *)command.data, ignore, NULL, err);

		ok = ch != NULL && run_command(ch, ags_pool_loop(pool), &got, err);
		if (ok)
			CHECK_INT(got, 8);
		ags_channel_close(ch);
	}
	ags_buf_free(&command);
	ags_pool_free(pool);
	return ok;
}

static void try_all(const struct ags_endpoint *to, bool stays)
{
	bool has_failed = true;
	size_t n;

	for (n = 1; has_failed && n < 1000; n++) {
		struct ags_err err = AGS_ERR_INIT;
		bool ok;

		failing_begin(n, stays);
		ok = use_pool(to, &err);
		has_failed = failing_end();
		CHECK(ok || has_failed);
		CHECK_INT(err.code, ok ? AGS_OK : AGS_NOMEM);
	}
	printf("# %zu requests\n", n - 2);
	CHECK(n > 20);
}

static void test_lack_of_memory_is_an_error_with_a_key_file(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);

	try_all(&to, false);
	try_all(&to, true);
}

static void test_lack_of_memory_is_an_error_with_an_agent_and_a_name(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);
	char known[160];

	snprintf(known, sizeof(known), "%s/byname", sshd.folder);
	sh("sed 's/127.0.0.1/localhost/' %s/known > %s", sshd.folder, known);
	to.host = "localhost";
	to.known_hosts = known;
	to.identity = NULL;
	to.agent = agent;
	try_all(&to, false);
	try_all(&to, true);
}

/* Each try starts a process, so only single requests fail. */
static void test_lack_of_memory_is_an_error_with_openssh(void)
{
	struct ags_endpoint to = sshd_endpoint(&sshd);

	to.transport = AGS_TRANSPORT_OPENSSH;
	try_all(&to, false);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	libssh2_init(0);
	if (!sshd_new(&sshd, "")) {
		sshd_free(&sshd);
		return access("/usr/sbin/sshd", X_OK) == 0;
	}
	snprintf(agent, sizeof(agent), "%s/agent", sshd.folder);
	RUN(test_lack_of_memory_is_an_error_with_a_key_file);
	RUN(test_lack_of_memory_is_an_error_with_openssh);
	sh("cd %s && ssh-agent -a agent > agentenv && SSH_AUTH_SOCK=%s ssh-add -q key 2>/dev/null", sshd.folder, agent);
	RUN(test_lack_of_memory_is_an_error_with_an_agent_and_a_name);
	sh(". %s/agentenv >/dev/null && kill $SSH_AGENT_PID", sshd.folder);
	sshd_free(&sshd);
	libssh2_exit();
	return check_result();
}
