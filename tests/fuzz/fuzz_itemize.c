#include "fuzz/fuzz.h"

#include "rsync/packed.h"
#include "rsync/sender.h"

#include <ctype.h>

/* {mode: 4 bytes} {flags: 2 bytes} name. A receiver's flags, whatever they are, make 11 characters; nothing is read beside a name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ags_cursor in = { data, data + size };
	struct ags_entry entry = {0};
	char code[12], *name;
	uint16_t flags;
	size_t len;

	if (!ags_get_u32(&in, &entry.mode) || !ags_get_u16(&in, &flags))
		return 0;
	memset(code, '?', sizeof(code));
	ags_itemize(&entry, flags, code);
	must(code[11] == '\0' && strlen(code) == 11);
	must(strchr("<.ch", code[0]) != NULL && strchr("fdLDS", code[1]) != NULL);
	for (int i = 2; i < 11; i++)
		must(code[i] == ' ' || ispunct((unsigned char)code[i]) || islower((unsigned char)code[i]));
	must(!ags_item_is_new(flags) || strcmp(code + 2, "+++++++++") == 0);
	must(!ags_item_is_sent(flags) || code[0] != '.');
	len = ags_left(&in);
	name = malloc(len > 0 ? len : 1);
	memcpy(name, in.p, len);
	ags_packed_by_name(name, len);
	free(name);
	return 0;
}
