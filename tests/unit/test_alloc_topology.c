#include "unit/check.h"
#include "unit/failing_malloc.h"

#include "base/yaml.h"
#include "scale/topology.h"

#include <unistd.h>

#define RIGHT "version: 1\nservers: { web1: &w { host: 10.0.0.11, identity: ~/.ssh/k }, web2: *w, nfs1: { admin: root } }\n" \
	"storage: { main: { type: nfs, server: nfs1, export: /srv//aegir } }\n" \
	"clusters: { live: { servers: [web1, web2], storage: main } }\n" \
	"packs: { dev: { masters: [], slaves: [web1], storage: main, paths: [/a, /b] } }\n" \
	"balancers: { edge: { type: haproxy, server: nfs1, bind: [\"*:80\"], backends: [live, dev], check: /x } }\n"
#define WRONG "version: 2\nservers: { web1: { hots: a, port: ssh }, web1: {}, w: { root: x, user: -l } }\n1: x\n" \
	"clusters: { live: { servers: [web9, &a b, *a] } }\npacks: { w: {} }\n<<: x\nz: !t 1\n"
#define BROKEN "version: 1\nservers: { web1: [ }\n"

struct outcome {
	struct ags_topology *t;
	struct ags_problems problems;
	struct ags_err err;
};

/* What is wrong with the text must be said, or that memory was short: nothing between. */
static void check_outcome(struct outcome *o, bool has_failed, bool is_right)
{
	if (o->t == NULL && o->problems.out_of_memory)
		CHECK_INT(o->err.code, AGS_NOMEM);
	if (o->t != NULL)
		CHECK(is_right && o->problems.count == 0 && o->err.code == AGS_OK && !o->problems.out_of_memory);
	if (o->t == NULL)
		CHECK(o->err.code == AGS_NOMEM || (o->problems.count > 0 && !is_right));
	if (!has_failed)
		CHECK(o->err.code == AGS_OK && (o->t != NULL) == is_right);
	ags_topology_free(o->t);
	ags_problems_free(&o->problems);
}

static size_t try_all(const char *file, bool is_right, bool stays)
{
	bool has_failed = true;
	size_t n;

	for (n = 1; has_failed && n < 10000; n++) {
		struct outcome o = { .problems = AGS_PROBLEMS_INIT, .err = AGS_ERR_INIT };

		failing_begin(n, stays);
		o.t = ags_topology_load(file, "/var/aegir", &o.problems, &o.err);
		has_failed = failing_end();
		check_outcome(&o, has_failed, is_right);
	}
	return n;
}

static void try_text(const char *text, bool is_right)
{
	char file[] = "/tmp/aegir-topology-XXXXXX";
	int fd = mkstemp(file);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	CHECK(try_all(file, is_right, false) > 10);
	CHECK(try_all(file, is_right, true) > 10);
	unlink(file);
}

static void test_loading_a_right_file_survives_any_failed_allocation(void) { try_text(RIGHT, true); }
static void test_loading_a_wrong_file_survives_any_failed_allocation(void) { try_text(WRONG, false); }
static void test_loading_broken_yaml_survives_any_failed_allocation(void) { try_text(BROKEN, false); }

/* An arena asks for a block seldom, so the tree and the group are tried with thousands of servers' worth of blocks too. */
static struct ags_topology *big_topology(void)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_topology *t;
	char *text = malloc(1 << 17);
	size_t used = (size_t)sprintf(text, "version: 1\nservers:\n");

	for (int i = 0; i < 1000; i++)
		used += (size_t)sprintf(text + used, "  web%d:\n", i);
	used += (size_t)sprintf(text + used, "clusters: { live: { servers: [");
	for (int i = 0; i < 1000; i++)
		used += (size_t)sprintf(text + used, "web%d, ", i);
	sprintf(text + used, "] } }\n");
	t = ags_topology_build(ags_yaml_parse(&arena, text, strlen(text), &problems), "", "/home", &problems, &err);
	CHECK(t != NULL);
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	free(text);
	return t;
}

static void test_the_tree_survives_any_failed_allocation(void)
{
	struct ags_topology *t = big_topology();
	bool has_failed = true;
	size_t n;

	for (n = 1; has_failed; n++) {
		struct ags_arena arena = AGS_ARENA_INIT;
		struct ags_node *tree;

		failing_begin(n, false);
		tree = ags_topology_tree(t, &arena);
		has_failed = failing_end();
		CHECK((tree == NULL) == has_failed);
		ags_arena_free(&arena);
	}
	CHECK(n > 5);
	ags_topology_free(t);
}

static void test_a_group_survives_any_failed_allocation(void)
{
	static const char *const groups[] = { "live", "web7", "liev" };
	struct ags_topology *t = big_topology();

	for (size_t i = 0; i < 3; i++) {
		struct ags_arena arena = AGS_ARENA_INIT;
		struct ags_err err = AGS_ERR_INIT;
		struct ags_servers servers;

		failing_begin(1, false);
		CHECK(!ags_topology_group(t, groups[i], &arena, &servers, &err));
		CHECK(failing_end());
		CHECK_INT(err.code, AGS_NOMEM);
		ags_arena_free(&arena);
	}
	ags_topology_free(t);
}

int main(void)
{
	RUN(test_loading_a_right_file_survives_any_failed_allocation);
	RUN(test_loading_a_wrong_file_survives_any_failed_allocation);
	RUN(test_loading_broken_yaml_survives_any_failed_allocation);
	RUN(test_the_tree_survives_any_failed_allocation);
	RUN(test_a_group_survives_any_failed_allocation);
	return check_result();
}
