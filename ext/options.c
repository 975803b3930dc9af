#include "options.h"

#include "base/limits.h"
#include "base/text.h"
#include "convert.h"
#include "throw.h"

#include <sys/stat.h>

#define SYNC   AGS_CALL_SYNC
#define STATUS AGS_CALL_STATUS
#define RUN    AGS_CALL_RUN
#define FETCH  AGS_CALL_FETCH
#define RELEASES (AGS_CALL_RELEASE_LIST | AGS_CALL_RELEASE_SWITCH | AGS_CALL_RELEASE_PRUNE)

enum kind { SWITCH, COUNT, SECONDS, CHOICE, LIST, BYTES, TEXT };

struct option {
	const char *name;
	enum kind kind;
	unsigned calls;                     /* of enum ags_call */
	size_t offset;                      /* of its field in struct ags_options */
	unsigned least, most;               /* of a number */
	const char *choices[6];             /* of a choice; the field gets the index */
};

#define AT(field) offsetof(struct ags_options, field)

static const struct option known[] = {
	{ "delete",          SWITCH,  SYNC | STATUS, AT(sync.delete_extraneous), 0, 0, { NULL } },
	{ "filter",          LIST,    SYNC | STATUS | FETCH, AT(sync.filter), 0, 0, { NULL } },
	{ "include",         LIST,    SYNC | STATUS | FETCH, AT(sync.include), 0, 0, { NULL } },
	{ "exclude",         LIST,    SYNC | STATUS | FETCH, AT(sync.exclude), 0, 0, { NULL } },
	{ "protect",         LIST,    SYNC | STATUS, AT(sync.protect), 0, 0, { NULL } },
	{ "relative",        SWITCH,  SYNC | STATUS, AT(sync.relative), 0, 0, { NULL } },
	{ "keep_dirlinks",   SWITCH,  SYNC | STATUS, AT(sync.keep_dirlinks), 0, 0, { NULL } },
	{ "omit_dir_times",  SWITCH,  SYNC | STATUS, AT(sync.omit_dir_times), 0, 0, { NULL } },
	{ "checksum",        SWITCH,  SYNC | STATUS | FETCH, AT(sync.checksum), 0, 0, { NULL } },
	{ "numeric_ids",     SWITCH,  SYNC | STATUS, AT(sync.numeric_ids), 0, 0, { NULL } },
	{ "copy_dirlinks",   SWITCH,  SYNC | STATUS, AT(sync.copy_dirlinks), 0, 0, { NULL } },
	{ "link_dest",       LIST,    SYNC | STATUS, AT(sync.link_dest), 0, 0, { NULL } },
	{ "chmod",           LIST,    SYNC | STATUS, AT(sync.chmod), 0, 0, { NULL } },
	{ "hard_links",      SWITCH,  SYNC | STATUS, AT(sync.hard_links), 0, 0, { NULL } },
	{ "update",          SWITCH,  SYNC | STATUS, AT(sync.update), 0, 0, { NULL } },
	{ "compress",        CHOICE,  SYNC | STATUS, AT(sync.compress), 0, 0, { "auto", "none", "zstd", "zlib", "lz4", NULL } },
	{ "bwlimit",         COUNT,   SYNC | STATUS, AT(sync.bwlimit), 0, INT32_MAX / 1024, { NULL } },
	{ "guard",           SWITCH,  SYNC, AT(sync.guard), 0, 0, { NULL } },
	{ "dry_run",         SWITCH,  SYNC, AT(sync.dry_run), 0, 0, { NULL } },
	{ "itemize",         SWITCH,  SYNC | FETCH, AT(sync.itemize), 0, 0, { NULL } },
	{ "commit",          CHOICE,  SYNC, AT(commit), 0, 0, { "together", "each", NULL } },
	{ "max_failures",    COUNT,   SYNC | AGS_CALL_RELEASE_SWITCH, AT(sync.max_failures), 0, AGS_MAX_SERVERS, { NULL } },
	{ "max_delete",      COUNT,   SYNC, AT(sync.max_delete), 0, INT32_MAX, { NULL } },
	{ "parallel",        COUNT,   SYNC | STATUS | RUN | RELEASES | FETCH, AT(sync.parallel), 1, AGS_MAX_HANDSHAKES, { NULL } },
	{ "connect_timeout", SECONDS, SYNC | STATUS | RUN | RELEASES | FETCH, AT(sync.connect_timeout), 1, 86400, { NULL } },
	{ "timeout",         SECONDS, SYNC | STATUS | RUN | RELEASES | FETCH, AT(sync.timeout), 1, 86400, { NULL } },
	{ "servers",         LIST,    SYNC | STATUS | RUN | RELEASES | FETCH, AT(sync.servers), 0, 0, { NULL } },
	{ "release",         TEXT,    SYNC, AT(sync.release), 0, 0, { NULL } },
	{ "input",           BYTES,   RUN, AT(run.input), 0, 0, { NULL } },
};

struct reader {
	struct ags_options *options;
	struct ags_arena *arena;
	uint32_t arg;                       /* which argument of the function this is, for messages */
};

static unsigned current_umask(void);
static bool read_option(struct reader *r, const struct option *o, const zval *value);
static bool read_switch(struct reader *r, const struct option *o, const zval *value);
static bool read_number(struct reader *r, const struct option *o, const zval *value);
static bool read_choice(struct reader *r, const struct option *o, const zval *value);
static bool read_list(struct reader *r, const struct option *o, const zval *value);
static bool read_list_item(struct reader *r, const char *name, const zval *value, size_t index, struct ags_strings *list);
static bool read_bytes(struct reader *r, const struct option *o, const zval *value);
static bool read_text(struct reader *r, const struct option *o, const zval *value);
static const struct option *find(const zend_string *name);
static bool refuse_unknown(uint32_t arg, const zend_string *key, enum ags_call call);
static bool refuse(uint32_t arg, const char *name, const zval *value, const char *want);
static bool add_path(struct ags_strings *paths, const zval *value, uint32_t arg, struct ags_arena *arena);
static bool has_dot_dot(const char *path);
static bool make_room(struct ags_strings *list, size_t count, struct ags_arena *arena);
static bool add_text(struct ags_strings *list, const zend_string *text, struct ags_arena *arena);

bool ags_options_read(struct ags_options *options, HashTable *array, uint32_t arg, enum ags_call call, struct ags_arena *arena)
{
	struct reader r = { .options = options, .arena = arena, .arg = arg };
	const struct option *o;
	zend_string *key;
	zval *value;

	if (array != NULL) {
		ZEND_HASH_FOREACH_STR_KEY_VAL(array, key, value) {
			ZVAL_DEREF(value);
			o = key == NULL ? NULL : find(key);
			if (o == NULL || !(o->calls & call))
				return refuse_unknown(arg, key, call);
			if (!read_option(&r, o, value))
				return false;
		} ZEND_HASH_FOREACH_END();
	}
	options->sync.commit_each = options->commit == 1;
	options->sync.umask = current_umask();
	options->run.parallel = options->sync.parallel;
	options->run.connect_timeout = options->sync.connect_timeout;
	options->run.timeout = options->sync.timeout;
	options->run.servers = options->sync.servers;
	return true;
}

bool ags_options_paths(struct ags_strings *paths, HashTable *array, zend_string *path, uint32_t arg, struct ags_arena *arena)
{
	zval one, *value;

	if (array == NULL) {
		ZVAL_STR(&one, path);
		return make_room(paths, 1, arena) && add_path(paths, &one, arg, arena);
	}
	if (zend_hash_num_elements(array) == 0) {
		zend_argument_value_error(arg, "must hold at least one path");
		return false;
	}
	if (!make_room(paths, zend_hash_num_elements(array), arena))
		return false;
	ZEND_HASH_FOREACH_VAL(array, value) {
		ZVAL_DEREF(value);
		if (!add_path(paths, value, arg, arena))
			return false;
	} ZEND_HASH_FOREACH_END();
	return true;
}

bool ags_options_argv(struct ags_strings *argv, HashTable *array, uint32_t arg, struct ags_arena *arena)
{
	char found[128];
	zval *value;

	if (!make_room(argv, zend_hash_num_elements(array), arena))
		return false;
	ZEND_HASH_FOREACH_VAL(array, value) {
		ZVAL_DEREF(value);
		if (Z_TYPE_P(value) != IS_STRING || strlen(Z_STRVAL_P(value)) != Z_STRLEN_P(value)) {
			ags_convert_describe(found, sizeof(found), value);
			zend_argument_value_error(arg, "is wrong: word %zu is %s, want a string without NUL bytes", argv->count, found);
			return false;
		}
		if (!add_text(argv, Z_STR_P(value), arena))
			return false;
	} ZEND_HASH_FOREACH_END();
	if (argv->count == 0 || argv->items[0][0] == '\0') {
		zend_argument_value_error(arg, "must begin with the name of a command");
		return false;
	}
	return true;
}

/* There is no way to ask but to set it. */
static unsigned current_umask(void)
{
	mode_t now = umask(077);

	umask(now);
	return now;
}

static bool read_option(struct reader *r, const struct option *o, const zval *value)
{
	switch (o->kind) {
	case SWITCH:
		return read_switch(r, o, value);
	case COUNT:
	case SECONDS:
		return read_number(r, o, value);
	case CHOICE:
		return read_choice(r, o, value);
	case LIST:
		return read_list(r, o, value);
	case BYTES:
		return read_bytes(r, o, value);
	case TEXT:
		return read_text(r, o, value);
	}
	return false;
}

static void *field(struct reader *r, const struct option *o)
{
	return (char *)r->options + o->offset;
}

static bool read_switch(struct reader *r, const struct option *o, const zval *value)
{
	if (Z_TYPE_P(value) != IS_TRUE && Z_TYPE_P(value) != IS_FALSE)
		return refuse(r->arg, o->name, value, "true or false");
	*(bool *)field(r, o) = Z_TYPE_P(value) == IS_TRUE;
	return true;
}

static bool read_number(struct reader *r, const struct option *o, const zval *value)
{
	char want[64];

	snprintf(want, sizeof(want), "a number%s from %u to %u", o->kind == SECONDS ? " of seconds" : "", o->least, o->most);
	if (Z_TYPE_P(value) != IS_LONG || Z_LVAL_P(value) < (zend_long)o->least || Z_LVAL_P(value) > (zend_long)o->most)
		return refuse(r->arg, o->name, value, want);
	*(unsigned *)field(r, o) = (unsigned)Z_LVAL_P(value);
	return true;
}

static bool read_choice(struct reader *r, const struct option *o, const zval *value)
{
	char want[96] = "";

	for (unsigned i = 0; o->choices[i] != NULL; i++) {
		if (Z_TYPE_P(value) == IS_STRING && zend_string_equals_cstr(Z_STR_P(value), o->choices[i], strlen(o->choices[i]))) {
			*(unsigned *)field(r, o) = i;
			return true;
		}
		if (i > 0)
			strlcat(want, o->choices[i + 1] == NULL ? " or " : ", ", sizeof(want));
		strlcat(want, o->choices[i], sizeof(want));
	}
	return refuse(r->arg, o->name, value, want);
}

static bool read_list(struct reader *r, const struct option *o, const zval *value)
{
	struct ags_strings *list = field(r, o);
	zval *item;

	if (o->offset == AT(sync.protect))
		r->options->sync.protect_is_set = true;
	if (Z_TYPE_P(value) == IS_STRING)
		return make_room(list, 1, r->arena) && read_list_item(r, o->name, value, 0, list);
	if (Z_TYPE_P(value) != IS_ARRAY)
		return refuse(r->arg, o->name, value, "a string or a list of strings");
	if (zend_hash_num_elements(Z_ARRVAL_P(value)) > AGS_MAX_RULES) {
		zend_argument_value_error(r->arg, "is wrong: option %s has %u entries, want at most %u", o->name,
		                          zend_hash_num_elements(Z_ARRVAL_P(value)), AGS_MAX_RULES);
		return false;
	}
	if (!make_room(list, zend_hash_num_elements(Z_ARRVAL_P(value)), r->arena))
		return false;
	ZEND_HASH_FOREACH_VAL(Z_ARRVAL_P(value), item) {
		ZVAL_DEREF(item);
		if (!read_list_item(r, o->name, item, list->count, list))
			return false;
	} ZEND_HASH_FOREACH_END();
	return true;
}

static bool read_list_item(struct reader *r, const char *name, const zval *value, size_t index, struct ags_strings *list)
{
	char item[64];

	if (Z_TYPE_P(value) == IS_STRING && Z_STRLEN_P(value) > 0 && strlen(Z_STRVAL_P(value)) == Z_STRLEN_P(value))
		return add_text(list, Z_STR_P(value), r->arena);
	snprintf(item, sizeof(item), "%s[%zu]", name, index);
	return refuse(r->arg, item, value, "a string that is not empty and holds no NUL byte");
}

static bool read_bytes(struct reader *r, const struct option *o, const zval *value)
{
	if (Z_TYPE_P(value) != IS_STRING)
		return refuse(r->arg, o->name, value, "a string");
	r->options->run.input = ags_arena_copy(r->arena, Z_STRVAL_P(value), Z_STRLEN_P(value));
	r->options->run.input_len = Z_STRLEN_P(value);
	if (r->options->run.input == NULL)
		ags_throw_nomem();
	return r->options->run.input != NULL;
}

static bool read_text(struct reader *r, const struct option *o, const zval *value)
{
	const char **to = field(r, o);

	if (Z_TYPE_P(value) != IS_STRING || Z_STRLEN_P(value) == 0 || strlen(Z_STRVAL_P(value)) != Z_STRLEN_P(value))
		return refuse(r->arg, o->name, value, "a string that is not empty and holds no NUL byte");
	*to = ags_arena_copy(r->arena, Z_STRVAL_P(value), Z_STRLEN_P(value));
	if (*to == NULL)
		ags_throw_nomem();
	return *to != NULL;
}

static const struct option *find(const zend_string *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (zend_string_equals_cstr(name, known[i].name, strlen(known[i].name)))
			return &known[i];
	}
	return NULL;
}

static bool refuse_unknown(uint32_t arg, const zend_string *key, enum ags_call call)
{
	const char *names[sizeof(known) / sizeof(known[0])], *nearest;
	char name[64];
	size_t count = 0;

	if (key == NULL) {
		zend_argument_value_error(arg, "must have the names of options as keys");
		return false;
	}
	ags_text_clean(name, sizeof(name), ZSTR_VAL(key), ZSTR_LEN(key));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].calls & call)
			names[count++] = known[i].name;
	}
	nearest = ags_text_nearest(name, names, count);
	if (find(key) != NULL)
		zend_argument_value_error(arg, "is wrong: option \"%s\" is not one of this function", name);
	else if (nearest != NULL)
		zend_argument_value_error(arg, "is wrong: unknown option \"%s\", did you mean \"%s\"?", name, nearest);
	else
		zend_argument_value_error(arg, "is wrong: unknown option \"%s\"", name);
	return false;
}

static bool refuse(uint32_t arg, const char *name, const zval *value, const char *want)
{
	char found[128];

	ags_convert_describe(found, sizeof(found), value);
	zend_argument_value_error(arg, "is wrong: option %s is %s, want %s", name, found, want);
	return false;
}

static bool add_path(struct ags_strings *paths, const zval *value, uint32_t arg, struct ags_arena *arena)
{
	const char *path = Z_TYPE_P(value) == IS_STRING ? Z_STRVAL_P(value) : "";
	char found[128];

	ags_convert_describe(found, sizeof(found), value);
	if (path[0] != '/' || strlen(path) != Z_STRLEN_P(value) || has_dot_dot(path)) {
		zend_argument_value_error(arg, "is wrong: path is %s, want an absolute one without \"..\" and NUL bytes", found);
		return false;
	}
	if (Z_STRLEN_P(value) >= AGS_MAX_PATH) {
		zend_argument_value_error(arg, "is wrong: path %s has %zu bytes, want less than %d", found, Z_STRLEN_P(value), AGS_MAX_PATH);
		return false;
	}
	if (php_check_open_basedir_ex(path, 0) != 0) {
		zend_argument_value_error(arg, "is wrong: path is %s, which open_basedir does not allow", found);
		return false;
	}
	return add_text(paths, Z_STR_P(value), arena);
}

static bool has_dot_dot(const char *path)
{
	for (const char *p = strstr(path, "/.."); p != NULL; p = strstr(p + 1, "/..")) {
		if (p[3] == '/' || p[3] == '\0')
			return true;
	}
	return false;
}

/* The list begins empty: an option that is given twice is an array key and cannot be. */
static bool make_room(struct ags_strings *list, size_t count, struct ags_arena *arena)
{
	list->count = 0;
	list->items = ags_arena_alloc(arena, (count + 1) * sizeof(*list->items));
	if (list->items == NULL)
		ags_throw_nomem();
	return list->items != NULL;
}

static bool add_text(struct ags_strings *list, const zend_string *text, struct ags_arena *arena)
{
	char *copy = ags_arena_copy(arena, ZSTR_VAL(text), ZSTR_LEN(text));

	if (copy == NULL) {
		ags_throw_nomem();
		return false;
	}
	list->items[list->count++] = copy;
	return true;
}
