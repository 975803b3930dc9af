/* The channels of a session: their turn, their start, and what becomes of them when it breaks. */
#include "base/limits.h"
#include "base/text.h"
#include "ssh/channel_private.h"

#include <stdlib.h>

static enum ags_step start(struct ags_channel *ch);
static bool move(struct ags_channel *ch);
static void check_times(struct ags_session *s);
static uint32_t start_ms(const struct ags_channel *ch);

/* The session's own turn: starts what waits, takes in what has come, and tells the callers. */
void ags_channels_turn(struct ags_session *s)
{
	struct ags_channel *next;

	ags_channels_start(s);
	for (struct ags_channel *ch = s->channels; ch != NULL && s->state == AGS_SESSION_READY; ch = next) {
		next = ch->next;
		if (ch->is_orphan && ch != s->starting && ags_channel_bury(ch))
			continue;
		if (ch->state >= AGS_CHANNEL_RUNNING && ch->state != AGS_CHANNEL_REFUSED && !s->link->drain(ch))
			return;
	}
	check_times(s);
	if (s->state != AGS_SESSION_READY || s->received == s->told)
		return;
	s->told = s->received;
	for (struct ags_channel *ch = s->channels; ch != NULL; ch = ch->next)
		if (ch->state >= AGS_CHANNEL_RUNNING && !ch->is_orphan)
			ch->wake(ch->arg);
}

void ags_channels_broken(struct ags_session *s)
{
	struct ags_channel *next;

	for (struct ags_channel *ch = s->channels; ch != NULL; ch = next) {
		next = ch->next;
		if (ch->is_orphan || (ch->may_move && ch->state <= AGS_CHANNEL_OPENING && move(ch)))
			continue;
		ch->wake(ch->arg);
	}
}

void ags_channels_gone(struct ags_session *s)
{
	while (s->channels != NULL) {
		struct ags_channel *ch = s->channels;

		s->channels = ch->next;
		ags_channel_free(ch);
	}
}

int64_t ags_channels_deadline(const struct ags_session *s)
{
	int64_t first = 0;

	for (const struct ags_channel *ch = s->channels; ch != NULL; ch = ch->next)
		if (ch->deadline != 0 && (first == 0 || ch->deadline < first))
			first = ch->deadline;
	return first;
}

void ags_channel_enter(struct ags_session *s)
{
	s->is_stepping = true;
}

void ags_channel_leave(struct ags_session *s)
{
	s->is_stepping = false;
	ags_session_settle(s);
	ags_pool_after_turn(s);
}

bool ags_channel_make_way(struct ags_channel *ch)
{
	if (ch->s->users > 1)
		ch->s->max_users = ch->s->users - 1;   /* sshd's MaxSessions is low: this session has all it may */
	else if (!ch->may_move)                        /* of a kept session the command before may not be quite gone there */
		return false;
	return move(ch);
}

void ags_channel_refuse(struct ags_channel *ch, const char *what, const char *why, size_t len)
{
	char text[256];

	ags_text_clean(text, sizeof(text), why, len);
	ags_fail(&ch->err, AGS_REMOTE, "%s refuses to %s: %s", ch->s->address, what, text);
	ags_err_set_server(&ch->err, ch->s->to.server);
	ch->state = AGS_CHANNEL_REFUSED;
}

void ags_channel_runs(struct ags_channel *ch)
{
	ch->state = AGS_CHANNEL_RUNNING;
	ch->moved_at = ags_now_ms();
	ch->s->commands++;
}

bool ags_channel_keep_errors(struct ags_channel *ch, const void *bytes, size_t n)
{
	size_t room = AGS_MAX_STDERR - ags_buf_len(&ch->errors);

	ch->moved_at = ags_now_ms();
	if (ags_buf_add(&ch->errors, bytes, n < room ? n : room))
		return true;
	ags_fail_nomem(&ch->s->err);
	ags_session_break(ch->s);
	return false;
}

enum ags_step ags_channel_fail(struct ags_err *err, const struct ags_err *why)
{
	if (err->code == AGS_OK)
		*err = *why;
	return AGS_FAILED;
}

void ags_channel_attach(struct ags_channel *ch, struct ags_session *s)
{
	struct ags_channel **at = &s->channels;

	while (*at != NULL)
		at = &(*at)->next;
	*at = ch;
	ch->next = NULL;
	ch->s = s;
}

void ags_channel_detach(struct ags_channel *ch)
{
	struct ags_channel **at = &ch->s->channels;

	while (*at != ch)
		at = &(*at)->next;
	*at = ch->next;
	if (ch->s->starting == ch)
		ch->s->starting = NULL;
}

/* One at a time: with two, libssh2 may hand the answer for one to the other. */
void ags_channels_start(struct ags_session *s)
{
	while (s->state == AGS_SESSION_READY) {
		struct ags_channel *ch = s->starting;

		for (ch = ch != NULL ? ch : s->channels; ch != NULL && ch != s->starting && ch->state != AGS_CHANNEL_QUEUED; ch = ch->next)
			continue;
		if (ch == NULL)
			return;
		s->starting = ch;
		if (start(ch) == AGS_AGAIN)
			return;
	}
}

/* AGS_DONE: it runs. AGS_FAILED: it, or its session, does not; the next may be tried. */
static enum ags_step start(struct ags_channel *ch)
{
	struct ags_session *s = ch->s;
	enum ags_step step;

	if (ch->state == AGS_CHANNEL_QUEUED) {
		ch->state = AGS_CHANNEL_OPENING;
		ch->deadline = ags_now_ms() + start_ms(ch);
	}
	step = s->link->start(ch);
	if (step == AGS_AGAIN || ch->s != s)
		return step;
	s->starting = NULL;
	ch->deadline = 0;
	if (!ch->is_orphan && s->state == AGS_SESSION_READY)
		ch->wake(ch->arg);
	return step;
}

/* To a fresh session, once, which has the other half of the time. The old one keeps its strings until the new one has copied them. */
static bool move(struct ags_channel *ch)
{
	struct ags_session *old = ch->s, *fresh;
	struct ags_endpoint to = old->to;
	struct ags_err why = AGS_ERR_INIT;

	to.connect_timeout_ms = ch->timeout_ms / 2;
	fresh = ags_pool_lend_fresh(ch->pool, &to, &why);
	if (fresh == NULL)
		return false;
	old->link->close(ch);
	ags_channel_detach(ch);
	ags_channel_attach(ch, fresh);
	ch->ssh = NULL;
	ch->state = AGS_CHANNEL_QUEUED;
	ch->deadline = 0;
	ch->may_move = ch->is_reused = false;
	ags_pool_give_back(ch->pool, old);
	return true;
}

/* A channel that nobody holds any more: its end has been announced to the server, which must confirm it. */
bool ags_channel_bury(struct ags_channel *ch)
{
	if (!ch->s->link->close(ch))
		return false;
	ags_channel_detach(ch);
	ags_channel_free(ch);
	return true;
}

static void check_times(struct ags_session *s)
{
	int64_t deadline = ags_channels_deadline(s);

	if (s->state != AGS_SESSION_READY || deadline == 0 || ags_now_ms() < deadline)
		return;
	ags_fail(&s->err, AGS_TIMEOUT, "no answer from %s within %g s while starting a command", s->address,
	         s->starting != NULL ? start_ms(s->starting) / 1000.0 : 0);
	ags_session_break(s);
}

/* On a kept session that may be dead half of the time is left for a fresh one. */
static uint32_t start_ms(const struct ags_channel *ch)
{
	return ch->may_move ? ch->timeout_ms / 2 : ch->timeout_ms;
}

void ags_channel_free(struct ags_channel *ch)
{
	if (ch->passenger != NULL)
		ch->s->link->close(ch);
	ags_buf_free(&ch->errors);
	free(ch);
}
