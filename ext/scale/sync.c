#include "scale/sync.h"
#include "base/limits.h"
#include "base/text.h"
#include "scale/guard.h"
#include "scale/push.h"
#include "scale/uploads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

#define TICK_MS        5          /* between two looks at the loop while the source is read */
#define STARVED_MS     10         /* a server that waits for slower ones looks again after this */
#define KEEP_ALIVE_MS  1000

static bool push(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
                 const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err);
static bool begin(struct ags_push *p, const struct ags_environment *env, const struct ags_topology *t, const char *group,
                  const struct ags_strings *paths, const struct ags_host *host, struct ags_err *err);
static bool check_paths(const struct ags_strings *paths, bool relative, struct ags_err *err);
static bool make_job(struct ags_push *p, struct ags_err *err);
static bool make_rules(const struct ags_sync_options *o, struct ags_filter *rules, struct ags_err *err);
static bool read_source(struct ags_push *p, const struct ags_strings *paths, struct ags_err *err);
static bool protect(struct ags_push *p, struct ags_err *err);
static bool part_uploads(struct ags_push *p, struct ags_err *err);
static bool while_scanning(void *arg);
static bool run(struct ags_push *p, struct ags_err *err);
static int wake_paced(struct ags_push *p, int max_wait_ms);
static void settle_staged(struct ags_push *p);
static void release(struct ags_receiver *r);
static bool is_committing(const struct ags_push *p);
static void stop_all(struct ags_push *p);
static bool tell_warnings(struct ags_push *p, struct ags_err *err);
static const char *describe(const struct ags_complaint *c, struct ags_arena *arena);
static bool is_in_step(const struct ags_sync_options *options, const struct ags_report *report);
static void end(struct ags_push *p);

bool ags_sync(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
              const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	const struct ags_lock_wish wish = {
		.env = env, .topology = t, .group = group, .only = &options->servers, .paths = paths, .covers_all = !options->relative,
		.timeout = options->timeout, .host = host,
	};
	bool is_part = options->dest != NULL, is_look = options->dry_run;      /* whoever pushes a part of something keeps guard itself */
	unsigned what = is_part || options->status ? 0 : (is_look ? 0 : AGS_GUARD_LOCK) | AGS_GUARD_SOURCE | (options->guard ? AGS_GUARD_REFUSE : 0);
	struct ags_guard guard;
	bool ok = ags_guard_begin(&guard, &wish, what, report, err) && push(env, t, group, paths, options, host, report, err);

	ags_guard_end(&guard);
	return ok;
}

static bool push(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
                 const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	struct ags_push p = { .options = options, .report = report, .list = AGS_FILELIST_INIT };
	int64_t began = ags_now_ms();
	enum ags_step step = AGS_AGAIN;
	bool ok;

	/* servers log in and start rsync while the source is read here */
	ok = begin(&p, env, t, group, paths, host, err) && ags_rounds_start(&p, err) && read_source(&p, paths, err) && run(&p, err);
	while (ok && (step = ags_rounds_next(&p, err)) == AGS_DONE)
		ok = ags_rounds_start(&p, err) && run(&p, err);
	ok = ok && step != AGS_FAILED;
	if (!ok)
		stop_all(&p);
	ok = tell_warnings(&p, err) && ok;
	report->files = p.total;
	report->bytes = p.list.bytes;
	report->committed = p.is_released && !options->dry_run;
	report->ok = ok && is_in_step(options, report);
	report->seconds = (double)(ags_now_ms() - began) / 1000;
	end(&p);
	return ok;
}

static bool begin(struct ags_push *p, const struct ags_environment *env, const struct ags_topology *t, const char *group,
                  const struct ags_strings *paths, const struct ags_host *host, struct ags_err *err)
{
	const struct ags_sync_options *o = p->options;

	if (!check_paths(paths, o->relative, err) || !make_job(p, err) ||
	    !ags_fanout_init(&p->fanout, env, t, group, &o->servers, host, p->report, err))
		return false;
	for (size_t i = 0; i < paths->count && !o->protect_is_set && ags_uploads_hold(paths->items[i]); i++)
		p->job.update = p->job.update || i + 1 == paths->count;       /* all of them are uploads: no round of their own */
	ags_rounds_plan(p, paths);
	ags_pool_set_handshakes(env->pool, o->parallel);
	p->fanout.step = ags_receiver_step;
	p->fanout.connect_timeout = o->connect_timeout;
	p->fanout.timeout = o->timeout;
	p->receivers = calloc(p->fanout.count, sizeof(*p->receivers));
	if (p->receivers == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < p->fanout.count; i++) {
		const struct ags_server *s = p->fanout.members[i].server;

		if (!o->relative && o->delete_extraneous && o->dest == NULL && s->root[0] == '\0')
			return ags_fail(err, AGS_USAGE, "relative is false and the root of %s is /, where files would be deleted; "
			                "give the server a root, or leave relative or delete as they are", s->name);
		if (!ags_receiver_init(&p->receivers[i], p, &p->fanout.members[i], err))
			return false;
	}
	return true;
}

/* The cheap look, before any server is bothered; the scan looks again. */
static bool check_paths(const struct ags_strings *paths, bool relative, struct ags_err *err)
{
	struct stat st;

	if (paths->count == 0)
		return ags_fail(err, AGS_USAGE, "no path is given, want at least one");
	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->items[i];

		if (path[0] != '/')
			return ags_fail(err, AGS_USAGE, "path is \"%s\", want an absolute one", path);
		if (relative && path[strspn(path, "/")] == '\0')
			return ags_fail(err, AGS_USAGE, "path is /, want a directory that is yours to replace on the servers");
		if (lstat(path, &st) != 0)
			return ags_fail_sys(err, AGS_LOCAL_IO, path, "cannot find the source");
	}
	return true;
}

static bool make_job(struct ags_push *p, struct ags_err *err)
{
	static const enum ags_encoding automatic[] = { AGS_ENCODING_ZSTD, AGS_ENCODING_LZ4, AGS_ENCODING_ZLIB };
	static const enum ags_encoding one[] = {
		[AGS_COMPRESS_ZSTD] = AGS_ENCODING_ZSTD, [AGS_COMPRESS_ZLIB] = AGS_ENCODING_ZLIB, [AGS_COMPRESS_LZ4] = AGS_ENCODING_LZ4,
	};
	const struct ags_sync_options *o = p->options;
	struct ags_sender_job *job = &p->job;

	ags_pace_init(&p->pace, 1024 * (uint64_t)o->bwlimit, ags_now_ms());
	job->list = &p->list;
	job->rules = &p->encoded_rules;
	job->timeout = o->timeout;
	job->delete_extraneous = o->delete_extraneous;
	job->relative = o->relative;
	job->dry_run = o->dry_run;
	job->itemize = o->itemize;
	job->checksum = o->checksum;
	job->numeric_ids = o->numeric_ids;
	job->keep_dirlinks = o->keep_dirlinks;
	job->omit_dir_times = o->omit_dir_times;
	job->update = o->update;
	if (o->link_dest.count > AGS_MAX_LINK_DEST)
		return ags_fail(err, AGS_USAGE, "option link_dest has %zu directories, want at most %u", o->link_dest.count, AGS_MAX_LINK_DEST);
	job->link_dest = o->link_dest.items;
	job->link_dest_count = o->link_dest.count;
	job->hard_links = o->hard_links;
	job->compress = o->compress != AGS_COMPRESS_NONE;
	job->encodings = o->compress == AGS_COMPRESS_AUTO ? automatic : &one[o->compress];
	job->encoding_count = o->compress == AGS_COMPRESS_AUTO ? sizeof(automatic) / sizeof(automatic[0]) : 1;
	while (job->seed == 0)
		if (getrandom(&job->seed, sizeof(job->seed), 0) != sizeof(job->seed))
			return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot get random bytes");
	ags_chmod_init(&p->chmod);
	for (size_t i = 0; i < o->chmod.count; i++)
		if (!ags_chmod_add(&p->chmod, o->chmod.items[i], o->umask, err))
			return false;
	p->rules = ags_filter_new();
	return p->rules != NULL ? make_rules(o, p->rules, err) : ags_fail_nomem(err);
}

static bool make_rules(const struct ags_sync_options *o, struct ags_filter *rules, struct ags_err *err)
{
	for (size_t i = 0; i < o->filter.count; i++)
		if (!ags_filter_add_rule(rules, o->filter.items[i], err))
			return false;
	for (size_t i = 0; i < o->include.count; i++)
		if (!ags_filter_add_pattern(rules, AGS_FILTER_INCLUDE, o->include.items[i], err))
			return false;
	for (size_t i = 0; i < o->exclude.count; i++)
		if (!ags_filter_add_pattern(rules, AGS_FILTER_EXCLUDE, o->exclude.items[i], err))
			return false;
	return true;
}

static bool read_source(struct ags_push *p, const struct ags_strings *paths, struct ags_err *err)
{
	const struct ags_scan_options how = {
		.relative = p->options->relative, .checksum = p->options->checksum, .hard_links = p->options->hard_links,
		.copy_dirlinks = p->options->copy_dirlinks, .chmod = p->chmod.first != NULL ? &p->chmod : NULL, .filter = p->rules, .may_be_empty = !p->options->guard,
		.tick = while_scanning, .arg = p,
	};

	if (!ags_scan(paths->items, paths->count, &how, &p->list, err))
		return false;
	for (size_t i = 0; i < p->list.complaint_count; i++) {
		const struct ags_complaint *c = &p->list.complaints[i];

		if (c->sys == ENOENT || c->sys == 0)           /* it vanished, or is left out on purpose: a warning */
			continue;
		errno = c->sys;
		return ags_fail_sys(err, AGS_LOCAL_IO, c->path, c->what);
	}
	if (!protect(p, err))
		return false;
	p->total = p->list.count;
	if (!part_uploads(p, err))
		return false;
	p->answers = ags_answers_new(&p->list, p->job.seed);
	p->upload_answers = p->uploads.count > 0 ? ags_answers_new(&p->uploads, p->job.seed) : NULL;
	if (p->answers == NULL || (p->uploads.count > 0 && p->upload_answers == NULL))
		return ags_fail_nomem(err);
	p->touched = calloc(p->list.count + 1, 1);
	if (p->touched == NULL)
		return ags_fail_nomem(err);
	p->job.answers = p->answers;
	p->fanout.clock_from_ms = ags_now_ms();
	for (size_t i = 0; i < p->fanout.count; i++)
		ags_member_wake(&p->fanout.members[i]);
	return true;
}

/* What is protected comes first, so that no rule of the caller undoes it. */
static bool protect(struct ags_push *p, struct ags_err *err)
{
	const struct ags_sync_options *o = p->options;
	struct ags_filter *rules = ags_filter_new();
	bool ok = rules != NULL || ags_fail_nomem(err);

	if (ok && o->dest == NULL)
		ok = ags_filter_add_pattern(rules, AGS_FILTER_PROTECT, AGS_RELEASES "/", err);
	if (ok && o->no_uploads)
		ok = ags_uploads_refuse(&p->list, err);
	if (ok && !o->protect_is_set)
		ok = ags_uploads_protect(rules, &p->list, err);
	for (size_t i = 0; ok && i < o->protect.count; i++)
		ok = ags_protect_pattern(rules, AGS_FILTER_PROTECT, &p->list, o->protect.items[i], err);
	ok = ok && make_rules(o, rules, err) && ags_filter_encode(rules, &p->encoded_rules, err);
	ags_filter_free(rules);
	return ok;
}

/* What is protected from being deleted is also kept from being replaced by what is older. */
static bool part_uploads(struct ags_push *p, struct ags_err *err)
{
	const struct ags_sync_options *o = p->options;
	struct ags_filter *instead = o->protect_is_set ? ags_filter_new() : NULL;
	bool ok = instead != NULL || !o->protect_is_set || ags_fail_nomem(err);

	for (size_t i = 0; ok && i < o->protect.count; i++)
		ok = ags_protect_pattern(instead, AGS_FILTER_EXCLUDE, &p->list, o->protect.items[i], err);
	if (ok && !p->job.update && o->dest == NULL)
		ok = ags_uploads_part(&p->list, instead, &p->uploads, err);
	ags_filter_free(instead);
	return ok;
}

static bool while_scanning(void *arg)
{
	struct ags_push *p = arg;
	struct ags_err err = AGS_ERR_INIT;
	int64_t now = ags_now_ms();

	if (now - p->ticked_ms < TICK_MS)
		return true;
	p->ticked_ms = now;
	p->fanout.clock_from_ms = now;
	if (now - p->kept_alive_ms >= KEEP_ALIVE_MS) {
		p->kept_alive_ms = now;
		for (size_t i = 0; i < p->fanout.count; i++) {
			ags_sender_keep_alive(p->receivers[i].sender);
			ags_member_wake(&p->fanout.members[i]);
		}
	}
	return ags_fanout_turn(&p->fanout, 0, &err);
}

static bool run(struct ags_push *p, struct ags_err *err)
{
	struct ags_fanout *f = &p->fanout;
	bool is_starved = false;

	while (f->left > 0) {
		if (!ags_fanout_turn(f, wake_paced(p, is_starved ? STARVED_MS : AGS_MAX_WAIT_MS), err)) {
			/* Half a commit is not a state to leave a server in. */
			if (!f->is_stopped || !is_committing(p))
				return false;
			ags_err_clear(err);
		}
		settle_staged(p);
		is_starved = false;
		for (size_t i = 0; i < f->count; i++)
			if (!f->members[i].is_over && ags_sender_is_starved(p->receivers[i].sender)) {
				is_starved = true;
				ags_member_wake(&f->members[i]);
			}
	}
	return true;
}

/* Those whose turn it is under bwlimit, beginning behind the one that had it last. How long the loop may wait for the next turn. */
static int wake_paced(struct ags_push *p, int max_wait_ms)
{
	bool may_send = ags_pace_may_send(&p->pace, ags_now_ms()), is_any = false;

	for (size_t k = 0; k < p->fanout.count && p->pace.rate > 0; k++) {
		struct ags_receiver *r = &p->receivers[(p->pace.next + k) % p->fanout.count];

		if (!r->is_paced || r->member->is_over)
			continue;
		is_any = true;
		if (may_send)
			ags_member_wake(r->member);
	}
	return is_any && !may_send && ags_pace_wait_ms(&p->pace) < max_wait_ms ? ags_pace_wait_ms(&p->pace) : max_wait_ms;
}

/* The barrier: no server switches before all that must are ready. With commit "each" a server is its own barrier. A file that cannot be read
 * here stops all of them, as no server can become equal to the source. */
static void settle_staged(struct ags_push *p)
{
	const char *unreadable = p->job.answers != NULL ? ags_answers_unreadable(p->job.answers) : NULL;
	bool alone = p->options->commit_each || p->job.dry_run || p->round == AGS_ROUND_FINISH || p->round == AGS_ROUND_UPLOADS;
	const struct ags_member *failed = NULL;
	size_t staged = 0, failures = 0, under_way = 0;

	for (size_t i = 0; i < p->fanout.count; i++) {
		struct ags_receiver *r = &p->receivers[i];

		if (!r->member->is_over && !r->released && ags_sender_phase(r->sender) == AGS_SENDER_STAGED) {
			if (ags_sender_complaint(r->sender)[0] != '\0')
				ags_member_fail_text(r->member, AGS_OUTCOME_FAILED, "%s", ags_sender_complaint(r->sender));
			else if (alone && unreadable == NULL)
				release(r);
			else
				staged++;
		}
		if (r->member->is_over && r->member->result->outcome == AGS_OUTCOME_FAILED) {
			failures++;
			failed = failed != NULL ? failed : r->member;
		} else if (!r->member->is_over && ags_sender_phase(r->sender) < AGS_SENDER_STAGED) {
			under_way++;
		}
	}
	if (staged == 0 || under_way > 0 || p->fanout.is_stopped)
		return;
	for (size_t i = 0; i < p->fanout.count; i++) {
		struct ags_receiver *r = &p->receivers[i];

		if (r->member->is_over || r->released || ags_sender_phase(r->sender) != AGS_SENDER_STAGED)
			continue;
		if (unreadable != NULL && p->round == AGS_ROUND_UPLOADS)
			ags_member_fail_text(r->member, AGS_OUTCOME_FAILED, "was switched, but has not all uploads, because of a file here: %s", unreadable);
		else if (unreadable != NULL)
			ags_member_fail_text(r->member, AGS_OUTCOME_STAGED, "was ready, but not switched, because of a file here: %s", unreadable);
		else if (failures > p->options->max_failures)
			ags_member_fail_text(r->member, AGS_OUTCOME_STAGED, "was ready, but not switched, because %s failed", failed->server->name);
		else
			release(r);
	}
}

static void release(struct ags_receiver *r)
{
	r->released = true;
	r->push->is_released = true;
	ags_sender_release(r->sender);
	ags_member_wake(r->member);
}

static bool is_committing(const struct ags_push *p)
{
	for (size_t i = 0; i < p->fanout.count && p->round != AGS_ROUND_LOOK && p->round != AGS_ROUND_UPLOADS; i++) {
		const struct ags_receiver *r = &p->receivers[i];

		if (!r->member->is_over && (p->round == AGS_ROUND_FINISH ||
		                            (r->released && ags_sender_phase(r->sender) <= AGS_SENDER_COMMIT)))
			return true;
	}
	return false;
}

/* The call ends early; each server's result says how it was left. */
static void stop_all(struct ags_push *p)
{
	for (size_t i = 0; i < p->fanout.count && p->receivers != NULL; i++) {
		struct ags_member *m = &p->fanout.members[i];

		if (m->is_over || p->receivers[i].sender == NULL)
			continue;
		if (p->round == AGS_ROUND_UPLOADS && !p->job.dry_run)
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "was switched, but the call was stopped while uploads were sent");
		else if (m->now.phase <= AGS_PHASE_LIST)
			ags_member_end(m, AGS_OUTCOME_SKIPPED);
		else if (m->now.phase == AGS_PHASE_STAGED)
			ags_member_fail_text(m, AGS_OUTCOME_STAGED, "was ready, but not switched, because the call was stopped");
		else if (m->now.phase == AGS_PHASE_TRANSFER)
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the call was stopped while files were sent; nothing was switched");
		else
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the call was stopped after the switch, while old files were deleted");
	}
}

static bool tell_warnings(struct ags_push *p, struct ags_err *err)
{
	struct ags_report *report = p->report;
	const struct ags_complaint *all[3] = { p->list.complaints, NULL, NULL };
	size_t counts[3] = { p->list.complaint_count, 0, 0 }, total;

	if (p->answers != NULL)
		all[1] = ags_answers_complaints(p->answers, &counts[1]);
	if (p->upload_answers != NULL)
		all[2] = ags_answers_complaints(p->upload_answers, &counts[2]);
	total = counts[0] + counts[1] + counts[2];
	report->warnings = ags_arena_alloc(&report->arena, (total + 1) * sizeof(*report->warnings));
	if (report->warnings == NULL)
		return ags_fail_nomem(err);
	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < counts[k]; i++) {
			const char *text = describe(&all[k][i], &report->arena);

			if (text == NULL)
				return ags_fail_nomem(err);
			report->warnings[report->warning_count++] = text;
		}
	return true;
}

static const char *describe(const struct ags_complaint *c, struct ags_arena *arena)
{
	char path[AGS_MAX_PATH], reason[128];

	ags_text_clean(path, sizeof(path), c->path, strlen(c->path));
	if (c->sys == 0)
		return ags_arena_printf(arena, "%s %s", path, c->what);
	if (c->sys == ENOENT)
		return ags_arena_printf(arena, "%s vanished while it was being copied", path);
	return ags_arena_printf(arena, "%s %s: %s", c->what, path, ags_err_reason(c->sys, reason, sizeof(reason)));
}

static bool is_in_step(const struct ags_sync_options *options, const struct ags_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		enum ags_outcome o = report->servers[i].outcome;

		if (o != AGS_OUTCOME_SYNCED && o != AGS_OUTCOME_UNCHANGED && (o != AGS_OUTCOME_DIFFERS || options->status))
			return false;
	}
	return true;
}

static void end(struct ags_push *p)
{
	for (size_t i = 0; i < p->fanout.count && p->receivers != NULL; i++)
		ags_receiver_fini(&p->receivers[i]);
	free(p->receivers);
	ags_fanout_fini(&p->fanout);
	ags_answers_free(p->answers);
	ags_answers_free(p->upload_answers);
	free(p->uploads.entries);
	for (size_t i = 0; i < sizeof(p->job.lists) / sizeof(p->job.lists[0]); i++)
		ags_piece_drop(p->job.lists[i]);
	ags_filter_free(p->rules);
	ags_chmod_free(&p->chmod);
	ags_buf_free(&p->encoded_rules);
	free(p->part.entries);
	free(p->part_ndx);
	free(p->touched);
	ags_filelist_free(&p->list);
}
