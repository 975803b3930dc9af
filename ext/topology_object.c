#include "topology_object.h"

#include "zend_exceptions.h"
#include "zend_interfaces.h"

#include "convert.h"
#include "host.h"
#include "php_aegir_scale.h"
#include "results.h"
#include "throw.h"

struct topology_object {
	struct ags_topology *topology;       /* never changed; NULL only in an object that userland made by reflection */
	zend_object std;
};

/* One reading of a file or an array, and what there is to free when a fatal error cuts it short. */
struct reading {
	char *file;                          /* NULL: from the array */
	HashTable *array;
	bool only_problems;
	struct ags_topology *topology;
	struct ags_problems problems;
	struct ags_arena arena;
	struct ags_err err;
	zval *return_value;
};

static zend_object_handlers handlers;

static zend_object *create(zend_class_entry *ce);
static void destroy(zend_object *object);
static void read_topology(struct reading *r);
static void load(void *arg);
static void give_object(struct reading *r);
static void give_array(void *arg);

static struct topology_object *from(zend_object *object)
{
	return (struct topology_object *)((char *)object - offsetof(struct topology_object, std));
}

void ags_topology_object_init(zend_class_entry *ce)
{
	ce->create_object = create;
	memcpy(&handlers, &std_object_handlers, sizeof(handlers));
	handlers.offset = offsetof(struct topology_object, std);
	handlers.free_obj = destroy;
	handlers.clone_obj = NULL;
	handlers.compare = zend_objects_not_comparable;
}

const struct ags_topology *ags_topology_object_get(zend_object *object)
{
	if (from(object)->topology == NULL)
		zend_throw_error(NULL, "This Topology was never read");
	return from(object)->topology;
}

ZEND_METHOD(Aegir_Scale_Topology, __construct)
{
	ZEND_PARSE_PARAMETERS_NONE();
}

ZEND_METHOD(Aegir_Scale_Topology, fromFile)
{
	struct reading r = { .return_value = return_value };
	size_t len;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_PATH(r.file, len)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	read_topology(&r);
}

ZEND_METHOD(Aegir_Scale_Topology, fromArray)
{
	struct reading r = { .return_value = return_value };

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_ARRAY_HT(r.array)
	ZEND_PARSE_PARAMETERS_END();
	read_topology(&r);
}

ZEND_METHOD(Aegir_Scale_Topology, problems)
{
	struct reading r = { .return_value = return_value, .only_problems = true };
	size_t len;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_PATH(r.file, len)
	ZEND_PARSE_PARAMETERS_END();
	(void)len;
	read_topology(&r);
}

struct dump {
	const struct ags_topology *topology;
	struct ags_arena arena;
	zval *return_value;
};

ZEND_METHOD(Aegir_Scale_Topology, toArray)
{
	struct dump d = { .return_value = return_value };
	bool whole;

	ZEND_PARSE_PARAMETERS_NONE();
	d.topology = ags_topology_object_get(Z_OBJ_P(ZEND_THIS));
	if (d.topology == NULL)
		RETURN_THROWS();
	whole = ags_host_guard(give_array, &d);
	ags_arena_free(&d.arena);
	if (!whole)
		zend_bailout();
}

static zend_object *create(zend_class_entry *ce)
{
	struct topology_object *t = zend_object_alloc(sizeof(*t), ce);

	zend_object_std_init(&t->std, ce);
	object_properties_init(&t->std, ce);
	t->std.handlers = &handlers;
	return &t->std;
}

static void destroy(zend_object *object)
{
	ags_topology_free(from(object)->topology);
	zend_object_std_dtor(object);
}

static void read_topology(struct reading *r)
{
	bool whole = ags_host_guard(load, r);

	ags_topology_free(r->topology);
	ags_problems_free(&r->problems);
	ags_arena_free(&r->arena);
	if (!whole)
		zend_bailout();
}

static void load(void *arg)
{
	struct reading *r = arg;
	const char *home = getenv("HOME");
	struct ags_node *root;

	if (r->file != NULL && php_check_open_basedir_ex(r->file, 0) != 0) {
		ags_throw_path(r->file, "cannot read %s: open_basedir does not allow it", r->file);
		return;
	}
	if (r->file != NULL) {
		r->topology = ags_topology_load(r->file, home, &r->problems, &r->err);
	} else {
		root = ags_convert_array(&r->arena, r->array, &r->problems);
		if (root == NULL)
			ags_fail_nomem(&r->err);
		else if (r->problems.count == 0)
			r->topology = ags_topology_build(root, "", home, &r->problems, &r->err);
	}
	if (r->err.code != AGS_OK)
		ags_throw(&r->err);
	else if (r->problems.out_of_memory)
		ags_throw_nomem();
	else if (r->only_problems)
		ags_result_problems(r->return_value, &r->problems, r->file);
	else
		give_object(r);
}

static void give_object(struct reading *r)
{
	if (r->problems.count > 0) {
		ags_throw_problems(&r->problems, r->file == NULL ? "" : r->file);
		return;
	}
	if (r->topology == NULL) {
		ags_throw_nomem();
		return;
	}
	object_init_ex(r->return_value, ags_ce_topology);
	from(Z_OBJ_P(r->return_value))->topology = r->topology;
	r->topology = NULL;
}

static void give_array(void *arg)
{
	struct dump *d = arg;
	struct ags_node *tree = ags_topology_tree(d->topology, &d->arena);

	if (tree == NULL)
		ags_throw_nomem();
	else
		ags_convert_node(d->return_value, tree);
}
