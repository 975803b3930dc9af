#ifndef AGS_SCALE_RELEASE_PRIVATE_H
#define AGS_SCALE_RELEASE_PRIVATE_H

#include "base/buf.h"
#include "scale/release.h"

/* One call while it runs. Each of its rounds is a call of its own on some of the servers, whose results are gathered here. */
struct ags_release_call {
	const struct ags_environment *env;
	const struct ags_topology *topology;
	const char *group;
	const char *path;                /* absolute, without a slash at its end */
	const char *contents;            /* of a sync: the path with one */
	const char *id;                  /* "" of a list; of a prune: how many to keep */
	const struct ags_sync_options *options;
	const struct ags_host *host;
	struct ags_report *report;       /* with a result for each server after the first round */
	struct ags_release_server *servers;
	char nonce[17];
};

struct ags_release_server {
	struct ags_server_result *result;
	bool is_well;                    /* not failed so far */
	bool is_asked;                   /* takes part in the round that runs */
	bool has_it;                     /* the release was there before */
	bool is_served;                  /* the release was current before */
	bool is_switched;
	const char *failure;             /* of the switch, while others go back */
};

/* Tidies the path. */
bool ags_release_begin(struct ags_release_call *c, const char *path, struct ags_err *err);
/* Whether all is well, and how servers were left by a call that was stopped. */
void ags_release_end(struct ags_release_call *c, bool ok);

/* Runs the script's verb on all servers (in the first round), or on those with is_asked. What fails there is that server's result, and not well. False
 * with err when the call as a whole failed or was cancelled; a round of AGS_PHASE_COMMIT is not cancelled. */
bool ags_release_round(struct ags_release_call *c, const char *verb, const char *input, enum ags_phase phase, struct ags_err *err);

/* The names of those that are asked; items is NULL on lack of memory. */
struct ags_strings ags_release_asked(const struct ags_release_call *c, struct ags_arena *arena);
void ags_release_ask_well(struct ags_release_call *c);
void ags_release_fail(struct ags_release_call *c, struct ags_release_server *s, enum ags_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Have no more failed than may? If not, those that are well stay as they are, with this outcome, and say whose fault it is. */
bool ags_release_gate(struct ags_release_call *c, enum ags_outcome outcome, const char *how_it_is);

/* From all that are well: switch, and back if need be, then mark. */
bool ags_release_do_switch(struct ags_release_call *c, struct ags_err *err);

extern const char ags_release_script[];

/* The uploads of the Drupal roots in a directory of this machine. */
struct ags_release_uploads {
	struct ags_strings rules;        /* keep uploads out of a release */
	struct ags_strings shared;       /* take nothing but the uploads; empty when this machine has none */
	struct ags_buf links;            /* the script's input: a line for each directory of uploads that may be */
};

bool ags_release_find_uploads(const char *path, struct ags_arena *arena, struct ags_release_uploads *uploads, struct ags_err *err);

#endif
