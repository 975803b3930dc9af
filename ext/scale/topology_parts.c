#include "scale/topology_read.h"
#include "base/limits.h"

#include <stddef.h>
#include <string.h>

#define CHECK_DEFAULT "/.aegir-scale/health"
#define COUNT(array)  (sizeof(array) / sizeof(*(array)))

static bool read_server(struct ags_build *b, const struct ags_value *v, void *item);
static void note_given(struct ags_server *s, unsigned given);
static bool read_storage(struct ags_build *b, const struct ags_value *v, void *item);
static bool read_cluster(struct ags_build *b, const struct ags_value *v, void *item);
static bool read_pack(struct ags_build *b, const struct ags_value *v, void *item);
static bool read_balancer(struct ags_build *b, const struct ags_value *v, void *item);
static void check_nfs(struct ags_build *b, const struct ags_value *v, struct ags_storage *s, unsigned given);
static void check_mounted(struct ags_build *b, const struct ags_value *v, unsigned given);
static void check_sides(struct ags_build *b, const struct ags_value *v);
static bool has_member(const struct ags_node *list, const char *name);

#define AT(type, member) .offset = offsetof(struct type, member)

/* `defaults` takes all but the first. */
enum { SERVER_HOST, SERVER_KNOWN_HOSTS, SERVER_USER, SERVER_PORT };
static const struct ags_field server_fields[] = {
	[SERVER_HOST]        = { "host",        ags_read_host, AT(ags_server, host) },
	[SERVER_KNOWN_HOSTS] = { "known_hosts", ags_read_file, AT(ags_server, known_hosts) },
	[SERVER_USER]        = { "user",        ags_read_user, AT(ags_server, user) },
	[SERVER_PORT]        = { "port",        ags_read_u16,  AT(ags_server, port), .min = 1, .max = 65535 },
	{ "admin",           ags_read_user,   AT(ags_server, admin) },
	{ "identity",        ags_read_file,   AT(ags_server, identity) },
	{ "root",            ags_read_root,   AT(ags_server, root) },
	{ "connect_timeout", ags_read_u32,    AT(ags_server, connect_timeout), .min = 1, .max = 3600 },
	{ "timeout",         ags_read_u32,    AT(ags_server, timeout), .min = 1, .max = 86400 },
	{ "transport",       ags_read_choice, AT(ags_server, transport), .choices = ags_transport_words },
};

enum { STORAGE_TYPE, STORAGE_SERVER, STORAGE_STANDBY, STORAGE_EXPORT, STORAGE_PATH };
static const struct ags_field storage_fields[] = {
	[STORAGE_TYPE]    = { "type",    ags_read_choice, AT(ags_storage, type), .choices = ags_storage_words },
	[STORAGE_SERVER]  = { "server",  ags_read_server, AT(ags_storage, server) },
	[STORAGE_STANDBY] = { "standby", ags_read_server, AT(ags_storage, standby) },
	[STORAGE_EXPORT]  = { "export",  ags_read_dir,    AT(ags_storage, export) },
	[STORAGE_PATH]    = { "path",    ags_read_dir,    AT(ags_storage, path) },
};

enum { CLUSTER_SERVERS, CLUSTER_STORAGE, CLUSTER_UPLOADS };
static const struct ags_field cluster_fields[] = {
	[CLUSTER_SERVERS] = { "servers", ags_read_members, AT(ags_cluster, servers) },
	[CLUSTER_STORAGE] = { "storage", ags_read_storage, AT(ags_cluster, storage) },
	[CLUSTER_UPLOADS] = { "uploads", ags_read_choice,  AT(ags_cluster, uploads), .choices = ags_uploads_words },
};

enum { PACK_MASTERS, PACK_SLAVES, PACK_STORAGE };
static const struct ags_field pack_fields[] = {
	[PACK_MASTERS] = { "masters", ags_read_members, AT(ags_pack, masters) },
	[PACK_SLAVES]  = { "slaves",  ags_read_members, AT(ags_pack, slaves) },
	[PACK_STORAGE] = { "storage", ags_read_storage, AT(ags_pack, storage) },
	{ "paths", ags_read_dirs,   AT(ags_pack, paths) },
	{ "code",  ags_read_choice, AT(ags_pack, code), .choices = ags_code_words },
};

enum { BALANCER_TYPE, BALANCER_SERVER, BALANCER_BIND, BALANCER_BACKENDS };
static const struct ags_field balancer_fields[] = {
	[BALANCER_TYPE]     = { "type",     ags_read_choice,   AT(ags_balancer, type), .choices = ags_balancer_words },
	[BALANCER_SERVER]   = { "server",   ags_read_server,   AT(ags_balancer, server) },
	[BALANCER_BIND]     = { "bind",     ags_read_binds,    AT(ags_balancer, bind) },
	[BALANCER_BACKENDS] = { "backends", ags_read_backends, AT(ags_balancer, backends) },
	{ "check", ags_read_uri, AT(ags_balancer, check) },
};

bool ags_read_servers(struct ags_build *b, const struct ags_node *root)
{
	const struct ags_node *node = ags_map_get(root, "defaults");
	struct ags_value v = { .section = "defaults", .node = node };
	unsigned given;

	b->defaults = (struct ags_server){ .user = "aegir", .port = 22, .connect_timeout = 10, .timeout = 300, .root = "",
	                                     .user_is_default = true, .port_is_default = true };
	if (b->home != NULL && b->home[0] == '/' &&
	    (b->defaults.known_hosts = ags_arena_printf(&b->t->arena, "%s/.ssh/known_hosts", b->home)) == NULL)
		return false;
	if (node != NULL) {
		v.line = node->line;
		v.column = node->column;
		if (!ags_read_map(b, &v, server_fields + 1, COUNT(server_fields) - 1, &b->defaults, &given))
			return false;
		note_given(&b->defaults, given << 1);
	}
	b->t->servers = ags_read_section(b, root, "servers", sizeof(*b->t->servers), &b->t->server_count, &b->servers, read_server);
	return b->t->servers != NULL;
}

bool ags_read_groups(struct ags_build *b, const struct ags_node *root)
{
	struct ags_topology *t = b->t;

	return (t->storages = ags_read_section(b, root, "storage", sizeof(*t->storages), &t->storage_count, &b->storages,
	                                       read_storage)) != NULL &&
	       (t->clusters = ags_read_section(b, root, "clusters", sizeof(*t->clusters), &t->cluster_count, &b->clusters,
	                                       read_cluster)) != NULL &&
	       (t->packs = ags_read_section(b, root, "packs", sizeof(*t->packs), &t->pack_count, &b->packs, read_pack)) != NULL &&
	       (t->balancers = ags_read_section(b, root, "balancers", sizeof(*t->balancers), &t->balancer_count, &b->balancers,
	                                        read_balancer)) != NULL;
}

static bool read_server(struct ags_build *b, const struct ags_value *v, void *item)
{
	struct ags_server *s = item;
	const char *name = s->name;
	char host[AGS_HOST_BYTES];
	unsigned given;

	*s = b->defaults;
	s->name = name;
	if (!ags_read_map(b, v, server_fields, COUNT(server_fields), s, &given))
		return false;
	note_given(s, given);
	if (!(given & 1u << SERVER_HOST)) {
		if (!ags_parse_host(name, host))
			ags_missing(b, v, "host", "an address or a host name, because the server's own name is none");
		else if ((s->host = ags_arena_string(&b->t->arena, host)) == NULL)
			return false;
	}
	if (s->known_hosts == NULL && !(given & 1u << SERVER_KNOWN_HOSTS))
		ags_missing(b, v, "known_hosts", "the path of a file, because there is no home directory to look in");
	return true;
}

static void note_given(struct ags_server *s, unsigned given)
{
	s->user_is_default = s->user_is_default && !(given & 1u << SERVER_USER);
	s->port_is_default = s->port_is_default && !(given & 1u << SERVER_PORT);
}

static bool read_storage(struct ags_build *b, const struct ags_value *v, void *item)
{
	struct ags_storage *s = item;
	unsigned given;

	s->type = (enum ags_storage_type)-1;
	if (!ags_read_map(b, v, storage_fields, COUNT(storage_fields), s, &given))
		return false;
	if (!(given & 1u << STORAGE_TYPE))
		ags_missing(b, v, "type", "nfs, cephfs or path");
	if (s->type == AGS_STORAGE_NFS)
		check_nfs(b, v, s, given);
	else if (s->type == AGS_STORAGE_CEPHFS || s->type == AGS_STORAGE_PATH)
		check_mounted(b, v, given);
	return true;
}

static bool read_cluster(struct ags_build *b, const struct ags_value *v, void *item)
{
	struct ags_cluster *c = item;
	const struct ags_node *servers = ags_map_get(v->node, "servers");
	unsigned given;

	c->uploads = (enum ags_uploads)-1;
	if (!ags_read_map(b, v, cluster_fields, COUNT(cluster_fields), c, &given))
		return false;
	if (!(given & 1u << CLUSTER_SERVERS))
		ags_missing(b, v, "servers", "the names of one server or more");
	else if (servers != NULL && servers->kind != AGS_NODE_NULL && ags_is_empty(servers))
		ags_complain(b, &(struct ags_value){ v->section, v->name, "servers", servers->line, servers->column, servers },
		             "servers is empty, want the names of one server or more");
	if (c->uploads == AGS_UPLOADS_SHARED && !(given & 1u << CLUSTER_STORAGE))
		ags_missing(b, v, "storage", "the name of a storage, because uploads are shared");
	if (!(given & 1u << CLUSTER_UPLOADS))
		c->uploads = c->storage != NULL ? AGS_UPLOADS_SHARED : AGS_UPLOADS_PROTECT;
	return true;
}

static bool read_pack(struct ags_build *b, const struct ags_value *v, void *item)
{
	const struct ags_node *masters = ags_map_get(v->node, "masters"), *slaves = ags_map_get(v->node, "slaves");
	unsigned given;

	if (!ags_read_map(b, v, pack_fields, COUNT(pack_fields), item, &given))
		return false;
	if ((masters == NULL || ags_is_empty(masters)) && (slaves == NULL || ags_is_empty(slaves)))
		ags_missing(b, v, "slaves", "the names of one server or more in masters or slaves");
	if (!(given & 1u << PACK_STORAGE))
		ags_missing(b, v, "storage", "the name of the storage that the pack shares");
	check_sides(b, v);
	return true;
}

static bool read_balancer(struct ags_build *b, const struct ags_value *v, void *item)
{
	struct ags_balancer *l = item;
	unsigned given;

	l->check = CHECK_DEFAULT;
	if (!ags_read_map(b, v, balancer_fields, COUNT(balancer_fields), l, &given))
		return false;
	if (!(given & 1u << BALANCER_TYPE))
		ags_missing(b, v, "type", "haproxy or nginx");
	if (!(given & 1u << BALANCER_SERVER))
		ags_missing(b, v, "server", "the name of the server that it runs on");
	if (!(given & 1u << BALANCER_BIND))
		ags_missing(b, v, "bind", "a list of addresses such as \"*:80\"");
	if (!(given & 1u << BALANCER_BACKENDS))
		ags_missing(b, v, "backends", "a list of clusters and packs");
	return true;
}

static void check_nfs(struct ags_build *b, const struct ags_value *v, struct ags_storage *s, unsigned given)
{
	if (!(given & 1u << STORAGE_SERVER))
		ags_missing(b, v, "server", "the name of the server that exports it");
	if (!(given & 1u << STORAGE_EXPORT))
		ags_missing(b, v, "export", "the directory that the server exports");
	if (s->standby != NULL && s->standby == s->server) {
		const struct ags_node *standby = ags_map_get(v->node, "standby");
		struct ags_value at = { v->section, v->name, "standby", standby->line, standby->column, standby };

		ags_unwanted(b, &at, "another server than the one that exports it");
	}
	if (!(given & 1u << STORAGE_PATH))
		s->path = s->export;
}

static void check_mounted(struct ags_build *b, const struct ags_value *v, unsigned given)
{
	for (unsigned i = STORAGE_SERVER; i <= STORAGE_EXPORT; i++) {
		const struct ags_node *node = ags_map_get(v->node, storage_fields[i].name);
		struct ags_value at = { v->section, v->name, storage_fields[i].name, 0, 0, node };

		if (node == NULL)
			continue;
		at.line = node->line;
		at.column = node->column;
		ags_complain(b, &at, "%s is for storage of type nfs, want only path", at.key);
	}
	if (!(given & 1u << STORAGE_PATH))
		ags_missing(b, v, "path", "the directory where it is mounted on every server");
}

static void check_sides(struct ags_build *b, const struct ags_value *v)
{
	const struct ags_node *masters = ags_map_get(v->node, "masters"), *slaves = ags_map_get(v->node, "slaves");

	if (masters == NULL || slaves == NULL || slaves->kind != AGS_NODE_LIST || slaves->as.list.count > AGS_MAX_SERVERS)
		return;
	for (size_t i = 0; i < slaves->as.list.count; i++) {
		const struct ags_node *item = slaves->as.list.items[i];
		struct ags_value at = { v->section, v->name, "slaves", item->line, item->column, item };

		if (item->kind == AGS_NODE_STRING && has_member(masters, item->as.string.bytes))
			ags_complain(b, &at, "\"%.64s\" is a master and a slave, want one of the two", item->as.string.bytes);
	}
}

static bool has_member(const struct ags_node *list, const char *name)
{
	if (list->kind == AGS_NODE_LIST && list->as.list.count <= AGS_MAX_SERVERS)
		for (size_t i = 0; i < list->as.list.count; i++)
			if (list->as.list.items[i]->kind == AGS_NODE_STRING &&
			    strcmp(list->as.list.items[i]->as.string.bytes, name) == 0)
				return true;
	return false;
}
