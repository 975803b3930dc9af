#include "base/host.h"

const char *ags_phase_name(enum ags_phase phase)
{
	static const char *const names[] = {
		"connect", "start", "list", "transfer", "staged", "commit", "delete", "done"
	};

	return names[phase];
}
