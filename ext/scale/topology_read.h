#ifndef AGS_SCALE_TOPOLOGY_READ_H
#define AGS_SCALE_TOPOLOGY_READ_H

#include "base/node.h"
#include "scale/topology.h"

/*
 * Private to topology*.c: how a tree becomes a topology. A map is read by a
 * table of fields; each reader checks one value, complains about it or stores it, and the
 * reading goes on either way. A reader returns false only on lack of memory.
 */
struct ags_names {
	const char **items;
	size_t count;
};

struct ags_build {
	struct ags_topology *t;
	const char *home;                      /* NULL when unknown */
	struct ags_problems *problems;
	struct ags_server defaults;
	struct ags_names servers, storages, clusters, packs, balancers;      /* those read so far, in their order */
};

/* A value and where it stands, as "servers" "web1" "port"; what does not apply is NULL. */
struct ags_value {
	const char *section, *name, *key;
	unsigned line, column;
	const struct ags_node *node;
};

struct ags_field {
	const char *name;
	bool (*read)(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, void *to);
	size_t offset;                         /* in the struct that the map describes */
	int64_t min, max;                      /* of a number */
	const char *const *choices;            /* of an enum, in its order, NULL at the end */
};

/* Complaints at the value: any; "port is 0, want ..."; "port is missing, want ...". */
void ags_complain(struct ags_build *b, const struct ags_value *v, const char *format, ...) __attribute__((format(printf, 3, 4)));
void ags_unwanted(struct ags_build *b, const struct ags_value *v, const char *want);
void ags_missing(struct ags_build *b, const struct ags_value *map, const char *key, const char *want);
/* `no server "web9", did you mean "web1"?` */
void ags_no_such(struct ags_build *b, const struct ags_value *v, const char *what, const char *name, const struct ags_names *names);

/* The names[] entry that is `name`; names->count when none is. */
size_t ags_find_name(const struct ags_names *names, const char *name);
const struct ags_node *ags_map_get(const struct ags_node *map, const char *key);
bool ags_is_empty(const struct ags_node *node);         /* null, an empty list or an empty map */

/* Bit i of *given says that fields[i] was there, right or wrong. */
bool ags_read_map(struct ags_build *b, const struct ags_value *v, const struct ags_field *fields, size_t count, void *to,
                  unsigned *given);
/* A map of names to things of `size` bytes that begin with their name. NULL on lack of memory. */
void *ags_read_section(struct ags_build *b, const struct ags_node *root, const char *section, size_t size, size_t *count,
                       struct ags_names *names, bool (*read)(struct ags_build *b, const struct ags_value *v, void *item));
bool ags_read_servers(struct ags_build *b, const struct ags_node *root);     /* with the defaults; before the groups */
bool ags_read_groups(struct ags_build *b, const struct ags_node *root);      /* storage, clusters, packs, balancers */

/* Readers of one field, by the type of what they fill. */
#define AGS_READER(name) bool name(struct ags_build *b, const struct ags_value *v, const struct ags_field *field, void *to)
AGS_READER(ags_read_u16);
AGS_READER(ags_read_u32);
AGS_READER(ags_read_choice);
AGS_READER(ags_read_host);
AGS_READER(ags_read_user);
AGS_READER(ags_read_file);              /* absolute or ~/ */
AGS_READER(ags_read_root);              /* absolute; "/" becomes "" */
AGS_READER(ags_read_dir);               /* absolute, below / */
AGS_READER(ags_read_uri);
AGS_READER(ags_read_dirs);              /* struct ags_strings */
AGS_READER(ags_read_binds);
AGS_READER(ags_read_backends);
AGS_READER(ags_read_server);            /* a reference */
AGS_READER(ags_read_storage);
AGS_READER(ags_read_members);           /* struct ags_servers */

/* The words of the enums in their order, NULL at the end. */
extern const char *const ags_transport_words[], *const ags_storage_words[], *const ags_uploads_words[], *const ags_code_words[],
	*const ags_balancer_words[];

/* What is written, without a look at the world. */
#define AGS_HOST_BYTES 256
bool ags_is_name(const char *text);
bool ags_is_user(const char *text);
bool ags_is_bind(const char *text);
bool ags_is_uri(const char *text);
bool ags_parse_host(const char *text, char host[AGS_HOST_BYTES]);        /* without brackets */
const char *ags_path_fault(const char *path);                            /* what is wanted instead, NULL: fine */
char *ags_tidy_path(struct ags_arena *arena, const char *path);          /* no "//", "/./" or slash at the end, "/" becomes "" */

#endif
