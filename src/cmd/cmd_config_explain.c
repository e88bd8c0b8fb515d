/*
 * `sparks config explain KEY`: what an option is, what holds now and where that comes from.
 * KEY may be a section or a part of a name.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/config_all.h"
#include "cmd/optdoc.h"
#include "cmd/session.h"
#include "cmd/ui.h"
#include "conf/secret.h"
#include "core/knobs.h"

static json_t *option_to_json(const SpkConf *conf, const SpkOpt *opt)
{
	g_autoptr(json_t) all = spk_conf_to_json(conf);
	json_t *row = json_object_get(json_object_get(all, "values"), opt->name);
	g_autofree char *takes = spk_optdoc_range(opt);
	g_autofree char *place = spk_conf_place(conf, opt->name);
	g_autofree char *env = spk_conf_env_name(opt->name);

	return json_pack("{s:s,s:s,s:s,s:s,s:O,s:s,s:o,s:s,s:b,s:b}", "name", opt->name,
			 "meaning", opt->sentence, "takes", takes, "default",
			 opt->fallback, "value", json_object_get(row, "value"), "origin",
			 spk_conf_origin(conf, opt->name), "place", spk_json_text(place),
			 "environment", env, "sensitive",
			 (opt->flags & SPK_OPT_SENSITIVE) != 0, "restart",
			 (opt->flags & SPK_OPT_RESTART) != 0);
}

static void print_row(const char *name, const char *text)
{
	g_autoptr(GString) folded = g_string_new(NULL);
	g_autofree char *clean = spk_text_clean(text, -1, SPK_CLEAN_LINE);

	spk_ui_fold(folded, clean, 13, spk_ui_columns(STDOUT_FILENO), 8);
	printf("  %-11s%s", name, folded->len > 13 ? folded->str + 13 : "\n");
}

static void print_option(const SpkConf *conf, const SpkOpt *opt)
{
	g_autofree char *takes = spk_optdoc_range(opt);
	g_autofree char *place = spk_conf_place(conf, opt->name);
	g_autofree char *env = spk_conf_env_name(opt->name);
	g_autofree char *value = spk_config_value_text(conf, opt);

	printf("%s%s%s\n", spk_term_sgr(STDOUT_FILENO, "bold"), opt->name,
	       spk_term_sgr(STDOUT_FILENO, "reset"));
	print_row("meaning", opt->sentence);
	print_row("takes", takes);
	print_row("default", *opt->fallback ? opt->fallback : "empty");
	print_row("value", *value ? value : "empty");
	print_row("from", place);
	print_row("variable", env);
	print_row("changed", opt->flags & SPK_OPT_RESTART
				     ? "a running daemon keeps what it began with"
				     : "holds for tasks that begin after it");
	if (opt->flags & SPK_OPT_SENSITIVE)
		print_row("sensitive",
			  spk_conf_is_trusted(conf)
				  ? "no effect from ./config.toml or ./.env that is not "
				    "trusted"
				  : "no effect from the file here, which is not trusted: "
				    "`sparks config trust`");
}

/* ---- which options are meant ---- */
static gboolean is_meant(const char *name, const char *key, gboolean part)
{
	gsize len = strlen(key);

	return part ? strstr(name, key) != NULL
		    : !strcmp(name, key) ||
			       (!strncmp(name, key, len) && name[len] == '.');
}

static GPtrArray *find_options(const char *key)
{
	GPtrArray *found = g_ptr_array_new();

	for (int part = 0; part <= 1 && !found->len; part++)
		for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
			if (is_meant(opt->name, key, part))
				g_ptr_array_add(found, (gpointer)opt);
	return found;
}

static int explain_secret(const SpkSecret *secret, gboolean json)
{
	g_autoptr(json_t) object = NULL;

	if (json) {
		object = json_pack("{s:s,s:s,s:s,s:b}", "name", secret->key, "meaning",
				   secret->sentence, "environment", secret->env, "secret",
				   TRUE);
		spk_cmd_print_json(object);
		return 0;
	}
	printf("%s: %s\n  A secret, and not for a file: `sparks secrets set %s`, or %s in "
	       "the environment.\n  `sparks secrets list` says where it is set.\n",
	       secret->key, secret->sentence, secret->key, secret->env);
	return 0;
}

/* Of the reference program, and without effect here. */
static int explain_later(const SpkOpt *opt, gboolean json)
{
	g_autofree char *takes = spk_optdoc_range(opt);
	g_autoptr(json_t) object = NULL;

	if (json) {
		object = json_pack("{s:s,s:s,s:s,s:s,s:b}", "name", opt->name, "meaning",
				   opt->sentence, "takes", takes, "default",
				   opt->fallback, "built", FALSE);
		spk_cmd_print_json(object);
		return 0;
	}
	printf("%s: not in this version\n", opt->name);
	print_row("meaning", opt->sentence);
	print_row("takes", takes);
	print_row("default", *opt->fallback ? opt->fallback : "empty");
	puts("  It may stand in a file, and has no effect.");
	return 0;
}

static int refuse(const char *key, gboolean json)
{
	g_autofree char *later = spk_conf_later(key);
	const SpkOpt *row = spk_conf_find_later(key);
	g_autofree char *takes = row ? spk_optdoc_range(row) : NULL;
	g_autofree char *nearest = NULL;
	g_autofree char *shown = spk_text_clip(key, 100);
	GError *error = NULL;

	if (later) {
		spk_error_set(&error, SPK_ERR_NOT_FOUND,
			      "it may stand in the file, and has no effect",
			      "%s is %s%s%s%s%s", later,
			      row && !(row->flags & SPK_OPT_LATER)
				      ? "of each [[ghosts]]; `sparks ghosts` shows them"
				      : "known, but not in this version",
			      row ? ": " : "", row ? row->sentence : "",
			      row ? "; takes " : "", row ? takes : "");
	} else {
		nearest = spk_conf_nearest(key);
		spk_error_set(&error, SPK_ERR_NOT_FOUND,
			      "`sparks config show` lists the options",
			      "there is no option %s%s", shown, nearest);
	}
	return spk_cmd_fail(error, json);
}

static int print_options(const SpkConf *conf, const GPtrArray *found, gboolean json)
{
	g_autoptr(json_t) all = json_array();

	for (guint i = 0; i < found->len; i++) {
		if (json)
			json_array_append_new(all, option_to_json(conf, found->pdata[i]));
		else
			print_option(conf, found->pdata[i]);
	}
	if (json)
		spk_cmd_print_json(found->len == 1 ? json_array_get(all, 0) : all);
	return 0;
}

static char *key_of(const char *word)
{
	gsize len = strlen(word);

	return len > 2 && word[0] == '[' && word[len - 1] == ']'
		       ? g_strndup(word + 1, len - 2)
		       : g_strdup(word);
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autofree char *key = key_of(spk_args_rest(args)[0]);
	const SpkSecret *secret = spk_secret_find(key);
	g_autoptr(GPtrArray) found = find_options(key);
	g_autoptr(SpkConf) loaded = NULL;
	g_autoptr(SpkConf) conf = NULL;
	int exit_code = 0;

	if (secret)
		return explain_secret(secret, json);
	if (!found->len && spk_conf_find_later(key))
		return explain_later(spk_conf_find_later(key), json);
	if (!*key || !found->len)
		return refuse(key, json);
	loaded = spk_cmd_conf(args, json, &exit_code);
	if (!loaded)
		return exit_code;
	conf = spk_core_peek(loaded);
	return print_options(conf, found, json);
}

const SpkCmd spk_cmd_config_explain = {
	.name = "explain",
	.usage = "KEY",
	.summary = "Tell what an option is, what holds now and where that comes from.",
	.details =
		"KEY is an option, a section, or a part of a name. --json prints an object "
		"for one option and an array for several.",
	.example = "sparks config explain manager.max_steps",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
