#include "host.h"

#include "zend_fibers.h"

#include "php_aegir_scale.h"
#include "results.h"

static bool keep_going(void *arg);
static bool progress(void *arg, const struct ags_progress *p);

void ags_host_init(struct ags_php_host *h, const zend_fcall_info *callback, const zend_fcall_info_cache *cache)
{
	h->engine = (struct ags_host){ .arg = h, .keep_going = keep_going };
	h->callback = *callback;
	h->cache = *cache;
	h->bailout = false;
	if (ZEND_FCI_INITIALIZED(*callback))
		h->engine.progress = progress;
}

bool ags_host_guard(void (*body)(void *arg), void *arg)
{
	volatile bool whole = true;

	zend_try {
		body(arg);
	} zend_catch {
		whole = false;
	} zend_end_try();
	return whole;
}

/* Userland runs in here. A fiber must not be switched away: the call would sleep and miss its deadlines. */
static bool run_userland(struct ags_php_host *h, void (*body)(void *arg), void *arg)
{
	zend_fiber_switch_block();
	if (!ags_host_guard(body, arg))
		h->bailout = true;
	zend_fiber_switch_unblock();
	return !h->bailout && EG(exception) == NULL;
}

static void serve_interrupt(void *arg)
{
	(void)arg;
	zend_atomic_bool_store_ex(&EG(vm_interrupt), false);
	if (zend_atomic_bool_load_ex(&EG(timed_out)))
		zend_timeout();
	else if (zend_interrupt_function != NULL)
		zend_interrupt_function(EG(current_execute_data));
}

/* The flag alone is no wish to stop: profilers and harmless signal handlers raise it too. */
static bool keep_going(void *arg)
{
	struct ags_php_host *h = arg;

	if (h->bailout || EG(exception) != NULL)
		return false;
	if (EXPECTED(!zend_atomic_bool_load_ex(&EG(vm_interrupt))))
		return true;
	return run_userland(h, serve_interrupt, NULL);
}

struct progress_call {
	struct ags_php_host *host;
	const struct ags_progress *progress;
	bool stop;
};

static void call_back(void *arg)
{
	struct progress_call *c = arg;
	zval argument, result;

	ags_result_progress(&argument, c->progress);
	ZVAL_UNDEF(&result);
	c->host->callback.retval = &result;
	c->host->callback.params = &argument;
	c->host->callback.param_count = 1;
	if (zend_call_function(&c->host->callback, &c->host->cache) != SUCCESS || Z_TYPE(result) == IS_FALSE)
		c->stop = true;
	zval_ptr_dtor(&result);
	zval_ptr_dtor(&argument);
}

static bool progress(void *arg, const struct ags_progress *p)
{
	struct ags_php_host *h = arg;
	struct progress_call c = { .host = h, .progress = p };

	if (h->bailout || EG(exception) != NULL)
		return false;
	return run_userland(h, call_back, &c) && !c.stop;
}
