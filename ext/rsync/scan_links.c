#include "rsync/scan_links.h"

#include <stdlib.h>

static uint32_t *find(const struct ags_links *links, uint64_t dev, uint64_t ino);
static bool grow(struct ags_links *links);

void ags_links_fini(struct ags_links *links)
{
	free(links->files);
	free(links->slots);
	*links = (struct ags_links){0};
}

uint32_t ags_links_group(struct ags_links *links, const struct stat *st)
{
	uint32_t *slot;

	if (links->count == links->capacity && !grow(links))
		return 0;
	slot = find(links, st->st_dev, st->st_ino);
	if (*slot == 0) {
		links->files[links->count++] = (struct ags_links_file){ .dev = st->st_dev, .ino = st->st_ino };
		*slot = links->count;
	}
	return *slot;
}

uint32_t ags_links_first(struct ags_links *links, uint32_t group, uint32_t ndx)
{
	struct ags_links_file *file = &links->files[group - 1];

	if (file->first == 0)
		file->first = ndx + 1;
	return file->first;
}

/* The file's slot, or the free one where it belongs. */
static uint32_t *find(const struct ags_links *links, uint64_t dev, uint64_t ino)
{
	uint64_t hash = (ino ^ dev << 32) * 0x9e3779b97f4a7c15u;
	uint32_t at = (uint32_t)(hash >> 32) & (links->slot_count - 1);

	while (links->slots[at] != 0) {
		const struct ags_links_file *file = &links->files[links->slots[at] - 1];

		if (file->dev == dev && file->ino == ino)
			break;
		at = (at + 1) & (links->slot_count - 1);
	}
	return &links->slots[at];
}

/* The list's own bound on entries is far below what the numbers here can count. */
static bool grow(struct ags_links *links)
{
	uint32_t capacity = links->capacity > 0 ? 2 * links->capacity : 64;
	struct ags_links_file *files = realloc(links->files, capacity * sizeof(*files));
	uint32_t *slots;

	if (files == NULL)
		return false;
	links->files = files;
	slots = calloc(2 * (size_t)capacity, sizeof(*slots));
	if (slots == NULL)
		return false;
	free(links->slots);
	links->slots = slots;
	links->slot_count = 2 * capacity;
	links->capacity = capacity;
	for (uint32_t i = 0; i < links->count; i++)
		*find(links, files[i].dev, files[i].ino) = i + 1;
	return true;
}
