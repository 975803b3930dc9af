#include "base/yaml.h"
#include "base/limits.h"
#include "base/yaml_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define NO_ANCHOR   SIZE_MAX
#define WHERE_BYTES 512

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

static bool next(struct reader *r);
static bool explain(struct reader *r);
static bool handle(struct reader *r, const yaml_event_t *e);
static bool read_scalar(struct reader *r, const yaml_event_t *e);
static bool read_alias(struct reader *r, const yaml_event_t *e);
static bool open_collection(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *anchor,
                            const yaml_char_t *tag);
static bool close_collection(struct reader *r);
static bool place(struct reader *r, struct ags_node *node, const yaml_mark_t *at, unsigned height);
static bool take_key(struct reader *r, struct frame *f, const struct ags_node *node, const yaml_mark_t *at);
static struct ags_node *new_node(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *tag);
static bool open_anchor(struct reader *r, const yaml_char_t *name, const yaml_mark_t *at, size_t *index);
static void close_anchor(struct reader *r, size_t index, struct ags_node *node, size_t nodes_before, unsigned height);
static bool grow(struct reader *r, void *items, size_t *capacity, size_t size);
static bool no_memory(struct reader *r);
static const char *where(const struct reader *r, char *text, size_t size);

#define COMPLAIN(r, mark, ...) do { \
	char where_[WHERE_BYTES]; \
	ags_problem_add((r)->problems, (unsigned)(mark)->line + 1, (unsigned)(mark)->column + 1, \
	                where(r, where_, sizeof(where_)), __VA_ARGS__); \
} while (0)

struct ags_node *ags_yaml_parse(struct ags_arena *arena, const char *text, size_t len, struct ags_problems *problems)
{
	struct reader r = { .arena = arena, .problems = problems };

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (!ags_yaml_check_text(text, len, problems))
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
		ags_problem_add(r->problems, line, column, "", "not valid YAML: %s%s%s", problem, context[0] != '\0' ? ", " : "",
		                context);
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
		f->pair.key = NULL;
		return true;
	}
	if (is_plain)
		ags_yaml_resolve(node);
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

static bool open_collection(struct reader *r, const yaml_event_t *e, enum ags_node_kind kind, const yaml_char_t *anchor,
                            const yaml_char_t *tag)
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
	const struct ags_pair *from = count > 0 ? r->pending + f.base : NULL;
	char path[WHERE_BYTES];
	yaml_mark_t at = { .line = f.node->line - 1, .column = f.node->column - 1 };

	if (f.node->kind == AGS_NODE_MAP && count > 0) {
		f.node->as.map.pairs = ags_arena_alloc(r->arena, count * sizeof(*from));
		if (f.node->as.map.pairs == NULL)
			return no_memory(r);
		memcpy(f.node->as.map.pairs, from, count * sizeof(*from));
		f.node->as.map.count = count;
		ags_yaml_drop_duplicates(f.node, where(r, path, sizeof(path)), r->problems);
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
		COMPLAIN(r, at, "a key is %s, want a text%s", kinds[node->kind],
		         node->kind <= AGS_NODE_INT ? " (quotes make it one)" : "");
	f->has_key = true;
	f->drops_pair = node->kind != AGS_NODE_STRING;
	f->pair.key = f->drops_pair ? NULL : node->as.string.bytes;
	f->pair.line = (unsigned)at->line + 1;
	f->pair.column = (unsigned)at->column + 1;
	return true;
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

/* "servers.web1.port": the keys of the open maps that lead here. */
static const char *where(const struct reader *r, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < r->depth; i++)
		if (r->frames[i].has_key && r->frames[i].pair.key != NULL && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%.100s", used > 0 ? "." : "", r->frames[i].pair.key);
	return text;
}
