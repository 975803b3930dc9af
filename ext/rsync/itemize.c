#include "rsync/sender_private.h"

#include <sys/stat.h>

#define TIME 0x0008

static char kind(uint32_t mode);

bool ags_item_is_new(uint16_t flags)
{
	return (flags & AGS_ITEM_NEW) != 0;
}

bool ags_item_is_time_only(uint16_t flags)
{
	return flags == TIME;
}

bool ags_item_is_sent(uint16_t flags)
{
	return (flags & AGS_ITEM_TRANSFER) != 0;
}

/* rsync(1), --itemize-changes: YXcstpoguax */
void ags_itemize(const struct ags_entry *entry, uint16_t flags, char code[12])
{
	static const struct { uint16_t bit; char letter; } attributes[9] = {
		{ 0x0002, 'c' }, { 0x0004, 's' }, { TIME, 't' }, { 0x0010, 'p' }, { 0x0020, 'o' }, { 0x0040, 'g' },
		{ 0x0401, 'u' }, { 0x0080, 'a' }, { 0x0100, 'x' },
	};
	bool is_link = S_ISLNK(entry->mode), any = false;

	if (flags & AGS_ITEM_LOCAL)
		code[0] = flags & AGS_ITEM_NAME ? 'h' : 'c';
	else
		code[0] = flags & AGS_ITEM_TRANSFER ? '<' : '.';
	code[1] = kind(entry->mode);
	for (int i = 0; i < 9; i++) {
		bool on = (flags & attributes[i].bit) != 0 && !(is_link && attributes[i].letter == 's');

		any = any || on;
		code[2 + i] = flags & AGS_ITEM_NEW ? '+' : on ? attributes[i].letter : '.';
	}
	if (!(flags & AGS_ITEM_NEW) && !any && code[0] != '<')
		memset(code + 2, ' ', 9);
	code[11] = '\0';
}

static char kind(uint32_t mode)
{
	if (S_ISDIR(mode))
		return 'd';
	if (S_ISLNK(mode))
		return 'L';
	if (S_ISBLK(mode) || S_ISCHR(mode))
		return 'D';
	return S_ISREG(mode) ? 'f' : 'S';
}
