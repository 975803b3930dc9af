#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX_LEN 64

static size_t clean(char *to, size_t size, const char *from, size_t len, bool keep_lines);
static size_t escape(char *to, unsigned char c);
static size_t distance(const char *a, const char *b);

void ags_text_number(char to[AGS_TEXT_NUMBER], uint64_t n)
{
	char reversed[AGS_TEXT_NUMBER];
	size_t len = 0;

	do {
		if (len % 4 == 3)
			reversed[len++] = ',';
		reversed[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	for (size_t i = 0; i < len; i++)
		to[i] = reversed[len - 1 - i];
	to[len] = '\0';
}

size_t ags_text_utf8(const unsigned char *p, size_t len)
{
	uint32_t c;
	size_t n;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	c = p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

size_t ags_text_clean(char *to, size_t size, const char *from, size_t len)
{
	return clean(to, size, from, len, false);
}

size_t ags_text_clean_lines(char *to, size_t size, const char *from, size_t len)
{
	return clean(to, size, from, len, true);
}

const char *ags_text_nearest(const char *word, const char *const *names, size_t count)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 1;

	if (strlen(word) > WORD_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t d;

		if (strlen(names[i]) > WORD_MAX_LEN)
			continue;
		d = distance(word, names[i]);
		if (d <= best_distance) {
			if (d < best_distance || best == NULL)
				best = names[i];
			best_distance = d;
		}
	}
	return best;
}

static size_t clean(char *to, size_t size, const char *from, size_t len, bool keep_lines)
{
	const unsigned char *p = (const unsigned char *)from;
	size_t done = 0;

	if (size == 0)
		return 0;
	while (len > 0) {
		char piece[8];
		size_t used = ags_text_utf8(p, len), n;
		/* C1 controls are U+0080 to U+009F, two bytes beginning with C2 */
		bool is_control = used == 0 || p[0] < 0x20 || p[0] == 0x7f || (used == 2 && p[0] == 0xc2 && p[1] < 0xa0);

		if (keep_lines && (p[0] == '\n' || p[0] == '\t'))
			is_control = false;
		if (is_control) {
			used = 1;
			n = escape(piece, p[0]);
		} else {
			n = used;
			memcpy(piece, p, n);
		}
		if (n > size - 1 - done)
			break;
		memcpy(to + done, piece, n);
		done += n;
		p += used;
		len -= used;
	}
	to[done] = '\0';
	return done;
}

static size_t escape(char *to, unsigned char c)
{
	switch (c) {
	case '\n': return (size_t)snprintf(to, 8, "\\n");
	case '\r': return (size_t)snprintf(to, 8, "\\r");
	case '\t': return (size_t)snprintf(to, 8, "\\t");
	default:   return (size_t)snprintf(to, 8, "\\x%02x", c);
	}
}

/* Levenshtein's, with two rows; both words are at most WORD_MAX_LEN long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX_LEN + 1], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t change = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = row[j] + 1 < row[j + 1] + 1 ? row[j] + 1 : row[j + 1] + 1;
			if (change < row[j + 1])
				row[j + 1] = change;
		}
	}
	return row[n];
}
