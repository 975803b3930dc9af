#include "scale/fanout.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRESS_MS  100            /* at most ten a second per server */
#define CLOCK_MS     100            /* between two looks at all clocks */
#define IDLE_LIMITS  4              /* limits of silence that a server may be alive without getting anything done */

static bool choose(const struct ags_topology *t, const char *group, const struct ags_strings *only, struct ags_arena *arena,
                   struct ags_servers *servers, struct ags_err *err);
static bool is_named(const struct ags_strings *names, const char *name);
static bool check_named(const struct ags_strings *names, const struct ags_servers *servers, const char *group, struct ags_err *err);
static void on_wake(void *arg);
static void step_ready(struct ags_fanout *f);
static void look_at_clocks(struct ags_fanout *f);
static bool keep_going(struct ags_fanout *f, struct ags_err *err);
static void tell(struct ags_member *m);

bool ags_fanout_init(struct ags_fanout *f, const struct ags_environment *env, const struct ags_topology *t, const char *group,
                     const struct ags_strings *only, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	struct ags_servers servers;

	memset(f, 0, sizeof(*f));
	f->env = env;
	f->host = host;
	f->report = report;
	f->last_ready = &f->first_ready;
	if (!choose(t, group, only, &report->arena, &servers, err))
		return false;
	f->members = calloc(servers.count, sizeof(*f->members));
	report->servers = ags_arena_alloc(&report->arena, servers.count * sizeof(*report->servers));
	if (f->members == NULL || report->servers == NULL)
		return ags_fail_nomem(err);
	f->count = f->left = report->count = servers.count;
	for (size_t i = 0; i < servers.count; i++) {
		struct ags_member *m = &f->members[i];

		m->fanout = f;
		m->server = servers.items[i];
		m->result = &report->servers[i];
		m->result->outcome = AGS_OUTCOME_SKIPPED;
		m->result->exit_status = -1;
		m->result->server = ags_arena_string(&report->arena, m->server->name);
		m->now.server = m->told.server = m->result->server;
		m->errors.max = AGS_MAX_OUTPUT;
		if (m->result->server == NULL)
			return ags_fail_nomem(err);
	}
	return true;
}

void ags_fanout_fini(struct ags_fanout *f)
{
	for (size_t i = 0; i < f->count && f->members != NULL; i++) {
		ags_channel_close(f->members[i].channel);
		ags_buf_free(&f->members[i].errors);
	}
	free(f->members);
	f->members = NULL;
}

void ags_fanout_start(struct ags_member *m, const char *command)
{
	struct ags_fanout *f = m->fanout;
	const struct ags_server *s = m->server;
	const struct ags_endpoint to = {
		.server = s->name, .host = s->host, .user = s->user, .identity = s->identity, .known_hosts = s->known_hosts,
		.home = f->env->home, .agent = f->env->agent, .port = s->port, .transport = s->transport,
		.user_is_default = s->user_is_default, .port_is_default = s->port_is_default,
		.connect_timeout_ms = 1000u * (f->connect_timeout > 0 ? f->connect_timeout : s->connect_timeout),
	};
	struct ags_err err = AGS_ERR_INIT;

	if (m->began_ms == 0) {
		m->began_ms = ags_now_ms();
		ags_member_progress(m, AGS_PHASE_CONNECT);
	}
	m->channel = ags_channel_open(f->env->pool, &to, command, on_wake, m, &err);
	if (m->channel == NULL)
		ags_member_fail(m, &err);
	else
		ags_member_wake(m);
}

bool ags_fanout_turn(struct ags_fanout *f, int max_wait_ms, struct ags_err *err)
{
	if (f->first_ready != NULL)
		max_wait_ms = 0;
	if (!ags_loop_once(ags_pool_loop(f->env->pool), max_wait_ms, err))
		return false;
	step_ready(f);
	look_at_clocks(f);
	return keep_going(f, err);
}

void ags_member_wake(struct ags_member *m)
{
	struct ags_fanout *f = m->fanout;

	if (m->is_ready || m->is_over)
		return;
	m->is_ready = true;
	m->next_ready = NULL;
	*f->last_ready = m;
	f->last_ready = &m->next_ready;
}

void ags_member_end(struct ags_member *m, enum ags_outcome outcome)
{
	if (m->is_over)
		return;
	m->is_over = true;
	m->fanout->left--;
	m->result->outcome = outcome;
	m->result->seconds = m->began_ms > 0 ? (double)(ags_now_ms() - m->began_ms) / 1000 : 0;
	ags_channel_close(m->channel);
	m->channel = NULL;
}

void ags_member_again(struct ags_member *m)
{
	m->is_over = false;
	m->fanout->left++;
	m->out_ended = m->errors_ended = m->is_starved = false;
	m->progress_mark = m->seen_mark = 0;
	m->marked_ms = ags_now_ms();
	ags_buf_clear(&m->errors);
	m->result->outcome = AGS_OUTCOME_SKIPPED;
	m->result->errors_cut = false;
}

void ags_member_fail(struct ags_member *m, const struct ags_err *err)
{
	struct ags_arena *arena = &m->fanout->report->arena;

	m->result->error = ags_arena_string(arena, err->message);
	if (err->path[0] != '\0')
		m->result->path = ags_arena_string(arena, err->path);
	if (m->result->error == NULL)
		m->result->error = "out of memory";
	ags_member_end(m, AGS_OUTCOME_FAILED);
}

void ags_member_fail_text(struct ags_member *m, enum ags_outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	m->result->error = ags_report_sentence(m->fanout->report, format, args);
	va_end(args);
	ags_member_end(m, outcome);
}

void ags_member_progress(struct ags_member *m, enum ags_phase phase)
{
	int64_t now = ags_now_ms();
	bool is_new = m->told_ms == 0 || phase != m->told.phase;

	m->result->phase = m->now.phase = phase;
	if (!is_new && now - m->told_ms < PROGRESS_MS)
		return;
	if (!is_new && memcmp(&m->now, &m->told, sizeof(m->now)) == 0)
		return;
	m->told_ms = now;
	tell(m);
}

bool ags_member_read_errors(struct ags_member *m, size_t keep, struct ags_err *err)
{
	uint8_t bytes[4096];
	size_t got = 0;

	while (!m->errors_ended) {
		enum ags_step step = ags_channel_read(m->channel, AGS_STDERR, bytes, sizeof(bytes), &got, err);

		if (step != AGS_DONE)
			return step == AGS_AGAIN;
		m->errors_ended = got == 0;
		if (ags_buf_len(&m->errors) + got > keep) {
			m->result->errors_cut = true;
			got = keep - ags_buf_len(&m->errors);
		}
		if (!ags_buf_add(&m->errors, bytes, got))
			return ags_fail_nomem(err);
	}
	return true;
}

static bool choose(const struct ags_topology *t, const char *group, const struct ags_strings *only, struct ags_arena *arena,
                   struct ags_servers *servers, struct ags_err *err)
{
	struct ags_servers all;

	if (!ags_topology_group(t, group, arena, &all, err))
		return false;
	if (only->count == 0) {
		*servers = all;
		return true;
	}
	if (!check_named(only, &all, group, err))
		return false;
	servers->count = 0;
	for (size_t i = 0; i < all.count; i++)
		if (is_named(only, all.items[i]->name))
			all.items[servers->count++] = all.items[i];
	servers->items = all.items;
	return true;
}

static bool is_named(const struct ags_strings *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static bool check_named(const struct ags_strings *names, const struct ags_servers *servers, const char *group, struct ags_err *err)
{
	const char *known[AGS_MAX_SERVERS];
	size_t count = servers->count < AGS_MAX_SERVERS ? servers->count : AGS_MAX_SERVERS;

	for (size_t j = 0; j < count; j++)
		known[j] = servers->items[j]->name;
	for (size_t i = 0; i < names->count; i++) {
		const char *near;
		size_t j = 0;

		while (j < servers->count && strcmp(servers->items[j]->name, names->items[i]) != 0)
			j++;
		if (j < servers->count)
			continue;
		near = ags_text_nearest(names->items[i], known, count);
		return ags_fail(err, AGS_USAGE, "there is no server \"%s\" in %s%s%s%s", names->items[i], group,
		                near != NULL ? ", did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
	}
	return true;
}

static void on_wake(void *arg)
{
	ags_member_wake(arg);
}

/* Only those that are ready now: who becomes ready meanwhile is next turn's, after the host was asked. */
static void step_ready(struct ags_fanout *f)
{
	struct ags_member *m = f->first_ready;

	f->first_ready = NULL;
	f->last_ready = &f->first_ready;
	while (m != NULL) {
		struct ags_member *next = m->next_ready;

		m->is_ready = false;
		if (!m->is_over)
			f->step(m);
		m = next;
	}
}

static void look_at_clocks(struct ags_fanout *f)
{
	int64_t now = ags_now_ms();

	if (now - f->looked_ms < CLOCK_MS)
		return;
	f->looked_ms = now;
	for (size_t i = 0; i < f->count; i++) {
		struct ags_member *m = &f->members[i];
		uint32_t limit = f->timeout > 0 ? f->timeout : m->server->timeout;
		int64_t silent;

		if (m->is_over || m->channel == NULL)
			continue;
		ags_member_progress(m, m->now.phase);
		silent = ags_channel_silent_ms(m->channel);
		if (silent > now - f->clock_from_ms)
			silent = now - f->clock_from_ms;
		if (m->progress_mark != m->seen_mark || m->is_starved || m->now.phase == AGS_PHASE_STAGED) {
			m->seen_mark = m->progress_mark;
			m->marked_ms = now;
		}
		if (m->now.phase == AGS_PHASE_CONNECT || m->is_starved)
			continue;
		if (silent > 1000 * (int64_t)limit)
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "no sign of life for %u s in phase \"%s\"", (unsigned)limit,
			                     ags_phase_name(m->now.phase));
		else if (m->progress_mark > 0 && now - m->marked_ms > 1000 * (int64_t)limit * IDLE_LIMITS)
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "it is alive, but got nothing done for %u s in phase \"%s\"",
			                     (unsigned)limit * IDLE_LIMITS, ags_phase_name(m->now.phase));
	}
}

static bool keep_going(struct ags_fanout *f, struct ags_err *err)
{
	if (!f->is_stopped && f->host != NULL && f->host->keep_going != NULL && !f->host->keep_going(f->host->arg))
		f->is_stopped = true;
	return !f->is_stopped || ags_fail(err, AGS_CANCELLED, "cancelled");
}

static void tell(struct ags_member *m)
{
	struct ags_fanout *f = m->fanout;

	m->told = m->now;
	if (!f->is_stopped && f->host != NULL && f->host->progress != NULL && !f->host->progress(f->host->arg, &m->now))
		f->is_stopped = true;
}
