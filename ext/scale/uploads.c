#include "scale/uploads.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool protect_below(struct ags_filter *filter, enum ags_filter_kind kind, const char *dir, const char *rest, struct ags_err *err);
static bool protect_of_path(struct ags_filter *filter, const char *path, struct ags_err *err);
static bool is_drupal_root(const struct ags_filelist *list, uint32_t sites);
static size_t mark(const struct ags_filelist *list, const struct ags_filter *instead, uint8_t *marks);
static bool is_upload(const struct ags_filelist *list, const struct ags_filter *instead, uint32_t ndx);
static void put(struct ags_filelist *to, const struct ags_entry *entry, uint32_t ndx, uint32_t *where, uint32_t *first);
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
			if (!protect_below(filter, AGS_FILTER_PROTECT, path, "/*/files/***", err) || !protect_below(filter, AGS_FILTER_PROTECT, path, "/*/private/***", err))
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

bool ags_protect_pattern(struct ags_filter *filter, enum ags_filter_kind kind, const struct ags_filelist *list, const char *pattern,
                         struct ags_err *err)
{
	char path[AGS_MAX_PATH], rule[AGS_MAX_RULE + 3];

	if (pattern[0] != '/' && pattern[0] != '\0') {
		snprintf(rule, sizeof(rule), "%s%s", kind == AGS_FILTER_EXCLUDE ? "- " : "", pattern);      /* also when it is "!" or "+ x" */
		return ags_filter_add_pattern(filter, kind, rule, err);
	}
	for (uint32_t i = 0; i < list->count; i++) {
		if (!(list->entries[i].flags & AGS_ENTRY_TOP))
			continue;
		ags_filelist_path(list, i, path);
		if (!protect_below(filter, kind, path, pattern, err))
			return false;
	}
	return true;
}

enum { IS_UPLOAD = 1, IS_APART = 2, IS_ABOVE = 4 };

bool ags_uploads_part(struct ags_filelist *list, const struct ags_filter *instead, struct ags_filelist *apart, struct ags_err *err)
{
	uint32_t count = list->count, *maps = NULL;
	uint8_t *marks = calloc(count + 1, 1);
	size_t needed = marks != NULL ? mark(list, instead, marks) : 0;
	bool ok = marks != NULL;

	if (needed == 0)
		goto out;
	maps = calloc(4 * (size_t)count, sizeof(*maps));
	apart->entries = calloc(needed, sizeof(*apart->entries));
	ok = maps != NULL && apart->entries != NULL;
	if (!ok)
		goto out;
	apart->capacity = (uint32_t)needed;
	list->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct ags_entry e = list->entries[i];

		if (marks[i] & (IS_APART | IS_ABOVE))
			put(apart, &e, i, maps, maps + count);
		if (!(marks[i] & IS_APART))
			put(list, &e, i, maps + 2 * (size_t)count, maps + 3 * (size_t)count);
	}
out:
	free(maps);
	free(marks);
	return ok || ags_fail_nomem(err);
}

/* How many entries the files and the directories above them are. A parent stands before what is in it. A pattern for a directory says nothing
 * of what is in it, as it does not keep that from being deleted either. */
static size_t mark(const struct ags_filelist *list, const struct ags_filter *instead, uint8_t *marks)
{
	size_t needed = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct ags_entry *e = &list->entries[i];
		bool is_below = instead == NULL && e->parent != AGS_NO_PARENT && (marks[e->parent] & IS_UPLOAD);

		if (is_below || is_upload(list, instead, i))
			marks[i] = S_ISREG(e->mode) && (instead == NULL || !(e->flags & AGS_ENTRY_TOP)) ? IS_UPLOAD | IS_APART : IS_UPLOAD;
	}
	for (uint32_t i = list->count; i-- > 0;) {
		if (!(marks[i] & (IS_APART | IS_ABOVE)))
			continue;
		needed++;
		if (list->entries[i].parent != AGS_NO_PARENT)
			marks[list->entries[i].parent] |= IS_ABOVE;
	}
	return needed;
}

/* The directory that holds the uploads of a site, by the same signs by which it is protected; or any entry that is excluded. */
static bool is_upload(const struct ags_filelist *list, const struct ags_filter *instead, uint32_t ndx)
{
	const struct ags_entry *e = &list->entries[ndx], *above;
	char path[AGS_MAX_PATH];

	if (instead != NULL)
		return !(e->flags & AGS_ENTRY_IMPLIED) && ags_filter_hides(instead, path, ags_filelist_path(list, ndx, path), S_ISDIR(e->mode));
	if (!S_ISDIR(e->mode) || !is_uploads_name(e->name, e->name_len) || e->parent == AGS_NO_PARENT)
		return false;
	ndx = list->entries[e->parent].parent;
	above = ndx != AGS_NO_PARENT ? &list->entries[ndx] : NULL;
	return above != NULL && above->name_len == 5 && memcmp(above->name, "sites", 5) == 0 &&
	       ((above->flags & (AGS_ENTRY_TOP | AGS_ENTRY_IMPLIED)) || is_drupal_root(list, ndx));
}

/* Names of one file that came into two lists are two files. */
static void put(struct ags_filelist *to, const struct ags_entry *entry, uint32_t ndx, uint32_t *where, uint32_t *first)
{
	struct ags_entry *e = &to->entries[to->count];

	*e = *entry;
	if (e->parent != AGS_NO_PARENT)
		e->parent = where[e->parent];
	if (e->link > 0) {
		uint32_t *leader = &first[entry->link - 1];

		if (*leader == 0)
			*leader = to->count + 1;
		e->link = *leader;
	}
	where[ndx] = to->count++;
}

/* dir is taken as it is, rest is a pattern. rsync knows a backslash only in patterns with a wildcard. */
static bool protect_below(struct ags_filter *filter, enum ags_filter_kind kind, const char *dir, const char *rest, struct ags_err *err)
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
	return ags_filter_add_pattern(filter, kind, pattern, err);
}

/* A pushed path …/sites, …/sites/NAME, or one in the uploads of a site. */
static bool protect_of_path(struct ags_filter *filter, const char *path, struct ags_err *err)
{
	const char *site = after_sites(path), *below;

	if (site == NULL)
		return true;
	if (*site == '\0')
		return protect_below(filter, AGS_FILTER_PROTECT, path, "/*/files/***", err) && protect_below(filter, AGS_FILTER_PROTECT, path, "/*/private/***", err);
	below = strchr(site, '/');
	if (below == NULL)
		return protect_below(filter, AGS_FILTER_PROTECT, path, "/files/***", err) && protect_below(filter, AGS_FILTER_PROTECT, path, "/private/***", err);
	return !is_uploads_name(below + 1, strcspn(below + 1, "/")) || protect_below(filter, AGS_FILTER_PROTECT, path, "/***", err);
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
