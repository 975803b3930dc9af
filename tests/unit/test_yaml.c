#include "unit/check.h"

#include "base/limits.h"
#include "base/yaml.h"

#include <stdarg.h>
#include <time.h>

/* Parses and prints: what[] gets the tree in one line, complaints[] one line for each problem. */
static struct ags_arena arena;
static char what[8192], complaints[4096];

static size_t print_node(size_t used, const struct ags_node *n);

static size_t print(size_t used, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(what + used, sizeof(what) - used, format, args);
	va_end(args);
	return used + (size_t)n < sizeof(what) ? used + (size_t)n : sizeof(what) - 1;
}

static size_t print_children(size_t used, const struct ags_node *n)
{
	if (n->kind == AGS_NODE_LIST)
		for (size_t i = 0; i < n->as.list.count; i++)
			used = print(print_node(used, n->as.list.items[i]), i + 1 < n->as.list.count ? " " : "");
	else
		for (size_t i = 0; i < n->as.map.count; i++) {
			used = print(used, "%s:", n->as.map.pairs[i].key);
			used = print(print_node(used, n->as.map.pairs[i].value), i + 1 < n->as.map.count ? " " : "");
		}
	return used;
}

static size_t print_node(size_t used, const struct ags_node *n)
{
	switch (n->kind) {
	case AGS_NODE_NULL:   return print(used, "null");
	case AGS_NODE_BOOL:   return print(used, n->as.boolean ? "true" : "false");
	case AGS_NODE_INT:    return print(used, "%lld", (long long)n->as.integer);
	case AGS_NODE_STRING: return print(used, "'%s'", n->as.string.bytes);
	case AGS_NODE_LIST:   return print(print_children(print(used, "["), n), "]");
	default:              return print(print_children(print(used, "{"), n), "}");
	}
}

static const struct ags_node *parse_bytes(const char *text, size_t len)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	const struct ags_node *root;
	size_t used = 0;

	ags_arena_free(&arena);
	root = ags_yaml_parse(&arena, text, len, &problems);
	what[0] = complaints[0] = '\0';
	if (root != NULL)
		print_node(0, root);
	for (size_t i = 0; i < problems.count && used < sizeof(complaints); i++)
		used += (size_t)snprintf(complaints + used, sizeof(complaints) - used, "%u:%u %s: %s\n", problems.items[i].line,
		                         problems.items[i].column, problems.items[i].where, problems.items[i].message);
	CHECK(!problems.out_of_memory);
	ags_problems_free(&problems);
	return root;
}

static const struct ags_node *parse(const char *text) { return parse_bytes(text, strlen(text)); }

#define READS_AS(text, wanted) do { parse(text); CHECK_STR(what, wanted); CHECK_STR(complaints, ""); } while (0)
#define COMPLAINS(text, wanted) do { parse(text); CHECK_STR(complaints, wanted); } while (0)
#define REFUSES(text, wanted) do { CHECK(parse(text) == NULL); CHECK_STR(complaints, wanted); } while (0)

static void test_plain_scalars_have_types_and_quoted_ones_are_strings(void)
{
	READS_AS("[~, null, NULL, true, False, 1, -7, +7, 0]", "[null null null true false 1 -7 7 0]");
	READS_AS("a:\nb: 1\n", "{a:null b:1}");
	READS_AS("['~', \"true\", '1', \"\"]", "['~' 'true' '1' '']");
	READS_AS("[yes, no, on, off, 1.5, 010, 0x10, 1_000, 12:30, -, +]",
	         "['yes' 'no' 'on' 'off' '1.5' '010' '0x10' '1_000' '12:30' '-' '+']");
}

static void test_a_number_that_does_not_fit_is_a_string(void)
{
	READS_AS("[9223372036854775807, -9223372036854775808, 9223372036854775808]",
	         "[9223372036854775807 -9223372036854775808 '9223372036854775808']");
}

static void test_block_and_flow_style_give_the_same_tree(void)
{
	const char *tree = "{servers:{web1:{host:'a' port:22} web2:{}} list:['x' 'y']}";

	READS_AS("servers: { web1: { host: a, port: 22 }, web2: {} }\nlist: [x, y]\n", tree);
	READS_AS("servers:\n  web1:\n    host: a\n    port: 22\n  web2: {}\nlist:\n  - x\n  - y\n", tree);
	READS_AS("servers: { web1: { host: a, port: 22 }, web2: {} }\r\nlist: [x, y]\r\n", tree);
}

static void test_lines_and_columns_begin_at_one(void)
{
	const struct ags_node *root = parse("# words\na: 1\nb:\n  - x\n  - { c: 'd' }\n");
	const struct ags_pair *b = &root->as.map.pairs[1];
	const struct ags_node *d = b->value->as.list.items[1]->as.map.pairs[0].value;

	CHECK_INT(root->line, 2);
	CHECK_INT(b->line, 3);
	CHECK_INT(b->column, 1);
	CHECK_INT(d->line, 5);
	CHECK_INT(d->column, 10);
}

static void test_an_empty_text_is_null(void)
{
	const struct ags_node *root = parse("# nothing but words\n");

	CHECK_STR(what, "null");
	CHECK_INT(root->line, 1);
	READS_AS("", "null");
	READS_AS("---\n", "null");
}

static void test_a_byte_order_mark_changes_nothing(void)
{
	READS_AS("\xef\xbb\xbf" "a: 1\nb: 2\n", "{a:1 b:2}");
}

static void test_aliases_stand_for_their_anchors(void)
{
	READS_AS("a: &x { port: 22 }\nb: *x\nc: [*x, &y z, *y]\n", "{a:{port:22} b:{port:22} c:[{port:22} 'z' 'z']}");
	READS_AS("[&x 1, *x, &x 2, *x]", "[1 1 2 2]");
	READS_AS("&k key: *k", "{key:'key'}");
}

static void test_an_alias_without_an_anchor_is_refused(void)
{
	REFUSES("a: *nobody\n", "1:4 a: there is no anchor &nobody before this alias\n");
	REFUSES("a: &x [1, *x]\n", "1:11 a: this alias is a part of what &x stands for\n");
}

static void test_duplicate_keys_name_the_first_and_are_dropped(void)
{
	COMPLAINS("servers:\n  web1: 1\n  web2: 2\n  web1: 3\n  web1: 4\n",
	          "4:3 servers.web1: duplicate key \"web1\", the first is in line 2\n"
	          "5:3 servers.web1: duplicate key \"web1\", the first is in line 2\n");
	CHECK_STR(what, "{servers:{web1:1 web2:2}}");
	COMPLAINS("{a: 1, 'a': 2}", "1:8 a: duplicate key \"a\", the first is in line 1\n");
}

static void test_keys_are_strings(void)
{
	COMPLAINS("80: x\nb: 1\n", "1:1 : a key is a number, want a text (quotes make it one)\n");
	CHECK_STR(what, "{b:1}");
	COMPLAINS("s:\n  true: x\n  ~: y\n", "2:3 s: a key is true or false, want a text (quotes make it one)\n"
	                                     "3:3 s: a key is empty, want a text (quotes make it one)\n");
	COMPLAINS("? [a, b]\n: x\n", "1:3 : a key is a list, want a text\n");
	READS_AS("'80': x\n", "{80:'x'}");
}

static void test_merge_keys_and_tags_are_problems(void)
{
	COMPLAINS("a: &x {p: 1}\nb:\n  <<: *x\n  q: 2\n", "3:3 b: merge keys (<<) are not understood, write the keys out\n");
	CHECK_STR(what, "{a:{p:1} b:{q:2}}");
	READS_AS("'<<': 1\n", "{<<:1}");
	COMPLAINS("a: !!str 5\nb: !x [1]\n", "1:4 a: tag tag:yaml.org,2002:str is not understood, leave it out\n"
	                                     "2:4 b: tag !x is not understood, leave it out\n");
}

static void test_a_second_document_is_a_problem(void)
{
	COMPLAINS("a: 1\n---\nb: 2\n", "2:1 : a second document begins here, want one\n");
	CHECK_STR(what, "{a:1}");
}

static void test_syntax_errors_are_one_problem_with_a_place(void)
{
	REFUSES("a: [1, 2\nb: 3\n", "2:2 : not valid YAML: did not find expected ',' or ']', while parsing a flow sequence that began in line 1\n");
	REFUSES("a: 1\n\tb: 2\n", "2:1 : not valid YAML: found a tab character that violates indentation, while scanning a plain scalar that began in line 1\n");
	CHECK(parse("a: \"unfinished") == NULL);
	CHECK(parse("a: b: c") == NULL);
	CHECK(parse("%FOO\n") == NULL);
}

static void test_bytes_that_are_no_text_are_refused(void)
{
	REFUSES("a: 1\nb: \xff\n", "2:4 : byte 0xff is not UTF-8, want a text in UTF-8\n");
	REFUSES("a: 1\nb: \xc3\xa9\x07\n", "2:5 : control character 0x07, want printable text\n");
	CHECK(parse_bytes("a: \0b", 5) == NULL);
	CHECK_STR(complaints, "1:4 : control character 0x00, want printable text\n");
	CHECK(parse_bytes("\xff\xfe" "a\0:\0", 6) == NULL);
	COMPLAINS("a: \"x\\0y\"", "1:4 a: the text holds a NUL, want text without one\n");
	CHECK(parse("a: \xef\xbf\xbf") == NULL);
	CHECK(strstr(complaints, "not valid YAML") != NULL);
}

static char *repeat(const char *piece, size_t times)
{
	size_t n = strlen(piece);
	char *text = malloc(n * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(text + i * n, piece, n);
	text[n * times] = '\0';
	return text;
}

static void test_depth_has_a_ceiling(void)
{
	char *deep = repeat("[", 100000);

	CHECK(parse("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]") != NULL);
	REFUSES("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "1:17 : nests deeper than 16 levels\n");
	REFUSES(deep, "1:17 : nests deeper than 16 levels\n");
	REFUSES("- &a [[[[[[[[1]]]]]]]]\n- [[[[[[[*a]]]]]]]\n- [[[[[[[[*a]]]]]]]]\n", "3:11 : this alias nests deeper than 16 levels\n");
	free(deep);
}

static void test_an_exponential_alias_bomb_is_refused_quickly(void)
{
	clock_t begin = clock();

	REFUSES("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
	        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
	        "6:8 f: this alias brings the text to more than 100000 values\n");
	CHECK((clock() - begin) * 10 < CLOCKS_PER_SEC);
}

static void test_values_anchors_and_bytes_have_ceilings(void)
{
	char *values = repeat("- 1\n", AGS_MAX_YAML_NODES), *anchors = repeat("- &a 1\n", AGS_MAX_YAML_ANCHORS + 1);
	char *bytes = repeat(" ", AGS_MAX_YAML + 1);

	REFUSES(values, "100000:3 : there are more than 100000 values\n");
	REFUSES(anchors, "1001:3 : there are more than 1000 anchors\n");
	REFUSES(bytes, "1:1 : the text has 1048577 bytes, want at most 1048576\n");
	values[4 * (AGS_MAX_YAML_NODES - 1)] = '\0';
	CHECK(parse(values) != NULL);
	free(values);
	free(anchors);
	free(bytes);
}

static void test_directives_are_few(void)
{
	char *tags = repeat("%TAG !a! b\n", 17), *hidden = repeat("%TAG !a! b\xe2\x80\xa8", 17);

	READS_AS("%YAML 1.1\n---\na: 1\n", "{a:1}");
	REFUSES(tags, "17:1 : more than 16 lines begin with %, want no directives\n");
	REFUSES(hidden, "17:1 : more than 16 lines begin with %, want no directives\n");
	free(tags);
	free(hidden);
}

static void test_many_keys_are_compared_quickly(void)
{
	size_t count = 49000, used = 0;
	char *text = malloc(count * 16);
	clock_t begin = clock();

	for (size_t i = 0; i < count; i++)
		used += (size_t)sprintf(text + used, "k%zu: %zu\n", i * 7919 % count, i);
	CHECK(parse(text) != NULL);
	CHECK_STR(complaints, "");
	CHECK((clock() - begin) < 5 * CLOCKS_PER_SEC);
	free(text);
}

int main(void)
{
	RUN(test_plain_scalars_have_types_and_quoted_ones_are_strings);
	RUN(test_a_number_that_does_not_fit_is_a_string);
	RUN(test_block_and_flow_style_give_the_same_tree);
	RUN(test_lines_and_columns_begin_at_one);
	RUN(test_an_empty_text_is_null);
	RUN(test_a_byte_order_mark_changes_nothing);
	RUN(test_aliases_stand_for_their_anchors);
	RUN(test_an_alias_without_an_anchor_is_refused);
	RUN(test_duplicate_keys_name_the_first_and_are_dropped);
	RUN(test_keys_are_strings);
	RUN(test_merge_keys_and_tags_are_problems);
	RUN(test_a_second_document_is_a_problem);
	RUN(test_syntax_errors_are_one_problem_with_a_place);
	RUN(test_bytes_that_are_no_text_are_refused);
	RUN(test_depth_has_a_ceiling);
	RUN(test_an_exponential_alias_bomb_is_refused_quickly);
	RUN(test_values_anchors_and_bytes_have_ceilings);
	RUN(test_directives_are_few);
	RUN(test_many_keys_are_compared_quickly);
	ags_arena_free(&arena);
	return check_result();
}
