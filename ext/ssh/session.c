#include "ssh/session.h"
#include "ssh/choice.h"

#include <stdlib.h>

static void advance(struct ags_session *s);
static enum ags_step choose(struct ags_session *s);
static void check_time(struct ags_session *s);
static void let_go(struct ags_session *s, bool tell_server);

void ags_session_start(struct ags_session *s)
{
	s->state = AGS_SESSION_CHOOSING;
	s->deadline = ags_now_ms() + s->to.connect_timeout_ms;
	ags_watch_deadline(s->watch, ags_now_ms());
}

void ags_session_nudge(void *s, unsigned happened)
{
	(void)happened;
	ags_session_turn(s, 0);
}

void ags_session_turn(struct ags_session *s, unsigned happened)
{
	s->is_stepping = true;
	if (s->link != NULL)
		s->link->begin_turn(s);
	advance(s);
	if (s->link != NULL)
		s->link->end_turn(s, happened);
	check_time(s);
	s->is_stepping = false;
	ags_session_settle(s);
	ags_pool_after_turn(s);
}

void ags_session_free(struct ags_session *s)
{
	if (s == NULL)
		return;
	s->is_freeing = true;
	ags_channels_gone(s);
	ags_choice_free(s->choice);
	ags_watch_remove(s->watch);
	if (s->link != NULL)
		s->link->free(s);
	ags_arena_free(&s->arena);
	free(s);
}

void ags_session_login_done(struct ags_session *s)
{
	s->state = AGS_SESSION_READY;
	s->deadline = 0;
	ags_pool_leave_slot(s);
}

void ags_session_break(struct ags_session *s)
{
	if (s->state == AGS_SESSION_BROKEN)
		return;
	ags_fail(&s->err, AGS_CONNECT, "the connection to %s was given up", s->address);
	ags_err_set_server(&s->err, s->to.server);
	let_go(s, true);
	ags_pool_leave_slot(s);
	ags_pool_note_broken(s);
	ags_channels_broken(s);
}

void ags_session_forget(struct ags_session *s)
{
	if (s->state == AGS_SESSION_BROKEN)
		return;
	ags_fail(&s->err, AGS_CONNECT, "the connection to %s belongs to the process that opened it, not to this one", s->address);
	ags_err_set_server(&s->err, s->to.server);
	let_go(s, false);
	s->has_slot = false;
	s->is_forgotten = true;
}

void ags_session_settle(struct ags_session *s)
{
	if (s->state == AGS_SESSION_BROKEN || s->is_stepping)
		return;
	if (s->link != NULL)
		s->link->settle(s);
	else
		ags_watch_deadline(s->watch, s->deadline);
}

bool ags_session_is_alive(const struct ags_session *s)
{
	return s->state == AGS_SESSION_READY && s->link->is_alive(s);
}

void ags_session_rest(struct ags_session *s)
{
	s->idle_since = ags_now_ms();
	ags_session_settle(s);
}

static void advance(struct ags_session *s)
{
	enum ags_step step = AGS_DONE;

	if (s->state == AGS_SESSION_WAITING)
		return;
	while (step == AGS_DONE && s->state < AGS_SESSION_READY)
		step = s->link == NULL ? choose(s) : s->link->connect(s);
	if (step == AGS_FAILED)
		ags_session_break(s);
	else if (s->state == AGS_SESSION_READY)
		ags_channels_turn(s);
}

static enum ags_step choose(struct ags_session *s)
{
	enum ags_step step = ags_choice_step(s);

	if (step == AGS_AGAIN)
		return step;
	ags_choice_free(s->choice);
	s->choice = NULL;
	return step;
}

/* The loop may be late, and a session with much to read may never see its deadline fire: so it is asked every turn. */
static void check_time(struct ags_session *s)
{
	char what[320];

	if (s->state >= AGS_SESSION_READY || s->deadline == 0 || ags_now_ms() < s->deadline)
		return;
	ags_fail(&s->err, AGS_TIMEOUT, "no answer from %s within %g s while %s", s->address, s->to.connect_timeout_ms / 1000.0,
	         s->link != NULL ? s->link->doing(s, what, sizeof(what)) : "asking ssh for its configuration");
	ags_session_break(s);
}

static void let_go(struct ags_session *s, bool tell_server)
{
	s->state = AGS_SESSION_BROKEN;
	ags_choice_free(s->choice);
	s->choice = NULL;
	ags_watch_remove(s->watch);
	s->watch = NULL;
	if (s->link != NULL)
		s->link->hang_up(s, tell_server);
}
