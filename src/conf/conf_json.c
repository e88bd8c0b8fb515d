/* All values as JSON: as `config show` has them, and those that a task is run with. */
#include <string.h>

#include "base/json.h"
#include "conf/conf_priv.h"
#include "conf/secret.h"

#define SCAN_MODES "prompt_scanner.mode_overrides"

static json_t *value_to_json(const SpkOpt *opt, const SpkConfValue *value)
{
	switch (opt->type) {
	case SPK_OPT_INT:
		return json_integer(value->integer);
	case SPK_OPT_REAL:
		return json_real(value->real);
	case SPK_OPT_BOOL:
		return json_boolean(value->boolean);
	case SPK_OPT_LIST:
	case SPK_OPT_PATTERNS:
		return json_loads(value->text, 0, NULL);
	default:
		return spk_json_text(value->text);
	}
}

json_t *spk_conf_to_json(const SpkConf *conf)
{
	const SpkOpt *options = spk_conf_options();
	json_t *values = json_object();

	for (guint i = 0; options[i].name; i++) {
		const SpkConfValue *value = &conf->values[i];
		json_t *row = json_pack("{s:o, s:s}", "value",
					value_to_json(&options[i], value), "origin",
					value->origin);

		spk_json_set(row, "line",
			     value->line ? json_integer(value->line) : json_null());
		spk_json_set(values, options[i].name, row);
	}
	return json_pack("{s:o, s:b, s:s, s:o}", "file", spk_json_text(conf->path),
			 "trusted", conf->trusted, "store", conf->store_path, "values",
			 values);
}

static void add_presence(json_t *values, const SpkConf *conf, const SpkSecret *secret)
{
	gboolean near = spk_conf_secret_near(conf, secret->env) != NULL;

	spk_json_set(values, secret->env, json_boolean(near));
}

/* [[prompt_scanner.mode_overrides]], in their order: the first that fits decides. */
static json_t *scan_modes(const SpkConf *conf)
{
	const GPtrArray *tables = spk_conf_scan_modes(conf);
	json_t *list = json_array();

	for (guint i = 0; i < tables->len; i++) {
		json_t *values = json_object();

		for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
			const char *key = opt->name + strlen(SCAN_MODES "[].");

			if (g_str_has_prefix(opt->name, SCAN_MODES "[]."))
				spk_json_set(values, key,
					     spk_json_text(spk_conf_table_str(
						     tables->pdata[i], key)));
		}
		json_array_append_new(list, values);
	}
	return list;
}

json_t *spk_conf_task_values(const SpkConf *conf)
{
	g_auto(GStrv) rows = spk_conf_list(conf, "box.credentials");
	const SpkOpt *options = spk_conf_options();
	json_t *values = json_object();

	for (guint i = 0; options[i].name; i++)
		if (!(options[i].flags & SPK_OPT_PROCESS))
			spk_json_set(values, options[i].name,
				     value_to_json(&options[i], &conf->values[i]));
	spk_json_set(values, SCAN_MODES, scan_modes(conf));
	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
		if (secret->model)
			add_presence(values, conf, secret);
	for (char **row = rows; *row; row++) {
		const char *open = strchr(*row, '{');
		g_autofree char *name = open ? g_strndup(open + 1, strcspn(open + 1, "}"))
					     : NULL;
		const SpkSecret *secret = name ? spk_secret_find(name) : NULL;

		if (secret)
			add_presence(values, conf, secret);
	}
	return values;
}
