#ifndef AGS_CONVERT_H
#define AGS_CONVERT_H

#include "php.h"

#include "base/node.h"

/* PHP arrays as the engine's trees of plain values, and back. */

/* The tree lives in arena. What is no plain value, too deep or too much is a problem. NULL on lack of memory. */
struct ags_node *ags_convert_array(struct ags_arena *arena, HashTable *array, struct ags_problems *problems);

/* Fills an empty zval. */
void ags_convert_node(zval *to, const struct ags_node *node);

/* A value for people, at most size-1 bytes: "text", 5, an array. */
void ags_convert_describe(char *to, size_t size, const zval *value);

#endif
