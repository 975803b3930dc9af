#ifndef AGS_BASE_YAML_H
#define AGS_BASE_YAML_H

#include "base/node.h"

/*
 * Reads one YAML document into a tree (libyaml). Plain scalars become null
 * (nothing, ~, null), bool (true, false), int (decimal only) or string; quoted
 * ones are strings. An empty text is null. Duplicate keys, keys that are no strings, several documents,
 * tags, merge keys, NULs, text that is not UTF-8 and anything above the limits
 * of base/limits.h are problems. Anchors and aliases work and are counted.
 *
 * Returns the root, in arena, or NULL when the text cannot be read at all. Problems may
 * have been added either way; the tree is good only when none was. A repeated key is not in the tree a second time.
 */
struct ags_node *ags_yaml_parse(struct ags_arena *arena, const char *text, size_t len, struct ags_problems *problems);

#endif
