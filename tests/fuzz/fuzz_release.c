#include "fuzz/fuzz.h"
#include "unit/said_by_servers.h"

#include "scale/release.h"

/*
 * What three servers answer to the script of releases, command by command:
 *
 *   {0: list, 1: prune, 2: switch} {max_failures} {how it ended, length: 2 bytes, answer}*
 *
 * Only names of releases are taken from it. A server switches only when no more than max_failures have not said that they have the release, and
 * never one that has not said so itself. Only what switched goes back, and only what switched and did not go back is marked.
 */
static struct ags_topology *topology;
static struct ags_cursor in;
static struct { bool is_checked, is_switched, is_back; } seen[3];
static unsigned max_failures, has_not_it;

static void clean_up(void)
{
	ags_topology_free(topology);
}

/* One of its lines is "end". */
static bool ends_well(const struct ags_server_result *r)
{
	const char *p = r->out, *end = r->out + r->out_len;

	for (const char *next; r->outcome == AGS_OUTCOME_SYNCED && p < end; p = next) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (next == NULL)
			return false;
		if (next++ - p >= 3 && memcmp(p, "end", 3) == 0)
			return true;
	}
	return false;
}

static void look_at_order(const char *verb, unsigned server, const struct ags_server_result *r)
{
	if (strcmp(verb, "check") == 0) {
		seen[server].is_checked = ends_well(r);
		has_not_it += !seen[server].is_checked;
	} else if (strcmp(verb, "switch") == 0) {
		must(seen[server].is_checked && has_not_it <= max_failures);
		seen[server].is_switched = true;
	} else if (strcmp(verb, "back") == 0) {
		must(seen[server].is_switched);
		seen[server].is_back = true;
	} else if (strcmp(verb, "mark") == 0) {
		must(seen[server].is_switched && !seen[server].is_back);
	}
}

static void answer(const char *server, const struct ags_strings *argv, struct ags_server_result *r)
{
	static char out[3][65536];
	unsigned i = (unsigned)(server[3] - '1');
	uint8_t how = take_u8(&in);
	uint16_t len = 0;

	must(argv->count == 8 && i < 3);
	ags_get_u16(&in, &len);
	len = len < ags_left(&in) ? len : (uint16_t)ags_left(&in);
	memcpy(out[i], in.p, len);
	in.p += len;
	r->outcome = how % 4 == 3 ? AGS_OUTCOME_FAILED : AGS_OUTCOME_SYNCED;
	r->exit_status = how % 4 == 3 ? how >> 2 : 0;
	r->error = how % 4 == 3 ? "the command exited" : NULL;
	if (how % 4 == 3) {
		r->errors = out[i];
		r->errors_len = len;
	} else {
		r->out = out[i];
		r->out_len = len;
	}
	look_at_order(argv->items[4], i, r);
}

static void check_names(const struct ags_strings *names)
{
	struct ags_err err = AGS_ERR_INIT;

	for (size_t i = 0; i < names->count; i++)
		must(ags_release_check(names->items[i], &err));
}

static void check_result(const struct ags_server_result *r)
{
	const struct ags_releases *has = r->releases;
	struct ags_err err = AGS_ERR_INIT;
	bool is_well = r->outcome == AGS_OUTCOME_SYNCED || r->outcome == AGS_OUTCOME_UNCHANGED;

	must(is_well == (r->error == NULL));
	if (r->error != NULL)
		must_be_clean(r->error);
	if (has == NULL)
		return;
	check_names(&has->whole);
	check_names(&has->good);
	check_names(&has->unfinished);
	check_names(&has->removed);
	must(has->current == NULL || ags_release_check(has->current, &err));
	must(has->last_good == NULL || has->current == NULL || strcmp(has->last_good, has->current) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ags_sync_options options = AGS_SYNC_OPTIONS_INIT;
	struct ags_environment env = { .pool = NULL };
	struct ags_report report = AGS_REPORT_INIT;
	struct ags_err err = AGS_ERR_INIT;
	bool all_well = true, ok;
	uint8_t verb;

	if (topology == NULL) {
		topology = said_topology();
		must(atexit(clean_up) == 0);
	}
	memset(seen, 0, sizeof(seen));
	has_not_it = 0;
	said_run = answer;
	in = (struct ags_cursor){ data, data + size };
	verb = take_u8(&in) % 3;
	options.max_failures = max_failures = take_u8(&in) % 3;
	ok = verb == 0   ? ags_release_list(&env, topology, "live", "/a/b/", &options, NULL, &report, &err)
	     : verb == 1 ? ags_release_prune(&env, topology, "live", "/a/b/", 3, &options, NULL, &report, &err)
	                 : ags_release_switch(&env, topology, "live", "/a/b/", "r1", &options, NULL, &report, &err);
	must(ok && err.code == AGS_OK && report.count == 3);
	for (size_t i = 0; i < report.count; i++) {
		check_result(&report.servers[i]);
		all_well = all_well && report.servers[i].error == NULL;
	}
	must(report.ok == all_well);
	ags_report_free(&report);
	return 0;
}
