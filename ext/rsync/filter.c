#include "rsync/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rsync/filter_rule.h"

struct ags_filter {
	struct ags_filter_rule *rules;
	size_t count, capacity;
};

static bool add(struct ags_filter *filter, struct ags_filter_rule *rule, struct ags_err *err);
static void clear(struct ags_filter *filter);

struct ags_filter *ags_filter_new(void)
{
	return calloc(1, sizeof(struct ags_filter));
}

void ags_filter_free(struct ags_filter *filter)
{
	if (filter == NULL)
		return;
	clear(filter);
	free(filter->rules);
	free(filter);
}

bool ags_filter_add_rule(struct ags_filter *filter, const char *rule, struct ags_err *err)
{
	struct ags_filter_rule parsed;
	bool is_clear;

	if (*rule == '\0')
		return true;
	if (!ags_filter_rule_parse(&parsed, &is_clear, rule, err))
		return false;
	if (is_clear) {
		clear(filter);
		return true;
	}
	return add(filter, &parsed, err);
}

/* rsync takes "+ ", "- " and a lone "!" here too, for --include as for --exclude, and nothing for an empty pattern. */
bool ags_filter_add_pattern(struct ags_filter *filter, enum ags_filter_kind kind, const char *pattern, struct ags_err *err)
{
	struct ags_filter_rule rule = { .sender = true, .receiver = true, .include = kind == AGS_FILTER_INCLUDE };

	if (*pattern == '\0')
		return true;
	if (kind == AGS_FILTER_PROTECT) {
		rule.sender = false;
	} else if (strcmp(pattern, "!") == 0) {
		clear(filter);
		return true;
	} else if ((pattern[0] == '+' || pattern[0] == '-') && pattern[1] == ' ') {
		rule.include = pattern[0] == '+';
		pattern += 2;
	}
	return ags_filter_rule_set_pattern(&rule, pattern, err) && add(filter, &rule, err);
}

bool ags_filter_hides(const struct ags_filter *filter, const char *path, size_t len, bool is_dir)
{
	char full[AGS_MAX_PATH + 1];

	if (len > AGS_MAX_PATH)
		return false;
	full[0] = '/';
	memcpy(full + 1, path, len);
	return ags_filter_hides_below(filter, full, len + 1, 1, is_dir);
}

bool ags_filter_hides_below(const struct ags_filter *filter, const char *full, size_t len, size_t root, bool is_dir)
{
	char text[AGS_MAX_PATH + 2];

	if (filter->count == 0 || len > AGS_MAX_PATH + 1)
		return false;
	memcpy(text, full, len);
	text[len] = '/';
	for (size_t i = 0; i < filter->count; i++) {
		const struct ags_filter_rule *rule = &filter->rules[i];

		if (rule->sender && ags_filter_rule_holds(rule, text, len, root, is_dir))
			return !rule->include;
	}
	return false;
}

bool ags_filter_encode(const struct ags_filter *filter, struct ags_buf *out, struct ags_err *err)
{
	for (size_t i = 0; i < filter->count; i++) {
		const struct ags_filter_rule *rule = &filter->rules[i];
		char prefix[8];
		size_t n = ags_filter_rule_prefix(rule, prefix);

		if (!rule->receiver)
			continue;
		/* [rule length] [rule] */
		if (!ags_buf_u32(out, (uint32_t)(n + rule->text_len)) || !ags_buf_add(out, prefix, n) ||
		    !ags_buf_add(out, rule->text, rule->text_len))
			return ags_fail_nomem(err);
	}
	return ags_buf_u32(out, 0) || ags_fail_nomem(err);
}

bool ags_filter_can_begin_at(const struct ags_filter *filter, const char *way, size_t len)
{
	for (size_t i = 0; i < filter->count; i++)
		if (!ags_filter_rule_can_begin_at(&filter->rules[i], way, len))
			return false;
	return true;
}

bool ags_filter_put_below(const struct ags_buf *rules, const char *way, size_t len, struct ags_buf *out)
{
	struct ags_cursor in = { ags_buf_bytes(rules), ags_buf_bytes(rules) + ags_buf_len(rules) };
	const uint8_t *rule, *pattern;
	uint32_t n;

	while (ags_get_u32(&in, &n) && ags_get_bytes(&in, &rule, n)) {
		size_t cut = 0, head;

		pattern = n > 0 ? memchr(rule, ' ', n) : NULL;
		head = pattern != NULL ? (size_t)(++pattern - rule) : n;
		if (len > 0 && n - head > len + 1 && pattern[0] == '/' && memcmp(pattern + 1, way, len) == 0 && pattern[1 + len] == '/')
			cut = len + 1;
		if (!ags_buf_u32(out, (uint32_t)(n - cut)) || !ags_buf_add(out, rule, head) || !ags_buf_add(out, rule + head + cut, n - head - cut))
			return false;
	}
	return true;
}

/* Takes the rule, also when it fails. */
static bool add(struct ags_filter *filter, struct ags_filter_rule *rule, struct ags_err *err)
{
	struct ags_filter_rule *rules;
	size_t capacity = filter->capacity > 0 ? filter->capacity * 2 : 16;

	if (filter->count == AGS_MAX_RULES) {
		ags_filter_rule_fini(rule);
		return ags_fail(err, AGS_LIMIT, "more than %u filter rules, want at most so many", AGS_MAX_RULES);
	}
	if (filter->count == filter->capacity) {
		rules = realloc(filter->rules, capacity * sizeof(*rules));
		if (rules == NULL) {
			ags_filter_rule_fini(rule);
			return ags_fail_nomem(err);
		}
		filter->rules = rules;
		filter->capacity = capacity;
	}
	filter->rules[filter->count++] = *rule;
	return true;
}

static void clear(struct ags_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		ags_filter_rule_fini(&filter->rules[i]);
	filter->count = 0;
}
