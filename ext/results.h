#ifndef AGS_RESULTS_H
#define AGS_RESULTS_H

#include "php.h"

#include "base/host.h"
#include "base/node.h"
#include "scale/report.h"

/* Finished structs of the engine as the readonly objects of the stub. Each function fills an empty zval. */

void ags_result_progress(zval *to, const struct ags_progress *p);
void ags_result_sync_report(zval *to, const struct ags_report *report);
void ags_result_status_report(zval *to, const struct ags_report *report);
void ags_result_run_report(zval *to, const struct ags_report *report);
void ags_result_release_report(zval *to, const struct ags_report *report);

/* list<Problem> */
void ags_result_problems(zval *to, const struct ags_problems *problems, const char *file);
/* "file:line:column: message", or "where: message" for an array. */
zend_string *ags_result_problem_text(const char *file, const struct ags_problem *problem);

/* The object's properties as a plain array, all the way down: enums as their values, text that is not UTF-8 with \xHH. */
void ags_result_plain(zval *to, const zend_object *object);

#endif
