#ifndef AGS_SCALE_TOPOLOGY_H
#define AGS_SCALE_TOPOLOGY_H

#include "base/err.h"
#include "base/node.h"
#include "ssh/pool.h"

/*
 * Which servers there are and how they belong together. Read from YAML or
 * built from a tree, checked as a whole, and never changed afterwards.
 *
 *   text ──► yaml ──► tree ──► build ──► topology
 *                      ▲          └────► problems, all of them at once
 *   PHP array ─────────┘
 */
enum ags_storage_type { AGS_STORAGE_NFS, AGS_STORAGE_CEPHFS, AGS_STORAGE_PATH };
enum ags_uploads      { AGS_UPLOADS_SHARED, AGS_UPLOADS_GATHER, AGS_UPLOADS_PROTECT };
enum ags_pack_code    { AGS_CODE_LOCAL, AGS_CODE_NFS };
enum ags_balancer_type { AGS_BALANCER_HAPROXY, AGS_BALANCER_NGINX };

struct ags_server {
	const char *name;                /* unique among servers, clusters and packs */
	const char *host;                /* IPv4, IPv6 or a name; default: the server's name */
	const char *user;                /* default: aegir */
	const char *admin;               /* may become root; NULL when pack and balancer set-up is not for this server */
	const char *identity;            /* private key file, ~ expanded; NULL: agent, then the usual files */
	const char *known_hosts;         /* file, ~ expanded; default ~/.ssh/known_hosts */
	const char *root;                /* directory that stands for /; absolute, no trailing slash; "" for / */
	uint16_t    port;                /* default 22 */
	uint32_t    connect_timeout;     /* seconds, default 10 */
	uint32_t    timeout;             /* seconds of silence, default 300 */
	enum ags_transport transport;    /* default auto */
	bool        user_is_default, port_is_default;    /* nobody asked for them */
};

struct ags_servers {
	const struct ags_server **items;
	size_t count;
};

struct ags_strings {
	const char **items;
	size_t count;
};

struct ags_storage {
	const char *name;
	enum ags_storage_type type;
	const struct ags_server *server;     /* nfs */
	const struct ags_server *standby;    /* nfs, or NULL */
	const char *export;                  /* nfs: the exported directory */
	const char *path;                    /* where it is mounted on every server; path and cephfs need it, nfs: default the export */
};

struct ags_cluster {
	const char *name;
	struct ags_servers servers;
	const struct ags_storage *storage;   /* where shared uploads live; NULL: none is named */
	enum ags_uploads uploads;            /* default: shared with a storage, else protect */
};

struct ags_pack {
	const char *name;
	struct ags_servers masters, slaves;
	const struct ags_storage *storage;
	struct ags_strings paths;            /* absolute */
	enum ags_pack_code code;             /* default local */
};

struct ags_balancer {
	const char *name;
	enum ags_balancer_type type;
	const struct ags_server *server;
	struct ags_strings bind;             /* "*:80", "[::]:443" */
	struct ags_strings backends;         /* names of clusters and packs */
	const char *check;                   /* the health URI; default /.aegir-scale/health */
};

struct ags_topology {
	struct ags_arena arena;              /* everything below lives here */
	const char *file;                    /* "" when it came from an array */
	struct ags_server   *servers;    size_t server_count;
	struct ags_storage  *storages;   size_t storage_count;
	struct ags_cluster  *clusters;   size_t cluster_count;
	struct ags_pack     *packs;      size_t pack_count;
	struct ags_balancer *balancers;  size_t balancer_count;
};

/* NULL with problems added, or with err filled when memory or the file failed. home expands ~ and may be NULL. */
struct ags_topology *ags_topology_load(const char *file, const char *home, struct ags_problems *problems, struct ags_err *err);
struct ags_topology *ags_topology_build(const struct ags_node *root, const char *file, const char *home,
                                        struct ags_problems *problems, struct ags_err *err);
void ags_topology_free(struct ags_topology *t);                 /* NULL is fine */

/* The servers of a cluster, of a pack (masters, then slaves) or the one server of that name, each once; the array is in
 * `arena`. An unknown name is an error that names the nearest known one. */
bool ags_topology_group(const struct ags_topology *t, const char *group, struct ags_arena *arena,
                        struct ags_servers *servers, struct ags_err *err);

/* The normalised tree with all defaults filled in, in `arena`; building from it gives the same topology. NULL on lack of memory. */
struct ags_node *ags_topology_tree(const struct ags_topology *t, struct ags_arena *arena);

#endif
