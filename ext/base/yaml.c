#include "base/yaml.h"
#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define NO_ANCHOR SIZE_MAX

/* What an alias of it costs is known once it is complete: size counts its nodes, height its collections above each other. */
struct anchor {
	const char *name;
	struct ags_node *node;            /* NULL while it is open */
	size_t size;
	unsigned height;
};

/* A list or map that is still open. Its items wait at the end of reader.pending, from base on. */
struct frame {
	struct ags_node *node;
	struct ags_pair pair;             /* the map's pair that waits for its value */
	bool has_key, drops_pair;
	size_t base, nodes_before, anchor;
	unsigned height;
};

struct reader {
	yaml_parser_t parser;
	struct ags_arena *arena;
	struct ags_problems *problems;
	struct ags_node *root;
	struct frame frames[AGS_MAX_YAML_DEPTH];
	unsigned depth;
	struct ags_pair *pending;
	size_t pending_count, pending_capacity;
	struct anchor *anchors;
	size_t anchor_count, anchor_capacity;
	size_t nodes;
	bool is_whole;                    /* the end was reached */
};

static bool check_text(const char *text, size_t len, struct ags_problems *problems);
static bool next(struct reader *r);
static bool explain(struct reader *r);
static bool handle(struct reader *r, const yaml_event_t *e);
static bool read_scalar(struct reader *r, const yaml_event_t *e);
static bool read_alias(struct reader *r, const yaml_event_t *e);
static bool open_collection(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag);
static bool close_collection(struct reader *r);
static bool place(struct reader *r, struct ags_node *node, const yaml_mark_t *at, unsigned height);
static bool take_key(struct reader *r, struct frame *f, const struct ags_node *node, const yaml_mark_t *at);
static void drop_duplicates(struct reader *r, struct ags_node *map);
static int compare_keys(const void *a, const void *b);
static void resolve(struct ags_node *node);
static struct ags_node *new_node(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *tag);
static bool open_anchor(struct reader *r, const yaml_char_t *name, const yaml_mark_t *at, size_t *index);
static void close_anchor(struct reader *r, size_t index, struct ags_node *node, size_t nodes_before, unsigned height);
static bool grow(struct reader *r, void *items, size_t *capacity, size_t size);
static bool no_memory(struct reader *r);
static const char *where(const struct reader *r, unsigned depth, const char *key, char *text, size_t size);

#define COMPLAIN(r, mark, ...) do { \
	char where_[512]; \
	ags_problem_add((r)->problems, (unsigned)(mark)->line + 1, (unsigned)(mark)->column + 1, \
	                where(r, (r)->depth, NULL, where_, sizeof(where_)), __VA_ARGS__); \
} while (0)

struct ags_node *ags_yaml_parse(struct ags_arena *arena, const char *text, size_t len, struct ags_problems *problems)
{
	struct reader r = { .arena = arena, .problems = problems };

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (!check_text(text, len, problems))
		return NULL;
	if (!yaml_parser_initialize(&r.parser)) {
		problems->out_of_memory = true;
		return NULL;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	while (next(&r))
		;
	yaml_parser_delete(&r.parser);
	free(r.pending);
	free(r.anchors);
	if (!r.is_whole)
		return NULL;
	if (r.root == NULL && (r.root = ags_arena_alloc(arena, sizeof(*r.root))) == NULL)
		problems->out_of_memory = true;
	else if (r.root->line == 0)
		r.root->line = r.root->column = 1;
	return r.root;
}

/* libyaml says of a bad byte only how far from the start it is, and would take NULs that are spelled out. */
static bool check_text(const char *text, size_t len, struct ags_problems *problems)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned line = 1, column = 1;

	if (len > AGS_MAX_YAML) {
		ags_problem_add(problems, 1, 1, "", "the text has %zu bytes, want at most %u", len, AGS_MAX_YAML);
		return false;
	}
	for (size_t n; len > 0; p += n, len -= n) {
		n = ags_text_utf8(p, len);
		if (n == 0) {
			ags_problem_add(problems, line, column, "", "byte 0x%02x is not UTF-8, want a text in UTF-8", p[0]);
			return false;
		}
		if ((p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r') || p[0] == 0x7f) {
			ags_problem_add(problems, line, column, "", "control character 0x%02x, want printable text", p[0]);
			return false;
		}
		column++;
		if (p[0] == '\n' || (p[0] == '\r' && (len == 1 || p[1] != '\n'))) {
			line++;
			column = 1;
		}
	}
	return true;
}

/* One event. False at the end, which is a good one only when is_whole was set. */
static bool next(struct reader *r)
{
	yaml_event_t e;
	bool go_on;

	if (!yaml_parser_parse(&r->parser, &e))
		return explain(r);
	go_on = handle(r, &e);
	yaml_event_delete(&e);
	return go_on;
}

static bool explain(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem != NULL ? p->problem : "unknown error";
	const char *context = p->context != NULL ? p->context : "";
	unsigned line = (unsigned)p->problem_mark.line + 1, column = (unsigned)p->problem_mark.column + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(r);
	if (p->error == YAML_READER_ERROR)
		ags_problem_add(r->problems, 1, 1, "", "not valid YAML: %s, value 0x%x after %zu bytes", problem,
		                (unsigned)p->problem_value, p->problem_offset);
	else if (context[0] != '\0' && p->context_mark.line + 1 < line)
		ags_problem_add(r->problems, line, column, "", "not valid YAML: %s, %s that began in line %zu", problem, context,
		                p->context_mark.line + 1);
	else
		ags_problem_add(r->problems, line, column, "", "not valid YAML: %s%s%s", problem, context[0] != '\0' ? ", " : "", context);
	return false;
}

static bool handle(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->root == NULL)
			return true;
		COMPLAIN(r, &e->start_mark, "a second document begins here, want one");
		r->is_whole = true;
		return false;
	case YAML_SCALAR_EVENT:
		return read_scalar(r, e);
	case YAML_ALIAS_EVENT:
		return read_alias(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_collection(r, e, AGS_NODE_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_collection(r, e, AGS_NODE_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_collection(r);
	case YAML_STREAM_END_EVENT:
		r->is_whole = true;
		return false;
	default:
		return true;
	}
}

static bool read_scalar(struct reader *r, const yaml_event_t *e)
{
	struct frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;
	bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool is_key = f != NULL && f->node->kind == AGS_NODE_MAP && !f->has_key;
	struct ags_node *node = new_node(r, e, AGS_NODE_STRING, e->data.scalar.tag);
	size_t anchor;

	if (node == NULL || !open_anchor(r, e->data.scalar.anchor, &e->start_mark, &anchor))
		return false;
	node->as.string.bytes = ags_arena_copy(r->arena, e->data.scalar.value, e->data.scalar.length);
	if (node->as.string.bytes == NULL)
		return no_memory(r);
	node->as.string.len = strlen(node->as.string.bytes);
	if (node->as.string.len != e->data.scalar.length)
		COMPLAIN(r, &e->start_mark, "the text holds a NUL, want text without one");
	if (is_key && is_plain && strcmp(node->as.string.bytes, "<<") == 0) {
		COMPLAIN(r, &e->start_mark, "merge keys (<<) are not understood, write the keys out");
		f->has_key = f->drops_pair = true;
		return true;
	}
	if (is_plain)
		resolve(node);
	close_anchor(r, anchor, node, r->nodes - 1, 0);
	return place(r, node, &e->start_mark, 0);
}

static bool read_alias(struct reader *r, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	const struct anchor *a = NULL;

	for (size_t i = r->anchor_count; i > 0 && a == NULL; i--)
		if (strcmp(r->anchors[i - 1].name, name) == 0)
			a = &r->anchors[i - 1];
	if (a == NULL || a->node == NULL) {
		COMPLAIN(r, &e->start_mark, a == NULL ? "there is no anchor &%.64s before this alias"
		                                      : "this alias is a part of what &%.64s stands for", name);
		return false;
	}
	if (a->size > AGS_MAX_YAML_NODES - r->nodes) {
		COMPLAIN(r, &e->start_mark, "this alias brings the text to more than %u values", AGS_MAX_YAML_NODES);
		return false;
	}
	if (a->height > AGS_MAX_YAML_DEPTH - r->depth) {
		COMPLAIN(r, &e->start_mark, "this alias nests deeper than %d levels", AGS_MAX_YAML_DEPTH);
		return false;
	}
	r->nodes += a->size;
	return place(r, a->node, &e->start_mark, a->height);
}

static bool open_collection(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct frame f = { .base = r->pending_count, .nodes_before = r->nodes };

	if (r->depth == AGS_MAX_YAML_DEPTH) {
		COMPLAIN(r, &e->start_mark, "nests deeper than %d levels", AGS_MAX_YAML_DEPTH);
		return false;
	}
	f.node = new_node(r, e, kind, tag);
	if (f.node == NULL || !open_anchor(r, anchor, &e->start_mark, &f.anchor))
		return false;
	r->frames[r->depth++] = f;
	return true;
}

/* libyaml's events are balanced, so there is an open one. */
static bool close_collection(struct reader *r)
{
	struct frame f = r->frames[--r->depth];
	size_t count = r->pending_count - f.base;
	const struct ags_pair *from = r->pending + f.base;
	yaml_mark_t at = { .line = f.node->line - 1, .column = f.node->column - 1 };

	if (f.node->kind == AGS_NODE_MAP && count > 0) {
		f.node->as.map.pairs = ags_arena_alloc(r->arena, count * sizeof(*from));
		if (f.node->as.map.pairs == NULL)
			return no_memory(r);
		memcpy(f.node->as.map.pairs, from, count * sizeof(*from));
		f.node->as.map.count = count;
		drop_duplicates(r, f.node);
	} else if (count > 0) {
		f.node->as.list.items = ags_arena_alloc(r->arena, count * sizeof(*f.node->as.list.items));
		if (f.node->as.list.items == NULL)
			return no_memory(r);
		for (size_t i = 0; i < count; i++)
			f.node->as.list.items[i] = from[i].value;
		f.node->as.list.count = count;
	}
	r->pending_count = f.base;
	close_anchor(r, f.anchor, f.node, f.nodes_before, f.height + 1);
	return place(r, f.node, &at, f.height + 1);
}

/* Gives a complete value to the collection that it is in. */
static bool place(struct reader *r, struct ags_node *node, const yaml_mark_t *at, unsigned height)
{
	struct frame *f;

	if (r->depth == 0) {
		r->root = node;
		return true;
	}
	f = &r->frames[r->depth - 1];
	if (height > f->height)
		f->height = height;
	if (f->node->kind == AGS_NODE_MAP && !f->has_key)
		return take_key(r, f, node, at);
	if (!f->drops_pair) {
		if (r->pending_count == r->pending_capacity && !grow(r, &r->pending, &r->pending_capacity, sizeof(*r->pending)))
			return false;
		f->pair.value = node;
		r->pending[r->pending_count++] = f->pair;
	}
	f->has_key = f->drops_pair = false;
	return true;
}

static bool take_key(struct reader *r, struct frame *f, const struct ags_node *node, const yaml_mark_t *at)
{
	static const char *const kinds[] = { "empty", "true or false", "a number", "a text", "a list", "a map" };

	if (node->kind != AGS_NODE_STRING)
		COMPLAIN(r, at, "a key is %s, want a text%s", kinds[node->kind], node->kind <= AGS_NODE_INT ? " (quotes make it one)" : "");
	f->has_key = true;
	f->drops_pair = node->kind != AGS_NODE_STRING;
	f->pair.key = f->drops_pair ? NULL : node->as.string.bytes;
	f->pair.line = (unsigned)at->line + 1;
	f->pair.column = (unsigned)at->column + 1;
	return true;
}

/* Sorting keeps a map of many keys cheap. The order of the pairs themselves stays. */
static void drop_duplicates(struct reader *r, struct ags_node *map)
{
	size_t count = map->as.map.count, kept = 0;
	struct ags_pair *pairs = map->as.map.pairs, **sorted = malloc(count * sizeof(struct ags_pair *));
	const struct ags_pair *first;
	char place_of[512];

	if (sorted == NULL) {
		no_memory(r);
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &pairs[i];
	qsort(sorted, count, sizeof(*sorted), compare_keys);
	first = sorted[0];
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i]->key, first->key) != 0) {
			first = sorted[i];
			continue;
		}
		ags_problem_add(r->problems, sorted[i]->line, sorted[i]->column,
		                where(r, r->depth, sorted[i]->key, place_of, sizeof(place_of)),
		                "duplicate key \"%.64s\", the first is in line %u", first->key, first->line);
		sorted[i]->value = NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (pairs[i].value != NULL)
			pairs[kept++] = pairs[i];
	map->as.map.count = kept;
	free(sorted);
}

static int compare_keys(const void *a, const void *b)
{
	const struct ags_pair *x = *(struct ags_pair *const *)a, *y = *(struct ags_pair *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x > y) - (x < y);
}

/* A plain scalar may be no string. */
static void resolve(struct ags_node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	static const char *const bools[] = { "false", "False", "FALSE", "true", "True", "TRUE" };
	const char *text = node->as.string.bytes, *digits = text + (text[0] == '-' || text[0] == '+');
	size_t n = strspn(digits, "0123456789");
	long long value;

	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		if (strcmp(text, nulls[i]) == 0)
			node->kind = AGS_NODE_NULL;
	for (size_t i = 0; i < sizeof(bools) / sizeof(*bools); i++) {
		if (strcmp(text, bools[i]) == 0) {
			node->kind = AGS_NODE_BOOL;
			node->as.boolean = i >= 3;
			return;
		}
	}
	if (n == 0 || digits[n] != '\0' || (n > 1 && digits[0] == '0'))
		return;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == 0) {
		node->kind = AGS_NODE_INT;
		node->as.integer = value;
	}
}

static struct ags_node *new_node(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *tag)
{
	struct ags_node *node;

	if (r->nodes >= AGS_MAX_YAML_NODES) {
		COMPLAIN(r, &e->start_mark, "there are more than %u values", AGS_MAX_YAML_NODES);
		return NULL;
	}
	if (tag != NULL)
		COMPLAIN(r, &e->start_mark, "tag %.64s is not understood, leave it out", (const char *)tag);
	node = ags_arena_alloc(r->arena, sizeof(*node));
	if (node == NULL) {
		no_memory(r);
		return NULL;
	}
	r->nodes++;
	node->kind = kind;
	node->line = (unsigned)e->start_mark.line + 1;
	node->column = (unsigned)e->start_mark.column + 1;
	return node;
}

static bool open_anchor(struct reader *r, const yaml_char_t *name, const yaml_mark_t *at, size_t *index)
{
	struct anchor a = { .node = NULL };

	*index = NO_ANCHOR;
	if (name == NULL)
		return true;
	if (r->anchor_count == AGS_MAX_YAML_ANCHORS) {
		COMPLAIN(r, at, "there are more than %u anchors", AGS_MAX_YAML_ANCHORS);
		return false;
	}
	if (r->anchor_count == r->anchor_capacity && !grow(r, &r->anchors, &r->anchor_capacity, sizeof(a)))
		return false;
	a.name = ags_arena_string(r->arena, (const char *)name);
	if (a.name == NULL)
		return no_memory(r);
	*index = r->anchor_count;
	r->anchors[r->anchor_count++] = a;
	return true;
}

static void close_anchor(struct reader *r, size_t index, struct ags_node *node, size_t nodes_before, unsigned height)
{
	if (index == NO_ANCHOR)
		return;
	r->anchors[index].node = node;
	r->anchors[index].size = r->nodes - nodes_before;
	r->anchors[index].height = height;
}

/* items is the address of the array's pointer. */
static bool grow(struct reader *r, void *items, size_t *capacity, size_t size)
{
	size_t wanted = *capacity > 0 ? *capacity * 2 : 64;
	void *old, *new;

	memcpy(&old, items, sizeof(old));
	new = realloc(old, wanted * size);
	if (new == NULL)
		return no_memory(r);
	memcpy(items, &new, sizeof(new));
	*capacity = wanted;
	return true;
}

static bool no_memory(struct reader *r)
{
	r->problems->out_of_memory = true;
	return false;
}

/* "servers.web1.port": the keys of the open maps that lead here, and one more. */
static const char *where(const struct reader *r, unsigned depth, const char *key, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i <= depth; i++) {
		const char *part = i < depth && r->frames[i].has_key ? r->frames[i].pair.key : NULL;

		if (i == depth)
			part = key;
		if (part != NULL && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%.100s", used > 0 ? "." : "", part);
	}
	return text;
}
