#include "unit/check.h"
#include "unit/failing_malloc.h"
#include "unit/tree.h"

#include "rsync/scan.h"
#include "rsync/source.h"

static struct tree t;

/* Rules, scan, list and one file: false with err, and nothing is left behind. */
static bool send_all(struct ags_err *err)
{
	static const char *const rules[] = { "- *.o", "P /[a-c]/", "!", "-/ x*", "+ y" };
	const struct ags_list_format format = { .varint_flags = true, .id0_names = true, .checksums = true };
	const char *paths[] = { tree_path(&t, "s"), tree_path(&t, "l") };
	struct ags_filter *filter = ags_filter_new();
	struct ags_scan_options options = { .relative = true, .checksum = true, .hard_links = true, .filter = filter };
	struct ags_filelist list = AGS_FILELIST_INIT;
	struct ags_source *source = NULL;
	struct ags_buf out = AGS_BUF_INIT;
	struct stat st;
	bool ok = filter != NULL || ags_fail_nomem(err);
	int fd = -1;

	for (size_t i = 0; ok && i < sizeof(rules) / sizeof(rules[0]); i++)
		ok = ags_filter_add_rule(filter, rules[i], err);
	ok = ok && ags_scan(paths, 2, &options, &list, err) && ags_filter_encode(filter, &out, err) && ags_filelist_encode(&list, &format, &out, err);
	if (ok) {
		source = ags_source_new(&list);
		ok = source != NULL || ags_fail_nomem(err);
	}
	if (ok) {
		fd = ags_source_open(source, list.count - 1, &st, err);
		ok = fd >= 0;
	}
	if (fd >= 0)
		close(fd);
	ags_source_free(source);
	ags_buf_free(&out);
	ags_filelist_free(&list);
	ags_filter_free(filter);
	return ok;
}

static void try_all(bool stays)
{
	bool has_failed = true;
	size_t n, survived = 0;

	for (n = 1; has_failed && n < 1000; n++) {
		struct ags_err err = AGS_ERR_INIT;
		bool ok;

		failing_begin(n, stays);
		ok = send_all(&err);
		has_failed = failing_end();
		survived += ok && has_failed;
		CHECK(ok || has_failed);
		CHECK_INT(err.code, ok ? AGS_OK : AGS_NOMEM);
	}
	/* Only that the list gives back the room it does not need may fail. */
	CHECK_INT(survived, stays ? 0 : 1);
	CHECK(n > 20 && n < 1000);
}

static void test_every_allocation_may_fail_once_or_for_good(void)
{
	tree_make(&t);
	tree_file(&t, "s/a/y", "");
	tree_file(&t, "s/a/b/c/y", "content");
	CHECK_INT(symlink("s", tree_path(&t, "l")), 0);
	tree_dir(&t, "s/.~tmp~");                /* a complaint */
	try_all(false);
	try_all(true);
	tree_remove(&t);
}

int main(void)
{
	RUN(test_every_allocation_may_fail_once_or_for_good);
	return check_result();
}
