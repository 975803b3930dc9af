#include "scale/topology_read.h"

#include <string.h>

#define MAX_KEYS 12

/* The first allocation that fails makes all that follows do nothing. */
struct tree {
	struct ags_arena *arena;
	bool failed;
};

static struct ags_node *server_tree(struct tree *tree, const struct ags_server *s);
static struct ags_node *storage_tree(struct tree *tree, const struct ags_storage *s);
static struct ags_node *cluster_tree(struct tree *tree, const struct ags_cluster *c);
static struct ags_node *pack_tree(struct tree *tree, const struct ags_pack *p);
static struct ags_node *balancer_tree(struct tree *tree, const struct ags_balancer *l);
static struct ags_node *new_node(struct tree *tree, enum ags_node_kind kind);
static struct ags_node *new_map(struct tree *tree, size_t capacity);
static struct ags_node *text(struct tree *tree, const char *s);
static struct ags_node *names(struct tree *tree, const struct ags_servers *servers);
static struct ags_node *texts(struct tree *tree, const struct ags_strings *strings);
static void put(struct tree *tree, struct ags_node *map, const char *key, struct ags_node *value);
static void put_text(struct tree *tree, struct ags_node *map, const char *key, const char *s);
static void put_number(struct tree *tree, struct ags_node *map, const char *key, int64_t n);

struct ags_node *ags_topology_tree(const struct ags_topology *t, struct ags_arena *arena)
{
	struct tree tree = { .arena = arena };
	struct ags_node *root = new_map(&tree, MAX_KEYS), *servers = new_map(&tree, t->server_count);
	struct ags_node *storage = new_map(&tree, t->storage_count), *clusters = new_map(&tree, t->cluster_count);
	struct ags_node *packs = new_map(&tree, t->pack_count), *balancers = new_map(&tree, t->balancer_count);

	for (size_t i = 0; i < t->server_count; i++)
		put(&tree, servers, t->servers[i].name, server_tree(&tree, &t->servers[i]));
	for (size_t i = 0; i < t->storage_count; i++)
		put(&tree, storage, t->storages[i].name, storage_tree(&tree, &t->storages[i]));
	for (size_t i = 0; i < t->cluster_count; i++)
		put(&tree, clusters, t->clusters[i].name, cluster_tree(&tree, &t->clusters[i]));
	for (size_t i = 0; i < t->pack_count; i++)
		put(&tree, packs, t->packs[i].name, pack_tree(&tree, &t->packs[i]));
	for (size_t i = 0; i < t->balancer_count; i++)
		put(&tree, balancers, t->balancers[i].name, balancer_tree(&tree, &t->balancers[i]));
	put_number(&tree, root, "version", 1);
	put(&tree, root, "servers", servers);
	put(&tree, root, "storage", storage);
	put(&tree, root, "clusters", clusters);
	put(&tree, root, "packs", packs);
	put(&tree, root, "balancers", balancers);
	return tree.failed ? NULL : root;
}

static struct ags_node *server_tree(struct tree *tree, const struct ags_server *s)
{
	struct ags_node *map = new_map(tree, MAX_KEYS);

	put_text(tree, map, "host", s->host);
	put_number(tree, map, "port", s->port);
	put_text(tree, map, "user", s->user);
	put_text(tree, map, "admin", s->admin);
	put_text(tree, map, "identity", s->identity);
	put_text(tree, map, "known_hosts", s->known_hosts);
	put_text(tree, map, "root", s->root[0] != '\0' ? s->root : "/");
	put_number(tree, map, "connect_timeout", s->connect_timeout);
	put_number(tree, map, "timeout", s->timeout);
	put_text(tree, map, "transport", ags_transport_words[s->transport]);
	return map;
}

static struct ags_node *storage_tree(struct tree *tree, const struct ags_storage *s)
{
	struct ags_node *map = new_map(tree, MAX_KEYS);

	put_text(tree, map, "type", ags_storage_words[s->type]);
	put_text(tree, map, "server", s->server != NULL ? s->server->name : NULL);
	put_text(tree, map, "standby", s->standby != NULL ? s->standby->name : NULL);
	put_text(tree, map, "export", s->export);
	put_text(tree, map, "path", s->path);
	return map;
}

static struct ags_node *cluster_tree(struct tree *tree, const struct ags_cluster *c)
{
	struct ags_node *map = new_map(tree, MAX_KEYS);

	put(tree, map, "servers", names(tree, &c->servers));
	put_text(tree, map, "storage", c->storage != NULL ? c->storage->name : NULL);
	put_text(tree, map, "uploads", ags_uploads_words[c->uploads]);
	return map;
}

static struct ags_node *pack_tree(struct tree *tree, const struct ags_pack *p)
{
	struct ags_node *map = new_map(tree, MAX_KEYS);

	put(tree, map, "masters", names(tree, &p->masters));
	put(tree, map, "slaves", names(tree, &p->slaves));
	put_text(tree, map, "storage", p->storage->name);
	put(tree, map, "paths", texts(tree, &p->paths));
	put_text(tree, map, "code", ags_code_words[p->code]);
	return map;
}

static struct ags_node *balancer_tree(struct tree *tree, const struct ags_balancer *l)
{
	struct ags_node *map = new_map(tree, MAX_KEYS);

	put_text(tree, map, "type", ags_balancer_words[l->type]);
	put_text(tree, map, "server", l->server->name);
	put(tree, map, "bind", texts(tree, &l->bind));
	put(tree, map, "backends", texts(tree, &l->backends));
	put_text(tree, map, "check", l->check);
	return map;
}

static struct ags_node *new_node(struct tree *tree, enum ags_node_kind kind)
{
	struct ags_node *node = tree->failed ? NULL : ags_arena_alloc(tree->arena, sizeof(*node));

	if (node == NULL)
		tree->failed = true;
	else
		node->kind = kind;
	return node;
}

static struct ags_node *new_map(struct tree *tree, size_t capacity)
{
	struct ags_node *map = new_node(tree, AGS_NODE_MAP);

	if (map == NULL)
		return NULL;
	map->as.map.pairs = ags_arena_alloc(tree->arena, (capacity + 1) * sizeof(*map->as.map.pairs));
	if (map->as.map.pairs == NULL)
		tree->failed = true;
	return map;
}

static struct ags_node *text(struct tree *tree, const char *s)
{
	struct ags_node *node = new_node(tree, AGS_NODE_STRING);

	if (node == NULL)
		return NULL;
	node->as.string.bytes = ags_arena_string(tree->arena, s);
	node->as.string.len = strlen(s);
	if (node->as.string.bytes == NULL)
		tree->failed = true;
	return node;
}

static struct ags_node *names(struct tree *tree, const struct ags_servers *servers)
{
	struct ags_strings strings = { .count = servers->count };

	strings.items = ags_arena_alloc(tree->arena, (servers->count + 1) * sizeof(char *));
	if (strings.items == NULL) {
		tree->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < servers->count; i++)
		strings.items[i] = servers->items[i]->name;
	return texts(tree, &strings);
}

static struct ags_node *texts(struct tree *tree, const struct ags_strings *strings)
{
	struct ags_node *list = new_node(tree, AGS_NODE_LIST);

	if (list == NULL)
		return NULL;
	list->as.list.items = ags_arena_alloc(tree->arena, (strings->count + 1) * sizeof(*list->as.list.items));
	if (list->as.list.items == NULL) {
		tree->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < strings->count; i++)
		list->as.list.items[list->as.list.count++] = text(tree, strings->items[i]);
	return list;
}

static void put(struct tree *tree, struct ags_node *map, const char *key, struct ags_node *value)
{
	char *copy = tree->failed ? NULL : ags_arena_string(tree->arena, key);

	if (copy == NULL)
		tree->failed = true;
	else
		map->as.map.pairs[map->as.map.count++] = (struct ags_pair){ .key = copy, .value = value };
}

/* Nothing for NULL. */
static void put_text(struct tree *tree, struct ags_node *map, const char *key, const char *s)
{
	if (s != NULL)
		put(tree, map, key, text(tree, s));
}

static void put_number(struct tree *tree, struct ags_node *map, const char *key, int64_t n)
{
	struct ags_node *node = new_node(tree, AGS_NODE_INT);

	if (node != NULL)
		node->as.integer = n;
	put(tree, map, key, node);
}
