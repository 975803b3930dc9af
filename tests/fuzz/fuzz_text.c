#include "fuzz/fuzz.h"

/*
 * {room} text. What is cleaned fits, is UTF-8 and has no control characters; more room only adds to it; cleaning it
 * again changes nothing. UTF-8 is compared with a dull reader of it.
 */
static size_t put(uint32_t c, unsigned char to[4])
{
	if (c < 0x80) {
		to[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (unsigned char)(0xc0 | c >> 6);
		to[1] = (unsigned char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (unsigned char)(0xe0 | c >> 12);
		to[1] = (unsigned char)(0x80 | (c >> 6 & 63));
		to[2] = (unsigned char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (unsigned char)(0xf0 | c >> 18);
	to[1] = (unsigned char)(0x80 | (c >> 12 & 63));
	to[2] = (unsigned char)(0x80 | (c >> 6 & 63));
	to[3] = (unsigned char)(0x80 | (c & 63));
	return 4;
}

/* A sequence is right when the character it seems to be is written just so. */
static size_t dull_utf8(const unsigned char *p, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++) {
		uint32_t c = n == 1 ? p[0] : n == 2 ? p[0] & 0x1f : n == 3 ? p[0] & 0x0f : p[0] & 0x07;
		unsigned char right[4];

		for (size_t i = 1; i < n; i++)
			c = c << 6 | (p[i] & 0x3f);
		if (c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) && put(c, right) == n && memcmp(right, p, n) == 0)
			return n;
	}
	return 0;
}

static void check_cleaned(const char *text, size_t len, bool lines)
{
	const unsigned char *p = (const unsigned char *)text;

	must(strlen(text) == len);
	for (size_t n; len > 0; p += n, len -= n) {
		n = dull_utf8(p, len);
		must(n > 0 && (p[0] >= 0x20 || (lines && (*p == '\n' || *p == '\t'))) && p[0] != 0x7f && !(p[0] == 0xc2 && p[1] < 0xa0));
	}
}

static void check_clean(const char *text, size_t len, size_t room, bool lines)
{
	size_t (*clean)(char *to, size_t size, const char *from, size_t len) = lines ? ags_text_clean_lines : ags_text_clean;
	char *all = malloc(4 * len + 1), *some = malloc(room), *again = malloc(4 * len + 1);
	size_t all_len, some_len;

	must(all != NULL && some != NULL && again != NULL);
	all_len = clean(all, 4 * len + 1, text, len);
	check_cleaned(all, all_len, lines);
	some_len = clean(some, room, text, len);
	check_cleaned(some, some_len, lines);
	must(some_len < room && some_len <= all_len && memcmp(all, some, some_len) == 0 && (some_len == all_len || some_len + 4 >= room));
	must(clean(again, 4 * len + 1, all, all_len) == all_len && memcmp(again, all, all_len) == 0);
	free(all);
	free(some);
	free(again);
}

static void check_number(uint64_t n)
{
	char text[AGS_TEXT_NUMBER], plain[32], want[32];
	size_t len = 0;

	ags_text_number(text, n);
	for (const char *p = text; *p != '\0'; p++)
		if (*p != ',')
			plain[len++] = *p;
	plain[len] = '\0';
	snprintf(want, sizeof(want), "%llu", (unsigned long long)n);
	must(strcmp(plain, want) == 0);
}

static void check_nearest(const char *text, size_t len)
{
	static const char *const names[] = { "exclude", "include", "filter", "max_delete", "" };
	struct ags_cursor in = { (const uint8_t *)text, (const uint8_t *)text + len };
	char *word = take_text(&in, len);
	const char *near = ags_text_nearest(word, names, 5);

	must(near == NULL || near == names[0] || near == names[1] || near == names[2] || near == names[3] || near == names[4]);
	for (size_t i = 0; i < 5; i++)
		must(strcmp(word, names[i]) != 0 || near == names[i]);
	free(word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	uint64_t n = 0;

	if (size < 1 || size > 4096)
		return 0;
	for (size_t i = 1; i < size; i++)
		must(ags_text_utf8(data + i, size - i) == dull_utf8(data + i, size - i));
	check_clean(text, size - 1, data[0] + 1u, false);
	check_clean(text, size - 1, data[0] + 1u, true);
	check_nearest(text, size - 1);
	memcpy(&n, text, size - 1 < 8 ? size - 1 : 8);
	check_number(n);
	return 0;
}
