/* One spark as a value. */
#include "agent/sparks_priv.h"

void spk_spark_free(SpkSpark *spark)
{
	g_free((char *)spark->name);
	g_free((char *)spark->description);
	g_strfreev((char **)spark->tools);
	g_free((char *)spark->role);
	g_free((char *)spark->strategy);
	g_strfreev((char **)spark->allow);
	g_free((char *)spark->soul);
	g_free((char *)spark->origin);
	g_free((char *)spark->soul_file);
	g_strfreev((char **)spark->skill_files);
	g_free((char *)spark->instead);
	g_strfreev((char **)spark->persona_files);
	g_clear_pointer(&spark->mounts, g_ptr_array_unref);
	g_free((char *)spark->image);
	g_free((char *)spark->autonomy);
	g_strfreev((char **)spark->auto_approve);
	g_strfreev((char **)spark->deny);
	g_free(spark);
}

SpkSpark *spk_spark_copy(const SpkSpark *from)
{
	SpkSpark *spark = g_new0(SpkSpark, 1);

	spark->name = g_strdup(from->name);
	spark->description = g_strdup(from->description);
	spark->tools = (const char *const *)g_strdupv((char **)from->tools);
	spark->role = g_strdup(from->role);
	spark->strategy = g_strdup(from->strategy);
	spark->read_only = from->read_only;
	spark->allow = (const char *const *)g_strdupv((char **)from->allow);
	spark->soul = g_strdup(from->soul);
	spark->origin = g_strdup(from->origin ? from->origin : "built in");
	spark->soul_file = g_strdup(from->soul_file);
	spark->skill_files = (const char *const *)g_strdupv((char **)from->skill_files);
	spark->instead = g_strdup(from->instead);
	spark->persona_files =
		(const char *const *)g_strdupv((char **)from->persona_files);
	spark->mounts = from->mounts ? g_ptr_array_ref(from->mounts) : NULL;
	spark->image = g_strdup(from->image);
	spark->autonomy = g_strdup(from->autonomy);
	spark->auto_approve = (const char *const *)g_strdupv((char **)from->auto_approve);
	spark->deny = (const char *const *)g_strdupv((char **)from->deny);
	return spark;
}
