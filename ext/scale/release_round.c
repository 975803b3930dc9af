/* One round of a release: the script's verb on some servers at once, and what they answer. */
#include "base/limits.h"
#include "base/text.h"
#include "scale/release_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static bool tidy(struct ags_release_call *c, const char *path, struct ags_err *err);
static bool take_results(struct ags_release_call *c, struct ags_report *round, bool is_first, enum ags_phase phase, struct ags_err *err);
static bool take_result(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r, struct ags_err *err);
static void take_error(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r);
static bool read_lines(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r, bool *is_whole,
                       struct ags_err *err);
static bool read_line(struct ags_release_call *c, struct ags_release_server *s, const char *word, const char *id, struct ags_err *err);
static bool add_name(struct ags_arena *arena, struct ags_strings *list, const char *name, struct ags_err *err);
static void find_last_good(struct ags_releases *r);
static struct ags_release_server *find(struct ags_release_call *c, const char *name);

bool ags_release_begin(struct ags_release_call *c, const char *path, struct ags_err *err)
{
	uint64_t random;

	if (!tidy(c, path, err))
		return false;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot get random bytes");
	snprintf(c->nonce, sizeof(c->nonce), "%016llx", (unsigned long long)random);
	return true;
}

void ags_release_end(struct ags_release_call *c, bool ok)
{
	struct ags_report *report = c->report;

	report->ok = ok;
	for (size_t i = 0; c->servers != NULL && i < report->count; i++) {
		struct ags_release_server *s = &c->servers[i];

		if (s->is_well && ok)
			s->result->phase = AGS_PHASE_DONE;
		else if (s->is_well && s->result->phase < AGS_PHASE_STAGED)
			s->result->outcome = AGS_OUTCOME_SKIPPED;
		else if (s->is_well)
			ags_release_fail(c, s, AGS_OUTCOME_STAGED, "was not switched, because the call was stopped");
		report->committed = report->committed || s->is_switched;
		report->ok = report->ok && (s->result->outcome == AGS_OUTCOME_SYNCED || s->result->outcome == AGS_OUTCOME_UNCHANGED);
	}
}

bool ags_release_round(struct ags_release_call *c, const char *verb, const char *input, enum ags_phase phase, struct ags_err *err)
{
	const char *words[] = { "sh", "-c", ags_release_script, "sh", verb, c->path, c->id, c->nonce };
	const struct ags_strings argv = { words, sizeof(words) / sizeof(words[0]) };
	const struct ags_host host = {
		.arg = c->host != NULL ? c->host->arg : NULL,
		.keep_going = c->host != NULL && phase != AGS_PHASE_COMMIT ? c->host->keep_going : NULL,
	};
	struct ags_run_options run = {
		.input = input, .input_len = input != NULL ? strlen(input) : 0, .parallel = c->options->parallel,
		.connect_timeout = c->options->connect_timeout, .timeout = c->options->timeout, .with_root = true,
	};
	struct ags_report round = AGS_REPORT_INIT;
	bool is_first = c->servers == NULL, ok;

	run.servers = is_first ? c->options->servers : ags_release_asked(c, &c->report->arena);
	if (!is_first && run.servers.count == 0)
		return run.servers.items != NULL || ags_fail_nomem(err);
	round.arena = c->report->arena;
	ok = ags_run(c->env, c->topology, c->group, &argv, &run, &host, &round, err);
	c->report->arena = round.arena;
	if (round.count > 0 && !take_results(c, &round, is_first, phase, err))
		return false;
	return ok;
}

struct ags_strings ags_release_asked(const struct ags_release_call *c, struct ags_arena *arena)
{
	struct ags_strings names = { .items = ags_arena_alloc(arena, (c->report->count + 1) * sizeof(*names.items)) };

	for (size_t i = 0; names.items != NULL && i < c->report->count; i++)
		if (c->servers[i].is_asked)
			names.items[names.count++] = c->servers[i].result->server;
	return names;
}

void ags_release_ask_well(struct ags_release_call *c)
{
	for (size_t i = 0; i < c->report->count; i++)
		c->servers[i].is_asked = c->servers[i].is_well;
}

void ags_release_fail(struct ags_release_call *c, struct ags_release_server *s, enum ags_outcome outcome, const char *format, ...)
{
	va_list args;

	s->is_well = false;
	s->result->outcome = outcome;
	va_start(args, format);
	s->result->error = ags_report_sentence(c->report, format, args);
	va_end(args);
}

bool ags_release_gate(struct ags_release_call *c, enum ags_outcome outcome, const char *how_it_is)
{
	const struct ags_release_server *failed = NULL;
	size_t failures = 0;

	for (size_t i = 0; i < c->report->count; i++)
		if (!c->servers[i].is_well) {
			failures++;
			failed = failed != NULL ? failed : &c->servers[i];
		}
	if (failures == 0 || (failures < c->report->count && (c->options->commit_each || failures <= c->options->max_failures)))
		return true;
	for (size_t i = 0; i < c->report->count; i++)
		if (c->servers[i].is_well)
			ags_release_fail(c, &c->servers[i], outcome, "%s because %s failed", how_it_is, failed->result->server);
	return false;
}

/* "/a//b/./" is "/a/b". */
static bool tidy(struct ags_release_call *c, const char *path, struct ags_err *err)
{
	size_t len = strlen(path), n = 0;
	char *to = ags_arena_bytes(&c->report->arena, len + 2);

	if (to == NULL)
		return ags_fail_nomem(err);
	for (const char *p = path; *p != '\0'; p += strcspn(p, "/")) {
		size_t part;

		p += strspn(p, "/");
		part = strcspn(p, "/");
		if (part == 0 || (part == 1 && p[0] == '.'))
			continue;
		to[n++] = '/';
		memcpy(to + n, p, part);
		n += part;
	}
	to[n] = '\0';
	c->path = to;
	return n > 0 || ags_fail(err, AGS_USAGE, "path is %s, want a directory that is yours to replace on the servers", path);
}

static bool take_results(struct ags_release_call *c, struct ags_report *round, bool is_first, enum ags_phase phase, struct ags_err *err)
{
	if (is_first) {
		c->report->servers = round->servers;
		c->report->count = round->count;
		c->servers = ags_arena_alloc(&c->report->arena, round->count * sizeof(*c->servers));
		if (c->servers == NULL)
			return ags_fail_nomem(err);
		for (size_t i = 0; i < round->count; i++)
			c->servers[i] = (struct ags_release_server){ .result = &round->servers[i], .is_well = true };
	}
	for (size_t i = 0; i < round->count; i++) {
		struct ags_release_server *s = find(c, round->servers[i].server);

		if (s == NULL)
			continue;
		if (!take_result(c, s, &round->servers[i], err))
			return false;
		s->result->phase = phase;
	}
	return true;
}

static bool take_result(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r, struct ags_err *err)
{
	const struct ags_server_result got = *r;
	bool is_whole = false;

	if (r != s->result)
		s->result->seconds += got.seconds;
	if (got.outcome == AGS_OUTCOME_SKIPPED) {
		s->is_well = false;
		return true;
	}
	if (got.outcome != AGS_OUTCOME_SYNCED) {
		take_error(c, s, &got);
		return true;
	}
	if (!read_lines(c, s, &got, &is_whole, err))
		return false;
	if (!is_whole)
		ags_release_fail(c, s, AGS_OUTCOME_FAILED, "the command ended without saying that it was done");
	return true;
}

/* What the script or a tool said first explains more than an exit status. */
static void take_error(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r)
{
	const char *newline = r->errors_len > 0 ? memchr(r->errors, '\n', r->errors_len) : NULL;
	int len = newline != NULL ? (int)(newline - r->errors) : (int)r->errors_len;

	if (r->exit_status > 0 && len > 0 && r->errors[0] != '\0')
		ags_release_fail(c, s, AGS_OUTCOME_FAILED, "%.*s", len < 900 ? len : 900, r->errors);
	else
		ags_release_fail(c, s, AGS_OUTCOME_FAILED, "%s", r->error != NULL ? r->error : "the command failed");
}

static bool read_lines(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r, bool *is_whole,
                       struct ags_err *err)
{
	const char *p = r->out, *end = p + r->out_len, *newline;
	struct ags_releases *fresh = ags_arena_alloc(&c->report->arena, sizeof(*fresh));
	char line[AGS_MAX_RELEASE + 32], *space;

	if (fresh == NULL)
		return ags_fail_nomem(err);
	s->result->releases = fresh;
	for (; (newline = memchr(p, '\n', (size_t)(end - p))) != NULL; p = newline + 1) {
		if ((size_t)(newline - p) >= sizeof(line))
			continue;
		memcpy(line, p, (size_t)(newline - p));
		line[newline - p] = '\0';
		*is_whole = strcmp(line, "end") == 0;
		space = strchr(line, ' ');
		if (space != NULL)
			*space = '\0';
		if (!read_line(c, s, line, space != NULL ? space + 1 : "", err))
			return false;
	}
	find_last_good(fresh);
	return true;
}

/* What is no name of ours was not made by us, and is not shown. */
static bool read_line(struct ags_release_call *c, struct ags_release_server *s, const char *word, const char *id, struct ags_err *err)
{
	struct ags_arena *arena = &c->report->arena;
	struct ags_releases *to = s->result->releases;
	struct ags_err ignored = AGS_ERR_INIT;

	if (strcmp(word, "have") == 0)
		s->has_it = true;
	if (strcmp(word, "same") == 0)
		s->is_served = true;
	if (!ags_release_check(id, &ignored))
		return true;
	if (strcmp(word, "current") == 0)
		return (to->current = ags_arena_string(arena, id)) != NULL || ags_fail_nomem(err);
	if (strcmp(word, "whole") == 0)
		return add_name(arena, &to->whole, id, err);
	if (strcmp(word, "good") == 0)
		return add_name(arena, &to->good, id, err);
	if (strcmp(word, "unfinished") == 0)
		return add_name(arena, &to->unfinished, id, err);
	if (strcmp(word, "removed") == 0)
		return add_name(arena, &to->removed, id, err);
	return true;
}

static bool add_name(struct ags_arena *arena, struct ags_strings *list, const char *name, struct ags_err *err)
{
	const char **more;

	if ((list->count & (list->count - 1)) == 0) {      /* full at every power of two */
		more = ags_arena_alloc(arena, (list->count > 0 ? list->count * 2 : 1) * sizeof(*more));
		if (more == NULL)
			return ags_fail_nomem(err);
		if (list->count > 0)
			memcpy(more, list->items, list->count * sizeof(*more));
		list->items = more;
	}
	list->items[list->count] = ags_arena_string(arena, name);
	return list->items[list->count++] != NULL || ags_fail_nomem(err);
}

static void find_last_good(struct ags_releases *r)
{
	for (size_t i = 0; i < r->good.count && r->last_good == NULL; i++)
		if (r->current == NULL || strcmp(r->good.items[i], r->current) != 0)
			r->last_good = r->good.items[i];
}

static struct ags_release_server *find(struct ags_release_call *c, const char *name)
{
	for (size_t i = 0; i < c->report->count; i++)
		if (strcmp(c->servers[i].result->server, name) == 0)
			return &c->servers[i];
	return NULL;
}
