#ifndef AGS_SCALE_REPORT_H
#define AGS_SCALE_REPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/host.h"

/*
 * What a call did on each server. A server that failed is a result like the
 * others; everything lives in the report's arena.
 */
enum ags_outcome {
	AGS_OUTCOME_SYNCED,          /* changed, and now equal to the source; of a command: it exited with 0 */
	AGS_OUTCOME_UNCHANGED,       /* was equal already */
	AGS_OUTCOME_DIFFERS,         /* of a dry run or a status: something would change */
	AGS_OUTCOME_STAGED,          /* was ready, but not committed because of another server; serves what it served before */
	AGS_OUTCOME_FAILED,
	AGS_OUTCOME_SKIPPED          /* not begun, because the call ended first */
};

/* One difference or change, in rsync's --itemize-changes form. */
struct ags_change {
	const char *path;            /* relative to the server's root; raw bytes */
	size_t path_len;
	char code[12];               /* "<f.st......", "*deleting", "cd+++++++++" */
};

struct ags_releases;

struct ags_server_result {
	const char *server;
	enum ags_outcome outcome;
	enum ags_phase phase;        /* how far it came */
	uint64_t files;              /* regular files whose content was sent */
	uint64_t deleted;            /* entries removed on the server (of a dry run: that would be) */
	uint64_t bytes_sent;         /* of this call on this server's channel, compressed, without SSH's own */
	uint64_t bytes_matched;      /* of file content that the server already had */
	double   seconds;
	const char *error;           /* one sentence, or NULL */
	const char *path;            /* what the error is about, or NULL */
	struct ags_change *changes;  /* with itemize */
	size_t change_count, change_capacity;
	/* of ags_run() only */
	int exit_status;             /* -1: none */
	const char *signal;          /* "KILL", or NULL */
	const char *out, *errors;    /* stdout and stderr, at most AGS_MAX_OUTPUT each; raw bytes, NUL behind */
	size_t out_len, errors_len;
	bool out_cut, errors_cut;    /* there was more */
	struct ags_releases *releases;         /* of a call of scale/release.h; NULL: not known */
};

struct ags_report {
	struct ags_arena arena;
	bool ok;                     /* no server failed, was left staged or skipped; of a status: none differs */
	bool committed;              /* servers were released to switch */
	double seconds;
	uint64_t files, bytes;       /* in the source: entries, and bytes of regular files */
	struct ags_server_result *servers;
	size_t count;
	const char **warnings;       /* about the source: a file vanished, a directory could not be read */
	size_t warning_count;
};

#define AGS_REPORT_INIT { .arena = AGS_ARENA_INIT }

/* One sentence for a result's error, cleaned, in the report's arena; never NULL or empty. */
const char *ags_report_sentence(struct ags_report *report, const char *format, va_list args);

void ags_report_free(struct ags_report *report);

#endif
