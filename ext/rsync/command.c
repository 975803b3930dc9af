#include "base/limits.h"
#include "rsync/sender.h"

#include <stdio.h>

#define MAX_WORDS (32 + AGS_MAX_LINK_DEST)

/* Old: letters that 3.1 does not know mean nothing to it, but without them a newer rsync talks to us as 3.1 does.
 * No "i" among the letters after "e.": one list, not increments. No "I": a leftover partial file is never updated in place. */
bool ags_sender_command(const struct ags_sender_job *job, const char *dest, struct ags_arena *arena,
                        const char *const **argv, size_t *argc)
{
	const char **words = ags_arena_alloc(arena, MAX_WORDS * sizeof(*words));
	bool has_parents = job->relative && (job->skip == 0 || job->is_old);
	size_t n = 0;

	if (words == NULL)
		return false;
	words[n++] = "rsync";
	words[n++] = "--server";
	words[n++] = ags_arena_printf(arena, "-logDtpr%s%s%s%s%s%s%s%se.LsfxC%s", job->hard_links ? "H" : "", has_parents ? "R" : "", job->checksum ? "c" : "",
	                              job->dry_run ? "n" : "", job->omit_dir_times ? "O" : "", job->keep_dirlinks ? "K" : "",
	                              job->update ? "u" : "", job->compress && !job->is_old ? "z" : "", job->is_old ? "" : "vu");
	if (job->is_old && job->compress)
		words[n++] = "--new-compress";          /* zlib, without what matched in its window */
	if (job->is_old && job->delete_extraneous)
		words[n++] = "--stats";                 /* or 3.1 does not count deletions */
	if (!job->is_old)
		words[n++] = "--no-msgs2stderr";        /* errors come in order with the data: none is known before all are */
	words[n++] = ags_arena_printf(arena, "--checksum-seed=%d", (int)job->seed);
	if (!job->dry_run && !job->at_once)
		words[n++] = "--delay-updates";
	/* either way parents of the pushed paths are made when missing, else left as they are */
	if (has_parents)
		words[n++] = "--no-implied-dirs";
	else if (job->relative)
		words[n++] = "--mkpath";
	if (job->delete_extraneous)
		words[n++] = job->dry_run ? "--delete-during" : "--delete-after";       /* after: a second walk over the tree */
	if (job->delete_extraneous && job->has_max_delete)
		words[n++] = ags_arena_printf(arena, "--max-delete=%u", (unsigned)job->max_delete);
	if (job->numeric_ids)
		words[n++] = "--numeric-ids";
	if (job->timeout > 0)
		words[n++] = ags_arena_printf(arena, "--timeout=%u", (unsigned)job->timeout);
	if (job->itemize || job->dry_run)
		words[n++] = "--log-format=%i";
	for (size_t i = 0; i < job->link_dest_count && i < AGS_MAX_LINK_DEST; i++)
		words[n++] = ags_arena_printf(arena, "--link-dest=%s", job->link_dest[i]);
	words[n++] = ".";
	words[n++] = dest;
	for (size_t i = 0; i < n; i++)
		if (words[i] == NULL)
			return false;
	*argv = words;
	*argc = n;
	return true;
}
