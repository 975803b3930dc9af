#include "base/limits.h"
#include "base/text.h"
#include "ssh/channel_private.h"

#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static bool has_failed(struct ags_channel *ch, struct ags_err *err);
static enum ags_step read_errors(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err);
static bool ends_tidy(struct ags_channel *ch);

struct ags_channel *ags_channel_open(struct ags_pool *pool, const struct ags_endpoint *to, const char *command,
                                     ags_wake_fn *wake, void *arg, struct ags_err *err)
{
	size_t len = strlen(command);
	struct ags_channel *ch;
	struct ags_session *s;

	if (len > AGS_MAX_COMMAND) {
		ags_fail(err, AGS_LIMIT, "a command of %zu bytes is too long for one SSH packet, want at most %u", len, AGS_MAX_COMMAND);
		return NULL;
	}
	ch = calloc(1, sizeof(*ch) + len + 1);
	if (ch == NULL) {
		ags_fail_nomem(err);
		return NULL;
	}
	*ch = (struct ags_channel){ .pool = pool, .wake = wake, .arg = arg, .moved_at = ags_now_ms(), .command_len = len,
	                            .kernel_queue = -1, .errors = { .max = AGS_MAX_STDERR } };
	memcpy(ch->command, command, len);
	s = ags_pool_lend(pool, to, err);
	if (s == NULL) {
		free(ch);
		return NULL;
	}
	ch->is_reused = s->lent > 1;
	ch->may_move = s->state == AGS_SESSION_READY;
	ch->timeout_ms = to->connect_timeout_ms > 0 ? to->connect_timeout_ms : s->to.connect_timeout_ms;
	ags_channel_attach(ch, s);
	if (s->state == AGS_SESSION_READY) {
		ags_channel_enter(s);
		ags_channels_start(s);
		ags_channel_leave(s);
	}
	return ch;
}

enum ags_step ags_channel_ready(struct ags_channel *ch, struct ags_err *err)
{
	if (has_failed(ch, err))
		return AGS_FAILED;
	return ch->state >= AGS_CHANNEL_RUNNING ? AGS_DONE : AGS_AGAIN;
}

enum ags_step ags_channel_write(struct ags_channel *ch, const void *bytes, size_t n, size_t *taken, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	enum ags_step step;

	*taken = 0;
	if (has_failed(ch, err))
		return AGS_FAILED;
	if (ch->input_ended || n < ch->offered || n == 0)
		return ags_fail_step(err, AGS_USAGE, "a write of %zu bytes is not the one that has to be repeated or the first after the end of input", n);
	if (ch->state != AGS_CHANNEL_RUNNING)
		return ch->state < AGS_CHANNEL_RUNNING ? AGS_AGAIN : ags_fail_step(err, AGS_USAGE, "the command has ended");
	ags_channel_enter(s);
	step = s->link->write(ch, bytes, n, taken, err);
	ags_channel_leave(s);
	return step;
}

enum ags_step ags_channel_read(struct ags_channel *ch, enum ags_stream stream, void *bytes, size_t size, size_t *got,
                               struct ags_err *err)
{
	struct ags_session *s = ch->s;
	enum ags_step step;

	*got = 0;
	if (!ags_pool_is_ours(ch->pool) || s->is_forgotten || ch->state == AGS_CHANNEL_REFUSED)
		return has_failed(ch, err), AGS_FAILED;
	if (ch->state < AGS_CHANNEL_RUNNING)
		return has_failed(ch, err) ? AGS_FAILED : AGS_AGAIN;
	if (stream == AGS_STDERR)
		return read_errors(ch, bytes, size, got, err);
	if (ch->output_ended || ch->state == AGS_CHANNEL_FINISHED)
		return AGS_DONE;
	ags_channel_enter(s);
	step = s->link->read(ch, bytes, size, got, err);
	ags_channel_leave(s);
	if (*got > 0)
		ch->moved_at = ags_now_ms();
	ch->output_ended = step == AGS_DONE && *got == 0;
	return step;
}

enum ags_step ags_channel_send_eof(struct ags_channel *ch, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	enum ags_step step;

	if (has_failed(ch, err))
		return AGS_FAILED;
	if (ch->input_ended || ch->state == AGS_CHANNEL_FINISHED)
		return AGS_DONE;
	if (ch->state != AGS_CHANNEL_RUNNING)
		return AGS_AGAIN;
	ags_channel_enter(s);
	step = s->link->send_eof(ch, err);
	ch->input_ended = step == AGS_DONE;
	ags_channel_leave(s);
	return step;
}

enum ags_step ags_channel_finish(struct ags_channel *ch, struct ags_exit *result, struct ags_err *err)
{
	struct ags_session *s = ch->s;
	struct ags_err why = AGS_ERR_INIT;
	enum ags_step step = AGS_AGAIN;

	if (!ags_pool_is_ours(ch->pool) || s->is_forgotten || ch->state == AGS_CHANNEL_REFUSED)
		return has_failed(ch, err), AGS_FAILED;
	if (ch->state == AGS_CHANNEL_RUNNING) {
		ags_channel_enter(s);
		step = s->link->finish(ch, &why);
		if (step == AGS_DONE)
			ch->state = AGS_CHANNEL_FINISHED;
		ags_channel_leave(s);
	}
	if (ch->state != AGS_CHANNEL_FINISHED)
		return has_failed(ch, err) ? AGS_FAILED : step == AGS_FAILED ? ags_channel_fail(err, &why) : AGS_AGAIN;
	*result = ch->exit;
	return AGS_DONE;
}

/* Bytes that wait in the kernel count as moving when they grow fewer: a slow line may take seconds for them. */
int64_t ags_channel_silent_ms(const struct ags_channel *channel)
{
	struct ags_channel *ch = (struct ags_channel *)channel;
	int64_t moved_at = ch->moved_at, now = ags_now_ms();
	int left = 0, fd = -1;

	if (now - moved_at > 1000 && ch->s->link != NULL)
		fd = ch->s->link->queue(ch);
	if (fd >= 0 && ioctl(fd, SIOCOUTQ, &left) == 0) {
		if (left < ch->kernel_queue)
			ch->acked_at = now;
		ch->kernel_queue = left;
		if (ch->acked_at > moved_at)
			moved_at = ch->acked_at;
	}
	return now - moved_at;
}

bool ags_channel_was_reused(const struct ags_channel *ch)
{
	return ch->is_reused;
}

void ags_channel_close(struct ags_channel *ch)
{
	struct ags_session *s;
	bool is_done;

	if (ch == NULL)
		return;
	s = ch->s;
	ags_pool_is_ours(ch->pool);
	ags_channel_enter(s);
	is_done = ends_tidy(ch);
	if (is_done || s->users == 1 || s->state != AGS_SESSION_READY) {
		ags_channel_detach(ch);
		ags_channel_free(ch);
	} else {
		ch->is_orphan = true;
		if (ch != s->starting)
			ags_channel_bury(ch);
	}
	s->is_doomed |= !is_done && s->state == AGS_SESSION_READY;
	s->is_stepping = false;
	ags_session_settle(s);
	ags_pool_give_back(s->pool, s);
}

/* The session is as good as before it. */
static bool ends_tidy(struct ags_channel *ch)
{
	if (ch->s->is_forgotten || ch->state <= AGS_CHANNEL_OPENING)
		return ch->state != AGS_CHANNEL_OPENING;
	return ch->state >= AGS_CHANNEL_FINISHED && ch->s->state == AGS_SESSION_READY && ch->s->link->close(ch);
}

static bool has_failed(struct ags_channel *ch, struct ags_err *err)
{
	ags_pool_is_ours(ch->pool);
	if (ch->state == AGS_CHANNEL_REFUSED)
		return ags_channel_fail(err, &ch->err) == AGS_FAILED;
	if (ch->s->state == AGS_SESSION_BROKEN && ch->state != AGS_CHANNEL_FINISHED)
		return ags_channel_fail(err, &ch->s->err) == AGS_FAILED;
	return false;
}

static enum ags_step read_errors(struct ags_channel *ch, void *bytes, size_t size, size_t *got, struct ags_err *err)
{
	size_t held = ags_buf_len(&ch->errors);

	if (held == 0 && (ch->errors_ended || ch->state == AGS_CHANNEL_FINISHED))
		return AGS_DONE;
	if (held == 0)
		return has_failed(ch, err) ? AGS_FAILED : AGS_AGAIN;
	*got = held < size ? held : size;
	memcpy(bytes, ags_buf_bytes(&ch->errors), *got);
	ags_buf_consume(&ch->errors, *got);
	return AGS_DONE;
}
