#include "fuzz/fuzz.h"

#include "rsync/chmod.h"

#include <sys/stat.h>

/* {umask: 2 bytes} {mode: 2 bytes} clauses. A mode keeps its type, a symlink all of it; in octal the mode before does not matter. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO };
	struct ags_cursor in = { data, data + size };
	struct ags_err err = AGS_ERR_INIT;
	uint16_t mask = 0, mode = 0;
	struct ags_chmod chmod;
	char *text;

	if (size > 4096 || !ags_get_u16(&in, &mask) || !ags_get_u16(&in, &mode))
		return 0;
	text = take_text(&in, ags_left(&in));
	ags_chmod_init(&chmod);
	if (ags_chmod_add(&chmod, text, mask & 0777, &err)) {
		must(err.code == AGS_OK);
		for (size_t i = 0; i < 4; i++) {
			uint32_t before = types[i] | (mode & 07777u), after = ags_chmod_apply(&chmod, before);

			must((after & ~07777u) == types[i] && (types[i] != S_IFLNK || after == before));
			must(strspn(text, "01234567") != strlen(text) || types[i] == S_IFLNK || after == ags_chmod_apply(&chmod, types[i]));
		}
	} else {
		must(err.code == AGS_USAGE);
		must_be_clean(err.message);
	}
	ags_chmod_free(&chmod);
	free(text);
	return 0;
}
