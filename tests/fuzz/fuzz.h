#ifndef AGS_TESTS_FUZZ_H
#define AGS_TESTS_FUZZ_H

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

/* What fuzz targets share: a claim whose breach is a finding, and takers of an input's bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(claim) do { \
	if (!(claim)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim); \
		abort(); \
	} \
} while (0)

/* 0 past the end. */
static inline uint8_t take_u8(struct ags_cursor *in)
{
	uint8_t v = 0;

	ags_get_u8(in, &v);
	return v;
}

/* The next n bytes, or what is left of them, without NULs inside and with one behind; to be freed. */
static inline char *take_text(struct ags_cursor *in, size_t n)
{
	char *text = malloc(n + 1);
	size_t len = 0;

	must(text != NULL);
	for (; n > 0 && ags_left(in) > 0; n--)
		if ((text[len] = (char)take_u8(in)) != '\0')
			len++;
	text[len] = '\0';
	return realloc(text, len + 1);
}

/* As people may see it. */
static inline void must_be_clean(const char *text)
{
	size_t len = strlen(text);
	char *again = malloc(len + 1);

	must(text[0] != '\0' && again != NULL);
	ags_text_clean(again, len + 1, text, len);
	must(strcmp(again, text) == 0);
	free(again);
}

#endif
