/* A loaded configuration: what was found for each option, immutable from then on. */
#include "conf/conf.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "conf/conf_priv.h"
#include "conf/secret.h"

SpkConf *spk_conf_ref(SpkConf *conf)
{
	g_atomic_ref_count_inc(&conf->refs);
	return conf;
}

void spk_conf_unref(SpkConf *conf)
{
	if (!g_atomic_ref_count_dec(&conf->refs))
		return;
	for (guint i = 0; i < spk_conf_n_options(); i++)
		g_free(conf->values[i].text);
	g_free(conf->values);
	g_free(conf->path);
	g_free(conf->store_path);
	g_hash_table_unref(conf->secrets);
	g_ptr_array_unref(conf->warnings);
	g_free(conf);
}

/* ---- values ---- */
static const SpkConfValue *value_of(const SpkConf *conf, const char *name)
{
	int index = spk_conf_find(name);

	g_assert(index >= 0);
	return &conf->values[index];
}

static const SpkConfValue *typed(const SpkConf *conf, const char *name, SpkOptType type)
{
	int index = spk_conf_find(name);

	g_assert(index >= 0 && spk_conf_options()[index].type == type);
	return &conf->values[index];
}

const char *spk_conf_str(const SpkConf *conf, const char *name)
{
	int index = spk_conf_find(name);
	SpkOptType type;

	g_assert(index >= 0);
	type = spk_conf_options()[index].type;
	g_assert(type == SPK_OPT_STRING || type == SPK_OPT_ENUM || type == SPK_OPT_PATH);
	return conf->values[index].text;
}

gint64 spk_conf_int(const SpkConf *conf, const char *name)
{
	return typed(conf, name, SPK_OPT_INT)->integer;
}

double spk_conf_real(const SpkConf *conf, const char *name)
{
	return typed(conf, name, SPK_OPT_REAL)->real;
}

gboolean spk_conf_bool(const SpkConf *conf, const char *name)
{
	return typed(conf, name, SPK_OPT_BOOL)->boolean;
}

const char *spk_conf_origin(const SpkConf *conf, const char *name)
{
	return value_of(conf, name)->origin;
}

gboolean spk_conf_is_set(const SpkConf *conf, const char *name)
{
	return strcmp(spk_conf_origin(conf, name), "default") != 0;
}

/* ---- the whole ---- */
const char *spk_conf_path(const SpkConf *conf)
{
	return conf->path;
}

gboolean spk_conf_is_trusted(const SpkConf *conf)
{
	return conf->trusted;
}

const char *const *spk_conf_warnings(const SpkConf *conf)
{
	return (const char *const *)conf->warnings->pdata;
}

const char *spk_conf_store_path(const SpkConf *conf)
{
	return conf->store_path;
}

const char *spk_conf_secret(const SpkConf *conf, const char *env_name)
{
	const char *set = g_getenv(env_name);

	g_assert(spk_secret_find(env_name));
	if (!set || !*set)
		set = g_hash_table_lookup(conf->secrets, env_name);
	return set && *set ? set : NULL;
}

static json_t *value_to_json(const SpkOpt *opt, const SpkConfValue *value)
{
	switch (opt->type) {
	case SPK_OPT_INT:
		return json_integer(value->integer);
	case SPK_OPT_REAL:
		return json_real(value->real);
	case SPK_OPT_BOOL:
		return json_boolean(value->boolean);
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

json_t *spk_conf_task_values(const SpkConf *conf)
{
	const SpkOpt *options = spk_conf_options();
	json_t *values = json_object();

	for (guint i = 0; options[i].name; i++)
		if (!(options[i].flags & SPK_OPT_PROCESS))
			spk_json_set(values, options[i].name,
				     value_to_json(&options[i], &conf->values[i]));
	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
		if (secret->model)
			spk_json_set(values, secret->env,
				     json_boolean(spk_conf_secret(conf, secret->env) !=
						  NULL));
	return values;
}

/* ---- trust ---- */
char **spk_conf_trust(const char *folder, GError **error)
{
	static const struct {
		const char *name;
		gsize max_bytes;
	} files[] = { { "config.toml", SPK_CONF_MAX_BYTES },
		      { ".env", SPK_ENV_MAX_BYTES } };
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(folder, files[i].name, NULL);
		g_autoptr(GError) broken = NULL;
		gsize len = 0;
		g_autofree char *text =
			spk_conf_read(path, files[i].max_bytes, &len, &broken);

		if (broken) {
			g_propagate_error(error, g_steal_pointer(&broken));
			return NULL;
		}
		if (!text)
			continue;
		if (!spk_trust_record(path, text, len, TRUE, error))
			return NULL;
		g_ptr_array_add(done, g_steal_pointer(&path));
	}
	if (!done->len) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "go to the folder that has one",
			      "there is neither config.toml nor .env in %s", folder);
		return NULL;
	}
	g_ptr_array_add(done, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&done), FALSE);
}
