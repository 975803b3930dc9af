#include "throw.h"

#include "zend_exceptions.h"

#include "php_aegir_scale.h"
#include "results.h"

static zend_object *create(zend_class_entry *ce);
static zend_object *throw_scale(zend_class_entry *ce, const char *message, const char *server, const char *path);
static zval *property(zend_object *object, zend_class_entry *ce, const char *name);

void ags_throw_init(void)
{
	ags_ce_scale_exception->create_object = create;
	ags_ce_topology_exception->create_object = create;
	ags_ce_cancelled_exception->create_object = create;
}

void ags_throw(const struct ags_err *err)
{
	zval none;

	ZVAL_NULL(&none);
	ags_throw_with_report(err, &none);
}

void ags_throw_with_report(const struct ags_err *err, zval *report)
{
	zend_object *object;

	if (EG(exception) == NULL && err->code == AGS_USAGE) {
		zend_value_error("%s", err->message);
	} else if (EG(exception) == NULL && err->code == AGS_CANCELLED) {
		object = throw_scale(ags_ce_cancelled_exception, err->message, err->server, err->path);
		ZVAL_COPY(property(object, ags_ce_cancelled_exception, "report"), report);
	} else if (EG(exception) == NULL) {
		throw_scale(ags_ce_scale_exception, err->message, err->server, err->path);
	}
	zval_ptr_dtor(report);
}

void ags_throw_path(const char *path, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	throw_scale(ags_ce_scale_exception, message, "", path);
}

void ags_throw_nomem(void)
{
	throw_scale(ags_ce_scale_exception, "out of memory", "", "");
}

void ags_throw_problems(const struct ags_problems *problems, const char *file)
{
	zend_object *object;
	zend_string *text;
	char message[1280];
	size_t more = problems->count - 1;

	text = ags_result_problem_text(file, &problems->items[0]);
	if (more == 0)
		snprintf(message, sizeof(message), "%s", ZSTR_VAL(text));
	else
		snprintf(message, sizeof(message), "%.1200s (and %zu more %s)", ZSTR_VAL(text), more, more == 1 ? "problem" : "problems");
	zend_string_release(text);
	object = throw_scale(ags_ce_topology_exception, message, "", file);
	ags_result_problems(property(object, ags_ce_topology_exception, "problems"), problems, file);
}

static zend_object *throw_scale(zend_class_entry *ce, const char *message, const char *server, const char *path)
{
	zend_object *object = zend_throw_exception(ce, message, 0);

	if (server[0] != '\0')
		ZVAL_STRING(property(object, ags_ce_scale_exception, "server"), server);
	if (path[0] != '\0')
		ZVAL_STRING(property(object, ags_ce_scale_exception, "path"), path);
	return object;
}

/* Also for exceptions that userland makes: whoever catches one can read all properties. */
static zend_object *create(zend_class_entry *ce)
{
	zend_object *object = zend_ce_exception->create_object(ce);

	ZVAL_NULL(property(object, ags_ce_scale_exception, "server"));
	ZVAL_NULL(property(object, ags_ce_scale_exception, "path"));
	if (instanceof_function(ce, ags_ce_topology_exception))
		ZVAL_EMPTY_ARRAY(property(object, ags_ce_topology_exception, "problems"));
	if (instanceof_function(ce, ags_ce_cancelled_exception))
		ZVAL_NULL(property(object, ags_ce_cancelled_exception, "report"));
	return object;
}

static zval *property(zend_object *object, zend_class_entry *ce, const char *name)
{
	const zend_property_info *info = zend_hash_str_find_ptr(&ce->properties_info, name, strlen(name));

	return OBJ_PROP(object, info->offset);
}
