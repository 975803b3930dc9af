#ifndef AGS_TOPOLOGY_OBJECT_H
#define AGS_TOPOLOGY_OBJECT_H

#include "php.h"

#include "scale/topology.h"

/* Sets the class up once it is registered. */
void ags_topology_object_init(zend_class_entry *ce);

/* Borrowed: it lives as long as the object. NULL, with an Error pending, when the object was never constructed. */
const struct ags_topology *ags_topology_object_get(zend_object *object);

#endif
