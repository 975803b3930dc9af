#include "ssh/agent.h"
#include "ssh/blob.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_ANSWER (256u << 10)         /* what OpenSSH takes of an agent */

enum { ASK_KEYS = 11, KEYS = 12, ASK_SIGN = 13, SIGNATURE = 14 };

struct ags_agent {
	int fd;
	struct ags_watch *watch;
	struct ags_buf out, in;
	struct ags_cursor keys;
	uint32_t keys_left;
};

static int dial(const char *path, struct ags_err *err);
static bool begin(struct ags_agent *agent, uint8_t what, size_t len);
static enum ags_step send_question(struct ags_agent *agent, struct ags_err *err);
static enum ags_step read_answer(struct ags_agent *agent, struct ags_err *err);
static bool open_answer(const struct ags_agent *agent, uint8_t want, struct ags_cursor *c);
static struct ags_cursor held(const struct ags_agent *agent);

struct ags_agent *ags_agent_new(struct ags_loop *loop, const char *path, ags_watch_fn *fn, void *arg, struct ags_err *err)
{
	struct ags_agent *agent = calloc(1, sizeof(*agent));

	if (agent == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	agent->in.max = MAX_ANSWER + 4;
	agent->fd = dial(path, err);
	if (agent->fd >= 0) {
		agent->watch = ags_watch_add(loop, agent->fd, 0, fn, arg);
		if (agent->watch != NULL)
			return agent;
		ags_fail_nomem(err);
	}
	ags_agent_free(agent);
	return NULL;
}

void ags_agent_free(struct ags_agent *agent)
{
	if (agent == NULL)
		return;
	ags_watch_remove(agent->watch);
	if (agent->fd >= 0)
		close(agent->fd);
	ags_buf_free(&agent->out);
	ags_buf_free(&agent->in);
	free(agent);
}

bool ags_agent_ask_keys(struct ags_agent *agent, struct ags_err *err)
{
	agent->keys_left = 0;
	return begin(agent, ASK_KEYS, 0) || ags_fail_nomem(err);
}

bool ags_agent_ask_sign(struct ags_agent *agent, const uint8_t *blob, size_t blob_len, const uint8_t *data, size_t len,
                        uint32_t flags, struct ags_err *err)
{
	agent->keys_left = 0;
	if (!begin(agent, ASK_SIGN, 4 + blob_len + 4 + len + 4) || !ags_buf_string(&agent->out, blob, blob_len) ||
	    !ags_buf_string(&agent->out, data, len) || !ags_buf_be32(&agent->out, flags))
		return ags_fail_nomem(err);
	return true;
}

enum ags_step ags_agent_step(struct ags_agent *agent, struct ags_err *err)
{
	enum ags_step step = send_question(agent, err);

	if (step == AGS_DONE)
		step = read_answer(agent, err);
	ags_watch_events(agent->watch, step != AGS_AGAIN ? 0 : ags_buf_len(&agent->out) > 0 ? AGS_WRITABLE : AGS_READABLE);
	return step;
}

bool ags_agent_next_key(struct ags_agent *agent, const uint8_t **blob, size_t *len)
{
	const uint8_t *comment;
	size_t comment_len;

	if (agent->keys.p == NULL) {
		if (!open_answer(agent, KEYS, &agent->keys) || !ags_get_be32(&agent->keys, &agent->keys_left))
			agent->keys_left = 0;
	}
	if (agent->keys_left == 0 || !ags_get_string(&agent->keys, blob, len) ||
	    !ags_get_string(&agent->keys, &comment, &comment_len))
		return false;
	agent->keys_left--;
	return true;
}

bool ags_agent_signature(struct ags_agent *agent, const uint8_t **signature, size_t *len)
{
	struct ags_cursor c, inner;
	const uint8_t *whole, *algorithm;
	size_t whole_len, algorithm_len;

	if (!open_answer(agent, SIGNATURE, &c) || !ags_get_string(&c, &whole, &whole_len))
		return false;
	inner = (struct ags_cursor){ whole, whole + whole_len };
	return ags_get_string(&inner, &algorithm, &algorithm_len) && ags_get_string(&inner, signature, len);
}

/* A socket of this machine accepts at once or, with a full queue, says so: there is nothing to wait for. */
static int dial(const char *path, struct ags_err *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		ags_fail(err, AGS_CONFIG, "the agent's socket has a name of %zu bytes, want less than %zu", strlen(path),
		         sizeof(to.sun_path));
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	ags_fail_sys(err, AGS_AUTH, path, "cannot reach the agent at");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool begin(struct ags_agent *agent, uint8_t what, size_t len)
{
	ags_buf_clear(&agent->out);
	ags_buf_clear(&agent->in);
	agent->keys = (struct ags_cursor){ NULL, NULL };
	return len < MAX_ANSWER && ags_buf_be32(&agent->out, (uint32_t)len + 1) && ags_buf_u8(&agent->out, what);
}

static enum ags_step send_question(struct ags_agent *agent, struct ags_err *err)
{
	while (ags_buf_len(&agent->out) > 0) {
		ssize_t n = send(agent->fd, ags_buf_bytes(&agent->out), ags_buf_len(&agent->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return AGS_AGAIN;
		if (n < 0 && errno != EINTR)
			return ags_fail_step(err, AGS_AUTH, "lost the agent: error %d", errno);
		if (n > 0)
			ags_buf_consume(&agent->out, (size_t)n);
	}
	return AGS_DONE;
}

static enum ags_step read_answer(struct ags_agent *agent, struct ags_err *err)
{
	for (;;) {
		struct ags_cursor c = held(agent);
		uint32_t len = 0;
		bool has_len = ags_get_be32(&c, &len);
		size_t want = has_len ? len - ags_left(&c) : 4 - ags_buf_len(&agent->in);
		uint8_t *room;
		ssize_t n;

		if (has_len && (len == 0 || len > MAX_ANSWER))
			return ags_fail_step(err, AGS_AUTH, "the agent answers with %u bytes, want at most %u", len, MAX_ANSWER);
		if (has_len && want == 0)
			return AGS_DONE;
		room = ags_buf_reserve(&agent->in, want);
		if (room == NULL)
			return ags_fail_nomem(err), AGS_FAILED;
		n = recv(agent->fd, room, want, 0);
		if (n < 0 && errno == EAGAIN)
			return AGS_AGAIN;
		if (n == 0 || (n < 0 && errno != EINTR))
			return ags_fail_step(err, AGS_AUTH, "the agent hung up");
		if (n > 0)
			ags_buf_added(&agent->in, (size_t)n);
	}
}

static bool open_answer(const struct ags_agent *agent, uint8_t want, struct ags_cursor *c)
{
	uint32_t len;
	uint8_t what;

	*c = held(agent);
	return ags_get_be32(c, &len) && ags_left(c) == len && ags_get_u8(c, &what) && what == want;
}

static struct ags_cursor held(const struct ags_agent *agent)
{
	static const uint8_t nothing[1];
	const uint8_t *at = agent->in.data != NULL ? ags_buf_bytes(&agent->in) : nothing;

	return (struct ags_cursor){ at, at + ags_buf_len(&agent->in) };
}
