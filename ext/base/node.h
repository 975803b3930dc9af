#ifndef AGS_BASE_NODE_H
#define AGS_BASE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * A tree of plain values, as YAML or a PHP array spells it. Everything lives
 * in one arena. Strings end with NUL and hold none inside.
 */
enum ags_node_kind { AGS_NODE_NULL, AGS_NODE_BOOL, AGS_NODE_INT, AGS_NODE_STRING, AGS_NODE_LIST, AGS_NODE_MAP };

struct ags_node {
	enum ags_node_kind kind;
	unsigned line, column;              /* from 1; 0 when there is no file */
	union {
		bool boolean;
		int64_t integer;
		struct { const char *bytes; size_t len; } string;
		struct { struct ags_node **items; size_t count; } list;
		struct { struct ags_pair *pairs; size_t count; } map;
	} as;
};

struct ags_pair {
	const char *key;
	unsigned line, column;              /* of the key */
	struct ags_node *value;
};

/* One complaint about a topology. */
struct ags_problem {
	unsigned line, column;              /* 0 when there is no file */
	const char *where;                  /* "servers.web1.port", "" for the file as a whole */
	const char *message;                /* what was found, what would be right; clean text, no full stop */
};

struct ags_problems {
	struct ags_arena arena;
	struct ags_problem *items;
	size_t count, capacity;
	bool out_of_memory;                 /* some complaint could not be kept */
};

#define AGS_PROBLEMS_INIT { .arena = AGS_ARENA_INIT }

/* Cleans and shortens its texts. After AGS_MAX_PROBLEMS one remark that there are more, then nothing. */
void ags_problem_add(struct ags_problems *problems, unsigned line, unsigned column, const char *where, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void ags_problems_sort(struct ags_problems *problems);          /* by line and column; equals stay in order */
void ags_problems_free(struct ags_problems *problems);

#endif
