#ifndef AGS_BASE_LOOP_H
#define AGS_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * One loop over epoll(7), so that a wake costs what is ready, not what is open.
 * A watch is a descriptor, what it waits for and a deadline; its callback runs
 * when the descriptor is ready or the deadline has passed. A callback may add,
 * change and remove any watch, its own included. After fork the child's loop is
 * its own.
 */
struct ags_loop;
struct ags_watch;

enum { AGS_READABLE = 1, AGS_WRITABLE = 2, AGS_EXPIRED = 4 };

typedef void ags_watch_fn(void *arg, unsigned happened);

/* Milliseconds of the monotonic clock. */
int64_t ags_now_ms(void);

struct ags_loop *ags_loop_new(void);                      /* NULL on lack of memory or descriptors */
void ags_loop_free(struct ags_loop *loop);                /* NULL is fine; with the watches that are left */

/* fd may be -1 for a pure timer; one watch per descriptor, which is no regular file. NULL on lack of memory. The watch
 * is the loop's until ags_watch_remove(). */
struct ags_watch *ags_watch_add(struct ags_loop *loop, int fd, unsigned events, ags_watch_fn *fn, void *arg);
void ags_watch_events(struct ags_watch *watch, unsigned events);
void ags_watch_deadline(struct ags_watch *watch, int64_t at_ms);      /* of ags_now_ms(); 0: none. Fires once */
void ags_watch_remove(struct ags_watch *watch);                        /* NULL is fine; before close(fd) */

/* Sleeps until something happens, at most max_wait_ms and never longer than AGS_MAX_WAIT_MS, and runs what is
 * ready. EINTR is not an error: it returns so that the caller can look at its signals. */
bool ags_loop_once(struct ags_loop *loop, int max_wait_ms, struct ags_err *err);

#endif
