#include "rsync/scan_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rsync/scan_hash.h"

#define ENTRIES_PER_TICK 1024

static enum ags_step enter(struct ags_walk *w, int dir, const char *name, uint32_t ndx, size_t path_len);
static void leave(struct ags_walk *w);
static bool descend(struct ags_walk *w);
static bool read_names(struct ags_walk *w, DIR *dir, uint32_t ndx, size_t path_len);
static bool take_name(struct ags_walk *w, int dir, const char *name, size_t len, uint32_t ndx);
static bool is_hidden(const struct ags_walk *w, size_t len, bool is_dir);
static bool push_child(struct ags_walk *w, struct ags_entry *child);
static bool push_frame(struct ags_walk *w, const struct ags_walk_frame *frame);
static bool append_files(struct ags_walk *w, struct ags_walk_frame *frame);
static enum ags_step read_target(struct ags_walk *w, int dir, const char *name, struct ags_entry *entry);

bool ags_walk_init(struct ags_walk *w, const struct ags_scan_options *options, struct ags_filelist *list, struct ags_err *err)
{
	memset(w, 0, sizeof(*w));
	w->options = options;
	w->list = list;
	w->err = err;
	return !options->checksum || ags_scan_hash_init(w);
}

void ags_walk_fini(struct ags_walk *w)
{
	while (w->depth > 0)
		leave(w);
	free(w->frames);
	free(w->children);
	ags_links_fini(&w->links);
	ags_scan_hash_fini(w);
}

enum ags_step ags_walk_describe(struct ags_walk *w, int dir, const char *name, const struct stat *st, struct ags_entry *entry)
{
	bool is_device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);

	entry->size = is_device ? (int64_t)st->st_rdev : st->st_size;
	entry->mtime = st->st_mtim.tv_sec;
	entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	entry->mode = w->options->chmod != NULL ? ags_chmod_apply(w->options->chmod, st->st_mode) : st->st_mode;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	if (w->options->hard_links && st->st_nlink > 1 && !S_ISDIR(st->st_mode) &&
	    (entry->link = ags_links_group(&w->links, st)) == 0) {
		ags_fail_nomem(w->err);
		return AGS_FAILED;
	}
	if (S_ISLNK(st->st_mode))
		return read_target(w, dir, name, entry);
	if (S_ISREG(st->st_mode) && w->options->checksum && !ags_scan_hash_file(w, dir, name, entry))
		return AGS_FAILED;
	return AGS_DONE;
}

bool ags_walk_append(struct ags_walk *w, const struct ags_entry *entry, uint32_t *ndx)
{
	struct ags_filelist *list = w->list;
	struct ags_entry *entries;
	uint32_t capacity;

	if (list->count == AGS_MAX_ENTRIES)
		return ags_fail(w->err, AGS_LIMIT, "the source has more than %u files, want at most so many", AGS_MAX_ENTRIES);
	if (list->count == list->capacity) {
		capacity = list->capacity + list->capacity / 4 + 256;
		entries = realloc(list->entries, capacity * sizeof(*entries));
		if (entries == NULL)
			return ags_fail_nomem(w->err);
		list->entries = entries;
		list->capacity = capacity;
	}
	if (S_ISREG(entry->mode))
		list->bytes += (uint64_t)entry->size;
	if (ndx != NULL)
		*ndx = list->count;
	list->entries[list->count] = *entry;
	if (entry->link != 0)
		list->entries[list->count].link = ags_links_first(&w->links, entry->link, list->count);
	list->count++;
	return true;
}

bool ags_walk_directory(struct ags_walk *w, const char *open_as, uint32_t ndx)
{
	if (enter(w, AT_FDCWD, open_as, ndx, strlen(w->path)) == AGS_FAILED)
		return false;
	while (w->depth > 0)
		if (!descend(w))
			return false;
	return true;
}

bool ags_walk_complain(struct ags_walk *w, int sys, const char *what)
{
	struct ags_filelist *list = w->list;
	size_t capacity = list->complaint_capacity * 2 + 8;
	struct ags_complaint *complaints;
	char *path = ags_arena_string(&list->arena, w->path);

	if (path == NULL)
		return ags_fail_nomem(w->err);
	if (list->complaint_count == list->complaint_capacity) {
		complaints = realloc(list->complaints, capacity * sizeof(*complaints));
		if (complaints == NULL)
			return ags_fail_nomem(w->err);
		list->complaints = complaints;
		list->complaint_capacity = capacity;
	}
	list->complaints[list->complaint_count++] = (struct ags_complaint){ path, sys, what };
	if (sys != 0)
		list->io_error |= sys == ENOENT ? 2 : 1;
	return true;
}

bool ags_walk_follow(struct ags_walk *w, int dir, const char *name, struct stat *st, bool *follows)
{
	struct stat to, above;

	*follows = false;
	if (!w->options->copy_dirlinks || !S_ISLNK(st->st_mode) || fstatat(dir, name, &to, 0) != 0 || !S_ISDIR(to.st_mode))
		return true;
	for (size_t i = 0; i < w->depth; i++)
		if (fstat(dirfd(w->frames[i].dir), &above) == 0 && above.st_dev == to.st_dev && above.st_ino == to.st_ino)
			return ags_walk_complain(w, 0, "leads to a directory that it lies in, and stays a symlink");
	*st = to;
	*follows = true;
	return true;
}

bool ags_walk_is_staging(const char *name, size_t len)
{
	return len == 6 && memcmp(name, ".~tmp~", 6) == 0;
}

int ags_walk_compare(const void *a, const void *b)
{
	const struct ags_entry *x = a, *y = b;
	bool x_is_dir = S_ISDIR(x->mode), y_is_dir = S_ISDIR(y->mode);
	size_t shorter = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = x_is_dir - y_is_dir, at_x, at_y;

	if (order == 0)
		order = memcmp(x->name, y->name, shorter);
	if (order != 0)
		return order;
	at_x = shorter < x->name_len ? (unsigned char)x->name[shorter] : x_is_dir ? '/' : -1;
	at_y = shorter < y->name_len ? (unsigned char)y->name[shorter] : y_is_dir ? '/' : -1;
	return at_x - at_y;
}

bool ags_walk_tick(struct ags_walk *w)
{
	w->since_tick = 0;
	if (w->options->tick != NULL && !w->options->tick(w->options->arg))
		return ags_fail(w->err, AGS_CANCELLED, "stopped while the source was read");
	return true;
}

/* Opens a directory, takes its names and appends what is no directory. AGS_AGAIN: a complaint was made instead. */
static enum ags_step enter(struct ags_walk *w, int dir, const char *name, uint32_t ndx, size_t path_len)
{
	struct ags_walk_frame frame = { .ndx = ndx, .path_len = path_len, .first = w->child_count };
	int follow = w->list->entries[ndx].flags & AGS_ENTRY_FOLLOW ? 0 : O_NOFOLLOW;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);

	if (fd >= 0) {
		frame.dir = fdopendir(fd);
		if (frame.dir == NULL)
			close(fd);
	}
	if (frame.dir == NULL && dir == AT_FDCWD) {
		ags_fail_sys(w->err, AGS_LOCAL_IO, name, "cannot read directory");
		return AGS_FAILED;
	}
	if (frame.dir == NULL)
		return ags_walk_complain(w, errno, "cannot read directory") ? AGS_AGAIN : AGS_FAILED;
	if (!push_frame(w, &frame)) {
		closedir(frame.dir);
		return AGS_FAILED;
	}
	if (!ags_walk_tick(w) || !read_names(w, frame.dir, ndx, path_len) || !append_files(w, &w->frames[w->depth - 1]))
		return AGS_FAILED;
	return AGS_DONE;
}

static void leave(struct ags_walk *w)
{
	struct ags_walk_frame *frame = &w->frames[--w->depth];

	closedir(frame->dir);
	w->child_count = frame->first;
}

/* Goes into the next sub-directory of the innermost one, or out of that. */
static bool descend(struct ags_walk *w)
{
	struct ags_walk_frame *frame = &w->frames[w->depth - 1];
	const struct ags_entry *child;
	uint32_t ndx;

	if (frame->next == frame->end) {
		leave(w);
		return true;
	}
	child = &w->children[frame->next++];
	if (!ags_walk_append(w, child, &ndx))
		return false;
	w->path[frame->path_len] = '/';
	memcpy(w->path + frame->path_len + 1, child->name, child->name_len + 1u);
	return enter(w, dirfd(frame->dir), child->name, ndx, frame->path_len + 1 + child->name_len) != AGS_FAILED;
}

static bool read_names(struct ags_walk *w, DIR *dir, uint32_t ndx, size_t path_len)
{
	const struct dirent *d;

	for (errno = 0; (d = readdir(dir)) != NULL; errno = 0) {
		size_t len = strlen(d->d_name), room = sizeof(w->path) - path_len - 2;

		if (d->d_name[0] == '.' && (len == 1 || (len == 2 && d->d_name[1] == '.')))
			continue;
		if (++w->since_tick >= ENTRIES_PER_TICK && !ags_walk_tick(w))
			return false;
		w->path[path_len] = '\0';
		if (len > room) {
			if (!ags_walk_complain(w, ENAMETOOLONG, "cannot send a path of 4096 bytes or more in directory"))
				return false;
			continue;
		}
		w->path[path_len] = '/';
		memcpy(w->path + path_len + 1, d->d_name, len + 1);
		if (!take_name(w, dirfd(dir), d->d_name, len, ndx))
			return false;
	}
	w->path[path_len] = '\0';
	return errno == 0 || ags_walk_complain(w, errno, "cannot read all of directory");
}

static bool take_name(struct ags_walk *w, int dir, const char *name, size_t len, uint32_t ndx)
{
	struct ags_entry child = { .parent = ndx, .name_len = (uint16_t)len };
	size_t path_len = strlen(w->path);
	struct stat st;
	bool follows;
	enum ags_step step;

	if (ags_walk_is_staging(name, len))
		return ags_walk_complain(w, 0, "left out rsync's own directory");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		int sys = errno;

		return is_hidden(w, path_len, false) || ags_walk_complain(w, sys, "cannot look at");
	}
	if (!ags_walk_follow(w, dir, name, &st, &follows))
		return false;
	if (follows)
		child.flags = AGS_ENTRY_FOLLOW;
	if (is_hidden(w, path_len, S_ISDIR(st.st_mode)))
		return true;
	step = ags_walk_describe(w, dir, name, &st, &child);
	if (step != AGS_DONE)
		return step == AGS_AGAIN;
	child.name = ags_arena_copy(&w->list->arena, name, len);
	return child.name != NULL ? push_child(w, &child) : ags_fail_nomem(w->err);
}

static bool is_hidden(const struct ags_walk *w, size_t len, bool is_dir)
{
	return w->options->filter != NULL && ags_filter_hides_below(w->options->filter, w->path, len, w->root, is_dir);
}

static bool push_child(struct ags_walk *w, struct ags_entry *child)
{
	if (w->child_count == w->child_capacity) {
		size_t capacity = w->child_capacity * 2 + 256;
		struct ags_entry *children = realloc(w->children, capacity * sizeof(*children));

		if (children == NULL)
			return ags_fail_nomem(w->err);
		w->children = children;
		w->child_capacity = capacity;
	}
	w->children[w->child_count++] = *child;
	return true;
}

static bool push_frame(struct ags_walk *w, const struct ags_walk_frame *frame)
{
	if (w->depth == w->frame_capacity) {
		size_t capacity = w->frame_capacity * 2 + 16;
		struct ags_walk_frame *frames = realloc(w->frames, capacity * sizeof(*frames));

		if (frames == NULL)
			return ags_fail_nomem(w->err);
		w->frames = frames;
		w->frame_capacity = capacity;
	}
	w->frames[w->depth++] = *frame;
	return true;
}

/* Of the children behind frame->first the directories stay, in order. */
static bool append_files(struct ags_walk *w, struct ags_walk_frame *frame)
{
	size_t count = w->child_count - frame->first;

	frame->next = frame->first;
	frame->end = w->child_count;
	if (count > 1)
		qsort(w->children + frame->first, count, sizeof(*w->children), ags_walk_compare);
	for (; frame->next < frame->end && !S_ISDIR(w->children[frame->next].mode); frame->next++)
		if (!ags_walk_append(w, &w->children[frame->next], NULL))
			return false;
	return true;
}

static enum ags_step read_target(struct ags_walk *w, int dir, const char *name, struct ags_entry *entry)
{
	char target[AGS_MAX_PATH];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n <= 0 || n == sizeof(target)) {
		int sys = n < 0 ? errno : n == 0 ? EINVAL : ENAMETOOLONG;

		return ags_walk_complain(w, sys, "cannot read symlink") ? AGS_AGAIN : AGS_FAILED;
	}
	entry->text = ags_arena_copy(&w->list->arena, target, (size_t)n);
	entry->text_len = (uint16_t)n;
	if (entry->text != NULL)
		return AGS_DONE;
	ags_fail_nomem(w->err);
	return AGS_FAILED;
}
