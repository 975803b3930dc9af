#ifndef AGS_RSYNC_CHMOD_H
#define AGS_RSYNC_CHMOD_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

/*
 * rsync's --chmod: what is sent has other permissions than what lies here. Receivers never hear of it.
 *
 *   "Du=rwx,Fu=rw,go-w,+X"    clauses with commas between them; D: directories only, F: all else only
 *   "D2775,F664"              octal
 *
 * A clause without u, g, o or a means all of them, less the umask, as for chmod(1). X looks at the mode before the first clause.
 */
struct ags_chmod {
	struct ags_arena arena;
	struct ags_chmod_clause *first, **last;
};

void ags_chmod_init(struct ags_chmod *chmod);
void ags_chmod_free(struct ags_chmod *chmod);

/* Adds the clauses of one text behind those that are there. */
bool ags_chmod_add(struct ags_chmod *chmod, const char *text, unsigned umask, struct ags_err *err);

/* st_mode as it is to be sent. A symlink's stays as it is. */
uint32_t ags_chmod_apply(const struct ags_chmod *chmod, uint32_t mode);

#endif
