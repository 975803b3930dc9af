#ifndef AGS_SCALE_PUSH_H
#define AGS_SCALE_PUSH_H

#include "rsync/scan.h"
#include "rsync/sender.h"
#include "scale/fanout.h"
#include "scale/pace.h"

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
	struct ags_receiver *receivers;        /* one per member */
	struct ags_pace pace;                  /* bwlimit */
	bool is_released;                      /* some server was told to commit */
	bool is_rehearsal;                     /* a dry run that comes first, because of max_delete */
	int64_t ticked_ms, kept_alive_ms;
};

struct ags_receiver {
	struct ags_push *push;
	struct ags_member *member;
	struct ags_sender *sender;
	const uint8_t *offer;                  /* bytes the channel did not take yet */
	size_t offer_len;
	bool eof_sent;
	bool is_paced;                         /* it has something to say, and waits for its turn */
	bool released;                         /* told to commit */
};

/*
 * The rounds of a push. rsync's --max-delete stops when so many are gone, which is too late; deletions are known to us only
 * when they are done. So with max_delete all servers do a dry run over the same list first, which counts what they would delete.
 *
 *   start ─► rehearsal (a dry run) ─► after_rehearsal: who may go on ─► start ─► the push itself
 *
 * The push has --max-delete too, for what comes to be on a server between the two.
 */
bool ags_rounds_start(struct ags_push *push, struct ags_err *err);             /* rsync on all servers that are not over */
bool ags_rounds_after_rehearsal(struct ags_push *push, struct ags_err *err);   /* who is over now stays so */

/* A member's step: reads, writes, and notices the end. */
void ags_receiver_step(struct ags_member *m);
bool ags_receiver_init(struct ags_receiver *r, struct ags_push *push, struct ags_member *m, struct ags_err *err);
void ags_receiver_fini(struct ags_receiver *r);

#endif
