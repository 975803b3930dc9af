#include "unit/check.h"
#include "unit/tree.h"
#include "base/limits.h"
#include "rsync/scan.h"
#include "rsync/wildmatch.h"

#include <time.h>

#define MAX_RULES 6

static bool hides(const char *rule, const char *path)
{
	struct ags_filter *f = ags_filter_new();
	struct ags_err err = AGS_ERR_INIT;
	size_t len = strlen(path);
	bool is_dir = len > 0 && path[len - 1] == '/', hidden;

	CHECK(ags_filter_add_rule(f, rule, &err));
	hidden = ags_filter_hides(f, path, len - is_dir, is_dir);
	ags_filter_free(f);
	return hidden;
}

static void test_a_plain_pattern_matches_the_last_component(void)
{
	CHECK(hides("- foo", "foo"));
	CHECK(hides("- foo", "a/b/foo/"));
	CHECK(!hides("- foo", "foox"));
	CHECK(!hides("- foo", "foo/bar"));
	CHECK(hides("- *.o", "a/x.o"));
	CHECK(!hides("- *.o", "x.o/a"));
}

static void test_a_pattern_with_a_slash_matches_the_last_components(void)
{
	CHECK(hides("- b/foo", "a/b/foo"));
	CHECK(!hides("- b/foo", "ab/foo"));
	CHECK(!hides("- foo/*/bar", "foo/bar"));
	CHECK(hides("- foo/*/bar", "foo/x/bar"));
	CHECK(hides("- foo/*/bar", "y/foo/x/bar"));
	CHECK(!hides("- foo/*/bar", "foo/x/y/bar"));
}

static void test_a_leading_slash_anchors_at_the_root(void)
{
	CHECK(hides("- /foo", "foo"));
	CHECK(!hides("- /foo", "a/foo"));
	CHECK(hides("- /a/*", "a/foo"));
	CHECK(!hides("- /a/*", "a/b/foo"));
}

static void test_a_trailing_slash_means_a_directory(void)
{
	CHECK(hides("- foo/", "a/foo/"));
	CHECK(!hides("- foo/", "a/foo"));
	CHECK(!hides("- foo//", "a/foo/"));
}

static void test_a_double_star_crosses_slashes(void)
{
	CHECK(hides("- a/**/foo", "a/b/c/foo"));
	CHECK(!hides("- a/**/foo", "a/foo"));
	CHECK(hides("- **/foo", "foo"));
	CHECK(!hides("- /**/foo", "foo"));
	CHECK(hides("- /a/**", "a/b/c"));
	CHECK(!hides("- /a/**", "a/"));
	CHECK(hides("- b**", "a/bc/d"));
}

static void test_a_triple_star_takes_the_directory_along(void)
{
	CHECK(hides("- dir/***", "dir/"));
	CHECK(hides("- dir/***", "x/dir/y"));
	CHECK(!hides("- dir/***", "dir"));
	CHECK(!hides("- dir/***", "dirs/"));
}

static void test_modifiers_change_what_a_rule_means(void)
{
	CHECK(hides("-! */", "foo"));
	CHECK(!hides("-! */", "foo/"));
	CHECK(hides("-/ /a/foo", "a/foo"));
	CHECK(hides("-,!s foo", "bar"));
	CHECK(!hides("-r foo", "foo"));
	CHECK(!hides("P foo", "foo"));
	CHECK(hides("H foo", "foo"));
	CHECK(hides("hide foo", "foo"));
	CHECK(hides("exclude,p foo", "foo"));
	CHECK(hides("-_ foo", " foo"));
}

static void test_the_first_rule_that_matches_decides(void)
{
	struct ags_filter *f = ags_filter_new();
	struct ags_err err = AGS_ERR_INIT;

	CHECK(ags_filter_add_rule(f, "R *.c", &err));                      /* no matter here */
	CHECK(ags_filter_add_pattern(f, AGS_FILTER_INCLUDE, "keep.*", &err));
	CHECK(ags_filter_add_pattern(f, AGS_FILTER_EXCLUDE, "+ *.h", &err));
	CHECK(ags_filter_add_pattern(f, AGS_FILTER_EXCLUDE, "*.[ch]", &err));
	CHECK(!ags_filter_hides(f, "keep.c", 6, false));
	CHECK(!ags_filter_hides(f, "x.h", 3, false));
	CHECK(ags_filter_hides(f, "x.c", 3, false));
	CHECK(ags_filter_add_rule(f, "!", &err));
	CHECK(!ags_filter_hides(f, "x.c", 3, false));
	ags_filter_free(f);
}

static void test_the_absolute_path_is_known_to_the_modifier_slash(void)
{
	struct ags_filter *f = ags_filter_new();
	struct ags_err err = AGS_ERR_INIT;

	CHECK(ags_filter_add_rule(f, "-/ www/foo", &err));
	CHECK(ags_filter_hides_below(f, "/srv/www/foo", 12, 9, false));
	CHECK(!ags_filter_hides_below(f, "/srv/xxx/foo", 12, 9, false));
	ags_filter_free(f);
}

static void test_a_broken_rule_is_refused_with_its_position(void)
{
	static const struct { const char *rule, *says; } cases[] = {
		{ "-", "ends without a pattern" }, { "- ", "ends without a pattern" }, { "exclude", "ends without a pattern" },
		{ "-foo", "modifier 'f' at position 2" }, { "-C", "modifier 'C' at position 2" }, { "-x user.*", "modifier 'x' at position 2" },
		{ "-,e foo", "modifier 'e' at position 3" }, { "Hs foo", "modifier 's' at position 2" }, { "-pn foo", "modifier 'n' at position 3" },
		{ "exclude,w foo", "modifier 'w' at position 9" },
		{ "x foo", "begins with no known rule" }, { "excludes foo", "begins with no known rule" },
		{ ". /etc/rules", "merge file at position 1" }, { "dir-merge .rules", "merge file at position 1" }, { ":C", "merge file at position 1" },
		{ "! foo", "behind the clear" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ags_filter *f = ags_filter_new();
		struct ags_err err = AGS_ERR_INIT;

		CHECK(!ags_filter_add_rule(f, cases[i].rule, &err));
		CHECK_INT(err.code, AGS_USAGE);
		if (strstr(err.message, cases[i].says) == NULL)
			CHECK_STR(err.message, cases[i].says);
		ags_filter_free(f);
	}
}

static void test_rules_have_their_limits(void)
{
	struct ags_filter *f = ags_filter_new();
	struct ags_err err = AGS_ERR_INIT;
	static char pattern[AGS_MAX_RULE + 1];

	memset(pattern, 'x', AGS_MAX_RULE);
	CHECK(!ags_filter_add_pattern(f, AGS_FILTER_EXCLUDE, pattern, &err));
	CHECK_INT(err.code, AGS_LIMIT);
	ags_err_clear(&err);
	for (unsigned i = 0; i < AGS_MAX_RULES; i++)
		CHECK(ags_filter_add_pattern(f, AGS_FILTER_EXCLUDE, "x", &err));
	CHECK(!ags_filter_add_pattern(f, AGS_FILTER_EXCLUDE, "x", &err));
	CHECK_INT(err.code, AGS_LIMIT);
	ags_filter_free(f);
}

/* As a real client sends them. */
static void test_a_receiver_gets_the_rules_of_its_side(void)
{
	static const char *const rules[] = {
		"- *.o", "- /cache/", "+ keep/***", "P sites/*/files", "R risky", "H secret", "S shown", "-! */", "-p perish", "-/!rp /x/y/", "-s mine",
		"-sr both",
	};
	static const char *const want[] = {
		"- *.o", "- /cache/", "+ keep/***", "-r sites/*/files", "+r risky", "-! */", "-p perish", "-/!rp /x/y/", "- both",
	};
	struct ags_filter *f = ags_filter_new();
	struct ags_buf b = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_cursor c;
	const uint8_t *text;
	uint32_t len;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		CHECK(ags_filter_add_rule(f, rules[i], &err));
	CHECK(ags_filter_encode(f, &b, &err));
	c = (struct ags_cursor){ ags_buf_bytes(&b), ags_buf_bytes(&b) + ags_buf_len(&b) };
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		CHECK(ags_get_u32(&c, &len) && len == strlen(want[i]) && ags_get_bytes(&c, &text, len));
		CHECK(memcmp(text, want[i], len) == 0);
	}
	CHECK(ags_get_u32(&c, &len) && len == 0 && ags_left(&c) == 0);
	ags_buf_free(&b);
	ags_filter_free(f);
}

/* The rules that `f` has for a receiver whose root is `way`. */
static struct ags_filter *below(const struct ags_filter *f, const char *way)
{
	struct ags_filter *moved = ags_filter_new();
	struct ags_buf all = AGS_BUF_INIT, cut = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_cursor c;
	const uint8_t *text;
	char rule[200];
	uint32_t len;

	CHECK(ags_filter_encode(f, &all, &err) && ags_filter_put_below(&all, way, strlen(way), &cut));
	c = (struct ags_cursor){ ags_buf_bytes(&cut), ags_buf_bytes(&cut) + ags_buf_len(&cut) };
	while (ags_get_u32(&c, &len) && len > 0 && ags_get_bytes(&c, &text, len)) {
		snprintf(rule, sizeof(rule), "%.*s", (int)len, (const char *)text);
		CHECK(ags_filter_add_rule(moved, rule, &err));
	}
	CHECK_INT(ags_left(&c), 0);
	ags_buf_free(&all);
	ags_buf_free(&cut);
	return moved;
}

static void test_rules_for_a_deeper_root_say_the_same_of_what_is_below(void)
{
	static const char *const parts[] = { "a", "b", "*", "a*", "?", "[ab]", "**", "***", "a/b", "x\\*" };
	unsigned seed = (unsigned)time(NULL), moved_rules = 0, kept = 0;

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < 20000 && check_failures == 0; round++) {
		struct ags_filter *f = ags_filter_new(), *moved;
		struct ags_err err = AGS_ERR_INIT;
		char rule[100] = "- ", full[100] = "a/b";
		int names = 1 + (int)random() % 4;

		strcat(rule, random() % 3 == 0 ? "/a/b/" : random() % 2 ? "/" : "");
		for (int i = 0; i < names; i++)
			snprintf(rule + strlen(rule), 20, "%s%s", i > 0 ? "/" : "", parts[(size_t)random() % 10]);
		strcat(rule, random() % 4 ? "" : "/");
		CHECK(ags_filter_add_rule(f, rule, &err));
		if (!ags_filter_can_begin_at(f, "a/b", 3)) {
			kept++;
			ags_filter_free(f);
			continue;
		}
		moved_rules++;
		moved = below(f, "a/b");
		for (int i = 2 + (int)random() % 3; i > 0; i--)
			strcat(full, random() % 3 == 0 ? "/a" : random() % 2 ? "/b" : "/x*");
		for (int is_dir = 0; is_dir < 2; is_dir++)
			if (ags_filter_hides(f, full, strlen(full), is_dir) != ags_filter_hides(moved, full + 4, strlen(full) - 4, is_dir))
				CHECK_STR(rule, full);
		ags_filter_free(moved);
		ags_filter_free(f);
	}
	CHECK(moved_rules > 1000 && kept > 1000);
}

static void test_rules_that_could_see_the_way_are_not_for_a_deeper_root(void)
{
	static const struct { const char *rule, *way; bool can; } cases[] = {
		{ "- *.o", "a/b", true }, { "- sites/*", "a/b", true }, { "P /a/b/x/files/***", "a/b", true }, { "H b/x/y", "a/b", true },
		{ "- b/x/y", "a/b", false }, { "- **/y", "a/b", false }, { "- /a/*/x", "a/b", false }, { "- /a/bc", "a/b", false },
		{ "-/ /a/b/x", "a/b", false }, { "- /a/b*/x", "a/b*", false }, { "- /x", "a/b", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ags_filter *f = ags_filter_new();
		struct ags_err err = AGS_ERR_INIT;

		CHECK(ags_filter_add_rule(f, cases[i].rule, &err));
		if (ags_filter_can_begin_at(f, cases[i].way, strlen(cases[i].way)) != cases[i].can)
			CHECK_STR(cases[i].rule, cases[i].way);
		ags_filter_free(f);
	}
}

/* The definition, by trying everything. */
static bool dull_match(const char *p, const char *t)
{
	if (*p == '\0')
		return *t == '\0';
	if (p[0] == '*' && p[1] == '*') {
		for (p += 2; *p == '*'; p++)
			;
		for (;; t++) {
			if (dull_match(p, t))
				return true;
			if (*t == '\0')
				return false;
		}
	}
	if (*p == '*') {
		for (;; t++) {
			if (dull_match(p + 1, t))
				return true;
			if (*t == '\0' || *t == '/')
				return false;
		}
	}
	if (*t == '\0')
		return false;
	return (*p == '?' ? *t != '/' : *p == *t) && dull_match(p + 1, t + 1);
}

static void random_text(char *out, const char *alphabet, size_t max)
{
	size_t n = (size_t)random() % (max + 1), letters = strlen(alphabet);

	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[(size_t)random() % letters];
	out[n] = '\0';
}

static void test_stars_match_as_if_everything_was_tried(void)
{
	unsigned seed = (unsigned)time(NULL), matched = 0;

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int i = 0; i < 200000; i++) {
		char pattern[12], text[16];
		struct ags_wild *w;
		bool got;

		random_text(pattern, "aab/**?", 10);
		random_text(text, "aaab/", 12);
		w = ags_wild_new(pattern, strlen(pattern));
		got = ags_wild_matches(w, text, strlen(text));
		matched += got;
		if (got != dull_match(pattern, text)) {
			fprintf(stderr, "pattern %s text %s\n", pattern, text);
			CHECK(got == dull_match(pattern, text));
		}
		ags_wild_free(w);
	}
	CHECK(matched > 1000);
}

static const char *const names[] = { "a", "b", "ab", "ba", "a.b", "a]", "a-b", "[a", "b*", "\\a", "A1", "a b", ".a", "abba" };

static void random_tree(const struct tree *t)
{
	for (int i = 0; i < 40; i++) {
		char path[64] = "";
		int depth = 1 + (int)(random() % 4);

		for (int d = 0; d < depth; d++)
			sprintf(path + strlen(path), "%s%s", d > 0 ? "/" : "", names[(size_t)random() % (sizeof(names) / sizeof(names[0]))]);
		if (random() % 3 == 0)
			tree_dir(t, path);
		else
			tree_file(t, path, "");
	}
}

static void random_rule(const struct tree *t, bool whole_path, char *rule)
{
	static const char *const heads[] = { "- ", "- ", "- ", "- ", "+ ", "+ ", "+ ", "-! ", "+! ", "H ", "S ", "-s ", "-r ", "P ", "R ", "-p ", "-/ ", "-/! " };
	static const char *const parts[] = {
		"a", "a", "b", "ab", "a.b", "*", "*", "*", "**", "***", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "[a-]", "[-a]", "[]a]", "[\\]a]", "[!]a]",
		"[[:alpha:]]", "[[:upper:][:digit:]]", "[![:alpha:]]", "[[:nope:]]", "[[:alpha]", "[[:]", "[b-a]", "[a-\\c]", "[\\a-c]", "[a-c-z]", "[", "]",
		"\\", "\\*", "-", ".", " ", "/", "/", "/", "/", "/",
	};
	const char *head = heads[(size_t)random() % (sizeof(heads) / sizeof(heads[0]))];
	int n = 1 + (int)(random() % 5);

	strcpy(rule, head);
	if (head[1] == '/' || (whole_path && random() % 2))
		sprintf(rule + strlen(rule), "%s/", random() % 2 ? t->root : strrchr(t->root, '/') + 1);
	for (int i = 0; i < n; i++)
		strcat(rule, parts[(size_t)random() % (sizeof(parts) / sizeof(parts[0]))]);
	if (random() % 4 == 0)
		strcat(rule, "/***");
	else if (random() % 4 == 0)
		strcat(rule, "/");
}

/* What a real client would send, one name a line, directories with a slash. */
static bool real_names(const struct tree *t, bool relative, char rules[][256], int count, char *out, size_t size)
{
	char *argv[16] = { "rsync", "-a", "--no-i-r", "--dry-run", "--out-format=%n" };
	char options[MAX_RULES][300], source[80];
	int n = 5;

	for (int i = 0; i < count; i++) {
		snprintf(options[i], sizeof(options[i]), "--filter=%s", rules[i]);
		argv[n++] = options[i];
	}
	if (relative)
		argv[n++] = "-R";
	snprintf(source, sizeof(source), "%s%s", t->root, relative ? "" : "/");
	argv[n++] = source;
	argv[n++] = "/tmp/ags-there-is-no-such-directory/";
	argv[n] = NULL;
	return tree_run(argv, out, size) == 0;
}

static bool our_names(const struct tree *t, bool relative, char rules[][256], int count, char *out, size_t size)
{
	struct ags_filter *f = ags_filter_new();
	struct ags_scan_options options = { .relative = relative, .filter = f };
	struct ags_filelist list = AGS_FILELIST_INIT;
	struct ags_err err = AGS_ERR_INIT;
	char source[80], path[AGS_MAX_PATH];
	const char *paths[] = { source };
	size_t used = 0;
	bool ok;

	snprintf(source, sizeof(source), "%s%s", t->root, relative ? "" : "/");
	for (int i = 0; i < count; i++)
		CHECK(ags_filter_add_rule(f, rules[i], &err));
	ok = ags_scan(paths, 1, &options, &list, &err);
	out[0] = '\0';
	for (uint32_t i = 0; ok && i < list.count; i++) {
		ags_filelist_path(&list, i, path);
		used += (size_t)snprintf(out + used, size - used, "%s%s%s\n", relative ? "/" : "", path, S_ISDIR(list.entries[i].mode) ? "/" : "");
	}
	CHECK(ok || err.code == AGS_LOCAL_IO);
	ags_filelist_free(&list);
	ags_filter_free(f);
	return ok;
}

/* Nothing but the directory that was given, or not even that: we refuse it. */
static bool has_content(const struct tree *t, bool relative, const char *names_sent)
{
	char top[80];
	size_t n = (size_t)snprintf(top, sizeof(top), "%s/\n", relative ? t->root : ".");
	const char *at = strstr(names_sent, top);

	return at != NULL && at[n] != '\0';
}

static void test_random_rules_send_what_rsync_sends_in_its_order(void)
{
	const char *wanted = getenv("AGS_TEST_ROUNDS");
	int rounds = wanted != NULL ? atoi(wanted) : 40;
	unsigned seed = (unsigned)time(NULL), with_content = 0;
	static char want[1 << 16], got[1 << 16];

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	for (int round = 0; round < rounds && check_failures == 0; round++) {
		bool relative = random() % 3 == 0, ok;
		char rules[MAX_RULES][256];
		int count = 1 + (int)(random() % MAX_RULES);
		struct tree t;

		tree_make(&t);
		random_tree(&t);
		for (int i = 0; i < count; i++)
			random_rule(&t, relative, rules[i]);
		CHECK(real_names(&t, relative, rules, count, want, sizeof(want)));
		ok = our_names(&t, relative, rules, count, got, sizeof(got));
		with_content += ok;
		CHECK(ok == has_content(&t, relative, want));
		CHECK(!ok || strcmp(got, want) == 0);
		for (int i = 0; check_failures > 0 && i < count; i++)
			fprintf(stderr, "rule %s\n", rules[i]);
		if (check_failures > 0)
			fprintf(stderr, "relative %d, rsync sends\n%sand we\n%s", relative, want, got);
		tree_remove(&t);
	}
	CHECK(with_content > 5);
}

int main(void)
{
	RUN(test_a_plain_pattern_matches_the_last_component);
	RUN(test_a_pattern_with_a_slash_matches_the_last_components);
	RUN(test_a_leading_slash_anchors_at_the_root);
	RUN(test_a_trailing_slash_means_a_directory);
	RUN(test_a_double_star_crosses_slashes);
	RUN(test_a_triple_star_takes_the_directory_along);
	RUN(test_modifiers_change_what_a_rule_means);
	RUN(test_the_first_rule_that_matches_decides);
	RUN(test_the_absolute_path_is_known_to_the_modifier_slash);
	RUN(test_a_broken_rule_is_refused_with_its_position);
	RUN(test_rules_have_their_limits);
	RUN(test_a_receiver_gets_the_rules_of_its_side);
	RUN(test_rules_for_a_deeper_root_say_the_same_of_what_is_below);
	RUN(test_rules_that_could_see_the_way_are_not_for_a_deeper_root);
	RUN(test_stars_match_as_if_everything_was_tried);
	RUN(test_random_rules_send_what_rsync_sends_in_its_order);
	return check_result();
}
