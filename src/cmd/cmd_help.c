/* `sparks help`: the text of --help for the program or a command. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "cmd/cmd_all.h"
#include "cmd/cmd_priv.h"

/* The parser knows the way from words to a command: it is asked with --help behind them. */
static int show(const char *const *words)
{
	static const char *const start[] = { "sparks", "--help", "--" };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(SpkArgs) target = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(start); i++)
		g_ptr_array_add(argv, (gpointer)start[i]);
	for (; *words; words++)
		g_ptr_array_add(argv, (gpointer)*words);
	target = spk_args_parse(argv->len, (char **)argv->pdata, spk_commands, &error);
	if (!target)
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	text = spk_help_text(target->path, target->cmd, spk_term_width(STDOUT_FILENO));
	fputs(text, stdout);
	return 0;
}

static int run(const SpkArgs *args)
{
	return show(spk_args_rest(args));
}

const SpkCmd spk_cmd_help = {
	.name = "help",
	.usage = "[COMMAND...]",
	.summary = "Show what a command does and takes.",
	.example = "sparks help config show",
	.max_args = 4,
	.run = run,
};
