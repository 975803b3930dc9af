#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* F_OFD_SETLK */
#endif

#include "scale/lock.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/text.h"
#include "scale/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 100                  /* between two looks at the others; also the pace at which the host is told of progress */

struct attempt {
	const struct ags_lock_wish *wish;
	struct ags_lock *lock;
	struct ags_arena arena;
	struct ags_servers servers;      /* those that the call is about */
	struct ags_strings claims;       /* lines: "server HOST:PORT ROOT", "path PATH" */
	struct { char pid[16], since[24], path[256]; } other;      /* who is in the way */
};

static bool choose(struct attempt *a, struct ags_err *err);
static bool make_claims(struct attempt *a, struct ags_err *err);
static bool claim(struct attempt *a, const char *kind, const char *first, const char *second, struct ags_err *err);
static bool tidy(const char *path, char *to);
static enum ags_step try(struct attempt *a, struct ags_err *err);
static enum ags_step look_at_others(struct attempt *a, struct ags_err *err);
static enum ags_step look_at(struct attempt *a, const char *name, struct ags_err *err);
static bool is_in_the_way(struct attempt *a, char *text);
static bool overlaps(const char *a, const char *b);
static bool register_us(struct attempt *a, struct ags_err *err);
static bool lock_file(int fd);
static bool wait_a_little(struct attempt *a);
static bool refuse(struct attempt *a, uint32_t waited, struct ags_err *err);

enum ags_step ags_lock_take(struct ags_lock *lock, const struct ags_lock_wish *wish, struct ags_err *err)
{
	struct attempt a = { .wish = wish, .lock = lock, .arena = AGS_ARENA_INIT };
	enum ags_step step = AGS_FAILED;
	uint32_t timeout = wish->timeout;
	int64_t began = ags_now_ms();

	if (!choose(&a, err) || !make_claims(&a, err))
		goto out;
	for (size_t i = 0; wish->timeout == 0 && i < a.servers.count; i++)
		timeout = a.servers.items[i]->timeout > timeout ? a.servers.items[i]->timeout : timeout;
	step = AGS_AGAIN;
	lock->dir = ags_state_open(wish->env, "runs", err);
	if (lock->dir < 0)
		goto out;
	while ((step = try(&a, err)) == AGS_AGAIN && err->code == AGS_OK) {
		step = AGS_FAILED;
		if (ags_now_ms() - began >= 1000 * (int64_t)timeout) {
			refuse(&a, timeout, err);
			break;
		}
		if (!wait_a_little(&a)) {
			ags_fail(err, AGS_CANCELLED, "cancelled");
			break;
		}
	}
out:
	if (step != AGS_DONE)
		ags_lock_release(lock);
	ags_arena_free(&a.arena);
	return step;
}

void ags_lock_release(struct ags_lock *lock)
{
	struct flock none = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	/* a child has closed its copy when it was forked, and the number may be another file's */
	if (lock->fd >= 0 && lock->pid == getpid()) {
		unlinkat(lock->dir, lock->name, 0);
		fcntl(lock->fd, F_OFD_SETLK, &none);
		close(lock->fd);
		if (lock->held != NULL)
			*lock->held = -1;
	}
	lock->fd = -1;
	if (lock->dir >= 0)
		close(lock->dir);
	lock->dir = -1;
}

/* Names that are not in the group are refused by whoever connects. */
static bool choose(struct attempt *a, struct ags_err *err)
{
	const struct ags_strings *only = a->wish->only;
	size_t kept = 0;

	if (!ags_topology_group(a->wish->topology, a->wish->group, &a->arena, &a->servers, err))
		return false;
	for (size_t i = 0; i < a->servers.count; i++) {
		bool is_named = only->count == 0;

		for (size_t j = 0; j < only->count && !is_named; j++)
			is_named = strcmp(only->items[j], a->servers.items[i]->name) == 0;
		if (is_named)
			a->servers.items[kept++] = a->servers.items[i];
	}
	a->servers.count = kept;
	return true;
}

static bool make_claims(struct attempt *a, struct ags_err *err)
{
	const struct ags_strings *paths = a->wish->paths;
	char path[AGS_MAX_PATH];

	a->claims.items = ags_arena_alloc(&a->arena, (a->servers.count + paths->count + 2) * sizeof(*a->claims.items));
	if (a->claims.items == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < a->servers.count; i++) {
		const struct ags_server *s = a->servers.items[i];
		const char *where = ags_arena_printf(&a->arena, "%s:%u", s->host, (unsigned)s->port);

		if (where == NULL || !claim(a, "server", where, s->root, err))
			return ags_fail_nomem(err);
	}
	if (a->wish->writes_here && !claim(a, "server", "here", "", err))
		return false;
	if (a->wish->covers_all)
		return claim(a, "path", "", NULL, err);
	for (size_t i = 0; i < paths->count; i++) {
		if (!tidy(paths->items[i], path))
			return ags_fail(err, AGS_USAGE, "path is \"%.300s\", want an absolute one of less than %d bytes", paths->items[i], AGS_MAX_PATH);
		if (!claim(a, "path", path, NULL, err))
			return false;
	}
	return true;
}

static bool claim(struct attempt *a, const char *kind, const char *first, const char *second, struct ags_err *err)
{
	struct ags_buf line = AGS_BUF_INIT;
	bool ok = ags_state_add(&line, kind) && ags_state_add(&line, first) && (second == NULL || ags_state_add(&line, second)) &&
	          ags_buf_u8(&line, '\0');

	if (ok)
		a->claims.items[a->claims.count] = ags_arena_string(&a->arena, (const char *)ags_buf_bytes(&line));
	ok = ok && a->claims.items[a->claims.count++] != NULL;
	ags_buf_free(&line);
	return ok || ags_fail_nomem(err);
}

/* "/a//b/./" is "/a/b", and "/" is "". */
static bool tidy(const char *path, char *to)
{
	size_t n = 0;

	if (path[0] != '/' || strlen(path) >= AGS_MAX_PATH)
		return false;
	for (size_t part; *path != '\0'; path += part) {
		path += strspn(path, "/");
		part = strcspn(path, "/");
		if (part == 0 || (part == 1 && path[0] == '.'))
			continue;
		to[n++] = '/';
		memcpy(to + n, path, part);
		n += part;
	}
	to[n] = '\0';
	return true;
}

/* AGS_AGAIN: somebody is in the way, or, with err, nothing can be kept here. */
static enum ags_step try(struct attempt *a, struct ags_err *err)
{
	int mutex = openat(a->lock->dir, "mutex", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum ags_step step = AGS_AGAIN;

	snprintf(a->other.pid, sizeof(a->other.pid), "0");
	if (mutex < 0 || !lock_file(mutex)) {
		if (mutex < 0 || (errno != EAGAIN && errno != EACCES))
			ags_fail_sys(err, AGS_LOCAL_IO, "runs/mutex", "cannot lock");
	} else {
		step = look_at_others(a, err);
		if (step == AGS_DONE && !register_us(a, err))
			step = AGS_AGAIN;
	}
	if (mutex >= 0)
		close(mutex);
	return step;
}

static enum ags_step look_at_others(struct attempt *a, struct ags_err *err)
{
	int fd = openat(a->lock->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	enum ags_step step = AGS_DONE;
	const struct dirent *e;

	if (dir == NULL) {
		ags_fail_sys(err, AGS_LOCAL_IO, "runs", "cannot read directory");
		if (fd >= 0)
			close(fd);
		return AGS_AGAIN;
	}
	while (step == AGS_DONE && (e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "run.", 4) == 0)
			step = look_at(a, e->d_name, err);
	closedir(dir);
	return step;
}

/* A file that can be locked is a dead call's. */
static enum ags_step look_at(struct attempt *a, const char *name, struct ags_err *err)
{
	int fd = openat(a->lock->dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct ags_buf text = AGS_BUF_INIT;
	enum ags_step step = AGS_DONE;

	if (fd < 0)                          /* it ended just now */
		return errno == ENOENT ? AGS_DONE : (ags_fail_sys(err, AGS_LOCAL_IO, name, "cannot read"), AGS_AGAIN);
	if (lock_file(fd)) {
		unlinkat(a->lock->dir, name, 0);
	} else if (ags_state_read(a->lock->dir, name, &text, err) == AGS_DONE) {
		if (!ags_buf_u8(&text, '\0'))
			ags_fail_nomem(err);
		if (err->code != AGS_OK || is_in_the_way(a, (char *)text.data))
			step = AGS_AGAIN;
	} else if (err->code != AGS_OK) {
		step = AGS_AGAIN;
	}
	ags_buf_free(&text);
	close(fd);
	return step;
}

static bool is_in_the_way(struct attempt *a, char *text)
{
	bool has_server = false, has_path = false;

	for (char *line = text, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (strncmp(line, "pid ", 4) == 0)
			snprintf(a->other.pid, sizeof(a->other.pid), "%.15s", line + 4);
		else if (strncmp(line, "since ", 6) == 0)
			snprintf(a->other.since, sizeof(a->other.since), "%.23s", line + 6);
		for (size_t i = 0; i < a->claims.count; i++) {
			const char *mine = a->claims.items[i];

			if (strncmp(line, "server ", 7) == 0 && strcmp(line, mine) == 0) {
				has_server = true;
			} else if (strncmp(line, "path ", 5) == 0 && strncmp(mine, "path ", 5) == 0 && overlaps(line + 5, mine + 5)) {
				has_path = true;
				snprintf(a->other.path, sizeof(a->other.path), "%s", line + 5);
			}
		}
	}
	return has_server && has_path;
}

/* Equal, or one below the other; the root of everything is an empty word. */
static bool overlaps(const char *a, const char *b)
{
	size_t x = strcmp(a, "\\000") == 0 ? 0 : strlen(a), y = strcmp(b, "\\000") == 0 ? 0 : strlen(b), n = x < y ? x : y;

	return memcmp(a, b, n) == 0 && (x == y || n == 0 || (x > n ? a : b)[n] == '/');
}

static bool register_us(struct attempt *a, struct ags_err *err)
{
	struct ags_lock *lock = a->lock;
	struct ags_buf text = { .max = AGS_MAX_STATE };
	char head[64];
	uint64_t nonce;
	bool ok;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot get random bytes");
	snprintf(lock->name, sizeof(lock->name), "run.%016llx", (unsigned long long)nonce);
	snprintf(head, sizeof(head), "pid %d\nsince %lld\n", (int)getpid(), (long long)time(NULL));
	ok = ags_buf_add(&text, head, strlen(head));
	for (size_t i = 0; ok && i < a->claims.count; i++)
		ok = ags_buf_add(&text, a->claims.items[i], strlen(a->claims.items[i])) && ags_buf_u8(&text, '\n');
	lock->fd = openat(lock->dir, lock->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	lock->pid = getpid();
	lock->held = a->wish->env->held;
	if (lock->held != NULL)
		*lock->held = lock->fd;
	ok = ok && lock->fd >= 0 && lock_file(lock->fd) &&
	     write(lock->fd, ags_buf_bytes(&text), ags_buf_len(&text)) == (ssize_t)ags_buf_len(&text);
	ags_buf_free(&text);
	return ok || ags_fail_sys(err, AGS_LOCAL_IO, lock->name, "cannot write");
}

/* The lock is the open file's, so that threads keep each other out as well. */
static bool lock_file(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

static bool wait_a_little(struct attempt *a)
{
	const struct ags_host *host = a->wish->host;

	if (host != NULL && host->keep_going != NULL && !host->keep_going(host->arg))
		return false;
	for (size_t i = 0; host != NULL && host->progress != NULL && i < a->servers.count; i++) {
		const struct ags_progress p = { .server = a->servers.items[i]->name, .phase = AGS_PHASE_CONNECT };

		if (!host->progress(host->arg, &p))
			return false;
	}
	poll(NULL, 0, LOOK_MS);
	return host == NULL || host->keep_going == NULL || host->keep_going(host->arg);
}

static bool refuse(struct attempt *a, uint32_t waited, struct ags_err *err)
{
	time_t since = (time_t)strtoll(a->other.since, NULL, 10);
	char path[256], when[32] = "";
	struct tm tm;

	if (strcmp(a->other.pid, "0") == 0)
		return ags_fail(err, AGS_TIMEOUT, "another call has held the lock of all calls for %u s, want it over in a moment", (unsigned)waited);
	if (localtime_r(&since, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	ags_text_clean(path, sizeof(path), a->other.path, strlen(a->other.path));
	ags_fail(err, AGS_TIMEOUT, "process %s has been at work on %s on the same servers since %s, and did not end within %u s; "
	                "try again later, or with a longer timeout", a->other.pid, strcmp(path, "\\000") == 0 ? "/" : path, when, (unsigned)waited);
	ags_err_set_path(err, path);
	return false;
}
