#include "base/limits.h"
#include "scale/fanout.h"
#include "ssh/quote.h"

#include <stdlib.h>

/* One server's part of ags_run(). */
struct runner {
	const struct ags_run_options *options;
	struct ags_buf out;
	size_t input_at;
	bool eof_sent;
};

static bool begin(struct ags_fanout *f, struct runner **runners, const struct ags_run_options *options, struct ags_err *err);
static bool start(struct ags_fanout *f, const struct ags_strings *argv, bool with_root, struct ags_err *err);
static void step(struct ags_member *m);
static bool exchange(struct ags_member *m, struct ags_err *err);
static bool read_output(struct ags_member *m, struct runner *r, struct ags_err *err);
static bool write_input(struct ags_member *m, struct runner *r, struct ags_err *err);
static void finish(struct ags_member *m);
static void stop_all(struct ags_fanout *f);
static bool keep_output(struct ags_fanout *f, struct ags_err *err);

bool ags_run(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *argv,
             const struct ags_run_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	struct ags_fanout f = { .members = NULL };
	struct runner *runners = NULL;
	int64_t began = ags_now_ms();
	bool ok = false;

	if (argv->count == 0) {
		ags_fail(err, AGS_USAGE, "no command is given, want at least one word");
		goto out;
	}
	if (!ags_fanout_init(&f, env, t, group, &options->servers, host, report, err) || !begin(&f, &runners, options, err) ||
	    !start(&f, argv, options->with_root, err))
		goto out;
	ok = true;
	while (ok && f.left > 0)
		ok = ags_fanout_turn(&f, AGS_MAX_WAIT_MS, err);
out:
	stop_all(&f);
	ok = keep_output(&f, err) && ok;
	report->ok = ok;
	for (size_t i = 0; i < report->count; i++)
		report->ok = report->ok && report->servers[i].outcome == AGS_OUTCOME_SYNCED;
	report->seconds = (double)(ags_now_ms() - began) / 1000;
	free(runners);
	ags_fanout_fini(&f);
	return ok;
}

static bool begin(struct ags_fanout *f, struct runner **runners, const struct ags_run_options *options, struct ags_err *err)
{
	*runners = calloc(f->count, sizeof(**runners));
	if (*runners == NULL)
		return ags_fail_nomem(err);
	ags_pool_set_handshakes(f->env->pool, options->parallel);
	f->step = step;
	f->connect_timeout = options->connect_timeout;
	f->timeout = options->timeout;
	for (size_t i = 0; i < f->count; i++) {
		(*runners)[i].options = options;
		f->members[i].own = &(*runners)[i];
	}
	return true;
}

static bool start(struct ags_fanout *f, const struct ags_strings *argv, bool with_root, struct ags_err *err)
{
	struct ags_buf command = AGS_BUF_INIT;
	bool ok = true;

	for (size_t i = 0; ok && i < f->count; i++) {
		const char *root = f->members[i].server->root;

		ags_buf_clear(&command);
		ok = ags_quote_argv(argv->items, argv->count, &command, err);
		if (ok && with_root)
			ok = (ags_buf_add(&command, " ", 1) || ags_fail_nomem(err)) && ags_quote_argv(&root, 1, &command, err);
		if (ok && !ags_buf_u8(&command, '\0'))
			ok = ags_fail_nomem(err);
		if (ok)
			ags_fanout_start(&f->members[i], (const char *)ags_buf_bytes(&command));
	}
	ags_buf_free(&command);
	return ok;
}

static void step(struct ags_member *m)
{
	struct ags_err err = AGS_ERR_INIT;

	if (!exchange(m, &err))
		ags_member_fail(m, &err);
	else if (m->out_ended && m->errors_ended)
		finish(m);
}

static bool exchange(struct ags_member *m, struct ags_err *err)
{
	enum ags_step ready = ags_channel_ready(m->channel, err);

	if (ready != AGS_DONE)
		return ready == AGS_AGAIN;
	ags_member_progress(m, AGS_PHASE_TRANSFER);
	return write_input(m, m->own, err) && read_output(m, m->own, err) && ags_member_read_errors(m, AGS_MAX_OUTPUT, err);
}

static bool read_output(struct ags_member *m, struct runner *r, struct ags_err *err)
{
	uint8_t bytes[16384];
	size_t got = 0;

	while (!m->out_ended) {
		enum ags_step s = ags_channel_read(m->channel, AGS_STDOUT, bytes, sizeof(bytes), &got, err);

		if (s != AGS_DONE)
			return s == AGS_AGAIN;
		m->out_ended = got == 0;
		if (ags_buf_len(&r->out) + got > AGS_MAX_OUTPUT) {
			m->result->out_cut = true;
			got = AGS_MAX_OUTPUT - ags_buf_len(&r->out);
		}
		if (!ags_buf_add(&r->out, bytes, got))
			return ags_fail_nomem(err);
	}
	return true;
}

static bool write_input(struct ags_member *m, struct runner *r, struct ags_err *err)
{
	enum ags_step s;
	size_t taken;

	while (r->input_at < r->options->input_len) {
		s = ags_channel_write(m->channel, r->options->input + r->input_at, r->options->input_len - r->input_at, &taken, err);
		if (s != AGS_DONE)
			return s == AGS_AGAIN;
		r->input_at += taken;
		m->result->bytes_sent += taken;
	}
	if (!r->eof_sent) {
		s = ags_channel_send_eof(m->channel, err);
		r->eof_sent = s == AGS_DONE;
		return s != AGS_FAILED;
	}
	return true;
}

static void finish(struct ags_member *m)
{
	struct ags_err err = AGS_ERR_INIT;
	struct ags_exit how;
	enum ags_step s = ags_channel_finish(m->channel, &how, &err);

	if (s == AGS_AGAIN)
		return;
	if (s == AGS_FAILED) {
		ags_member_fail(m, &err);
		return;
	}
	m->result->exit_status = how.signal[0] != '\0' ? -1 : how.status;
	ags_member_progress(m, AGS_PHASE_DONE);
	if (how.signal[0] != '\0') {
		m->result->signal = ags_arena_string(&m->fanout->report->arena, how.signal);
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the command was killed by signal %s", how.signal);
	} else if (how.status < 0) {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the server did not say how the command ended");
	} else if (how.status > 0) {
		ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the command exited with status %d", how.status);
	} else {
		ags_member_end(m, AGS_OUTCOME_SYNCED);
	}
}

static void stop_all(struct ags_fanout *f)
{
	for (size_t i = 0; i < f->count && f->members != NULL; i++) {
		struct ags_member *m = &f->members[i];

		if (m->is_over)
			continue;
		if (m->now.phase == AGS_PHASE_CONNECT)
			ags_member_end(m, AGS_OUTCOME_SKIPPED);
		else
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the call was stopped while the command ran; it may go on there");
	}
}

/* Into the report, also of those that failed. */
static bool keep_output(struct ags_fanout *f, struct ags_err *err)
{
	bool ok = true;

	for (size_t i = 0; i < f->count && f->members != NULL; i++) {
		struct ags_member *m = &f->members[i];
		struct runner *r = m->own;

		if (r == NULL)
			continue;
		m->result->out_len = ags_buf_len(&r->out);
		m->result->out = ags_arena_copy(&f->report->arena, ags_buf_bytes(&r->out), m->result->out_len);
		m->result->errors_len = ags_buf_len(&m->errors);
		m->result->errors = ags_arena_copy(&f->report->arena, ags_buf_bytes(&m->errors), m->result->errors_len);
		ok = ok && m->result->out != NULL && m->result->errors != NULL;
		ags_buf_free(&r->out);
	}
	return ok || ags_fail_nomem(err);
}
