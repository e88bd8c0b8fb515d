/* Simple commands: their words, assignments and redirections; and functions, which begin so. */
#include <string.h>

#include "guard/command/parse_priv.h"

static gboolean takes_arrays(const GPtrArray *words)
{
	static const char *const names[] = { "declare",	 "typeset", "local", "export",
					     "readonly", "eval",    NULL };
	const SpkShellWord *first = words->len ? words->pdata[0] : NULL;

	return !first || g_strv_contains(names, first->text);
}

/* A word of the command; FALSE: it ends here. */
static gboolean read_word(Parser *p, Maker *maker)
{
	SpkShellWord *word;
	guint value;
	int c = lex_peek(p);

	if (parse_numbered_redir(p, maker))
		return !lex_failed(p);
	if (c == '<' || c == '>' || c == '&') {
		gboolean process = !p->posix && c != '&' && parse_at_two(p, c, '(');

		if (!process && (c != '&' || parse_at_two(p, '&', '>')) &&
		    parse_redir(p, maker, -1))
			return !lex_failed(p);
		if (!process)
			return FALSE;
	}
	word = lex_word(p, takes_arrays(maker->words) ? LEX_ASSIGN : LEX_WORD);
	if (!word)
		return FALSE;
	parse_say_word(p, word);
	if (!maker->words->len && spk_shell_assigned(word, &value))
		g_ptr_array_add(maker->assigns, word);
	else
		g_ptr_array_add(maker->words, word);
	return TRUE;
}

/* "NAME ()" and what it stands for. */
void parse_function(Parser *p, const char *name)
{
	const char *around = p->way;
	g_autofree char *way = NULL;
	g_autofree char *clean = g_strndup(name, 40);
	gboolean sure = p->sure, simple;

	way = g_strconcat("function ", clean, NULL);
	p->way = lex_way(p, spk_shell_dup(p->out, way, strlen(way)));
	p->sure = FALSE;
	parse_skip_lines(p);
	/* bash wants a compound command there */
	simple = parse_at_keyword(p) == KW_NONE && lex_peek(p) != '(';
	p->out->dialect |= simple;
	if (lex_peek(p) < 0 || (simple && !p->posix))
		parse_unexpected(p);
	else
		p->command(p);
	p->way = around;
	p->sure = sure;
}

static gboolean is_function(Parser *p, const Maker *maker)
{
	lex_blanks(p);
	return maker->words->len == 1 && !maker->assigns->len && !maker->redirs->len &&
	       lex_peek(p) == '(';
}

void parse_simple(Parser *p)
{
	Maker maker;
	const SpkShellWord *name;
	guint index = p->out->commands->len;

	parse_begin(p, &maker);
	while (read_word(p, &maker)) {
		if (is_function(p, &maker))
			break;
	}
	name = maker.words->len ? maker.words->pdata[0] : NULL;
	if (!lex_failed(p) && !maker.words->len && !maker.assigns->len &&
	    !maker.redirs->len)
		parse_unexpected(p);
	if (!lex_failed(p) && is_function(p, &maker)) {
		parse_end(p, &maker);
		g_ptr_array_remove_index(p->out->commands, index);
		p->pos++;
		lex_blanks(p);
		if (!parse_take(p, ')'))
			parse_unexpected(p);
		parse_say(p, "()");
		parse_function(p, name->text);
		return;
	}
	parse_end(p, &maker);
}
