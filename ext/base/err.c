#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void fill(struct ags_err *err, enum ags_code code, const char *format, va_list args)
{
	char raw[sizeof(err->message)];

	if (err->code != AGS_OK)
		return;
	err->code = code;
	vsnprintf(raw, sizeof(raw), format, args);
	ags_text_clean(err->message, sizeof(err->message), raw, strlen(raw));
}

bool ags_fail(struct ags_err *err, enum ags_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return false;
}

enum ags_step ags_fail_step(struct ags_err *err, enum ags_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return AGS_FAILED;
}

bool ags_fail_sys(struct ags_err *err, enum ags_code code, const char *path, const char *what)
{
	int sys = errno;
	char reason[128];

	if (err->code != AGS_OK)
		return false;
	ags_err_reason(sys, reason, sizeof(reason));
	if (path != NULL)
		ags_fail(err, code, "%s %s: %s", what, path, reason);
	else
		ags_fail(err, code, "%s: %s", what, reason);
	err->sys = sys;
	if (path != NULL)
		ags_err_set_path(err, path);
	return false;
}

const char *ags_err_reason(int sys, char *to, size_t size)
{
	errno = sys;
	snprintf(to, size, "%m");
	return to;
}

bool ags_fail_nomem(struct ags_err *err)
{
	return ags_fail(err, AGS_NOMEM, "out of memory");
}

void ags_err_set_server(struct ags_err *err, const char *server)
{
	if (err->code != AGS_OK && err->server[0] == '\0')
		snprintf(err->server, sizeof(err->server), "%s", server);
}

void ags_err_set_path(struct ags_err *err, const char *path)
{
	size_t len = strlen(path);

	if (err->code == AGS_OK || err->path[0] != '\0')
		return;
	if (len >= sizeof(err->path))
		path += len - (sizeof(err->path) - 1);
	ags_text_clean(err->path, sizeof(err->path), path, strlen(path));
}

void ags_err_clear(struct ags_err *err)
{
	memset(err, 0, sizeof(*err));
}
