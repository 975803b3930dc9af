#ifndef AGS_SCALE_STATE_H
#define AGS_SCALE_STATE_H

#include "base/buf.h"
#include "scale/sync.h"

/*
 * What the calls of one user leave for the next: small files in $XDG_STATE_HOME/aegir_scale, or ~/.local/state/aegir_scale.
 *
 *   sources/   on which file system the source of a push was (scale/guard.h)
 *   runs/      one file for each call at work (scale/lock.h)
 *
 * The directory is made with mode 0700, and used only when nobody but this user may write there.
 */
#define AGS_MAX_STATE (1u << 20)      /* of one file */

/* The directory `name` in it, made when it is missing; -1 with err. */
int ags_state_open(const struct ags_environment *env, const char *name, struct ags_err *err);

/* AGS_AGAIN: there is no such file. */
enum ags_step ags_state_read(int dir, const char *name, struct ags_buf *to, struct ags_err *err);
/* After a crash the file is as it was before, or as it is now. */
bool ags_state_write(int dir, const char *name, const struct ags_buf *content, struct ags_err *err);

/* Files are lines of words. A word is preceded by a space unless it is the first of its line; what would break it is an octal \040. */
bool ags_state_add(struct ags_buf *line, const char *word);
/* Undoes that, in place. The kernel's tables are written the same way. */
void ags_state_plain(char *word);
/* The next word of a line, cut out and made plain, or NULL. */
char *ags_state_word(char **line);

#endif
