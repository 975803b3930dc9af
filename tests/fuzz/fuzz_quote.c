#include "fuzz/fuzz.h"

#include "ssh/quote.h"

/* Words with NULs between them. A shell must read from the command just these words; the shell here is a dull one that knows no more than quotes. */
static bool is_plain(unsigned char c)
{
	return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_-./:,+@%=", c) != NULL;
}

/* The word at *at, behind which *at is left. A tilde, a glob, a newline without quotes: none of it may be there. */
static size_t read_word(const char **at, const char *end, char *to)
{
	size_t len = 0;
	const char *p = *at;

	must(p < end && *p != ' ');
	while (p < end && *p != ' ') {
		if (*p == '\'') {
			for (p++; p < end && *p != '\''; p++)
				to[len++] = *p;
			must(p++ < end);
		} else if (*p == '\\') {
			must(++p < end && *p != '\n' && (unsigned char)*p < 0x80);
			to[len++] = *p++;
		} else {
			must(*p != '\0' && is_plain((unsigned char)*p));
			to[len++] = *p++;
		}
	}
	*at = p;
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *argv[64], *at, *end;
	struct ags_buf command = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	char *text = malloc(size + 1), *word = malloc(size + 1);
	size_t argc = 0;

	must(text != NULL && word != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < size && argc < 64; i += strlen(text + i) + 1)
		argv[argc++] = text + i;
	must(ags_quote_argv(argv, argc, &command, &err) == (argc > 0) && ags_buf_u8(&command, ' '));
	at = (const char *)ags_buf_bytes(&command);
	end = at + ags_buf_len(&command) - 1;
	for (size_t i = 0; i < argc; i++) {
		must(i == 0 || (at < end && *at++ == ' '));
		must(*at != '=');                         /* zsh would look for a command of that name */
		must(read_word(&at, end, word) == strlen(argv[i]) && memcmp(word, argv[i], strlen(argv[i])) == 0);
	}
	must(at == end);
	ags_buf_free(&command);
	free(text);
	free(word);
	return 0;
}
