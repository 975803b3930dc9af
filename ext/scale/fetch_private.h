#ifndef AGS_SCALE_FETCH_PRIVATE_H
#define AGS_SCALE_FETCH_PRIVATE_H

#include <sys/types.h>

#include "scale/fanout.h"
#include "scale/fetch.h"

/* Between rsync here and one channel. */
struct ags_bridge {
	const struct ags_sync_options *options;
	pid_t pid;                       /* of rsync; 0: none */
	int sock, errors;                /* to its remote shell, and its standard error; -1: closed */
	struct ags_watch *sock_watch, *errors_watch;
	struct ags_buf words;            /* what the remote shell was asked to run, until it is all there */
	struct ags_buf in, out;          /* bytes for the server, and for rsync */
	struct ags_buf said;             /* by rsync on standard error */
	const char *stage;               /* where rsync puts what comes */
	uint64_t received;               /* bytes from the server */
	int status;                      /* of rsync, once it has exited; -1: not known */
	bool is_started, in_ended, eof_sent, out_closed, remote_is_over;
};

/* Starts rsync: from `path` below the server's root into the directory `stage`, compared with `path` here. */
bool ags_bridge_start(struct ags_bridge *b, struct ags_member *m, const char *path, const char *stage,
                      const struct ags_sync_options *options, struct ags_err *err);
/* A member's step; to be woken now and then, as an exit of rsync may wake nobody. It ends with AGS_OUTCOME_SYNCED when rsync did. */
void ags_bridge_step(struct ags_member *m);
/* Ends rsync if it still runs. */
void ags_bridge_stop(struct ags_bridge *b);

/* The stages of some servers, stage/SERVER, into `path`. Results are those of the servers, in the topology's order. */
struct ags_merge {
	const char *path, *stage;
	struct ags_report *report;
	struct ags_server_result **servers;
	size_t count;
	bool itemize;
};

bool ags_merge_run(struct ags_merge *merge, struct ags_err *err);
/* Removes a directory and all below it; follows nothing. */
void ags_merge_remove(const char *path);
bool ags_fetch_warn(struct ags_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
