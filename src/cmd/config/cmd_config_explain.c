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
#include "cmd/config/config_all.h"
#include "cmd/config/optdoc.h"
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

/* ---- what has no value of its own ---- */
/* Of the reference program and without effect here, or a key of each [[ghosts]]. */
static void print_later(const SpkOpt *opt)
{
	g_autofree char *takes = spk_optdoc_range(opt);
	gboolean built = !(opt->flags & SPK_OPT_LATER);

	printf("%s: %s\n", opt->name,
	       built ? "a key of each [[ghosts]]" : "not in this version");
	print_row("meaning", opt->sentence);
	print_row("takes", takes);
	print_row("default", *opt->fallback ? opt->fallback : "empty");
	puts(built ? "  `sparks ghosts show NAME` tells what holds for one."
		   : "  It may stand in a file, and has no effect.");
}

static json_t *later_to_json(const SpkOpt *opt)
{
	g_autofree char *takes = spk_optdoc_range(opt);

	return json_pack("{s:s,s:s,s:s,s:s,s:b}", "name", opt->name, "meaning",
			 opt->sentence, "takes", takes, "default", opt->fallback, "built",
			 !(opt->flags & SPK_OPT_LATER));
}

static void print_secret(const SpkSecret *secret)
{
	printf("%s: %s\n  A secret, and not for a file: `sparks secrets set %s`, or %s in "
	       "the environment.\n  `sparks secrets list` says where it is set.\n",
	       secret->key, secret->sentence, secret->key, secret->env);
}

static json_t *secret_to_json(const SpkSecret *secret)
{
	return json_pack("{s:s,s:s,s:s,s:b}", "name", secret->key, "meaning",
			 secret->sentence, "environment", secret->env, "secret", TRUE);
}

/* ---- what is meant ---- */
typedef struct {
	GPtrArray *options, *later; /* SpkOpt */
	GPtrArray *secrets;	    /* SpkSecret */
} Found;

static void found_clear(Found *found)
{
	g_ptr_array_unref(found->options);
	g_ptr_array_unref(found->later);
	g_ptr_array_unref(found->secrets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static guint n_found(const Found *found)
{
	return found->options->len + found->later->len + found->secrets->len;
}

/* Without the brackets of sections and lists: "[mcp]", "ghosts[2].name", "ghosts[].name". */
static char *bare(const char *name)
{
	GString *out = g_string_new(NULL);

	for (; *name; name++) {
		if (*name == '[')
			name += strspn(name + 1, "0123456789");
		else if (*name != ']')
			g_string_append_c(out, *name);
	}
	return g_string_free(out, FALSE);
}

static gboolean is_meant(const char *name, const char *key, gboolean part)
{
	g_autofree char *own = bare(name);
	gsize len = strlen(key);

	return part ? strstr(own, key) != NULL
		    : !strcmp(own, key) || (!strncmp(own, key, len) && own[len] == '.');
}

static void add_options(GPtrArray *found, const SpkOpt *opt, const char *key,
			gboolean part)
{
	for (; opt->name; opt++)
		if (is_meant(opt->name, key, part))
			g_ptr_array_add(found, (gpointer)opt);
}

/* A name or a section; where there is none, a part of names. */
static void find(const char *key, Found *ret_found)
{
	*ret_found = (Found){ g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new() };
	for (int part = 0; part <= 1 && *key && !n_found(ret_found); part++) {
		add_options(ret_found->options, spk_conf_options(), key, part);
		add_options(ret_found->later, spk_conf_later_options(), key, part);
		for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
			if (is_meant(secret->key, key, part) || !strcmp(secret->env, key))
				g_ptr_array_add(ret_found->secrets, (gpointer)secret);
	}
}

static int refuse(const char *key, gboolean json)
{
	g_autofree char *nearest = spk_conf_nearest(key);
	g_autofree char *shown = spk_text_clip(key, 100);
	GError *error = NULL;

	spk_error_set(&error, SPK_ERR_NOT_FOUND, "`sparks config show` lists the options",
		      "there is no option %s%s", shown, nearest);
	return spk_cmd_fail(error, json);
}

static void print(const SpkConf *conf, const Found *found)
{
	for (guint i = 0; i < found->options->len; i++)
		print_option(conf, found->options->pdata[i]);
	for (guint i = 0; i < found->later->len; i++)
		print_later(found->later->pdata[i]);
	for (guint i = 0; i < found->secrets->len; i++)
		print_secret(found->secrets->pdata[i]);
}

static void print_json(const SpkConf *conf, const Found *found)
{
	g_autoptr(json_t) all = json_array();

	for (guint i = 0; i < found->options->len; i++)
		json_array_append_new(all,
				      option_to_json(conf, found->options->pdata[i]));
	for (guint i = 0; i < found->later->len; i++)
		json_array_append_new(all, later_to_json(found->later->pdata[i]));
	for (guint i = 0; i < found->secrets->len; i++)
		json_array_append_new(all, secret_to_json(found->secrets->pdata[i]));
	spk_cmd_print_json(json_array_size(all) == 1 ? json_array_get(all, 0) : all);
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autofree char *key = bare(spk_args_rest(args)[0]);
	g_auto(Found) found = { NULL };
	g_autoptr(SpkConf) loaded = NULL;
	g_autoptr(SpkConf) conf = NULL;
	int exit_code = 0;

	find(key, &found);
	if (!n_found(&found))
		return refuse(key, json);
	if (found.options->len) {
		loaded = spk_cmd_conf(args, json, &exit_code);
		if (!loaded)
			return exit_code;
		conf = spk_core_peek(loaded);
	}
	if (json)
		print_json(conf, &found);
	else
		print(conf, &found);
	return 0;
}

const SpkCmd spk_cmd_config_explain = {
	.name = "explain",
	.usage = "KEY",
	.summary = "Tell what an option is, what holds now and where that comes from.",
	.details =
		"KEY is an option, a key of [[ghosts]], a secret, a section, or a part of a name. "
		"--json prints an object for one and an array for several.",
	.example = "sparks config explain manager.max_steps",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
