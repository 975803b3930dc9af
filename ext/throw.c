#include "throw.h"

#include "zend_exceptions.h"

#include "php_aegir_scale.h"
#include "results.h"

static zend_object *throw_scale(zend_class_entry *ce, const char *message, const char *server, const char *path);
static void set_text(zend_object *object, const char *name, const char *text);

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
		zend_update_property(ags_ce_cancelled_exception, object, ZEND_STRL("report"), report);
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
	zval list;
	char message[1280];
	size_t more = problems->count - 1;

	text = ags_result_problem_text(file, &problems->items[0]);
	if (more == 0)
		snprintf(message, sizeof(message), "%s", ZSTR_VAL(text));
	else
		snprintf(message, sizeof(message), "%.1200s (and %zu more %s)", ZSTR_VAL(text), more, more == 1 ? "problem" : "problems");
	zend_string_release(text);
	ags_result_problems(&list, problems, file);
	object = throw_scale(ags_ce_topology_exception, message, "", file);
	zend_update_property(ags_ce_topology_exception, object, ZEND_STRL("problems"), &list);
	zval_ptr_dtor(&list);
}

static zend_object *throw_scale(zend_class_entry *ce, const char *message, const char *server, const char *path)
{
	zend_object *object = zend_throw_exception(ce, message, 0);

	set_text(object, "server", server);
	set_text(object, "path", path);
	return object;
}

static void set_text(zend_object *object, const char *name, const char *text)
{
	if (text[0] == '\0')
		zend_update_property_null(ags_ce_scale_exception, object, name, strlen(name));
	else
		zend_update_property_string(ags_ce_scale_exception, object, name, strlen(name), text);
}
