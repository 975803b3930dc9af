#ifndef AGS_HOST_H
#define AGS_HOST_H

#include "php.h"

#include "base/host.h"

/*
 * The engine's window to PHP: pending signal handlers and time limits are served while a call waits, and $progress is
 * called. Userland may throw, exit() or die there of a fatal error; the engine is always told to stop and returns in
 * good order before any of that goes on.
 */
struct ags_php_host {
	struct ags_host engine;             /* for the engine; its arg is this struct */
	zend_fcall_info callback;           /* size 0 when there is none */
	zend_fcall_info_cache cache;
	bool bailout;                       /* a fatal error is on its way: rethrow it when the engine has returned */
};

/* Keeps no reference to the callback: the caller's argument lives as long as the call. */
void ags_host_init(struct ags_php_host *h, const zend_fcall_info *callback, const zend_fcall_info_cache *cache);

/* Runs body(arg); false when PHP's fatal error cut it short. Then free what is ours and call zend_bailout(). */
bool ags_host_guard(void (*body)(void *arg), void *arg);

#endif
