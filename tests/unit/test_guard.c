#include "unit/check.h"
#include "unit/tree.h"
#include "base/loop.h"
#include "scale/guard.h"
#include "scale/mount.h"
#include "scale/state.h"
#include "scale/uploads.h"

#include <dirent.h>
#include <unistd.h>

static struct tree t;
static struct ags_topology *topology;
static struct ags_environment env;
static const struct ags_strings all;

static void begin(void)
{
	static char state[128];
	struct ags_problems problems = {0};
	struct ags_err err = AGS_ERR_INIT;

	tree_make(&t);
	tree_file(&t, "topology.yml", "version: 1\nservers: { a: { host: 10.0.0.1, timeout: 1 }, b: { host: 10.0.0.2, timeout: 1 }, c: { host: 10.0.0.1, root: /c } }\n"
	          "clusters: { one: { servers: [a, b] }, two: { servers: [b, c] } }\n");
	snprintf(state, sizeof(state), "%s/state", t.root);
	env = (struct ags_environment){ .state_home = state };
	topology = ags_topology_load(tree_path(&t, "topology.yml"), t.root, &problems, &err);
	if (problems.count > 0)
		printf("# %s\n", problems.items[0].message);
	CHECK(topology != NULL);
}

static void end(void)
{
	ags_topology_free(topology);
	tree_remove(&t);
}

static size_t count_in(const char *dir, const char *prefix)
{
	DIR *d = opendir(tree_path(&t, dir));
	const struct dirent *e;
	size_t n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0 && e->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

/* --- words and files */

static void test_words_come_back_as_they_were(void)
{
	static const char *const words[] = { "plain", "", "a b", "tab\there", "line\nfeed", "back\\slash", "\\040", "\x7f\x01", "\xc3\xa4\xff" };
	struct ags_buf line = AGS_BUF_INIT;
	char *text;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK(ags_state_add(&line, words[i]));
	CHECK(ags_buf_u8(&line, '\0'));
	text = (char *)line.data;
	CHECK(strchr(text, '\n') == NULL);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK_STR(ags_state_word(&text), words[i]);
	CHECK(ags_state_word(&text) == NULL);
	ags_buf_free(&line);
}

static void test_a_file_is_replaced_as_a_whole(void)
{
	struct ags_buf one = AGS_BUF_INIT, two = AGS_BUF_INIT, read = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	int dir;

	begin();
	dir = ags_state_open(&env, "sources", &err);
	CHECK(dir >= 0);
	ags_buf_add(&one, "one", 3);
	ags_buf_add(&two, "second", 6);
	CHECK_INT(ags_state_read(dir, "x", &read, &err), AGS_AGAIN);
	CHECK(ags_state_write(dir, "x", &one, &err) && ags_state_write(dir, "x", &two, &err));
	CHECK_INT(ags_state_read(dir, "x", &read, &err), AGS_DONE);
	CHECK(ags_buf_len(&read) == 6 && memcmp(ags_buf_bytes(&read), "second", 6) == 0);
	CHECK_INT(count_in("state/aegir_scale/sources", ""), 1);
	close(dir);
	ags_buf_free(&one);
	ags_buf_free(&two);
	ags_buf_free(&read);
	end();
}

static void test_a_directory_where_others_may_write_is_not_used(void)
{
	struct ags_err err = AGS_ERR_INIT;
	int dir;

	begin();
	dir = ags_state_open(&env, "runs", &err);
	close(dir);
	chmod(tree_path(&t, "state/aegir_scale"), 0770);
	CHECK_INT(ags_state_open(&env, "runs", &err), -1);
	CHECK(strstr(err.message, "others may write to ") != NULL);
	chmod(tree_path(&t, "state/aegir_scale"), 0700);
	rename(tree_path(&t, "state/aegir_scale"), tree_path(&t, "elsewhere"));
	CHECK_INT(symlink("../elsewhere", tree_path(&t, "state/aegir_scale")), 0);
	ags_err_clear(&err);
	CHECK_INT(ags_state_open(&env, "runs", &err), -1);
	end();
}

/* --- mounts */

static bool read_line(const char *text, unsigned long number, struct ags_mount *m, char **root)
{
	static char line[512];

	snprintf(line, sizeof(line), "%s", text);
	return ags_mount_read(line, number, m, root);
}

static void test_a_line_of_the_table_is_read(void)
{
	struct ags_mount m;
	char *root;

	CHECK(read_line("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue", 36, &m, &root));
	CHECK_STR(root, "/mnt1");
	CHECK_STR(m.at, "/mnt2");
	CHECK_STR(m.type, "ext3");
	CHECK_STR(m.source, "/dev/root");
	CHECK(read_line("40 35 0:50 / /var/a\\040b\\134c rw - nfs4 10.0.0.20:/srv/x rw", 40, &m, &root));
	CHECK_STR(m.at, "/var/a b\\c");
	CHECK_STR(m.type, "nfs");
	CHECK(!read_line("40 35 0:50 / / rw - tmpfs none rw", 4, &m, &root));
	CHECK(!read_line("40 35 0:50 / / rw - tmpfs", 40, &m, &root));
	CHECK(!read_line("40 35 0:50 / / rw tmpfs none rw", 40, &m, &root));
	CHECK(!read_line("40", 40, &m, &root));
	CHECK(!read_line("", 0, &m, &root));
}

static void test_where_a_path_lies_is_found(void)
{
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_mount proc, dir, file, link;

	begin();
	tree_file(&t, "d/f", "x");
	CHECK_INT(symlink("/proc", tree_path(&t, "link")), 0);
	CHECK(ags_mount_find("/proc/sys", &arena, &proc, &err));
	CHECK(ags_mount_find(tree_path(&t, "d"), &arena, &dir, &err));
	CHECK(ags_mount_find(tree_path(&t, "d/f"), &arena, &file, &err));
	CHECK(ags_mount_find(tree_path(&t, "link"), &arena, &link, &err));
	CHECK_STR(proc.type, "proc");
	CHECK_STR(link.at, dir.at);
	CHECK_STR(file.id, dir.id);
	CHECK(strcmp(file.inside + strlen(file.inside) - 2, "/f") == 0);
	CHECK(ags_mount_is_same(&dir, &file));
	CHECK(!ags_mount_is_same(&dir, &proc));
	CHECK(ags_mount_find(tree_path(&t, "link/"), &arena, &link, &err));
	CHECK_STR(link.type, "proc");
	CHECK(!ags_mount_find(tree_path(&t, "missing"), &arena, &link, &err));
	CHECK_INT(err.sys, ENOENT);
	ags_arena_free(&arena);
	end();
}

static void test_what_is_a_move(void)
{
	const struct ags_mount was = { "nfs", "nas:/x", "nas:/x", "/var/aegir", "/shop" };
	const struct { struct ags_mount is; bool same; } cases[] = {
		{ { "nfs", "nas:/x", "nas:/x", "/var/aegir", "/shop" }, true },
		{ { "nfs", "nas:/x", "nas:/x", "/var/aegir", "/releases/2/shop" }, true },     /* a symbolic link on the way */
		{ { "nfs", "nas:/x", "nas:/x", "/var/aegir/shop", "/shop" }, true },           /* bound once more, for a service */
		{ { "nfs", "nas:/x", "nas:/x", "/mnt", "/other" }, false },                    /* what was bound there is not */
		{ { "nfs", "standby:/x", "standby:/x", "/var/aegir", "/shop" }, false },
		{ { "ext4", "nas:/x", "nas:/x", "/var/aegir", "/shop" }, false },
		{ { "ext4", "0123", "/dev/sda1", "/", "/var/aegir/shop" }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_INT(ags_mount_is_same(&was, &cases[i].is), cases[i].same);
}

static void test_uploads_are_known_by_their_path(void)
{
	CHECK(ags_uploads_hold("/p/sites/default/files"));
	CHECK(ags_uploads_hold("/p/sites/x/private/a"));
	CHECK(!ags_uploads_hold("/p/sites/default"));
	CHECK(!ags_uploads_hold("/p/sites"));
	CHECK(!ags_uploads_hold("/p/modules/files"));
}

/* --- locks */

struct watcher {
	unsigned asked, told, stop_after;
	struct ags_lock *release;            /* when it was asked that often */
};

static bool keep_going(void *arg)
{
	struct watcher *w = arg;

	if (++w->asked < w->stop_after)
		return true;
	if (w->release != NULL)
		ags_lock_release(w->release);
	return w->release != NULL;
}

static bool progress(void *arg, const struct ags_progress *p)
{
	struct watcher *w = arg;

	w->told++;
	return p->phase == AGS_PHASE_CONNECT;
}

static enum ags_step take(struct ags_lock *lock, const char *group, const char *path, struct watcher *w, struct ags_err *err)
{
	const struct ags_strings paths = { &path, 1 };
	const struct ags_host host = { w, keep_going, progress };
	const struct ags_lock_wish wish = {
		.env = &env, .topology = topology, .group = group, .only = &all, .paths = &paths, .timeout = 1, .host = w != NULL ? &host : NULL,
	};

	*lock = (struct ags_lock)AGS_LOCK_INIT;
	return ags_lock_take(lock, &wish, err);
}

static void test_one_server_and_one_path_in_common_are_in_the_way(void)
{
	static const struct { const char *group, *path; bool is_free; } others[] = {
		{ "one", "/a/b", false }, { "one", "/a", false }, { "one", "/a/b/c", false }, { "one", "/a//./b/", false }, { "one", "/", false },
		{ "two", "/a/b", false }, { "b", "/a/b/x", false }, { "one", "/a/bc", true }, { "one", "/a/c", true }, { "c", "/a/b", true },
	};
	struct ags_lock first, second;
	struct ags_err err = AGS_ERR_INIT;
	char who[64];

	begin();
	snprintf(who, sizeof(who), "process %d has been at work on /a/b on the same servers since 20", (int)getpid());
	CHECK_INT(take(&first, "one", "/a/b", NULL, &err), AGS_DONE);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ags_err_clear(&err);
		CHECK_INT(take(&second, others[i].group, others[i].path, NULL, &err), others[i].is_free ? AGS_DONE : AGS_FAILED);
		CHECK_INT(err.code, others[i].is_free ? AGS_OK : AGS_TIMEOUT);
		CHECK(others[i].is_free || strncmp(err.message, who, strlen(who)) == 0);
		ags_lock_release(&second);
	}
	CHECK_INT(count_in("state/aegir_scale/runs", "run."), 1);
	ags_lock_release(&first);
	ags_lock_release(&first);
	CHECK_INT(count_in("state/aegir_scale/runs", "run."), 0);
	ags_err_clear(&err);
	CHECK_INT(take(&second, "one", "/a/b", NULL, &err), AGS_DONE);
	ags_lock_release(&second);
	end();
}

static void test_who_waits_asks_the_host_and_goes_on_when_it_is_free(void)
{
	struct ags_lock first, second;
	struct watcher w = { .stop_after = 4, .release = &first };
	struct ags_err err = AGS_ERR_INIT;

	begin();
	CHECK_INT(take(&first, "one", "/a", NULL, &err), AGS_DONE);
	CHECK_INT(take(&second, "one", "/a", &w, &err), AGS_DONE);
	CHECK(w.asked >= 4 && w.told >= 2);
	CHECK_INT(err.code, AGS_OK);
	w = (struct watcher){ .stop_after = 2 };
	CHECK_INT(take(&first, "one", "/a", &w, &err), AGS_FAILED);
	CHECK_INT(err.code, AGS_CANCELLED);
	CHECK_INT(count_in("state/aegir_scale/runs", "run."), 1);
	ags_lock_release(&second);
	end();
}

static void test_what_a_dead_process_left_is_removed(void)
{
	struct ags_lock lock;
	struct ags_err err = AGS_ERR_INIT;
	int status;
	pid_t pid;

	begin();
	pid = fork();
	if (pid == 0)
		_exit(take(&lock, "one", "/a", NULL, &err) == AGS_DONE ? 0 : 1);
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_INT(count_in("state/aegir_scale/runs", "run."), 1);
	CHECK_INT(take(&lock, "one", "/a", NULL, &err), AGS_DONE);
	CHECK_INT(count_in("state/aegir_scale/runs", "run."), 1);
	ags_lock_release(&lock);
	end();
}

static void test_a_forked_child_leaves_its_parents_lock_alone(void)
{
	struct ags_lock first, second;
	struct ags_err err = AGS_ERR_INIT;
	pid_t pid;

	begin();
	CHECK_INT(take(&first, "one", "/a", NULL, &err), AGS_DONE);
	pid = fork();
	if (pid == 0) {
		ags_lock_release(&first);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	CHECK_INT(take(&second, "one", "/a", NULL, &err), AGS_FAILED);
	CHECK_INT(err.code, AGS_TIMEOUT);
	ags_lock_release(&first);
	end();
}

static void test_nowhere_to_keep_a_lock_is_no_failure_of_the_call(void)
{
	struct ags_lock lock;
	struct ags_err err = AGS_ERR_INIT;

	begin();
	env.state_home = "/dev/null";
	CHECK_INT(take(&lock, "one", "/a", NULL, &err), AGS_AGAIN);
	CHECK_INT(err.code, AGS_LOCAL_IO);
	ags_lock_release(&lock);
	ags_err_clear(&err);
	CHECK_INT(take(&lock, "none", "/a", NULL, &err), AGS_FAILED);
	CHECK_INT(err.code, AGS_CONFIG);
	end();
}

/* --- all of it */

static bool guarded(const char *path, unsigned what, bool ok, char *message)
{
	const struct ags_strings paths = { &path, 1 };
	const struct ags_lock_wish wish = { .env = &env, .topology = topology, .group = "one", .only = &all, .paths = &paths };
	struct ags_report report = AGS_REPORT_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_guard guard;
	bool began = ags_guard_begin(&guard, &wish, what, &report, &err);

	report.ok = ok;
	ags_guard_end(&guard);
	CHECK_INT(report.warning_count, 0);
	snprintf(message, sizeof(err.message), "%s", err.message);
	ags_report_free(&report);
	return began;
}

static void test_a_source_that_was_elsewhere_is_refused(void)
{
	const unsigned push = AGS_GUARD_LOCK | AGS_GUARD_SOURCE, checked = push | AGS_GUARD_REFUSE;
	char link[PATH_MAX], message[512];

	begin();
	tree_file(&t, "d/sys/x", "1");
	snprintf(link, sizeof(link), "%s/link", t.root);
	CHECK_INT(symlink("/proc", link), 0);
	strcat(link, "/sys");
	CHECK(guarded(link, checked, false, message));
	CHECK_INT(count_in("state/aegir_scale/sources", ""), 0);
	CHECK(guarded(link, checked, true, message));
	CHECK_INT(count_in("state/aegir_scale/sources", ""), 1);
	unlink(tree_path(&t, "link"));
	CHECK_INT(symlink("d", tree_path(&t, "link")), 0);
	CHECK(!guarded(link, checked, true, message));
	CHECK(strstr(message, "at the last push to one it was on proc proc mounted at /proc: mount that") != NULL);
	CHECK(!guarded(link, AGS_GUARD_SOURCE | AGS_GUARD_REFUSE, true, message));
	CHECK(guarded(link, push, false, message));
	CHECK(!guarded(link, checked, true, message));
	CHECK(guarded(link, push, true, message));
	CHECK(guarded(link, checked, true, message));
	CHECK(guarded(link, 0, true, message));
	end();
}

int main(void)
{
	RUN(test_words_come_back_as_they_were);
	RUN(test_a_file_is_replaced_as_a_whole);
	RUN(test_a_directory_where_others_may_write_is_not_used);
	RUN(test_a_line_of_the_table_is_read);
	RUN(test_where_a_path_lies_is_found);
	RUN(test_what_is_a_move);
	RUN(test_uploads_are_known_by_their_path);
	RUN(test_one_server_and_one_path_in_common_are_in_the_way);
	RUN(test_who_waits_asks_the_host_and_goes_on_when_it_is_free);
	RUN(test_what_a_dead_process_left_is_removed);
	RUN(test_a_forked_child_leaves_its_parents_lock_alone);
	RUN(test_nowhere_to_keep_a_lock_is_no_failure_of_the_call);
	RUN(test_a_source_that_was_elsewhere_is_refused);
	return check_result();
}
