#ifndef AGS_BASE_YAML_TEXT_H
#define AGS_BASE_YAML_TEXT_H

#include "base/node.h"

/* Private to yaml.c: what it does that libyaml has no part in. */

/* Size, UTF-8 and control characters, which libyaml reports without a line. False with a problem. */
bool ags_yaml_check_text(const char *text, size_t len, struct ags_problems *problems);

/* Turns a string node, written without quotes, into what it stands for: null, bool, int or the same string. */
void ags_yaml_resolve(struct ags_node *node);

/* Reports each key that is there again and takes it out. Sorts, so that a map of many keys is cheap; the order of the pairs stays. */
void ags_yaml_drop_duplicates(struct ags_node *map, const char *where, struct ags_problems *problems);

#endif
