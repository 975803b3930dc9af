#include "convert.h"

#include "base/limits.h"
#include "base/text.h"

/* Where a value stands, for problems. */
struct place {
	const struct place *above;
	const char *key;                /* NULL: item `index` of a list */
	zend_ulong index;
	unsigned depth;
};

struct converter {
	struct ags_arena *arena;
	struct ags_problems *problems;
	size_t nodes;
};

static struct ags_node *convert(struct converter *c, const zval *value, const struct place *at);
static bool convert_list(struct converter *c, struct ags_node *node, HashTable *array, const struct place *at);
static bool convert_map(struct converter *c, struct ags_node *node, HashTable *array, const struct place *at);
static bool convert_string(struct converter *c, struct ags_node *node, const zend_string *text, const struct place *at);
static const char *key_text(struct converter *c, const zend_string *key, zend_ulong index, const struct place *at);
static bool convert_collection(struct converter *c, struct ags_node *node, HashTable *array, const struct place *at);
static void complain(struct converter *c, const struct place *at, const char *message);
static bool is_text(const char *bytes, size_t len);

struct ags_node *ags_convert_array(struct ags_arena *arena, HashTable *array, struct ags_problems *problems)
{
	struct converter c = { .arena = arena, .problems = problems };
	zval root;

	ZVAL_ARR(&root, array);
	return convert(&c, &root, NULL);
}

void ags_convert_node(zval *to, const struct ags_node *node)
{
	zval item;

	switch (node->kind) {
	case AGS_NODE_NULL:
		ZVAL_NULL(to);
		break;
	case AGS_NODE_BOOL:
		ZVAL_BOOL(to, node->as.boolean);
		break;
	case AGS_NODE_INT:
		ZVAL_LONG(to, (zend_long)node->as.integer);
		break;
	case AGS_NODE_STRING:
		ZVAL_STRINGL(to, node->as.string.bytes, node->as.string.len);
		break;
	case AGS_NODE_LIST:
		array_init_size(to, (uint32_t)node->as.list.count);
		for (size_t i = 0; i < node->as.list.count; i++) {
			ags_convert_node(&item, node->as.list.items[i]);
			add_next_index_zval(to, &item);
		}
		break;
	case AGS_NODE_MAP:
		array_init_size(to, (uint32_t)node->as.map.count);
		for (size_t i = 0; i < node->as.map.count; i++) {
			const struct ags_pair *pair = &node->as.map.pairs[i];

			ags_convert_node(&item, pair->value);
			zend_symtable_str_update(Z_ARRVAL_P(to), pair->key, strlen(pair->key), &item);
		}
		break;
	}
}

void ags_convert_describe(char *to, size_t size, const zval *value)
{
	char text[80];

	switch (Z_TYPE_P(value)) {
	case IS_STRING:
		ags_text_clean(text, sizeof(text), Z_STRVAL_P(value), Z_STRLEN_P(value));
		snprintf(to, size, "\"%s\"", text);
		break;
	case IS_LONG:
		snprintf(to, size, ZEND_LONG_FMT, Z_LVAL_P(value));
		break;
	case IS_DOUBLE:
		snprintf(to, size, "%g", Z_DVAL_P(value));
		break;
	case IS_NULL:
		snprintf(to, size, "null");
		break;
	case IS_FALSE:
	case IS_TRUE:
		snprintf(to, size, "%s", Z_TYPE_P(value) == IS_TRUE ? "true" : "false");
		break;
	case IS_ARRAY:
		snprintf(to, size, "an array");
		break;
	default:
		snprintf(to, size, "of type %s", zend_zval_type_name(value));
	}
}

static struct ags_node *convert(struct converter *c, const zval *value, const struct place *at)
{
	struct ags_node *node = ags_arena_alloc(c->arena, sizeof(*node));
	bool ok = true;

	if (node == NULL)
		return NULL;
	ZVAL_DEREF(value);
	switch (Z_TYPE_P(value)) {
	case IS_NULL:
		break;
	case IS_FALSE:
	case IS_TRUE:
		node->kind = AGS_NODE_BOOL;
		node->as.boolean = Z_TYPE_P(value) == IS_TRUE;
		break;
	case IS_LONG:
		node->kind = AGS_NODE_INT;
		node->as.integer = Z_LVAL_P(value);
		break;
	case IS_STRING:
		ok = convert_string(c, node, Z_STR_P(value), at);
		break;
	case IS_ARRAY:
		ok = convert_collection(c, node, Z_ARRVAL_P(value), at);
		break;
	case IS_DOUBLE:
		complain(c, at, "is a number with a fraction, want a whole number");
		break;
	default:
		complain(c, at, "is an object or a resource, want a string, a whole number, true, false, null or an array");
	}
	return ok ? node : NULL;
}

/* An array that holds itself ends at the depth; one that is shared many times ends at the count. */
static bool convert_collection(struct converter *c, struct ags_node *node, HashTable *array, const struct place *at)
{
	size_t count = zend_hash_num_elements(array);
	char message[96];

	if (at != NULL && at->depth >= AGS_MAX_YAML_DEPTH) {
		snprintf(message, sizeof(message), "is nested more than %d levels deep", AGS_MAX_YAML_DEPTH);
		complain(c, at, message);
		return true;
	}
	if (count > AGS_MAX_YAML_NODES - c->nodes) {
		snprintf(message, sizeof(message), "has more than %u values, which is the limit of a topology", AGS_MAX_YAML_NODES);
		if (c->nodes < AGS_MAX_YAML_NODES)
			complain(c, NULL, message);
		c->nodes = AGS_MAX_YAML_NODES;
		return true;
	}
	c->nodes += count;
	return zend_array_is_list(array) && count > 0 ? convert_list(c, node, array, at) : convert_map(c, node, array, at);
}

static bool convert_list(struct converter *c, struct ags_node *node, HashTable *array, const struct place *at)
{
	struct place here = { .above = at, .depth = at == NULL ? 1 : at->depth + 1 };
	struct ags_node **items = ags_arena_alloc(c->arena, zend_hash_num_elements(array) * sizeof(*items));
	zval *item;

	if (items == NULL)
		return false;
	node->kind = AGS_NODE_LIST;
	node->as.list.items = items;
	ZEND_HASH_FOREACH_VAL(array, item) {
		items[here.index] = convert(c, item, &here);
		if (items[here.index] == NULL)
			return false;
		here.index++;
	} ZEND_HASH_FOREACH_END();
	node->as.list.count = here.index;
	return true;
}

static bool convert_map(struct converter *c, struct ags_node *node, HashTable *array, const struct place *at)
{
	struct place here = { .above = at, .depth = at == NULL ? 1 : at->depth + 1 };
	struct ags_pair *pairs = ags_arena_alloc(c->arena, zend_hash_num_elements(array) * sizeof(*pairs) + 1);
	zend_string *key;
	zend_ulong index;
	zval *value;
	size_t n = 0;

	if (pairs == NULL)
		return false;
	node->kind = AGS_NODE_MAP;
	node->as.map.pairs = pairs;
	ZEND_HASH_FOREACH_KEY_VAL(array, index, key, value) {
		here.key = key_text(c, key, index, at);
		if (here.key == NULL)
			return false;
		pairs[n].key = here.key;
		pairs[n].value = convert(c, value, &here);
		if (pairs[n].value == NULL)
			return false;
		n++;
	} ZEND_HASH_FOREACH_END();
	node->as.map.count = n;
	return true;
}

/* PHP turns the key "10" into the number 10. */
static const char *key_text(struct converter *c, const zend_string *key, zend_ulong index, const struct place *at)
{
	char clean[64];

	if (key == NULL)
		return ags_arena_printf(c->arena, ZEND_LONG_FMT, (zend_long)index);
	if (!is_text(ZSTR_VAL(key), ZSTR_LEN(key))) {
		ags_text_clean(clean, sizeof(clean), ZSTR_VAL(key), ZSTR_LEN(key));
		complain(c, at, "has a key that is not UTF-8 or holds a NUL byte");
		return ags_arena_string(c->arena, clean);
	}
	return ags_arena_copy(c->arena, ZSTR_VAL(key), ZSTR_LEN(key));
}

static bool convert_string(struct converter *c, struct ags_node *node, const zend_string *text, const struct place *at)
{
	if (!is_text(ZSTR_VAL(text), ZSTR_LEN(text))) {
		complain(c, at, "is not UTF-8 or holds a NUL byte");
		return true;
	}
	node->kind = AGS_NODE_STRING;
	node->as.string.bytes = ags_arena_copy(c->arena, ZSTR_VAL(text), ZSTR_LEN(text));
	node->as.string.len = ZSTR_LEN(text);
	return node->as.string.bytes != NULL;
}

/* "port is …" at servers.web1.port, "paths[2] is …" at packs.dev.paths: as the topology's own problems read. */
static void complain(struct converter *c, const struct place *at, const char *message)
{
	const struct place *named = at;
	char where[512] = "", rest[512], subject[128];

	while (named != NULL && named->key == NULL)
		named = named->above;
	for (const struct place *p = named; p != NULL; p = p->above) {
		if (p->key == NULL)
			continue;
		memcpy(rest, where, sizeof(rest));
		snprintf(where, sizeof(where), "%.90s%s%.400s", p->key, rest[0] == '\0' ? "" : ".", rest);
	}
	if (at != named)
		snprintf(subject, sizeof(subject), "%.90s[" ZEND_ULONG_FMT "]", named == NULL ? "the topology" : named->key, at->index);
	else
		snprintf(subject, sizeof(subject), "%.90s", named == NULL ? "the topology" : named->key);
	ags_problem_add(c->problems, 0, 0, where, "%s %s", subject, message);
}

static bool is_text(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t n;

	if (memchr(bytes, '\0', len) != NULL)
		return false;
	for (; len > 0; p += n, len -= n) {
		n = ags_text_utf8(p, len);
		if (n == 0)
			return false;
	}
	return true;
}
