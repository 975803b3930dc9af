#include "scale/topology_read.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* A suggestion compares the word with every name; a file with more problems than this is no typing mistake. */
#define MAX_SUGGESTIONS 100
#define TEXT_BYTES      512

static void complain(struct ags_build *b, const struct ags_value *v, const char *key, const char *text);
static const char *subject(const struct ags_value *v);
static const char *describe(const struct ags_node *node, char *text, size_t size);
static const char *suggest(const struct ags_build *b, const char *word, const char *const *names, size_t count);
static void unknown_key(struct ags_build *b, const struct ags_value *v, const struct ags_field *fields, size_t count);
static void check_name(struct ags_build *b, const struct ags_value *v, const struct ags_names *siblings);
static bool check_section(struct ags_build *b, const struct ags_value *v, size_t *count);
static bool read_path(struct ags_build *b, const struct ags_value *v, const char *text, const char **to, bool may_be_root);
static bool number(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, int64_t *n);

void ags_complain(struct ags_build *b, const struct ags_value *v, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	complain(b, v, NULL, text);
}

void ags_unwanted(struct ags_build *b, const struct ags_value *v, const char *want)
{
	char found[160];

	ags_complain(b, v, "%.64s is %s, want %s", subject(v), describe(v->node, found, sizeof(found)), want);
}

void ags_missing(struct ags_build *b, const struct ags_value *map, const char *key, const char *want)
{
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "%s is missing, want %s", key, want);
	complain(b, map, key, text);
}

void ags_no_such(struct ags_build *b, const struct ags_value *v, const char *what, const char *name, const struct ags_names *names)
{
	const char *near = suggest(b, name, names->items, names->count);

	if (near != NULL)
		ags_complain(b, v, "no %s \"%.64s\", did you mean \"%.64s\"?", what, name, near);
	else
		ags_complain(b, v, "no %s \"%.64s\"", what, name);
}

size_t ags_find_name(const struct ags_names *names, const char *name)
{
	size_t i = 0;

	while (i < names->count && strcmp(names->items[i], name) != 0)
		i++;
	return i;
}

const struct ags_node *ags_map_get(const struct ags_node *map, const char *key)
{
	if (map != NULL && map->kind == AGS_NODE_MAP)
		for (size_t i = 0; i < map->as.map.count; i++)
			if (strcmp(map->as.map.pairs[i].key, key) == 0)
				return map->as.map.pairs[i].value;
	return NULL;
}

/* A PHP array without entries is a list and a map at once. */
bool ags_is_empty(const struct ags_node *node)
{
	return node->kind == AGS_NODE_NULL || (node->kind == AGS_NODE_LIST && node->as.list.count == 0) ||
	       (node->kind == AGS_NODE_MAP && node->as.map.count == 0);
}

bool ags_read_map(struct ags_build *b, const struct ags_value *v, const struct ags_field *fields, size_t count, void *to,
                  unsigned *given)
{
	*given = 0;
	if (ags_is_empty(v->node))
		return true;
	if (v->node->kind != AGS_NODE_MAP) {
		ags_unwanted(b, v, "a map");
		*given = ~0u;
		return true;
	}
	for (size_t i = 0; i < v->node->as.map.count; i++) {
		const struct ags_pair *p = &v->node->as.map.pairs[i];
		struct ags_value value = { v->section, v->name, p->key, p->line, p->column, p->value };
		size_t f = 0;

		while (f < count && strcmp(fields[f].name, p->key) != 0)
			f++;
		if (f == count) {
			unknown_key(b, &value, fields, count);
			continue;
		}
		*given |= 1u << f;
		value.line = p->value->line;
		value.column = p->value->column;
		if (!fields[f].read(b, &value, &fields[f], (char *)to + fields[f].offset))
			return false;
	}
	return true;
}

void *ags_read_section(struct ags_build *b, const struct ags_node *root, const char *section, size_t size, size_t *count,
                       struct ags_names *names, bool (*read)(struct ags_build *b, const struct ags_value *v, void *item))
{
	struct ags_value v = { .section = section, .node = ags_map_get(root, section) };
	bool is_good = check_section(b, &v, count);
	char *items = ags_arena_alloc(&b->t->arena, (*count + 1) * size);

	names->items = ags_arena_alloc(&b->t->arena, (*count + 1) * sizeof(*names->items));
	if (items == NULL || names->items == NULL)
		return NULL;
	for (size_t i = 0; is_good && i < *count; i++) {
		const struct ags_pair *p = &v.node->as.map.pairs[i];
		struct ags_value value = { section, p->key, NULL, p->line, p->column, p->value };
		const char *name = ags_arena_string(&b->t->arena, p->key);

		check_name(b, &value, names);
		if (name == NULL)
			return NULL;
		memcpy(items + i * size, &name, sizeof(name));
		value.line = p->value->line;
		value.column = p->value->column;
		if (!read(b, &value, items + i * size))
			return NULL;
		names->items[names->count++] = name;
	}
	return items;
}

AGS_READER(ags_read_u16)
{
	int64_t n;

	if (number(b, v, field, &n))
		*(uint16_t *)to = (uint16_t)n;
	return true;
}

AGS_READER(ags_read_u32)
{
	int64_t n;

	if (number(b, v, field, &n))
		*(uint32_t *)to = (uint32_t)n;
	return true;
}

/* Every enum of a topology has the size of an int. */
AGS_READER(ags_read_choice)
{
	const char *word = v->node->kind == AGS_NODE_STRING ? v->node->as.string.bytes : NULL, *near = NULL;
	char want[128] = "";
	size_t used = 0;
	int i = 0;

	for (; field->choices[i] != NULL; i++) {
		const char *between = i == 0 ? "" : field->choices[i + 1] == NULL ? " or " : ", ";

		if (word != NULL && strcmp(field->choices[i], word) == 0) {
			memcpy(to, &i, sizeof(i));
			return true;
		}
		if (used < sizeof(want))
			used += (size_t)snprintf(want + used, sizeof(want) - used, "%s%s", between, field->choices[i]);
	}
	if (word != NULL)
		near = suggest(b, word, field->choices, (size_t)i);
	if (near != NULL)
		ags_complain(b, v, "%s is \"%.64s\", want %s, did you mean \"%s\"?", v->key, word, want, near);
	else
		ags_unwanted(b, v, want);
	return true;
}

AGS_READER(ags_read_host)
{
	char host[AGS_HOST_BYTES];

	(void)field;
	if (v->node->kind != AGS_NODE_STRING || !ags_parse_host(v->node->as.string.bytes, host)) {
		ags_unwanted(b, v, "an IPv4 or IPv6 address or a host name");
		return true;
	}
	return (*(const char **)to = ags_arena_string(&b->t->arena, host)) != NULL;
}

AGS_READER(ags_read_user)
{
	(void)field;
	if (v->node->kind != AGS_NODE_STRING || !ags_is_user(v->node->as.string.bytes)) {
		ags_unwanted(b, v, "a user name of letters, digits and _ . + @ \\ -");
		return true;
	}
	return (*(const char **)to = ags_arena_string(&b->t->arena, v->node->as.string.bytes)) != NULL;
}

AGS_READER(ags_read_file)
{
	const char *text = v->node->kind == AGS_NODE_STRING ? v->node->as.string.bytes : "", *full;

	(void)field;
	if (text[0] != '~')
		return read_path(b, v, text, to, false);
	if (text[1] != '/' && text[1] != '\0') {
		ags_unwanted(b, v, "an absolute path or one that begins with ~/");
		return true;
	}
	if (b->home == NULL || b->home[0] != '/') {
		ags_unwanted(b, v, "an absolute path, because there is no home directory to put for ~");
		return true;
	}
	full = ags_arena_printf(&b->t->arena, "%s%s", b->home, text + 1);
	return full != NULL && read_path(b, v, full, to, false);
}

AGS_READER(ags_read_root)
{
	(void)field;
	return read_path(b, v, v->node->kind == AGS_NODE_STRING ? v->node->as.string.bytes : "", to, true);
}

AGS_READER(ags_read_dir)
{
	(void)field;
	return read_path(b, v, v->node->kind == AGS_NODE_STRING ? v->node->as.string.bytes : "", to, false);
}

AGS_READER(ags_read_uri)
{
	(void)field;
	if (v->node->kind != AGS_NODE_STRING || !ags_is_uri(v->node->as.string.bytes)) {
		ags_unwanted(b, v, "a path of a URL, beginning with / and without spaces and quotes");
		return true;
	}
	return (*(const char **)to = ags_arena_string(&b->t->arena, v->node->as.string.bytes)) != NULL;
}

static void complain(struct ags_build *b, const struct ags_value *v, const char *key, const char *text)
{
	const char *parts[] = { v->section, v->name, v->key, key };
	char where[TEXT_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i] != NULL)
			used += (size_t)snprintf(where + used, sizeof(where) - used, "%s%.100s", used > 0 ? "." : "", parts[i]);
	ags_problem_add(b->problems, v->line, v->column, where, "%s", text);
}

static const char *subject(const struct ags_value *v)
{
	const char *first = v->section != NULL ? v->section : "the topology";

	return v->key != NULL ? v->key : v->name != NULL ? v->name : first;
}

static const char *describe(const struct ags_node *node, char *text, size_t size)
{
	static const char *const kinds[] = { "empty", "", "", "", "a list", "a map" };

	if (node->kind == AGS_NODE_STRING)
		snprintf(text, size, "\"%.100s\"%s", node->as.string.bytes, node->as.string.len > 100 ? "..." : "");
	else if (node->kind == AGS_NODE_INT)
		snprintf(text, size, "%lld", (long long)node->as.integer);
	else if (node->kind == AGS_NODE_BOOL)
		snprintf(text, size, "%s", node->as.boolean ? "true" : "false");
	else
		snprintf(text, size, "%s", kinds[node->kind]);
	return text;
}

static const char *suggest(const struct ags_build *b, const char *word, const char *const *names, size_t count)
{
	return b->problems->count < MAX_SUGGESTIONS ? ags_text_nearest(word, names, count) : NULL;
}

static void unknown_key(struct ags_build *b, const struct ags_value *v, const struct ags_field *fields, size_t count)
{
	const char *names[16], *near;
	size_t n = 0;

	while (n < count && n < sizeof(names) / sizeof(*names)) {
		names[n] = fields[n].name;
		n++;
	}
	near = suggest(b, v->key, names, n);
	if (near != NULL)
		ags_complain(b, v, "unknown key \"%.64s\", did you mean \"%s\"?", v->key, near);
	else
		ags_complain(b, v, "unknown key \"%.64s\"", v->key);
}

/* Servers, clusters and packs are all called as groups, so they share their names. */
static void check_name(struct ags_build *b, const struct ags_value *v, const struct ags_names *siblings)
{
	const struct { const struct ags_names *names; const char *what; } groups[] = {
		{ &b->servers, "server" }, { &b->clusters, "cluster" }, { &b->packs, "pack" }
	};
	bool is_group = siblings == &b->servers || siblings == &b->clusters || siblings == &b->packs;

	if (!ags_is_name(v->name))
		ags_complain(b, v, "name \"%.64s%s\", want letters, digits and _ . - (at most %d), with a letter or digit first",
		             v->name, strlen(v->name) > 64 ? "..." : "", AGS_MAX_NAME);
	if (!is_group) {
		if (ags_find_name(siblings, v->name) < siblings->count)
			ags_complain(b, v, "duplicate key \"%.64s\"", v->name);
		return;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (ags_find_name(groups[i].names, v->name) < groups[i].names->count)
			ags_complain(b, v, "\"%.64s\" is the name of a %s already, want a name of its own", v->name, groups[i].what);
}

static bool check_section(struct ags_build *b, const struct ags_value *v, size_t *count)
{
	struct ags_value at = *v;

	*count = 0;
	if (v->node == NULL || ags_is_empty(v->node))
		return true;
	at.line = v->node->line;
	at.column = v->node->column;
	if (v->node->kind != AGS_NODE_MAP) {
		ags_unwanted(b, &at, "a map that begins with names");
		return false;
	}
	if (v->node->as.map.count > AGS_MAX_SERVERS) {
		ags_complain(b, &at, "%s holds %zu entries, want at most %d", v->section, v->node->as.map.count, AGS_MAX_SERVERS);
		return false;
	}
	*count = v->node->as.map.count;
	return true;
}

static bool read_path(struct ags_build *b, const struct ags_value *v, const char *text, const char **to, bool may_be_root)
{
	const char *want = ags_path_fault(text), *path;

	if (want != NULL) {
		ags_unwanted(b, v, want);
		return true;
	}
	path = ags_tidy_path(&b->t->arena, text);
	if (path == NULL)
		return false;
	if (path[0] == '\0' && !may_be_root) {
		ags_unwanted(b, v, "a path below /");
		return true;
	}
	*to = path;
	return true;
}

static bool number(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, int64_t *n)
{
	const struct ags_node *node = v->node;
	char want[96];
	bool is_quoted = node->kind == AGS_NODE_STRING && node->as.string.len > 0 &&
	                 strspn(node->as.string.bytes, "0123456789") == node->as.string.len;

	if (node->kind == AGS_NODE_INT && node->as.integer >= field->min && node->as.integer <= field->max) {
		*n = node->as.integer;
		return true;
	}
	snprintf(want, sizeof(want), "a number from %lld to %lld%s", (long long)field->min, (long long)field->max,
	         is_quoted ? ", without quotes" : "");
	ags_unwanted(b, v, want);
	return false;
}
