/* `sparks help`: the text of --help for the program or a command, or the manual page. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "cmd/cmd_all.h"
#include "cmd/frame/cmd_priv.h"

/* The parser knows the way from words to a command: it is asked with --help behind them. */
static int show(const SpkProgram *program, const char *const *words)
{
	static const char *const start[] = { "sparks", "--help", "--" };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(SpkArgs) target = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	int width = spk_term_width(STDOUT_FILENO);

	for (gsize i = 0; i < G_N_ELEMENTS(start); i++)
		g_ptr_array_add(argv, (gpointer)start[i]);
	for (; *words; words++)
		g_ptr_array_add(argv, (gpointer)*words);
	target = spk_args_parse(program, (int)argv->len, (char **)argv->pdata, &error);
	if (!target)
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	text = target->cmd ? spk_help_text(target->path, target->cmd, width)
			   : spk_help_program(program, width);
	fputs(text, stdout);
	return 0;
}

static int run(const SpkArgs *args)
{
	g_autofree char *page = NULL;

	if (!spk_args_flag(args, "man"))
		return show(args->program, spk_args_rest(args));
	page = spk_help_man(args->program);
	fputs(page, stdout);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "man", .type = SPK_CMD_FLAG, .sentence = "print the manual page (man macros)" },
	{ NULL },
};

const SpkCmd spk_cmd_help = {
	.name = "help",
	.usage = "[COMMAND...]",
	.summary = "Show what a command does and takes.",
	.example = "sparks help config show",
	.options = options,
	.max_args = 4,
	.run = run,
};
