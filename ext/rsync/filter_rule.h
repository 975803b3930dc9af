#ifndef AGS_RSYNC_FILTER_RULE_H
#define AGS_RSYNC_FILTER_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "rsync/wildmatch.h"

/*
 * One filter rule: how its text is read and what it matches.
 *
 *   -,!p /var/log?/
 *   || ||         +-- directory only
 *   || |+------------ pattern, here anchored
 *   || +------------- one space or underscore
 *   |+--------------- modifiers, with or without the comma
 *   +---------------- short, or the long name "exclude"
 */
struct ags_filter_rule {
	char *text;                  /* the pattern as it was given */
	size_t text_len;
	const char *pattern;         /* in text, without the leading and the trailing slash */
	size_t len;
	struct ags_wild *wild;       /* NULL: the pattern is compared as it stands */
	size_t slashes;              /* in pattern */
	bool include, sender, receiver, negated, perishable, absolute;
	bool anchored, dir_only;
	bool any_depth;              /* has a double star */
	bool subtree;                /* ends with a triple star: a directory counts as if a slash were behind it */
};

/* is_clear: the rule was "!" and there is nothing to free. */
bool ags_filter_rule_parse(struct ags_filter_rule *rule, bool *is_clear, const char *text, struct ags_err *err);
bool ags_filter_rule_set_pattern(struct ags_filter_rule *rule, const char *pattern, struct ags_err *err);
void ags_filter_rule_fini(struct ags_filter_rule *rule);

/* full[0] and full[root-1] are slashes, as is full[len]; from root on the path is relative to the transfer. */
bool ags_filter_rule_holds(const struct ags_filter_rule *rule, const char *full, size_t len, size_t root, bool is_dir);

/* The pattern says the same of what is below way/NAME/ to one whose root is `way`, an anchored one without it. */
bool ags_filter_rule_can_begin_at(const struct ags_filter_rule *rule, const char *way, size_t len);

/* "- ", "-/!rp " and so on, as a receiver wants it. Returns its length, at most 6. */
size_t ags_filter_rule_prefix(const struct ags_filter_rule *rule, char prefix[8]);

#endif
