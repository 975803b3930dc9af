#ifndef AGS_SCALE_MOUNT_H
#define AGS_SCALE_MOUNT_H

#include "scale/topology.h"

/*
 * On which file system of this machine a path lies, told so that it is the same after a reboot. Device numbers are not, nor are names
 * such as /dev/sdb1; so a file system is known by
 *
 *   its type, and    ext2 to ext4, btrfs: the number that it has in itself
 *                    others on a block device: the UUID that udev knows
 *                    all others: the source it is mounted from, as 10.0.0.20:/srv/aegir
 *
 * and a path on it by where that is mounted and by where it lies in it. Either may change for a good reason: a service may see a
 * directory as a mount of its own, and a symbolic link on the way may lead to a new release. Both change when a mount is missing.
 */
struct ags_mount {
	const char *type, *id;           /* "nfs", "10.0.0.20:/srv/aegir" */
	const char *source;              /* for people */
	const char *at;                  /* the mount point */
	const char *inside;              /* the path in the file system, "/" for its root */
};

/* A symbolic link is not followed unless a slash stands behind it. A directory that is mounted on demand is mounted by this. */
bool ags_mount_find(const char *path, struct ags_arena *arena, struct ags_mount *mount, struct ags_err *err);
bool ags_mount_is_same(const struct ags_mount *a, const struct ags_mount *b);

/* The mount points below the directory `path`, each once, at most `max`. */
bool ags_mount_below(const char *path, size_t max, struct ags_arena *arena, struct ags_strings *points, struct ags_err *err);

/* One line of the kernel's table; false when it is none of mount `number` (0: any). Words are cut out of `line`. */
bool ags_mount_read(char *line, unsigned long number, struct ags_mount *mount, char **root);

#endif
