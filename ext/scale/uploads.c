#include "scale/uploads.h"
#include "base/limits.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool protect_below(struct ags_filter *filter, const char *dir, const char *rest, struct ags_err *err);
static bool protect_of_path(struct ags_filter *filter, const char *path, struct ags_err *err);
static bool is_drupal_root(const struct ags_filelist *list, uint32_t sites);
static const char *after_sites(const char *path);
static bool is_uploads_name(const char *name, size_t len);

bool ags_uploads_protect(struct ags_filter *filter, const struct ags_filelist *list, struct ags_err *err)
{
	char path[AGS_MAX_PATH];

	for (uint32_t i = 0; i < list->count; i++) {
		const struct ags_entry *e = &list->entries[i];

		if (!S_ISDIR(e->mode))
			continue;
		if (e->flags & AGS_ENTRY_TOP) {
			ags_filelist_path(list, i, path);
			if (!protect_of_path(filter, path, err))
				return false;
		}
		if (e->name_len == 5 && memcmp(e->name, "sites", 5) == 0 && is_drupal_root(list, i)) {
			ags_filelist_path(list, i, path);
			if (!protect_below(filter, path, "/*/files/***", err) || !protect_below(filter, path, "/*/private/***", err))
				return false;
		}
	}
	return true;
}

bool ags_uploads_hold(const char *path)
{
	const char *site = after_sites(path), *below = site != NULL ? strchr(site, '/') : NULL;

	return below != NULL && is_uploads_name(below + 1, strcspn(below + 1, "/"));
}

bool ags_uploads_refuse(const struct ags_filelist *list, struct ags_err *err)
{
	char path[AGS_MAX_PATH];

	for (uint32_t i = 0; i < list->count; i++) {
		const struct ags_entry *e = &list->entries[i];
		uint32_t site = e->parent, sites = site == AGS_NO_PARENT ? site : list->entries[site].parent;

		if (!S_ISDIR(e->mode) || sites == AGS_NO_PARENT || !is_uploads_name(e->name, e->name_len))
			continue;
		if (list->entries[sites].name_len != 5 || memcmp(list->entries[sites].name, "sites", 5) != 0 || !is_drupal_root(list, sites))
			continue;
		ags_filelist_path(list, i, path);
		return ags_fail(err, AGS_USAGE, "%s holds uploads and lies too deep for a release, want a Drupal root, or the directory that one is in", path);
	}
	return true;
}

bool ags_protect_pattern(struct ags_filter *filter, const struct ags_filelist *list, const char *pattern, struct ags_err *err)
{
	char path[AGS_MAX_PATH];

	if (pattern[0] != '/')
		return ags_filter_add_pattern(filter, AGS_FILTER_PROTECT, pattern, err);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!(list->entries[i].flags & AGS_ENTRY_TOP))
			continue;
		ags_filelist_path(list, i, path);
		if (!protect_below(filter, path, pattern, err))
			return false;
	}
	return true;
}

/* dir is taken as it is, rest is a pattern. rsync knows a backslash only in patterns with a wildcard. */
static bool protect_below(struct ags_filter *filter, const char *dir, const char *rest, struct ags_err *err)
{
	bool escape = strpbrk(dir, "*[?") != NULL || strpbrk(rest, "*[?") != NULL;
	char pattern[AGS_MAX_RULE];
	size_t n = 0;

	if (strcmp(dir, ".") == 0)
		dir = "";
	if (dir[0] != '\0')
		pattern[n++] = '/';
	for (; *dir != '\0' && n < sizeof(pattern) - 2; dir++) {
		if (escape && strchr("*[?\\", *dir) != NULL)
			pattern[n++] = '\\';
		pattern[n++] = *dir;
	}
	if (*dir != '\0' || n + strlen(rest) >= sizeof(pattern))
		return ags_fail(err, AGS_LIMIT, "a path is too long to protect anything below it, want at most %u bytes", AGS_MAX_RULE);
	strcpy(pattern + n, rest);
	return ags_filter_add_pattern(filter, AGS_FILTER_PROTECT, pattern, err);
}

/* A pushed path …/sites, …/sites/NAME, or one in the uploads of a site. */
static bool protect_of_path(struct ags_filter *filter, const char *path, struct ags_err *err)
{
	const char *site = after_sites(path), *below;

	if (site == NULL)
		return true;
	if (*site == '\0')
		return protect_below(filter, path, "/*/files/***", err) && protect_below(filter, path, "/*/private/***", err);
	below = strchr(site, '/');
	if (below == NULL)
		return protect_below(filter, path, "/files/***", err) && protect_below(filter, path, "/private/***", err);
	return !is_uploads_name(below + 1, strcspn(below + 1, "/")) || protect_below(filter, path, "/***", err);
}

static bool is_drupal_root(const struct ags_filelist *list, uint32_t sites)
{
	uint32_t root = list->entries[sites].parent;

	/* files of a directory stand before its subdirectories, right behind the directory itself */
	for (uint32_t i = root == AGS_NO_PARENT ? 0 : root + 1; i < sites; i++) {
		const struct ags_entry *e = &list->entries[i];

		if (e->parent == root && e->name_len == 9 && memcmp(e->name, "index.php", 9) == 0)
			return true;
		if (S_ISDIR(e->mode) && e->parent == root && root != AGS_NO_PARENT)
			return false;
	}
	return false;
}

/* What follows the last component "sites": "" at the end, NULL when there is none. */
static const char *after_sites(const char *path)
{
	const char *found = NULL;

	for (const char *p = path; p != NULL; p = strchr(p, '/') != NULL ? strchr(p, '/') + 1 : NULL)
		if (strncmp(p, "sites", 5) == 0 && (p[5] == '/' || p[5] == '\0'))
			found = p[5] == '/' ? p + 6 : p + 5;
	return found;
}

static bool is_uploads_name(const char *name, size_t len)
{
	return (len == 5 && memcmp(name, "files", 5) == 0) || (len == 7 && memcmp(name, "private", 7) == 0);
}
