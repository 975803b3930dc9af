/* --chmod, against stock rsync. */
#include "unit/check.h"
#include "unit/tree.h"
#include "rsync/chmod.h"

#include <time.h>

#define UMASK 027

static uint32_t applied(const char *text, unsigned umask_now, uint32_t mode)
{
	struct ags_chmod c;
	struct ags_err err = AGS_ERR_INIT;
	uint32_t result;

	ags_chmod_init(&c);
	result = ags_chmod_add(&c, text, umask_now, &err) ? ags_chmod_apply(&c, mode) : 0;
	ags_chmod_free(&c);
	return result;
}

static void test_clauses_mean_what_chmod_means(void)
{
	CHECK_INT(applied("D2775,F664", 022, S_IFDIR | 0700), S_IFDIR | 02775);
	CHECK_INT(applied("D2775,F664", 022, S_IFREG | 0700), S_IFREG | 0664);
	CHECK_INT(applied("Dg+s,ug+w,Fo-w,+X", 022, S_IFREG | 0546), S_IFREG | 0775);
	CHECK_INT(applied("+w", 022, S_IFREG | 0444), S_IFREG | 0644);
	CHECK_INT(applied("a-x,a+X", 0, S_IFREG | 0700), S_IFREG | 0711);
	CHECK_INT(applied("g=u,o=", 0, S_IFREG | 0640), S_IFREG | 0660);
	CHECK_INT(applied("0", 0, S_IFLNK | 0777), S_IFLNK | 0777);
}

static void test_what_is_no_clause_is_named(void)
{
	static const char *const wrong[] = {
		"", ",", "u+w,", ",u+w", "D", "u", "DF+w", "FuD+w", "u+q", "u+r-w", "8", "10000", "07778", "u644", "x", "g=ur", "g=uo", "o=a", "u+ r", "++r",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ags_chmod c;
		struct ags_err err = AGS_ERR_INIT;

		ags_chmod_init(&c);
		CHECK(!ags_chmod_add(&c, wrong[i], 022, &err));
		CHECK_INT(err.code, AGS_USAGE);
		ags_chmod_free(&c);
	}
	{
		struct ags_chmod c;
		struct ags_err err = AGS_ERR_INIT;

		ags_chmod_init(&c);
		CHECK(!ags_chmod_add(&c, "D755,u+q,go-w", 022, &err));
		CHECK_STR(err.message, "option chmod has \"u+q\", want clauses as rsync's, such as D2775,F664 or ug+w,Fo-w,+X");
		ags_chmod_free(&c);
	}
}

static void random_clauses(char *text)
{
	size_t n = 0, count = 1 + (size_t)random() % 3;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text[n++] = ',';
		if (random() % 3 == 0)
			text[n++] = random() % 2 ? 'D' : 'F';
		if (random() % 6 == 0) {
			n += (size_t)sprintf(text + n, "%lo", random() % 010000);
			continue;
		}
		for (long k = random() % 3; k > 0; k--)
			text[n++] = "ugoa"[random() % 4];
		text[n++] = "+-="[random() % 3];
		if (random() % 6 == 0)
			text[n++] = "ugo"[random() % 3];
		else
			/* s before t: rsync forgets a t that stands before an s when nobody is named */
			for (size_t k = 0; k < 6; k++)
				if (random() % 3 == 0)
					text[n++] = "rwxXst"[k];
	}
	text[n] = '\0';
}

static void test_random_clauses_give_what_rsync_gives(void)
{
	static const uint32_t modes[] = { 0644, 0755, 0600, 0, 07777, 02750, 04711, 01666, 0123, 0451, 06070, 0640, 0111, 0222 };
	enum { COUNT = sizeof(modes) / sizeof(modes[0]) };
	unsigned seed = (unsigned)time(NULL);
	struct tree t;
	mode_t before = umask(UMASK);
	char name[16], text[200], option[220], out[4096];

	fprintf(stderr, "seed %u\n", seed);
	srandom(seed);
	tree_make(&t);
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "s/f%zu", i);
		tree_file(&t, name, "");
		chmod(tree_path(&t, name), modes[i]);
		snprintf(name, sizeof(name), "s/d%zu", i);
		tree_dir(&t, name);
		chmod(tree_path(&t, name), modes[i]);
	}
	for (int round = 0; round < 150 && check_failures == 0; round++) {
		char from[80], to[80], *clean[] = { "rm", "-rf", to, NULL }, *argv[] = { "rsync", "-a", option, from, to, NULL };

		random_clauses(text);
		snprintf(option, sizeof(option), "--chmod=%s", text);
		snprintf(from, sizeof(from), "%s/s/", t.root);
		snprintf(to, sizeof(to), "%s/to/", t.root);
		tree_run(clean, out, sizeof(out));
		CHECK_INT(tree_run(argv, out, sizeof(out)), 0);
		for (size_t i = 0; i < 2 * COUNT; i++) {
			uint32_t mode = (i < COUNT ? S_IFREG : S_IFDIR) | modes[i % COUNT];
			struct stat st = {0};

			snprintf(name, sizeof(name), "to/%c%zu", i < COUNT ? 'f' : 'd', i % COUNT);
			CHECK_INT(lstat(tree_path(&t, name), &st), 0);
			if (applied(text, UMASK, mode) != st.st_mode)
				fprintf(stderr, "%s of %o is %o, rsync says %o\n", text, mode, applied(text, UMASK, mode), st.st_mode);
			CHECK_INT(applied(text, UMASK, mode), st.st_mode);
		}
	}
	umask(before);
	tree_remove(&t);
}

int main(void)
{
	if (getuid() != 0) {
		printf("skip chmod - only root can read all modes\n");
		return 0;
	}
	RUN(test_clauses_mean_what_chmod_means);
	RUN(test_what_is_no_clause_is_named);
	RUN(test_random_clauses_give_what_rsync_gives);
	return check_result();
}
