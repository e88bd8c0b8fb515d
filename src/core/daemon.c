/*
 * What a daemon runs its tasks with, told to those who give tasks: SPARKS_HOME/up.json holds
 * its values while it runs. Whose own values differ keeps the task apart.
 */
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "conf/secret.h"
#include "core/core_priv.h"

#define UP_MAX (64u << 10)

static char *up_path(SpkCore *core)
{
	return g_build_filename(spk_core_home(core), "up.json", NULL);
}

/* Options of the command line, which no knob changes. */
static json_t *fixed(const SpkConf *conf)
{
	json_t *names = json_array();

	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		if (!strcmp(spk_conf_origin(conf, opt->name), "command line"))
			json_array_append_new(names, json_string(opt->name));
	return names;
}

gboolean spk_core_announce(SpkCore *core, GError **error)
{
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	g_autofree char *path = up_path(core), *text = NULL;
	g_autoptr(json_t) object =
		json_pack("{s:s,s:i,s:o,s:o,s:o}", "holder", spk_holder_self(), "pid",
			  (int)getpid(), "store",
			  spk_json_text(spk_store_path(spk_core_store(core))), "values",
			  spk_conf_task_values(conf), "fixed", fixed(conf));

	text = spk_json_dump(object);
	return spk_fs_write_atomic(path, text, strlen(text), 0600, error);
}

/* What `holder` announced under that key, or NULL. */
static json_t *read_announced(SpkCore *core, const char *holder, const char *key)
{
	g_autofree char *path = up_path(core);
	gsize len = 0;
	g_autofree char *text = spk_fs_read(path, UP_MAX, &len, NULL);
	g_autoptr(json_t) object = text ? spk_json_parse(text, len, UP_MAX, NULL) : NULL;

	if (g_strcmp0(spk_json_str(object, "holder"), holder) != 0)
		return NULL;
	return json_incref(json_object_get(object, key));
}

void spk_core_withdraw(SpkCore *core)
{
	g_autoptr(json_t) ours = read_announced(core, spk_holder_self(), "values");
	g_autofree char *path = up_path(core);

	if (ours)
		(void)unlink(path); /* one that stays names a holder that is gone */
}

gboolean core_daemon_fixed(SpkCore *core, const char *holder, const char *option)
{
	g_autoptr(json_t) names = read_announced(core, holder, "fixed");
	gsize i;
	json_t *name;

	json_array_foreach(names, i, name)
		if (!g_strcmp0(json_string_value(name), option))
			return TRUE;
	return FALSE;
}

/* ---- comparing ---- */

/* Options of the configuration that an option of the task takes the place of. */
static const struct {
	const char *name, *by;
} replaced[] = {
	{ "manager.max_steps", "max_steps" },
	{ "task.timeout_secs", "timeout_secs" },
};

/* What nobody asks for when a play answers: but for the window, which a play has from
 * [openai], all of the sections of servers. */
static gboolean is_of_servers(const char *name)
{
	static const char *const names[] = { "llm.connect_timeout_secs",
					     "llm.first_byte_timeout_secs",
					     "llm.idle_timeout_secs",
					     "llm.provider",
					     "script.play",
					     NULL };
	static const char *const sections[] = { "anthropic.", "ollama.", "openai.",
						"openrouter.", "zen." };
	const SpkSecret *secret;

	if (strcmp(name, "openai.context_window") == 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(sections); i++)
		if (g_str_has_prefix(name, sections[i]))
			return TRUE;
	secret = spk_secret_find(name);
	return g_strv_contains(names, name) || (secret && secret->model);
}

static gboolean is_moot(const char *name, const json_t *options)
{
	const char *model = spk_json_str(options, "model");

	for (gsize i = 0; i < G_N_ELEMENTS(replaced); i++)
		if (!strcmp(replaced[i].name, name))
			return json_object_get(options, replaced[i].by) != NULL;
	if (model && g_str_has_suffix(name, ".model"))
		return TRUE;
	return model && g_str_has_prefix(model, "script:") && is_of_servers(name);
}

/* As a reader of up.json sees them: numbers have been through text. */
static json_t *own_values(SpkCore *core)
{
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	g_autoptr(json_t) values = spk_conf_task_values(conf);
	g_autofree char *text = spk_json_dump(values);

	return spk_json_parse(text, strlen(text), UP_MAX, NULL);
}

char *spk_core_daemon_differs(SpkCore *core, const char *holder, const json_t *options)
{
	g_autoptr(json_t) theirs = read_announced(core, holder, "values");
	g_autoptr(json_t) ours = own_values(core);
	g_autoptr(GString) names = g_string_new(NULL);
	const char *name;
	json_t *value;

	if (!theirs)
		return g_strdup("");
	json_object_foreach(ours, name, value) {
		if (is_moot(name, options) ||
		    json_equal(value, json_object_get(theirs, name)))
			continue;
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", name);
	}
	return names->len ? g_string_free(g_steal_pointer(&names), FALSE) : NULL;
}
