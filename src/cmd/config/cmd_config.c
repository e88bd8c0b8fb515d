/*
 * `sparks config`: show what is in force and where each value comes from, check a file
 * and list everything wrong with it, trust the files of the current folder.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "box/credentials.h"
#include "cmd/cmd_all.h"
#include "cmd/frame/cmd_priv.h"
#include "cmd/config/config_all.h"
#include "core/knobs.h"

/* ---- show ---- */
static void print_option(const SpkConf *conf, const SpkOpt *opt)
{
	g_autofree char *value = spk_config_value_text(conf, opt);
	gboolean set = spk_conf_is_set(conf, opt->name);
	int gap = MAX(1, 30 - spk_text_width(value));

	printf("%s%-38s %s%*s%s%s\n", spk_term_sgr(STDOUT_FILENO, set ? "bold" : "dim"),
	       opt->name, *value ? value : "-", *value ? gap : 29, "",
	       spk_conf_origin(conf, opt->name), spk_term_sgr(STDOUT_FILENO, "reset"));
}

static int run_show(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	int exit_code = 0;
	g_autoptr(SpkConf) loaded = spk_cmd_conf(args, json, &exit_code);
	g_autoptr(SpkConf) conf = loaded ? spk_core_peek(loaded) : NULL;
	g_autoptr(json_t) object = NULL;

	if (!conf)
		return exit_code;
	if (json) {
		object = spk_conf_to_json(conf);
		spk_cmd_print_json(object);
		return 0;
	}
	printf("file: %s%s\n",
	       spk_conf_path(conf) ? spk_conf_path(conf) : "none, built-in values",
	       spk_conf_is_trusted(conf) ? "" : " (not trusted)");
	printf("store: %s\n\n", spk_conf_store_path(conf));
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		print_option(conf, opt);
	return 0;
}

/* ---- check ---- */
static json_t *problem_to_json(const GError *error)
{
	return json_pack("{s:o, s:o}", "message", spk_json_text(error->message), "hint",
			 spk_json_text(spk_error_hint(error)));
}

static int print_check_json(const SpkConf *conf, GPtrArray *problems)
{
	json_t *errors = json_array();
	json_t *warnings = json_array();
	g_autoptr(json_t) object = NULL;

	for (guint i = 0; i < problems->len; i++)
		json_array_append_new(errors, problem_to_json(problems->pdata[i]));
	for (const char *const *w = spk_conf_warnings(conf); *w; w++)
		json_array_append_new(warnings, spk_json_text(*w));
	object = json_pack("{s:b, s:o, s:o, s:o}", "ok", problems->len == 0, "file",
			   spk_json_text(spk_conf_path(conf)), "problems", errors,
			   "warnings", warnings);
	spk_cmd_print_json(object);
	return problems->len ? spk_err_info(SPK_ERR_CONFIG)->exit_code : 0;
}

static int print_check(const SpkConf *conf, GPtrArray *problems)
{
	int exit_code = 0;
	guint warnings = 0;

	for (guint i = 0; i < problems->len; i++)
		exit_code = spk_cmd_fail(g_error_copy(problems->pdata[i]), FALSE);
	while (spk_conf_warnings(conf)[warnings])
		warnings++;
	spk_cmd_warn(conf);
	if (!problems->len)
		printf("OK: %s, %u warning%s\n",
		       spk_conf_path(conf) ? spk_conf_path(conf) : "built-in values",
		       warnings, warnings == 1 ? "" : "s");
	return exit_code;
}

/* What other rooms make of it. */
static void check_parts(SpkConf *conf, GPtrArray *problems)
{
	g_autoptr(GPtrArray) credentials = NULL;
	GError *error = NULL;

	spk_sparks_check(conf, problems);
	credentials = spk_credentials(conf, &error);
	if (!credentials)
		g_ptr_array_add(problems, error);
}

static int run_check(const SpkArgs *args)
{
	const char *file = spk_args_rest(args)[0];
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(SpkConf) conf = NULL;
	SpkConfSource source = {
		.explicit_path = file ? file : spk_args_config(args),
		.overrides = spk_args_set(args),
	};

	conf = spk_conf_check(&source, &problems);
	if (!problems->len) /* else one would be found twice, in other words */
		check_parts(conf, problems);
	return spk_args_flag(args, "json") ? print_check_json(conf, problems)
					   : print_check(conf, problems);
}

/* ---- trust ---- */
static int run_trust(const SpkArgs *args)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) paths = spk_conf_trust(".", &error);

	if (!paths)
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	for (char **path = paths; *path; path++)
		printf("%s is trusted as it is now; after a change it must be trusted anew\n",
		       *path);
	return 0;
}

static const SpkCmdOpt json_option[] = {
	{ "json", .type = SPK_CMD_FLAG, .sentence = "print one JSON object" },
	{ NULL },
};

static const SpkCmd check = {
	.name = "check",
	.usage = "[FILE]",
	.summary = "List everything that is wrong with the configuration.",
	.details =
		"Without FILE: the one that is in force here, with the environment. Exits "
		"with 78 when something is wrong; warnings alone are no failure.",
	.example = "sparks config check ~/.sparks/config.toml",
	.options = json_option,
	.max_args = 1,
	.run = run_check,
};

static const SpkCmd show = {
	.name = "show",
	.usage = "",
	.summary = "Show every option, its value and where that comes from.",
	.example = "sparks config show --json",
	.options = json_option,
	.run = run_show,
};

static const SpkCmd trust = {
	.name = "trust",
	.usage = "",
	.summary = "Trust ./config.toml and ./.env as they are now.",
	.details =
		"Files that come with a folder may not set addresses, keys, the database or "
		"the sandbox until you have looked at them and run this.",
	.example = "cd my-project && sparks config show && sparks config trust",
	.run = run_trust,
};

static const SpkCmd *const subs[] = { &check,
				      &spk_cmd_config_explain,
				      &spk_cmd_config_path,
				      &spk_cmd_config_sample,
				      &show,
				      &trust,
				      NULL };

const SpkCmd spk_cmd_config = {
	.name = "config",
	.summary = "Show, explain, check or trust the configuration.",
	.details =
		"Looked for at --config, then ./config.toml, then ~/.sparks/config.toml. A value "
		"of the command line wins over a knob (`sparks knobs`), that over the "
		"environment, that over .env, that over the file.",
	.example = "sparks config show",
	.subs = subs,
};
