#include "unit/check.h"
#include "unit/tree.h"
#include "base/buf.h"
#include "scale/release_private.h"

static struct tree t;
static char out[8192];

/* One verb of the script, here, with the tree for the server's root; its exit status. */
static int script(const char *verb, const char *id, const char *nonce)
{
	char *argv[] = { "sh", "-c", (char *)ags_release_script, "sh", (char *)verb, "/site", (char *)id, (char *)nonce, t.root, NULL };

	return tree_run(argv, out, sizeof(out));
}

static int shell(const char *line)
{
	char *argv[] = { "sh", "-c", (char *)"cd \"$1\" && eval \"$2\"", "sh", t.root, (char *)line, NULL };
	char ignored[1024];

	return tree_run(argv, ignored, sizeof(ignored));
}

static bool is_link_to(const char *path, const char *want)
{
	char target[256];
	ssize_t n = readlink(tree_path(&t, path), target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	return strcmp(target, want) == 0;
}

/* As after a sync into it. */
static void make(const char *id)
{
	char line[256];

	CHECK_INT(script("prepare", id, "n"), 0);
	snprintf(line, sizeof(line), "echo %s >site/.releases/.staging.%s/index.php", id, id);
	CHECK_INT(shell(line), 0);
	CHECK_INT(script("finish", id, "n"), 0);
}

static void test_names_are_plain(void)
{
	static const char *const good[] = { "r1", "2024-11-23_10.00", "A", "0" };
	static const char *const bad[] = { "", ".r", "-r", "_r", "a/b", "a b", "a\nb", "..", "a$", "\xc3\xa4",
		"0123456789012345678901234567890123456789012345678901234567890123x" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ags_err err = AGS_ERR_INIT;

		CHECK(ags_release_check(good[i], &err));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ags_err err = AGS_ERR_INIT;

		CHECK(!ags_release_check(bad[i], &err));
		CHECK_INT(err.code, AGS_USAGE);
	}
}

static void test_a_switch_goes_back_to_what_was_served(void)
{
	tree_make(&t);
	make("r1");
	CHECK_INT(script("switch", "r1", "one"), 0);
	CHECK(is_link_to("site/current", ".releases/r1"));
	CHECK_INT(script("mark", "r1", "one"), 0);
	make("r2");
	CHECK_INT(script("switch", "r2", "two"), 0);
	CHECK(is_link_to("site/current", ".releases/r2"));
	CHECK_INT(script("back", "r2", "two"), 0);
	CHECK(is_link_to("site/current", ".releases/r1"));
	CHECK_INT(script("back", "r2", "two"), 0);            /* nothing was switched: nothing is done */
	CHECK(is_link_to("site/current", ".releases/r1"));
	tree_remove(&t);
}

static void test_the_first_release_goes_back_to_none(void)
{
	struct stat st;

	tree_make(&t);
	make("r1");
	CHECK_INT(script("switch", "r1", "one"), 0);
	CHECK_INT(script("back", "r1", "one"), 0);
	CHECK(lstat(tree_path(&t, "site/current"), &st) != 0);
	tree_remove(&t);
}

static void test_what_is_no_link_is_not_replaced(void)
{
	tree_make(&t);
	make("r1");
	CHECK_INT(shell("mkdir site/current && echo x >site/current/x"), 0);
	CHECK_INT(script("check", "r1", "n"), 1);
	CHECK_INT(script("switch", "r1", "n"), 1);
	CHECK_INT(script("prepare", "r2", "n"), 1);
	CHECK_INT(shell("test -f site/current/x"), 0);
	tree_remove(&t);
}

static void test_a_plain_tree_or_a_link_is_refused(void)
{
	tree_make(&t);
	CHECK_INT(shell("mkdir site && echo x >site/index.php"), 0);
	CHECK_INT(script("prepare", "r1", "n"), 1);
	CHECK_INT(shell("rm -r site && mkdir other && ln -s other site"), 0);
	CHECK_INT(script("prepare", "r1", "n"), 1);
	CHECK_INT(shell("rm site && mkdir site"), 0);          /* an empty one is nobody's */
	CHECK_INT(script("prepare", "r1", "n"), 0);
	tree_remove(&t);
}

static void test_what_a_failed_call_left_keeps_no_hard_links(void)
{
	tree_make(&t);
	make("r1");
	CHECK_INT(script("prepare", "r2", "n"), 0);
	CHECK_INT(shell("cd site/.releases && mkdir .staging.r2/d && ln r1/index.php .staging.r2/d/ && echo own >.staging.r2/d/own && chmod 555 .staging.r2/d"), 0);
	CHECK_INT(script("prepare", "r2", "n"), 0);
	CHECK_INT(shell("cd site/.releases && test -f r1/index.php && test ! -e .staging.r2/d/index.php && test -f .staging.r2/d/own"), 0);
	tree_remove(&t);
}

static void test_a_whole_release_is_not_staged_again(void)
{
	tree_make(&t);
	make("r1");
	CHECK_INT(script("prepare", "r1", "n"), 0);
	CHECK_STR(out, "have\nend\n");
	CHECK_INT(shell("test ! -e site/.releases/.staging.r1"), 0);
	tree_remove(&t);
}

static void test_prune_keeps_the_served_and_the_last_good(void)
{
	tree_make(&t);
	for (int i = 0; i < 4; i++) {
		char id[4] = { 'r', (char)('1' + i), '\0' };

		make(id);
		CHECK_INT(script("switch", id, id), 0);
		CHECK_INT(script("mark", id, id), 0);
	}
	CHECK_INT(shell("mkdir \"site/.releases/a b\" && chmod 555 site/.releases/r1"), 0);
	CHECK_INT(script("switch", "r2", "x"), 0);
	CHECK_INT(script("mark", "r2", "x"), 0);
	CHECK_INT(script("prune", "1", "y"), 0);
	CHECK(strstr(out, "removed r1\nremoved r3\n") == out);
	CHECK_INT(shell("cd site/.releases && test -d r2 && test -d r4 && test -d 'a b' && test ! -e r1 && test ! -e r3"), 0);
	CHECK_INT(shell("ls -A site/.releases | grep -q trash"), 1);
	tree_remove(&t);
}

static void test_uploads_are_found_in_a_root_and_one_level_down(void)
{
	struct ags_release_uploads u = { .links = AGS_BUF_INIT };
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;

	tree_make(&t);
	CHECK_INT(shell("mkdir -p site/web/sites/a/files site/sites/b/files && touch site/web/index.php && ln -s /x site/web/sites/a/private"), 0);
	CHECK(ags_release_find_uploads(tree_path(&t, "site"), &arena, &u, &err));
	CHECK(ags_buf_u8(&u.links, '\0'));
	CHECK_STR((const char *)ags_buf_bytes(&u.links), "make ../../../../ web/sites/a/files\n");
	CHECK_INT(u.rules.count, 1);
	CHECK_STR(u.rules.items[0], "- /web/sites/a/files");
	CHECK_INT(u.shared.count, 5);
	CHECK_STR(u.shared.items[3], "+ /web/sites/a/files/***");
	CHECK_STR(u.shared.items[4], "- *");
	ags_buf_free(&u.links);
	ags_arena_free(&arena);
	tree_remove(&t);
}

static void test_without_uploads_here_there_may_be_some_on_a_server(void)
{
	struct ags_release_uploads u = { .links = AGS_BUF_INIT };
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;

	tree_make(&t);
	CHECK_INT(shell("mkdir -p site/sites/a && touch site/index.php"), 0);
	CHECK(ags_release_find_uploads(tree_path(&t, "site"), &arena, &u, &err));
	CHECK(ags_buf_u8(&u.links, '\0'));
	CHECK_STR((const char *)ags_buf_bytes(&u.links), "maybe ../../../ sites/a/files\nmaybe ../../../ sites/a/private\n");
	CHECK_INT(u.shared.count, 0);
	ags_buf_free(&u.links);
	ags_arena_free(&arena);
	tree_remove(&t);
}

static void test_a_site_with_an_odd_name_is_refused(void)
{
	struct ags_release_uploads u = { .links = AGS_BUF_INIT };
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;

	tree_make(&t);
	CHECK_INT(shell("mkdir -p 'site/sites/a b' && touch site/index.php"), 0);
	CHECK(!ags_release_find_uploads(tree_path(&t, "site"), &arena, &u, &err));
	CHECK_INT(err.code, AGS_USAGE);
	ags_buf_free(&u.links);
	ags_arena_free(&arena);
	tree_remove(&t);
}

int main(void)
{
	RUN(test_names_are_plain);
	RUN(test_a_switch_goes_back_to_what_was_served);
	RUN(test_the_first_release_goes_back_to_none);
	RUN(test_what_is_no_link_is_not_replaced);
	RUN(test_a_plain_tree_or_a_link_is_refused);
	RUN(test_what_a_failed_call_left_keeps_no_hard_links);
	RUN(test_a_whole_release_is_not_staged_again);
	RUN(test_prune_keeps_the_served_and_the_last_good);
	RUN(test_uploads_are_found_in_a_root_and_one_level_down);
	RUN(test_without_uploads_here_there_may_be_some_on_a_server);
	RUN(test_a_site_with_an_odd_name_is_refused);
	return check_result();
}
