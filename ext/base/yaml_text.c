#include "base/yaml_text.h"
#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libyaml compares each %TAG with all before it, and nobody needs one. */
#define MAX_DIRECTIVES 16

static bool ends_line(const unsigned char *p, size_t len);
static int compare_keys(const void *a, const void *b);

bool ags_yaml_check_text(const char *text, size_t len, struct ags_problems *problems)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned line = 1, column = 1, directives = 0;

	if (len > AGS_MAX_YAML) {
		ags_problem_add(problems, 1, 1, "", "the text has %zu bytes, want at most %u", len, AGS_MAX_YAML);
		return false;
	}
	for (size_t n; len > 0; p += n, len -= n) {
		n = ags_text_utf8(p, len);
		if (n == 0) {
			ags_problem_add(problems, line, column, "", "byte 0x%02x is not UTF-8, want a text in UTF-8", p[0]);
			return false;
		}
		if ((p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r') || p[0] == 0x7f) {
			ags_problem_add(problems, line, column, "", "control character 0x%02x, want printable text", p[0]);
			return false;
		}
		if (column == 1 && p[0] == '%' && ++directives > MAX_DIRECTIVES) {
			ags_problem_add(problems, line, column, "", "more than %d lines begin with %%, want no directives",
			                MAX_DIRECTIVES);
			return false;
		}
		column++;
		if (ends_line(p, len)) {
			line++;
			column = 1;
		}
	}
	return true;
}

void ags_yaml_resolve(struct ags_node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	static const char *const bools[] = { "false", "False", "FALSE", "true", "True", "TRUE" };
	const char *text = node->as.string.bytes, *digits = text + (text[0] == '-' || text[0] == '+');
	size_t n = strspn(digits, "0123456789");
	long long value;

	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		if (strcmp(text, nulls[i]) == 0)
			node->kind = AGS_NODE_NULL;
	for (size_t i = 0; i < sizeof(bools) / sizeof(*bools); i++) {
		if (strcmp(text, bools[i]) == 0) {
			node->kind = AGS_NODE_BOOL;
			node->as.boolean = i >= 3;
			return;
		}
	}
	if (n == 0 || digits[n] != '\0' || (n > 1 && digits[0] == '0'))
		return;
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == 0) {
		node->kind = AGS_NODE_INT;
		node->as.integer = value;
	}
}

void ags_yaml_drop_duplicates(struct ags_node *map, const char *where, struct ags_problems *problems)
{
	size_t count = map->as.map.count, kept = 0;
	struct ags_pair *pairs = map->as.map.pairs, **sorted = malloc(count * sizeof(struct ags_pair *));
	const struct ags_pair *first;
	char place[1024];

	if (sorted == NULL) {
		problems->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &pairs[i];
	qsort(sorted, count, sizeof(*sorted), compare_keys);
	first = sorted[0];
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i]->key, first->key) != 0) {
			first = sorted[i];
			continue;
		}
		snprintf(place, sizeof(place), "%s%s%.100s", where, where[0] != '\0' ? "." : "", first->key);
		ags_problem_add(problems, sorted[i]->line, sorted[i]->column, place,
		                "duplicate key \"%.64s\", the first is in line %u", first->key, first->line);
		sorted[i]->value = NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (pairs[i].value != NULL)
			pairs[kept++] = pairs[i];
	map->as.map.count = kept;
	free(sorted);
}

/* The line breaks of YAML 1.1: also NEL, LS and PS. */
static bool ends_line(const unsigned char *p, size_t len)
{
	if (p[0] == '\r')
		return len == 1 || p[1] != '\n';
	return p[0] == '\n' || (p[0] == 0xc2 && p[1] == 0x85) || (p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8);
}

static int compare_keys(const void *a, const void *b)
{
	const struct ags_pair *x = *(struct ags_pair *const *)a, *y = *(struct ags_pair *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x > y) - (x < y);
}
