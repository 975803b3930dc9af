#ifndef AGS_BASE_ERR_H
#define AGS_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One failure, described once, where it is understood. The caller owns the
 * struct; the first failure stays, later ones are ignored. A message is one
 * sentence, without full stop or newline, and says what was found and what
 * would have been right.
 */

enum ags_code {
	AGS_OK = 0,
	AGS_NOMEM,
	AGS_USAGE,            /* the caller's argument is wrong */
	AGS_CONFIG,           /* the topology is wrong */
	AGS_CONNECT,          /* no connection, or it was lost */
	AGS_AUTH,             /* host key or login refused */
	AGS_PROTOCOL,         /* the peer broke the protocol */
	AGS_REMOTE,           /* the peer said that something failed there */
	AGS_LOCAL_IO,         /* a file of this machine */
	AGS_LIMIT,            /* a ceiling of base/limits.h */
	AGS_TIMEOUT,
	AGS_CANCELLED
};

struct ags_err {
	enum ags_code code;
	int  sys;             /* errno when the system said no, else 0 */
	char server[256];     /* "" when the failure is nobody's in particular */
	char path[1024];      /* a long path keeps its tail */
	char message[512];
};

/* What a step of a machine did: finished, wants more bytes or time, or failed with err filled. */
enum ags_step { AGS_DONE, AGS_AGAIN, AGS_FAILED };

#define AGS_ERR_INIT { .code = AGS_OK }

/* Both return false, so that a failing function can return them. */
bool ags_fail(struct ags_err *err, enum ags_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "cannot open /a/b: Permission denied"; errno is read first and path may be NULL. */
bool ags_fail_sys(struct ags_err *err, enum ags_code code, const char *path, const char *what);
/* "No such file or directory" for an errno, in `to`. strerror_r() has two forms, and which one depends on who compiles us. */
const char *ags_err_reason(int sys, char *to, size_t size);
bool ags_fail_nomem(struct ags_err *err);
/* The same, for functions that return a step. */
enum ags_step ags_fail_step(struct ags_err *err, enum ags_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Names the server or the path of a failure that has none yet. */
void ags_err_set_server(struct ags_err *err, const char *server);
void ags_err_set_path(struct ags_err *err, const char *path);
void ags_err_clear(struct ags_err *err);

#endif
