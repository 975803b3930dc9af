/* A push into a release of its own. */
#include "scale/release.h"
#include "base/loop.h"
#include "scale/guard.h"
#include "scale/release_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum part { PART_COMPARE, PART_STAGE, PART_SHARED };

static bool begin(struct ags_release_call *c, const struct ags_strings *paths, struct ags_release_uploads *uploads, struct ags_err *err);
static bool check_options(const struct ags_sync_options *o, struct ags_err *err);
static bool fill(struct ags_release_call *c, const struct ags_release_uploads *uploads, struct ags_err *err);
static bool fill_fresh(struct ags_release_call *c, const struct ags_release_uploads *uploads, struct ags_err *err);
static bool push(struct ags_release_call *c, const struct ags_release_uploads *uploads, enum part part, struct ags_err *err);
static bool options_of(const struct ags_release_call *c, const struct ags_release_uploads *uploads, enum part part,
                       struct ags_arena *arena, struct ags_sync_options *o);
static bool join(struct ags_strings *to, const struct ags_strings *a, const char *prefix, const struct ags_strings *b, struct ags_arena *arena);
static void take(struct ags_release_call *c, const struct ags_report *sub, enum part part);
static void take_result(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r, enum part part);
static void add_warnings(struct ags_release_call *c, const struct ags_report *sub);

bool ags_release_sync(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
                      const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report,
                      struct ags_err *err)
{
	struct ags_release_call c = {
		.env = env, .topology = t, .group = group, .id = options->release, .options = options, .host = host, .report = report,
	};
	struct ags_release_uploads uploads = { .links = AGS_BUF_INIT };
	struct ags_guard guard = AGS_GUARD_INIT;
	struct ags_strings contents = { &c.contents, 1 };
	const struct ags_lock_wish wish = {
		.env = env, .topology = t, .group = group, .only = &options->servers, .paths = &contents, .timeout = options->timeout, .host = host,
	};
	int64_t began = ags_now_ms();
	bool ok = begin(&c, paths, &uploads, err) &&
	          ags_guard_begin(&guard, &wish, AGS_GUARD_LOCK | AGS_GUARD_SOURCE | (options->guard ? AGS_GUARD_REFUSE : 0), report, err) &&
	          fill(&c, &uploads, err);

	ags_release_end(&c, ok);
	ags_guard_end(&guard);
	report->seconds = (double)(ags_now_ms() - began) / 1000;
	ags_buf_free(&uploads.links);
	return ok;
}

bool ags_release_check(const char *id, struct ags_err *err)
{
	static const char first[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(id);

	if (len > 0 && len <= AGS_MAX_RELEASE && strspn(id, first) > 0 &&
	    strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-") == len)
		return true;
	return ags_fail(err, AGS_USAGE, "release is \"%.80s\", want at most %d letters, digits, dots, dashes and underscores, the first a letter "
	                "or a digit", id, AGS_MAX_RELEASE);
}

static bool begin(struct ags_release_call *c, const struct ags_strings *paths, struct ags_release_uploads *uploads, struct ags_err *err)
{
	struct stat st;

	if (!ags_release_check(c->id, err) || !check_options(c->options, err))
		return false;
	if (paths->count != 1)
		return ags_fail(err, AGS_USAGE, "%zu paths are given, want one: a release is one directory", paths->count);
	if (!ags_release_begin(c, paths->items[0], err))
		return false;
	c->contents = ags_arena_printf(&c->report->arena, "%s/", c->path);
	if (c->contents == NULL)
		return ags_fail_nomem(err);
	if (stat(c->path, &st) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, c->path, "cannot find the source");
	if (!S_ISDIR(st.st_mode))
		return ags_fail(err, AGS_USAGE, "%s is no directory, want one: a release is a directory", c->path);
	if (!ags_release_find_uploads(c->path, &c->report->arena, uploads, err))
		return false;
	return ags_buf_u8(&uploads->links, '\0') || ags_fail_nomem(err);
}

/* What would be of no use in a directory that is new, or lose what it is for. */
static bool check_options(const struct ags_sync_options *o, struct ags_err *err)
{
	const char *name = o->dry_run ? "dry_run" : o->update ? "update" : o->keep_dirlinks ? "keep_dirlinks" :
	                   o->link_dest.count > 0 ? "link_dest" : !o->relative ? "relative false" : !o->delete_extraneous ? "delete false" :
	                   o->protect_is_set ? "protect" : NULL;

	return name == NULL || ags_fail(err, AGS_USAGE, "%s does not go together with release, want one of them", name);
}

static bool fill(struct ags_release_call *c, const struct ags_release_uploads *uploads, struct ags_err *err)
{
	if (!ags_release_round(c, "prepare", NULL, AGS_PHASE_START, err))
		return false;
	if (!ags_release_gate(c, AGS_OUTCOME_SKIPPED, "was not sent the release"))
		return true;
	for (size_t i = 0; i < c->report->count; i++)
		c->servers[i].is_asked = c->servers[i].is_well && c->servers[i].has_it;
	if (!push(c, uploads, PART_COMPARE, err))
		return false;
	if (!ags_release_gate(c, AGS_OUTCOME_SKIPPED, "was not sent the release"))
		return true;
	return fill_fresh(c, uploads, err);
}

static bool fill_fresh(struct ags_release_call *c, const struct ags_release_uploads *uploads, struct ags_err *err)
{
	static const char staged[] = "has the whole release, but was not switched,";

	for (size_t i = 0; i < c->report->count; i++)
		c->servers[i].is_asked = c->servers[i].is_well && !c->servers[i].has_it;
	if (!push(c, uploads, PART_STAGE, err))
		return false;
	if (!ags_release_gate(c, AGS_OUTCOME_STAGED, staged))
		return true;
	ags_release_ask_well(c);
	if (uploads->shared.count > 0 && !push(c, uploads, PART_SHARED, err))
		return false;
	if (!ags_release_gate(c, AGS_OUTCOME_STAGED, staged))
		return true;
	ags_release_ask_well(c);
	if (!ags_release_round(c, "finish", (const char *)ags_buf_bytes(&uploads->links), AGS_PHASE_STAGED, err))
		return false;
	return !ags_release_gate(c, AGS_OUTCOME_STAGED, staged) || ags_release_do_switch(c, err);
}

/* One ags_sync() to those that are asked. Each commits by itself, as nobody sees what is filled here. */
static bool push(struct ags_release_call *c, const struct ags_release_uploads *uploads, enum part part, struct ags_err *err)
{
	struct ags_report sub = AGS_REPORT_INIT;
	struct ags_sync_options o;
	const struct ags_strings paths = { &c->contents, 1 };
	bool ok;

	if (!options_of(c, uploads, part, &c->report->arena, &o))
		return ags_fail_nomem(err);
	if (o.servers.count == 0)
		return true;
	sub.arena = c->report->arena;
	ok = ags_sync(c->env, c->topology, c->group, &paths, &o, c->host, &sub, err);
	c->report->arena = sub.arena;
	take(c, &sub, part);
	return ok;
}

static bool options_of(const struct ags_release_call *c, const struct ags_release_uploads *uploads, enum part part,
                       struct ags_arena *arena, struct ags_sync_options *o)
{
	static const char *current[] = { "../../current/" };
	static const struct ags_strings none;

	*o = *c->options;
	o->release = NULL;
	o->relative = false;
	o->commit_each = true;
	o->max_delete = AGS_NO_MAX_DELETE;
	o->protect_is_set = true;
	o->servers = ags_release_asked(c, arena);
	o->dest = ags_arena_printf(arena, "%s/.releases/%s%s/", c->path, part == PART_STAGE ? ".staging." : "", part == PART_SHARED ? ".shared" : c->id);
	o->shown_below = part == PART_SHARED ? o->dest : ags_arena_printf(arena, "%s/.releases/%s/", c->path, c->id);
	if (o->servers.items == NULL || o->dest == NULL || o->shown_below == NULL)
		return false;
	if (part == PART_SHARED) {
		o->delete_extraneous = false;
		o->update = o->keep_dirlinks = o->omit_dir_times = true;
		o->include = o->exclude = none;
		return join(&o->filter, &c->options->exclude, "- ", &uploads->shared, arena);
	}
	o->no_uploads = true;
	o->is_unseen = part == PART_STAGE;
	o->dry_run = part == PART_COMPARE;
	if (part == PART_STAGE)
		o->link_dest = (struct ags_strings){ current, 1 };
	return join(&o->filter, &uploads->rules, "", &c->options->filter, arena);
}

/* a, each with the prefix, then b. */
static bool join(struct ags_strings *to, const struct ags_strings *a, const char *prefix, const struct ags_strings *b, struct ags_arena *arena)
{
	to->count = 0;
	to->items = ags_arena_alloc(arena, (a->count + b->count + 1) * sizeof(*to->items));
	if (to->items == NULL)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		to->items[to->count] = ags_arena_printf(arena, "%s%s", prefix, a->items[i]);
		if (to->items[to->count++] == NULL)
			return false;
	}
	for (size_t i = 0; i < b->count; i++)
		to->items[to->count++] = b->items[i];
	return true;
}

static void take(struct ags_release_call *c, const struct ags_report *sub, enum part part)
{
	for (size_t i = 0; i < sub->count; i++)
		for (size_t j = 0; j < c->report->count; j++)
			if (strcmp(c->servers[j].result->server, sub->servers[i].server) == 0)
				take_result(c, &c->servers[j], &sub->servers[i], part);
	if (part != PART_SHARED) {
		c->report->files = sub->files;
		c->report->bytes = sub->bytes;
	}
	add_warnings(c, sub);
}

static void take_result(struct ags_release_call *c, struct ags_release_server *s, const struct ags_server_result *r, enum part part)
{
	struct ags_server_result *to = s->result;
	bool is_well = r->outcome == AGS_OUTCOME_SYNCED || r->outcome == AGS_OUTCOME_UNCHANGED;

	to->seconds += r->seconds;
	to->bytes_sent += r->bytes_sent;
	to->bytes_matched += r->bytes_matched;
	if (part != PART_COMPARE)
		to->files += r->files;
	if (part == PART_STAGE) {
		to->deleted = r->deleted;
		to->changes = r->changes;
		to->change_count = r->change_count;
	}
	if (r->outcome == AGS_OUTCOME_DIFFERS) {
		ags_release_fail(c, s, AGS_OUTCOME_FAILED, "release %s is there already with other content, want a new name", c->id);
	} else if (!is_well) {
		s->is_well = false;
		to->outcome = r->outcome;
		to->phase = r->phase;
		to->error = r->error;
		to->path = r->path;
	}
}

static void add_warnings(struct ags_release_call *c, const struct ags_report *sub)
{
	struct ags_report *to = c->report;
	const char **all = ags_arena_alloc(&to->arena, (to->warning_count + sub->warning_count + 1) * sizeof(*all));

	if (all == NULL)
		return;
	for (size_t i = 0; i < to->warning_count; i++)
		all[i] = to->warnings[i];
	for (size_t i = 0; i < sub->warning_count; i++)
		all[to->warning_count + i] = sub->warnings[i];
	to->warnings = all;
	to->warning_count += sub->warning_count;
}
