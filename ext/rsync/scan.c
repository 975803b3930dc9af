#include "rsync/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rsync/scan_walk.h"

/* A path that was given. */
struct pushed {
	const char *path;
	size_t len;                   /* without a trailing slash; 0 for "/" */
	bool follow;                  /* had a trailing slash */
	bool is_dirlink;              /* a symlink that is taken as its directory: path has got a slash */
	struct stat st;
};

/* Something to be listed beside others of its directory: a pushed path, or a directory on the way to some. */
struct item {
	struct ags_entry entry;       /* at first only name and type, for the order */
	const struct pushed *top;     /* NULL: on the way */
	size_t end;                   /* of its own part of the paths */
	size_t low, high;             /* the paths at or below it */
};

struct scan {
	struct ags_walk walk;
	struct pushed *pushed;
	size_t count;
};

static bool look_at(struct scan *s, const char *const *paths, size_t count);
static bool check_path(const struct pushed *p, struct ags_err *err);
static bool drop_hidden(struct scan *s);
static int compare_pushed(const void *a, const void *b);
static bool merge(struct scan *s);
static bool is_below(const struct pushed *above, const struct pushed *p);
static bool scan_relative(struct scan *s, size_t low, size_t high, size_t at, uint32_t parent);
static bool scan_tops(struct scan *s);
static bool check_names(struct scan *s, const struct item *items);
static bool scan_root(struct scan *s, const struct pushed *p);
static bool add_items(struct scan *s, struct item *items, size_t count, uint32_t parent);
static bool add_implied(struct scan *s, const struct item *item, uint32_t parent);
static bool add_top(struct scan *s, const struct pushed *p, const struct ags_entry *named);
static bool add_contents(struct scan *s, const struct pushed *p, uint32_t ndx);
static size_t name_of(const struct pushed *p);
static void shrink(struct ags_filelist *list);

bool ags_scan(const char *const *paths, size_t count, const struct ags_scan_options *options, struct ags_filelist *list,
              struct ags_err *err)
{
	struct scan *s = calloc(1, sizeof(*s));
	bool ok;

	if (s == NULL)
		return ags_fail_nomem(err);
	ok = ags_walk_init(&s->walk, options, list, err) && look_at(s, paths, count) && drop_hidden(s) && merge(s);
	if (ok && s->count == 1 && (s->pushed[0].len == 0 || (!options->relative && s->pushed[0].follow)))
		ok = scan_root(s, &s->pushed[0]);
	else if (ok && options->relative)
		ok = scan_relative(s, 0, s->count, 1, AGS_NO_PARENT);
	else if (ok)
		ok = scan_tops(s);
	if (ok)
		shrink(list);
	ags_walk_fini(&s->walk);
	free(s->pushed);
	free(s);
	return ok;
}

static bool look_at(struct scan *s, const char *const *paths, size_t count)
{
	struct ags_err *err = s->walk.err;

	if (count == 0)
		return ags_fail(err, AGS_USAGE, "no path was given, want at least one");
	s->pushed = calloc(count, sizeof(*s->pushed));
	if (s->pushed == NULL)
		return ags_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		struct pushed *p = &s->pushed[i];

		p->path = paths[i];
		p->len = strlen(paths[i]);
		p->follow = p->len > 0 && paths[i][p->len - 1] == '/';
		p->len -= p->follow;
		if (!check_path(p, err))
			return false;
		if (fstatat(AT_FDCWD, p->path, &p->st, p->follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
			return ags_fail_sys(err, AGS_LOCAL_IO, p->path, "cannot find");
		if (!ags_walk_follow(&s->walk, AT_FDCWD, p->path, &p->st, &p->is_dirlink))
			return false;
		if (p->is_dirlink && (p->path = ags_arena_printf(&s->walk.list->arena, "%s/", p->path)) == NULL)
			return ags_fail_nomem(err);
		s->count++;
	}
	return true;
}

static bool check_path(const struct pushed *p, struct ags_err *err)
{
	size_t len;

	if (p->path[0] != '/')
		return ags_fail(err, AGS_USAGE, "path \"%s\" is relative, want an absolute one", p->path);
	if (p->len >= AGS_MAX_PATH - 1)
		return ags_fail(err, AGS_USAGE, "a path has %zu bytes, want fewer than %u", p->len, AGS_MAX_PATH - 1);
	for (const char *name = p->path + 1; name < p->path + p->len; name += len + 1) {
		len = strcspn(name, "/");
		if (len == 0 || (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
			return ags_fail(err, AGS_USAGE, "path \"%s\" has an empty, \".\" or \"..\" component, want none", p->path);
		if (ags_walk_is_staging(name, len))
			return ags_fail(err, AGS_USAGE, "path \"%s\" lies in .~tmp~, which rsync's receivers keep for themselves", p->path);
	}
	return true;
}

/*
 * rsync asks the filters about a path that was given, by its name in the transfer (the whole path with -R), and leaves it out silently;
 * it does not ask about the parents that -R implies, nor about the root ".".
 */
static bool drop_hidden(struct scan *s)
{
	const struct ags_scan_options *options = s->walk.options;
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct pushed *p = &s->pushed[i];
		bool is_root = p->len == 0 || (!options->relative && p->follow);

		if (options->filter == NULL || is_root ||
		    !ags_filter_hides_below(options->filter, p->path, p->len, options->relative ? 1 : name_of(p), S_ISDIR(p->st.st_mode)))
			s->pushed[kept++] = *p;
	}
	s->count = kept;
	return kept > 0 || ags_fail(s->walk.err, AGS_LOCAL_IO, "the filters keep out every path that was given: nothing would be sent");
}

/* Like strcmp, but a path is followed by what is below it. */
static int compare_pushed(const void *a, const void *b)
{
	const struct pushed *x = a, *y = b;
	size_t i = 0;

	while (i < x->len && i < y->len && x->path[i] == y->path[i])
		i++;
	if (i == x->len || i == y->len)
		return x->len != y->len ? (x->len > y->len) - (x->len < y->len) : y->follow - x->follow;
	if (x->path[i] == '/' || y->path[i] == '/')
		return x->path[i] == '/' ? -1 : 1;
	return (unsigned char)x->path[i] - (unsigned char)y->path[i];
}

/* Sorts the paths, and drops doubles and, when whole paths are kept, those that come along with a path above them. */
static bool merge(struct scan *s)
{
	bool relative = s->walk.options->relative;
	size_t kept = 0;

	qsort(s->pushed, s->count, sizeof(*s->pushed), compare_pushed);
	for (size_t i = 0; i < s->count; i++) {
		const struct pushed *last = kept > 0 ? &s->pushed[kept - 1] : NULL, *p = &s->pushed[i];
		bool is_double = last != NULL && last->len == p->len && memcmp(last->path, p->path, p->len) == 0;

		if (is_double && (relative || last->follow == p->follow))
			continue;
		if (relative && last != NULL && is_below(last, p)) {
			if (!S_ISDIR(last->st.st_mode))
				return ags_fail(s->walk.err, AGS_USAGE, "%s is a symlink and %s lies below it, want one of them", last->path, p->path);
			continue;
		}
		s->pushed[kept++] = *p;
	}
	s->count = kept;
	return true;
}

static bool is_below(const struct pushed *above, const struct pushed *p)
{
	return p->len > above->len && p->path[above->len] == '/' && memcmp(above->path, p->path, above->len) == 0;
}

/* The paths low to high agree up to the slash before `at`; what they have behind it is one directory's part of the list. */
static bool scan_relative(struct scan *s, size_t low, size_t high, size_t at, uint32_t parent)
{
	struct item *items = calloc(high - low, sizeof(*items));
	size_t count = 0;
	bool ok = items != NULL || ags_fail_nomem(s->walk.err);

	for (size_t i = low; ok && i < high;) {
		const struct pushed *p = &s->pushed[i];
		struct item *item = &items[count++];
		size_t len = strcspn(p->path + at, "/");

		item->low = i;
		item->end = at + len;
		while (i < high && strncmp(s->pushed[i].path + at, p->path + at, len) == 0 && strcspn(s->pushed[i].path + at, "/") == len)
			i++;
		item->high = i;
		item->top = item->end == p->len ? p : NULL;
		item->entry = (struct ags_entry){ .name = p->path + at, .name_len = (uint16_t)len, .parent = parent };
		item->entry.mode = item->top != NULL ? p->st.st_mode : S_IFDIR;
	}
	ok = ok && add_items(s, items, count, parent);
	free(items);
	return ok;
}

/* Whole paths are not kept: every path gives one entry, named as its last component. */
static bool scan_tops(struct scan *s)
{
	struct item *items = calloc(s->count, sizeof(*items));
	bool ok = items != NULL || ags_fail_nomem(s->walk.err);

	for (size_t i = 0; ok && i < s->count; i++) {
		const struct pushed *p = &s->pushed[i];
		size_t at = name_of(p);

		if (p->follow)
			ok = ags_fail(s->walk.err, AGS_USAGE, "%s sends its contents, want it alone or without the slash", p->path);
		items[i].top = p;
		items[i].entry = (struct ags_entry){ .name = p->path + at, .name_len = (uint16_t)(p->len - at), .parent = AGS_NO_PARENT };
		items[i].entry.mode = p->st.st_mode;
	}
	ok = ok && check_names(s, items) && add_items(s, items, s->count, AGS_NO_PARENT);
	free(items);
	return ok;
}

static bool check_names(struct scan *s, const struct item *items)
{
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = i + 1; k < s->count; k++)
			if (items[i].entry.name_len == items[k].entry.name_len &&
			    memcmp(items[i].entry.name, items[k].entry.name, items[i].entry.name_len) == 0)
				return ags_fail(s->walk.err, AGS_USAGE, "%s and %s would both be sent as \"%s\", want different names", items[i].top->path,
				                items[k].top->path, items[i].entry.name);
	return true;
}

/* "/", or a directory whose contents are sent instead of itself. */
static bool scan_root(struct scan *s, const struct pushed *p)
{
	struct ags_entry root = { .name = ".", .name_len = 1, .parent = AGS_NO_PARENT };

	s->walk.root = p->len + 1;
	return add_top(s, p, &root);
}

static bool add_items(struct scan *s, struct item *items, size_t count, uint32_t parent)
{
	qsort(items, count, sizeof(*items), ags_walk_compare);
	for (size_t i = 0; i < count; i++) {
		const struct item *item = &items[i];

		if (item->top != NULL)
			s->walk.root = s->walk.options->relative ? 1 : name_of(item->top);
		if (!(item->top != NULL ? add_top(s, item->top, &item->entry) : add_implied(s, item, parent)))
			return false;
	}
	return true;
}

/* A directory on the way is taken as what it leads to, also when it is a symlink: the paths were given through it. */
static bool add_implied(struct scan *s, const struct item *item, uint32_t parent)
{
	struct ags_entry entry = { .name_len = item->entry.name_len, .parent = parent, .flags = AGS_ENTRY_IMPLIED };
	struct ags_walk *w = &s->walk;
	struct stat st;
	uint32_t ndx;

	memcpy(w->path, s->pushed[item->low].path, item->end);
	w->path[item->end] = '\0';
	if (fstatat(AT_FDCWD, w->path, &st, 0) != 0)
		return ags_fail_sys(w->err, AGS_LOCAL_IO, w->path, "cannot look at");
	if (!S_ISDIR(st.st_mode))
		return ags_fail(w->err, AGS_LOCAL_IO, "%s is no directory any more", w->path);
	entry.name = ags_arena_copy(&w->list->arena, item->entry.name, item->entry.name_len);
	if (entry.name == NULL)
		return ags_fail_nomem(w->err);
	return ags_walk_describe(w, AT_FDCWD, w->path, &st, &entry) == AGS_DONE && ags_walk_append(w, &entry, &ndx) &&
	       scan_relative(s, item->low, item->high, item->end + 1, ndx);
}

static bool add_top(struct scan *s, const struct pushed *p, const struct ags_entry *named)
{
	struct ags_walk *w = &s->walk;
	struct ags_entry entry = { .name_len = named->name_len, .parent = named->parent, .flags = AGS_ENTRY_TOP };
	enum ags_step step;
	uint32_t ndx;

	memcpy(w->path, p->path, p->len);
	w->path[p->len] = '\0';
	entry.name = ags_arena_copy(&w->list->arena, named->name, named->name_len);
	if (entry.name == NULL)
		return ags_fail_nomem(w->err);
	step = ags_walk_describe(w, AT_FDCWD, w->path, &p->st, &entry);
	if (step == AGS_AGAIN)
		return ags_fail(w->err, AGS_LOCAL_IO, "cannot read symlink %s", w->path);
	if (step == AGS_FAILED)
		return false;
	if (!S_ISLNK(entry.mode)) {
		entry.text = ags_arena_string(&w->list->arena, p->path);
		entry.text_len = (uint16_t)(p->len + (p->follow || p->is_dirlink));
		if (entry.text == NULL)
			return ags_fail_nomem(w->err);
	}
	return ags_walk_append(w, &entry, &ndx) && (!S_ISDIR(entry.mode) || add_contents(s, p, ndx));
}

static bool add_contents(struct scan *s, const struct pushed *p, uint32_t ndx)
{
	struct ags_walk *w = &s->walk;

	if (!ags_walk_directory(w, p->path, ndx))
		return false;
	if (w->list->count > ndx + 1 || w->options->may_be_empty)
		return true;
	ags_fail(w->err, AGS_LOCAL_IO, "%s is empty: nothing would be sent, and everything there would be deleted on the servers", p->path);
	ags_err_set_path(w->err, p->path);
	return false;
}

/* Where the last component begins. */
static size_t name_of(const struct pushed *p)
{
	size_t at = p->len;

	while (at > 0 && p->path[at - 1] != '/')
		at--;
	return at;
}

static void shrink(struct ags_filelist *list)
{
	struct ags_entry *entries = realloc(list->entries, list->count * sizeof(*entries));

	if (entries == NULL)
		return;
	list->entries = entries;
	list->capacity = list->count;
}
