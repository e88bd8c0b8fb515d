/* --help from the tables: usage, what it does, options, an example. */
#include <string.h>

#include "base/text.h"
#include "cmd/frame/cmd_priv.h"

enum { MAX_WIDTH = 92, COMMAND_COLUMN = 16, OPTION_COLUMN = 30 };

/* Appends words at `indent`, wrapped; the first line goes on at column `at`. */
static void wrap(GString *out, const char *text, int at, int indent, int width)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	gboolean first = TRUE;

	for (char **word = words; *word; word++) {
		int len = spk_text_width(*word);

		if (!first && at + 1 + len > width) {
			g_string_append_printf(out, "\n%*s", indent, "");
			at = indent;
			first = TRUE;
		}
		g_string_append_printf(out, "%s%s", first ? "" : " ", *word);
		at += len + !first;
		first = FALSE;
	}
	g_string_append_c(out, '\n');
}

/* "  left            right, wrapped" */
static void row(GString *out, const char *left, const char *right, int column, int width)
{
	int at = 2 + spk_text_width(left);

	g_string_append_printf(out, "  %s", left);
	if (at + 2 > column) {
		g_string_append_c(out, '\n');
		at = 0;
	}
	g_string_append_printf(out, "%*s", column - at, "");
	wrap(out, right, column, column, width);
}

static void paragraphs(GString *out, const char *text, int width)
{
	g_auto(GStrv) parts = g_strsplit(text, "\n", -1);

	for (char **part = parts; *part; part++)
		wrap(out, *part, 0, 0, width);
}

static void option_row(GString *out, const SpkCmdOpt *opt, int width)
{
	g_autofree char *left = NULL;
	g_autoptr(GString) right = g_string_new(opt->sentence);
	char letter[] = { '-', opt->letter, ',', ' ', '\0' };

	left = g_strdup_printf("%s--%s%s%s", opt->letter ? letter : "    ", opt->name,
			       opt->value ? " " : "", opt->value ? opt->value : "");
	if (opt->choices) {
		g_auto(GStrv) words = g_strsplit(opt->choices, "|", -1);
		g_autofree char *all = g_strjoinv(", ", words);

		g_string_append_printf(right, ": %s", all);
	}
	if (opt->type == SPK_CMD_STRINGS)
		g_string_append(right, " (repeatable)");
	if (opt->alias)
		g_string_append_printf(right, " (also --%s)", opt->alias);
	row(out, left, right->str, OPTION_COLUMN, width);
}

static void options(GString *out, const char *title, const SpkCmdOpt *table, int width)
{
	gboolean any = FALSE;

	for (const SpkCmdOpt *opt = table; opt && opt->name; opt++) {
		if (opt->unbuilt)
			continue;
		if (!any)
			g_string_append_printf(out, "\n%s:\n", title);
		any = TRUE;
		option_row(out, opt, width);
	}
}

static void unbuilt_options(GString *out, const SpkCmdOpt *table, int width)
{
	gboolean any = FALSE;

	for (const SpkCmdOpt *opt = table; opt && opt->name; opt++) {
		g_autofree char *left = g_strconcat("    --", opt->name, NULL);

		if (!opt->unbuilt)
			continue;
		if (!any)
			g_string_append(out, "\nnot in this version:\n");
		any = TRUE;
		row(out, left, opt->unbuilt, OPTION_COLUMN, width);
	}
}

static void commands(GString *out, const SpkCmd *const *table, int width)
{
	g_string_append(out, "\ncommands:\n");
	for (; *table; table++)
		row(out, (*table)->name, (*table)->summary, COMMAND_COLUMN, width);
}

static void example(GString *out, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	g_string_append(out, "\nexample:\n");
	for (char **line = lines; *line; line++)
		g_string_append_printf(out, "  %s\n", *line);
}

char *spk_help_program(const SpkProgram *program, int width)
{
	GString *out = g_string_new(NULL);

	width = MIN(width, MAX_WIDTH) - 1;
	g_string_append(out, "usage: sparks COMMAND [ARGS]\n\n");
	wrap(out,
	     "Sparks gives a goal to an agent that works on a private copy of your repository "
	     "in a sandbox, checks the result by running commands, and hands back a commit.",
	     0, 0, width);
	commands(out, program->commands, width);
	options(out, "options of every command", spk_cmd_globals, width);
	g_string_append(
		out,
		"\nstart here:\n"
		"  sparks demo              see a whole task run, no key or network needed\n"
		"  sparks help COMMAND      what a command does and takes\n");
	return g_string_free(out, FALSE);
}

static void globals(GString *out, int width)
{
	g_autoptr(GString) text = g_string_new("Options of every command: ");

	for (const SpkCmdOpt *opt = spk_cmd_globals; opt->name; opt++)
		g_string_append_printf(text, "%s--%s%s%s",
				       opt == spk_cmd_globals ? "" : ", ", opt->name,
				       opt->value ? " " : "",
				       opt->value ? opt->value : "");
	g_string_append_c(text, '.');
	g_string_append_c(out, '\n');
	wrap(out, text->str, 0, 0, width);
}

char *spk_help_text(const char *path, const SpkCmd *cmd, int width)
{
	GString *out = g_string_new(NULL);

	width = MIN(width, MAX_WIDTH) - 1;
	g_string_append_printf(out, "usage: %s%s", path,
			       cmd->options ? " [OPTIONS]" : "");
	if (cmd->subs && cmd->max_args)
		g_string_append_printf(out, " %s | COMMAND", cmd->usage);
	else if (cmd->subs)
		g_string_append(out, cmd->run ? " [COMMAND]" : " COMMAND");
	else if (*cmd->usage)
		g_string_append_printf(out, " %s", cmd->usage);
	g_string_append(out, "\n\n");
	wrap(out, cmd->summary, 0, 0, width);
	if (cmd->details) {
		g_string_append_c(out, '\n');
		paragraphs(out, cmd->details, width);
	}
	if (cmd->subs)
		commands(out, cmd->subs, width);
	options(out, "options", cmd->options, width);
	unbuilt_options(out, cmd->options, width);
	example(out, cmd->example);
	globals(out, width);
	return g_string_free(out, FALSE);
}
