#ifndef AGS_SCALE_UPLOADS_H
#define AGS_SCALE_UPLOADS_H

#include "rsync/filelist.h"
#include "rsync/filter.h"

/*
 * What visitors upload to a Drupal site lies in sites/NAME/files and sites/NAME/private of a Drupal root, the directory with index.php and
 * sites. Nothing there is ever deleted on a server, and no older file goes over a newer one.
 *
 * Roots are found in the list itself, so that a directory called files in a module stays code. Of a pushed path that lies in
 * sites/NAME, or in the uploads themselves, the path tells.
 */

/* Is this an upload, or a directory of them, by its path alone? */
bool ags_uploads_hold(const char *path);

/* An error when there are uploads in the list. */
bool ags_uploads_refuse(const struct ags_filelist *list, struct ags_err *err);

/* Adds a rule that protects the uploads of every site in the list. The list is of the pushed paths. */
bool ags_uploads_protect(struct ags_filter *filter, const struct ags_filelist *list, struct ags_err *err);

/* Adds a rule that protects, or excludes, `pattern` in rsync's syntax; a leading slash means each of the list's pushed paths. */
bool ags_protect_pattern(struct ags_filter *filter, enum ags_filter_kind kind, const struct ags_filelist *list, const char *pattern,
                         struct ags_err *err);

/* Moves the regular files that are uploads, or that `instead` excludes, into the empty list `apart`, which gets copies of the directories above
 * them and borrows names from the list. A pushed file that `instead` excludes stays where it is. */
bool ags_uploads_part(struct ags_filelist *list, const struct ags_filter *instead, struct ags_filelist *apart, struct ags_err *err);

#endif
