/* The manual page, made of the tables of commands, options and exit codes: man(7) macros. */
#include <string.h>

#include "cmd/frame/cmd_priv.h"
#include "cmd/frame/roff.h"
#include "conf/secret.h"

static const struct {
	int code;
	const char *sentence;
} exit_codes[] = {
	{ 0, "the work is done and its checks pass" },
	{ 1, "it failed, or was rolled back" },
	{ 2, "the call is wrong, or there was nothing to do" },
	{ 3, "done, but nothing proves it; with --strict all but verified" },
	{ 4, "not finished: waiting, paused, or the wait is over" },
	{ 69, "the model provider does not answer" },
	{ 75, "a limit is reached, or a failure that may pass" },
	{ 77, "refused by policy" },
	{ 78, "the configuration is wrong" },
	{ 130, "cancelled" },
};

static const struct {
	const char *name;
	const char *sentence;
} variables[] = {
	{ "NO_COLOR", "no colour on the terminal" },
	{ "SPARKS_ALLOW_INLINE_SECRETS", "1: read secrets from the config file too" },
	{ "SPARKS_HOME", "folder of all state, instead of ~/.sparks" },
	{ "SPARKS_LOG", "error, warn, info or debug: what is logged to stderr" },
	{ "SPARKS_SECRETS_KEY_FILE", "file with the key of ~/.sparks/secrets" },
	{ "SPARKS_SECTION_KEY", "any configuration option, as in SPARKS_UP_WORKERS" },
};

static const struct {
	const char *name;
	const char *sentence;
} files[] = {
	{ "./config.toml",
	  "configuration of a folder; may set what is sensitive once trusted" },
	{ "./.env", "variables beside the configuration in force; likewise" },
	{ "~/.sparks/config.toml", "configuration of the user" },
	{ "~/.sparks/secrets", "keys, where there is no keyring" },
	{ "~/.sparks/store.db", "tasks and their journal" },
	{ "~/.sparks/trust", "hashes of the files that are trusted" },
};

static void put_option(GString *out, const SpkCmdOpt *opt)
{
	g_autoptr(GString) tag = g_string_new(NULL);
	g_autoptr(GString) text = g_string_new(opt->sentence);

	if (opt->letter)
		g_string_append_printf(tag, "-%c, ", opt->letter);
	g_string_append_printf(tag, "--%s", opt->name);
	if (opt->alias)
		g_string_append_printf(tag, ", --%s", opt->alias);
	if (opt->value)
		g_string_append_printf(tag, " %s", opt->value);
	if (opt->choices) {
		g_auto(GStrv) words = g_strsplit(opt->choices, "|", -1);
		g_autofree char *all = g_strjoinv(", ", words);

		g_string_append_printf(text, ": %s", all);
	}
	if (opt->type == SPK_CMD_STRINGS)
		g_string_append(text, " (repeatable)");
	if (opt->unbuilt)
		g_string_append_printf(text, " (not in this version: %s)", opt->unbuilt);
	spk_roff_item(out, tag->str, text->str);
}

static void put_options(GString *out, const SpkCmdOpt *opt)
{
	for (; opt && opt->name; opt++)
		put_option(out, opt);
}

static void put_example(GString *out, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	g_string_append(out, ".PP\nExample:\n.PP\n.RS 4\n.nf\n");
	for (char **line = lines; *line; line++)
		spk_roff_line(out, *line);
	g_string_append(out, ".fi\n.RE\n");
}

static void put_one(GString *out, const char *path, const SpkCmd *cmd)
{
	g_string_append(out, ".SS ");
	spk_roff_text(out, path);
	if (*cmd->usage) {
		g_string_append_c(out, ' ');
		spk_roff_text(out, cmd->usage);
	}
	g_string_append_c(out, '\n');
	spk_roff_line(out, cmd->summary);
	if (cmd->details)
		spk_roff_paragraphs(out, cmd->details);
	put_options(out, cmd->options);
	put_example(out, cmd->example);
}

static void put_command(GString *out, const char *prefix, const SpkCmd *cmd)
{
	g_autofree char *path = g_strconcat(prefix, *prefix ? " " : "", cmd->name, NULL);

	if (cmd->run)
		put_one(out, path, cmd);
	for (const SpkCmd *const *sub = cmd->subs; sub && *sub; sub++)
		put_command(out, path, *sub);
}

static void put_secrets(GString *out)
{
	g_string_append(out, ".SH SECRETS\n");
	spk_roff_line(
		out,
		"Each is taken from the environment, else from .env, else from what "
		"`sparks secrets set` has kept; never from the command line, and from "
		"a configuration file only with SPARKS_ALLOW_INLINE_SECRETS=1.");
	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++) {
		g_autofree char *tag =
			g_strdup_printf("%s, %s", secret->key, secret->env);

		spk_roff_item(out, tag, secret->sentence);
	}
}

static void put_tables(GString *out)
{
	g_string_append(out, ".SH ENVIRONMENT\n");
	for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
		spk_roff_item(out, variables[i].name, variables[i].sentence);
	g_string_append(out, ".SH FILES\n");
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		spk_roff_item(out, files[i].name, files[i].sentence);
	g_string_append(out, ".SH EXIT STATUS\n");
	for (gsize i = 0; i < G_N_ELEMENTS(exit_codes); i++) {
		g_autofree char *code = g_strdup_printf("%d", exit_codes[i].code);

		spk_roff_item(out, code, exit_codes[i].sentence);
	}
}

char *spk_help_man(const SpkProgram *program)
{
	GString *out = g_string_new(".TH SPARKS 1 \"\" \"sparks " SPK_VERSION
				    "\" \"User Commands\"\n.SH NAME\n"
				    "sparks \\- agents that hand back verified commits\n"
				    ".SH SYNOPSIS\n.B sparks\n.I COMMAND\n.RI [ ARGS ]\n"
				    ".SH DESCRIPTION\n");

	spk_roff_line(
		out,
		"Gives a goal to an agent that works on a private copy of a repository in a "
		"sandbox, checks the result by running commands, and hands back a commit. "
		"`sparks demo` shows it without a key or a network.");
	g_string_append(out, ".SH OPTIONS OF EVERY COMMAND\n");
	put_options(out, spk_cmd_globals);
	g_string_append(out, ".SH COMMANDS\n");
	for (const SpkCmd *const *cmd = program->commands; *cmd; cmd++)
		put_command(out, "", *cmd);
	g_string_append(out, ".SH CONFIGURATION\n");
	spk_roff_line(
		out, "All options, and which of several values holds: sparks-config(5).");
	put_secrets(out);
	put_tables(out);
	return g_string_free(out, FALSE);
}
