#include "scale/report.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *ags_report_sentence(struct ags_report *report, const char *format, va_list args)
{
	char raw[1024], clean[1024];
	const char *kept;

	vsnprintf(raw, sizeof(raw), format, args);
	ags_text_clean(clean, sizeof(clean), raw, strlen(raw));
	kept = ags_arena_string(&report->arena, clean[0] != '\0' ? clean : "failed, and did not say why");
	return kept != NULL ? kept : "out of memory";
}

void ags_report_free(struct ags_report *report)
{
	ags_arena_free(&report->arena);
	memset(report, 0, sizeof(*report));
}
