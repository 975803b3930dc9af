#ifndef AGS_SSH_QUOTE_H
#define AGS_SSH_QUOTE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * The one function that turns data into words of a shell command. sh, bash,
 * dash, csh and rrsync read each word back as it was: everything that is not
 * plainly harmless gets a backslash (rrsync knows no other way), a newline is
 * put in single quotes, an empty word is ''. Words end with their NUL, so none can be
 * sent. The command is added to what the buffer holds.
 */
bool ags_quote_argv(const char *const *argv, size_t argc, struct ags_buf *command, struct ags_err *err);

#endif
