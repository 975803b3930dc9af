#include "ssh/quote.h"

#include <string.h>

static bool add_word(struct ags_buf *command, const char *word, bool is_first);
static bool add_char(struct ags_buf *command, char c, bool is_plain);
static bool is_harmless(char c);

bool ags_quote_argv(const char *const *argv, size_t argc, struct ags_buf *command, struct ags_err *err)
{
	if (argc == 0)
		return ags_fail(err, AGS_USAGE, "an empty list is no command, want at least the program");
	for (size_t i = 0; i < argc; i++) {
		if (i > 0 && !ags_buf_add(command, " ", 1))
			return ags_fail_nomem(err);
		if (!add_word(command, argv[i], i == 0))
			return ags_fail_nomem(err);
	}
	return true;
}

/* An = in the first word would make it an assignment, and zsh takes one at the beginning of any word for the path of a
 * command. Elsewhere it stays plain, as rrsync compares options before it removes backslashes. */
static bool add_word(struct ags_buf *command, const char *word, bool is_first)
{
	if (word[0] == '\0')
		return ags_buf_add(command, "''", 2);
	for (size_t i = 0; word[i] != '\0'; i++)
		if (!add_char(command, word[i], is_harmless(word[i]) || (word[i] == '=' && i > 0 && !is_first)))
			return false;
	return true;
}

static bool add_char(struct ags_buf *command, char c, bool is_plain)
{
	char quoted[2] = { '\\', c };

	if (is_plain)
		return ags_buf_add(command, &c, 1);
	if (c == '\n')
		return ags_buf_add(command, "'\n'", 3);
	return ags_buf_add(command, quoted, 2);
}

/* Bytes of 0x80 and above mean nothing to a shell, and a backslash would cut a character of several bytes in two. */
static bool is_harmless(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
	       (c != '\0' && strchr("_-./:,+@%", c) != NULL);
}
