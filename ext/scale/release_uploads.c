/* Which directories of this machine are uploads, so that a release gets links in their place. */
#include "base/limits.h"
#include "scale/release_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct finder {
	const char *path;                /* the directory that is released */
	struct ags_arena *arena;
	struct ags_release_uploads *to;
	size_t rule_room, shared_room;
	bool has_shared;
};

static bool look_at_root(struct finder *f, const char *root, struct ags_err *err);
static bool look_at_sites(struct finder *f, const char *sites, struct ags_err *err);
static bool look_at_uploads(struct finder *f, const char *site, const char *name, struct ags_err *err);
static bool add_link(struct finder *f, const char *path, bool is_here, struct ags_err *err);
static bool share(struct finder *f, const char *path, struct ags_err *err);
static bool add(struct finder *f, struct ags_strings *list, size_t *room, const char *rule, struct ags_err *err);
static bool is_kind(const struct finder *f, const char *path, mode_t kind);
static bool is_plain(const char *path);
typedef bool look_fn(struct finder *f, const char *path, struct ags_err *err);
static bool each_directory(struct finder *f, const char *in, look_fn *look, struct ags_err *err);
static bool look_at_child(struct finder *f, const char *path, struct ags_err *err);
static bool look_at_site(struct finder *f, const char *site, struct ags_err *err);

bool ags_release_find_uploads(const char *path, struct ags_arena *arena, struct ags_release_uploads *uploads, struct ags_err *err)
{
	struct finder f = { .path = path, .arena = arena, .to = uploads };

	if (!look_at_root(&f, "", err) || !each_directory(&f, "", look_at_child, err))
		return false;
	if (!f.has_shared)
		uploads->shared.count = 0;
	return uploads->shared.count == 0 || add(&f, &uploads->shared, &f.shared_room, "- *", err);
}

static bool look_at_child(struct finder *f, const char *path, struct ags_err *err)
{
	const char *root = ags_arena_printf(f->arena, "%s/", path);

	return root != NULL ? look_at_root(f, root, err) : ags_fail_nomem(err);
}

/* root is "" or ends with a slash, as all names here are relative to the released directory. */
static bool look_at_root(struct finder *f, const char *root, struct ags_err *err)
{
	const char *index = ags_arena_printf(f->arena, "%sindex.php", root);
	const char *sites = ags_arena_printf(f->arena, "%ssites", root);

	if (index == NULL || sites == NULL)
		return ags_fail_nomem(err);
	if (!is_kind(f, index, S_IFREG) || !is_kind(f, sites, S_IFDIR))
		return true;
	return look_at_sites(f, sites, err);
}

static bool look_at_sites(struct finder *f, const char *sites, struct ags_err *err)
{
	return each_directory(f, sites, look_at_site, err);
}

static bool look_at_site(struct finder *f, const char *site, struct ags_err *err)
{
	return look_at_uploads(f, site, "files", err) && look_at_uploads(f, site, "private", err);
}

static bool look_at_uploads(struct finder *f, const char *site, const char *name, struct ags_err *err)
{
	const char *path = ags_arena_printf(f->arena, "%s/%s", site, name), *rule;
	bool is_here;

	if (path == NULL)
		return ags_fail_nomem(err);
	if (is_kind(f, path, S_IFLNK))
		return true;
	if (!is_plain(path))
		return ags_fail(err, AGS_USAGE, "%s/%s has a blank, a control character or one of *?[\\ in its name, which a release cannot link to",
		                f->path, path);
	is_here = is_kind(f, path, S_IFDIR);
	rule = ags_arena_printf(f->arena, "- /%s", path);
	if (rule == NULL)
		return ags_fail_nomem(err);
	return add(f, &f->to->rules, &f->rule_room, rule, err) && add_link(f, path, is_here, err) &&
	       (!is_here || share(f, path, err));
}

/* "make ../../../ sites/x/files": made when it is missing among the shared ones; "maybe": linked when it is there. */
static bool add_link(struct finder *f, const char *path, bool is_here, struct ags_err *err)
{
	struct ags_buf *out = &f->to->links;
	bool ok = ags_buf_add(out, is_here ? "make " : "maybe ", is_here ? 5 : 6) && ags_buf_add(out, "../", 3);

	for (const char *p = strchr(path, '/'); ok && p != NULL; p = strchr(p + 1, '/'))
		ok = ags_buf_add(out, "../", 3);
	ok = ok && ags_buf_add(out, " ", 1) && ags_buf_add(out, path, strlen(path)) && ags_buf_add(out, "\n", 1);
	return ok || ags_fail_nomem(err);
}

/* All parents are taken, then what is below. */
static bool share(struct finder *f, const char *path, struct ags_err *err)
{
	const char *rule;

	f->has_shared = true;
	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
		rule = ags_arena_printf(f->arena, "+ /%.*s/", (int)(p - path), path);
		if (rule == NULL)
			return ags_fail_nomem(err);
		if (!add(f, &f->to->shared, &f->shared_room, rule, err))
			return false;
	}
	rule = ags_arena_printf(f->arena, "+ /%s/***", path);
	return rule != NULL ? add(f, &f->to->shared, &f->shared_room, rule, err) : ags_fail_nomem(err);
}

static bool add(struct finder *f, struct ags_strings *list, size_t *room, const char *rule, struct ags_err *err)
{
	const char **more;

	for (size_t i = list->count; i > 0 && i + 4 > list->count; i--)
		if (strcmp(list->items[i - 1], rule) == 0)          /* the parents of the one before */
			return true;
	if (list->count == AGS_MAX_RULES)
		return ags_fail(err, AGS_LIMIT, "%s has too many sites for one release, want at most %u filter rules", f->path, AGS_MAX_RULES);
	if (list->count == *room) {
		*room = *room > 0 ? *room * 2 : 16;
		more = ags_arena_alloc(f->arena, *room * sizeof(*more));
		if (more == NULL)
			return ags_fail_nomem(err);
		if (list->count > 0)
			memcpy(more, list->items, list->count * sizeof(*more));
		list->items = more;
	}
	list->items[list->count++] = rule;
	return true;
}

static bool each_directory(struct finder *f, const char *in, look_fn *look, struct ags_err *err)
{
	const char *full = ags_arena_printf(f->arena, "%s/%s", f->path, in), *path;
	const struct dirent *e;
	bool ok = true;
	DIR *dir;

	if (full == NULL)
		return ags_fail_nomem(err);
	dir = opendir(full);
	if (dir == NULL)
		return ags_fail_sys(err, AGS_LOCAL_IO, full, "cannot read directory");
	while (ok && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = ags_arena_printf(f->arena, "%s%s%s", in, in[0] != '\0' ? "/" : "", e->d_name);
		if (path == NULL)
			ok = ags_fail_nomem(err);
		else if (is_kind(f, path, S_IFDIR))
			ok = look(f, path, err);
	}
	closedir(dir);
	return ok;
}

static bool is_kind(const struct finder *f, const char *path, mode_t kind)
{
	char full[AGS_MAX_PATH];
	struct stat st;

	if ((size_t)snprintf(full, sizeof(full), "%s/%s", f->path, path) >= sizeof(full))
		return false;
	return lstat(full, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

static bool is_plain(const char *path)
{
	for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || strchr("*?[\\", *p) != NULL)
			return false;
	return true;
}
