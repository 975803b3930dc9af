#include "rsync/packed.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST 8

/* rsync(1), --skip-compress: the default list of version 3.5; without "ts", which in a web site is TypeScript. Sorted. */
static const char *const suffixes[] = {
	"3g2", "3gp", "7z", "aac", "ace", "apk", "avi", "bz2", "deb", "dmg", "ear", "f4v", "flac", "flv", "gpg", "gz", "iso", "jar", "jpeg", "jpg",
	"lrz", "lz", "lz4", "lzma", "lzo", "m1a", "m1v", "m2a", "m2ts", "m2v", "m4a", "m4b", "m4p", "m4r", "m4v", "mka", "mkv", "mov", "mp1", "mp2",
	"mp3", "mp4", "mpa", "mpeg", "mpg", "mpv", "mts", "odb", "odf", "odg", "odi", "odm", "odp", "ods", "odt", "oga", "ogg", "ogm", "ogv", "ogx",
	"opus", "otg", "oth", "otp", "ots", "ott", "oxt", "png", "qt", "rar", "rpm", "rz", "rzip", "spx", "squashfs", "sxc", "sxd", "sxg", "sxm",
	"sxw", "sz", "tbz", "tbz2", "tgz", "tlz", "txz", "tzo", "vob", "war", "webm", "webp", "xz", "z", "zip", "zst",
};

static int compare(const void *key, const void *item);

bool ags_packed_by_name(const char *name, size_t len)
{
	char suffix[LONGEST + 1];
	size_t n = 0;

	while (n < len && n <= LONGEST && name[len - 1 - n] != '.')
		n++;
	if (n == len || n == 0 || n > LONGEST)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[len - n + i];

		suffix[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	suffix[n] = '\0';
	return bsearch(suffix, suffixes, sizeof(suffixes) / sizeof(suffixes[0]), sizeof(suffixes[0]), compare) != NULL;
}

static int compare(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}
