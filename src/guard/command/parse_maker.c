/* A command while it is read. */
#include "guard/command/parse_priv.h"

void parse_begin(Parser *p, Maker *maker)
{
	SpkShellCommand *command = spk_shell_alloc(p->out, sizeof *command);

	*command = (SpkShellCommand){ .at = lex_place(p),
				      .way = p->way,
				      .in = p->in,
				      .from = p->from,
				      .tail = "",
				      .sure = p->sure };
	if (p->out->commands->len >= SPK_SHELL_MAX_COMMANDS)
		lex_fail(p, "has too many commands");
	g_ptr_array_add(p->out->commands, command);
	*maker = (Maker){ command,	     g_ptr_array_new(), g_ptr_array_new(),
			  g_ptr_array_new(), g_ptr_array_new(), p->extra };
	p->extra = maker->extra;
}

void parse_end(Parser *p, Maker *maker)
{
	SpkShellCommand *command = maker->command;

	command->end = lex_place(p);
	command->words = shell_copy_array(p->out, maker->words);
	command->n_words = maker->words->len;
	command->assigns = shell_copy_array(p->out, maker->assigns);
	command->n_assigns = maker->assigns->len;
	command->extra = shell_copy_array(p->out, maker->extra);
	command->n_extra = maker->extra->len;
	/* pointers: the text of a here-document comes later */
	command->redirs = shell_copy_array(p->out, maker->redirs);
	command->n_redirs = maker->redirs->len;
	p->extra = maker->around;
	g_ptr_array_unref(maker->words);
	g_ptr_array_unref(maker->assigns);
	g_ptr_array_unref(maker->redirs);
	g_ptr_array_unref(maker->extra);
}

void parse_begin_pseudo(Parser *p, Maker *maker)
{
	parse_begin(p, maker);
	maker->command->pseudo = TRUE;
}
