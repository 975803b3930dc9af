#include "fuzz/fuzz.h"

#include "ssh/agent.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * What an agent answers, in two pieces:
 *
 *   {even: to a question for keys, odd: for a signature} {length of the first piece} bytes
 *
 * An agent that has hung up is never waited for, and what is taken of its answer lies within it.
 */
static struct sockaddr_un at = { .sun_family = AF_UNIX };
static struct ags_loop *loop;
static int listener = -1;

static void clean_up(void)
{
	char *slash = strrchr(at.sun_path, '/');

	ags_loop_free(loop);
	unlink(at.sun_path);
	*slash = '\0';
	rmdir(at.sun_path);
}

static void begin(void)
{
	char folder[] = "/tmp/ags-fuzz-agent-XXXXXX";

	must(mkdtemp(folder) != NULL);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/agent", folder);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	loop = ags_loop_new();
	must(loop != NULL && bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(listener, 8) == 0 && atexit(clean_up) == 0);
}

static void ignore(void *arg, unsigned happened)
{
	(void)arg;
	(void)happened;
}

/* Every byte is looked at, as the answer is of just its size. */
static void look_at(const uint8_t *bytes, size_t len, size_t size)
{
	volatile uint8_t sum = 0;

	must(len <= size);
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum ^ bytes[i]);
}

static void look_at_answer(struct ags_agent *agent, bool is_signature, size_t size)
{
	const uint8_t *bytes;
	size_t len, keys = 0;

	if (is_signature) {
		if (ags_agent_signature(agent, &bytes, &len))
			look_at(bytes, len, size);
		return;
	}
	while (ags_agent_next_key(agent, &bytes, &len)) {
		look_at(bytes, len, size);
		must(++keys <= size / 8);
	}
}

static void say(int peer, const uint8_t *bytes, size_t n)
{
	must(send(peer, bytes, n, MSG_NOSIGNAL) == (ssize_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ags_err err = AGS_ERR_INIT;
	struct ags_agent *agent;
	enum ags_step step;
	char question[512];
	size_t first;
	int peer;

	if (size < 2 || size > 65536)
		return 0;
	if (listener < 0)
		begin();
	agent = ags_agent_new(loop, at.sun_path, ignore, NULL, &err);
	peer = accept(listener, NULL, NULL);
	must(agent != NULL && peer >= 0);
	must(data[0] % 2 == 0 ? ags_agent_ask_keys(agent, &err) : ags_agent_ask_sign(agent, data, 2, data, 2, 0, &err));
	must(ags_agent_step(agent, &err) == AGS_AGAIN && read(peer, question, sizeof(question)) > 4);
	first = data[1] < size - 2 ? data[1] : size - 2;
	say(peer, data + 2, first);
	step = ags_agent_step(agent, &err);
	if (step == AGS_AGAIN) {
		say(peer, data + 2 + first, size - 2 - first);
		shutdown(peer, SHUT_RDWR);
		step = ags_agent_step(agent, &err);
	}
	must(step != AGS_AGAIN && (step == AGS_FAILED) == (err.code != AGS_OK));
	if (step == AGS_DONE)
		look_at_answer(agent, data[0] % 2 == 1, size);
	else
		must_be_clean(err.message);
	ags_agent_free(agent);
	close(peer);
	return 0;
}
