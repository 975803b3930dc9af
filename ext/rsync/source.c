#include "rsync/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

/* The open directories from a pushed path down to where the last file was. */
struct level {
	uint32_t ndx;
	int fd;
};

struct ags_source {
	const struct ags_filelist *list;
	struct level *chain;
	uint32_t *wanted;             /* the directories of the chain that is to be */
	size_t depth, capacity;       /* of both */
};

static bool go_to(struct ags_source *s, uint32_t dir, struct ags_err *err);
static bool make_room(struct ags_source *s, size_t depth, struct ags_err *err);
static bool step_into(struct ags_source *s, uint32_t dir, struct ags_err *err);
static void go_up(struct ags_source *s, size_t depth);
static bool fail(struct ags_source *s, uint32_t ndx, const char *what, struct ags_err *err);

struct ags_source *ags_source_new(const struct ags_filelist *list)
{
	struct ags_source *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->list = list;
	return s;
}

void ags_source_free(struct ags_source *source)
{
	if (source == NULL)
		return;
	go_up(source, 0);
	free(source->chain);
	free(source->wanted);
	free(source);
}

int ags_source_open(struct ags_source *source, uint32_t ndx, struct stat *st, struct ags_err *err)
{
	const struct ags_entry *entry = &source->list->entries[ndx];
	bool is_top = entry->flags & AGS_ENTRY_TOP;
	int dir = AT_FDCWD, fd;

	if (!is_top) {
		if (!go_to(source, entry->parent, err))
			return -1;
		dir = source->chain[source->depth - 1].fd;
	}
	/* Not to hang on a fifo that took the file's place. */
	fd = openat(dir, is_top && entry->text != NULL ? entry->text : entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		fail(source, ndx, "cannot open", err);
		return -1;
	}
	if (fstat(fd, st) != 0) {
		fail(source, ndx, "cannot look at", err);
		close(fd);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		fail(source, ndx, "no regular file any more:", err);
		close(fd);
		return -1;
	}
	return fd;
}

bool ags_source_same(const struct stat *before, const struct stat *after)
{
	return before->st_size == after->st_size && before->st_dev == after->st_dev && before->st_ino == after->st_ino &&
	       before->st_mtim.tv_sec == after->st_mtim.tv_sec && before->st_mtim.tv_nsec == after->st_mtim.tv_nsec &&
	       before->st_ctim.tv_sec == after->st_ctim.tv_sec && before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

/* Makes dir the end of the chain: up to what it shares with where we are, and down from there. */
static bool go_to(struct ags_source *s, uint32_t dir, struct ags_err *err)
{
	const struct ags_entry *entries = s->list->entries;
	size_t depth = 1, shared;

	if (s->depth > 0 && s->chain[s->depth - 1].ndx == dir)
		return true;
	for (uint32_t i = dir; !(entries[i].flags & AGS_ENTRY_TOP); i = entries[i].parent)
		depth++;
	if (!make_room(s, depth, err))
		return false;
	shared = depth < s->depth ? depth : s->depth;
	for (uint32_t i = dir; depth > 0; i = entries[i].parent) {
		depth--;
		if (depth < shared && s->chain[depth].ndx != i)
			shared = depth;
		s->wanted[depth] = i;
	}
	go_up(s, shared);
	while (s->depth == 0 || s->chain[s->depth - 1].ndx != dir)
		if (!step_into(s, s->wanted[s->depth], err))
			return false;
	return true;
}

static bool make_room(struct ags_source *s, size_t depth, struct ags_err *err)
{
	size_t capacity = depth * 2;
	struct level *chain;
	uint32_t *wanted;

	if (depth <= s->capacity)
		return true;
	chain = realloc(s->chain, capacity * sizeof(*chain));
	if (chain == NULL)
		return ags_fail_nomem(err);
	s->chain = chain;
	wanted = realloc(s->wanted, capacity * sizeof(*wanted));
	if (wanted == NULL)
		return ags_fail_nomem(err);
	s->wanted = wanted;
	s->capacity = capacity;
	return true;
}

static bool step_into(struct ags_source *s, uint32_t dir, struct ags_err *err)
{
	const struct ags_entry *entry = &s->list->entries[dir];
	bool is_top = s->depth == 0;
	int fd = openat(is_top ? AT_FDCWD : s->chain[s->depth - 1].fd, is_top ? entry->text : entry->name,
	                O_RDONLY | O_DIRECTORY | O_CLOEXEC | (entry->flags & AGS_ENTRY_FOLLOW ? 0 : O_NOFOLLOW));

	if (fd < 0)
		return fail(s, dir, "cannot open directory", err);
	s->chain[s->depth++] = (struct level){ dir, fd };
	return true;
}

static void go_up(struct ags_source *s, size_t depth)
{
	while (s->depth > depth)
		close(s->chain[--s->depth].fd);
}

static bool fail(struct ags_source *s, uint32_t ndx, const char *what, struct ags_err *err)
{
	int sys = errno;
	char path[AGS_SOURCE_PATH];

	ags_source_path(s->list, ndx, path);
	errno = sys;
	return ags_fail_sys(err, AGS_LOCAL_IO, path, what);
}

/* The pushed path's own, and what the entry has behind that in the transfer. */
void ags_source_path(const struct ags_filelist *list, uint32_t ndx, char path[AGS_SOURCE_PATH])
{
	const struct ags_entry *top;
	char relative[AGS_MAX_PATH];
	uint32_t up = ndx;
	size_t len, skip;

	while (!(list->entries[up].flags & AGS_ENTRY_TOP))
		up = list->entries[up].parent;
	top = &list->entries[up];
	skip = ags_filelist_path(list, up, relative);
	memcpy(path, top->text, top->text_len);
	path[top->text_len] = '\0';
	if (up == ndx)
		return;
	len = top->text_len;
	while (len > 0 && path[len - 1] == '/')
		len--;
	path[len++] = '/';
	if (skip == 1 && relative[0] == '.')
		skip = 0;
	else
		skip++;
	ags_filelist_path(list, ndx, relative);
	strcpy(path + len, relative + skip);
}
