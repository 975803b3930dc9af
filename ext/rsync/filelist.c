#include "rsync/filelist.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static size_t above(const struct ags_filelist *list, const struct ags_entry *e, const struct ags_entry **parent);

void ags_filelist_free(struct ags_filelist *list)
{
	ags_arena_free(&list->arena);
	free(list->entries);
	free(list->complaints);
	*list = (struct ags_filelist)AGS_FILELIST_INIT;
}

/* Up once to learn the length, and once more to write from the end. */
size_t ags_filelist_path(const struct ags_filelist *list, uint32_t ndx, char *buf)
{
	const struct ags_entry *e;
	size_t len = 0, at;

	for (e = &list->entries[ndx]; e != NULL;)
		len += above(list, e, &e);
	buf[0] = '\0';
	if (len >= AGS_MAX_PATH)
		return 0;
	buf[len] = '\0';
	at = len;
	for (e = &list->entries[ndx]; e != NULL;) {
		const struct ags_entry *parent;

		at -= e->name_len;
		memcpy(buf + at, e->name, e->name_len);
		if (above(list, e, &parent) > e->name_len)
			buf[--at] = '/';
		e = parent;
	}
	return len;
}

bool ags_list_format_equal(const struct ags_list_format *a, const struct ags_list_format *b)
{
	return a->varint_flags == b->varint_flags && a->id0_names == b->id0_names && a->nanoseconds == b->nanoseconds &&
	       a->numeric_ids == b->numeric_ids && a->checksums == b->checksums && (!a->checksums || a->digest == b->digest) &&
	       a->skip == b->skip;
}

/* The bytes that e adds to a path, with the slash before it, and what is above it. The root "." adds nothing to what is in it. */
static size_t above(const struct ags_filelist *list, const struct ags_entry *e, const struct ags_entry **parent)
{
	const struct ags_entry *p = e->parent != AGS_NO_PARENT ? &list->entries[e->parent] : NULL;

	if (p != NULL && p->parent == AGS_NO_PARENT && p->name_len == 1 && p->name[0] == '.')
		p = NULL;
	*parent = p;
	return e->name_len + (p != NULL);
}
