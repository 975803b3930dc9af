#ifndef AGS_SSH_PROCESS_H
#define AGS_SSH_PROCESS_H

#include "base/buf.h"
#include "base/loop.h"

/*
 * A program as a child process, run from argv and never through a shell. It has /dev/null for its input, pipes to us
 * for the rest, no other descriptor of ours, no terminal (so nothing can ask for a password) and a process group of its own (so
 * that Ctrl-C is ours to serve). It ends with us, also when we are killed: the kernel sends it SIGTERM.
 *
 *   start ──► runs ──► over: it ended by itself            free at any time: kills it and all of its group
 *
 * Only its own pid is ever waited for. One that does not die at once when freed is reaped by its family, later. In another
 * process (after fork) freeing forgets it, as the parent still uses it.
 */
struct ags_process;

/* Those that are not reaped yet. */
struct ags_family;

struct ags_family *ags_family_new(struct ags_loop *loop);               /* NULL on lack of memory */
void ags_family_free(struct ags_family *family);                        /* NULL is fine; after all its processes; waits as below */
/* Waits for those that were freed and not dead: they are killed, so it takes a moment. One that the kernel holds longer stays for later. */
void ags_family_wait(struct ags_family *family);

/* fn runs from the loop when it has said something on its standard error, or is over. argv[0] is the path of the program. NULL with err. */
struct ags_process *ags_process_start(struct ags_family *family, const char *const *argv, ags_watch_fn *fn, void *arg, struct ags_err *err);

/* It has ended and everything it wrote is here. Asks the kernel, too. */
bool ags_process_is_over(struct ags_process *p);

/* Of one that is over: its exit status, or -1 and the signal; both -1 when somebody else has waited for it. */
int ags_process_status(const struct ags_process *p, int *signal);

/* The first AGS_MAX_SAID bytes of standard output, and the last of standard error. Good until the loop's next turn. */
const struct ags_buf *ags_process_output(const struct ags_process *p);
const struct ags_buf *ags_process_errors(const struct ags_process *p);

void ags_process_free(struct ags_process *p);                           /* NULL is fine */

#endif
