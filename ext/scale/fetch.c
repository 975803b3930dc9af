#include "scale/fetch.h"
#include "base/limits.h"
#include "base/loop.h"
#include "scale/fetch_private.h"
#include "scale/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS      50              /* between two looks at who has exited */
#define STAGE        ".aegir-fetch." /* and a number of its own, with so many digits */
#define STAGE_DIGITS 16
#define STAGE_FLAGS  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct fetch {
	struct ags_fanout fanout;
	const struct ags_sync_options *options;
	struct ags_bridge *bridges;
	const char *made;                /* the path itself, when it was not there */
	const char *stage;               /* of the path that is fetched now; NULL: none was made */
	int stage_fd;                    /* which is locked as long as we live; -1: none */
};

static bool fetch_path(struct fetch *f, const struct ags_environment *env, const struct ags_topology *t, const char *group,
                       const char *path, const struct ags_host *host, struct ags_report *report, struct ags_err *err);
static bool who_has_it(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                       const struct ags_sync_options *o, const struct ags_host *host, struct ags_report *report, struct ags_strings *having,
                       struct ags_err *err);
static bool make_stage(struct fetch *f, const char *path, struct ags_report *report, struct ags_err *err);
static enum ags_step take_stage(struct fetch *f, const char *where, struct ags_arena *arena, struct ags_err *err);
static void remove_left_stages(const char *where);
static bool is_stage(const char *name);
static bool start(struct fetch *f, const char *path, struct ags_err *err);
static void stop(struct fetch *f);
static bool merge(struct fetch *f, const char *path, struct ags_report *report, struct ags_err *err);
static bool gather(struct ags_report *all, struct ags_report *one, struct ags_err *err);
static void add_result(struct ags_server_result *to, const struct ags_server_result *r, struct ags_arena *arena);
static void add_changes(struct ags_server_result *to, const struct ags_server_result *r, struct ags_arena *arena);
static char *without_slash(const char *path, struct ags_arena *arena);

bool ags_fetch(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *paths,
               const struct ags_sync_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	const struct ags_lock_wish wish = {
		.env = env, .topology = t, .group = group, .only = &options->servers, .paths = paths, .writes_here = true,
		.timeout = options->timeout, .host = host,
	};
	struct ags_guard guard = AGS_GUARD_INIT;
	int64_t began = ags_now_ms();
	bool ok = (paths->count > 0 || ags_fail(err, AGS_USAGE, "no path is given, want at least one")) &&
	          ags_guard_begin(&guard, &wish, AGS_GUARD_LOCK, report, err);

	for (size_t i = 0; ok && i < paths->count; i++) {
		struct fetch f = { .options = options, .stage_fd = -1 };
		struct ags_report one = { .arena = report->arena };
		const char *path = without_slash(paths->items[i], &one.arena);

		ok = path != NULL ? fetch_path(&f, env, t, group, path, host, &one, err) : ags_fail_nomem(err);
		free(f.bridges);
		ags_fanout_fini(&f.fanout);
		report->arena = one.arena;
		ok = gather(report, &one, err) && ok;
	}
	report->ok = ok;
	for (size_t i = 0; i < report->count; i++) {
		struct ags_server_result *r = &report->servers[i];

		if (r->outcome == AGS_OUTCOME_SYNCED && r->files == 0)
			r->outcome = AGS_OUTCOME_UNCHANGED;
		report->ok = report->ok && (r->outcome == AGS_OUTCOME_SYNCED || r->outcome == AGS_OUTCOME_UNCHANGED);
		report->committed = report->committed || r->files > 0;
	}
	report->seconds = (double)(ags_now_ms() - began) / 1000;
	ags_guard_end(&guard);
	return ok;
}

static bool fetch_path(struct fetch *f, const struct ags_environment *env, const struct ags_topology *t, const char *group,
                       const char *path, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	const struct ags_sync_options *o = f->options;
	struct ags_strings having = { NULL, 0 };
	struct ags_report some = AGS_REPORT_INIT;
	int64_t looked = ags_now_ms();
	bool ok;

	if (!who_has_it(env, t, group, path, o, host, report, &having, err))
		return false;
	if (having.count == 0)
		return true;
	some.arena = report->arena;
	ok = ags_fanout_init(&f->fanout, env, t, group, &having, host, &some, err) && make_stage(f, path, &some, err);
	ags_pool_set_handshakes(env->pool, o->parallel);
	f->fanout.step = ags_bridge_step;
	f->fanout.connect_timeout = o->connect_timeout;
	f->fanout.timeout = o->timeout;
	ok = ok && start(f, path, err);
	while (ok && f->fanout.left > 0) {
		ok = ags_fanout_turn(&f->fanout, LOOK_MS, err);
		for (size_t i = 0; i < f->fanout.count && ags_now_ms() - looked >= LOOK_MS; i++)
			ags_member_wake(&f->fanout.members[i]);
		if (ags_now_ms() - looked >= LOOK_MS)
			looked = ags_now_ms();
	}
	stop(f);
	ok = ok && merge(f, path, &some, err);
	report->arena = some.arena;
	report->files = some.files;
	report->bytes = some.bytes;
	report->warnings = some.warnings;
	report->warning_count = some.warning_count;
	for (size_t i = 0; i < some.count; i++)
		for (size_t j = 0; j < report->count; j++)
			if (strcmp(report->servers[j].server, some.servers[i].server) == 0)
				report->servers[j] = some.servers[i];
	if (f->stage != NULL)
		ags_merge_remove(f->stage);
	if (f->stage_fd >= 0)
		close(f->stage_fd);
	if (f->made != NULL)
		rmdir(f->made);                    /* nothing came */
	return ok;
}

/* Others have nothing to bring, and are well. */
static bool who_has_it(const struct ags_environment *env, const struct ags_topology *t, const char *group, const char *path,
                       const struct ags_sync_options *o, const struct ags_host *host, struct ags_report *report, struct ags_strings *having,
                       struct ags_err *err)
{
	const char *words[] = { "sh", "-c", "if [ -d \"$2$1\" ]; then echo yes; else echo no; fi", "sh", path };
	const struct ags_strings argv = { words, sizeof(words) / sizeof(words[0]) };
	const struct ags_host quiet = { .arg = host != NULL ? host->arg : NULL, .keep_going = host != NULL ? host->keep_going : NULL };
	const struct ags_run_options run = {
		.parallel = o->parallel, .connect_timeout = o->connect_timeout, .timeout = o->timeout, .with_root = true, .servers = o->servers,
	};

	if (!ags_run(env, t, group, &argv, &run, &quiet, report, err))
		return false;
	having->items = ags_arena_alloc(&report->arena, report->count * sizeof(*having->items));
	if (having->items == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < report->count; i++) {
		struct ags_server_result *r = &report->servers[i];

		if (r->outcome == AGS_OUTCOME_SYNCED && r->out_len == 4 && memcmp(r->out, "yes\n", 4) == 0)
			having->items[having->count++] = r->server;
		else if (r->outcome == AGS_OUTCOME_SYNCED && (r->out_len != 3 || memcmp(r->out, "no\n", 3) != 0)) {
			r->outcome = AGS_OUTCOME_FAILED;
			r->error = "did not say whether it has the directory; a shell's start-up files must print nothing when it is not interactive";
		}
	}
	return true;
}

/* Beside the directory if that is the same file system, else in it, so that files can be renamed into place. */
static bool make_stage(struct fetch *f, const char *path, struct ags_report *report, struct ags_err *err)
{
	char *parent = ags_arena_string(&report->arena, path);
	struct stat above, st;
	const char *where;
	enum ags_step step;

	if (parent == NULL)
		return ags_fail_nomem(err);
	if (path[0] == '\0')
		return ags_fail(err, AGS_USAGE, "path is /, want a directory that holds uploads");
	*strrchr(parent, '/') = '\0';
	if (stat(parent[0] != '\0' ? parent : "/", &above) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, parent, "cannot find the directory above");
	f->made = mkdir(path, 0755) == 0 ? path : NULL;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return ags_fail(err, AGS_USAGE, "%s is no directory here, want one, or nothing", path);
	where = st.st_dev == above.st_dev ? parent : path;
	remove_left_stages(where);
	while ((step = take_stage(f, where, &report->arena, err)) == AGS_AGAIN)
		continue;
	return step == AGS_DONE;
}

/* AGS_AGAIN: somebody took it for one that was left, before it was locked. Where nothing can be locked nothing is taken for that. */
static enum ags_step take_stage(struct fetch *f, const char *where, struct ags_arena *arena, struct ags_err *err)
{
	const char *stage;
	struct stat st;
	uint64_t nonce;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return ags_fail_sys(err, AGS_LOCAL_IO, NULL, "cannot get random bytes"), AGS_FAILED;
	stage = ags_arena_printf(arena, "%s/" STAGE "%0*llx", where, STAGE_DIGITS, (unsigned long long)nonce);
	if (stage == NULL)
		return ags_fail_nomem(err), AGS_FAILED;
	if (mkdir(stage, 0700) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, stage, "cannot make directory"), AGS_FAILED;
	f->stage = stage;
	f->stage_fd = open(stage, STAGE_FLAGS);
	if (f->stage_fd < 0)
		return errno == ENOENT ? AGS_AGAIN : (ags_fail_sys(err, AGS_LOCAL_IO, stage, "cannot open directory"), AGS_FAILED);
	if ((flock(f->stage_fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(f->stage_fd, &st) == 0 && st.st_nlink > 0)
		return AGS_DONE;
	close(f->stage_fd);
	f->stage_fd = -1;
	return AGS_AGAIN;
}

/* Of calls that were killed: the kernel has unlocked them. */
static void remove_left_stages(const char *where)
{
	DIR *dir = opendir(where[0] != '\0' ? where : "/");
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char path[AGS_MAX_PATH];
		int fd, n = snprintf(path, sizeof(path), "%s/%s", where, e->d_name);

		if (!is_stage(e->d_name) || n >= (int)sizeof(path))
			continue;
		fd = open(path, STAGE_FLAGS);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			ags_merge_remove(path);
		if (fd >= 0)
			close(fd);
	}
	if (dir != NULL)
		closedir(dir);
}

static bool is_stage(const char *name)
{
	size_t len = strlen(STAGE);

	return strncmp(name, STAGE, len) == 0 && strlen(name + len) == STAGE_DIGITS && strspn(name + len, "0123456789abcdef") == STAGE_DIGITS;
}

static bool start(struct fetch *f, const char *path, struct ags_err *err)
{
	f->bridges = calloc(f->fanout.count, sizeof(*f->bridges));
	if (f->bridges == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < f->fanout.count; i++)
		f->bridges[i].sock = f->bridges[i].errors = -1;
	for (size_t i = 0; i < f->fanout.count; i++) {
		struct ags_member *m = &f->fanout.members[i];
		const char *stage = ags_arena_printf(&f->fanout.report->arena, "%s/%s", f->stage, m->server->name);
		struct ags_err mine = AGS_ERR_INIT;

		if (stage == NULL)
			return ags_fail_nomem(err);
		if (!ags_bridge_start(&f->bridges[i], m, path, stage, f->options, &mine))
			ags_member_fail(m, &mine);
	}
	return true;
}

static void stop(struct fetch *f)
{
	for (size_t i = 0; i < f->fanout.count && f->bridges != NULL; i++) {
		struct ags_member *m = &f->fanout.members[i];

		if (!m->is_over && m->channel == NULL)
			ags_member_end(m, AGS_OUTCOME_SKIPPED);
		else if (!m->is_over)
			ags_member_fail_text(m, AGS_OUTCOME_FAILED, "the call was stopped; nothing was brought from it");
		ags_bridge_stop(&f->bridges[i]);
	}
}

static bool merge(struct fetch *f, const char *path, struct ags_report *report, struct ags_err *err)
{
	struct ags_merge m = { .path = path, .stage = f->stage, .report = report, .itemize = f->options->itemize };

	m.servers = ags_arena_alloc(&report->arena, f->fanout.count * sizeof(*m.servers));
	if (m.servers == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < f->fanout.count; i++)
		if (f->fanout.members[i].result->outcome == AGS_OUTCOME_SYNCED)
			m.servers[m.count++] = f->fanout.members[i].result;
	return ags_merge_run(&m, err);
}

/* The report of one path into that of all. */
static bool gather(struct ags_report *all, struct ags_report *one, struct ags_err *err)
{
	all->files += one->files;
	all->bytes += one->bytes;
	for (size_t i = 0; i < one->warning_count; i++)
		if (!ags_fetch_warn(all, "%s", one->warnings[i]))
			return ags_fail_nomem(err);
	if (all->count == 0) {
		all->servers = one->servers;
		all->count = one->count;
		return true;
	}
	for (size_t i = 0; i < all->count && i < one->count; i++)
		add_result(&all->servers[i], &one->servers[i], &all->arena);
	return true;
}

static void add_result(struct ags_server_result *to, const struct ags_server_result *r, struct ags_arena *arena)
{
	to->files += r->files;
	to->bytes_sent += r->bytes_sent;
	to->seconds += r->seconds;
	to->phase = r->phase;
	if (to->error == NULL) {
		to->error = r->error;
		to->path = r->path;
	}
	if (to->outcome == AGS_OUTCOME_SYNCED)
		to->outcome = r->outcome;
	add_changes(to, r, arena);
}

/* Those that find no room are left out. */
static void add_changes(struct ags_server_result *to, const struct ags_server_result *r, struct ags_arena *arena)
{
	struct ags_change *all = ags_arena_alloc(arena, (to->change_count + r->change_count + 1) * sizeof(*all));

	if (all == NULL || to->change_count + r->change_count > AGS_MAX_CHANGES)
		return;
	if (to->change_count > 0)
		memcpy(all, to->changes, to->change_count * sizeof(*all));
	if (r->change_count > 0)
		memcpy(all + to->change_count, r->changes, r->change_count * sizeof(*all));
	to->changes = all;
	to->change_count += r->change_count;
	to->change_capacity = to->change_count;
}

static char *without_slash(const char *path, struct ags_arena *arena)
{
	char *copy = ags_arena_string(arena, path);
	size_t len = strlen(path);

	while (copy != NULL && len > 0 && copy[len - 1] == '/')
		copy[--len] = '\0';
	return copy;
}
