/* Starts rsync on the servers of a push, once or twice. */
#include "scale/push.h"
#include "ssh/quote.h"

static bool start(struct ags_receiver *r, struct ags_err *err);
static void veto(struct ags_push *p);
static bool begin_again(struct ags_receiver *r, struct ags_err *err);

bool ags_rounds_start(struct ags_push *p, struct ags_err *err)
{
	for (size_t i = 0; i < p->fanout.count; i++)
		if (!p->receivers[i].member->is_over && !start(&p->receivers[i], err))
			return false;
	return true;
}

bool ags_rounds_after_rehearsal(struct ags_push *p, struct ags_err *err)
{
	const struct ags_sync_options *o = p->options;

	p->is_rehearsal = p->is_released = false;
	p->job.dry_run = false;
	p->job.checksum = o->checksum;
	p->job.max_delete = o->max_delete;
	p->job.has_max_delete = true;
	p->fanout.clock_from_ms = ags_now_ms();
	for (size_t i = 0; i < p->fanout.count; i++)
		if (p->receivers[i].member->result->outcome != AGS_OUTCOME_FAILED && !begin_again(&p->receivers[i], err))
			return false;
	if (!o->commit_each)
		veto(p);
	return true;
}

static bool start(struct ags_receiver *r, struct ags_err *err)
{
	struct ags_push *p = r->push;
	const struct ags_server *s = r->member->server;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_buf command = AGS_BUF_INIT;
	const char *const *argv, *dest = ags_arena_printf(&arena, "%s%s", s->root, p->options->dest != NULL ? p->options->dest : "/");
	size_t argc;
	bool ok;

	p->job.timeout = p->options->timeout > 0 ? p->options->timeout : s->timeout;
	ok = (dest != NULL && ags_sender_command(&p->job, dest, &arena, &argv, &argc)) || ags_fail_nomem(err);
	ok = ok && ags_quote_argv(argv, argc, &command, err) && (ags_buf_u8(&command, '\0') || ags_fail_nomem(err));
	if (ok)
		ags_fanout_start(r->member, (const char *)ags_buf_bytes(&command));
	ags_buf_free(&command);
	ags_arena_free(&arena);
	return ok;
}

/* As at the barrier: too many that failed keep the others as they are, too. */
static void veto(struct ags_push *p)
{
	const struct ags_member *failed = NULL;
	size_t failures = 0;

	for (size_t i = 0; i < p->fanout.count; i++)
		if (p->fanout.members[i].is_over) {
			failures++;
			failed = failed != NULL ? failed : &p->fanout.members[i];
		}
	for (size_t i = 0; i < p->fanout.count && failures > p->options->max_failures; i++)
		if (!p->fanout.members[i].is_over)
			ags_member_fail_text(&p->fanout.members[i], AGS_OUTCOME_STAGED, "was ready, but nothing was changed there, because %s failed",
			                     failed->server->name);
}

static bool begin_again(struct ags_receiver *r, struct ags_err *err)
{
	struct ags_push *p = r->push;
	struct ags_member *m = r->member;

	ags_receiver_fini(r);
	memset(r, 0, sizeof(*r));
	ags_member_again(m);
	return ags_receiver_init(r, p, m, err);
}
