/* What is asked of releases that are there: which they are, which is served, and which may go. */
#include "base/loop.h"
#include "scale/guard.h"
#include "scale/release_private.h"

#include <stdio.h>

static struct ags_lock_wish lock_wish(const struct ags_release_call *c, const struct ags_strings *paths);
static bool make_switch(struct ags_release_call *c, struct ags_err *err);
static bool switch_back(struct ags_release_call *c, const char *failed, struct ags_err *err);
static bool mark(struct ags_release_call *c, struct ags_err *err);
static const char *too_many_failed(const struct ags_release_call *c);
static bool one_round(struct ags_release_call *c, const char *path, const char *verb, struct ags_err *err);

bool ags_release_list(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                      const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report,
                      struct ags_err *err)
{
	struct ags_release_call c = { .env = env, .topology = t, .group = group, .id = "", .options = options, .host = host, .report = report };

	return one_round(&c, path, "list", err);
}

bool ags_release_prune(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                       unsigned keep, const struct ags_sync_options *options, const struct ags_host *host,
                       struct ags_report *report, struct ags_err *err)
{
	struct ags_release_call c = { .env = env, .topology = t, .group = group, .options = options, .host = host, .report = report };
	char number[16];
	struct ags_guard guard;
	const struct ags_strings paths = { &path, 1 };
	const struct ags_lock_wish wish = lock_wish(&c, &paths);
	bool ok;

	snprintf(number, sizeof(number), "%u", keep);
	c.id = number;
	ok = ags_guard_begin(&guard, &wish, AGS_GUARD_LOCK, report, err) && one_round(&c, path, "prune", err);
	for (size_t i = 0; i < report->count; i++)
		if (report->servers[i].outcome == AGS_OUTCOME_UNCHANGED && report->servers[i].releases->removed.count > 0)
			report->servers[i].outcome = AGS_OUTCOME_SYNCED;
	ags_guard_end(&guard);
	return ok;
}

bool ags_release_switch(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                        const char *id, const struct ags_sync_options *options, const struct ags_host *host,
                        struct ags_report *report, struct ags_err *err)
{
	struct ags_release_call c = { .env = env, .topology = t, .group = group, .id = id, .options = options, .host = host, .report = report };
	struct ags_guard guard = AGS_GUARD_INIT;
	const struct ags_strings paths = { &path, 1 };
	const struct ags_lock_wish wish = lock_wish(&c, &paths);
	int64_t began = ags_now_ms();
	bool ok = ags_release_check(id, err) && ags_release_begin(&c, path, err) && ags_guard_begin(&guard, &wish, AGS_GUARD_LOCK, report, err) &&
	          ags_release_do_switch(&c, err);

	ags_release_end(&c, ok);
	ags_guard_end(&guard);
	report->seconds = (double)(ags_now_ms() - began) / 1000;
	return ok;
}

bool ags_release_do_switch(struct ags_release_call *c, struct ags_err *err)
{
	if (c->servers != NULL)
		ags_release_ask_well(c);
	if (!ags_release_round(c, "check", NULL, AGS_PHASE_STAGED, err))
		return false;
	if (!ags_release_gate(c, AGS_OUTCOME_STAGED, "was not switched,"))
		return true;
	return make_switch(c, err);
}

static struct ags_lock_wish lock_wish(const struct ags_release_call *c, const struct ags_strings *paths)
{
	return (struct ags_lock_wish){
		.env = c->env, .topology = c->topology, .group = c->group, .only = &c->options->servers, .paths = paths,
		.timeout = c->options->timeout, .host = c->host,
	};
}

/* From here on the host is not asked: half a switch is not a state to leave a group in. */
static bool make_switch(struct ags_release_call *c, struct ags_err *err)
{
	const char *failed;

	ags_release_ask_well(c);
	if (!ags_release_round(c, "switch", NULL, AGS_PHASE_COMMIT, err))
		return false;
	for (size_t i = 0; i < c->report->count; i++)
		c->servers[i].is_switched = c->servers[i].is_asked && !c->servers[i].is_served;
	failed = too_many_failed(c);
	return failed != NULL ? switch_back(c, failed, err) : mark(c, err);
}

/* Also of those that failed, as the answer alone may have been lost. The script knows whether it had switched. */
static bool switch_back(struct ags_release_call *c, const char *failed, struct ags_err *err)
{
	bool ok;

	for (size_t i = 0; i < c->report->count; i++) {
		struct ags_release_server *s = &c->servers[i];

		s->is_asked = s->is_switched;
		s->failure = s->is_well ? NULL : s->result->error;
		s->is_well = true;
	}
	ok = ags_release_round(c, "back", NULL, AGS_PHASE_COMMIT, err);
	for (size_t i = 0; i < c->report->count; i++) {
		struct ags_release_server *s = &c->servers[i];
		const char *now = s->result->releases != NULL ? s->result->releases->current : NULL;

		if (s->failure != NULL && s->is_asked && !s->is_well)
			ags_release_fail(c, s, AGS_OUTCOME_FAILED, "%s; it may serve %s", s->failure, c->id);
		else if (s->failure != NULL)
			ags_release_fail(c, s, AGS_OUTCOME_FAILED, "%s", s->failure);
		else if (!s->is_well)
			ags_release_fail(c, s, AGS_OUTCOME_FAILED, "serves %s, and could not be switched back: %s", c->id, s->result->error);
		else if (s->is_asked)
			ags_release_fail(c, s, AGS_OUTCOME_STAGED, "was switched back to %s, because %s failed", now != NULL ? now : "no release", failed);
		s->is_switched = s->is_asked && s->result->outcome == AGS_OUTCOME_FAILED;
	}
	return ok;
}

static bool mark(struct ags_release_call *c, struct ags_err *err)
{
	bool ok;

	ags_release_ask_well(c);
	ok = ags_release_round(c, "mark", NULL, AGS_PHASE_COMMIT, err);
	for (size_t i = 0; i < c->report->count; i++) {
		struct ags_release_server *s = &c->servers[i];

		if (s->is_asked && !s->is_well)
			ags_release_fail(c, s, AGS_OUTCOME_FAILED, "serves %s, but it could not be marked as good: %s", c->id, s->result->error);
		else if (s->is_asked)
			s->result->outcome = s->is_served ? AGS_OUTCOME_UNCHANGED : AGS_OUTCOME_SYNCED;
	}
	return ok;
}

/* The first of them, when more have failed than may. */
static const char *too_many_failed(const struct ags_release_call *c)
{
	const char *first = NULL;
	size_t failures = 0;

	for (size_t i = 0; i < c->report->count; i++)
		if (!c->servers[i].is_well) {
			failures++;
			first = first != NULL ? first : c->servers[i].result->server;
		}
	return c->options->commit_each || failures <= c->options->max_failures ? NULL : first;
}

static bool one_round(struct ags_release_call *c, const char *path, const char *verb, struct ags_err *err)
{
	int64_t began = ags_now_ms();
	bool ok = ags_release_begin(c, path, err) && ags_release_round(c, verb, NULL, AGS_PHASE_TRANSFER, err);

	for (size_t i = 0; c->servers != NULL && i < c->report->count; i++)
		if (c->servers[i].is_well)
			c->servers[i].result->outcome = AGS_OUTCOME_UNCHANGED;
	ags_release_end(c, ok);
	c->report->seconds = (double)(ags_now_ms() - began) / 1000;
	return ok;
}
