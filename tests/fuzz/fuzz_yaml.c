#include "base/text.h"
#include "base/yaml.h"
#include "scale/topology.h"

#include <stdlib.h>
#include <string.h>

/* A topology file of any bytes. What is accepted must survive its own tree; what is said must be clean text. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void demand(bool claim)
{
	if (!claim)
		abort();
}

static void check_problems(const struct ags_problems *problems)
{
	char clean[2048];

	demand(!problems->out_of_memory);
	for (size_t i = 0; i < problems->count; i++) {
		const struct ags_problem *p = &problems->items[i];

		demand(p->message[0] != '\0');
		ags_text_clean(clean, sizeof(clean), p->message, strlen(p->message));
		demand(strcmp(clean, p->message) == 0);
		ags_text_clean(clean, sizeof(clean), p->where, strlen(p->where));
		demand(strcmp(clean, p->where) == 0);
	}
}

static void check_round_trip(const struct ags_topology *t)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_topology *again = ags_topology_build(ags_topology_tree(t, &arena), "", NULL, &problems, &err);

	demand(again != NULL && problems.count == 0 && again->server_count == t->server_count);
	for (size_t i = 0; i < t->server_count; i++)
		demand(strcmp(t->servers[i].host, again->servers[i].host) == 0 && strcmp(t->servers[i].root, again->servers[i].root) == 0);
	ags_topology_free(again);
	ags_problems_free(&problems);
	ags_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_node *root = ags_yaml_parse(&arena, (const char *)bytes, len, &problems);
	struct ags_topology *t = NULL;

	demand(root != NULL || problems.count > 0);
	if (root != NULL)
		t = ags_topology_build(root, "fuzz.yml", "/var/aegir", &problems, &err);
	demand((t == NULL) == (problems.count > 0) && err.code == AGS_OK);
	check_problems(&problems);
	if (t != NULL)
		check_round_trip(t);
	ags_topology_free(t);
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	return 0;
}
