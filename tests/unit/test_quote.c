#include "unit/check.h"

#include "ssh/quote.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `shell -c` makes of the words, each followed by a NUL; the caller frees. */
static char *read_back(const char *shell, const char *const *argv, size_t argc, size_t *len)
{
	static const char *const printer[] = { "printf", "%s\\0" };
	const char *words[64];
	struct ags_buf command = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;
	char *text = malloc(1u << 20);
	int p[2];
	pid_t pid;
	ssize_t n;

	memcpy(words, printer, sizeof(printer));
	memcpy(words + 2, argv, argc * sizeof(*argv));
	CHECK(ags_quote_argv(words, argc + 2, &command, &err) && ags_buf_u8(&command, 0) && pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(p[1], 1);
		execlp(shell, shell, "-c", (const char *)command.data, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	for (*len = 0; (n = read(p[0], text + *len, (1u << 20) - *len)) > 0; *len += (size_t)n)
		continue;
	close(p[0]);
	waitpid(pid, NULL, 0);
	ags_buf_free(&command);
	return text;
}

static void check_shell(const char *shell, const char *const *argv, size_t argc)
{
	size_t len, at = 0;
	char *text = read_back(shell, argv, argc, &len);

	for (size_t i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]) + 1;
		bool is_same = len - at >= n && memcmp(text + at, argv[i], n) == 0;

		if (!is_same)
			fprintf(stderr, "%s, word %zu: \"%s\"\n", shell, i, argv[i]);
		CHECK(is_same);
		if (!is_same)
			break;
		at += n;
	}
	CHECK_INT(at, len);
	free(text);
}

static void check_round_trip(const char *const *argv, size_t argc)
{
	check_shell("sh", argv, argc);
	check_shell("bash", argv, argc);
	check_shell("dash", argv, argc);
}

static void test_every_byte_is_read_back(void)
{
	char all[256], words[255][4];
	const char *argv[50];

	for (int i = 1; i < 256; i++) {
		all[i - 1] = (char)i;
		snprintf(words[i - 1], 4, "%c", i);
	}
	all[255] = '\0';
	argv[0] = all;
	check_round_trip(argv, 1);
	for (int from = 0; from < 255; from += 50) {
		size_t n = 255 - from < 50 ? 255 - (size_t)from : 50;

		for (size_t i = 0; i < n; i++)
			argv[i] = words[(size_t)from + i];
		check_round_trip(argv, n);
	}
}

static void test_awkward_words_are_read_back(void)
{
	static const char *const argv[] = {
		"", "-", "--", "-n", "~", "~root", "=ls", "a=b", "x=~", "*", "a b", " ", "\n", "a\nb", "\n\n", "'", "\"", "\\", "$HOME", "`id`",
		"$(id)", "!!", "#x", "a#b", ";", "&&", "|", ">x", "{a,b}", "[a]", "^x", "\t", "\r\n", "\xc3\xa9", "\xff\xfe", "%s", "\\n",
		"--files-from=/a b", "--chmod=D2775,F664", "/var/aegir/platforms/x-1.0/sites/example.com"
	};

	check_round_trip(argv, sizeof(argv) / sizeof(*argv));
}

static void test_random_words_are_read_back(void)
{
	unsigned seed = 19700101;

	printf("# seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 15; round++) {
		char words[20][64];
		const char *argv[20];

		for (int i = 0; i < 20; i++) {
			int n = rand() % 63;

			for (int k = 0; k < n; k++)
				words[i][k] = (char)(rand() % 4 == 0 ? " \n'\"\\$~=-*"[rand() % 10] : 1 + rand() % 255);
			words[i][n] = '\0';
			argv[i] = words[i];
		}
		check_round_trip(argv, 20);
	}
}

static const char *quoted(const char *const *argv, size_t argc, char *to)
{
	struct ags_buf command = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;

	to[0] = '\0';
	if (ags_quote_argv(argv, argc, &command, &err)) {
		memcpy(to, ags_buf_bytes(&command), ags_buf_len(&command));
		to[ags_buf_len(&command)] = '\0';
	}
	ags_buf_free(&command);
	return to;
}

static void test_what_is_harmless_stays_plain(void)
{
	static const char *const argv[] = { "rsync", "--server", "-logDtpre.LsfxCvu", "--checksum-seed=-5", ".", "/a/b-c_d,e:f+g@h%i" };
	char to[256];

	CHECK_STR(quoted(argv, 6, to), "rsync --server -logDtpre.LsfxCvu --checksum-seed=-5 . /a/b-c_d,e:f+g@h%i");
}

static void test_the_first_word_is_no_assignment(void)
{
	static const char *const argv[] = { "PATH=/tmp", "a=b", "=c", "" };
	char to[256];

	CHECK_STR(quoted(argv, 4, to), "PATH\\=/tmp a=b \\=c ''");
}

static void test_no_words_are_an_error(void)
{
	struct ags_buf command = AGS_BUF_INIT;
	struct ags_err err = AGS_ERR_INIT;

	CHECK(!ags_quote_argv(NULL, 0, &command, &err));
	CHECK_INT(err.code, AGS_USAGE);
}

static void test_a_full_buffer_is_an_error(void)
{
	static const char *const argv[] = { "echo", "0123456789" };
	struct ags_buf command = { .max = 8 };
	struct ags_err err = AGS_ERR_INIT;

	CHECK(!ags_quote_argv(argv, 2, &command, &err));
	CHECK_INT(err.code, AGS_NOMEM);
	ags_buf_free(&command);
}

int main(void)
{
	RUN(test_every_byte_is_read_back);
	RUN(test_awkward_words_are_read_back);
	RUN(test_random_words_are_read_back);
	RUN(test_what_is_harmless_stays_plain);
	RUN(test_the_first_word_is_no_assignment);
	RUN(test_no_words_are_an_error);
	RUN(test_a_full_buffer_is_an_error);
	return check_result();
}
