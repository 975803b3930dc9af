/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 055ef0f4cd1db484536bd728d90fb3eb50f4215b */

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Aegir_Scale_cluster_sync, 0, 3, Aegir\\Scale\\SyncReport, 0)
	ZEND_ARG_OBJ_INFO(0, t, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, group, IS_STRING, 0)
	ZEND_ARG_TYPE_MASK(0, paths, MAY_BE_ARRAY|MAY_BE_STRING, NULL)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, progress, IS_CALLABLE, 1, "null")
ZEND_END_ARG_INFO()

#define arginfo_Aegir_Scale_cluster_fetch arginfo_Aegir_Scale_cluster_sync

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Aegir_Scale_cluster_run, 0, 3, Aegir\\Scale\\RunReport, 0)
	ZEND_ARG_OBJ_INFO(0, t, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, group, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, argv, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, progress, IS_CALLABLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Aegir_Scale_cluster_status, 0, 3, Aegir\\Scale\\StatusReport, 0)
	ZEND_ARG_OBJ_INFO(0, t, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, group, IS_STRING, 0)
	ZEND_ARG_TYPE_MASK(0, paths, MAY_BE_ARRAY|MAY_BE_STRING, NULL)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Aegir_Scale_release_list, 0, 3, Aegir\\Scale\\ReleaseReport, 0)
	ZEND_ARG_OBJ_INFO(0, t, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, group, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, path, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Aegir_Scale_release_switch, 0, 4, Aegir\\Scale\\ReleaseReport, 0)
	ZEND_ARG_OBJ_INFO(0, t, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, group, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, path, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, id, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_Aegir_Scale_release_prune, 0, 4, Aegir\\Scale\\ReleaseReport, 0)
	ZEND_ARG_OBJ_INFO(0, t, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, group, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, path, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, keep, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_Aegir_Scale_pool_stats, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_Aegir_Scale_pool_close, 0, 0, IS_VOID, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Aegir_Scale_Problem___toString, 0, 0, IS_STRING, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Aegir_Scale_Problem_jsonSerialize arginfo_Aegir_Scale_pool_stats

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Aegir_Scale_Topology___construct, 0, 0, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Aegir_Scale_Topology_fromFile, 0, 1, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, file, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Aegir_Scale_Topology_fromArray, 0, 1, Aegir\\Scale\\Topology, 0)
	ZEND_ARG_TYPE_INFO(0, spec, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Aegir_Scale_Topology_problems, 0, 1, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, file, IS_STRING, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Aegir_Scale_Topology_toArray arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_Change_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_ServerResult_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_SyncReport_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_StatusReport_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_RunResult_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_RunReport_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_ReleaseResult_jsonSerialize arginfo_Aegir_Scale_pool_stats

#define arginfo_class_Aegir_Scale_ReleaseReport_jsonSerialize arginfo_Aegir_Scale_pool_stats


ZEND_FUNCTION(Aegir_Scale_cluster_sync);
ZEND_FUNCTION(Aegir_Scale_cluster_fetch);
ZEND_FUNCTION(Aegir_Scale_cluster_run);
ZEND_FUNCTION(Aegir_Scale_cluster_status);
ZEND_FUNCTION(Aegir_Scale_release_list);
ZEND_FUNCTION(Aegir_Scale_release_switch);
ZEND_FUNCTION(Aegir_Scale_release_prune);
ZEND_FUNCTION(Aegir_Scale_pool_stats);
ZEND_FUNCTION(Aegir_Scale_pool_close);
ZEND_METHOD(Aegir_Scale_Problem, __toString);
ZEND_METHOD(Aegir_Scale_Problem, jsonSerialize);
ZEND_METHOD(Aegir_Scale_Topology, __construct);
ZEND_METHOD(Aegir_Scale_Topology, fromFile);
ZEND_METHOD(Aegir_Scale_Topology, fromArray);
ZEND_METHOD(Aegir_Scale_Topology, problems);
ZEND_METHOD(Aegir_Scale_Topology, toArray);


static const zend_function_entry ext_functions[] = {
	ZEND_NS_FALIAS("Aegir\\Scale", cluster_sync, Aegir_Scale_cluster_sync, arginfo_Aegir_Scale_cluster_sync)
	ZEND_NS_FALIAS("Aegir\\Scale", cluster_fetch, Aegir_Scale_cluster_fetch, arginfo_Aegir_Scale_cluster_fetch)
	ZEND_NS_FALIAS("Aegir\\Scale", cluster_run, Aegir_Scale_cluster_run, arginfo_Aegir_Scale_cluster_run)
	ZEND_NS_FALIAS("Aegir\\Scale", cluster_status, Aegir_Scale_cluster_status, arginfo_Aegir_Scale_cluster_status)
	ZEND_NS_FALIAS("Aegir\\Scale", release_list, Aegir_Scale_release_list, arginfo_Aegir_Scale_release_list)
	ZEND_NS_FALIAS("Aegir\\Scale", release_switch, Aegir_Scale_release_switch, arginfo_Aegir_Scale_release_switch)
	ZEND_NS_FALIAS("Aegir\\Scale", release_prune, Aegir_Scale_release_prune, arginfo_Aegir_Scale_release_prune)
	ZEND_NS_FALIAS("Aegir\\Scale", pool_stats, Aegir_Scale_pool_stats, arginfo_Aegir_Scale_pool_stats)
	ZEND_NS_FALIAS("Aegir\\Scale", pool_close, Aegir_Scale_pool_close, arginfo_Aegir_Scale_pool_close)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Outcome_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Phase_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Report_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_ScaleException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_TopologyException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_CancelledException_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Problem_methods[] = {
	ZEND_ME(Aegir_Scale_Problem, __toString, arginfo_class_Aegir_Scale_Problem___toString, ZEND_ACC_PUBLIC)
	ZEND_ME(Aegir_Scale_Problem, jsonSerialize, arginfo_class_Aegir_Scale_Problem_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Topology_methods[] = {
	ZEND_ME(Aegir_Scale_Topology, __construct, arginfo_class_Aegir_Scale_Topology___construct, ZEND_ACC_PRIVATE)
	ZEND_ME(Aegir_Scale_Topology, fromFile, arginfo_class_Aegir_Scale_Topology_fromFile, ZEND_ACC_PUBLIC|ZEND_ACC_STATIC)
	ZEND_ME(Aegir_Scale_Topology, fromArray, arginfo_class_Aegir_Scale_Topology_fromArray, ZEND_ACC_PUBLIC|ZEND_ACC_STATIC)
	ZEND_ME(Aegir_Scale_Topology, problems, arginfo_class_Aegir_Scale_Topology_problems, ZEND_ACC_PUBLIC|ZEND_ACC_STATIC)
	ZEND_ME(Aegir_Scale_Topology, toArray, arginfo_class_Aegir_Scale_Topology_toArray, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Progress_methods[] = {
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_Change_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_Change_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_ServerResult_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_ServerResult_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_SyncReport_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_SyncReport_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_StatusReport_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_StatusReport_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_RunResult_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_RunResult_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_RunReport_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_RunReport_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_ReleaseResult_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_ReleaseResult_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};


static const zend_function_entry class_Aegir_Scale_ReleaseReport_methods[] = {
	ZEND_MALIAS(Aegir_Scale_Problem, jsonSerialize, jsonSerialize, arginfo_class_Aegir_Scale_ReleaseReport_jsonSerialize, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};

static zend_class_entry *register_class_Aegir_Scale_Outcome(void)
{
	zend_class_entry *class_entry = zend_register_internal_enum("Aegir\\Scale\\Outcome", IS_STRING, class_Aegir_Scale_Outcome_methods);

	zval enum_case_Synced_value;
	zend_string *enum_case_Synced_value_str = zend_string_init("synced", strlen("synced"), 1);
	ZVAL_STR(&enum_case_Synced_value, enum_case_Synced_value_str);
	zend_enum_add_case_cstr(class_entry, "Synced", &enum_case_Synced_value);

	zval enum_case_Unchanged_value;
	zend_string *enum_case_Unchanged_value_str = zend_string_init("unchanged", strlen("unchanged"), 1);
	ZVAL_STR(&enum_case_Unchanged_value, enum_case_Unchanged_value_str);
	zend_enum_add_case_cstr(class_entry, "Unchanged", &enum_case_Unchanged_value);

	zval enum_case_Differs_value;
	zend_string *enum_case_Differs_value_str = zend_string_init("differs", strlen("differs"), 1);
	ZVAL_STR(&enum_case_Differs_value, enum_case_Differs_value_str);
	zend_enum_add_case_cstr(class_entry, "Differs", &enum_case_Differs_value);

	zval enum_case_Staged_value;
	zend_string *enum_case_Staged_value_str = zend_string_init("staged", strlen("staged"), 1);
	ZVAL_STR(&enum_case_Staged_value, enum_case_Staged_value_str);
	zend_enum_add_case_cstr(class_entry, "Staged", &enum_case_Staged_value);

	zval enum_case_Failed_value;
	zend_string *enum_case_Failed_value_str = zend_string_init("failed", strlen("failed"), 1);
	ZVAL_STR(&enum_case_Failed_value, enum_case_Failed_value_str);
	zend_enum_add_case_cstr(class_entry, "Failed", &enum_case_Failed_value);

	zval enum_case_Skipped_value;
	zend_string *enum_case_Skipped_value_str = zend_string_init("skipped", strlen("skipped"), 1);
	ZVAL_STR(&enum_case_Skipped_value, enum_case_Skipped_value_str);
	zend_enum_add_case_cstr(class_entry, "Skipped", &enum_case_Skipped_value);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_Phase(void)
{
	zend_class_entry *class_entry = zend_register_internal_enum("Aegir\\Scale\\Phase", IS_STRING, class_Aegir_Scale_Phase_methods);

	zval enum_case_Connect_value;
	zend_string *enum_case_Connect_value_str = zend_string_init("connect", strlen("connect"), 1);
	ZVAL_STR(&enum_case_Connect_value, enum_case_Connect_value_str);
	zend_enum_add_case_cstr(class_entry, "Connect", &enum_case_Connect_value);

	zval enum_case_Start_value;
	zend_string *enum_case_Start_value_str = zend_string_init("start", strlen("start"), 1);
	ZVAL_STR(&enum_case_Start_value, enum_case_Start_value_str);
	zend_enum_add_case_cstr(class_entry, "Start", &enum_case_Start_value);

	zval enum_case_List_value;
	zend_string *enum_case_List_value_str = zend_string_init("list", strlen("list"), 1);
	ZVAL_STR(&enum_case_List_value, enum_case_List_value_str);
	zend_enum_add_case_cstr(class_entry, "List", &enum_case_List_value);

	zval enum_case_Transfer_value;
	zend_string *enum_case_Transfer_value_str = zend_string_init("transfer", strlen("transfer"), 1);
	ZVAL_STR(&enum_case_Transfer_value, enum_case_Transfer_value_str);
	zend_enum_add_case_cstr(class_entry, "Transfer", &enum_case_Transfer_value);

	zval enum_case_Staged_value;
	zend_string *enum_case_Staged_value_str = zend_string_init("staged", strlen("staged"), 1);
	ZVAL_STR(&enum_case_Staged_value, enum_case_Staged_value_str);
	zend_enum_add_case_cstr(class_entry, "Staged", &enum_case_Staged_value);

	zval enum_case_Commit_value;
	zend_string *enum_case_Commit_value_str = zend_string_init("commit", strlen("commit"), 1);
	ZVAL_STR(&enum_case_Commit_value, enum_case_Commit_value_str);
	zend_enum_add_case_cstr(class_entry, "Commit", &enum_case_Commit_value);

	zval enum_case_Delete_value;
	zend_string *enum_case_Delete_value_str = zend_string_init("delete", strlen("delete"), 1);
	ZVAL_STR(&enum_case_Delete_value, enum_case_Delete_value_str);
	zend_enum_add_case_cstr(class_entry, "Delete", &enum_case_Delete_value);

	zval enum_case_Done_value;
	zend_string *enum_case_Done_value_str = zend_string_init("done", strlen("done"), 1);
	ZVAL_STR(&enum_case_Done_value, enum_case_Done_value_str);
	zend_enum_add_case_cstr(class_entry, "Done", &enum_case_Done_value);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_Report(zend_class_entry *class_entry_JsonSerializable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "Report", class_Aegir_Scale_Report_methods);
	class_entry = zend_register_internal_interface(&ce);
	zend_class_implements(class_entry, 1, class_entry_JsonSerializable);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_ScaleException(zend_class_entry *class_entry_Exception)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "ScaleException", class_Aegir_Scale_ScaleException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Exception);

	zval property_server_default_value;
	ZVAL_UNDEF(&property_server_default_value);
	zend_string *property_server_name = zend_string_init("server", sizeof("server") - 1, 1);
	zend_declare_typed_property(class_entry, property_server_name, &property_server_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_server_name);

	zval property_path_default_value;
	ZVAL_UNDEF(&property_path_default_value);
	zend_string *property_path_name = zend_string_init("path", sizeof("path") - 1, 1);
	zend_declare_typed_property(class_entry, property_path_name, &property_path_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_path_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_TopologyException(zend_class_entry *class_entry_Aegir_Scale_ScaleException)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "TopologyException", class_Aegir_Scale_TopologyException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Aegir_Scale_ScaleException);
	class_entry->ce_flags |= ZEND_ACC_FINAL;

	zval property_problems_default_value;
	ZVAL_UNDEF(&property_problems_default_value);
	zend_string *property_problems_name = zend_string_init("problems", sizeof("problems") - 1, 1);
	zend_declare_typed_property(class_entry, property_problems_name, &property_problems_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_problems_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_CancelledException(zend_class_entry *class_entry_Aegir_Scale_ScaleException)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "CancelledException", class_Aegir_Scale_CancelledException_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_Aegir_Scale_ScaleException);
	class_entry->ce_flags |= ZEND_ACC_FINAL;

	zend_string *property_report_class_Aegir_Scale_Report = zend_string_init("Aegir\\Scale\\Report", sizeof("Aegir\\Scale\\Report")-1, 1);
	zval property_report_default_value;
	ZVAL_UNDEF(&property_report_default_value);
	zend_string *property_report_name = zend_string_init("report", sizeof("report") - 1, 1);
	zend_declare_typed_property(class_entry, property_report_name, &property_report_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_report_class_Aegir_Scale_Report, 0, MAY_BE_NULL));
	zend_string_release(property_report_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_Problem(zend_class_entry *class_entry_JsonSerializable, zend_class_entry *class_entry_Stringable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "Problem", class_Aegir_Scale_Problem_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 2, class_entry_JsonSerializable, class_entry_Stringable);

	zval property_file_default_value;
	ZVAL_UNDEF(&property_file_default_value);
	zend_string *property_file_name = zend_string_init("file", sizeof("file") - 1, 1);
	zend_declare_typed_property(class_entry, property_file_name, &property_file_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_file_name);

	zval property_line_default_value;
	ZVAL_UNDEF(&property_line_default_value);
	zend_string *property_line_name = zend_string_init("line", sizeof("line") - 1, 1);
	zend_declare_typed_property(class_entry, property_line_name, &property_line_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_line_name);

	zval property_column_default_value;
	ZVAL_UNDEF(&property_column_default_value);
	zend_string *property_column_name = zend_string_init("column", sizeof("column") - 1, 1);
	zend_declare_typed_property(class_entry, property_column_name, &property_column_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_column_name);

	zval property_where_default_value;
	ZVAL_UNDEF(&property_where_default_value);
	zend_string *property_where_name = zend_string_init("where", sizeof("where") - 1, 1);
	zend_declare_typed_property(class_entry, property_where_name, &property_where_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_where_name);

	zval property_message_default_value;
	ZVAL_UNDEF(&property_message_default_value);
	zend_string *property_message_name = zend_string_init("message", sizeof("message") - 1, 1);
	zend_declare_typed_property(class_entry, property_message_name, &property_message_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_message_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_Topology(void)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "Topology", class_Aegir_Scale_Topology_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_Progress(void)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "Progress", class_Aegir_Scale_Progress_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;

	zval property_server_default_value;
	ZVAL_UNDEF(&property_server_default_value);
	zend_string *property_server_name = zend_string_init("server", sizeof("server") - 1, 1);
	zend_declare_typed_property(class_entry, property_server_name, &property_server_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_server_name);

	zend_string *property_phase_class_Aegir_Scale_Phase = zend_string_init("Aegir\\Scale\\Phase", sizeof("Aegir\\Scale\\Phase")-1, 1);
	zval property_phase_default_value;
	ZVAL_UNDEF(&property_phase_default_value);
	zend_string *property_phase_name = zend_string_init("phase", sizeof("phase") - 1, 1);
	zend_declare_typed_property(class_entry, property_phase_name, &property_phase_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_phase_class_Aegir_Scale_Phase, 0, 0));
	zend_string_release(property_phase_name);

	zval property_filesDone_default_value;
	ZVAL_UNDEF(&property_filesDone_default_value);
	zend_string *property_filesDone_name = zend_string_init("filesDone", sizeof("filesDone") - 1, 1);
	zend_declare_typed_property(class_entry, property_filesDone_name, &property_filesDone_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_filesDone_name);

	zval property_filesTotal_default_value;
	ZVAL_UNDEF(&property_filesTotal_default_value);
	zend_string *property_filesTotal_name = zend_string_init("filesTotal", sizeof("filesTotal") - 1, 1);
	zend_declare_typed_property(class_entry, property_filesTotal_name, &property_filesTotal_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_filesTotal_name);

	zval property_bytesDone_default_value;
	ZVAL_UNDEF(&property_bytesDone_default_value);
	zend_string *property_bytesDone_name = zend_string_init("bytesDone", sizeof("bytesDone") - 1, 1);
	zend_declare_typed_property(class_entry, property_bytesDone_name, &property_bytesDone_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_bytesDone_name);

	zval property_bytesTotal_default_value;
	ZVAL_UNDEF(&property_bytesTotal_default_value);
	zend_string *property_bytesTotal_name = zend_string_init("bytesTotal", sizeof("bytesTotal") - 1, 1);
	zend_declare_typed_property(class_entry, property_bytesTotal_name, &property_bytesTotal_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_bytesTotal_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_Change(zend_class_entry *class_entry_JsonSerializable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "Change", class_Aegir_Scale_Change_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_JsonSerializable);

	zval property_path_default_value;
	ZVAL_UNDEF(&property_path_default_value);
	zend_string *property_path_name = zend_string_init("path", sizeof("path") - 1, 1);
	zend_declare_typed_property(class_entry, property_path_name, &property_path_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_path_name);

	zval property_code_default_value;
	ZVAL_UNDEF(&property_code_default_value);
	zend_string *property_code_name = zend_string_init("code", sizeof("code") - 1, 1);
	zend_declare_typed_property(class_entry, property_code_name, &property_code_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_code_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_ServerResult(zend_class_entry *class_entry_JsonSerializable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "ServerResult", class_Aegir_Scale_ServerResult_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_JsonSerializable);

	zval property_server_default_value;
	ZVAL_UNDEF(&property_server_default_value);
	zend_string *property_server_name = zend_string_init("server", sizeof("server") - 1, 1);
	zend_declare_typed_property(class_entry, property_server_name, &property_server_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_server_name);

	zend_string *property_outcome_class_Aegir_Scale_Outcome = zend_string_init("Aegir\\Scale\\Outcome", sizeof("Aegir\\Scale\\Outcome")-1, 1);
	zval property_outcome_default_value;
	ZVAL_UNDEF(&property_outcome_default_value);
	zend_string *property_outcome_name = zend_string_init("outcome", sizeof("outcome") - 1, 1);
	zend_declare_typed_property(class_entry, property_outcome_name, &property_outcome_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_outcome_class_Aegir_Scale_Outcome, 0, 0));
	zend_string_release(property_outcome_name);

	zend_string *property_phase_class_Aegir_Scale_Phase = zend_string_init("Aegir\\Scale\\Phase", sizeof("Aegir\\Scale\\Phase")-1, 1);
	zval property_phase_default_value;
	ZVAL_UNDEF(&property_phase_default_value);
	zend_string *property_phase_name = zend_string_init("phase", sizeof("phase") - 1, 1);
	zend_declare_typed_property(class_entry, property_phase_name, &property_phase_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_phase_class_Aegir_Scale_Phase, 0, 0));
	zend_string_release(property_phase_name);

	zval property_files_default_value;
	ZVAL_UNDEF(&property_files_default_value);
	zend_string *property_files_name = zend_string_init("files", sizeof("files") - 1, 1);
	zend_declare_typed_property(class_entry, property_files_name, &property_files_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_files_name);

	zval property_deleted_default_value;
	ZVAL_UNDEF(&property_deleted_default_value);
	zend_string *property_deleted_name = zend_string_init("deleted", sizeof("deleted") - 1, 1);
	zend_declare_typed_property(class_entry, property_deleted_name, &property_deleted_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_deleted_name);

	zval property_bytesSent_default_value;
	ZVAL_UNDEF(&property_bytesSent_default_value);
	zend_string *property_bytesSent_name = zend_string_init("bytesSent", sizeof("bytesSent") - 1, 1);
	zend_declare_typed_property(class_entry, property_bytesSent_name, &property_bytesSent_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_bytesSent_name);

	zval property_bytesMatched_default_value;
	ZVAL_UNDEF(&property_bytesMatched_default_value);
	zend_string *property_bytesMatched_name = zend_string_init("bytesMatched", sizeof("bytesMatched") - 1, 1);
	zend_declare_typed_property(class_entry, property_bytesMatched_name, &property_bytesMatched_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_bytesMatched_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_error_default_value;
	ZVAL_UNDEF(&property_error_default_value);
	zend_string *property_error_name = zend_string_init("error", sizeof("error") - 1, 1);
	zend_declare_typed_property(class_entry, property_error_name, &property_error_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_error_name);

	zval property_path_default_value;
	ZVAL_UNDEF(&property_path_default_value);
	zend_string *property_path_name = zend_string_init("path", sizeof("path") - 1, 1);
	zend_declare_typed_property(class_entry, property_path_name, &property_path_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_path_name);

	zval property_changes_default_value;
	ZVAL_UNDEF(&property_changes_default_value);
	zend_string *property_changes_name = zend_string_init("changes", sizeof("changes") - 1, 1);
	zend_declare_typed_property(class_entry, property_changes_name, &property_changes_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_changes_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_SyncReport(zend_class_entry *class_entry_Aegir_Scale_Report)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "SyncReport", class_Aegir_Scale_SyncReport_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_Aegir_Scale_Report);

	zval property_ok_default_value;
	ZVAL_UNDEF(&property_ok_default_value);
	zend_string *property_ok_name = zend_string_init("ok", sizeof("ok") - 1, 1);
	zend_declare_typed_property(class_entry, property_ok_name, &property_ok_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_ok_name);

	zval property_committed_default_value;
	ZVAL_UNDEF(&property_committed_default_value);
	zend_string *property_committed_name = zend_string_init("committed", sizeof("committed") - 1, 1);
	zend_declare_typed_property(class_entry, property_committed_name, &property_committed_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_committed_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_files_default_value;
	ZVAL_UNDEF(&property_files_default_value);
	zend_string *property_files_name = zend_string_init("files", sizeof("files") - 1, 1);
	zend_declare_typed_property(class_entry, property_files_name, &property_files_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_files_name);

	zval property_bytes_default_value;
	ZVAL_UNDEF(&property_bytes_default_value);
	zend_string *property_bytes_name = zend_string_init("bytes", sizeof("bytes") - 1, 1);
	zend_declare_typed_property(class_entry, property_bytes_name, &property_bytes_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_bytes_name);

	zval property_servers_default_value;
	ZVAL_UNDEF(&property_servers_default_value);
	zend_string *property_servers_name = zend_string_init("servers", sizeof("servers") - 1, 1);
	zend_declare_typed_property(class_entry, property_servers_name, &property_servers_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_servers_name);

	zval property_warnings_default_value;
	ZVAL_UNDEF(&property_warnings_default_value);
	zend_string *property_warnings_name = zend_string_init("warnings", sizeof("warnings") - 1, 1);
	zend_declare_typed_property(class_entry, property_warnings_name, &property_warnings_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_warnings_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_StatusReport(zend_class_entry *class_entry_Aegir_Scale_Report)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "StatusReport", class_Aegir_Scale_StatusReport_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_Aegir_Scale_Report);

	zval property_ok_default_value;
	ZVAL_UNDEF(&property_ok_default_value);
	zend_string *property_ok_name = zend_string_init("ok", sizeof("ok") - 1, 1);
	zend_declare_typed_property(class_entry, property_ok_name, &property_ok_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_ok_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_files_default_value;
	ZVAL_UNDEF(&property_files_default_value);
	zend_string *property_files_name = zend_string_init("files", sizeof("files") - 1, 1);
	zend_declare_typed_property(class_entry, property_files_name, &property_files_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_files_name);

	zval property_bytes_default_value;
	ZVAL_UNDEF(&property_bytes_default_value);
	zend_string *property_bytes_name = zend_string_init("bytes", sizeof("bytes") - 1, 1);
	zend_declare_typed_property(class_entry, property_bytes_name, &property_bytes_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG));
	zend_string_release(property_bytes_name);

	zval property_servers_default_value;
	ZVAL_UNDEF(&property_servers_default_value);
	zend_string *property_servers_name = zend_string_init("servers", sizeof("servers") - 1, 1);
	zend_declare_typed_property(class_entry, property_servers_name, &property_servers_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_servers_name);

	zval property_warnings_default_value;
	ZVAL_UNDEF(&property_warnings_default_value);
	zend_string *property_warnings_name = zend_string_init("warnings", sizeof("warnings") - 1, 1);
	zend_declare_typed_property(class_entry, property_warnings_name, &property_warnings_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_warnings_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_RunResult(zend_class_entry *class_entry_JsonSerializable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "RunResult", class_Aegir_Scale_RunResult_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_JsonSerializable);

	zval property_server_default_value;
	ZVAL_UNDEF(&property_server_default_value);
	zend_string *property_server_name = zend_string_init("server", sizeof("server") - 1, 1);
	zend_declare_typed_property(class_entry, property_server_name, &property_server_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_server_name);

	zend_string *property_outcome_class_Aegir_Scale_Outcome = zend_string_init("Aegir\\Scale\\Outcome", sizeof("Aegir\\Scale\\Outcome")-1, 1);
	zval property_outcome_default_value;
	ZVAL_UNDEF(&property_outcome_default_value);
	zend_string *property_outcome_name = zend_string_init("outcome", sizeof("outcome") - 1, 1);
	zend_declare_typed_property(class_entry, property_outcome_name, &property_outcome_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_outcome_class_Aegir_Scale_Outcome, 0, 0));
	zend_string_release(property_outcome_name);

	zval property_exitStatus_default_value;
	ZVAL_UNDEF(&property_exitStatus_default_value);
	zend_string *property_exitStatus_name = zend_string_init("exitStatus", sizeof("exitStatus") - 1, 1);
	zend_declare_typed_property(class_entry, property_exitStatus_name, &property_exitStatus_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_LONG|MAY_BE_NULL));
	zend_string_release(property_exitStatus_name);

	zval property_signal_default_value;
	ZVAL_UNDEF(&property_signal_default_value);
	zend_string *property_signal_name = zend_string_init("signal", sizeof("signal") - 1, 1);
	zend_declare_typed_property(class_entry, property_signal_name, &property_signal_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_signal_name);

	zval property_stdout_default_value;
	ZVAL_UNDEF(&property_stdout_default_value);
	zend_string *property_stdout_name = zend_string_init("stdout", sizeof("stdout") - 1, 1);
	zend_declare_typed_property(class_entry, property_stdout_name, &property_stdout_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_stdout_name);

	zval property_stderr_default_value;
	ZVAL_UNDEF(&property_stderr_default_value);
	zend_string *property_stderr_name = zend_string_init("stderr", sizeof("stderr") - 1, 1);
	zend_declare_typed_property(class_entry, property_stderr_name, &property_stderr_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_stderr_name);

	zval property_truncated_default_value;
	ZVAL_UNDEF(&property_truncated_default_value);
	zend_string *property_truncated_name = zend_string_init("truncated", sizeof("truncated") - 1, 1);
	zend_declare_typed_property(class_entry, property_truncated_name, &property_truncated_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_truncated_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_error_default_value;
	ZVAL_UNDEF(&property_error_default_value);
	zend_string *property_error_name = zend_string_init("error", sizeof("error") - 1, 1);
	zend_declare_typed_property(class_entry, property_error_name, &property_error_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_error_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_RunReport(zend_class_entry *class_entry_Aegir_Scale_Report)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "RunReport", class_Aegir_Scale_RunReport_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_Aegir_Scale_Report);

	zval property_ok_default_value;
	ZVAL_UNDEF(&property_ok_default_value);
	zend_string *property_ok_name = zend_string_init("ok", sizeof("ok") - 1, 1);
	zend_declare_typed_property(class_entry, property_ok_name, &property_ok_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_ok_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_servers_default_value;
	ZVAL_UNDEF(&property_servers_default_value);
	zend_string *property_servers_name = zend_string_init("servers", sizeof("servers") - 1, 1);
	zend_declare_typed_property(class_entry, property_servers_name, &property_servers_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_servers_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_ReleaseResult(zend_class_entry *class_entry_JsonSerializable)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "ReleaseResult", class_Aegir_Scale_ReleaseResult_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_JsonSerializable);

	zval property_server_default_value;
	ZVAL_UNDEF(&property_server_default_value);
	zend_string *property_server_name = zend_string_init("server", sizeof("server") - 1, 1);
	zend_declare_typed_property(class_entry, property_server_name, &property_server_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING));
	zend_string_release(property_server_name);

	zend_string *property_outcome_class_Aegir_Scale_Outcome = zend_string_init("Aegir\\Scale\\Outcome", sizeof("Aegir\\Scale\\Outcome")-1, 1);
	zval property_outcome_default_value;
	ZVAL_UNDEF(&property_outcome_default_value);
	zend_string *property_outcome_name = zend_string_init("outcome", sizeof("outcome") - 1, 1);
	zend_declare_typed_property(class_entry, property_outcome_name, &property_outcome_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_CLASS(property_outcome_class_Aegir_Scale_Outcome, 0, 0));
	zend_string_release(property_outcome_name);

	zval property_current_default_value;
	ZVAL_UNDEF(&property_current_default_value);
	zend_string *property_current_name = zend_string_init("current", sizeof("current") - 1, 1);
	zend_declare_typed_property(class_entry, property_current_name, &property_current_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_current_name);

	zval property_lastGood_default_value;
	ZVAL_UNDEF(&property_lastGood_default_value);
	zend_string *property_lastGood_name = zend_string_init("lastGood", sizeof("lastGood") - 1, 1);
	zend_declare_typed_property(class_entry, property_lastGood_name, &property_lastGood_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_lastGood_name);

	zval property_releases_default_value;
	ZVAL_UNDEF(&property_releases_default_value);
	zend_string *property_releases_name = zend_string_init("releases", sizeof("releases") - 1, 1);
	zend_declare_typed_property(class_entry, property_releases_name, &property_releases_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_releases_name);

	zval property_good_default_value;
	ZVAL_UNDEF(&property_good_default_value);
	zend_string *property_good_name = zend_string_init("good", sizeof("good") - 1, 1);
	zend_declare_typed_property(class_entry, property_good_name, &property_good_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_good_name);

	zval property_unfinished_default_value;
	ZVAL_UNDEF(&property_unfinished_default_value);
	zend_string *property_unfinished_name = zend_string_init("unfinished", sizeof("unfinished") - 1, 1);
	zend_declare_typed_property(class_entry, property_unfinished_name, &property_unfinished_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_unfinished_name);

	zval property_removed_default_value;
	ZVAL_UNDEF(&property_removed_default_value);
	zend_string *property_removed_name = zend_string_init("removed", sizeof("removed") - 1, 1);
	zend_declare_typed_property(class_entry, property_removed_name, &property_removed_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_removed_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_error_default_value;
	ZVAL_UNDEF(&property_error_default_value);
	zend_string *property_error_name = zend_string_init("error", sizeof("error") - 1, 1);
	zend_declare_typed_property(class_entry, property_error_name, &property_error_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_STRING|MAY_BE_NULL));
	zend_string_release(property_error_name);

	return class_entry;
}

static zend_class_entry *register_class_Aegir_Scale_ReleaseReport(zend_class_entry *class_entry_Aegir_Scale_Report)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Aegir\\Scale", "ReleaseReport", class_Aegir_Scale_ReleaseReport_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_READONLY_CLASS;
	zend_class_implements(class_entry, 1, class_entry_Aegir_Scale_Report);

	zval property_ok_default_value;
	ZVAL_UNDEF(&property_ok_default_value);
	zend_string *property_ok_name = zend_string_init("ok", sizeof("ok") - 1, 1);
	zend_declare_typed_property(class_entry, property_ok_name, &property_ok_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_BOOL));
	zend_string_release(property_ok_name);

	zval property_seconds_default_value;
	ZVAL_UNDEF(&property_seconds_default_value);
	zend_string *property_seconds_name = zend_string_init("seconds", sizeof("seconds") - 1, 1);
	zend_declare_typed_property(class_entry, property_seconds_name, &property_seconds_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_DOUBLE));
	zend_string_release(property_seconds_name);

	zval property_servers_default_value;
	ZVAL_UNDEF(&property_servers_default_value);
	zend_string *property_servers_name = zend_string_init("servers", sizeof("servers") - 1, 1);
	zend_declare_typed_property(class_entry, property_servers_name, &property_servers_default_value, ZEND_ACC_PUBLIC|ZEND_ACC_READONLY, NULL, (zend_type) ZEND_TYPE_INIT_MASK(MAY_BE_ARRAY));
	zend_string_release(property_servers_name);

	return class_entry;
}
