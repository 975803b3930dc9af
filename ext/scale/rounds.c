/* Starts rsync on the servers of a push, once or several times. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* fts(3) */
#endif

#include "scale/push.h"
#include "ssh/quote.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

#define OLD_KEY 600
#define LARGE 1000             /* entries from which looking first is cheaper than having every receiver look for partial files */

static void plan_dest(struct ags_push *p, const struct ags_strings *paths);
static bool is_large(const struct ags_strings *paths);
static bool start(struct ags_receiver *r, struct ags_err *err);
static const char *old_key(const struct ags_server *s, char key[OLD_KEY]);
static bool goes_on(const struct ags_push *p, const struct ags_receiver *r);
static bool begin_again(struct ags_push *p, struct ags_err *err);
static enum ags_step begin_uploads(struct ags_push *p, struct ags_err *err);
static void veto(struct ags_push *p);
static bool make_part(struct ags_push *p, struct ags_err *err);
static size_t mark_asked(const struct ags_push *p, uint8_t *wanted);
static void use_list(struct ags_push *p, const struct ags_filelist *list, const uint32_t *source_ndx);

void ags_rounds_plan(struct ags_push *p, const struct ags_strings *paths)
{
	const struct ags_sync_options *o = p->options;

	plan_dest(p, paths);
	p->job.at_once = o->is_unseen;
	if (o->dry_run)
		return;
	p->is_apart = !o->commit_each && !o->checksum && !o->hard_links && o->dest == NULL && o->link_dest.count == 0 && is_large(paths);
	if (!p->is_apart && (o->max_delete == AGS_NO_MAX_DELETE || !o->delete_extraneous))
		return;
	p->round = AGS_ROUND_LOOK;
	p->job.dry_run = true;
	p->job.checksum = false;           /* it has no say in what is deleted, and takes long */
}

bool ags_rounds_start(struct ags_push *p, struct ags_err *err)
{
	for (size_t i = 0; i < p->fanout.count; i++)
		if (!p->receivers[i].member->is_over && !start(&p->receivers[i], err))
			return false;
	return true;
}

bool ags_rounds_start_old(struct ags_receiver *r, struct ags_err *err)
{
	struct ags_push *p = r->push;
	struct ags_member *m = r->member;

	ags_member_end(m, AGS_OUTCOME_SKIPPED);
	ags_member_again(m);
	ags_sender_free(r->sender);
	r->sender = NULL;
	r->offer_len = 0;
	r->eof_sent = r->is_paced = false;
	r->is_old = true;
	return ags_receiver_init(r, p, m, err) && start(r, err);
}

bool ags_rounds_learn_old(const struct ags_receiver *r)
{
	char key[OLD_KEY];

	return ags_pool_learn(r->push->fanout.env->pool, old_key(r->member->server, key));
}

enum ags_step ags_rounds_next(struct ags_push *p, struct ags_err *err)
{
	const struct ags_sync_options *o = p->options;

	if (p->round == AGS_ROUND_ONLY || p->round == AGS_ROUND_FINISH || (p->round == AGS_ROUND_STAGE && !p->needs_finish))
		return begin_uploads(p, err);
	if (p->round == AGS_ROUND_UPLOADS)
		return AGS_AGAIN;
	if (p->round == AGS_ROUND_LOOK && p->is_apart && !make_part(p, err))
		return AGS_FAILED;
	if (p->round == AGS_ROUND_LOOK)
		p->is_released = false;
	p->round = p->round == AGS_ROUND_STAGE ? AGS_ROUND_FINISH : !p->is_apart ? AGS_ROUND_ONLY :
	           p->part.count > 0 ? AGS_ROUND_STAGE : AGS_ROUND_FINISH;
	p->job.dry_run = false;
	p->job.checksum = o->checksum;
	p->job.max_delete = o->max_delete;
	p->job.has_max_delete = o->max_delete != AGS_NO_MAX_DELETE;
	p->job.delete_extraneous = o->delete_extraneous && p->round != AGS_ROUND_STAGE;
	p->job.at_once = p->round == AGS_ROUND_FINISH;
	if (p->round == AGS_ROUND_STAGE)
		use_list(p, &p->part, p->part_ndx);
	else
		use_list(p, &p->list, NULL);
	p->fanout.clock_from_ms = ags_now_ms();
	if (!begin_again(p, err))
		return AGS_FAILED;
	return p->fanout.left > 0 ? AGS_DONE : begin_uploads(p, err);
}

/* Not where the barrier held all back. */
static enum ags_step begin_uploads(struct ags_push *p, struct ags_err *err)
{
	const struct ags_sync_options *o = p->options;
	size_t failures = 0;

	for (size_t i = 0; i < p->fanout.count; i++)
		failures += p->fanout.members[i].result->outcome == AGS_OUTCOME_FAILED;
	if (p->uploads.count == 0 || (!p->is_released && !o->dry_run && !o->commit_each && failures > o->max_failures))
		return AGS_AGAIN;
	/* also of those that failed: what a sender is reading belongs to the answers that it was read from */
	for (size_t i = 0; i < p->fanout.count; i++) {
		ags_receiver_fini(&p->receivers[i]);
		p->receivers[i].sender = NULL;
	}
	p->round = AGS_ROUND_UPLOADS;
	p->job.dry_run = o->dry_run;
	p->job.checksum = o->checksum;
	p->job.update = p->job.at_once = true;
	p->job.delete_extraneous = p->job.has_max_delete = false;
	p->job.answers = p->upload_answers;
	use_list(p, &p->uploads, NULL);
	p->fanout.clock_from_ms = ags_now_ms();
	return begin_again(p, err) ? p->fanout.left > 0 ? AGS_DONE : AGS_AGAIN : AGS_FAILED;
}

/* One path is rooted in the directory that it lies in. With the root of the machine for its root, a receiver looks at every directory on the way
 * again for each directory of the list, and --no-implied-dirs alone costs a quarter of a dry run. */
static void plan_dest(struct ags_push *p, const struct ags_strings *paths)
{
	const struct ags_sync_options *o = p->options;
	const char *path = paths->items[0];
	size_t len = strlen(path);
	uint32_t names = 0;

	p->dest = o->dest != NULL ? o->dest : "/";
	p->dest_len = strlen(p->dest);
	if (!o->relative || o->dest != NULL || o->link_dest.count > 0 || paths->count != 1)
		return;
	while (len > 1 && path[len - 1] == '/')
		len--;
	while (path[len - 1] != '/')
		len--;
	for (size_t i = 1; i < len; i++)
		names += path[i] == '/';
	if (names == 0 || !ags_filter_can_begin_at(p->rules, path + 1, len - 2))
		return;
	for (size_t i = 0; i < o->protect.count; i++)      /* an anchored one is below the path wherever that is */
		if (o->protect.items[i][0] != '/' && strchr(o->protect.items[i], '/') != NULL)
			return;
	p->job.skip = names;
	p->dest = path;
	p->dest_len = len;
}

/* Counts no further than it must. */
static bool is_large(const struct ags_strings *paths)
{
	size_t count = 0;

	for (size_t i = 0; i < paths->count && count < LARGE; i++) {
		char *const argv[] = { (char *)paths->items[i], NULL };
		FTS *walk = fts_open(argv, FTS_PHYSICAL | FTS_NOSTAT | FTS_NOCHDIR, NULL);

		while (walk != NULL && count < LARGE && fts_read(walk) != NULL)
			count++;
		if (walk != NULL)
			fts_close(walk);
	}
	return count >= LARGE;
}

static bool start(struct ags_receiver *r, struct ags_err *err)
{
	struct ags_push *p = r->push;
	const struct ags_server *s = r->member->server;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_buf command = AGS_BUF_INIT;
	const char *const *argv, *dest;
	char key[OLD_KEY];
	size_t argc;
	bool ok;

	r->is_old = r->is_old || ags_pool_knows(p->fanout.env->pool, old_key(s, key));
	if (r->is_old)
		ags_sender_is_old(r->sender);
	dest = ags_arena_printf(&arena, "%s%.*s", s->root, (int)(r->is_old && p->job.skip > 0 ? 1 : p->dest_len), p->dest);
	p->job.is_old = r->is_old;
	p->job.timeout = p->options->timeout > 0 ? p->options->timeout : s->timeout;
	ok = (dest != NULL && ags_sender_command(&p->job, dest, &arena, &argv, &argc)) || ags_fail_nomem(err);
	ok = ok && ags_quote_argv(argv, argc, &command, err) && (ags_buf_u8(&command, '\0') || ags_fail_nomem(err));
	if (ok)
		ags_fanout_start(r->member, (const char *)ags_buf_bytes(&command));
	ags_buf_free(&command);
	ags_arena_free(&arena);
	return ok;
}

/* What the pool knows a server with an old rsync by. */
static const char *old_key(const struct ags_server *s, char key[OLD_KEY])
{
	snprintf(key, OLD_KEY, "rsync 3.1 at %s@%s:%u", s->user, s->host, (unsigned)s->port);
	return key;
}

/* A look finds a server unchanged for good only when it looked as closely as the push. */
static bool goes_on(const struct ags_push *p, const struct ags_receiver *r)
{
	switch (r->member->result->outcome) {
	case AGS_OUTCOME_SYNCED:
	case AGS_OUTCOME_DIFFERS:
		return true;
	case AGS_OUTCOME_UNCHANGED:
		return p->options->checksum || p->round == AGS_ROUND_UPLOADS;
	default:
		return false;
	}
}

static bool begin_again(struct ags_push *p, struct ags_err *err)
{
	bool is_look_over = p->round != AGS_ROUND_UPLOADS && (p->round != AGS_ROUND_FINISH || p->part.count == 0);

	for (size_t i = 0; i < p->fanout.count; i++) {
		struct ags_receiver *r = &p->receivers[i];
		struct ags_member *m = r->member;
		struct ags_server_result *result = m->result;
		bool has_changed;

		if (!goes_on(p, r))
			continue;
		has_changed = result->outcome != AGS_OUTCOME_UNCHANGED;
		ags_receiver_fini(r);
		memset(r, 0, sizeof(*r));
		r->before.bytes_sent = result->bytes_sent;
		if (!is_look_over) {
			r->before.files = result->files;
			r->before.file_bytes = m->now.bytes_done;
			r->before.matched = result->bytes_matched;
			r->before.deleted = result->deleted;
			r->before.has_changed = has_changed;
		}
		ags_member_again(m);
		if (!ags_receiver_init(r, p, m, err))
			return false;
	}
	if (is_look_over)
		veto(p);
	if (is_look_over && p->fanout.left == 0)
		p->is_released = p->fanout.failures == 0;      /* all were as they should be already */
	return true;
}

/* As at the barrier: too many that failed keep the others as they are, too. */
static void veto(struct ags_push *p)
{
	const struct ags_member *failed = NULL;
	size_t failures = 0;

	for (size_t i = 0; i < p->fanout.count; i++)
		if (p->fanout.members[i].is_over && p->fanout.members[i].result->outcome == AGS_OUTCOME_FAILED) {
			failures++;
			failed = failed != NULL ? failed : &p->fanout.members[i];
		}
	p->fanout.failures = failures;
	for (size_t i = 0; i < p->fanout.count && !p->options->commit_each && failures > p->options->max_failures; i++)
		if (!p->fanout.members[i].is_over)
			ags_member_fail_text(&p->fanout.members[i], AGS_OUTCOME_STAGED, "was ready, but nothing was changed there, because %s failed",
			                     failed->server->name);
}

/* The files that any server asked for, with the directories above them. */
static bool make_part(struct ags_push *p, struct ags_err *err)
{
	const struct ags_filelist *all = &p->list;
	uint8_t *wanted = p->touched;
	uint32_t *where = calloc(all->count + 1, sizeof(*where));
	size_t count;
	bool ok = false;

	if (where == NULL)
		goto out;
	count = mark_asked(p, wanted);
	p->part.entries = calloc(count + 1, sizeof(*p->part.entries));
	p->part_ndx = calloc(count + 1, sizeof(*p->part_ndx));
	if (p->part.entries == NULL || p->part_ndx == NULL)
		goto out;
	p->part.capacity = (uint32_t)count;
	for (uint32_t i = 0; i < all->count; i++) {
		struct ags_entry *e = &p->part.entries[p->part.count];

		if (!wanted[i])
			continue;
		*e = all->entries[i];
		if (e->parent != AGS_NO_PARENT)
			e->parent = where[e->parent];
		where[i] = p->part.count;
		p->part_ndx[p->part.count++] = i;
	}
	ok = true;
out:
	free(where);
	return ok || ags_fail_nomem(err);
}

/* A parent stands before what is in it. */
static size_t mark_asked(const struct ags_push *p, uint8_t *wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < p->fanout.count; i++)
		for (uint32_t n = 0; n < p->list.count && p->receivers[i].member->result->outcome == AGS_OUTCOME_DIFFERS; n++)
			wanted[n] |= ags_sender_was_asked(p->receivers[i].sender, n);
	for (uint32_t n = p->list.count; n-- > 0;) {
		if (!wanted[n])
			continue;
		count++;
		if (p->list.entries[n].parent != AGS_NO_PARENT)
			wanted[p->list.entries[n].parent] = 1;
	}
	return count;
}

static void use_list(struct ags_push *p, const struct ags_filelist *list, const uint32_t *source_ndx)
{
	p->job.source_ndx = source_ndx;
	if (p->job.list == list)
		return;
	p->job.list = list;
	for (size_t i = 0; i < sizeof(p->job.lists) / sizeof(p->job.lists[0]); i++) {
		ags_piece_drop(p->job.lists[i]);
		p->job.lists[i] = NULL;
	}
}
