/* A loaded configuration: what was found for each option, immutable from then on. */
#include "conf/conf.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/veil.h"
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
	g_free(conf->folder);
	g_free(conf->cwd);
	g_free(conf->store_path);
	if (!conf->base) {
		g_hash_table_unref(conf->secrets);
		g_hash_table_unref(conf->inlined);
		g_hash_table_unref(conf->kept);
		g_mutex_clear(&conf->lock);
	}
	g_clear_pointer(&conf->base, spk_conf_unref);
	g_ptr_array_unref(conf->tables);
	g_ptr_array_unref(conf->modes);
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

char *spk_conf_dup_text(const SpkConf *conf, const char *name)
{
	const char *text = value_of(conf, name)->text;

	return g_strdup(text ? text : "");
}

gboolean spk_conf_is_set(const SpkConf *conf, const char *name)
{
	return strcmp(spk_conf_origin(conf, name), "default") != 0;
}

guint spk_conf_line(const SpkConf *conf, const char *name)
{
	return value_of(conf, name)->line;
}

char *spk_conf_place(const SpkConf *conf, const char *name)
{
	const char *origin = spk_conf_origin(conf, name);
	guint line = spk_conf_line(conf, name);

	if (!strcmp(origin, "environment"))
		return spk_conf_env_name(name);
	if (!strcmp(origin, "file") && conf->path && line)
		return g_strdup_printf("%s:%u", conf->path, line);
	if (!strcmp(origin, "file"))
		return g_strdup("~/.sparks/config.toml");
	if (!strcmp(origin, "knob"))
		return g_strdup("`sparks knobs set`");
	return line ? g_strdup_printf("%s, line %u", origin, line) : g_strdup(origin);
}

char *spk_conf_folder(const SpkConf *conf, const char *name)
{
	const char *origin = spk_conf_origin(conf, name);

	if (!strcmp(origin, ".env"))
		return NULL;
	if (strcmp(origin, "file") != 0)
		return g_strdup(conf->cwd);
	/* Without a line it is of the person's own, beneath one that isn't trusted. */
	return spk_conf_line(conf, name) ? g_strdup(conf->folder)
					 : spk_fs_expand("~/.sparks");
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

/* ---- secrets ---- */
static const SpkConf *keeper(const SpkConf *conf)
{
	return conf->base ? conf->base : conf;
}

#define INLINE	      "file"
#define LOOK_AGAIN_US (10 * G_USEC_PER_SEC) /* what was found stays */

/* What holds without a look into keyring or file of secrets, and where it stands. */
static const char *near(const SpkConf *conf, const SpkSecret *secret,
			const char **ret_origin)
{
	const struct {
		const char *origin, *value;
	} places[] = {
		{ "environment", g_getenv(secret->env) },
		{ ".env", g_hash_table_lookup(conf->secrets, secret->env) },
		{ INLINE, g_hash_table_lookup(conf->inlined, secret->env) },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		if (!places[i].value || !*places[i].value)
			continue;
		*ret_origin = places[i].origin;
		return places[i].value;
	}
	return NULL;
}

const char *spk_conf_secret(const SpkConf *with, const char *env_name)
{
	const SpkConf *conf = keeper(with);
	const SpkSecret *secret = spk_secret_find(env_name);
	SpkConf *mine = (SpkConf *)conf; /* what was looked up is kept */
	const char *set, *origin;
	SpkConfKept *kept;

	g_assert(secret);
	set = near(conf, secret, &origin);
	spk_veil_learn(secret->env, set);
	if (set && strcmp(origin, INLINE) != 0)
		return set;
	g_mutex_lock(&mine->lock);
	kept = g_hash_table_lookup(conf->kept, env_name);
	if (!kept) {
		kept = g_new0(SpkConfKept, 1);
		g_hash_table_insert(mine->kept, g_strdup(env_name), kept);
	}
	if (!kept->value &&
	    (!kept->looked_us || spk_mono_us() - kept->looked_us > LOOK_AGAIN_US)) {
		kept->value = spk_secret_get(secret);
		kept->looked_us = spk_mono_us();
	}
	if (kept->value)
		set = kept->value;
	spk_veil_learn(secret->env, kept->value);
	g_mutex_unlock(&mine->lock);
	return set;
}

const char *spk_conf_secret_near(const SpkConf *conf, const char *env_name)
{
	const SpkSecret *secret = spk_secret_find(env_name);
	const char *origin = NULL;

	g_assert(secret);
	return near(keeper(conf), secret, &origin) ? origin : NULL;
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
