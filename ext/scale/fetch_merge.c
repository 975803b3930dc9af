/* What servers sent, into the directory here: the newest of each name, and other content beside it. Others than we may write below that
 * directory, and make a link of one that we have looked at; so nothing there is found by its whole path. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* O_PATH */
#endif

#include "base/limits.h"
#include "base/text.h"
#include "scale/fetch_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COMPARED     65536u
#define MAX_COPIES   100u            /* with other content under one name, of one server */
#define MAX_AHEAD    3600            /* seconds by which a server's clock may be ahead of ours */

/* A name that some server sent. */
struct arrival {
	const char *path;                /* below the directory */
	size_t server;
	struct stat st;
	bool is_taken;                   /* its content is kept, or was already */
};

struct arrivals {
	struct ags_merge *merge;
	struct arrival *items;
	size_t count, capacity;
	struct ags_arena arena;
	struct ags_strings refused;      /* directories that cannot be here; what is in them is left out */
	int holder;                      /* the directory here that was asked for last; -1: none */
	const char *held;                /* and its path below the one that is fetched */
	time_t latest;                   /* what claims to be newer than that wins over nothing */
};

static bool collect(struct arrivals *a, size_t server, const char *below, struct ags_err *err);
static bool add(struct arrivals *a, size_t server, const char *path, const struct stat *st, struct ags_err *err);
static int by_path(const void *x, const void *y);
static bool merge_name(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err);
static bool merge_mixed(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err);
static bool merge_directory(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err);
static bool refuse(struct arrivals *a, const struct arrival *one, const char *why, struct ags_err *err);
static bool is_refused(const struct arrivals *a, const char *path);
static bool merge_file(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err);
static bool put_newest(struct arrivals *a, struct arrival *newest, struct ags_err *err);
static bool keep_beside(struct arrivals *a, struct arrival *one, struct ags_err *err);
static bool find_holder(struct arrivals *a, const char *path);
static const char *name_in_holder(const char *path);
static bool look(const struct arrivals *a, const char *name, struct stat *st);
static bool is_same(int in, const char *name, const char *path);
static const char *staged(struct arrivals *a, const struct arrival *one);
static const char *here(struct arrivals *a, const char *path);
static bool is_newer(const struct arrivals *all, const struct stat *a, const struct stat *b);
static void note(struct arrivals *a, const struct arrival *one, const char *path, const char *code);
static bool remove_below(int dir, const char *name);

bool ags_merge_run(struct ags_merge *merge, struct ags_err *err)
{
	struct arrivals a = { .merge = merge, .arena = AGS_ARENA_INIT, .holder = -1, .latest = time(NULL) + MAX_AHEAD };
	bool ok = true;

	for (size_t i = 0; ok && i < merge->count; i++)
		ok = collect(&a, i, "", err);
	if (a.count > 0)
		qsort(a.items, a.count, sizeof(*a.items), by_path);
	for (size_t i = 0, n; ok && i < a.count; i += n) {
		for (n = 1; i + n < a.count && strcmp(a.items[i].path, a.items[i + n].path) == 0; n++)
			;
		ok = merge_name(&a, &a.items[i], n, err);
	}
	if (a.holder >= 0)
		close(a.holder);
	free(a.items);
	ags_arena_free(&a.arena);
	return ok;
}

void ags_merge_remove(const char *path)
{
	remove_below(AT_FDCWD, path);
}

bool ags_fetch_warn(struct ags_report *report, const char *format, ...)
{
	const char **all = ags_arena_alloc(&report->arena, (report->warning_count + 1) * sizeof(*all));
	char raw[2 * AGS_MAX_PATH], clean[2 * AGS_MAX_PATH];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	ags_text_clean(clean, sizeof(clean), raw, strlen(raw));
	if (all == NULL)
		return false;
	for (size_t i = 0; i < report->warning_count; i++)
		all[i] = report->warnings[i];
	all[report->warning_count] = ags_arena_string(&report->arena, clean);
	if (all[report->warning_count] == NULL)
		return false;
	report->warnings = all;
	report->warning_count++;
	return true;
}

static bool collect(struct arrivals *a, size_t server, const char *below, struct ags_err *err)
{
	const char *full = ags_arena_printf(&a->arena, "%s/%s%s%s", a->merge->stage, a->merge->servers[server]->server, below[0] != '\0' ? "/" : "", below);
	const struct dirent *e;
	bool ok = true;
	DIR *dir;

	if (full == NULL)
		return ags_fail_nomem(err);
	dir = opendir(full);
	if (dir == NULL)
		return errno == ENOENT || ags_fail_sys(err, AGS_LOCAL_IO, full, "cannot read directory");
	while (ok && (e = readdir(dir)) != NULL) {
		const char *path;
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		path = ags_arena_printf(&a->arena, "%s%s%s", below, below[0] != '\0' ? "/" : "", e->d_name);
		if (path == NULL)
			ok = ags_fail_nomem(err);
		else if (S_ISDIR(st.st_mode))
			ok = add(a, server, path, &st, err) && collect(a, server, path, err);
		else if (S_ISREG(st.st_mode))
			ok = add(a, server, path, &st, err);
	}
	closedir(dir);
	return ok;
}

static bool add(struct arrivals *a, size_t server, const char *path, const struct stat *st, struct ags_err *err)
{
	struct arrival *more;

	if (a->count == a->capacity) {
		a->capacity = a->capacity > 0 ? a->capacity * 2 : 64;
		more = realloc(a->items, a->capacity * sizeof(*more));
		if (more == NULL)
			return ags_fail_nomem(err);
		a->items = more;
	}
	a->items[a->count++] = (struct arrival){ .path = path, .server = server, .st = *st };
	return true;
}

/* Parents before what is in them, servers in the topology's order. */
static int by_path(const void *x, const void *y)
{
	const struct arrival *a = x, *b = y;
	int order = strcmp(a->path, b->path);

	return order != 0 ? order : a->server < b->server ? -1 : 1;
}

static bool merge_name(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err)
{
	if (is_refused(a, first->path))
		return true;
	if (!find_holder(a, first->path))
		return a->held == NULL ? ags_fail_nomem(err) : refuse(a, first, "lies in what is no directory here any more", err);
	for (size_t i = 1; i < count; i++)
		if ((first[i].st.st_mode & S_IFMT) != (first->st.st_mode & S_IFMT))
			return merge_mixed(a, first, count, err);
	return S_ISDIR(first->st.st_mode) ? merge_directory(a, first, count, err) : merge_file(a, first, count, err);
}

/* Directories of some servers, files of others: what is here decides, else the directory, as there is more in it. A server alone must not
 * keep all that others have in a directory from coming here. */
static bool merge_mixed(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err)
{
	const char *to = here(a, first->path);
	struct stat st;
	bool wants_file = look(a, name_in_holder(first->path), &st) && !S_ISDIR(st.st_mode);
	struct arrival left = *first;
	size_t kept = 0;

	if (to == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		if (S_ISDIR(first[i].st.st_mode) != wants_file) {
			first[kept++] = first[i];
			continue;
		}
		left = first[i];
		if (!wants_file && !ags_fetch_warn(a->merge->report, "%s is a file on %s and a directory elsewhere, and was left there", to,
		                                   a->merge->servers[first[i].server]->server))
			return ags_fail_nomem(err);
	}
	if (!wants_file)
		return merge_directory(a, first, kept, err);
	return merge_file(a, first, kept, err) && (is_refused(a, left.path) || refuse(a, &left, "is a directory there and a file here", err));
}

static bool merge_directory(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err)
{
	const char *to = here(a, first->path), *name = name_in_holder(first->path);
	struct stat st;
	bool ok;
	int fd;

	(void)count;
	if (to == NULL)
		return ags_fail_nomem(err);
	if (look(a, name, &st))
		return S_ISDIR(st.st_mode) || refuse(a, first, "is no directory here", err);
	if (mkdirat(a->holder, name, 0700) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, to, "cannot make directory");
	/* As on the server, whatever the umask is: a push that wanted another mode or group could not set it there, where the
	 * directory is the web server's own. */
	fd = openat(a->holder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	ok = (fd >= 0 && (fchown(fd, (uid_t)-1, first->st.st_gid) == 0 || errno == EPERM)) ||
	     ags_fail_sys(err, AGS_LOCAL_IO, to, "cannot change the group");
	ok = ok && (fchmod(fd, (first->st.st_mode & 07777) | 0700) == 0 || ags_fail_sys(err, AGS_LOCAL_IO, to, "cannot change the mode"));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Told once, for a directory and all that is in it. */
static bool refuse(struct arrivals *a, const struct arrival *one, const char *why, struct ags_err *err)
{
	const char **more = ags_arena_alloc(&a->arena, (a->refused.count + 1) * sizeof(*more));

	if (more == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < a->refused.count; i++)
		more[i] = a->refused.items[i];
	more[a->refused.count++] = one->path;
	a->refused.items = more;
	return ags_fetch_warn(a->merge->report, "%s/%s of %s %s, and was left there", a->merge->path, one->path,
	                      a->merge->servers[one->server]->server, why) || ags_fail_nomem(err);
}

static bool is_refused(const struct arrivals *a, const char *path)
{
	for (size_t i = 0; i < a->refused.count; i++) {
		size_t len = strlen(a->refused.items[i]);

		if (strncmp(path, a->refused.items[i], len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

static bool merge_file(struct arrivals *a, struct arrival *first, size_t count, struct ags_err *err)
{
	struct arrival *newest = first;

	for (size_t i = 1; i < count; i++)
		if (is_newer(a, &first[i].st, &newest->st))
			newest = &first[i];
	if (!put_newest(a, newest, err))
		return false;
	if (is_refused(a, first->path))
		return true;
	for (size_t i = 0; i < count; i++) {
		const char *from = staged(a, &first[i]);

		if (from == NULL)
			return ags_fail_nomem(err);
		if (first[i].is_taken || is_same(a->holder, name_in_holder(first->path), from))
			continue;
		if (!keep_beside(a, &first[i], err))
			return false;
	}
	return true;
}

/* Renamed into place, unless what is here is newer. */
static bool put_newest(struct arrivals *a, struct arrival *newest, struct ags_err *err)
{
	const char *to = here(a, newest->path), *from = staged(a, newest), *name = name_in_holder(newest->path);
	struct stat st;
	bool is_here;

	if (to == NULL || from == NULL)
		return ags_fail_nomem(err);
	is_here = look(a, name, &st);
	if (is_here && !S_ISREG(st.st_mode))
		return refuse(a, newest, "is no regular file here", err);
	if (is_here && !is_newer(a, &newest->st, &st))
		return true;
	if (renameat(AT_FDCWD, from, a->holder, name) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, to, "cannot put in place");
	newest->is_taken = true;
	a->merge->servers[newest->server]->files++;
	a->merge->report->files++;
	a->merge->report->bytes += (uint64_t)newest->st.st_size;
	note(a, newest, to, is_here ? ">f.st......" : ">f+++++++++");
	return true;
}

/* NAME.SERVER-CONFLICT; when that is there with the same content already, nothing is to be told again. */
static bool keep_beside(struct arrivals *a, struct arrival *one, struct ags_err *err)
{
	const char *to = here(a, one->path), *from = staged(a, one), *server = a->merge->servers[one->server]->server;
	char number[16] = "";

	for (unsigned i = 2; i < MAX_COPIES; i++) {
		const char *beside = to != NULL ? ags_arena_printf(&a->arena, "%s.%s-CONFLICT%s", to, server, number) : NULL;
		struct stat st;

		if (beside == NULL || from == NULL)
			return ags_fail_nomem(err);
		if (look(a, name_in_holder(beside), &st)) {
			if (is_same(a->holder, name_in_holder(beside), from))
				return true;
			snprintf(number, sizeof(number), "-%u", i);
			continue;
		}
		if (renameat(AT_FDCWD, from, a->holder, name_in_holder(beside)) != 0)
			return errno != ENAMETOOLONG ? ags_fail_sys(err, AGS_LOCAL_IO, beside, "cannot put in place") :
			       ags_fetch_warn(a->merge->report, "%s has other content on %s, and its name is too long for a copy: it was left there", to,
			                      server) || ags_fail_nomem(err);
		a->merge->servers[one->server]->files++;
		note(a, one, beside, ">f+++++++++");
		return ags_fetch_warn(a->merge->report, "%s has other content on %s, which is kept as %s", to, server, beside) || ags_fail_nomem(err);
	}
	return ags_fetch_warn(a->merge->report, "%s has other content on %s, and %u copies of it are here: it was left there", to, server, MAX_COPIES) ||
	       ags_fail_nomem(err);
}

/* Opens the directory here that a name lies in. Without memory for its path a->held is NULL. */
static bool find_holder(struct arrivals *a, const char *path)
{
	size_t len = (size_t)(name_in_holder(path) - path);
	const char *way;
	int fd;

	if (a->holder >= 0 && a->held != NULL && strlen(a->held) == len && memcmp(a->held, path, len) == 0)
		return true;
	if (a->holder >= 0)
		close(a->holder);
	a->held = way = ags_arena_copy(&a->arena, path, len);
	fd = way != NULL ? open(a->merge->path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	for (const char *part = way, *end; fd >= 0 && *part != '\0'; part = end + 1) {
		char name[NAME_MAX + 1];
		int above = fd;

		end = strchr(part, '/');
		snprintf(name, sizeof(name), "%.*s", (int)(end - part), part);
		fd = openat(above, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(above);
	}
	a->holder = fd;
	return fd >= 0;
}

static const char *name_in_holder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool look(const struct arrivals *a, const char *name, struct stat *st)
{
	return fstatat(a->holder, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Two regular files with the same content? */
static bool is_same(int in, const char *name, const char *path)
{
	int x = openat(in, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), y = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat sx, sy;
	bool same = x >= 0 && y >= 0 && fstat(x, &sx) == 0 && fstat(y, &sy) == 0 && S_ISREG(sx.st_mode) && S_ISREG(sy.st_mode) &&
	            sx.st_size == sy.st_size;
	char left[COMPARED / 2], right[COMPARED / 2];

	while (same) {
		ssize_t n = read(x, left, sizeof(left));
		ssize_t at = 0, m = 1;

		while (n > 0 && at < n && (m = read(y, right + at, (size_t)(n - at))) > 0)
			at += m;
		same = n >= 0 && at == n && memcmp(left, right, (size_t)at) == 0;
		if (n <= 0)
			break;
	}
	if (x >= 0)
		close(x);
	if (y >= 0)
		close(y);
	return same;
}

static const char *staged(struct arrivals *a, const struct arrival *one)
{
	return ags_arena_printf(&a->arena, "%s/%s/%s", a->merge->stage, a->merge->servers[one->server]->server, one->path);
}

static const char *here(struct arrivals *a, const char *path)
{
	return ags_arena_printf(&a->arena, "%s/%s", a->merge->path, path);
}

/* A time that no clock can have told yet would win over every later upload, on all servers. */
static bool is_newer(const struct arrivals *all, const struct stat *a, const struct stat *b)
{
	bool a_counts = a->st_mtim.tv_sec <= all->latest, b_counts = b->st_mtim.tv_sec <= all->latest;

	if (a_counts != b_counts)
		return a_counts;
	return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* A change that finds no room is left out. */
static void note(struct arrivals *a, const struct arrival *one, const char *path, const char *code)
{
	struct ags_server_result *r = a->merge->servers[one->server];
	struct ags_arena *arena = &a->merge->report->arena;
	struct ags_change *more;

	if (!a->merge->itemize || r->change_count == AGS_MAX_CHANGES)
		return;
	if (r->change_count == r->change_capacity) {
		size_t capacity = r->change_capacity > 0 ? r->change_capacity * 2 : 16;

		more = ags_arena_alloc(arena, capacity * sizeof(*more));
		if (more == NULL)
			return;
		if (r->change_count > 0)
			memcpy(more, r->changes, r->change_count * sizeof(*more));
		r->changes = more;
		r->change_capacity = capacity;
	}
	more = &r->changes[r->change_count];
	more->path = ags_arena_string(arena, path);
	if (more->path == NULL)
		return;
	more->path_len = strlen(path);
	snprintf(more->code, sizeof(more->code), "%s", code);
	r->change_count++;
}

static bool remove_below(int in, const char *name)
{
	int fd = openat(in, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct dirent *e;
	DIR *dir;

	if (fd < 0)
		return unlinkat(in, name, 0) == 0;
	fchmod(fd, 0700);
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return false;
	}
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_below(dirfd(dir), e->d_name);
	closedir(dir);
	return unlinkat(in, name, AT_REMOVEDIR) == 0;
}
