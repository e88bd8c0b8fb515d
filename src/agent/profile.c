/* Sparks of the configuration, [[ghosts]]: their tools, and the files of their prompt. */
#include <string.h>

#include "agent/prompt_file.h"
#include "agent/sparks_priv.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "guard/ladder.h"
#include "net/allow.h"
#include "tool/tool.h"

/* The reference's names: ours for the same thing, or NULL for what we lack. */
static const struct {
	const char *theirs, *ours;
} tool_names[] = {
	{ "grep", "file_search" },
	{ "glob", "file_list" },
	{ "test_runner", "shell" },
	{ "lint", "shell" },
	{ "diff", "git" },
	{ "codebase_map", "file_list" },
	{ "web_fetch", NULL },
	{ "web_search", NULL },
	{ "gh", NULL },
};

static gboolean fail(const SpkConfTable *table, const char *key, const char *hint,
		     GError **error, const char *text)
{
	spk_error_set(error, SPK_ERR_CONFIG, hint, "%s:%u: %s %s",
		      spk_conf_table_file(table), spk_conf_table_line(table, key), key,
		      text);
	return FALSE;
}

/* ---- tools ---- */
static void add_once(GPtrArray *tools, const char *name)
{
	for (guint i = 0; i < tools->len; i++)
		if (!strcmp(tools->pdata[i], name))
			return;
	g_ptr_array_add(tools, g_strdup(name));
}

static gboolean unknown_tool(const SpkConfTable *table, const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL, *text = NULL;

	for (const SpkTool *const *tool = spk_tools; *tool; tool++)
		g_ptr_array_add(names, (gpointer)(*tool)->name);
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	text = g_strdup_printf("has \"%s\", which is no tool%s", name, nearest);
	return fail(table, "tools", "`sparks ghosts` shows tools by their names", error,
		    text);
}

/* NULL: none of ours does the same. FALSE: the reference has no such tool either. */
static gboolean find_theirs(const char *name, const char **ret_ours)
{
	*ret_ours = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(tool_names); i++) {
		*ret_ours = tool_names[i].ours;
		if (!strcmp(tool_names[i].theirs, name))
			return TRUE;
	}
	*ret_ours = NULL;
	return g_str_has_prefix(name, "mcp:"); /* mcp:SERVER:TOOL */
}

static gboolean add_tool(const SpkConfTable *table, const char *name, GPtrArray *tools,
			 GError **error)
{
	const char *ours;

	if (spk_tool_find(name)) {
		add_once(tools, name);
		return TRUE;
	}
	if (!find_theirs(name, &ours))
		return unknown_tool(table, name, error);
	if (ours)
		add_once(tools, ours);
	spk_warn("ghosts", "%s:%u: the tool %s is %s%s", spk_conf_table_file(table),
		 spk_conf_table_line(table, "tools"), name,
		 ours ? "here " : "not in this version: left out", ours ? ours : "");
	return TRUE;
}

static gboolean writes_files(const char *const *tools)
{
	gboolean writes = g_strv_contains(tools, "file_write") ||
			  g_strv_contains(tools, "file_edit");

	for (; *tools; tools++)
		writes |= spk_tool_is_cli(*tools);
	return writes;
}

static gboolean read_tools(const SpkConfTable *table, SpkSpark *spark, GError **error)
{
	g_autoptr(GPtrArray) tools = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) names = spk_conf_table_list(table, "tools");

	for (char **name = names; *name; name++)
		if (!add_tool(table, *name, tools, error))
			return FALSE;
	if (!tools->len)
		return fail(table, "tools", "name some, as in [\"file_read\", \"shell\"]",
			    error, "leaves the spark without any");
	add_once(tools, "finish");
	g_ptr_array_add(tools, NULL);
	spark->tools =
		(const char *const *)g_ptr_array_free(g_steal_pointer(&tools), FALSE);
	spark->read_only = !writes_files(spark->tools);
	return TRUE;
}

/* ---- prompt ---- */
/* The path of the file, whose text is added; NULL: failed. */
static char *add_file(const SpkConfTable *table, const char *key, const char *name,
		      GString *prompt, GError **error)
{
	const char *shelf = !strcmp(key, "soul_file") ? "souls" : "skills", *hint;
	g_autofree char *why = NULL;
	char *path = spk_prompt_add(prompt, spk_conf_table_folder(table), shelf, name,
				    &why, &hint);

	if (!path)
		(void)fail(table, key, hint, error, why); /* it always fails */
	return path;
}

static gboolean add_skills(const SpkConfTable *table, SpkSpark *spark, GString *prompt,
			   GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) more = spk_conf_table_list(table, "skill_files");
	const char *one = spk_conf_table_str(table, "skill_file");
	char *path = *one ? add_file(table, "skill_file", one, prompt, error) : NULL;

	if (*one && !path)
		return FALSE;
	if (path)
		g_ptr_array_add(paths, path);
	for (char **name = more; *name; name++) {
		path = add_file(table, "skill_files", *name, prompt, error);
		if (!path)
			return FALSE;
		g_ptr_array_add(paths, path);
	}
	g_ptr_array_add(paths, NULL);
	spark->skill_files =
		(const char *const *)g_ptr_array_free(g_steal_pointer(&paths), FALSE);
	return TRUE;
}

static gboolean read_prompt(const SpkConfTable *table, SpkSpark *spark, GError **error)
{
	g_autoptr(GString) prompt = g_string_new(NULL);
	const char *soul = spk_conf_table_str(table, "soul_file");

	if (!*soul)
		g_string_append_printf(prompt, "You are %s. %s", spark->name,
				       spark->description);
	else
		spark->soul_file = add_file(table, "soul_file", soul, prompt, error);
	if ((*soul && !spark->soul_file) || !add_skills(table, spark, prompt, error))
		return FALSE;
	spark->soul = g_string_free(g_steal_pointer(&prompt), FALSE);
	return TRUE;
}

/* ---- the whole ---- */
static gboolean is_name(const char *name)
{
	gsize len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-");

	return *name && !name[len] && len <= 64;
}

/* NULL: any will do. */
static gboolean read_image(const SpkConfTable *table, SpkSpark *spark, GError **error)
{
	const char *name = spk_conf_table_str(table, "image");

	if (strpbrk(name, " \t\r\n?#%\\") || strstr(name, ".."))
		return fail(table, "image", "as in image = \"node:22\", or NAME@sha256:…",
			    error, "is no name of an image");
	spark->image = *name ? g_strdup(name) : NULL;
	return TRUE;
}

static gboolean read_allow(const SpkConfTable *table, SpkSpark *spark, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkAllow) allow = NULL;
	g_autofree char *text = NULL;

	spark->allow = (const char *const *)spk_conf_table_list(table, "allow");
	allow = spk_allow_new(spark->allow, NULL, &why);
	if (allow)
		return TRUE;
	text = g_strdup_printf("cannot be kept: %s", why->message);
	return fail(table, "allow", spk_error_hint(why), error, text);
}

SpkSpark *spk_spark_of_table(const SpkConfTable *table, GError **error)
{
	g_autoptr(SpkSpark) spark = g_new0(SpkSpark, 1);
	SpkLevel level;

	spark->name = g_strdup(spk_conf_table_str(table, "name"));
	spark->description = g_strdup(spk_conf_table_str(table, "description"));
	spark->role = g_strdup(spk_conf_table_str(table, "role"));
	spark->strategy = g_strdup("react");
	spark->origin = g_strdup_printf("%s:%u", spk_conf_table_file(table),
					spk_conf_table_line(table, "name"));
	if (!is_name(spark->name)) {
		fail(table, "name", "as in name = \"reviewer\"", error,
		     "must be 1 to 64 letters, digits, - or _");
		return NULL;
	}
	if (!strcmp(spk_conf_table_str(table, "strategy"), "code"))
		spk_warn("ghosts",
			 "%s:%u: strategy \"code\" is not in this version: %s "
			 "works as react",
			 spk_conf_table_file(table),
			 spk_conf_table_line(table, "strategy"), spark->name);
	spark->auto_approve =
		(const char *const *)spk_conf_table_list(table, "auto_approve_patterns");
	spark->deny = (const char *const *)spk_conf_table_list(table, "deny_patterns");
	if (spk_level_parse(spk_conf_table_str(table, "autonomy"), &level))
		spark->autonomy = g_strdup(spk_level_name(level));
	spark->mounts = spk_mounts_of_table(table, error);
	if (!spark->mounts || !read_tools(table, spark, error) ||
	    !read_allow(table, spark, error) || !read_image(table, spark, error) ||
	    !read_prompt(table, spark, error))
		return NULL;
	return g_steal_pointer(&spark);
}
