/* Redirections, with the numbers before them; here-documents are noted for the lexer. */
#include <string.h>

#include "guard/command/parse_priv.h"

typedef struct {
	const char *text;
	SpkRedirKind kind;
	gboolean output;
	gboolean bash;
} Operator;

/* Longer ones first. */
static const Operator operators[] = {
	{ "<<<", SPK_REDIR_HERETEXT, FALSE, TRUE },
	{ "<<-", SPK_REDIR_HEREDOC, FALSE, FALSE },
	{ "<<", SPK_REDIR_HEREDOC, FALSE, FALSE },
	{ "<&", SPK_REDIR_COPY, FALSE, FALSE },
	{ "<>", SPK_REDIR_BOTH, TRUE, FALSE },
	{ "<", SPK_REDIR_READ, FALSE, FALSE },
	{ ">>", SPK_REDIR_APPEND, TRUE, FALSE },
	{ ">&", SPK_REDIR_COPY, TRUE, FALSE },
	{ ">|", SPK_REDIR_WRITE, TRUE, FALSE },
	{ ">", SPK_REDIR_WRITE, TRUE, FALSE },
	{ "&>>", SPK_REDIR_APPEND, TRUE, TRUE },
	{ "&>", SPK_REDIR_WRITE, TRUE, TRUE },
};

static const Operator *take_operator(Parser *p)
{
	guint from = p->pos;

	for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
		const char *text = operators[i].text;

		p->out->dialect |= operators[i].bash &&
				   parse_at_two(p, text[0], text[1]) &&
				   (text[0] == '&' || p->s[p->pos + 2] == '<');
		if (operators[i].bash && p->posix)
			continue;
		while (*text && parse_take(p, *text))
			text++;
		if (!*text)
			return &operators[i];
		p->pos = from;
	}
	return NULL;
}

static gboolean is_number(const SpkShellWord *word)
{
	gsize n = strspn(word->text, "0123456789");

	return word->len && !word->n_open &&
	       (n == word->len || (n + 1 == word->len && word->text[n] == '-'));
}

static gboolean is_digits(const SpkShellWord *word)
{
	return word->len && strspn(word->text, "0123456789") == word->len &&
	       word->classes[0] == SPK_SHELL_PLAIN;
}

gboolean parse_redir(Parser *p, Maker *maker, int fd)
{
	const Operator *op = take_operator(p);
	SpkShellRedir *redir;
	g_autofree char *text = NULL;
	SpkShellWord *word;
	guint from;

	if (!op)
		return FALSE;
	lex_blanks(p);
	from = p->pos;
	word = lex_word(p, LEX_WORD);
	/* "> 2>x": the number would belong to the next one */
	if (!word || (is_digits(word) && lex_peek(p) > 0 && strchr("<>", lex_peek(p)))) {
		parse_unexpected(p);
		return TRUE;
	}
	redir = spk_shell_alloc(p->out, sizeof *redir);
	*redir = (SpkShellRedir){ op->kind, op->output, fd, word };
	text = fd < 0 ? g_strdup(op->text) : g_strdup_printf("%d%s", fd, op->text);
	parse_say(p, text);
	if (op->kind == SPK_REDIR_HEREDOC) {
		gboolean quoted = FALSE;

		for (guint i = from; i < p->pos; i++)
			quoted |= strchr("'\"\\", p->s[i]) != NULL;
		lex_heredoc(p, redir, word, quoted, op->text[2] == '-');
	} else if (op->kind == SPK_REDIR_COPY && op->output && !is_number(word) &&
		   strcmp(word->text, "-"))
		redir->kind = SPK_REDIR_WRITE; /* >&file */
	if (op->kind != SPK_REDIR_COPY && op->kind != SPK_REDIR_HEREDOC)
		parse_say(p, "");
	spk_shell_print_word(p->print, word);
	g_ptr_array_add(maker->redirs, redir);
	return TRUE;
}

gboolean parse_numbered_redir(Parser *p, Maker *maker)
{
	guint from = p->pos;
	int fd = 0, c;

	if (lex_peek(p) == '{' && !p->posix) {
		do
			p->pos++;
		while (g_ascii_isalnum(c = lex_peek(p)) || c == '_');
		if (c == '}' && p->pos > from + 1) {
			p->pos++;
			c = lex_peek(p);
			if ((c == '<' || c == '>') && !parse_at_two(p, c, '(')) {
				p->out->dialect = TRUE;
				return parse_redir(p, maker, -1);
			}
		}
		p->pos = from;
		return FALSE;
	}
	if (!g_ascii_isdigit(lex_peek(p)))
		return FALSE;
	while (g_ascii_isdigit(c = lex_peek(p)) && fd < 100000) {
		fd = fd * 10 + c - '0';
		p->pos++;
	}
	if ((c == '<' || c == '>') && (p->posix || !parse_at_two(p, c, '(')))
		return parse_redir(p, maker, fd);
	p->pos = from;
	return FALSE;
}
