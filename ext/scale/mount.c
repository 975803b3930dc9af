#ifndef _GNU_SOURCE
#define _GNU_SOURCE            /* O_PATH */
#endif

#include "scale/mount.h"
#include "base/limits.h"
#include "scale/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAX_TABLE (16u << 20)        /* 100,000 mounts */

static int open_path(const char *path);
static bool find(int fd, struct ags_arena *arena, struct ags_mount *mount, struct ags_err *err);
static const char *read_table(struct ags_arena *arena, struct ags_err *err);
static bool where(int fd, char path[AGS_MAX_PATH], unsigned long *number);
static bool name_it(int fd, struct ags_mount *m, struct ags_arena *arena);
static const char *uuid_of(const char *device, struct ags_arena *arena);
static const char *rest_below(const char *path, const char *above);
static bool is_named(const struct ags_strings *list, const char *name);

bool ags_mount_find(const char *path, struct ags_arena *arena, struct ags_mount *mount, struct ags_err *err)
{
	int fd = open_path(path);
	bool ok;

	if (fd < 0)
		return ags_fail_sys(err, AGS_LOCAL_IO, path, "cannot find the source");
	ok = find(fd, arena, mount, err);
	close(fd);
	return ok;
}

bool ags_mount_is_same(const struct ags_mount *a, const struct ags_mount *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->id, b->id) == 0 && (strcmp(a->at, b->at) == 0 || strcmp(a->inside, b->inside) == 0);
}

bool ags_mount_below(const char *path, size_t max, struct ags_arena *arena, struct ags_strings *points, struct ags_err *err)
{
	int fd = open_path(path);
	char real[AGS_MAX_PATH], *root;
	unsigned long number;
	const char *table;
	struct ags_mount m;
	bool ok = fd >= 0 && where(fd, real, &number);

	if (fd >= 0)
		close(fd);
	points->count = 0;
	points->items = ags_arena_alloc(arena, (max + 1) * sizeof(*points->items));
	if (!ok)
		return ags_fail_sys(err, AGS_LOCAL_IO, path, "cannot find the source");
	table = read_table(arena, err);
	if (table == NULL)
		return false;
	for (const char *p = table, *end; points->items != NULL && *p != '\0' && points->count < max; p = *end != '\0' ? end + 1 : end) {
		char *line;

		end = p + strcspn(p, "\n");
		line = ags_arena_copy(arena, p, (size_t)(end - p));
		if (line == NULL)
			return ags_fail_nomem(err);
		if (!ags_mount_read(line, 0, &m, &root) || rest_below(m.at, real) == NULL || strcmp(m.at, real) == 0)
			continue;
		if (!is_named(points, m.at))
			points->items[points->count++] = m.at;
	}
	return points->items != NULL || ags_fail_nomem(err);
}

/* "36 35 98:0 /root /at rw,noatime shared:1 - ext4 /dev/sda1 rw" */
bool ags_mount_read(char *line, unsigned long number, struct ags_mount *mount, char **root)
{
	char *word = ags_state_word(&line), *at;

	if (word == NULL || (number != 0 && strtoul(word, NULL, 10) != number))
		return false;
	if (ags_state_word(&line) == NULL || ags_state_word(&line) == NULL || (*root = ags_state_word(&line)) == NULL ||
	    (at = ags_state_word(&line)) == NULL)
		return false;
	while ((word = ags_state_word(&line)) != NULL && strcmp(word, "-") != 0)
		;
	mount->at = at;
	mount->type = ags_state_word(&line);
	mount->source = ags_state_word(&line);
	if (mount->type == NULL || mount->source == NULL)
		return false;
	if (strcmp(mount->type, "nfs4") == 0)          /* which version was agreed on is no matter */
		mount->type = "nfs";
	return true;
}

/* A directory, so that it is mounted if that is done on demand, or what else there is. */
static int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 || errno != ENOTDIR ? fd : open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static bool find(int fd, struct ags_arena *arena, struct ags_mount *mount, struct ags_err *err)
{
	char path[AGS_MAX_PATH], *line, *root;
	unsigned long number;
	const char *rest, *table;

	if (!where(fd, path, &number))
		return ags_fail_sys(err, AGS_LOCAL_IO, "/proc/self/fdinfo", "cannot tell the file system from");
	table = read_table(arena, err);
	if (table == NULL)
		return false;
	for (const char *p = table, *end; *p != '\0'; p = *end != '\0' ? end + 1 : end) {
		end = p + strcspn(p, "\n");
		if (strtoul(p, NULL, 10) != number)
			continue;
		line = ags_arena_copy(arena, p, (size_t)(end - p));
		if (line == NULL)
			return ags_fail_nomem(err);
		if (!ags_mount_read(line, number, mount, &root) || (rest = rest_below(path, mount->at)) == NULL)
			break;
		mount->inside = ags_arena_printf(arena, "%s%s", strcmp(root, "/") == 0 ? "" : root, rest);
		if (mount->inside != NULL && mount->inside[0] == '\0')
			mount->inside = "/";
		return (mount->inside != NULL && name_it(fd, mount, arena)) || ags_fail_nomem(err);
	}
	return ags_fail(err, AGS_LOCAL_IO, "the file system of %.300s is not among those that this process may see", path);
}

/* Read anew each time, as looking at a path may mount it. */
static const char *read_table(struct ags_arena *arena, struct ags_err *err)
{
	struct ags_buf text = { .max = MAX_TABLE };
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	const char *table = NULL;
	uint8_t bytes[16384];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		if (!ags_buf_add(&text, bytes, (size_t)n))
			break;
	if (n < 0) {
		ags_fail_sys(err, AGS_LOCAL_IO, "/proc/self/mountinfo", "cannot read");
	} else {
		table = ags_arena_copy(arena, ags_buf_bytes(&text), ags_buf_len(&text));
		if (table == NULL)
			ags_fail_nomem(err);
	}
	if (fd >= 0)
		close(fd);
	ags_buf_free(&text);
	return table;
}

/* The path without symbolic links, and the number of its mount. */
static bool where(int fd, char path[AGS_MAX_PATH], unsigned long *number)
{
	char name[64], text[1024], *found;
	ssize_t n;
	int info;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, path, AGS_MAX_PATH - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	info = open(name, O_RDONLY | O_CLOEXEC);
	n = info >= 0 ? read(info, text, sizeof(text) - 1) : -1;
	if (info >= 0)
		close(info);
	text[n > 0 ? n : 0] = '\0';
	found = strstr(text, "mnt_id:");
	*number = found != NULL ? strtoul(found + 7, NULL, 10) : 0;
	return found != NULL;
}

static bool name_it(int fd, struct ags_mount *m, struct ags_arena *arena)
{
	static const char *const numbered[] = { "ext2", "ext3", "ext4", "btrfs" };
	struct statfs fs;
	uint32_t n[2];

	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++)
		if (strcmp(m->type, numbered[i]) == 0 && fstatfs(fd, &fs) == 0) {
			memcpy(n, &fs.f_fsid, sizeof(n));
			return (m->id = ags_arena_printf(arena, "%08x%08x", n[0], n[1])) != NULL;
		}
	m->id = strncmp(m->source, "/dev/", 5) == 0 ? uuid_of(m->source, arena) : m->source;
	return m->id != NULL;
}

/* The device itself when udev does not know it, as in containers. */
static const char *uuid_of(const char *device, struct ags_arena *arena)
{
	const char *found = device;
	const struct dirent *e;
	struct stat want, st;
	DIR *dir = stat(device, &want) == 0 && S_ISBLK(want.st_mode) ? opendir("/dev/disk/by-uuid") : NULL;

	while (dir != NULL && found == device && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, 0) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == want.st_rdev)
			found = ags_arena_string(arena, e->d_name);
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* What follows `above` in a path that is or lies in it, else NULL. */
static const char *rest_below(const char *path, const char *above)
{
	size_t len = strcmp(above, "/") == 0 ? 0 : strlen(above);

	return strncmp(path, above, len) == 0 && (path[len] == '/' || path[len] == '\0') ? path + len : NULL;
}

static bool is_named(const struct ags_strings *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}
