#ifndef AGS_SCALE_FANOUT_H
#define AGS_SCALE_FANOUT_H

#include "base/buf.h"
#include "scale/sync.h"
#include "ssh/channel.h"

/*
 * One command on each server of a group, all in one loop. What is done with a server's channel is the caller's step function;
 * this module opens the channels, finds out who is ready, keeps the clocks, tells of progress and asks the host whether
 * to go on.
 *
 *   loop ──► wake(member) ──► ready queue ──► step(member) … until every member is over
 */
struct ags_fanout;

struct ags_member {
	struct ags_fanout *fanout;
	const struct ags_server *server;
	struct ags_server_result *result;
	struct ags_channel *channel;           /* NULL before the start and after the end */
	struct ags_member *next_ready;
	bool is_ready, is_over;
	bool out_ended, errors_ended;          /* of the two streams */
	bool is_starved;                       /* waits for other members: its silence is not its fault */
	struct ags_buf errors;                 /* what it wrote to stderr, as far as kept */
	int64_t began_ms, told_ms;
	uint64_t progress_mark, seen_mark;     /* what changes with every progress made, and as the clocks last saw it; 0: not measured */
	int64_t marked_ms;                     /* when they saw it change */
	struct ags_progress told, now;         /* progress last given to the host, and as it is */
	void *own;                             /* the caller's */
};

struct ags_fanout {
	const struct ags_environment *env;
	const struct ags_host *host;
	struct ags_report *report;
	struct ags_member *members;
	size_t count, left;                    /* members in all, and not yet over */
	size_t failures;                       /* the caller's: how many had failed when it last counted */
	struct ags_member *first_ready, **last_ready;
	uint32_t connect_timeout, timeout;     /* seconds; 0: the server's own */
	int64_t clock_from_ms;                 /* silence is not counted before this */
	int64_t looked_ms;                     /* when the clocks were last looked at */
	bool is_stopped;                       /* the host wants no more; it is not asked again */
	void (*step)(struct ags_member *m);
};

/* The group's servers as members with empty results, narrowed to `only` when that is not empty. */
bool ags_fanout_init(struct ags_fanout *f, const struct ags_environment *env, const struct ags_topology *t, const char *group,
                     const struct ags_strings *only, const struct ags_host *host, struct ags_report *report, struct ags_err *err);
void ags_fanout_fini(struct ags_fanout *f);                 /* also of a zeroed one; cuts what is not over */

/* Opens a member's channel for a quoted command. What fails is the member's result. */
void ags_fanout_start(struct ags_member *m, const char *command);

/* One turn: waits at most max_wait_ms, steps the ready, looks at the clocks. False when the host stopped the call (f->is_stopped)
 * or the loop itself failed, with err. */
bool ags_fanout_turn(struct ags_fanout *f, int max_wait_ms, struct ags_err *err);

/* Steps the member in the next turn even if nothing happens on its channel. */
void ags_member_wake(struct ags_member *m);

/* The member is over: its clock stops, its channel is closed (an unfinished one is cut). */
void ags_member_end(struct ags_member *m, enum ags_outcome outcome);
void ags_member_fail(struct ags_member *m, const struct ags_err *err);
void ags_member_again(struct ags_member *m);               /* a member that is over is as before its start; its clock goes on */
void ags_member_fail_text(struct ags_member *m, enum ags_outcome outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Where the member is; told to the host when the phase is new or a tenth of a second has passed. */
void ags_member_progress(struct ags_member *m, enum ags_phase phase);

/* Reads stderr into m->errors, at most `keep` bytes in all, and throws the rest away; sets errors_ended. False when the channel failed. */
bool ags_member_read_errors(struct ags_member *m, size_t keep, struct ags_err *err);

#endif
