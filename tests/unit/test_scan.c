#include "unit/check.h"
#include "unit/tree.h"
#include "base/limits.h"
#include "rsync/scan.h"
#include "rsync/scan_links.h"
#include "rsync/source.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static struct tree t;
static struct ags_filelist list;
static struct ags_err err;
static struct ags_scan_options options;

static void begin(void)
{
	tree_make(&t);
	list = (struct ags_filelist)AGS_FILELIST_INIT;
	err = (struct ags_err)AGS_ERR_INIT;
	options = (struct ags_scan_options){ .relative = false };
}

static void end(void)
{
	ags_filelist_free(&list);
	tree_remove(&t);
}

/* Up to three paths of the tree. */
static bool scan(const char *a, const char *b, const char *c)
{
	const char *paths[3] = { tree_path(&t, a), b != NULL ? tree_path(&t, b) : NULL, c != NULL ? tree_path(&t, c) : NULL };

	return ags_scan(paths, c != NULL ? 3 : b != NULL ? 2 : 1, &options, &list, &err);
}

/* All paths, with T or I behind those that have the flag, from the tree's own name on. */
static const char *listed(void)
{
	static char text[4096];
	char path[AGS_MAX_PATH], *begin_at, *in_tree = t.root + 1;
	size_t used = 0, root = strlen(in_tree);

	text[0] = '\0';
	for (uint32_t i = 0; i < list.count; i++) {
		unsigned flags = list.entries[i].flags;

		ags_filelist_path(&list, i, path);
		begin_at = strncmp(path, in_tree, root) == 0 ? path + root : path;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s", used > 0 ? " " : "", begin_at, flags & AGS_ENTRY_TOP ? "=T" : "",
		                         flags & AGS_ENTRY_IMPLIED ? "=I" : "");
	}
	return text;
}

static void test_files_come_before_directories(void)
{
	begin();
	tree_file(&t, "s/foo/x", "");
	tree_file(&t, "s/foo.bar/y", "");
	tree_file(&t, "s/foo0", "");
	tree_file(&t, "s/z", "");
	tree_dir(&t, "s/a");
	CHECK(scan("s/", NULL, NULL));
	CHECK_STR(listed(), ".=T foo0 z a foo.bar foo.bar/y foo foo/x");
	end();
}

static void test_a_path_gives_its_last_component(void)
{
	begin();
	tree_file(&t, "a/b/c", "");
	tree_file(&t, "a/x", "");
	CHECK(scan("a/b", "a/x", NULL));
	CHECK_STR(listed(), "x=T b=T b/c");
	CHECK_STR(list.entries[1].text, tree_path(&t, "a/b"));
	end();
}

static void test_whole_paths_bring_their_parents(void)
{
	begin();
	options.relative = true;
	tree_file(&t, "a/b/c", "");
	tree_file(&t, "a/y/z", "");
	tree_file(&t, "f", "");
	CHECK(scan("a/b", "f", "a/y/z"));
	CHECK_STR(listed(), "tmp=I =I /f=T /a=I /a/b=T /a/b/c /a/y=I /a/y/z=T");
	CHECK_STR(list.entries[2].name, "f");
	CHECK_STR(list.entries[2].text, tree_path(&t, "f"));
	CHECK_INT(list.entries[2].parent, 1);
	end();
}

static void test_doubles_and_paths_below_another_are_merged(void)
{
	begin();
	options.relative = true;
	tree_file(&t, "a/b/c", "");
	tree_file(&t, "a.b/c", "");
	CHECK(scan("a/b", "a", "a"));
	CHECK_STR(listed(), "tmp=I =I /a=T /a/b /a/b/c");
	ags_filelist_free(&list);
	CHECK(scan("a/b/c", "a.b", "a"));
	CHECK_STR(listed(), "tmp=I =I /a.b=T /a.b/c /a=T /a/b /a/b/c");
	end();
}

static void test_two_sources_of_one_name_are_refused(void)
{
	begin();
	tree_file(&t, "a/x/1", "");
	tree_file(&t, "b/x/2", "");
	CHECK(!scan("a/x", "b/x", NULL));
	CHECK_INT(err.code, AGS_USAGE);
	CHECK(strstr(err.message, "/a/x and ") != NULL && strstr(err.message, "/b/x would both be sent as \"x\"") != NULL);
	end();
}

static void test_a_path_below_a_pushed_symlink_is_refused(void)
{
	begin();
	options.relative = true;
	tree_file(&t, "a/x", "");
	CHECK_INT(symlink("a", tree_path(&t, "l")), 0);
	CHECK(!scan("l", "l/x", NULL));
	CHECK_INT(err.code, AGS_USAGE);
	end();
}

static void test_symlinks_are_followed_only_above_the_path_or_when_asked(void)
{
	begin();
	options.relative = true;
	tree_file(&t, "real/x", "");
	tree_file(&t, "real/d/y", "");
	CHECK_INT(symlink("real", tree_path(&t, "l")), 0);
	CHECK_INT(symlink("../real", tree_path(&t, "real/up")), 0);
	CHECK(scan("l", NULL, NULL));
	CHECK_STR(listed(), "tmp=I =I /l=T");
	CHECK_STR(list.entries[2].text, "real");
	ags_filelist_free(&list);
	CHECK(scan("l/", NULL, NULL));
	CHECK_STR(listed(), "tmp=I =I /l=T /l/up /l/x /l/d /l/d/y");
	CHECK(S_ISLNK(list.entries[3].mode));
	ags_filelist_free(&list);
	CHECK(scan("l/d", NULL, NULL));
	CHECK_STR(listed(), "tmp=I =I /l=I /l/d=T /l/d/y");
	CHECK(S_ISDIR(list.entries[2].mode));
	end();
}

static void test_every_kind_of_file_is_described(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timespec times[2] = { { 1700000000, 5 }, { 1700000000, 5 } };

	begin();
	tree_file(&t, "d/1file", "12345");
	utimensat(AT_FDCWD, tree_path(&t, "d/1file"), times, 0);
	CHECK_INT(symlink("nowhere\n", tree_path(&t, "d/2link")), 0);
	CHECK_INT(mkfifo(tree_path(&t, "d/3fifo"), 0600), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/d/4socket", t.root);
	CHECK_INT(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	close(s);
	CHECK(scan("d/", NULL, NULL));
	CHECK_STR(listed(), ".=T 1file 2link 3fifo 4socket");
	CHECK(list.entries[1].size == 5 && list.entries[1].mtime == 1700000000 && list.entries[1].mtime_nsec == 5);
	CHECK(S_ISREG(list.entries[1].mode) && (list.entries[1].mode & 0777) == 0644 && list.entries[1].uid == geteuid());
	CHECK_STR(list.entries[2].text, "nowhere\n");
	CHECK_INT(list.entries[2].text_len, 8);
	CHECK(S_ISFIFO(list.entries[3].mode) && S_ISSOCK(list.entries[4].mode));
	CHECK_INT(list.bytes, 5);
	CHECK_INT(list.io_error, 0);
	end();
}

static void test_a_missing_path_is_named(void)
{
	begin();
	CHECK(!scan("no/such", NULL, NULL));
	CHECK_INT(err.code, AGS_LOCAL_IO);
	CHECK_INT(err.sys, ENOENT);
	CHECK_STR(err.path, tree_path(&t, "no/such"));
	end();
}

static void test_paths_that_are_not_clean_are_refused(void)
{
	static const char *const paths[] = { "a", "/tmp/../tmp", "/tmp/./x", "/tmp//x", "/tmp/..", "/tmp/.~tmp~/x", "" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		begin();
		CHECK(!ags_scan(&paths[i], 1, &options, &list, &err));
		CHECK_INT(err.code, AGS_USAGE);
		end();
	}
}

static void test_an_empty_source_is_refused(void)
{
	struct ags_filter *filter = ags_filter_new();

	begin();
	tree_dir(&t, "empty");
	CHECK(!scan("empty", NULL, NULL));
	CHECK_INT(err.code, AGS_LOCAL_IO);
	CHECK(strstr(err.message, "/empty is empty: nothing would be sent, and everything there would be deleted on the servers") != NULL);
	CHECK_STR(err.path, tree_path(&t, "empty"));
	ags_filelist_free(&list);
	ags_err_clear(&err);
	CHECK(ags_filter_add_rule(filter, "- *.x", &err));
	options.filter = filter;
	tree_file(&t, "hidden/a.x", "");
	CHECK(!scan("hidden/", NULL, NULL));
	CHECK_INT(err.code, AGS_LOCAL_IO);
	ags_filelist_free(&list);
	ags_err_clear(&err);
	CHECK(!scan("hidden/a.x", NULL, NULL));
	CHECK_INT(err.code, AGS_LOCAL_IO);
	end();
	ags_filter_free(filter);
}

static void test_the_staging_directory_of_receivers_is_left_out(void)
{
	begin();
	tree_file(&t, "d/.~tmp~/x", "");
	tree_file(&t, "d/y", "");
	CHECK(scan("d/", NULL, NULL));
	CHECK_STR(listed(), ".=T y");
	CHECK_INT(list.complaint_count, 1);
	CHECK_STR(list.complaints[0].path, tree_path(&t, "d/.~tmp~"));
	CHECK_INT(list.io_error, 0);
	end();
}

static void test_what_cannot_be_read_is_a_complaint(void)
{
	begin();
	tree_file(&t, "d/a/x", "");
	tree_file(&t, "d/y", "");
	if (geteuid() == 0) {
		chmod(t.root, 0755);
		chmod(tree_path(&t, "d/a"), 0700);
		CHECK_INT(seteuid(65534), 0);
	} else {
		chmod(tree_path(&t, "d/a"), 0);
	}
	CHECK(scan("d/", NULL, NULL));
	CHECK_STR(listed(), ".=T y a");
	CHECK_INT(list.io_error, 1);
	CHECK_INT(list.complaint_count, 1);
	CHECK_STR(list.complaints[0].path, tree_path(&t, "d/a"));
	CHECK_INT(list.complaints[0].sys, EACCES);
	ags_filelist_free(&list);
	CHECK(!scan("d/a", NULL, NULL));
	CHECK_INT(err.sys, EACCES);
	if (getuid() == 0)
		CHECK_INT(seteuid(0), 0);
	else
		chmod(tree_path(&t, "d/a"), 0700);
	end();
}

static bool swap_for_symlink(void *arg)
{
	const int *count = arg;

	if (++*(int *)arg == 2) {           /* the first sub-directory is open, the second one is looked at and waits */
		rename(tree_path(&t, "d/b"), tree_path(&t, "gone"));
		if (symlink("/etc", tree_path(&t, "d/b")) != 0)
			return false;
		rename(tree_path(&t, "d/c"), tree_path(&t, "vanished"));
	}
	return *count < 100;
}

static void test_a_symlink_put_in_place_of_a_directory_is_not_followed(void)
{
	int count = 0;

	begin();
	options.tick = swap_for_symlink;
	options.arg = &count;
	tree_file(&t, "d/a/x", "");
	tree_file(&t, "d/b/x", "");
	tree_file(&t, "d/c/x", "");
	CHECK(scan("d/", NULL, NULL));
	CHECK_STR(listed(), ".=T a a/x b c");
	CHECK_INT(list.complaint_count, 2);
	CHECK_INT(list.complaints[1].sys, ENOENT);
	CHECK_INT(list.io_error, 3);
	end();
}

static bool stop(void *arg)
{
	return --*(int *)arg > 0;
}

static void test_a_tick_can_stop_at_any_directory(void)
{
	for (int n = 1; n <= 3; n++) {
		int left = n;

		begin();
		options.tick = stop;
		options.arg = &left;
		tree_file(&t, "d/a/b/x", "");
		CHECK(!scan("d", NULL, NULL));
		CHECK_INT(err.code, AGS_CANCELLED);
		end();
	}
}

/* Goes down one directory at a time, as no system call takes such a path. */
static void make_deep(const char *name, int depth)
{
	int dir = open(t.root, O_RDONLY | O_DIRECTORY), next;

	for (int i = 0; i < depth; i++) {
		mkdirat(dir, name, 0755);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY);
		close(dir);
		dir = next;
	}
	close(openat(dir, "file", O_CREAT | O_WRONLY, 0644));
	close(dir);
}

static void test_paths_of_4096_bytes_are_a_complaint(void)
{
	static char name[201];
	char path[AGS_MAX_PATH];

	begin();
	memset(name, 'n', 200);
	make_deep(name, 25);
	CHECK(scan(name, NULL, NULL));
	CHECK(list.count >= 19 && list.count <= 21);
	CHECK_INT(list.complaint_count, 1);
	CHECK_INT(list.complaints[0].sys, ENAMETOOLONG);
	CHECK_INT(list.io_error, 1);
	CHECK(ags_filelist_path(&list, list.count - 1, path) < 4096 - strlen(t.root));
	end();
}

static void test_a_deep_tree_is_walked_to_its_end(void)
{
	begin();
	make_deep("d", 800);
	CHECK(scan("d", NULL, NULL));
	CHECK_INT(list.count, 801);
	CHECK_INT(list.complaint_count, 0);
	end();
}

static void test_too_few_descriptors_are_a_complaint(void)
{
	struct rlimit old, few;

	begin();
	make_deep("d", 100);
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 50;
	setrlimit(RLIMIT_NOFILE, &few);
	CHECK(scan("d", NULL, NULL));
	setrlimit(RLIMIT_NOFILE, &old);
	CHECK_INT(list.complaint_count, 1);
	CHECK_INT(list.complaints[0].sys, EMFILE);
	CHECK_INT(list.io_error, 1);
	end();
}

static void test_checksums_of_both_kinds_are_taken(void)
{
	uint8_t want[2][AGS_DIGEST_LEN];

	begin();
	options.checksum = true;
	tree_file(&t, "d/x", "hello\n");
	CHECK_INT(symlink("x", tree_path(&t, "d/l")), 0);
	for (int i = 0; i < 2; i++) {
		struct ags_hash h = { 0 };

		CHECK(ags_hash_init(&h, i == 0 ? AGS_DIGEST_XXH128 : AGS_DIGEST_MD5));
		ags_hash_add(&h, "hello\n", 6);
		ags_hash_end(&h, want[i]);
		ags_hash_fini(&h);
	}
	CHECK(scan("d/", NULL, NULL));
	CHECK(list.entries[1].sum == NULL);
	CHECK(list.entries[2].sum != NULL && memcmp(list.entries[2].sum, want, sizeof(want)) == 0);
	end();
}

/* rsync -k lists the same, but would go round a loop until the system stops it. */
static void test_symlinks_to_directories_are_taken_as_directories_when_asked(void)
{
	begin();
	tree_file(&t, "out/deep/x", "x");
	tree_file(&t, "out/y", "y");
	tree_file(&t, "s/real/z", "z");
	CHECK_INT(symlink("../out", tree_path(&t, "s/link")), 0);
	CHECK_INT(symlink("real/z", tree_path(&t, "s/file")), 0);
	CHECK_INT(symlink("nowhere", tree_path(&t, "s/dangling")), 0);
	CHECK_INT(symlink("..", tree_path(&t, "s/real/up")), 0);
	CHECK_INT(symlink(tree_path(&t, "s"), tree_path(&t, "out/deep/round")), 0);
	CHECK(scan("s", NULL, NULL));
	CHECK_STR(listed(), "s=T s/dangling s/file s/link s/real s/real/up s/real/z");
	ags_filelist_free(&list);
	options.copy_dirlinks = true;
	CHECK(scan("s", NULL, NULL));
	CHECK_STR(listed(), "s=T s/dangling s/file s/link s/link/y s/link/deep s/link/deep/round s/link/deep/x s/real s/real/up s/real/z");
	CHECK_INT(list.complaint_count, 2);
	CHECK_STR(list.complaints[0].what, "leads to a directory that it lies in, and stays a symlink");
	CHECK_INT(list.io_error, 0);
	CHECK(S_ISDIR(list.entries[3].mode) && S_ISLNK(list.entries[6].mode));
	end();
}

static void test_a_pushed_symlink_to_a_directory_is_followed_when_asked(void)
{
	struct ags_source *source;
	struct stat st;
	int fd;

	begin();
	tree_file(&t, "out/y", "y");
	CHECK_INT(symlink("out", tree_path(&t, "s")), 0);
	options.copy_dirlinks = true;
	CHECK(scan("s", NULL, NULL));
	CHECK_STR(listed(), "s=T s/y");
	source = ags_source_new(&list);
	fd = ags_source_open(source, 1, &st, &err);
	CHECK(fd >= 0);
	close(fd);
	ags_source_free(source);
	end();
}

static void test_names_of_one_file_are_found(void)
{
	begin();
	tree_file(&t, "s/z", "one");
	tree_file(&t, "s/alone", "alone");
	tree_file(&t, "s/b/x", "two");
	tree_file(&t, "outside", "three");
	CHECK_INT(mkdir(tree_path(&t, "s/a"), 0755), 0);
	CHECK_INT(link(tree_path(&t, "s/z"), tree_path(&t, "s/a/y")), 0);
	CHECK_INT(link(tree_path(&t, "s/z"), tree_path(&t, "s/m")), 0);
	CHECK_INT(link(tree_path(&t, "s/b/x"), tree_path(&t, "s/a/x")), 0);
	CHECK_INT(link(tree_path(&t, "outside"), tree_path(&t, "s/o")), 0);
	CHECK(scan("s", NULL, NULL));
	for (uint32_t i = 0; i < list.count; i++)
		CHECK_INT(list.entries[i].link, 0);
	ags_filelist_free(&list);
	options.hard_links = true;
	CHECK(scan("s", NULL, NULL));
	CHECK_STR(listed(), "s=T s/alone s/m s/o s/z s/a s/a/x s/a/y s/b s/b/x");
	{
		static const uint32_t want[] = { 0, 0, 3, 4, 3, 0, 7, 3, 0, 7 };

		for (uint32_t i = 0; i < list.count; i++)
			CHECK_INT(list.entries[i].link, want[i]);
	}
	end();
}

static void test_many_groups_are_kept_apart(void)
{
	struct ags_links links = {0};
	struct stat st = {0};
	uint32_t n = 0, m = 0;

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 5000; i++) {
			st.st_dev = i % 3;
			st.st_ino = i / 3 << (i % 2 * 20);
			n += ags_links_group(&links, &st) == i + 1;
			m += ags_links_first(&links, i + 1, 7 * i + (uint32_t)round) == 7 * i + 1;
		}
	CHECK_INT(n, 10000);
	CHECK_INT(m, 10000);
	ags_links_fini(&links);
}

static void test_an_entry_takes_few_bytes(void)
{
	char name[40];

	begin();
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "d/%d/%d", i % 50, i);
		tree_file(&t, name, "");
	}
	CHECK(scan("d/", NULL, NULL));
	CHECK_INT(list.count, 3051);
	CHECK_INT(list.capacity, list.count);
	CHECK(sizeof(struct ags_entry) + list.arena.bytes / list.count <= 120);
	end();
}

/* rsync prints what is not printable as \#ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; to++) {
		unsigned c;

		if (p[0] == '\\' && p[1] == '#' && sscanf(p + 2, "%3o", &c) == 1) {
			*to = (char)(c == '\n' ? 1 : c);        /* newlines end the lines here */
			p += 5;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

static void hostile_name(char *name)
{
	static const char letters[] = "aab./-~ *[\\#\"'\t\n\x7f\x80\xc3\xa4\xff";
	size_t n = 1 + (size_t)random() % 4;

	for (size_t i = 0; i < n; i++)
		do
			name[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
		while (name[i] == '/' || (i == 0 && name[i] == '.'));
	name[n] = '\0';
}

static void hostile_tree(char paths[][64], int count)
{
	for (int i = 0; i < count; i++) {
		char name[8];

		paths[i][0] = '\0';
		if (i > 0 && random() % 4)
			strcpy(paths[i], paths[(size_t)random() % (size_t)i]);
		while (strlen(paths[i]) > 40)
			*strrchr(paths[i], '/') = '\0';
		hostile_name(name);
		sprintf(paths[i] + strlen(paths[i]), "/%s", name);
		if (random() % 2)
			tree_dir(&t, paths[i] + 1);
		else
			tree_file(&t, paths[i] + 1, "");
	}
}

static void our_lines(char *out, size_t size)
{
	char path[AGS_MAX_PATH];
	size_t used = 0;

	for (uint32_t i = 0; i < list.count; i++) {
		ags_filelist_path(&list, i, path);
		for (char *p = path; *p != '\0'; p++)
			*p = *p == '\n' ? 1 : *p;
		used += (size_t)snprintf(out + used, size - used, "%s%s%s\n", options.relative ? "/" : "", path, S_ISDIR(list.entries[i].mode) ? "/" : "");
	}
}

static void test_random_trees_are_listed_in_the_order_of_rsync(void)
{
	static char want[1 << 16], got[1 << 16], paths[80][64];
	unsigned seed = (unsigned)time(NULL);

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < 25 && check_failures == 0; round++) {
		char *argv[12] = { "rsync", "-a", "--no-i-r", "--dry-run", "--out-format=%n", "-s" };
		const char *sources[4];
		int n = 6, count = round % 2 ? 1 + (int)(random() % 4) : 1, given = 0;

		begin();
		options.relative = round % 2;
		hostile_tree(paths, 80);
		if (options.relative)
			argv[n++] = "-R";
		for (int i = 0; i < count; i++) {
			struct stat st;
			char *path = tree_path(&t, options.relative ? paths[random() % 80] + 1 : "");

			/* an empty directory would be refused, what is below a file was not made */
			if (options.relative && (lstat(path, &st) != 0 || (S_ISDIR(st.st_mode) && st.st_nlink < 3)))
				continue;
			sources[given++] = argv[n++] = options.relative ? path : strcat(path, "/");
		}
		argv[n++] = "/tmp/ags-there-is-no-such-directory/";
		argv[n] = NULL;
		if (given > 0) {
			CHECK_INT(tree_run(argv, want, sizeof(want)), 0);
			CHECK(ags_scan(sources, (size_t)given, &options, &list, &err));
			unescape(want);
			our_lines(got, sizeof(got));
			CHECK(strcmp(got, want) == 0);
			if (check_failures > 0)
				fprintf(stderr, "%s\nrsync lists\n%sand we\n%s", err.message, want, got);
		}
		end();
	}
}

int main(void)
{
	RUN(test_files_come_before_directories);
	RUN(test_a_path_gives_its_last_component);
	RUN(test_whole_paths_bring_their_parents);
	RUN(test_doubles_and_paths_below_another_are_merged);
	RUN(test_two_sources_of_one_name_are_refused);
	RUN(test_a_path_below_a_pushed_symlink_is_refused);
	RUN(test_symlinks_are_followed_only_above_the_path_or_when_asked);
	RUN(test_every_kind_of_file_is_described);
	RUN(test_a_missing_path_is_named);
	RUN(test_paths_that_are_not_clean_are_refused);
	RUN(test_an_empty_source_is_refused);
	RUN(test_the_staging_directory_of_receivers_is_left_out);
	RUN(test_what_cannot_be_read_is_a_complaint);
	RUN(test_a_symlink_put_in_place_of_a_directory_is_not_followed);
	RUN(test_a_tick_can_stop_at_any_directory);
	RUN(test_paths_of_4096_bytes_are_a_complaint);
	RUN(test_a_deep_tree_is_walked_to_its_end);
	RUN(test_too_few_descriptors_are_a_complaint);
	RUN(test_checksums_of_both_kinds_are_taken);
	RUN(test_symlinks_to_directories_are_taken_as_directories_when_asked);
	RUN(test_a_pushed_symlink_to_a_directory_is_followed_when_asked);
	RUN(test_names_of_one_file_are_found);
	RUN(test_many_groups_are_kept_apart);
	RUN(test_an_entry_takes_few_bytes);
	RUN(test_random_trees_are_listed_in_the_order_of_rsync);
	return check_result();
}
