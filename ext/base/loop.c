#include "base/loop.h"
#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define READY_AT_ONCE 256

struct ags_watch {
	struct ags_loop *loop;
	struct ags_watch *next, *prev;         /* all watches of the loop */
	struct ags_watch *next_changed;
	struct ags_watch *next_due;
	int fd;
	unsigned wanted, set;                  /* set: what epoll knows */
	bool is_changed, is_gone;
	int64_t deadline;
	size_t heap_at;                        /* place + 1 in the heap of deadlines, 0: none */
	ags_watch_fn *fn;
	void *arg;
};

struct ags_loop {
	int epoll;
	pid_t pid;
	unsigned depth;                        /* callbacks running: removed watches wait in `gone` */
	size_t count;
	struct ags_watch *all, *changed, *gone;
	struct ags_watch **heap;               /* the earliest deadline first; has room for every watch */
	size_t heap_len, heap_cap;
};

static bool make_heap_room(struct ags_loop *loop);
static bool tell_epoll(struct ags_watch *w);
static bool tell_changes(struct ags_loop *loop);
static bool renew_after_fork(struct ags_loop *loop);
static int wait_ms(const struct ags_loop *loop, int max_wait_ms);
static void run_ready(struct epoll_event *ready, int n);
static void run_due(struct ags_loop *loop);
static void bury(struct ags_loop *loop);
static void heap_remove(struct ags_watch *w);
static void heap_place(struct ags_watch *w, size_t at);

int64_t ags_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct ags_loop *ags_loop_new(void)
{
	struct ags_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->pid = getpid();
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

void ags_loop_free(struct ags_loop *loop)
{
	if (loop == NULL)
		return;
	while (loop->all != NULL)
		ags_watch_remove(loop->all);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop->heap);
	free(loop);
}

struct ags_watch *ags_watch_add(struct ags_loop *loop, int fd, unsigned events, ags_watch_fn *fn, void *arg)
{
	struct ags_watch *w;

	if (!renew_after_fork(loop) || !make_heap_room(loop))
		return NULL;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->loop = loop;
	w->fd = fd;
	w->wanted = events;
	w->fn = fn;
	w->arg = arg;
	if (!tell_epoll(w)) {
		free(w);
		return NULL;
	}
	w->next = loop->all;
	if (loop->all != NULL)
		loop->all->prev = w;
	loop->all = w;
	loop->count++;
	return w;
}

/* epoll hears of it before the next sleep only, so switching a wish on and off within a step costs nothing. */
void ags_watch_events(struct ags_watch *watch, unsigned events)
{
	if (watch->is_gone || watch->wanted == events)
		return;
	watch->wanted = events;
	if (watch->is_changed)
		return;
	watch->is_changed = true;
	watch->next_changed = watch->loop->changed;
	watch->loop->changed = watch;
}

void ags_watch_deadline(struct ags_watch *watch, int64_t at_ms)
{
	struct ags_loop *loop = watch->loop;

	if (watch->is_gone || watch->deadline == at_ms)
		return;
	heap_remove(watch);
	watch->deadline = at_ms;
	if (at_ms != 0)
		heap_place(watch, loop->heap_len++);
}

void ags_watch_remove(struct ags_watch *watch)
{
	struct ags_loop *loop;

	if (watch == NULL || watch->is_gone)
		return;
	loop = watch->loop;
	watch->is_gone = true;
	heap_remove(watch);
	for (struct ags_watch **at = &loop->changed; watch->is_changed && *at != NULL; at = &(*at)->next_changed)
		if (*at == watch) {
			*at = watch->next_changed;
			break;
		}
	watch->wanted = 0;
	if (renew_after_fork(loop))
		tell_epoll(watch);
	if (watch->prev != NULL)
		watch->prev->next = watch->next;
	else
		loop->all = watch->next;
	if (watch->next != NULL)
		watch->next->prev = watch->prev;
	loop->count--;
	watch->next = loop->gone;
	loop->gone = watch;
	if (loop->depth == 0)
		bury(loop);
}

bool ags_loop_once(struct ags_loop *loop, int max_wait_ms, struct ags_err *err)
{
	struct epoll_event ready[READY_AT_ONCE];
	int n;

	if (!renew_after_fork(loop) || !tell_changes(loop))
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot wait for the servers");
	n = epoll_wait(loop->epoll, ready, READY_AT_ONCE, wait_ms(loop, max_wait_ms));
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot wait for the servers");
	loop->depth++;
	run_ready(ready, n);
	run_due(loop);
	loop->depth--;
	if (loop->depth == 0)
		bury(loop);
	return true;
}

static bool make_heap_room(struct ags_loop *loop)
{
	size_t cap = loop->heap_cap > 0 ? loop->heap_cap * 2 : 16;
	struct ags_watch **heap;

	if (loop->count < loop->heap_cap)
		return true;
	heap = realloc(loop->heap, cap * sizeof(struct ags_watch *));
	if (heap == NULL)
		return false;
	loop->heap = heap;
	loop->heap_cap = cap;
	return true;
}

/* A watch that wants nothing is not in epoll at all, which would report a hang-up over and over. */
static bool tell_epoll(struct ags_watch *w)
{
	struct epoll_event event = { .data.ptr = w };
	int op = w->set == 0 ? EPOLL_CTL_ADD : w->wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

	if (w->fd < 0 || w->wanted == w->set)
		return true;
	if (w->wanted & AGS_READABLE)
		event.events |= EPOLLIN;
	if (w->wanted & AGS_WRITABLE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(w->loop->epoll, op, w->fd, &event) != 0)
		return false;
	w->set = w->wanted;
	return true;
}

static bool tell_changes(struct ags_loop *loop)
{
	while (loop->changed != NULL) {
		struct ags_watch *w = loop->changed;

		if (!tell_epoll(w))
			return false;
		loop->changed = w->next_changed;
		w->is_changed = false;
	}
	return true;
}

/* A child shares its parent's epoll: what it removed there the parent would miss. So it makes its own. */
static bool renew_after_fork(struct ags_loop *loop)
{
	pid_t pid = getpid();

	if (loop->pid == pid && loop->epoll >= 0)
		return true;
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return false;
	loop->pid = pid;
	for (struct ags_watch *w = loop->all; w != NULL; w = w->next) {
		w->set = 0;
		if (!w->is_gone && !tell_epoll(w))
			return false;
	}
	return true;
}

static int wait_ms(const struct ags_loop *loop, int max_wait_ms)
{
	int wait = max_wait_ms < 0 || max_wait_ms > AGS_MAX_WAIT_MS ? AGS_MAX_WAIT_MS : max_wait_ms;
	int64_t left;

	if (loop->heap_len == 0)
		return wait;
	left = loop->heap[0]->deadline - ags_now_ms();
	if (left <= 0)
		return 0;
	return left < wait ? (int)left : wait;
}

static void run_ready(struct epoll_event *ready, int n)
{
	for (int i = 0; i < n; i++) {
		struct ags_watch *w = ready[i].data.ptr;
		unsigned happened = 0;

		if (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			happened |= AGS_READABLE;
		if (ready[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			happened |= AGS_WRITABLE;
		happened &= w->wanted;
		if (!w->is_gone && happened != 0)
			w->fn(w->arg, happened);
	}
}

/* The due ones are taken out first, so that a callback that sets a deadline in the past waits for the next turn. */
static void run_due(struct ags_loop *loop)
{
	struct ags_watch *due = NULL, **end = &due;
	int64_t now;

	if (loop->heap_len == 0)
		return;
	now = ags_now_ms();
	while (loop->heap_len > 0 && loop->heap[0]->deadline <= now) {
		struct ags_watch *w = loop->heap[0];

		heap_remove(w);
		w->deadline = 0;
		w->next_due = NULL;
		*end = w;
		end = &w->next_due;
	}
	for (struct ags_watch *w = due; w != NULL; w = w->next_due)
		if (!w->is_gone)
			w->fn(w->arg, AGS_EXPIRED);
}

static void bury(struct ags_loop *loop)
{
	while (loop->gone != NULL) {
		struct ags_watch *w = loop->gone;

		loop->gone = w->next;
		free(w);
	}
}

static void heap_remove(struct ags_watch *w)
{
	struct ags_loop *loop = w->loop;
	size_t at;

	if (w->heap_at == 0)
		return;
	at = w->heap_at - 1;
	w->heap_at = 0;
	loop->heap_len--;
	if (at < loop->heap_len)
		heap_place(loop->heap[loop->heap_len], at);
}

/* Puts w where `at` is free: up while its parent is later, else down while a child is earlier. */
static void heap_place(struct ags_watch *w, size_t at)
{
	struct ags_watch **heap = w->loop->heap;
	size_t len = w->loop->heap_len;

	for (; at > 0 && heap[(at - 1) / 2]->deadline > w->deadline; at = (at - 1) / 2) {
		heap[at] = heap[(at - 1) / 2];
		heap[at]->heap_at = at + 1;
	}
	for (size_t child; (child = 2 * at + 1) < len; at = child) {
		if (child + 1 < len && heap[child + 1]->deadline < heap[child]->deadline)
			child++;
		if (heap[child]->deadline >= w->deadline)
			break;
		heap[at] = heap[child];
		heap[at]->heap_at = at + 1;
	}
	heap[at] = w;
	w->heap_at = at + 1;
}
