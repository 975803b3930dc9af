#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rsync/filter.h"

/*
 * Lines of rules, an empty line, and paths; one with a trailing slash is a directory's. No rule may make the matcher read beside the path,
 * and what is encoded must be what is kept: lengths that add up, and an end.
 */
static void check_encoded(const struct ags_filter *filter)
{
	struct ags_buf out = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_cursor c;
	const uint8_t *text;
	uint32_t len;

	if (!ags_filter_encode(filter, &out, &err))
		abort();
	c = (struct ags_cursor){ ags_buf_bytes(&out), ags_buf_bytes(&out) + ags_buf_len(&out) };
	do {
		if (!ags_get_u32(&c, &len) || !ags_get_bytes(&c, &text, len) || (len > 0 && (text[0] != '+' && text[0] != '-')))
			abort();
	} while (len > 0);
	if (ags_left(&c) != 0)
		abort();
	ags_buf_free(&out);
}

static void add(struct ags_filter *filter, const char *line)
{
	struct ags_err err = AGS_ERR_INIT;
	bool ok = line[0] == '=' ? ags_filter_add_pattern(filter, AGS_FILTER_EXCLUDE, line + 1, &err) : ags_filter_add_rule(filter, line, &err);

	if (ok != (err.code == AGS_OK) || (!ok && err.message[0] == '\0'))
		abort();
}

/* A copy of just its size, so that reading beside it is seen. */
static void ask(const struct ags_filter *filter, const char *line)
{
	size_t len = strlen(line);
	bool is_dir = len > 1 && line[len - 1] == '/';
	char *exact = malloc(len + 1);

	len -= is_dir;
	exact = realloc(exact, len > 0 ? len : 1);
	memcpy(exact, line, len);
	ags_filter_hides(filter, exact, len, is_dir);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ags_filter *filter = ags_filter_new();
	char *text = malloc(size + 1), *line, *next;
	bool in_paths = false;

	memcpy(text, data, size);
	text[size] = '\0';
	for (line = text; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (*line == '\0')
			in_paths = true;
		else if (in_paths)
			ask(filter, line);
		else
			add(filter, line);
	}
	check_encoded(filter);
	free(text);
	ags_filter_free(filter);
	return 0;
}
