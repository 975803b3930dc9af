#include "results.h"

#include "zend_enum.h"
#include "zend_smart_str.h"

#include "base/text.h"
#include "php_aegir_scale.h"
#include "scale/release.h"

/*
 * The classes are final and set nowhere else, so their properties are written straight into the object's slots, in the
 * order in which the stub declares them.
 */
struct filler {
	zend_object *object;
	unsigned next;
};

static struct filler fill(zval *to, zend_class_entry *ce);
static zval *slot(struct filler *f);
static void put_int(struct filler *f, uint64_t number);
static void put_text(struct filler *f, const char *text);
static void put_bytes(struct filler *f, const char *bytes, size_t len);
static void put_case(struct filler *f, zend_class_entry *ce, const char *name);
static void put_outcome(struct filler *f, enum ags_outcome outcome);
static void put_phase(struct filler *f, enum ags_phase phase);
static void put_changes(struct filler *f, const struct ags_server_result *r);
typedef void convert_fn(zval *to, const struct ags_server_result *r);
static void put_servers(struct filler *f, const struct ags_report *report, convert_fn *convert);
static void put_source(struct filler *f, const struct ags_report *report);
static void server_result(zval *to, const struct ags_server_result *r);
static void run_result(zval *to, const struct ags_server_result *r);
static void release_result(zval *to, const struct ags_server_result *r);
static void put_names(struct filler *f, const struct ags_strings *names);
static void plain_value(zval *to, const zval *value, bool lines);
static zend_string *clean_text(zend_string *text, bool lines);

void ags_result_progress(zval *to, const struct ags_progress *p)
{
	struct filler f = fill(to, ags_ce_progress);

	put_text(&f, p->server);
	put_phase(&f, p->phase);
	put_int(&f, p->files_done);
	put_int(&f, p->files_total);
	put_int(&f, p->bytes_done);
	put_int(&f, p->bytes_total);
}

void ags_result_sync_report(zval *to, const struct ags_report *report)
{
	struct filler f = fill(to, ags_ce_sync_report);

	ZVAL_BOOL(slot(&f), report->ok);
	ZVAL_BOOL(slot(&f), report->committed);
	put_source(&f, report);
}

void ags_result_status_report(zval *to, const struct ags_report *report)
{
	struct filler f = fill(to, ags_ce_status_report);

	ZVAL_BOOL(slot(&f), report->ok);
	put_source(&f, report);
}

void ags_result_run_report(zval *to, const struct ags_report *report)
{
	struct filler f = fill(to, ags_ce_run_report);

	ZVAL_BOOL(slot(&f), report->ok);
	ZVAL_DOUBLE(slot(&f), report->seconds);
	put_servers(&f, report, run_result);
}

void ags_result_release_report(zval *to, const struct ags_report *report)
{
	struct filler f = fill(to, ags_ce_release_report);

	ZVAL_BOOL(slot(&f), report->ok);
	ZVAL_DOUBLE(slot(&f), report->seconds);
	put_servers(&f, report, release_result);
}

void ags_result_problems(zval *to, const struct ags_problems *problems, const char *file)
{
	array_init_size(to, (uint32_t)problems->count);
	for (size_t i = 0; i < problems->count; i++) {
		const struct ags_problem *p = &problems->items[i];
		zval object;
		struct filler f = fill(&object, ags_ce_problem);

		put_text(&f, file);
		put_int(&f, p->line);
		put_int(&f, p->column);
		put_text(&f, p->where);
		put_text(&f, p->message);
		add_next_index_zval(to, &object);
	}
}

zend_string *ags_result_problem_text(const char *file, const struct ags_problem *problem)
{
	if (file[0] != '\0')
		return strpprintf(0, "%s:%u:%u: %s", file, problem->line, problem->column, problem->message);
	if (problem->where[0] != '\0')
		return strpprintf(0, "%s: %s", problem->where, problem->message);
	return strpprintf(0, "%s", problem->message);
}

void ags_result_plain(zval *to, const zend_object *object)
{
	const zend_class_entry *ce = object->ce;

	array_init(to);
	for (int i = 0; i < ce->default_properties_count; i++) {
		const zend_property_info *info = ce->properties_info_table[i];
		const zval *value = &object->properties_table[i];
		bool lines;
		zval plain;

		/* Userland can make an empty object by reflection. */
		if (info == NULL || Z_TYPE_P(value) == IS_UNDEF)
			continue;
		lines = zend_string_equals_literal(info->name, "stdout") || zend_string_equals_literal(info->name, "stderr");
		plain_value(&plain, value, lines);
		zend_hash_update(Z_ARRVAL_P(to), info->name, &plain);
	}
}

static void server_result(zval *to, const struct ags_server_result *r)
{
	struct filler f = fill(to, ags_ce_server_result);

	put_text(&f, r->server);
	put_outcome(&f, r->outcome);
	put_phase(&f, r->phase);
	put_int(&f, r->files);
	put_int(&f, r->deleted);
	put_int(&f, r->bytes_sent);
	put_int(&f, r->bytes_matched);
	ZVAL_DOUBLE(slot(&f), r->seconds);
	put_text(&f, r->error);
	put_text(&f, r->path);
	put_changes(&f, r);
}

static void run_result(zval *to, const struct ags_server_result *r)
{
	struct filler f = fill(to, ags_ce_run_result);

	put_text(&f, r->server);
	put_outcome(&f, r->outcome);
	if (r->exit_status < 0)
		ZVAL_NULL(slot(&f));
	else
		ZVAL_LONG(slot(&f), r->exit_status);
	put_text(&f, r->signal);
	put_bytes(&f, r->out, r->out_len);
	put_bytes(&f, r->errors, r->errors_len);
	ZVAL_BOOL(slot(&f), r->out_cut || r->errors_cut);
	ZVAL_DOUBLE(slot(&f), r->seconds);
	put_text(&f, r->error);
}

static void release_result(zval *to, const struct ags_server_result *r)
{
	static const struct ags_releases none;
	const struct ags_releases *releases = r->releases != NULL ? r->releases : &none;
	struct filler f = fill(to, ags_ce_release_result);

	put_text(&f, r->server);
	put_outcome(&f, r->outcome);
	put_text(&f, releases->current);
	put_text(&f, releases->last_good);
	put_names(&f, &releases->whole);
	put_names(&f, &releases->good);
	put_names(&f, &releases->unfinished);
	put_names(&f, &releases->removed);
	ZVAL_DOUBLE(slot(&f), r->seconds);
	put_text(&f, r->error);
}

static void put_names(struct filler *f, const struct ags_strings *names)
{
	zval *list = slot(f);

	array_init_size(list, (uint32_t)names->count);
	for (size_t i = 0; i < names->count; i++)
		add_next_index_string(list, names->items[i]);
}

/* What a sync and a status tell of the source and the servers, in the same order. */
static void put_source(struct filler *f, const struct ags_report *report)
{
	zval *warnings;

	ZVAL_DOUBLE(slot(f), report->seconds);
	put_int(f, report->files);
	put_int(f, report->bytes);
	put_servers(f, report, server_result);
	warnings = slot(f);
	array_init_size(warnings, (uint32_t)report->warning_count);
	for (size_t i = 0; i < report->warning_count; i++)
		add_next_index_string(warnings, report->warnings[i]);
}

static void put_servers(struct filler *f, const struct ags_report *report, convert_fn *convert)
{
	zval *servers = slot(f);

	array_init_size(servers, (uint32_t)report->count);
	for (size_t i = 0; i < report->count; i++) {
		const struct ags_server_result *r = &report->servers[i];
		zval object;

		convert(&object, r);
		zend_symtable_str_update(Z_ARRVAL_P(servers), r->server, strlen(r->server), &object);
	}
}

/* The engine's paths are relative to the server's root; "." is that root. */
static void put_changes(struct filler *f, const struct ags_server_result *r)
{
	zval *list = slot(f);

	array_init_size(list, (uint32_t)r->change_count);
	for (size_t i = 0; i < r->change_count; i++) {
		const struct ags_change *c = &r->changes[i];
		bool is_root = c->path_len == 1 && c->path[0] == '.';
		size_t skip = is_root || (c->path_len > 0 && c->path[0] == '/') ? 1 : 0;
		zval object;
		struct filler change = fill(&object, ags_ce_change);

		ZVAL_STR(slot(&change), zend_string_concat2("/", 1, c->path + skip, c->path_len - skip));
		put_text(&change, c->code);
		add_next_index_zval(list, &object);
	}
}

static struct filler fill(zval *to, zend_class_entry *ce)
{
	object_init_ex(to, ce);
	return (struct filler){ .object = Z_OBJ_P(to) };
}

static zval *slot(struct filler *f)
{
	ZEND_ASSERT((int)f->next < f->object->ce->default_properties_count);
	return OBJ_PROP_NUM(f->object, f->next++);
}

static void put_int(struct filler *f, uint64_t number)
{
	ZVAL_LONG(slot(f), number > ZEND_LONG_MAX ? ZEND_LONG_MAX : (zend_long)number);
}

static void put_text(struct filler *f, const char *text)
{
	if (text == NULL)
		ZVAL_NULL(slot(f));
	else
		ZVAL_STRING(slot(f), text);
}

static void put_bytes(struct filler *f, const char *bytes, size_t len)
{
	ZVAL_STRINGL_FAST(slot(f), bytes == NULL ? "" : bytes, len);
}

static void put_case(struct filler *f, zend_class_entry *ce, const char *name)
{
	ZVAL_OBJ_COPY(slot(f), zend_enum_get_case_cstr(ce, name));
}

static void put_outcome(struct filler *f, enum ags_outcome outcome)
{
	static const char *const names[] = { "Synced", "Unchanged", "Differs", "Staged", "Failed", "Skipped" };

	put_case(f, ags_ce_outcome, names[outcome]);
}

static void put_phase(struct filler *f, enum ags_phase phase)
{
	static const char *const names[] = { "Connect", "Start", "List", "Transfer", "Staged", "Commit", "Delete", "Done" };

	put_case(f, ags_ce_phase, names[phase]);
}

static void plain_value(zval *to, const zval *value, bool lines)
{
	zend_string *key;
	zend_ulong index;
	zval *item, plain;

	if (Z_TYPE_P(value) == IS_STRING) {
		ZVAL_STR(to, clean_text(Z_STR_P(value), lines));
	} else if (Z_TYPE_P(value) == IS_OBJECT && (Z_OBJCE_P(value)->ce_flags & ZEND_ACC_ENUM)) {
		ZVAL_COPY(to, zend_enum_fetch_case_value(Z_OBJ_P(value)));
	} else if (Z_TYPE_P(value) == IS_OBJECT) {
		ags_result_plain(to, Z_OBJ_P(value));
	} else if (Z_TYPE_P(value) == IS_ARRAY) {
		array_init_size(to, zend_hash_num_elements(Z_ARRVAL_P(value)));
		ZEND_HASH_FOREACH_KEY_VAL(Z_ARRVAL_P(value), index, key, item) {
			plain_value(&plain, item, lines);
			if (key != NULL)
				zend_hash_update(Z_ARRVAL_P(to), key, &plain);
			else
				zend_hash_index_update(Z_ARRVAL_P(to), index, &plain);
		} ZEND_HASH_FOREACH_END();
	} else {
		ZVAL_COPY(to, value);
	}
}

static zend_string *clean_text(zend_string *text, bool lines)
{
	/* A byte becomes at most \xHH. */
	zend_string *clean = zend_string_safe_alloc(ZSTR_LEN(text), 4, 1, 0);
	size_t size = ZSTR_LEN(text) * 4 + 1, len;

	len = lines ? ags_text_clean_lines(ZSTR_VAL(clean), size, ZSTR_VAL(text), ZSTR_LEN(text))
	            : ags_text_clean(ZSTR_VAL(clean), size, ZSTR_VAL(text), ZSTR_LEN(text));
	return zend_string_truncate(clean, len, 0);
}
