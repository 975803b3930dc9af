#include "rsync/wildmatch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum op { BYTE, ANY, SET, STAR, DEEP };

struct token {
	uint8_t op, byte;
	uint16_t set;
};

struct set {
	uint8_t bits[32];
};

struct ags_wild {
	struct token *tokens;
	struct set *sets;
	size_t count, set_count;
	bool never;                   /* broken: matches nothing */
};

struct pattern {
	const uint8_t *p, *end;
};

static bool compile(struct ags_wild *w, struct pattern in);
static bool compile_set(struct set *set, struct pattern *in);
static bool compile_range(struct set *set, struct pattern *in, unsigned from);
static const uint8_t *class_end(struct pattern in);
static bool add_class(struct set *set, const uint8_t *name, size_t len);
static bool matches_one(const struct ags_wild *w, const struct token *t, uint8_t c);

struct ags_wild *ags_wild_new(const char *pattern, size_t len)
{
	struct ags_wild *w = calloc(1, sizeof(*w));
	size_t brackets = 0;

	if (w == NULL || len > UINT16_MAX)
		goto fail;
	for (size_t i = 0; i < len; i++)
		brackets += pattern[i] == '[';
	w->tokens = calloc(len + 1, sizeof(*w->tokens));
	w->sets = calloc(brackets + 1, sizeof(*w->sets));
	if (w->tokens == NULL || w->sets == NULL)
		goto fail;
	w->never = !compile(w, (struct pattern){ (const uint8_t *)pattern, (const uint8_t *)pattern + len });
	return w;
fail:
	ags_wild_free(w);
	return NULL;
}

void ags_wild_free(struct ags_wild *wild)
{
	if (wild == NULL)
		return;
	free(wild->tokens);
	free(wild->sets);
	free(wild);
}

/*
 * Only the last * and the last ** are remembered. Both were reached as early in the text as can be, so that
 * moving one before them could only begin the rest later, where it has less to choose from; a * is pinned
 * by the slashes around it, and all of it begins anew when the ** moves.
 */
bool ags_wild_matches(const struct ags_wild *wild, const char *text, size_t len)
{
	const size_t none = SIZE_MAX;
	size_t t = 0, p = 0, star_p = none, star_t = 0, deep_p = none, deep_t = 0;

	if (wild->never)
		return false;
	for (;;) {
		const struct token *token = p < wild->count ? &wild->tokens[p] : NULL;

		if (token != NULL && token->op == STAR) {
			star_p = ++p;
			star_t = t;
		} else if (token != NULL && token->op == DEEP) {
			deep_p = ++p;
			deep_t = t;
			star_p = none;
		} else if (token != NULL && t < len && matches_one(wild, token, (uint8_t)text[t])) {
			p++;
			t++;
		} else if (token == NULL && t == len) {
			return true;
		} else if (star_p != none && star_t < len && text[star_t] != '/') {
			p = star_p;
			t = ++star_t;
		} else if (deep_p != none && deep_t < len) {
			p = deep_p;
			t = ++deep_t;
			star_p = none;
		} else {
			return false;
		}
	}
}

/* false: the pattern is broken. */
static bool compile(struct ags_wild *w, struct pattern in)
{
	while (in.p < in.end) {
		struct token *t = &w->tokens[w->count++];
		uint8_t c = *in.p++;

		t->op = BYTE;
		t->byte = c;
		if (c == '?') {
			t->op = ANY;
		} else if (c == '*') {
			t->op = STAR;
			for (; in.p < in.end && *in.p == '*'; in.p++)
				t->op = DEEP;
		} else if (c == '[') {
			t->op = SET;
			t->set = (uint16_t)w->set_count;
			if (!compile_set(&w->sets[w->set_count++], &in))
				return false;
		} else if (c == '\\') {
			if (in.p == in.end)
				return false;
			t->byte = *in.p++;
		}
	}
	return true;
}

static void add_byte(struct set *set, unsigned c)
{
	set->bits[c / 8] |= (uint8_t)(1u << c % 8);
}

/* Behind the opening bracket: [! or ^], then at least one member, then the closing bracket. */
static bool compile_set(struct set *set, struct pattern *in)
{
	const unsigned none = 256;
	unsigned last = none;
	bool negated = in->p < in->end && (*in->p == '!' || *in->p == '^');
	const uint8_t *end;

	in->p += negated;
	for (bool first = true; in->p < in->end; first = false) {
		uint8_t c = *in->p++;

		if (c == ']' && !first) {
			for (size_t i = 0; negated && i < sizeof(set->bits); i++)
				set->bits[i] = (uint8_t)~set->bits[i];
			return true;
		}
		if (c == '-' && last != none && in->p < in->end && *in->p != ']') {
			if (!compile_range(set, in, last))
				return false;
			last = none;
		} else if (c == '[' && (end = class_end(*in)) != NULL) {
			if (!add_class(set, in->p + 1, (size_t)(end - 1 - (in->p + 1))))
				return false;
			in->p = end + 1;
			last = none;
		} else {
			if (c == '\\') {
				if (in->p == in->end)
					return false;
				c = *in->p++;
			}
			add_byte(set, c);
			last = c;
		}
	}
	return false;
}

/* Behind the hyphen. */
static bool compile_range(struct set *set, struct pattern *in, unsigned from)
{
	unsigned to = *in->p++;

	if (to == '\\') {
		if (in->p == in->end)
			return false;
		to = *in->p++;
	}
	for (unsigned c = from; c <= to; c++)
		add_byte(set, c);
	return true;
}

/* Where the bracket is that closes ":name:]"; NULL when this is none and the bracket before was an ordinary member. */
static const uint8_t *class_end(struct pattern in)
{
	const uint8_t *bracket;

	if (in.p == in.end || *in.p != ':')
		return NULL;
	bracket = memchr(in.p + 1, ']', (size_t)(in.end - in.p - 1));
	return bracket != NULL && bracket - in.p >= 2 && bracket[-1] == ':' ? bracket : NULL;
}

static bool is_lower(unsigned c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(unsigned c) { return c >= 'A' && c <= 'Z'; }
static bool is_alpha(unsigned c) { return is_lower(c) || is_upper(c); }
static bool is_digit(unsigned c) { return c >= '0' && c <= '9'; }
static bool is_alnum(unsigned c) { return is_alpha(c) || is_digit(c); }
static bool is_blank(unsigned c) { return c == ' ' || c == '\t'; }
static bool is_cntrl(unsigned c) { return c < 32 || c == 127; }
static bool is_graph(unsigned c) { return c > 32 && c < 127; }
static bool is_print(unsigned c) { return c >= 32 && c < 127; }
static bool is_punct(unsigned c) { return is_graph(c) && !is_alnum(c); }
static bool is_space(unsigned c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_xdigit(unsigned c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/* false: there is no such class. */
static bool add_class(struct set *set, const uint8_t *name, size_t len)
{
	static const struct { const char *name; bool (*holds)(unsigned c); } classes[] = {
		{ "alnum", is_alnum }, { "alpha", is_alpha }, { "blank", is_blank }, { "cntrl", is_cntrl },
		{ "digit", is_digit }, { "graph", is_graph }, { "lower", is_lower }, { "print", is_print },
		{ "punct", is_punct }, { "space", is_space }, { "upper", is_upper }, { "xdigit", is_xdigit },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strlen(classes[i].name) != len || memcmp(classes[i].name, name, len) != 0)
			continue;
		for (unsigned c = 0; c < 256; c++)
			if (classes[i].holds(c))
				add_byte(set, c);
		return true;
	}
	return false;
}

static bool matches_one(const struct ags_wild *w, const struct token *t, uint8_t c)
{
	if (t->op == BYTE)
		return t->byte == c;
	if (c == '/')
		return false;
	return t->op == ANY || (w->sets[t->set].bits[c / 8] >> c % 8 & 1);
}
