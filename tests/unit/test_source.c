#include "unit/check.h"
#include "unit/tree.h"
#include "base/limits.h"
#include "rsync/scan.h"
#include "rsync/source.h"

#include <dirent.h>
#include <time.h>

static struct tree t;
static struct ags_filelist list;
static struct ags_source *source;
static struct ags_err err;

/* Scans what the test has put below the tree. */
static void begin(const char *path, bool relative)
{
	struct ags_scan_options options = { .relative = relative };
	const char *paths[] = { tree_path(&t, path) };

	list = (struct ags_filelist)AGS_FILELIST_INIT;
	err = (struct ags_err)AGS_ERR_INIT;
	CHECK(ags_scan(paths, 1, &options, &list, &err));
	source = ags_source_new(&list);
}

static void end(void)
{
	ags_source_free(source);
	ags_filelist_free(&list);
	tree_remove(&t);
}

static uint32_t find(const char *name)
{
	for (uint32_t i = 0; i < list.count; i++)
		if (strcmp(list.entries[i].name, name) == 0)
			return i;
	CHECK(!"there is such an entry");
	return 0;
}

static const char *content(uint32_t ndx)
{
	static char text[256];
	struct stat st;
	int fd;
	ssize_t n;

	ags_err_clear(&err);
	fd = ags_source_open(source, ndx, &st, &err);
	if (fd < 0)
		return "";
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n == st.st_size);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

static void refused(const char *name, int sys, const char *path)
{
	struct stat st;

	ags_err_clear(&err);
	CHECK_INT(ags_source_open(source, find(name), &st, &err), -1);
	CHECK_INT(err.code, AGS_LOCAL_IO);
	CHECK_INT(err.sys, sys);
	CHECK_STR(err.path, path);
}

static void test_files_open_below_every_kind_of_pushed_path(void)
{
	static const struct { const char *path; bool relative; } cases[] = { { "d", false }, { "d/", false }, { "d", true }, { "l/", true }, { "d/e/x", true },
	                                                                     { "d/e/x", false }, { "l/e", true } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tree_make(&t);
		tree_file(&t, "d/e/x", "in x");
		CHECK_INT(symlink("d", tree_path(&t, "l")), 0);
		begin(cases[i].path, cases[i].relative);
		CHECK_STR(content(find("x")), "in x");
		end();
	}
}

static void test_files_open_in_any_order_and_leave_no_descriptor(void)
{
	unsigned seed = (unsigned)time(NULL);
	char paths[60][64], text[64];
	int before = check_descriptors();

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	tree_make(&t);
	for (int i = 0; i < 60; i++) {
		int depth = (int)(random() % 6);

		strcpy(paths[i], "s");
		while (depth-- > 0)
			sprintf(paths[i] + strlen(paths[i]), "/d%ld", random() % 3);
		sprintf(text, "f%d", i);
		sprintf(paths[i] + strlen(paths[i]), "/%s", text);
		tree_file(&t, paths[i], text);
	}
	begin("s", true);
	for (int i = 0; i < 600; i++) {
		uint32_t ndx = i < 300 ? (uint32_t)i % list.count : (uint32_t)random() % list.count;

		if (S_ISREG(list.entries[ndx].mode))
			CHECK_STR(content(ndx), list.entries[ndx].name);
	}
	end();
	CHECK_INT(check_descriptors(), before);
}

static void test_a_file_that_is_gone_is_named(void)
{
	char want[128];

	tree_make(&t);
	tree_file(&t, "s/d/x", "");
	tree_file(&t, "s/e/y", "");
	snprintf(want, sizeof(want), "%s/s/d/x", t.root);
	begin("s/", false);
	unlink(want);
	refused("x", ENOENT, want);
	snprintf(want, sizeof(want), "%s/s/e", t.root);
	unlink(tree_path(&t, "s/e/y"));
	rmdir(want);
	refused("y", ENOENT, want);
	end();
}

static void test_symlinks_put_in_place_are_not_followed(void)
{
	char want[128];

	tree_make(&t);
	tree_file(&t, "s/d/x", "");
	tree_file(&t, "s/y", "");
	tree_file(&t, "secret/x", "secret");
	begin("s", true);
	rename(tree_path(&t, "s/d"), tree_path(&t, "moved"));
	CHECK_INT(symlink("../secret", tree_path(&t, "s/d")), 0);
	snprintf(want, sizeof(want), "%s/s/d", t.root);
	refused("x", ENOTDIR, want);
	unlink(tree_path(&t, "s/y"));
	CHECK_INT(symlink("../secret/x", tree_path(&t, "s/y")), 0);
	snprintf(want, sizeof(want), "%s/s/y", t.root);
	refused("y", ELOOP, want);
	rename(tree_path(&t, "s"), tree_path(&t, "moved-too"));
	CHECK_INT(symlink("secret", tree_path(&t, "s")), 0);
	ags_source_free(source);
	source = ags_source_new(&list);
	snprintf(want, sizeof(want), "%s/s", t.root);
	refused("y", ENOTDIR, want);
	end();
}

static void test_what_is_no_regular_file_any_more_is_refused_without_waiting(void)
{
	char want[128];

	tree_make(&t);
	tree_file(&t, "s/x", "");
	tree_file(&t, "s/y", "");
	begin("s", false);
	snprintf(want, sizeof(want), "%s/s/x", t.root);
	unlink(want);
	CHECK_INT(mkfifo(want, 0600), 0);
	alarm(10);
	refused("x", EINVAL, want);
	alarm(0);
	snprintf(want, sizeof(want), "%s/s/y", t.root);
	unlink(want);
	mkdir(want, 0700);
	refused("y", EINVAL, want);
	end();
}

static void test_after_a_failure_the_next_file_opens(void)
{
	tree_make(&t);
	tree_file(&t, "s/a/b/x", "");
	tree_file(&t, "s/a/c/y", "in y");
	begin("s", false);
	unlink(tree_path(&t, "s/a/b/x"));
	rmdir(tree_path(&t, "s/a/b"));
	CHECK_STR(content(find("x")), "");
	CHECK_INT(err.sys, ENOENT);
	CHECK_STR(content(find("y")), "in y");
	end();
}

static void test_a_file_that_changed_is_not_the_same(void)
{
	struct stat before, after;
	struct timespec times[2] = { { 1700000000, 1 }, { 1700000000, 1 } };

	tree_make(&t);
	tree_file(&t, "x", "1");
	utimensat(AT_FDCWD, tree_path(&t, "x"), times, 0);
	CHECK_INT(stat(tree_path(&t, "x"), &before), 0);
	CHECK_INT(stat(tree_path(&t, "x"), &after), 0);
	CHECK(ags_source_same(&before, &after));
	times[1].tv_nsec = 2;
	utimensat(AT_FDCWD, tree_path(&t, "x"), times, 0);
	CHECK_INT(stat(tree_path(&t, "x"), &after), 0);
	CHECK(!ags_source_same(&before, &after));
	after = before;
	after.st_size++;
	CHECK(!ags_source_same(&before, &after));
	after = before;
	after.st_ino++;
	CHECK(!ags_source_same(&before, &after));
	after = before;
	after.st_ctim.tv_nsec++;
	CHECK(!ags_source_same(&before, &after));
	tree_remove(&t);
}

int main(void)
{
	RUN(test_files_open_below_every_kind_of_pushed_path);
	RUN(test_files_open_in_any_order_and_leave_no_descriptor);
	RUN(test_a_file_that_is_gone_is_named);
	RUN(test_symlinks_put_in_place_are_not_followed);
	RUN(test_what_is_no_regular_file_any_more_is_refused_without_waiting);
	RUN(test_after_a_failure_the_next_file_opens);
	RUN(test_a_file_that_changed_is_not_the_same);
	return check_result();
}
