#include "scale/topology_read.h"
#include "base/limits.h"

#include <string.h>

/* Readers of lists, and of values that are names of other things in the topology. */

typedef bool take_string(struct ags_build *b, const struct ags_value *item, const char **out);

static bool read_strings(struct ags_build *b, const struct ags_value *v, struct ags_strings *to, const char *want, take_string *take);
static take_string take_dir, take_bind, take_backend;
static bool is_list(struct ags_build *b, const struct ags_value *v, const char *want, size_t *count);
static struct ags_value item_of(const struct ags_value *v, size_t i);
static const struct ags_server *find_server(struct ags_build *b, const struct ags_value *v, const char *want);

AGS_READER(ags_read_server)
{
	(void)field;
	*(const struct ags_server **)to = find_server(b, v, "the name of a server");
	return true;
}

AGS_READER(ags_read_storage)
{
	size_t i;

	(void)field;
	if (v->node->kind != AGS_NODE_STRING) {
		ags_unwanted(b, v, "the name of a storage");
		return true;
	}
	i = ags_find_name(&b->storages, v->node->as.string.bytes);
	if (i < b->storages.count)
		*(const struct ags_storage **)to = &b->t->storages[i];
	else
		ags_no_such(b, v, "storage", v->node->as.string.bytes, &b->storages);
	return true;
}

AGS_READER(ags_read_members)
{
	struct ags_servers *members = to;
	size_t count;

	(void)field;
	if (!is_list(b, v, "a list of names of servers", &count))
		return true;
	members->items = ags_arena_alloc(&b->t->arena, (count + 1) * sizeof(*members->items));
	if (members->items == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct ags_value item = item_of(v, i);
		const struct ags_server *server = find_server(b, &item, "names of servers");
		size_t j = 0;

		while (j < members->count && members->items[j] != server)
			j++;
		if (j < members->count)
			ags_complain(b, &item, "\"%.64s\" is in this list already", server->name);
		else if (server != NULL)
			members->items[members->count++] = server;
	}
	return true;
}

AGS_READER(ags_read_dirs)
{
	(void)field;
	return read_strings(b, v, to, "a list of absolute paths", take_dir);
}

AGS_READER(ags_read_binds)
{
	(void)field;
	return read_strings(b, v, to, "a list of addresses such as \"*:80\"", take_bind);
}

AGS_READER(ags_read_backends)
{
	(void)field;
	return read_strings(b, v, to, "a list of clusters and packs", take_backend);
}

/* An empty list is left to the one who needs an entry, see ags_read_binds and ags_read_backends. */
static bool read_strings(struct ags_build *b, const struct ags_value *v, struct ags_strings *to, const char *want, take_string *take)
{
	size_t count;

	if (!is_list(b, v, want, &count))
		return true;
	if (count == 0 && take != take_dir)
		ags_complain(b, v, "%s is empty, want %s", v->key, want);
	to->items = ags_arena_alloc(&b->t->arena, (count + 1) * sizeof(*to->items));
	if (to->items == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct ags_value item = item_of(v, i);
		const char *text = NULL;
		size_t j = 0;

		if (!take(b, &item, &text))
			return false;
		while (text != NULL && j < to->count && strcmp(to->items[j], text) != 0)
			j++;
		if (text != NULL && j < to->count)
			ags_complain(b, &item, "\"%.100s\" is in this list already", text);
		else if (text != NULL)
			to->items[to->count++] = text;
	}
	return true;
}

static bool take_dir(struct ags_build *b, const struct ags_value *item, const char **out)
{
	return ags_read_dir(b, item, NULL, out);
}

static bool take_bind(struct ags_build *b, const struct ags_value *item, const char **out)
{
	if (item->node->kind != AGS_NODE_STRING || !ags_is_bind(item->node->as.string.bytes)) {
		ags_unwanted(b, item, "\"*:80\", \"10.0.0.1:443\" or \"[::]:443\" with a port from 1 to 65535");
		return true;
	}
	return (*out = ags_arena_string(&b->t->arena, item->node->as.string.bytes)) != NULL;
}

static bool take_backend(struct ags_build *b, const struct ags_value *item, const char **out)
{
	const char *name = item->node->as.string.bytes;

	if (item->node->kind != AGS_NODE_STRING) {
		ags_unwanted(b, item, "names of clusters and packs");
		return true;
	}
	if (ags_find_name(&b->servers, name) < b->servers.count) {
		ags_complain(b, item, "\"%.64s\" is a server, want a cluster or pack", name);
		return true;
	}
	if (ags_find_name(&b->clusters, name) == b->clusters.count && ags_find_name(&b->packs, name) == b->packs.count) {
		ags_no_such(b, item, "cluster or pack", name, b->clusters.count > 0 ? &b->clusters : &b->packs);
		return true;
	}
	return (*out = ags_arena_string(&b->t->arena, name)) != NULL;
}

/* What PHP calls an empty array is an empty list too. */
static bool is_list(struct ags_build *b, const struct ags_value *v, const char *want, size_t *count)
{
	*count = 0;
	if (v->node->kind == AGS_NODE_MAP && v->node->as.map.count == 0)
		return true;
	if (v->node->kind != AGS_NODE_LIST) {
		ags_unwanted(b, v, want);
		return false;
	}
	if (v->node->as.list.count > AGS_MAX_SERVERS) {
		ags_complain(b, v, "%s holds %zu entries, want at most %d", v->key, v->node->as.list.count, AGS_MAX_SERVERS);
		return false;
	}
	*count = v->node->as.list.count;
	return true;
}

static struct ags_value item_of(const struct ags_value *v, size_t i)
{
	const struct ags_node *node = v->node->as.list.items[i];
	struct ags_value item = *v;

	item.line = node->line;
	item.column = node->column;
	item.node = node;
	return item;
}

/* NULL with a complaint; without one when there are no servers at all, which is a complaint of its own. */
static const struct ags_server *find_server(struct ags_build *b, const struct ags_value *v, const char *want)
{
	size_t i;

	if (v->node->kind != AGS_NODE_STRING) {
		ags_unwanted(b, v, want);
		return NULL;
	}
	i = ags_find_name(&b->servers, v->node->as.string.bytes);
	if (i < b->servers.count)
		return &b->t->servers[i];
	if (b->servers.count > 0)
		ags_no_such(b, v, "server", v->node->as.string.bytes, &b->servers);
	return NULL;
}
