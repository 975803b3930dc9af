#include "scale/report.h"

#include <string.h>

void ags_report_free(struct ags_report *report)
{
	ags_arena_free(&report->arena);
	memset(report, 0, sizeof(*report));
}
