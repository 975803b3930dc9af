#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "php_aegir_scale.h"

#include <pthread.h>
#include <unistd.h>
#include <xxhash.h>
#include <yaml.h>
#include <zstd.h>

#include "ext/json/php_json.h"
#include "ext/standard/info.h"
#include "zend_enum.h"
#include "zend_exceptions.h"
#include "zend_interfaces.h"

#include "base/limits.h"
#include "host.h"
#include "options.h"
#include "results.h"
#include "scale/fetch.h"
#include "scale/release.h"
#include "throw.h"
#include "topology_object.h"

#include "aegir_scale_arginfo.h"

#define MAX_KEPT 1000000
#define IDLE_MS 300000               /* sshd and firewalls forget silent connections too */

ZEND_DECLARE_MODULE_GLOBALS(aegir_scale)

zend_class_entry *ags_ce_outcome, *ags_ce_phase;
zend_class_entry *ags_ce_scale_exception, *ags_ce_topology_exception, *ags_ce_cancelled_exception;
zend_class_entry *ags_ce_problem, *ags_ce_topology, *ags_ce_progress, *ags_ce_change;
zend_class_entry *ags_ce_server_result, *ags_ce_report, *ags_ce_sync_report, *ags_ce_status_report;
zend_class_entry *ags_ce_run_result, *ags_ce_run_report;
zend_class_entry *ags_ce_release_result, *ags_ce_release_report;

/* One call of a function, and what there is to free when a fatal error cuts it short. */
struct call {
	enum ags_call kind;
	const struct ags_topology *topology;
	char *group;
	HashTable *words, *options;          /* paths or argv; words NULL: the path */
	zend_string *path;
	char *id;                            /* of a release; borrowed from the argument */
	zend_long keep;
	struct ags_strings strings;
	struct ags_options settings;
	struct ags_php_host host;
	struct ags_arena arena;
	struct ags_report report;
	struct ags_err err;
	zval *return_value;
};

#define CALL_INIT { .settings = AGS_OPTIONS_INIT, .report = AGS_REPORT_INIT, .return_value = return_value }

static void perform(struct call *c, zval *topology, const zend_fcall_info *callback, const zend_fcall_info_cache *cache);
static void call_body(void *arg);
static bool read_arguments(struct call *c);
static bool run_engine(struct call *c);
static bool run_release(struct call *c, const struct ags_environment *env);
static void give_report(const struct call *c, zval *to);
static bool refuse_nested(void);
static void list_session(zval *list, const struct ags_session_stats *s);

static void move_paths(INTERNAL_FUNCTION_PARAMETERS, enum ags_call kind)
{
	struct call c = CALL_INIT;
	zend_fcall_info callback = empty_fcall_info;
	zend_fcall_info_cache cache = empty_fcall_info_cache;
	zval *topology;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(3, 5)
		Z_PARAM_OBJECT_OF_CLASS(topology, ags_ce_topology)
		Z_PARAM_PATH(c.group, len)
		Z_PARAM_ARRAY_HT_OR_STR(c.words, c.path)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(c.options)
		Z_PARAM_FUNC_OR_NULL(callback, cache)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	c.kind = kind;
	perform(&c, topology, &callback, &cache);
}

ZEND_FUNCTION(Aegir_Scale_cluster_sync)
{
	move_paths(INTERNAL_FUNCTION_PARAM_PASSTHRU, AGS_CALL_SYNC);
}

ZEND_FUNCTION(Aegir_Scale_cluster_fetch)
{
	move_paths(INTERNAL_FUNCTION_PARAM_PASSTHRU, AGS_CALL_FETCH);
}

ZEND_FUNCTION(Aegir_Scale_cluster_status)
{
	struct call c = CALL_INIT;
	zval *topology;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(3, 4)
		Z_PARAM_OBJECT_OF_CLASS(topology, ags_ce_topology)
		Z_PARAM_PATH(c.group, len)
		Z_PARAM_ARRAY_HT_OR_STR(c.words, c.path)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(c.options)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	c.kind = AGS_CALL_STATUS;
	perform(&c, topology, &empty_fcall_info, &empty_fcall_info_cache);
}

ZEND_FUNCTION(Aegir_Scale_cluster_run)
{
	struct call c = CALL_INIT;
	zend_fcall_info callback = empty_fcall_info;
	zend_fcall_info_cache cache = empty_fcall_info_cache;
	zval *topology;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(3, 5)
		Z_PARAM_OBJECT_OF_CLASS(topology, ags_ce_topology)
		Z_PARAM_PATH(c.group, len)
		Z_PARAM_ARRAY_HT(c.words)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(c.options)
		Z_PARAM_FUNC_OR_NULL(callback, cache)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	c.kind = AGS_CALL_RUN;
	perform(&c, topology, &callback, &cache);
}

ZEND_FUNCTION(Aegir_Scale_release_list)
{
	struct call c = CALL_INIT;
	zval *topology;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(3, 4)
		Z_PARAM_OBJECT_OF_CLASS(topology, ags_ce_topology)
		Z_PARAM_PATH(c.group, len)
		Z_PARAM_STR(c.path)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(c.options)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	c.kind = AGS_CALL_RELEASE_LIST;
	perform(&c, topology, &empty_fcall_info, &empty_fcall_info_cache);
}

ZEND_FUNCTION(Aegir_Scale_release_switch)
{
	struct call c = CALL_INIT;
	zval *topology;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(4, 5)
		Z_PARAM_OBJECT_OF_CLASS(topology, ags_ce_topology)
		Z_PARAM_PATH(c.group, len)
		Z_PARAM_STR(c.path)
		Z_PARAM_PATH(c.id, len)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(c.options)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	c.kind = AGS_CALL_RELEASE_SWITCH;
	perform(&c, topology, &empty_fcall_info, &empty_fcall_info_cache);
}

ZEND_FUNCTION(Aegir_Scale_release_prune)
{
	struct call c = CALL_INIT;
	zval *topology;
	size_t len;

	ZEND_PARSE_PARAMETERS_START(4, 5)
		Z_PARAM_OBJECT_OF_CLASS(topology, ags_ce_topology)
		Z_PARAM_PATH(c.group, len)
		Z_PARAM_STR(c.path)
		Z_PARAM_LONG(c.keep)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(c.options)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	c.kind = AGS_CALL_RELEASE_PRUNE;
	perform(&c, topology, &empty_fcall_info, &empty_fcall_info_cache);
}

ZEND_FUNCTION(Aegir_Scale_pool_stats)
{
	struct ags_pool_stats totals = {0};
	struct ags_session_stats session;
	zval sessions;

	ZEND_PARSE_PARAMETERS_NONE();
	array_init(return_value);
	array_init(&sessions);
	if (AGS_G(pool) != NULL) {
		ags_pool_totals(AGS_G(pool), &totals);
		for (size_t i = 0; ags_pool_session(AGS_G(pool), i, &session); i++)
			list_session(&sessions, &session);
	}
	add_assoc_long(return_value, "opened", (zend_long)totals.opened);
	add_assoc_long(return_value, "reused", (zend_long)totals.reused);
	add_assoc_long(return_value, "failed", (zend_long)totals.failed);
	add_assoc_long(return_value, "closed", (zend_long)totals.closed);
	add_assoc_long(return_value, "idle", (zend_long)totals.idle);
	add_assoc_long(return_value, "in_use", (zend_long)totals.in_use);
	add_assoc_zval(return_value, "sessions", &sessions);
}

ZEND_FUNCTION(Aegir_Scale_pool_close)
{
	ZEND_PARSE_PARAMETERS_NONE();
	if (!refuse_nested() && AGS_G(pool) != NULL)
		ags_pool_close(AGS_G(pool));
}

ZEND_METHOD(Aegir_Scale_Problem, __toString)
{
	zend_object *problem = Z_OBJ_P(ZEND_THIS);
	const zval *p = problem->properties_table;
	struct ags_problem plain;

	ZEND_PARSE_PARAMETERS_NONE();
	if (Z_TYPE(p[0]) == IS_UNDEF)
		RETURN_EMPTY_STRING();
	plain.line = (unsigned)Z_LVAL(p[1]);
	plain.column = (unsigned)Z_LVAL(p[2]);
	plain.where = Z_STRVAL(p[3]);
	plain.message = Z_STRVAL(p[4]);
	RETURN_STR(ags_result_problem_text(Z_STRVAL(p[0]), &plain));
}

/* Of every class that has it. */
ZEND_METHOD(Aegir_Scale_Problem, jsonSerialize)
{
	ZEND_PARSE_PARAMETERS_NONE();
	ags_result_plain(return_value, Z_OBJ_P(ZEND_THIS));
}

static void perform(struct call *c, zval *topology, const zend_fcall_info *callback, const zend_fcall_info_cache *cache)
{
	bool whole;

	c->topology = ags_topology_object_get(Z_OBJ_P(topology));
	if (c->topology == NULL || refuse_nested())
		return;
	ags_host_init(&c->host, callback, cache);
	whole = ags_host_guard(call_body, c);
	AGS_G(in_call) = false;
	ags_report_free(&c->report);
	ags_arena_free(&c->arena);
	if (!whole || c->host.bailout)
		zend_bailout();
}

static void call_body(void *arg)
{
	struct call *c = arg;
	zval report;
	bool ok;

	if (!read_arguments(c))
		return;
	AGS_G(in_call) = true;
	ok = run_engine(c);
	AGS_G(in_call) = false;
	/* What a callback threw is what the caller gets. */
	if (c->host.bailout || EG(exception) != NULL)
		return;
	ZVAL_NULL(&report);
	if (ok)
		give_report(c, c->return_value);
	else if (c->err.code == AGS_CANCELLED && c->report.count > 0)
		give_report(c, &report);
	if (!ok)
		ags_throw_with_report(&c->err, &report);
}

static bool read_arguments(struct call *c)
{
	bool is_later = c->kind == AGS_CALL_RELEASE_SWITCH || c->kind == AGS_CALL_RELEASE_PRUNE;

	if (!ags_options_read(&c->settings, c->options, is_later ? 5 : 4, c->kind, &c->arena))
		return false;
	if (c->kind == AGS_CALL_RELEASE_PRUNE && (c->keep < 0 || c->keep > MAX_KEPT)) {
		zend_argument_value_error(4, "must be between 0 and %d", MAX_KEPT);
		return false;
	}
	if (c->kind == AGS_CALL_RUN)
		return ags_options_argv(&c->strings, c->words, 3, &c->arena);
	if (c->kind == AGS_CALL_STATUS)
		c->settings.sync.status = c->settings.sync.dry_run = c->settings.sync.itemize = true;
	return ags_options_paths(&c->strings, c->words, c->path, 3, &c->arena);
}

static bool run_engine(struct call *c)
{
	struct ags_environment env = {
		.home = getenv("HOME"), .agent = getenv("SSH_AUTH_SOCK"), .state_home = getenv("XDG_STATE_HOME"), .held = &AGS_G(held),
	};
	struct ags_pool_limits limits = { .handshakes = AGS_MAX_HANDSHAKES, .idle_ms = IDLE_MS };

	if (AGS_G(pool) == NULL)
		AGS_G(pool) = ags_pool_new(&limits);
	env.pool = AGS_G(pool);
	if (env.pool == NULL)
		return ags_fail_nomem(&c->err);
	if (c->kind == AGS_CALL_FETCH)
		return ags_fetch(&env, c->topology, c->group, &c->strings, &c->settings.sync, &c->host.engine, &c->report, &c->err);
	if (c->kind == AGS_CALL_RUN)
		return ags_run(&env, c->topology, c->group, &c->strings, &c->settings.run, &c->host.engine, &c->report, &c->err);
	if (c->kind == AGS_CALL_SYNC && c->settings.sync.release != NULL)
		return ags_release_sync(&env, c->topology, c->group, &c->strings, &c->settings.sync, &c->host.engine, &c->report, &c->err);
	if (c->kind & (AGS_CALL_SYNC | AGS_CALL_STATUS))
		return ags_sync(&env, c->topology, c->group, &c->strings, &c->settings.sync, &c->host.engine, &c->report, &c->err);
	return run_release(c, &env);
}

static bool run_release(struct call *c, const struct ags_environment *env)
{
	const struct ags_sync_options *o = &c->settings.sync;
	const char *path = c->strings.items[0];

	if (c->kind == AGS_CALL_RELEASE_LIST)
		return ags_release_list(env, c->topology, c->group, path, o, &c->host.engine, &c->report, &c->err);
	if (c->kind == AGS_CALL_RELEASE_PRUNE)
		return ags_release_prune(env, c->topology, c->group, path, (unsigned)c->keep, o, &c->host.engine, &c->report, &c->err);
	return ags_release_switch(env, c->topology, c->group, path, c->id, o, &c->host.engine, &c->report, &c->err);
}

static void give_report(const struct call *c, zval *to)
{
	switch (c->kind) {
	case AGS_CALL_SYNC:
	case AGS_CALL_FETCH:
		ags_result_sync_report(to, &c->report);
		break;
	case AGS_CALL_STATUS:
		ags_result_status_report(to, &c->report);
		break;
	case AGS_CALL_RUN:
		ags_result_run_report(to, &c->report);
		break;
	case AGS_CALL_RELEASE_LIST:
	case AGS_CALL_RELEASE_SWITCH:
	case AGS_CALL_RELEASE_PRUNE:
		ags_result_release_report(to, &c->report);
		break;
	}
}

/* A callback or a signal handler would enter the loop that is running it. */
static bool refuse_nested(void)
{
	if (AGS_G(in_call))
		ags_throw_path("", "another call is running: its callback or a signal handler cannot begin one");
	return AGS_G(in_call);
}

static void list_session(zval *list, const struct ags_session_stats *s)
{
	zval entry;

	array_init(&entry);
	add_assoc_string(&entry, "server", s->server);
	add_assoc_string(&entry, "host", s->host);
	add_assoc_long(&entry, "port", s->port);
	add_assoc_string(&entry, "user", s->user);
	add_assoc_string(&entry, "state", s->state);
	add_assoc_string(&entry, "transport", s->transport);
	add_assoc_string(&entry, "reason", s->reason);
	add_assoc_string(&entry, "host_key", s->host_key);
	add_assoc_string(&entry, "cipher", s->cipher);
	add_assoc_long(&entry, "commands", (zend_long)s->commands);
	add_assoc_long(&entry, "bytes_sent", (zend_long)s->bytes_sent);
	add_assoc_long(&entry, "bytes_received", (zend_long)s->bytes_received);
	add_assoc_double(&entry, "seconds", (double)s->age_ms / 1000.0);
	add_next_index_zval(list, &entry);
}

static void register_classes(void)
{
	ags_ce_outcome = register_class_Aegir_Scale_Outcome();
	ags_ce_phase = register_class_Aegir_Scale_Phase();
	ags_ce_report = register_class_Aegir_Scale_Report(php_json_serializable_ce);
	ags_ce_scale_exception = register_class_Aegir_Scale_ScaleException(zend_ce_exception);
	ags_ce_topology_exception = register_class_Aegir_Scale_TopologyException(ags_ce_scale_exception);
	ags_ce_cancelled_exception = register_class_Aegir_Scale_CancelledException(ags_ce_scale_exception);
	ags_throw_init();
	ags_ce_problem = register_class_Aegir_Scale_Problem(php_json_serializable_ce, zend_ce_stringable);
	ags_ce_topology = register_class_Aegir_Scale_Topology();
	ags_topology_object_init(ags_ce_topology);
	ags_ce_progress = register_class_Aegir_Scale_Progress();
	ags_ce_change = register_class_Aegir_Scale_Change(php_json_serializable_ce);
	ags_ce_server_result = register_class_Aegir_Scale_ServerResult(php_json_serializable_ce);
	ags_ce_sync_report = register_class_Aegir_Scale_SyncReport(ags_ce_report);
	ags_ce_status_report = register_class_Aegir_Scale_StatusReport(ags_ce_report);
	ags_ce_run_result = register_class_Aegir_Scale_RunResult(php_json_serializable_ce);
	ags_ce_run_report = register_class_Aegir_Scale_RunReport(ags_ce_report);
	ags_ce_release_result = register_class_Aegir_Scale_ReleaseResult(php_json_serializable_ce);
	ags_ce_release_report = register_class_Aegir_Scale_ReleaseReport(ags_ce_report);
}

/* A child that outlives its parent must not keep what the parent held. */
static void forget_lock(void)
{
#ifdef ZTS
	if (tsrm_get_ls_cache() == NULL)     /* no thread of PHP */
		return;
#endif
	if (AGS_G(held) >= 0)
		close(AGS_G(held));
	AGS_G(held) = -1;
}

static PHP_MINIT_FUNCTION(aegir_scale)
{
	(void)type;
	(void)module_number;
	if (!ags_ssh_init()) {
		php_error_docref(NULL, E_CORE_WARNING, "libssh2 cannot be initialised");
		return FAILURE;
	}
	if (pthread_atfork(NULL, NULL, forget_lock) != 0) {
		php_error_docref(NULL, E_CORE_WARNING, "out of memory");
		return FAILURE;
	}
	register_classes();
	return SUCCESS;
}

static PHP_MSHUTDOWN_FUNCTION(aegir_scale)
{
	(void)type;
	(void)module_number;
	ags_ssh_exit();
	return SUCCESS;
}

/* Under a server like FPM no session outlives its request; on the command line the request is the process. */
static PHP_RSHUTDOWN_FUNCTION(aegir_scale)
{
	(void)type;
	(void)module_number;
	ags_pool_free(AGS_G(pool));
	AGS_G(pool) = NULL;
	AGS_G(in_call) = false;
	return SUCCESS;
}

/* Once per thread. */
static void begin_thread(void *globals)
{
#if defined(COMPILE_DL_AEGIR_SCALE) && defined(ZTS)
	ZEND_TSRMLS_CACHE_UPDATE();
#endif
	memset(globals, 0, sizeof(zend_aegir_scale_globals));
	((zend_aegir_scale_globals *)globals)->held = -1;
}

static PHP_MINFO_FUNCTION(aegir_scale)
{
	unsigned xxh = XXH_versionNumber();
	char text[128];

	(void)zend_module;
	php_info_print_table_start();
	php_info_print_table_row(2, "aegir_scale", PHP_AEGIR_SCALE_VERSION);
	php_info_print_table_row(2, "rsync protocols spoken", "30 to 32");
	snprintf(text, sizeof(text), "%s (compiled with %s)", ags_ssh_version(), ags_ssh_compiled_version());
	php_info_print_table_row(2, "libssh2", text);
	php_info_print_table_row(2, "libyaml", yaml_get_version_string());
	php_info_print_table_row(2, "zstd", ZSTD_versionString());
	snprintf(text, sizeof(text), "%u.%u.%u", xxh / 10000, xxh / 100 % 100, xxh % 100);
	php_info_print_table_row(2, "xxHash", text);
	snprintf(text, sizeof(text), "%d servers, %u files, %u filter rules", AGS_MAX_SERVERS, AGS_MAX_ENTRIES, AGS_MAX_RULES);
	php_info_print_table_row(2, "limits of a call", text);
	snprintf(text, sizeof(text), "%u MiB", AGS_MAX_OUTPUT >> 20);
	php_info_print_table_row(2, "output kept of a command", text);
	php_info_print_table_end();
}

static const zend_module_dep dependencies[] = {
	ZEND_MOD_REQUIRED("json")
	ZEND_MOD_END
};

zend_module_entry aegir_scale_module_entry = {
	STANDARD_MODULE_HEADER_EX,
	NULL,
	dependencies,
	"aegir_scale",
	ext_functions,
	PHP_MINIT(aegir_scale),
	PHP_MSHUTDOWN(aegir_scale),
	NULL,
	PHP_RSHUTDOWN(aegir_scale),
	PHP_MINFO(aegir_scale),
	PHP_AEGIR_SCALE_VERSION,
	PHP_MODULE_GLOBALS(aegir_scale),
	begin_thread,
	NULL,
	NULL,
	STANDARD_MODULE_PROPERTIES_EX
};

#ifdef COMPILE_DL_AEGIR_SCALE
#ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
#endif
ZEND_GET_MODULE(aegir_scale)
#endif
