#ifndef AGS_SCALE_PUSH_H
#define AGS_SCALE_PUSH_H

#include "rsync/scan.h"
#include "rsync/sender.h"
#include "scale/fanout.h"
#include "scale/pace.h"

/*
 * rsync runs on every server once, or in rounds of which each is over on all servers before the next begins:
 *
 *   ONLY                       a small push: staged, released together, deletions at the end
 *   LOOK ─► ONLY               with max_delete: a dry run counts what would be deleted; rsync's own limit stops too late
 *   LOOK ─► STAGE ─► FINISH    a large push: the dry run tells which files differ; only they are staged and released together; then,
 *                              if there are any, one pass for links, attributes and deletions, which so wait for the release as well
 *   … ─► UPLOADS               what this machine has of uploads, with rsync's --update: it is no part of what is staged and released, and goes
 *                              to each server that came through the rounds before, straight into place
 *
 * A receiver that stages looks for a partial file of every file in its list, which costs three times as much as all the rest: so the list
 * of the round that stages is short, and a server in which nothing differs is done after the look.
 */
enum ags_round { AGS_ROUND_ONLY, AGS_ROUND_LOOK, AGS_ROUND_STAGE, AGS_ROUND_FINISH, AGS_ROUND_UPLOADS };

/* One ags_sync() while it runs: what its servers share, and each server's part. */
struct ags_push {
	struct ags_fanout fanout;
	const struct ags_sync_options *options;
	struct ags_report *report;
	struct ags_sender_job job;
	struct ags_filelist list;
	struct ags_chmod chmod;
	struct ags_filter *rules;              /* of the source, and what receivers get */
	struct ags_buf encoded_rules;
	struct ags_answers *answers;           /* the job has it once the list is ready */
	struct ags_filelist uploads;           /* of their round; count 0: there is none. Borrows from `list`, which has all else */
	struct ags_answers *upload_answers;
	uint32_t total;                        /* entries of the source */
	struct ags_receiver *receivers;        /* one per member */
	struct ags_pace pace;                  /* bwlimit */
	bool is_released;                      /* some server was told to commit */
	const char *dest;                      /* below a server's root, both ends a slash; where the list begins behind the entries to skip */
	size_t dest_len;
	enum ags_round round;
	bool is_apart;                         /* files are staged in a round of their own */
	struct ags_filelist part;              /* of that round: what some server asked for; borrows from `list` */
	uint32_t *part_ndx;                    /* where its entries are in `list` */
	uint8_t *touched;                      /* per entry: a directory that is new or has another time somewhere, for that round, too */
	bool needs_finish;                     /* the look saw something that cannot be staged */
	int64_t ticked_ms, kept_alive_ms;
};

struct ags_receiver {
	struct ags_push *push;
	struct ags_member *member;
	struct ags_sender *sender;
	const uint8_t *offer;                  /* bytes the channel did not take yet */
	size_t offer_len;
	bool eof_sent;
	bool is_old;                           /* rsync 3.1: it is started with a command of its own */
	bool is_paced;                         /* it has something to say, and waits for its turn */
	bool released;                         /* told to commit */
	struct { uint64_t files, file_bytes, matched, bytes_sent, deleted; bool has_changed; } before;     /* in earlier rounds */
};

void ags_rounds_plan(struct ags_push *push, const struct ags_strings *paths);      /* which rounds there will be */
bool ags_rounds_start(struct ags_push *push, struct ags_err *err);                  /* rsync on all servers that are not over */
/* A server on which rsync did not understand its command gets the one for rsync 3.1, once. When that went well the pool remembers, so that
 * the next push of the process begins with it. False on lack of memory. */
bool ags_rounds_start_old(struct ags_receiver *r, struct ags_err *err);
bool ags_rounds_learn_old(const struct ags_receiver *r);
/* AGS_DONE: another round is to be started, for those who go on. AGS_AGAIN: that was the last. */
enum ags_step ags_rounds_next(struct ags_push *push, struct ags_err *err);

/* A member's step: reads, writes, and notices the end. */
void ags_receiver_step(struct ags_member *m);
bool ags_receiver_init(struct ags_receiver *r, struct ags_push *push, struct ags_member *m, struct ags_err *err);
void ags_receiver_fini(struct ags_receiver *r);

#endif
