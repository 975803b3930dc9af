/* Lack of memory while the answers of servers are read: of the script of releases, and what a fetch brought. */
#include "unit/check.h"
#include "unit/failing_malloc.h"
#include "unit/said_by_servers.h"
#include "unit/tree.h"

#include "scale/fetch_private.h"
#include "scale/release_private.h"

#define NAMES 6000                    /* an arena asks for a block seldom: so many names take some */

static struct ags_topology *topology;
static char *listing;
static bool last_fails;               /* web3 cannot switch */

static void answer(const char *server, const struct ags_strings *argv, struct ags_server_result *r)
{
	bool fails = last_fails && strcmp(server, "web3") == 0 && strcmp(argv->items[4], "switch") == 0;

	r->outcome = fails ? AGS_OUTCOME_FAILED : AGS_OUTCOME_SYNCED;
	r->exit_status = fails;
	r->error = fails ? "the command exited with status 1" : NULL;
	r->out = fails ? "" : listing;
	r->out_len = strlen(r->out);
	r->errors = fails ? "no space left\n" : "";
	r->errors_len = strlen(r->errors);
}

static void make_listing(void)
{
	size_t used = 0;

	listing = malloc(NAMES * 32);
	for (int i = 0; i < NAMES; i++)
		used += (size_t)sprintf(listing + used, "%s r%d\n", i % 2 ? "whole" : "good", i);
	strcpy(listing + used, "current r7\nend\n");
}

static bool call(int verb, struct ags_report *report, struct ags_err *err)
{
	const struct ags_environment env = { .pool = NULL };
	const struct ags_sync_options options = AGS_SYNC_OPTIONS_INIT;

	return verb == 0   ? ags_release_list(&env, topology, "live", "/a/b", &options, NULL, report, err)
	       : verb == 1 ? ags_release_prune(&env, topology, "live", "/a/b", 3, &options, NULL, report, err)
	                   : ags_release_switch(&env, topology, "live", "/a/b", "r1", &options, NULL, report, err);
}

/* The call says that memory was short, or a server's sentence does; a server that is well has all its names. */
static void check_report(bool ok, bool has_failed, const struct ags_report *report, const struct ags_err *err)
{
	CHECK_INT(err->code, ok ? AGS_OK : AGS_NOMEM);
	CHECK(has_failed || ok);
	CHECK(has_failed || report->ok == !last_fails);
	for (size_t i = 0; ok && i < report->count; i++) {
		const struct ags_server_result *r = &report->servers[i];

		if (r->error != NULL) {
			CHECK(r->error[0] != '\0');
			continue;
		}
		CHECK(r->releases != NULL && r->releases->whole.count == NAMES / 2 && r->releases->good.count == NAMES / 2);
		CHECK_STR(r->releases->current, "r7");
	}
}

static void try_all(int verb, bool stays)
{
	bool has_failed = true;
	size_t n;

	said_run = answer;
	for (n = 1; has_failed && n < 10000; n++) {
		struct ags_report report = AGS_REPORT_INIT;
		struct ags_err err = AGS_ERR_INIT;
		bool ok;

		failing_begin(n, stays);
		ok = call(verb, &report, &err);
		has_failed = failing_end();
		check_report(ok, has_failed, &report, &err);
		ags_report_free(&report);
	}
	CHECK(n > 4 && n < 10000);
}

static void test_a_list_survives_any_failed_allocation(void)
{
	last_fails = false;
	try_all(0, false);
	try_all(0, true);
}

static void test_a_prune_survives_any_failed_allocation(void)
{
	last_fails = false;
	try_all(1, false);
	try_all(1, true);
}

static void test_a_switch_survives_any_failed_allocation(void)
{
	last_fails = false;
	try_all(2, false);
	try_all(2, true);
	last_fails = true;                /* and goes back */
	try_all(2, false);
	try_all(2, true);
}

/* --- what a fetch brought ------------------------------------------------------------------------------------------ */

static struct tree t;

static void fill(void)
{
	char *argv[] = { "sh", "-c", (char *)"cd \"$1\" && rm -rf here stage && mkdir -p here/d stage/web1/d stage/web2/d && for i in $(seq 200); do "
	                 "echo old >here/$i; echo new >stage/web1/$i; echo other >stage/web2/d/$i; echo another >stage/web1/d/$i; done && "
	                 "touch -d @1000 here/* stage/web2/d/*", "sh", t.root, NULL };
	char out[256];

	CHECK_INT(tree_run(argv, out, sizeof(out)), 0);
}

static size_t count_files(void)
{
	char *argv[] = { "sh", "-c", (char *)"find \"$1\" -type f | wc -l", "sh", t.root, NULL }, out[64];

	CHECK_INT(tree_run(argv, out, sizeof(out)), 0);
	return (size_t)atoi(out);
}

/* Of 800 files 200 are replaced by newer ones; nothing else may be gone, however far it came. */
static void test_a_merge_survives_any_failed_allocation(void)
{
	struct ags_server_result results[2] = { { .server = "web1" }, { .server = "web2" } };
	struct ags_server_result *servers[2] = { &results[0], &results[1] };
	bool has_failed = true;
	size_t n;

	tree_make(&t);
	for (n = 1; has_failed && n < 1000; n++) {
		struct ags_report report = AGS_REPORT_INIT;
		struct ags_err err = AGS_ERR_INIT;
		struct ags_merge merge = { .path = tree_path(&t, "here"), .stage = tree_path(&t, "stage"), .report = &report, .servers = servers, .count = 2 };
		size_t left;
		bool ok;

		fill();
		failing_begin(n, false);
		ok = ags_merge_run(&merge, &err);
		has_failed = failing_end();
		CHECK_INT(err.code, ok ? AGS_OK : AGS_NOMEM);
		CHECK(ok != has_failed);
		left = count_files();
		CHECK(left >= 600 && left <= 800 && (!ok || left == 600));
		ags_report_free(&report);
	}
	CHECK(n > 4 && n < 1000);
	tree_remove(&t);
}

static void test_finding_uploads_survives_any_failed_allocation(void)
{
	char *argv[] = { "sh", "-c", (char *)"cd \"$1\" && mkdir -p web && touch web/index.php && for i in $(seq 300); do mkdir -p web/sites/$i.example.com/files; done",
	                 "sh", NULL, NULL }, out[256];
	bool has_failed = true;
	size_t n;

	tree_make(&t);
	argv[4] = t.root;
	CHECK_INT(tree_run(argv, out, sizeof(out)), 0);
	for (n = 1; has_failed && n < 1000; n++) {
		struct ags_release_uploads uploads = { .links = AGS_BUF_INIT };
		struct ags_arena arena = AGS_ARENA_INIT;
		struct ags_err err = AGS_ERR_INIT;
		bool ok;

		failing_begin(n, false);
		ok = ags_release_find_uploads(t.root, &arena, &uploads, &err);
		has_failed = failing_end();
		CHECK(ok != has_failed);
		CHECK_INT(err.code, ok ? AGS_OK : AGS_NOMEM);
		CHECK(!ok || uploads.rules.count == 600);
		ags_buf_free(&uploads.links);
		ags_arena_free(&arena);
	}
	CHECK(n > 4 && n < 1000);
	tree_remove(&t);
}

int main(void)
{
	topology = said_topology();
	make_listing();
	RUN(test_a_list_survives_any_failed_allocation);
	RUN(test_a_prune_survives_any_failed_allocation);
	RUN(test_a_switch_survives_any_failed_allocation);
	RUN(test_a_merge_survives_any_failed_allocation);
	RUN(test_finding_uploads_survives_any_failed_allocation);
	ags_topology_free(topology);
	free(listing);
	return check_result();
}
