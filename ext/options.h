#ifndef AGS_OPTIONS_H
#define AGS_OPTIONS_H

#include "php.h"

#include "scale/sync.h"

/*
 * The arguments of the functions: arrays of options, paths and commands as the engine's structs.
 *
 * Everything is copied into an arena, as a callback may change arrays that are references. A false means that a
 * ValueError is pending (or a ScaleException on lack of memory).
 */
enum ags_call {
	AGS_CALL_SYNC = 1, AGS_CALL_STATUS = 2, AGS_CALL_RUN = 4,
	AGS_CALL_RELEASE_LIST = 8, AGS_CALL_RELEASE_SWITCH = 16, AGS_CALL_RELEASE_PRUNE = 32,
	AGS_CALL_FETCH = 64
};

struct ags_options {
	struct ags_sync_options sync;
	struct ags_run_options run;
	unsigned commit;                    /* 0: together, 1: each */
};

#define AGS_OPTIONS_INIT { .sync = AGS_SYNC_OPTIONS_INIT }

bool ags_options_read(struct ags_options *options, HashTable *array, uint32_t arg, enum ags_call call, struct ags_arena *arena);

/* One path, or an array of them: absolute, without "..", allowed by open_basedir. */
bool ags_options_paths(struct ags_strings *paths, HashTable *array, zend_string *path, uint32_t arg, struct ags_arena *arena);

/* A command and its arguments. */
bool ags_options_argv(struct ags_strings *argv, HashTable *array, uint32_t arg, struct ags_arena *arena);

#endif
