#include "scale/guard.h"
#include "base/digest.h"
#include "base/limits.h"
#include "scale/mount.h"
#include "scale/state.h"
#include "scale/uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD       "aegir_scale source 1"
#define MAX_MOUNTS 256               /* below one source */

static bool look_at(struct ags_guard *g, int dir, size_t i, bool is_refused, struct ags_err *err);
static bool make_record(struct ags_guard *g, size_t i, struct ags_err *err);
static bool add_mount(struct ags_guard *g, struct ags_buf *record, const char *path, struct ags_err *err);
static bool compare(struct ags_guard *g, const char *path, const char *file, char *record, struct ags_err *err);
static bool is_word(char *line, const char *want);
static bool compare_line(struct ags_guard *g, const char *file, char *line, struct ags_err *err);
static bool damaged(const char *file, struct ags_err *err);
static bool refuse_empty(const char *path, struct ags_err *err);
static void remember(struct ags_guard *g);
static bool name_of(const struct ags_guard *g, const char *path, char name[2 * AGS_DIGEST_LEN + 1]);
static const char *source_of(struct ags_guard *g, size_t i);
static const char *describe(struct ags_guard *g, const struct ags_mount *m);
static void warn(struct ags_guard *g, const char *what, const struct ags_err *err);
static void tell(struct ags_guard *g);

bool ags_guard_begin(struct ags_guard *g, const struct ags_lock_wish *wish, unsigned what, struct ags_report *report, struct ags_err *err)
{
	struct ags_err mine = AGS_ERR_INIT;
	enum ags_step step = AGS_DONE;
	bool ok = true;
	int dir;

	*g = (struct ags_guard){ .wish = wish, .report = report, .lock = AGS_LOCK_INIT, .arena = AGS_ARENA_INIT };
	if (what & AGS_GUARD_LOCK)
		step = ags_lock_take(&g->lock, wish, &mine);
	if (step == AGS_FAILED || mine.code == AGS_NOMEM) {
		*err = mine;
		return false;
	}
	if (step == AGS_AGAIN)
		warn(g, "nothing keeps another call from the same paths", &mine);
	if (!(what & AGS_GUARD_SOURCE))
		return true;
	g->found = calloc(wish->paths->count + 1, sizeof(*g->found));
	g->sources = ags_arena_alloc(&g->arena, (wish->paths->count + 1) * sizeof(*g->sources));
	for (size_t i = 0; ok && g->sources != NULL && i < wish->paths->count; i++)
		ok = (g->sources[i] = source_of(g, i)) != NULL;
	if (!ok || g->found == NULL || g->sources == NULL)
		return ags_fail_nomem(err);
	ags_err_clear(&mine);
	dir = ags_state_open(wish->env, "sources", &mine);
	for (size_t i = 0; ok && i < wish->paths->count; i++)
		ok = look_at(g, dir, i, what & AGS_GUARD_REFUSE, err);
	if (dir >= 0)
		close(dir);
	else
		warn(g, "nothing is remembered of the source's file system", &mine);
	g->is_remembered = ok && (what & AGS_GUARD_LOCK);
	return ok;
}

void ags_guard_end(struct ags_guard *g)
{
	bool is_parent = g->lock.fd < 0 || g->lock.pid == getpid();

	if (g->is_remembered && is_parent && (g->report->ok || g->report->committed))
		remember(g);
	tell(g);
	for (size_t i = 0; g->found != NULL && i < g->wish->paths->count; i++)
		ags_buf_free(&g->found[i]);
	free(g->found);
	g->found = NULL;
	ags_lock_release(&g->lock);
	ags_arena_free(&g->arena);
}

/* A source that is missing is refused by whoever reads it. */
static bool look_at(struct ags_guard *g, int dir, size_t i, bool is_refused, struct ags_err *err)
{
	const char *path = g->sources[i];
	char name[2 * AGS_DIGEST_LEN + 1];
	struct ags_buf old = AGS_BUF_INIT;
	struct ags_err mine = AGS_ERR_INIT;
	struct stat st;
	bool ok = true;

	if (lstat(path, &st) != 0)
		return true;
	if (!make_record(g, i, &mine)) {
		ags_buf_clear(&g->found[i]);
		warn(g, "nothing is remembered of the source's file system", &mine);
	}
	if (!is_refused)
		return true;
	if (dir >= 0 && name_of(g, path, name)) {
		switch (ags_state_read(dir, name, &old, err)) {
		case AGS_DONE:
			ok = (ags_buf_u8(&old, '\0') || ags_fail_nomem(err)) &&
			     (strlen((char *)old.data) == ags_buf_len(&old) - 1 || damaged(name, err)) && compare(g, path, name, (char *)old.data, err);
			break;
		case AGS_FAILED:
			ok = false;
			break;
		case AGS_AGAIN:
			break;
		}
	}
	ags_buf_free(&old);
	return ok && refuse_empty(path, err);
}

static bool make_record(struct ags_guard *g, size_t i, struct ags_err *err)
{
	const char *path = g->sources[i];
	struct ags_buf *record = &g->found[i];
	struct ags_strings below;
	struct stat st;
	bool ok;

	record->max = AGS_MAX_STATE;
	ok = ags_buf_add(record, HEAD "\ngroup", strlen(HEAD "\ngroup")) && ags_state_add(record, g->wish->group) &&
	     ags_buf_add(record, "\npath", 5) && ags_state_add(record, path) && ags_buf_u8(record, '\n');
	if (!ok)
		return ags_fail_nomem(err);
	if (!add_mount(g, record, path, err))
		return false;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (!ags_mount_below(path, MAX_MOUNTS, &g->arena, &below, err))
			return false;
		for (size_t k = 0; k < below.count; k++)
			if (!ags_uploads_hold(below.items[k]) && !add_mount(g, record, below.items[k], err))
				return false;
	}
	return ags_buf_add(record, "end\n", 4) || ags_fail_nomem(err);
}

/* "mount PATH TYPE ID SOURCE AT INSIDE" */
static bool add_mount(struct ags_guard *g, struct ags_buf *record, const char *path, struct ags_err *err)
{
	struct ags_mount m;

	if (!ags_mount_find(path, &g->arena, &m, err))
		return false;
	return (ags_state_add(record, "mount") && ags_state_add(record, path) && ags_state_add(record, m.type) && ags_state_add(record, m.id) &&
	        ags_state_add(record, m.source) && ags_state_add(record, m.at) && ags_state_add(record, m.inside) && ags_buf_u8(record, '\n')) ||
	       ags_fail_nomem(err);
}

static bool compare(struct ags_guard *g, const char *path, const char *file, char *record, struct ags_err *err)
{
	bool has_head = false, has_group = false, has_path = false, has_end = false;

	for (char *line = record, *next; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next == NULL || has_end)
			return damaged(file, err);
		*next++ = '\0';
		if (line == record)
			has_head = strcmp(line, HEAD) == 0;
		else if (strncmp(line, "group ", 6) == 0)
			has_group = is_word(line + 6, g->wish->group);
		else if (strncmp(line, "path ", 5) == 0)
			has_path = is_word(line + 5, path);
		else if (strncmp(line, "mount ", 6) != 0)
			has_end = strcmp(line, "end") == 0;
		else if (!compare_line(g, file, line + 6, err))
			return false;
	}
	return (has_head && has_group && has_path && has_end) || damaged(file, err);
}

static bool is_word(char *line, const char *want)
{
	const char *word = ags_state_word(&line);

	return word != NULL && line == NULL && strcmp(word, want) == 0;
}

static bool compare_line(struct ags_guard *g, const char *file, char *line, struct ags_err *err)
{
	const char *path = ags_state_word(&line), *was, *is;
	struct ags_mount old = { .type = ags_state_word(&line) }, now;
	struct ags_err mine = AGS_ERR_INIT;

	old.id = ags_state_word(&line);
	old.source = ags_state_word(&line);
	old.at = ags_state_word(&line);
	old.inside = ags_state_word(&line);
	if (old.inside == NULL || line != NULL)
		return damaged(file, err);
	if (!ags_mount_find(path, &g->arena, &now, &mine))
		return true;                     /* told already, or the mount point is gone */
	if (ags_mount_is_same(&old, &now))
		return true;
	was = describe(g, &old);
	is = describe(g, &now);
	if (was == NULL || is == NULL)
		return ags_fail_nomem(err);
	ags_fail(err, AGS_LOCAL_IO, "%.120s is on %s, and at the last push to %.40s it was on %s: mount that, or if it was moved "
	         "push once without the guard (--no-guard)", path, is, g->wish->group, was);
	ags_err_set_path(err, path);
	return false;
}

static bool damaged(const char *file, struct ags_err *err)
{
	return ags_fail(err, AGS_LOCAL_IO, "the record of the last push, sources/%s in the state directory, is damaged: see that the source is whole, "
	                "and push once without the guard (--no-guard), or remove that file", file);
}

static bool refuse_empty(const char *path, struct ags_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	bool is_empty = dir != NULL;
	const struct dirent *e;

	while (is_empty && (errno = 0, e = readdir(dir)) != NULL)
		is_empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	is_empty = is_empty && errno == 0;
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	if (!is_empty)
		return true;
	ags_fail(err, AGS_LOCAL_IO, "%.300s is empty, and everything there would be deleted on the servers: fill or mount it, or if that is meant "
	         "push without the guard (--no-guard)", path);
	ags_err_set_path(err, path);
	return false;
}

/* What is as it was is not written again. */
static void remember(struct ags_guard *g)
{
	struct ags_err err = AGS_ERR_INIT;
	int dir = ags_state_open(g->wish->env, "sources", &err);
	char name[2 * AGS_DIGEST_LEN + 1];

	if (dir < 0)
		return;                          /* told at the beginning */
	for (size_t i = 0; i < g->wish->paths->count; i++) {
		struct ags_buf *record = &g->found[i], old = AGS_BUF_INIT;
		struct ags_err ignored = AGS_ERR_INIT;

		if (ags_buf_len(record) == 0 || !name_of(g, g->sources[i], name))
			continue;
		if (ags_state_read(dir, name, &old, &ignored) != AGS_DONE || ags_buf_len(&old) != ags_buf_len(record) ||
		    memcmp(ags_buf_bytes(&old), ags_buf_bytes(record), ags_buf_len(record)) != 0)
			ags_state_write(dir, name, record, &err);
		ags_buf_free(&old);
	}
	close(dir);
	if (err.code != AGS_OK)
		warn(g, "nothing is remembered of the source's file system", &err);
}

static bool name_of(const struct ags_guard *g, const char *path, char name[2 * AGS_DIGEST_LEN + 1])
{
	struct ags_buf key = AGS_BUF_INIT;
	uint8_t sum[32];
	bool ok = ags_buf_add(&key, g->wish->group, strlen(g->wish->group) + 1) && ags_buf_add(&key, path, strlen(path));

	if (ok)
		ags_sha256(ags_buf_bytes(&key), ags_buf_len(&key), sum);
	for (size_t i = 0; ok && i < AGS_DIGEST_LEN; i++)
		snprintf(name + 2 * i, 3, "%02x", sum[i]);
	ags_buf_free(&key);
	return ok;
}

/* Slashes at the end of a path make a difference only behind a symbolic link. */
static const char *source_of(struct ags_guard *g, size_t i)
{
	const char *given = g->wish->paths->items[i];
	size_t len = strlen(given), kept = len;
	struct stat st;
	char *path;

	while (kept > 1 && given[kept - 1] == '/')
		kept--;
	path = ags_arena_copy(&g->arena, given, len);
	if (path == NULL || kept == len)
		return path;
	path[kept] = '\0';
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		strcpy(path + kept, "/");
	return path;
}

/* "nfs 10.0.0.20:/srv/aegir mounted at /var/aegir" */
static const char *describe(struct ags_guard *g, const struct ags_mount *m)
{
	bool has_name = strcmp(m->id, m->source) != 0;

	return ags_arena_printf(&g->arena, "%.16s %.48s%s%.36s%s mounted at %.48s", m->type, m->source, has_name ? " (" : "", has_name ? m->id : "",
	                        has_name ? ")" : "", m->at);
}

static void warn(struct ags_guard *g, const char *what, const struct ags_err *err)
{
	const char *text = ags_arena_printf(&g->arena, "%s: %s", what, err->message);

	if (g->warnings == NULL)
		g->warnings = ags_arena_alloc(&g->arena, 2 * sizeof(*g->warnings));
	for (size_t i = 0; i < g->warning_count; i++)
		if (strncmp(g->warnings[i], what, strlen(what)) == 0)
			return;
	if (text != NULL && g->warnings != NULL && g->warning_count < 2)
		g->warnings[g->warning_count++] = text;
}

/* Behind what the report has. */
static void tell(struct ags_guard *g)
{
	struct ags_report *to = g->report;
	const char **all = g->warning_count > 0 ? ags_arena_alloc(&to->arena, (to->warning_count + g->warning_count) * sizeof(*all)) : NULL;

	if (all == NULL)
		return;
	for (size_t i = 0; i < to->warning_count; i++)
		all[i] = to->warnings[i];
	for (size_t i = 0; i < g->warning_count; i++) {
		const char *text = ags_arena_string(&to->arena, g->warnings[i]);

		if (text != NULL)
			all[to->warning_count++] = text;
	}
	to->warnings = all;
}
