/* Somebody else writes in the directory that a fetch brings uploads to, and makes a link of a directory in it at the worst moments. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "unit/check.h"
#include "unit/tree.h"

#include "scale/fetch_private.h"

#include <sys/syscall.h>

static struct tree t;
static const char *moment;            /* the call that the attack comes before; NULL: it has come */

static void attack(const char *at)
{
	char outside[PATH_MAX];

	if (moment == NULL || strcmp(moment, at) != 0)
		return;
	moment = NULL;
	snprintf(outside, sizeof(outside), "%s", tree_path(&t, "outside"));
	CHECK_INT(syscall(SYS_renameat2, AT_FDCWD, tree_path(&t, "here/sub"), AT_FDCWD, tree_path(&t, "moved"), 0), 0);
	CHECK_INT(symlink(outside, tree_path(&t, "here/sub")), 0);
}

/* What the merge calls, in the place of libc's. */
int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	attack("rename");
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int fchmod(int fd, mode_t mode)
{
	attack("chmod");
	return (int)syscall(SYS_fchmod, fd, mode);
}

static void find(const char *below, char *out, size_t size)
{
	char *argv[] = { "sh", "-c", (char *)"cd \"$1\" && find . -type f | sort | tr '\\n' ' '", "sh", tree_path(&t, below), NULL };

	CHECK_INT(tree_run(argv, out, size), 0);
}

static void try(const char *at, const char *in_moved, size_t warnings)
{
	struct ags_server_result result = { .server = "web1" }, *servers[] = { &result };
	struct ags_report report = AGS_REPORT_INIT;
	char here[96], stage[96], out[256];
	struct ags_merge merge = { .path = here, .stage = stage, .report = &report, .servers = servers, .count = 1 };
	struct ags_err err = AGS_ERR_INIT;

	tree_make(&t);
	snprintf(here, sizeof(here), "%s/here", t.root);
	snprintf(stage, sizeof(stage), "%s/stage", t.root);
	tree_dir(&t, "here");
	tree_file(&t, "outside/kept", "k");
	tree_file(&t, "stage/web1/sub/evil", "e");
	tree_file(&t, "stage/web1/sub/kept", "e");
	tree_file(&t, "stage/web1/tail", "t");
	moment = at;
	CHECK(ags_merge_run(&merge, &err));
	CHECK(moment == NULL);
	find("outside", out, sizeof(out));
	CHECK_STR(out, "./kept ");
	find("moved", out, sizeof(out));
	CHECK_STR(out, in_moved);
	find("here", out, sizeof(out));
	CHECK_STR(out, "./tail ");
	CHECK_INT(report.warning_count, warnings);
	ags_report_free(&report);
	tree_remove(&t);
}

static void test_a_directory_that_becomes_a_link_before_it_is_opened(void)
{
	try("chmod", "", 2);
}

static void test_a_directory_that_becomes_a_link_while_files_come(void)
{
	try("rename", "./evil ./kept ", 0);
}

int main(void)
{
	RUN(test_a_directory_that_becomes_a_link_before_it_is_opened);
	RUN(test_a_directory_that_becomes_a_link_while_files_come);
	return check_result();
}
