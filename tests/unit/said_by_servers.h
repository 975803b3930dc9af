#ifndef AGS_TESTS_SAID_BY_SERVERS_H
#define AGS_TESTS_SAID_BY_SERVERS_H

#include "base/yaml.h"
#include "scale/sync.h"

#include <stdlib.h>
#include <string.h>

/*
 * Stands for ags_run() of scale/run.c, so that what is made of servers' answers can be tried without servers: a program that includes this
 * is not linked with the real one. said_run is asked what a server answers; it fills in outcome, error, exit_status, out and errors.
 */
static void (*said_run)(const char *server, const struct ags_strings *argv, struct ags_server_result *result);

/* web1, web2 and web3, and "live" for all of them. */
static inline struct ags_topology *said_topology(void)
{
	static const char text[] = "version: 1\nservers: { web1: {}, web2: {}, web3: {} }\nclusters: { live: { servers: [web1, web2, web3] } }\n";
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_topology *t = ags_topology_build(ags_yaml_parse(&arena, text, strlen(text), &problems), "", "/home", &problems, &err);

	if (t == NULL)
		abort();
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	return t;
}

static inline bool said_is_asked(const struct ags_strings *only, const char *server)
{
	for (size_t i = 0; i < only->count; i++)
		if (strcmp(only->items[i], server) == 0)
			return true;
	return only->count == 0;
}

bool ags_run(const struct ags_environment *env, const struct ags_topology *t, const char *group, const struct ags_strings *argv,
             const struct ags_run_options *options, const struct ags_host *host, struct ags_report *report, struct ags_err *err)
{
	struct ags_servers all;

	(void)env;
	(void)host;
	if (!ags_topology_group(t, group, &report->arena, &all, err))
		return false;
	report->servers = ags_arena_alloc(&report->arena, all.count * sizeof(*report->servers));
	if (report->servers == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < all.count; i++) {
		struct ags_server_result *r = &report->servers[report->count];

		if (!said_is_asked(&options->servers, all.items[i]->name))
			continue;
		*r = (struct ags_server_result){ .server = all.items[i]->name, .exit_status = -1, .out = "", .errors = "", .phase = AGS_PHASE_DONE };
		said_run(all.items[i]->name, argv, r);
		report->count++;
	}
	return true;
}

#endif
