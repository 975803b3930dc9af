#include "fuzz/fuzz.h"

#include "base/yaml.h"
#include "scale/topology.h"

/*
 * A right topology as a PHP array would give it, then damaged:
 *
 *   {which node: 2 bytes} {what is done} {how} …
 *
 * Whatever comes of it, it is a topology that survives its own tree, or it has problems that can be shown.
 */
static const char right[] =
	"version: 1\ndefaults: { user: aegir, port: 22, connect_timeout: 10, timeout: 300 }\n"
	"servers: { web1: { host: 10.0.0.11, identity: ~/.ssh/k, root: /srv }, web2: { host: \"fe80::1\", port: 2222 }, nfs1: { admin: root }, lb1: {} }\n"
	"storage: { main: { type: nfs, server: nfs1, export: /srv/aegir, standby: web2 } }\n"
	"clusters: { live: { servers: [web1, web2], storage: main, uploads: shared } }\n"
	"packs: { dev: { masters: [nfs1], slaves: [web1], storage: main, paths: [/a, /b], code: local } }\n"
	"balancers: { edge: { type: haproxy, server: lb1, bind: [\"*:80\", \"[::]:443\"], backends: [live, dev], check: /x } }\n";

static const char *const words[] = {
	"version", "defaults", "servers", "storage", "clusters", "packs", "balancers", "user", "port", "connect_timeout", "timeout", "web1", "web2", "nfs1",
	"lb1", "live", "dev", "main", "edge", "host", "identity", "known_hosts", "root", "admin", "transport", "type", "server", "export", "standby",
	"path", "uploads", "masters", "slaves", "paths", "code", "bind", "backends", "check", "nfs", "cephfs", "gather", "protect", "local", "haproxy",
	"nginx", "auto", "openssh", "22", "/", "~", "~/x", "../x", "*:80", "[::1]:443", "0", "-1", "", "\xff", "\x1b[2J", "a b", "-l", "web-1.example.com",
};

struct tree {
	struct ags_arena *arena;
	struct ags_node *nodes[512];
	size_t count;
};

/* Lists and maps may share nodes, but none holds itself: only fresh scalars and empty ones are put in. */
static void walk(struct tree *t, struct ags_node *node)
{
	if (t->count == sizeof(t->nodes) / sizeof(t->nodes[0]))
		return;
	t->nodes[t->count++] = node;
	for (size_t i = 0; node->kind == AGS_NODE_LIST && i < node->as.list.count; i++)
		walk(t, node->as.list.items[i]);
	for (size_t i = 0; node->kind == AGS_NODE_MAP && i < node->as.map.count; i++)
		walk(t, node->as.map.pairs[i].value);
}

static const char *take_word(struct ags_arena *arena, struct ags_cursor *in)
{
	uint8_t which = take_u8(in);
	char *raw, *copy;

	if (which < sizeof(words) / sizeof(words[0]))
		return words[which];
	raw = take_text(in, which - sizeof(words) / sizeof(words[0]));
	copy = ags_arena_string(arena, raw);
	free(raw);
	return copy;
}

static void set_scalar(struct ags_node *node, struct ags_arena *arena, struct ags_cursor *in)
{
	uint32_t low = 0, high = 0;

	switch (take_u8(in) % 7) {
	case 0:
		node->kind = AGS_NODE_NULL;
		return;
	case 1:
		node->kind = AGS_NODE_BOOL;
		node->as.boolean = take_u8(in) & 1;
		return;
	case 2:
		node->kind = AGS_NODE_INT;
		node->as.integer = (int8_t)take_u8(in);
		return;
	case 3:
		node->kind = AGS_NODE_INT;
		ags_get_u32(in, &low);
		ags_get_u32(in, &high);
		node->as.integer = (int64_t)((uint64_t)high << 32 | low);
		return;
	case 4:
		node->kind = AGS_NODE_LIST;
		node->as.list.count = 0;
		return;
	case 5:
		node->kind = AGS_NODE_MAP;
		node->as.map.count = 0;
		return;
	default:
		node->kind = AGS_NODE_STRING;
		node->as.string.bytes = take_word(arena, in);
		node->as.string.len = strlen(node->as.string.bytes);
	}
}

static void add_child(struct ags_node *node, struct ags_arena *arena, struct ags_cursor *in)
{
	struct ags_node *child = ags_arena_alloc(arena, sizeof(*child));

	if (node->kind == AGS_NODE_LIST) {
		struct ags_node **items = ags_arena_alloc(arena, (node->as.list.count + 1) * sizeof(*items));

		if (node->as.list.count > 0)
			memcpy(items, node->as.list.items, node->as.list.count * sizeof(*items));
		items[node->as.list.count++] = child;
		node->as.list.items = items;
	} else if (node->kind == AGS_NODE_MAP) {
		struct ags_pair *pairs = ags_arena_alloc(arena, (node->as.map.count + 1) * sizeof(*pairs));

		if (node->as.map.count > 0)
			memcpy(pairs, node->as.map.pairs, node->as.map.count * sizeof(*pairs));
		pairs[node->as.map.count++] = (struct ags_pair){ .key = take_word(arena, in), .value = child };
		node->as.map.pairs = pairs;
	}
	set_scalar(child, arena, in);
}

static void damage(struct tree *t, struct ags_node *node, struct ags_cursor *in)
{
	size_t i;

	switch (take_u8(in) % 4) {
	case 0:
		set_scalar(node, t->arena, in);
		return;
	case 1:
		add_child(node, t->arena, in);
		return;
	case 2:
		if (node->kind != AGS_NODE_MAP || node->as.map.count == 0)
			return;
		i = take_u8(in) % node->as.map.count;
		node->as.map.pairs[i].key = take_word(t->arena, in);
		return;
	default:
		if (node->kind == AGS_NODE_MAP && node->as.map.count > 0)
			node->as.map.count--;
		else if (node->kind == AGS_NODE_LIST && node->as.list.count > 0)
			node->as.list.count--;
	}
}

static void check_problems(const struct ags_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		must_be_clean(problems->items[i].message);
		if (problems->items[i].where[0] != '\0')
			must_be_clean(problems->items[i].where);
	}
}

static void check_groups(const struct ags_topology *t, struct ags_arena *arena)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct ags_err err = AGS_ERR_INIT;
		struct ags_servers servers;
		bool ok = ags_topology_group(t, words[i], arena, &servers, &err);

		must(ok == (err.code == AGS_OK));
		if (!ok)
			must_be_clean(err.message);
		for (size_t j = 0; ok && j < servers.count; j++)
			must(servers.items[j] >= t->servers && servers.items[j] < t->servers + t->server_count);
	}
}

static void check_round_trip(const struct ags_topology *t, struct ags_arena *arena)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_topology *again = ags_topology_build(ags_topology_tree(t, arena), "", NULL, &problems, &err);

	must(again != NULL && problems.count == 0 && again->server_count == t->server_count && again->cluster_count == t->cluster_count);
	for (size_t i = 0; i < t->server_count; i++)
		must(strcmp(t->servers[i].host, again->servers[i].host) == 0 && t->servers[i].port == again->servers[i].port &&
		     strcmp(t->servers[i].root, again->servers[i].root) == 0 && t->servers[i].timeout == again->servers[i].timeout);
	ags_topology_free(again);
	ags_problems_free(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_cursor in = { data, data + size };
	struct ags_node *root = ags_yaml_parse(&arena, right, sizeof(right) - 1, &problems);
	struct tree tree = { .arena = &arena };
	struct ags_topology *t;
	uint16_t which = 0;

	must(root != NULL && problems.count == 0);
	for (int i = 0; i < 32 && ags_get_u16(&in, &which); i++) {
		tree.count = 0;
		walk(&tree, root);
		damage(&tree, tree.nodes[which % tree.count], &in);
	}
	t = ags_topology_build(root, "", "/var/aegir", &problems, &err);
	must((t == NULL) == (problems.count > 0) && err.code == AGS_OK && !problems.out_of_memory);
	check_problems(&problems);
	if (t != NULL) {
		check_groups(t, &arena);
		check_round_trip(t, &arena);
	}
	ags_topology_free(t);
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	return 0;
}
