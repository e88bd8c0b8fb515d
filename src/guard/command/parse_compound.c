/* Compound commands: loops, conditions, groups, and what redirections after them mean. */
#include "guard/command/parse_priv.h"

/* A list that may not be empty. */
static void read_body(Parser *p)
{
	guint before = p->print->len;

	p->body(p);
	if (!lex_failed(p) && p->print->len == before)
		parse_unexpected(p);
}

static void read_loop_body(Parser *p)
{
	parse_skip_lines(p);
	if (parse_at_keyword(p) == KW_OPEN) {
		parse_take_keyword(p, KW_OPEN);
		read_body(p);
		parse_say(p, ";");
		parse_expect(p, KW_CLOSE);
		return;
	}
	parse_expect(p, KW_DO);
	read_body(p);
	parse_say(p, ";");
	parse_expect(p, KW_DONE);
}

static void read_if(Parser *p)
{
	Keyword next;

	do {
		read_body(p);
		parse_say(p, ";");
		parse_expect(p, KW_THEN);
		read_body(p);
		parse_say(p, ";");
		next = lex_failed(p) ? KW_NONE : parse_at_keyword(p);
		if (next == KW_ELIF)
			parse_take_keyword(p, KW_ELIF);
	} while (next == KW_ELIF);
	if (next == KW_ELSE) {
		parse_take_keyword(p, KW_ELSE);
		read_body(p);
		parse_say(p, ";");
	}
	parse_expect(p, KW_FI);
}

static void skip_semicolon(Parser *p)
{
	lex_blanks(p);
	if (!parse_at_two(p, ';', ';') && parse_take(p, ';'))
		parse_say(p, ";");
}

static void read_arithmetic_command(Parser *p)
{
	Maker maker;
	guint from = p->pos;

	p->out->dialect = TRUE;
	parse_begin_pseudo(p, &maker);
	p->pos += 2;
	if (!lex_arithmetic(p))
		lex_fail(p, "has a (( that is not closed");
	parse_say(p, lex_slice(p, from, p->pos));
	parse_end(p, &maker);
}

static void read_for(Parser *p)
{
	Maker maker;
	SpkShellWord *word;

	lex_blanks(p);
	if (!p->posix && parse_at_two(p, '(', '(')) {
		read_arithmetic_command(p);
		skip_semicolon(p);
		read_loop_body(p);
		return;
	}
	parse_begin_pseudo(p, &maker);
	word = lex_word(p, LEX_WORD);
	if (!word) {
		parse_unexpected(p);
	} else {
		parse_say_word(p, word);
		g_ptr_array_add(p->out->names, g_strdup(word->text));
	}
	parse_skip_lines(p);
	if (!lex_failed(p) && parse_at_keyword(p) == KW_IN) {
		parse_take_keyword(p, KW_IN);
		for (lex_blanks(p); (word = lex_word(p, LEX_WORD)); lex_blanks(p)) {
			parse_say_word(p, word);
			g_ptr_array_add(maker.extra, word);
		}
		if (!lex_failed(p) && lex_peek(p) != ';' && lex_peek(p) != '\n')
			parse_unexpected(p);
		parse_say(p, ";");
	}
	parse_end(p, &maker);
	lex_blanks(p);
	if (!parse_at_two(p, ';', ';'))
		(void)parse_take(p, ';');
	read_loop_body(p);
}

static void read_case_item(Parser *p)
{
	SpkShellWord *word;

	lex_blanks(p);
	(void)parse_take(p, '(');
	do {
		lex_blanks(p);
		word = lex_word(p, LEX_COND);
		if (!word)
			parse_unexpected(p);
		else
			parse_say_word(p, word);
		lex_blanks(p);
		if (lex_peek(p) == '|')
			parse_say(p, "|");
	} while (parse_take(p, '|'));
	if (!parse_take(p, ')'))
		parse_unexpected(p);
	parse_say(p, ")");
	p->body(p);
	lex_blanks(p);
	parse_say(p, ";;");
	if (parse_take(p, ';')) {
		if (parse_take(p, '&') || (parse_take(p, ';') && parse_take(p, '&')))
			p->out->dialect = TRUE;
		return;
	}
	if (!lex_failed(p) && parse_at_keyword(p) != KW_ESAC)
		parse_unexpected(p);
}

static void read_case(Parser *p)
{
	Maker maker;
	SpkShellWord *word;

	lex_blanks(p);
	parse_begin_pseudo(p, &maker);
	word = lex_word(p, LEX_WORD);
	if (word) {
		parse_say_word(p, word);
		g_ptr_array_add(maker.extra, word);
	} else
		parse_unexpected(p);
	parse_end(p, &maker);
	parse_skip_lines(p);
	parse_expect(p, KW_IN);
	for (parse_skip_lines(p); !lex_failed(p) && parse_at_keyword(p) != KW_ESAC;
	     parse_skip_lines(p))
		read_case_item(p);
	parse_expect(p, KW_ESAC);
}

static void read_subshell(Parser *p)
{
	const char *way = p->way;
	gboolean sure = p->sure;

	p->way = lex_way(p, "subshell");
	p->sure = FALSE;
	p->pos++;
	parse_say(p, "(");
	read_body(p);
	if (!parse_take(p, ')'))
		parse_unexpected(p);
	parse_say(p, ")");
	p->way = way;
	p->sure = sure;
}

/* "((": arithmetic, else two subshells. */
static void read_parenthesis(Parser *p)
{
	const GPtrArray *docs = p->heredocs;
	guint from = p->pos, commands = p->out->commands->len, print = p->print->len;
	guint n_docs = docs->len;
	Maker maker;

	if (!parse_at_two(p, '(', '(') || p->posix) {
		p->out->dialect |= parse_at_two(p, '(', '(');
		read_subshell(p);
		return;
	}
	p->out->dialect = TRUE;
	parse_begin_pseudo(p, &maker);
	p->pos += 2;
	if (lex_arithmetic(p)) {
		parse_say(p, lex_slice(p, from, p->pos));
		parse_end(p, &maker);
		return;
	}
	parse_end(p, &maker);
	if (p->heredocs != docs || p->out->work > p->most) {
		lex_fail(p, "is too tangled to be read");
		return;
	}
	g_ptr_array_set_size(p->out->commands, commands);
	g_ptr_array_set_size(p->heredocs, n_docs);
	g_clear_pointer(&p->out->error, g_free);
	g_string_truncate(p->print, print);
	p->pos = from;
	read_subshell(p);
}

static void read_named_function(Parser *p)
{
	SpkShellWord *word;

	lex_blanks(p);
	word = lex_word(p, LEX_WORD);
	if (!word) {
		parse_unexpected(p);
		return;
	}
	parse_say_word(p, word);
	lex_blanks(p);
	if (parse_take(p, '(')) {
		lex_blanks(p);
		if (!parse_take(p, ')'))
			parse_unexpected(p);
	}
	parse_say(p, "()");
	parse_function(p, word->text);
}

/* coproc [NAME] COMMAND: a name only before a compound one. */
static void read_coproc(Parser *p)
{
	guint from;

	lex_blanks(p);
	p->in = SPK_STDIN_PIPE;
	p->from = -1;
	from = p->pos;
	if (parse_at_keyword(p) == KW_NONE && lex_peek(p) != '(') {
		SpkShellWord *name = lex_word(p, LEX_WORD);

		lex_blanks(p);
		if (name && (parse_at_keyword(p) != KW_NONE || lex_peek(p) == '('))
			parse_say_word(p, name);
		else if (!lex_failed(p))
			p->pos = from;
	}
	parse_command(p);
}

/* After the first word of it; FALSE: it opens no compound command. */
static gboolean read_by_keyword(Parser *p, Keyword keyword)
{
	switch (keyword) {
	case KW_OPEN:
		read_body(p);
		parse_say(p, ";");
		parse_expect(p, KW_CLOSE);
		return TRUE;
	case KW_IF:
		read_if(p);
		return TRUE;
	case KW_WHILE:
	case KW_UNTIL:
		read_body(p);
		parse_say(p, ";");
		read_loop_body(p);
		return TRUE;
	case KW_FOR:
	case KW_SELECT:
		read_for(p);
		return TRUE;
	case KW_CASE:
		read_case(p);
		return TRUE;
	case KW_COND:
		parse_cond(p);
		return TRUE;
	case KW_FUNCTION:
		read_named_function(p);
		return TRUE;
	case KW_COPROC:
		read_coproc(p);
		return TRUE;
	default:
		parse_unexpected(p);
		return TRUE;
	}
}

/* Redirections after a compound command hold for all that is in it. */
static void read_compound_redirs(Parser *p, guint first)
{
	Maker maker;
	guint index = p->out->commands->len;
	int c;

	parse_begin_pseudo(p, &maker);
	for (lex_blanks(p); !lex_failed(p); lex_blanks(p)) {
		c = lex_peek(p);
		if (parse_numbered_redir(p, &maker))
			continue;
		if (c != '<' && c != '>' && !(c == '&' && parse_at_two(p, '&', '>')))
			break;
		if (!parse_redir(p, &maker, -1))
			break;
	}
	parse_end(p, &maker);
	if (!maker.command->n_redirs) {
		if (index < p->out->commands->len)
			g_ptr_array_remove_index(p->out->commands, index);
		return;
	}
	for (guint i = 0; i < maker.command->n_redirs; i++) {
		const SpkShellRedir *redir = maker.command->redirs[i];
		gboolean file = redir->kind == SPK_REDIR_READ && !redir->target->n_open;

		if (redir->output || redir->fd > 0)
			continue;
		for (guint k = first; k < index; k++) {
			SpkShellCommand *command = p->out->commands->pdata[k];

			if (command->in == p->in && command->from == p->from) {
				command->in = file ? SPK_STDIN_FILE : SPK_STDIN_PIPE;
				command->from = (int)index;
			}
		}
	}
}

void parse_command(Parser *p)
{
	Keyword keyword;
	guint first = p->out->commands->len;
	SpkShellStdin in = p->in;
	int from = p->from;
	gboolean sure = p->sure;

	if (!lex_enter(p))
		return;
	lex_blanks(p);
	keyword = parse_at_keyword(p);
	if (keyword == KW_NONE && lex_peek(p) != '(') {
		parse_simple(p);
		p->depth--;
		return;
	}
	if (keyword != KW_OPEN)
		p->sure = FALSE;
	if (keyword == KW_NONE)
		read_parenthesis(p);
	else {
		if (lex_failed(p))
			return;
		if (keyword != KW_NOT && keyword != KW_TIME)
			parse_take_keyword(p, keyword);
		(void)read_by_keyword(p, keyword);
	}
	p->in = in;
	p->from = from;
	p->sure = sure;
	if (!lex_failed(p))
		read_compound_redirs(p, first);
	p->depth--;
}
