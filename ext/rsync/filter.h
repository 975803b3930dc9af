#ifndef AGS_RSYNC_FILTER_H
#define AGS_RSYNC_FILTER_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Filter rules in rsync's own syntax and precedence (rsync(1), FILTER RULES): the first rule that matches a name decides; a
 * name that none matches is sent and may be deleted.
 *
 * + include, - exclude, H hide, S show, P protect, R risk, ! clear; modifiers / ! p r s; the patterns' * ** ? [..] and [:class:], anchoring by
 * a leading /, directories only by a trailing /, and dir/ *** .
 * Merge files (. and :), and the modifiers C, e, n, w and x are refused by name.
 */
struct ags_filter;

enum ags_filter_kind { AGS_FILTER_INCLUDE, AGS_FILTER_EXCLUDE, AGS_FILTER_PROTECT };

struct ags_filter *ags_filter_new(void);                /* NULL on lack of memory */
void ags_filter_free(struct ags_filter *filter);        /* NULL is fine */

/* One rule as --filter takes it: "- *.o", "P /cache/", "exclude /x", "!". */
bool ags_filter_add_rule(struct ags_filter *filter, const char *rule, struct ags_err *err);
/* One pattern as --include or --exclude takes it (as with rsync also after "+ " or "- ", and "!"), or one to protect. An empty pattern,
 * like an empty rule, is none. */
bool ags_filter_add_pattern(struct ags_filter *filter, enum ags_filter_kind kind, const char *pattern, struct ags_err *err);

/* Is this entry kept out of the transfer? path is relative to the transfer's root, without a leading slash. Parents are
 * the caller's business: below a hidden directory nothing is asked. */
bool ags_filter_hides(const struct ags_filter *filter, const char *path, size_t len, bool is_dir);

/* The same for one that knows the absolute path, of which the part from `root` on is relative to the transfer's root: the modifier /
 * matches against all of it. ags_filter_hides() takes the transfer's root for the root of the machine. */
bool ags_filter_hides_below(const struct ags_filter *filter, const char *full, size_t len, size_t root, bool is_dir);

/* The list as a deleting receiver gets it: the rules that hold on its side, each with its length, and the end. */
bool ags_filter_encode(const struct ags_filter *filter, struct ags_buf *out, struct ags_err *err);

/* Would the rules of receivers say the same of everything below `way`/NAME/ to one whose root is `way`, with anchored patterns cut? True only
 * where that is easy to see. `way` is relative to the transfer's root. */
bool ags_filter_can_begin_at(const struct ags_filter *filter, const char *way, size_t len);
/* Puts encoded rules into `out` for such a receiver; without a way they stay as they are. False on lack of memory. */
bool ags_filter_put_below(const struct ags_buf *rules, const char *way, size_t len, struct ags_buf *out);

#endif
