#ifndef PHP_AEGIR_SCALE_H
#define PHP_AEGIR_SCALE_H

#include "php.h"

#include "ssh/pool.h"

/* package.xml and composer.json name the version too; tests/package-files.sh compares them. */
#define PHP_AEGIR_SCALE_VERSION "0.1.0"

extern zend_module_entry aegir_scale_module_entry;
#define phpext_aegir_scale_ptr &aegir_scale_module_entry

ZEND_BEGIN_MODULE_GLOBALS(aegir_scale)
	struct ags_pool *pool;       /* of this thread and request; NULL until a call needs it */
	int held;                    /* descriptor of the running call's lock; -1: none */
	bool in_call;                /* the engine is running: its callbacks must not enter it again */
ZEND_END_MODULE_GLOBALS(aegir_scale)

ZEND_EXTERN_MODULE_GLOBALS(aegir_scale)
#define AGS_G(v) ZEND_MODULE_GLOBALS_ACCESSOR(aegir_scale, v)

#if defined(ZTS) && defined(COMPILE_DL_AEGIR_SCALE)
ZEND_TSRMLS_CACHE_EXTERN()
#endif

/* The classes of the stub. */
extern zend_class_entry *ags_ce_outcome, *ags_ce_phase;
extern zend_class_entry *ags_ce_scale_exception, *ags_ce_topology_exception, *ags_ce_cancelled_exception;
extern zend_class_entry *ags_ce_problem, *ags_ce_topology, *ags_ce_progress, *ags_ce_change;
extern zend_class_entry *ags_ce_server_result, *ags_ce_report, *ags_ce_sync_report, *ags_ce_status_report;
extern zend_class_entry *ags_ce_run_result, *ags_ce_run_report;
extern zend_class_entry *ags_ce_release_result, *ags_ce_release_report;

#endif
