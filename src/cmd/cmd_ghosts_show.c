/*
 * `sparks ghosts show NAME`: one spark as it works: each key with the line it comes from, the
 * files of its prompt, and the prompt itself.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/ghosts_all.h"
#include "cmd/session.h"
#include "cmd/ui.h"

enum { LABEL = 13, MAX_LINES = 40, MAX_MOUNTS = 100 };

/* The key of a row of the option table that is one of [[ghosts]] itself; else NULL. */
static const char *key_of(const SpkOpt *opt)
{
	static const char prefix[] = "ghosts[].";
	const char *key = opt->name + strlen(prefix);

	return g_str_has_prefix(opt->name, prefix) && !strchr(key, '[') ? key : NULL;
}

static json_t *texts_to_json(const char *const *texts)
{
	json_t *list = json_array();

	for (; texts && *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

json_t *spk_ghosts_to_json(const SpkSpark *spark)
{
	return json_pack("{s:s,s:o,s:s,s:s,s:b,s:o,s:o,s:o}", "name", spark->name,
			 "description", spk_json_text(spark->description), "role",
			 spark->role, "strategy", spark->strategy, "read_only",
			 spark->read_only, "tools", texts_to_json(spark->tools), "allow",
			 texts_to_json(spark->allow), "origin",
			 spk_json_text(spark->origin));
}

/* ---- where it comes from ---- */
/* The table that holds; NULL: it is built in. The last one of a name does. */
static const SpkConfTable *table_of(const SpkConf *conf, const char *name)
{
	const GPtrArray *tables = spk_conf_tables(conf);

	for (guint i = tables->len; i > 0; i--)
		if (!strcmp(spk_conf_table_str(tables->pdata[i - 1], "name"), name))
			return tables->pdata[i - 1];
	return NULL;
}

/* "FILE:LINE", "default", "built in" */
static char *origin_of(const SpkConfTable *table, json_t *spark, const char *key)
{
	if (!table)
		return g_strdup(json_object_get(spark, key) ? "built in" : "default");
	return spk_conf_table_has(table, key)
		       ? g_strdup_printf("%s:%u", spk_conf_table_file(table),
					 spk_conf_table_line(table, key))
		       : g_strdup("default");
}

/* ---- JSON ---- */
static json_t *value_of(const SpkConfTable *table, json_t *spark, const SpkOpt *opt,
			const char *key)
{
	gboolean list = opt->type == SPK_OPT_LIST;
	json_t *value = json_object_get(spark, key);
	g_auto(GStrv) texts = NULL;

	if (!table && value)
		return json_incref(value);
	if (!table)
		return list ? json_array() : json_string("");
	if (!list)
		return spk_json_text(spk_conf_table_str(table, key));
	texts = spk_conf_table_list(table, key);
	return texts_to_json((const char *const *)texts);
}

static json_t *fields_to_json(const SpkConfTable *table, json_t *spark)
{
	json_t *fields = json_object();

	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
		const char *key = key_of(opt);
		g_autofree char *origin = key ? origin_of(table, spark, key) : NULL;

		if (key)
			spk_json_set(fields, key,
				     json_pack("{s:o,s:o}", "value",
					       value_of(table, spark, opt, key), "origin",
					       spk_json_text(origin)));
	}
	return fields;
}

/* NULL: there is no such mount. */
static json_t *mount_to_json(const SpkConfTable *table, guint i)
{
	static const char *const parts[] = { "host_path", "container_path", "read_only" };
	g_autoptr(json_t) mount = json_object();
	gboolean there = FALSE;

	for (gsize k = 0; table && k < G_N_ELEMENTS(parts); k++) {
		g_autofree char *key = g_strdup_printf("mounts[%u].%s", i, parts[k]);
		const char *text = spk_conf_table_str(table, key);

		there |= spk_conf_table_has(table, key);
		spk_json_set(mount, parts[k],
			     k == 2 ? json_boolean(!strcmp(text, "true"))
				    : spk_json_text(text));
	}
	return there ? g_steal_pointer(&mount) : NULL;
}

static json_t *mounts_to_json(const SpkConfTable *table)
{
	json_t *mounts = json_array(), *mount;

	for (guint i = 0; i < MAX_MOUNTS && (mount = mount_to_json(table, i)); i++)
		json_array_append_new(mounts, mount);
	return mounts;
}

static json_t *to_json(const SpkConf *conf, const SpkSpark *spark)
{
	const SpkConfTable *table = table_of(conf, spark->name);
	json_t *object = spk_ghosts_to_json(spark);
	json_t *fields = fields_to_json(table, object);

	spk_json_set(object, "instead_of", spk_json_text(spark->instead));
	spk_json_set(object, "soul_file", spk_json_text(spark->soul_file));
	spk_json_set(object, "skill_files", texts_to_json(spark->skill_files));
	spk_json_set(object, "persona_files", texts_to_json(spark->persona_files));
	spk_json_set(object, "prompt", spk_json_text(spark->soul));
	spk_json_set(object, "mounts", mounts_to_json(table));
	spk_json_set(object, "fields", fields);
	return object;
}

/* ---- for people ---- */
static void print_row(const char *label, const char *text, const char *origin)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *words = origin ? g_strdup_printf("%s (%s)", text, origin)
					: g_strdup(text);
	g_autofree char *clean = spk_text_clean(words, -1, SPK_CLEAN_LINE);

	spk_ui_fold(out, clean, LABEL, spk_ui_columns(STDOUT_FILENO), MAX_LINES);
	printf("  %-*s%s", LABEL - 2, label, out->len > LABEL ? out->str + LABEL : "\n");
}

/* "line 3", "default"; the file stands in the row `from`. NULL: built in. */
static char *short_origin(const SpkConfTable *table, const char *key)
{
	if (!table)
		return NULL;
	return spk_conf_table_has(table, key)
		       ? g_strdup_printf("line %u", spk_conf_table_line(table, key))
		       : g_strdup("default");
}

static void print_key(const SpkConfTable *table, const char *label, const char *key,
		      const char *text)
{
	g_autofree char *origin = short_origin(table, key);

	print_row(label, text, origin);
}

static void print_files(const SpkConfTable *table, const SpkSpark *spark)
{
	gboolean one = table && spk_conf_table_has(table, "skill_file");

	if (spark->soul_file)
		print_key(table, "soul", "soul_file", spark->soul_file);
	for (guint i = 0; spark->skill_files && spark->skill_files[i]; i++)
		print_key(table, i ? "" : "skills",
			  one && !i ? "skill_file" : "skill_files",
			  spark->skill_files[i]);
	for (guint i = 0; spark->persona_files && spark->persona_files[i]; i++)
		print_row(i ? "" : "persona", spark->persona_files[i], NULL);
}

/* What was written may have become another one: profile.c. */
static void print_strategy(const SpkConfTable *table, const SpkSpark *spark)
{
	const char *written = table ? spk_conf_table_str(table, "strategy")
				    : spark->strategy;
	g_autofree char *text =
		g_strdup_printf("%s, as %s in this version", written, spark->strategy);

	print_key(table, "strategy", "strategy",
		  strcmp(written, spark->strategy) != 0 ? text : written);
}

/* Where it comes from, or that it has no effect. */
static char *effect_of(const SpkConfTable *table, const char *key)
{
	g_autofree char *row = g_strconcat("ghosts[].", key, NULL);

	return spk_conf_find_later(row)->flags & SPK_OPT_LATER
		       ? g_strdup("no effect in this version")
		       : short_origin(table, key);
}

static void print_image(const SpkConfTable *table)
{
	g_autofree char *effect = effect_of(table, "image");

	if (table && spk_conf_table_has(table, "image"))
		print_row("image", spk_conf_table_str(table, "image"), effect);
}

static void print_mounts(const SpkConfTable *table)
{
	json_t *mount;

	for (guint i = 0; i < MAX_MOUNTS && (mount = mount_to_json(table, i)); i++) {
		g_autoptr(json_t) one = mount;
		g_autofree char *key = g_strdup_printf("mounts[%u].host_path", i);
		g_autofree char *effect = effect_of(table, key);
		const char *to = spk_json_str(one, "container_path");
		g_autofree char *text = g_strdup_printf(
			"%s%s%s%s", spk_json_str(one, "host_path"), *to ? " at " : "", to,
			spk_json_bool(one, "read_only", FALSE) ? ", read only" : "");

		print_row(i ? "" : "mounts", text, effect);
	}
}

static void print_prompt(const char *prompt)
{
	g_autofree char *clean = spk_text_clean(prompt, -1, SPK_CLEAN_TEXT);
	g_auto(GStrv) lines = g_strsplit(clean, "\n", -1);

	puts("  prompt");
	for (char **line = lines; *line; line++)
		printf("%s%s\n", **line ? "    " : "", *line);
}

static void print(const SpkConf *conf, const SpkSpark *spark)
{
	const SpkConfTable *table = table_of(conf, spark->name);
	g_autofree char *tools = g_strjoinv(", ", (char **)spark->tools);
	g_autofree char *allow = spark->allow && *spark->allow
					 ? g_strjoinv(", ", (char **)spark->allow)
					 : NULL;
	g_autofree char *from =
		spark->instead ? g_strdup_printf("%s, in the place of the one %s%s",
						 spark->origin,
						 strchr(spark->instead, '/') ? "at " : "",
						 spark->instead)
			       : g_strdup(spark->origin);

	printf("%s%s%s\n", spk_term_sgr(STDOUT_FILENO, "bold"), spark->name,
	       spk_term_sgr(STDOUT_FILENO, "reset"));
	print_key(table, "does", "description", spark->description);
	print_row("from", from, NULL);
	print_key(table, "role", "role", spark->role);
	print_strategy(table, spark);
	print_key(table, "tools", "tools", tools);
	if (allow)
		print_key(table, "reaches", "allow", allow);
	print_row("files", spark->read_only ? "reads them" : "reads and changes them",
		  NULL);
	print_files(table, spark);
	print_image(table);
	print_mounts(table);
	print_prompt(spark->soul);
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkSpark) spark = NULL;
	g_autoptr(json_t) object = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	spark = spk_spark_find(conf, spk_args_rest(args)[0], &error);
	if (!spark)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!json) {
		print(conf, spark);
		return 0;
	}
	object = to_json(conf, spark);
	spk_cmd_print_json(object);
	return 0;
}

const SpkCmd spk_cmd_ghosts_show = {
	.name = "show",
	.usage = "NAME",
	.summary =
		"Show one spark: each key and where it comes from, its files and prompt.",
	.details =
		"With --json: the keys of `sparks ghosts --json`; instead_of, soul_file, "
		"skill_files, persona_files (paths), prompt and mounts; and fields, which has each key as it "
		"was written, {\"value\",\"origin\"}, where origin is FILE:LINE, default or "
		"built in.",
	.example = "sparks ghosts show coder",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
