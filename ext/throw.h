#ifndef AGS_THROW_H
#define AGS_THROW_H

#include "php.h"

#include "base/err.h"
#include "base/node.h"

/* The engine's failures as PHP's exceptions. Nothing is thrown over an exception that is pending already. */

/* Sets the exception classes up once they are registered. */
void ags_throw_init(void);

/* A ValueError for AGS_USAGE, a CancelledException for AGS_CANCELLED, else a ScaleException. */
void ags_throw(const struct ags_err *err);
/* The same; a CancelledException gets the report, which is taken. */
void ags_throw_with_report(const struct ags_err *err, zval *report);
/* A ScaleException about one path, or about none: "". */
void ags_throw_path(const char *path, const char *format, ...) ZEND_ATTRIBUTE_FORMAT(printf, 2, 3);
void ags_throw_nomem(void);

/* A TopologyException with all problems; the file is "" for an array. */
void ags_throw_problems(const struct ags_problems *problems, const char *file);

#endif
