/* Variables of the environment or of `.env`: whose option, and what looks like one. */
#include <string.h>

#include "base/text.h"
#include "conf/load_priv.h"
#include "conf/secret.h"

int spk_load_variable(const char *variable)
{
	const SpkOpt *options = spk_conf_options();

	if (!g_str_has_prefix(variable, "SPARKS_"))
		return -1;
	for (guint i = 0; options[i].name; i++) {
		g_autofree char *env = spk_conf_env_name(options[i].name);

		if (!strcmp(env, variable))
			return (int)i;
	}
	return -1;
}

/* Adds the variables of a table; whether `name` is of one of its sections. */
static gboolean add_variables(GPtrArray *names, const SpkOpt *table, const char *name)
{
	gboolean ours = FALSE;

	for (const SpkOpt *opt = table; opt->name; opt++) {
		gsize section = strlen("SPARKS_") + strcspn(opt->name, ".") + 1;
		char *env;

		if (strchr(opt->name, '['))
			continue; /* a table of a list has no variable */
		env = spk_conf_env_name(opt->name);
		ours |= !strncmp(env, name, section);
		g_ptr_array_add(names, env);
	}
	return ours;
}

static const SpkOpt *later_of_variable(const char *name)
{
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
		g_autofree char *env = spk_conf_env_name(opt->name);

		if (!strcmp(env, name))
			return opt;
	}
	return NULL;
}

static void later_variable(SpkConfLoad *load, const SpkOpt *opt, const char *name,
			   const char *text, const char *where)
{
	gsize section = strcspn(opt->name, ".");
	SpkConfValue value = { NULL };
	g_autofree char *why = NULL;

	spk_load_warning(load,
			 "%s%s: [%.*s] %s: known, but not in this version: no effect",
			 where, name, (int)section, opt->name, opt->name + section + 1);
	if (!spk_conf_value_parse(opt, text, &value, &why)) {
		g_autofree char *shown = spk_text_clip(why, SPK_LOAD_MAX_SHOWN);

		spk_load_warning(load, "%s%s: %s %s", where, name, opt->name, shown);
	}
	g_free(value.text);
}

void spk_load_check_variable(SpkConfLoad *load, const char *name, const char *text,
			     const char *where)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const SpkOpt *later;
	g_autofree char *nearest = NULL;
	gboolean ours;

	if (!g_str_has_prefix(name, "SPARKS_") || spk_secret_find(name))
		return;
	later = later_of_variable(name);
	if (later) {
		later_variable(load, later, name, text, where);
		return;
	}
	ours = add_variables(names, spk_conf_options(), name);
	ours |= add_variables(names, spk_conf_later_options(), name);
	g_ptr_array_add(names, NULL);
	if (!ours || g_strv_contains((const char *const *)names->pdata, name))
		return;
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	spk_load_warning(load, "%s%s is not an option%s: no effect", where, name,
			 nearest);
}
