#include "scale/topology.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"
#include "scale/topology_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_file(const char *file, size_t *len, struct ags_err *err);
static bool check_file(int fd, const char *file, struct ags_err *err);
static bool read_root(struct ags_build *b, const struct ags_node *root);
static bool read_version(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, void *to);
static bool skip(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, void *to);
static bool add_members(struct ags_arena *arena, const struct ags_servers *more, struct ags_servers *servers);
static bool no_such_group(const struct ags_topology *t, const char *group, struct ags_arena *arena, struct ags_err *err);

struct ags_topology *ags_topology_load(const char *file, const char *home, struct ags_problems *problems, struct ags_err *err)
{
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_topology *t = NULL;
	const struct ags_node *root;
	size_t len;
	char *text = read_file(file, &len, err);

	if (text == NULL)
		return NULL;
	root = ags_yaml_parse(&arena, text, len, problems);
	if (root != NULL)
		t = ags_topology_build(root, file, home, problems, err);
	else if (problems->out_of_memory)
		ags_fail_nomem(err);
	ags_arena_free(&arena);
	free(text);
	return t;
}

struct ags_topology *ags_topology_build(const struct ags_node *root, const char *file, const char *home,
                                        struct ags_problems *problems, struct ags_err *err)
{
	struct ags_topology *t = calloc(1, sizeof(*t));
	struct ags_build b = { .t = t, .home = home, .problems = problems };

	if (t == NULL || (t->file = ags_arena_string(&t->arena, file)) == NULL || !read_root(&b, root) ||
	    problems->out_of_memory) {
		ags_topology_free(t);
		ags_fail_nomem(err);
		return NULL;
	}
	ags_problems_sort(problems);
	if (problems->count > 0) {
		ags_topology_free(t);
		return NULL;
	}
	return t;
}

void ags_topology_free(struct ags_topology *t)
{
	if (t == NULL)
		return;
	ags_arena_free(&t->arena);
	free(t);
}

bool ags_topology_group(const struct ags_topology *t, const char *group, struct ags_arena *arena,
                        struct ags_servers *servers, struct ags_err *err)
{
	struct ags_servers one = { .count = 1 };
	const struct ags_server *server;

	servers->items = NULL;
	servers->count = 0;
	for (size_t i = 0; i < t->cluster_count; i++)
		if (strcmp(t->clusters[i].name, group) == 0)
			return add_members(arena, &t->clusters[i].servers, servers) || ags_fail_nomem(err);
	for (size_t i = 0; i < t->pack_count; i++)
		if (strcmp(t->packs[i].name, group) == 0)
			return (add_members(arena, &t->packs[i].masters, servers) && add_members(arena, &t->packs[i].slaves, servers)) ||
			       ags_fail_nomem(err);
	for (size_t i = 0; i < t->server_count; i++) {
		server = &t->servers[i];
		one.items = &server;
		if (strcmp(server->name, group) == 0)
			return add_members(arena, &one, servers) || ags_fail_nomem(err);
	}
	return no_such_group(t, group, arena, err);
}

/* With a NUL behind it. */
static char *read_file(const char *file, size_t *len, struct ags_err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);      /* a FIFO must not make us wait for its writer */
	char *text = NULL;
	ssize_t n = 1;

	*len = 0;
	if (fd < 0) {
		ags_fail_sys(err, AGS_LOCAL_IO, file, "cannot open");
		return NULL;
	}
	if (!check_file(fd, file, err))
		goto out;
	text = malloc(AGS_MAX_YAML + 1);
	if (text == NULL) {
		ags_fail_nomem(err);
		goto out;
	}
	while (n != 0 && *len <= AGS_MAX_YAML) {
		n = read(fd, text + *len, AGS_MAX_YAML + 1 - *len);
		if (n > 0)
			*len += (size_t)n;
		else if (n < 0 && errno != EINTR)
			break;
	}
	if (n < 0)
		ags_fail_sys(err, AGS_LOCAL_IO, file, "cannot read");
	else if (*len > AGS_MAX_YAML)                                /* it grew after check_file() */
		ags_fail(err, AGS_LIMIT, "%s has more than %u bytes, which is more than a topology may have", file, AGS_MAX_YAML);
	if (err->code != AGS_OK) {
		free(text);
		text = NULL;
	}
out:
	close(fd);
	return text;
}

static bool check_file(int fd, const char *file, struct ags_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, file, "cannot read");
	if (!S_ISREG(st.st_mode))
		ags_fail(err, AGS_LOCAL_IO, "%s is %s, want a file", file, S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
	else if (st.st_size > AGS_MAX_YAML)
		ags_fail(err, AGS_LIMIT, "%s has %lld bytes, want at most %u", file, (long long)st.st_size, AGS_MAX_YAML);
	else
		return true;
	ags_err_set_path(err, file);
	return false;
}

/* References are read after what they refer to, whatever the order of the text. */
static bool read_root(struct ags_build *b, const struct ags_node *root)
{
	static const struct ags_field fields[] = {
		{ .name = "version", .read = read_version }, { .name = "servers", .read = skip }, { .name = "defaults", .read = skip },
		{ .name = "storage", .read = skip }, { .name = "clusters", .read = skip }, { .name = "packs", .read = skip },
		{ .name = "balancers", .read = skip }
	};
	const struct ags_node *servers = ags_map_get(root, "servers");
	struct ags_value v = { .line = root->line, .column = root->column, .node = root };
	unsigned given;

	if (!ags_read_map(b, &v, fields, sizeof(fields) / sizeof(*fields), b, &given))
		return false;
	if (!(given & 1))
		ags_missing(b, &v, "version", "version: 1");
	if (!(given & 2))
		ags_missing(b, &v, "servers", "a map with one server or more");
	else if (servers != NULL && ags_is_empty(servers))
		ags_complain(b, &(struct ags_value){ "servers", NULL, NULL, servers->line, servers->column, servers },
		             "servers is empty, want a map with one server or more");
	return ags_read_servers(b, root) && ags_read_groups(b, root);
}

static bool read_version(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, void *to)
{
	(void)field;
	(void)to;
	if (v->node->kind != AGS_NODE_INT || v->node->as.integer != 1)
		ags_unwanted(b, v, "1");
	return true;
}

static bool skip(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, void *to)
{
	(void)b;
	(void)v;
	(void)field;
	(void)to;
	return true;
}

static bool add_members(struct ags_arena *arena, const struct ags_servers *more, struct ags_servers *servers)
{
	const struct ags_server **items = ags_arena_alloc(arena, (servers->count + more->count + 1) * sizeof(*items));

	if (items == NULL)
		return false;
	if (servers->count > 0)
		memcpy(items, servers->items, servers->count * sizeof(*items));
	if (more->count > 0)
		memcpy(items + servers->count, more->items, more->count * sizeof(*items));
	servers->items = items;
	servers->count += more->count;
	return true;
}

static bool no_such_group(const struct ags_topology *t, const char *group, struct ags_arena *arena, struct ags_err *err)
{
	size_t max = t->cluster_count + t->pack_count + t->server_count, n = 0;
	const char **names = ags_arena_alloc(arena, (max + 1) * sizeof(*names)), *near;

	if (names == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < t->cluster_count; i++)
		names[n++] = t->clusters[i].name;
	for (size_t i = 0; i < t->pack_count; i++)
		names[n++] = t->packs[i].name;
	for (size_t i = 0; i < t->server_count; i++)
		names[n++] = t->servers[i].name;
	near = ags_text_nearest(group, names, n);
	if (near != NULL)
		return ags_fail(err, AGS_CONFIG, "no cluster, pack or server \"%.100s\", did you mean \"%s\"?", group, near);
	return ags_fail(err, AGS_CONFIG, "no cluster, pack or server \"%.100s\"", group);
}
