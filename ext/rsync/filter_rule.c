#include "rsync/filter_rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static size_t read_name(const char *text, char *name);
static bool set_sides(struct ags_filter_rule *rule, char name);
static bool set_modifier(struct ags_filter_rule *rule, char name, const char *text, size_t at, struct ags_err *err);
static bool refuse_name(const char *text, char name, struct ags_err *err);
static bool matches(const struct ags_filter_rule *rule, const char *full, size_t len, size_t root, bool is_dir);
static bool matches_text(const struct ags_filter_rule *rule, const char *text, size_t len);

bool ags_filter_rule_parse(struct ags_filter_rule *rule, bool *is_clear, const char *text, struct ags_err *err)
{
	char name;
	size_t at = read_name(text, &name);

	memset(rule, 0, sizeof(*rule));
	*is_clear = name == '!';
	if (*is_clear)
		return text[at] == '\0' || ags_fail(err, AGS_USAGE, "filter rule \"%s\" has something behind the clear, want it alone", text);
	if (!set_sides(rule, name))
		return refuse_name(text, name, err);
	if (text[at] == ',')
		at++;
	for (; text[at] != '\0' && text[at] != ' ' && text[at] != '_'; at++)
		if (!set_modifier(rule, name, text, at, err))
			return false;
	if (!rule->sender && !rule->receiver)
		rule->sender = rule->receiver = true;
	if (text[at] == '\0' || text[at + 1] == '\0')
		return ags_fail(err, AGS_USAGE, "filter rule \"%s\" ends without a pattern, want a space and one", text);
	return ags_filter_rule_set_pattern(rule, text + at + 1, err);
}

bool ags_filter_rule_set_pattern(struct ags_filter_rule *rule, const char *pattern, struct ags_err *err)
{
	size_t len = strlen(pattern);

	if (len == 0)
		return ags_fail(err, AGS_USAGE, "a filter rule has an empty pattern, want a name");
	if (len >= AGS_MAX_RULE)
		return ags_fail(err, AGS_LIMIT, "a filter pattern has %zu bytes, want fewer than %u", len, AGS_MAX_RULE);
	rule->text = strdup(pattern);
	if (rule->text == NULL)
		return ags_fail_nomem(err);
	rule->text_len = len;
	rule->pattern = rule->text;
	if (len > 1 && pattern[len - 1] == '/') {
		rule->dir_only = true;
		len--;
	}
	rule->anchored = pattern[0] == '/';
	rule->pattern += rule->anchored;
	rule->len = len - rule->anchored;
	rule->subtree = rule->len >= 3 && memcmp(rule->pattern + rule->len - 3, "***", 3) == 0;
	for (size_t i = 0; i < rule->len; i++) {
		rule->slashes += rule->pattern[i] == '/';
		rule->any_depth = rule->any_depth || (i > 0 && rule->pattern[i] == '*' && rule->pattern[i - 1] == '*');
	}
	if (strcspn(rule->pattern, "*?[") < rule->len) {
		rule->wild = ags_wild_new(rule->pattern, rule->len);
		if (rule->wild == NULL) {
			ags_filter_rule_fini(rule);
			return ags_fail_nomem(err);
		}
	}
	return true;
}

void ags_filter_rule_fini(struct ags_filter_rule *rule)
{
	free(rule->text);
	ags_wild_free(rule->wild);
	memset(rule, 0, sizeof(*rule));
}

bool ags_filter_rule_holds(const struct ags_filter_rule *rule, const char *full, size_t len, size_t root, bool is_dir)
{
	return matches(rule, full, len, rule->absolute ? 1 : root, is_dir) != rule->negated;
}

/* An anchored one with wildcards knows the backslash, so the way must not need one. Else the last two names of a path are there either way. */
bool ags_filter_rule_can_begin_at(const struct ags_filter_rule *rule, const char *way, size_t len)
{
	if (!rule->receiver)
		return true;
	if (rule->absolute)
		return false;
	if (rule->anchored)
		return strcspn(way, "*?[\\") >= len && rule->len > len && memcmp(rule->pattern, way, len) == 0 && rule->pattern[len] == '/';
	return !rule->any_depth && rule->slashes <= 1;
}

size_t ags_filter_rule_prefix(const struct ags_filter_rule *rule, char prefix[8])
{
	size_t n = 0;

	prefix[n++] = rule->include ? '+' : '-';
	if (rule->absolute)
		prefix[n++] = '/';
	if (rule->negated)
		prefix[n++] = '!';
	if (!rule->sender)
		prefix[n++] = 'r';
	if (rule->perishable)
		prefix[n++] = 'p';
	prefix[n++] = ' ';
	return n;
}

/* The rule's name as one letter, 0 when it is none. Returns where the modifiers begin. */
static size_t read_name(const char *text, char *name)
{
	static const struct { const char *word; char letter; } words[] = {
		{ "include", '+' }, { "exclude", '-' }, { "hide", 'H' }, { "show", 'S' }, { "protect", 'P' },
		{ "risk", 'R' }, { "clear", '!' }, { "merge", '.' }, { "dir-merge", ':' },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(text, words[i].word, n) == 0 && memchr(" _,", text[n], 4) != NULL) {
			*name = words[i].letter;
			return n;
		}
	}
	*name = text[0] != '\0' && strchr("+-HSPR!.:", text[0]) != NULL ? text[0] : '\0';
	return 1;
}

static bool set_sides(struct ags_filter_rule *rule, char name)
{
	rule->include = name == '+' || name == 'S' || name == 'R';
	rule->sender = name == 'H' || name == 'S';
	rule->receiver = name == 'P' || name == 'R';
	return name == '+' || name == '-' || rule->sender || rule->receiver;
}

static bool set_modifier(struct ags_filter_rule *rule, char name, const char *text, size_t at, struct ags_err *err)
{
	bool free_sides = name == '+' || name == '-';

	switch (text[at]) {
	case '/':
		rule->absolute = true;
		return true;
	case '!':
		rule->negated = true;
		return true;
	case 'p':
		rule->perishable = true;
		return true;
	case 's':
		rule->sender = true;
		break;
	case 'r':
		rule->receiver = true;
		break;
	default:
		free_sides = false;
	}
	return free_sides || ags_fail(err, AGS_USAGE, "filter rule \"%s\" has the modifier '%c' at position %zu, want / ! p%s", text,
	                              text[at], at + 1, name == '+' || name == '-' ? " r s" : "");
}

static bool refuse_name(const char *text, char name, struct ags_err *err)
{
	if (name == '.' || name == ':')
		return ags_fail(err, AGS_USAGE, "filter rule \"%s\" reads a merge file at position 1, which is not supported: give its rules", text);
	return ags_fail(err, AGS_USAGE, "filter rule \"%s\" begins with no known rule, want one of + - H S P R ! and a space", text);
}

/* What part of the path a pattern is held against. */
static bool matches(const struct ags_filter_rule *rule, const char *full, size_t len, size_t root, bool is_dir)
{
	size_t end = rule->subtree && is_dir ? len + 1 : len, components = rule->slashes + 1;

	if (rule->dir_only && !is_dir)
		return false;
	if (rule->anchored)
		return matches_text(rule, full + root, end - root);
	if (rule->any_depth) {
		/* A leading double star may also stand for nothing, so that its slash is the one before the path. */
		if (rule->len >= 2 && rule->pattern[0] == '*' && rule->pattern[1] == '*')
			return matches_text(rule, full + root - 1, end - root + 1);
		for (size_t at = root; at < len; at++)
			if (full[at - 1] == '/' && matches_text(rule, full + at, end - at))
				return true;
		return false;
	}
	for (size_t at = len; at > root - 1; at--)
		if (full[at - 1] == '/' && --components == 0)
			return matches_text(rule, full + at, end - at);
	return false;
}

static bool matches_text(const struct ags_filter_rule *rule, const char *text, size_t len)
{
	if (rule->wild != NULL)
		return ags_wild_matches(rule->wild, text, len);
	return len == rule->len && memcmp(text, rule->pattern, len) == 0;
}
