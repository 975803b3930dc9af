#include "rsync/scan_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES    (256u << 10)
#define BYTES_PER_TICK (4u << 20)

static bool add_content(struct ags_walk *w, int fd, bool *is_whole);

bool ags_scan_hash_init(struct ags_walk *w)
{
	w->block = malloc(BLOCK_BYTES);
	if (w->block == NULL || !ags_hash_init(&w->hashes[0], AGS_DIGEST_XXH128) || !ags_hash_init(&w->hashes[1], AGS_DIGEST_MD5))
		return ags_fail_nomem(w->err);
	return true;
}

void ags_scan_hash_fini(struct ags_walk *w)
{
	ags_hash_fini(&w->hashes[0]);
	ags_hash_fini(&w->hashes[1]);
	free(w->block);
	w->block = NULL;
}

bool ags_scan_hash_file(struct ags_walk *w, int dir, const char *name, struct ags_entry *entry)
{
	/* Not to hang on a fifo that took the file's place. */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	uint8_t *sums;
	bool is_whole = false, ok = true;

	if (fd < 0)
		return true;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		ok = add_content(w, fd, &is_whole);
	close(fd);
	if (!ok || !is_whole)
		return ok;
	sums = ags_arena_bytes(&w->list->arena, 2 * AGS_DIGEST_LEN);
	if (sums == NULL)
		return ags_fail_nomem(w->err);
	ags_hash_end(&w->hashes[0], sums);
	ags_hash_end(&w->hashes[1], sums + AGS_DIGEST_LEN);
	entry->sum = sums;
	return true;
}

static bool add_content(struct ags_walk *w, int fd, bool *is_whole)
{
	size_t since_tick = 0;
	ssize_t n;

	ags_hash_reset(&w->hashes[0]);
	ags_hash_reset(&w->hashes[1]);
	while ((n = read(fd, w->block, BLOCK_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return true;
		ags_hash_add(&w->hashes[0], w->block, (size_t)n);
		ags_hash_add(&w->hashes[1], w->block, (size_t)n);
		since_tick += (size_t)n;
		if (since_tick >= BYTES_PER_TICK) {
			since_tick = 0;
			if (!ags_walk_tick(w))
				return false;
		}
	}
	*is_whole = true;
	return true;
}
