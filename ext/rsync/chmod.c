#include "rsync/chmod.h"

#include <string.h>
#include <sys/stat.h>

#define ALL  07777u
#define RWX  0777u

struct ags_chmod_clause {
	struct ags_chmod_clause *next;
	char op;                      /* + - =, or 0 for octal */
	bool no_dirs, no_files;
	bool x_if_any;                /* X */
	char copy;                    /* u, g or o: from there; else 0 */
	uint32_t who;                 /* the bits that may be touched by r, w, x, X and a copy */
	uint32_t bits;                /* r, w, x within who, and s and t; or the octal mode */
	uint32_t clear;               /* what "=" takes away first */
};

static bool parse(struct ags_chmod_clause *c, const char *text, size_t len, unsigned umask);
static bool parse_octal(struct ags_chmod_clause *c, const char *digits, size_t len);
static bool parse_permissions(struct ags_chmod_clause *c, const char *text, size_t len, uint32_t special);
static uint32_t change(const struct ags_chmod_clause *c, uint32_t mode, bool gets_x);

void ags_chmod_init(struct ags_chmod *chmod)
{
	memset(chmod, 0, sizeof(*chmod));
	chmod->last = &chmod->first;
}

void ags_chmod_free(struct ags_chmod *chmod)
{
	ags_arena_free(&chmod->arena);
	chmod->first = NULL;
}

bool ags_chmod_add(struct ags_chmod *chmod, const char *text, unsigned umask, struct ags_err *err)
{
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");
		struct ags_chmod_clause *c = ags_arena_alloc(&chmod->arena, sizeof(*c));

		if (c == NULL)
			return ags_fail_nomem(err);
		memset(c, 0, sizeof(*c));
		if (!parse(c, at, len, umask))
			return ags_fail(err, AGS_USAGE, "option chmod has \"%.*s\", want clauses as rsync's, such as D2775,F664 or ug+w,Fo-w,+X",
			                len < 64 ? (int)len : 64, at);
		*chmod->last = c;
		chmod->last = &c->next;
		at += len;
		if (*at == '\0')
			return true;
	}
}

uint32_t ags_chmod_apply(const struct ags_chmod *chmod, uint32_t mode)
{
	bool is_dir = S_ISDIR(mode), gets_x = is_dir || (mode & 0111) != 0;
	uint32_t now = mode & ALL;

	if (S_ISLNK(mode))
		return mode;
	for (const struct ags_chmod_clause *c = chmod->first; c != NULL; c = c->next)
		if (!(is_dir ? c->no_dirs : c->no_files))
			now = change(c, now, gets_x);
	return (mode & ~ALL) | now;
}

/* {D|F} {u|g|o|a} (+|-|=) {r|w|x|X|s|t}, or u, g or o alone behind the sign; or {D|F} and octal digits */
static bool parse(struct ags_chmod_clause *c, const char *text, size_t len, unsigned umask)
{
	uint32_t special = 0, copied = 0;
	size_t i;

	for (i = 0; i < len && strchr("DFugoa", text[i]) != NULL; i++)
		switch (text[i]) {
		case 'D': c->no_files = true; break;
		case 'F': c->no_dirs = true; break;
		case 'u': c->who |= 0700; special |= 04000; copied |= 04000; break;
		case 'g': c->who |= 0070; special |= 02000; copied |= 02000; break;
		case 'o': c->who |= 0007; copied |= 01000; break;
		default:  c->who |= 0777; special |= 06000; copied |= 07000; break;
		}
	if (i == len || (c->no_dirs && c->no_files))
		return false;
	if (text[i] >= '0' && text[i] <= '7')
		return c->who == 0 && parse_octal(c, text + i, len - i);
	if (strchr("+-=", text[i]) == NULL)
		return false;
	c->op = text[i++];
	c->clear = c->who != 0 ? c->who : RWX;
	if (c->who == 0) {
		c->who = RWX & ~umask;
		copied = 07000;
	}
	if (i + 1 == len && strchr("ugo", text[i]) != NULL) {
		c->copy = text[i];
		c->clear |= copied;
		return true;
	}
	return parse_permissions(c, text + i, len - i, special);
}

static bool parse_octal(struct ags_chmod_clause *c, const char *digits, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '7')
			return false;
		c->bits = c->bits << 3 | (uint32_t)(digits[i] - '0');
		if (c->bits > ALL)
			return false;
	}
	return true;
}

/* s is of the owner and the group that are named; of the owner when neither is. */
static bool parse_permissions(struct ags_chmod_clause *c, const char *text, size_t len, uint32_t special)
{
	for (size_t i = 0; i < len; i++)
		switch (text[i]) {
		case 'r': c->bits |= 0444 & c->who; break;
		case 'w': c->bits |= 0222 & c->who; break;
		case 'x': c->bits |= 0111 & c->who; break;
		case 'X': c->x_if_any = true; break;
		case 's': c->bits |= special != 0 ? special : 04000; break;
		case 't': c->bits |= 01000; break;
		default:  return false;
		}
	if (c->bits & 07000)
		c->clear |= special;
	return true;
}

static uint32_t change(const struct ags_chmod_clause *c, uint32_t mode, bool gets_x)
{
	uint32_t bits = c->bits;

	if (c->x_if_any)          /* X beside x is X */
		bits = gets_x || c->op == '-' ? bits | (0111 & c->who) : bits & ~0111u;
	if (c->copy != 0)
		bits = (mode >> (c->copy == 'u' ? 6 : c->copy == 'g' ? 3 : 0) & 7) * 0111 & c->who;
	switch (c->op) {
	case '+':
		return mode | bits;
	case '-':
		return mode & ~bits;
	case '=':
		return (mode & ~c->clear) | bits;
	default:
		return bits;
	}
}
