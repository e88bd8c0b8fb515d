/* The sparks: those built in, and over them those of the configuration (profile.c). */
#include "agent/agent.h"

#include <string.h>

#include "agent/persona.h"
#include "agent/sparks_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

static const char *const coder_tools[] = {
	/* clang-format off */
	"file_read", "file_write", "file_edit", "file_list", "file_search",
	"shell", "git", "finish", NULL,
	/* clang-format on */
};
static const char *const scout_tools[] = {
	"file_read", "file_list", "file_search", "shell", "git", "finish", NULL,
};

static const SpkSpark sparks[] = {
	{
		.name = "coder",
		.description = "reads, edits and tests code until its checks pass",
		.tools = coder_tools,
		.role = "coder",
		.strategy = "react",
		.soul = "You are coder, a careful software engineer. Make the smallest change that "
			"really reaches the goal, in the style of the code around it. Look before you "
			"edit, run the tests before you finish, and never weaken a test to make it pass.",
	},
	{
		.name = "scout",
		.description = "reads and explains; cannot change files",
		.tools = scout_tools,
		.role = "worker",
		.strategy = "react",
		.read_only = TRUE,
		.soul = "You are scout. You explore and answer; you change nothing. Say what you "
			"found, where it stands (path and line), and what you could not find out.",
	},
	{ .name = NULL },
};

/* ---- the list ---- */
static void put(GPtrArray *all, SpkSpark *take_spark)
{
	for (guint i = 0; i < all->len; i++) {
		SpkSpark *old = all->pdata[i];

		if (strcmp(old->name, take_spark->name) != 0)
			continue;
		take_spark->instead = g_strdup(old->origin);
		spk_spark_free(old);
		all->pdata[i] = take_spark;
		return;
	}
	g_ptr_array_add(all, take_spark);
}

GPtrArray *spk_sparks(const SpkConf *conf, GError **error)
{
	g_autoptr(GPtrArray)
		all = g_ptr_array_new_with_free_func((GDestroyNotify)spk_spark_free);
	const GPtrArray *tables = spk_conf_tables(conf);
	g_auto(SpkPersona) persona = { 0 };

	if (!spk_persona_read(conf, &persona, error))
		return NULL;
	for (const SpkSpark *spark = sparks; spark->name; spark++)
		g_ptr_array_add(all, spk_spark_copy(spark));
	for (guint i = 0; i < tables->len; i++) {
		SpkSpark *spark = spk_spark_of_table(tables->pdata[i], error);

		if (!spark)
			return NULL;
		put(all, spark);
	}
	for (guint i = 0; i < all->len; i++)
		spk_persona_apply(&persona, all->pdata[i]);
	return g_steal_pointer(&all);
}

void spk_sparks_check(const SpkConf *conf, GPtrArray *problems)
{
	const GPtrArray *tables = spk_conf_tables(conf);
	g_auto(SpkPersona) persona = { 0 };
	GError *wrong = NULL;

	if (!spk_persona_read(conf, &persona, &wrong))
		g_ptr_array_add(problems, wrong);
	for (guint i = 0; i < tables->len; i++) {
		GError *error = NULL;
		SpkSpark *spark = spk_spark_of_table(tables->pdata[i], &error);

		if (spark)
			spk_spark_free(spark);
		else
			g_ptr_array_add(problems, error);
	}
}

SpkSpark *spk_spark_find(const SpkConf *conf, const char *name, GError **error)
{
	g_autoptr(GPtrArray) all = spk_sparks(conf, error);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *hint = NULL;

	for (guint i = 0; all && i < all->len; i++) {
		const SpkSpark *spark = all->pdata[i];

		if (!strcmp(spark->name, name))
			return spk_spark_copy(spark);
		g_ptr_array_add(names, (gpointer)spark->name);
	}
	if (!all)
		return NULL;
	g_ptr_array_add(names, NULL);
	hint = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	spk_error_set(error, SPK_ERR_NOT_FOUND, "`sparks ghosts` lists them",
		      "there is no spark \"%s\"%s", name, hint);
	return NULL;
}

/* ---- on record with a task ---- */
static json_t *texts_to_json(const char *const *texts)
{
	json_t *list = json_array();

	for (; texts && *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

json_t *spk_spark_record(const SpkSpark *spark)
{
	if (!strcmp(spark->origin, "built in") &&
	    !(spark->persona_files && spark->persona_files[0]))
		return NULL;
	return json_pack(
		"{s:o,s:o,s:o,s:o,s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name",
		spk_json_text(spark->name), "description",
		spk_json_text(spark->description), "tools", texts_to_json(spark->tools),
		"allow", texts_to_json(spark->allow), "role", spark->role, "strategy",
		spark->strategy, "read_only", spark->read_only, "soul",
		spk_json_text(spark->soul), "origin", spk_json_text(spark->origin),
		"mounts", spk_mounts_record(spark->mounts), "image",
		spk_json_text(spark->image), "autonomy", spk_json_text(spark->autonomy),
		"auto_approve", texts_to_json(spark->auto_approve), "deny",
		texts_to_json(spark->deny));
}

/* Borrowed, NULL-terminated. */
static GPtrArray *strings_of(const json_t *list)
{
	GPtrArray *texts = g_ptr_array_new();
	const json_t *text;
	gsize i;

	json_array_foreach(list, i, text)
		if (json_is_string(text))
			g_ptr_array_add(texts, (gpointer)json_string_value(text));
	g_ptr_array_add(texts, NULL);
	return texts;
}

SpkSpark *spk_spark_recorded(const json_t *record)
{
	g_autoptr(GPtrArray) tools = strings_of(json_object_get(record, "tools"));
	g_autoptr(GPtrArray) allow = strings_of(json_object_get(record, "allow"));
	g_autoptr(GPtrArray)
		approve = strings_of(json_object_get(record, "auto_approve"));
	g_autoptr(GPtrArray) deny = strings_of(json_object_get(record, "deny"));
	g_autoptr(GPtrArray)
		mounts = spk_mounts_recorded(json_object_get(record, "mounts"));
	const char *texts[] = { "name",	    "description", "role",
				"strategy", "soul",	   "origin" };
	gsize i;
	SpkSpark spark;

	for (i = 0; i < G_N_ELEMENTS(texts); i++) {
		texts[i] = spk_json_str(record, texts[i]);
		if (!texts[i])
			return NULL;
	}
	spark = (SpkSpark){ .name = texts[0],
			    .description = texts[1],
			    .tools = (const char *const *)tools->pdata,
			    .allow = (const char *const *)allow->pdata,
			    .role = texts[2],
			    .strategy = texts[3],
			    .read_only =
				    !json_is_false(json_object_get(record, "read_only")),
			    .soul = texts[4],
			    .origin = texts[5],
			    .mounts = mounts,
			    .image = spk_json_str(record, "image"),
			    .autonomy = spk_json_str(record, "autonomy"),
			    .auto_approve = (const char *const *)approve->pdata,
			    .deny = (const char *const *)deny->pdata };
	return spk_spark_copy(&spark);
}
