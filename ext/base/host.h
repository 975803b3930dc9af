#ifndef AGS_BASE_HOST_H
#define AGS_BASE_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Where a server is in a call. The order is the order in which a server passes through them. */
enum ags_phase {
	AGS_PHASE_CONNECT, AGS_PHASE_START, AGS_PHASE_LIST, AGS_PHASE_TRANSFER,
	AGS_PHASE_STAGED, AGS_PHASE_COMMIT, AGS_PHASE_DELETE, AGS_PHASE_DONE
};

/* "connect", "start", … */
const char *ags_phase_name(enum ags_phase phase);

struct ags_progress {
	const char *server;
	enum ags_phase phase;
	uint64_t files_done, files_total;     /* files that had to be sent; total is what is asked for so far */
	uint64_t bytes_done, bytes_total;     /* their sizes */
};

/*
 * All that the engine asks of the world that called it. All may be NULL.
 * Returning false asks the run to stop; it stops as soon as its state is tidy.
 */
struct ags_host {
	void *arg;
	bool (*keep_going)(void *arg);                                /* asked on every wake */
	bool (*progress)(void *arg, const struct ags_progress *p);    /* at most ten a second per server */
};

#endif
