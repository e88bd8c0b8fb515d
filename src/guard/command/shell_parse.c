/*
 * Words to commands: the grammar, by recursive descent, and the normalised line on the way. The
 * rules call each other in circles, as a grammar's do, so they stand in one file.
 */
#include <string.h>

#include "guard/command/shell_priv.h"

static void read_list(Parser *p);
static void read_command(Parser *p);

/* ---- the normalised line ---- */

static void say(Parser *p, const char *text)
{
	GString *out = p->print;

	if (*text == ';' && out->len && out->str[out->len - 1] == '&')
		text++; /* "a & }" */
	if (out->len && !strchr(" (", out->str[out->len - 1]) && *text != ';' &&
	    *text != ')')
		g_string_append_c(out, ' ');
	g_string_append(out, text);
}

static void say_word(Parser *p, const SpkShellWord *word)
{
	say(p, "");
	spk_shell_print_word(p->print, word);
}

/* ---- tokens ---- */

static gboolean take(Parser *p, int c)
{
	if (lex_peek(p) != c)
		return FALSE;
	p->pos++;
	return TRUE;
}

static gboolean at_two(Parser *p, int a, int b)
{
	guint from = p->pos;
	gboolean found = take(p, a) && lex_peek(p) == b;

	p->pos = from;
	return found;
}

static void unexpected(Parser *p)
{
	g_autofree char *why = NULL;
	int c = lex_peek(p);

	if (c < 0)
		lex_fail(p, "ends in the middle of a command");
	else {
		why = c == '\n' ? g_strdup("has an end of line where none may be")
				: g_strdup_printf("has %s%c%s where none may be",
						  c > 0x20 && c < 0x7f ? "\"" : "a byte ",
						  c > 0x20 && c < 0x7f ? c : '?',
						  c > 0x20 && c < 0x7f ? "\"" : "");
		lex_fail(p, why);
	}
}

static void skip_lines(Parser *p)
{
	for (;;) {
		lex_blanks(p);
		if (!take(p, '\n'))
			return;
		lex_heredoc_texts(p);
	}
}

/* clang-format off */
#define KEYWORDS(X)                                                                            \
	X(IF, "if") X(THEN, "then") X(ELIF, "elif") X(ELSE, "else") X(FI, "fi")                \
	X(WHILE, "while") X(UNTIL, "until") X(FOR, "for") X(DO, "do") X(DONE, "done")          \
	X(CASE, "case") X(ESAC, "esac") X(IN, "in") X(OPEN, "{") X(CLOSE, "}") X(NOT, "!")     \
	X(SELECT, "select") X(FUNCTION, "function") X(COND, "[[") X(COND_END, "]]") \
	X(COPROC, "coproc") X(TIME, "time")
/* clang-format on */

typedef enum {
	KW_NONE,
#define X(sym, text) KW_##sym,
	KEYWORDS(X)
#undef X
} Keyword;

static const char *const keyword_texts[] = { NULL,
#define X(sym, text) text,
					     KEYWORDS(X)
#undef X
};

/* Those from here on are bash's own. */
#define FIRST_OF_BASH KW_SELECT

/* The reserved word that stands here; it is not taken. */
static Keyword at_keyword(Parser *p)
{
	char text[12];
	guint from = p->pos, n = 0;
	Keyword found = KW_NONE;
	int c;

	while ((c = lex_peek(p)) > 0 && !strchr(" \t\n;&|<>()", c) &&
	       n < sizeof text - 1) {
		text[n++] = c;
		p->pos++;
	}
	if ((c == '<' || c == '>') && !p->posix && at_two(p, c, '('))
		n = 0; /* "in<(x)" is a word */
	p->pos = from;
	text[n] = '\0';
	for (Keyword k = 1; n && k < G_N_ELEMENTS(keyword_texts); k++)
		if (!strcmp(keyword_texts[k], text))
			found = k;
	if (found >= FIRST_OF_BASH) {
		p->out->dialect = TRUE;
		return p->posix ? KW_NONE : found;
	}
	return found;
}

/* Takes the text of a reserved word that at_keyword() found. */
static void take_keyword(Parser *p, Keyword keyword)
{
	for (gsize n = strlen(keyword_texts[keyword]); n > 0; n--) {
		(void)lex_peek(p); /* joins what goes on */
		p->pos++;
	}
	say(p, keyword_texts[keyword]);
}

static void expect(Parser *p, Keyword keyword)
{
	lex_blanks(p);
	if (at_keyword(p) == keyword)
		take_keyword(p, keyword);
	else
		unexpected(p);
}

/* ---- simple commands ---- */

typedef struct {
	SpkShellCommand *command;
	GPtrArray *words, *assigns, *redirs, *extra;
	GPtrArray *around; /* extra words of the command around */
} Maker;

static void begin(Parser *p, Maker *maker)
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

static void end(Parser *p, Maker *maker)
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

		p->out->dialect |= operators[i].bash && at_two(p, text[0], text[1]) &&
				   (text[0] == '&' || p->s[p->pos + 2] == '<');
		if (operators[i].bash && p->posix)
			continue;
		while (*text && take(p, *text))
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

/* A redirection, after the number before it; FALSE: none begins here. */
static gboolean read_redir(Parser *p, Maker *maker, int fd)
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
		unexpected(p);
		return TRUE;
	}
	redir = spk_shell_alloc(p->out, sizeof *redir);
	*redir = (SpkShellRedir){ op->kind, op->output, fd, word };
	text = fd < 0 ? g_strdup(op->text) : g_strdup_printf("%d%s", fd, op->text);
	say(p, text);
	if (op->kind == SPK_REDIR_HEREDOC) {
		gboolean quoted = FALSE;

		for (guint i = from; i < p->pos; i++)
			quoted |= strchr("'\"\\", p->s[i]) != NULL;
		lex_heredoc(p, redir, word, quoted, op->text[2] == '-');
	} else if (op->kind == SPK_REDIR_COPY && op->output && !is_number(word) &&
		   strcmp(word->text, "-"))
		redir->kind = SPK_REDIR_WRITE; /* >&file */
	if (op->kind != SPK_REDIR_COPY && op->kind != SPK_REDIR_HEREDOC)
		say(p, "");
	spk_shell_print_word(p->print, word);
	g_ptr_array_add(maker->redirs, redir);
	return TRUE;
}

/* "2>" or "{fd}>": what stands before the operator. */
static gboolean read_numbered(Parser *p, Maker *maker)
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
			if ((c == '<' || c == '>') && !at_two(p, c, '(')) {
				p->out->dialect = TRUE;
				return read_redir(p, maker, -1);
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
	if ((c == '<' || c == '>') && (p->posix || !at_two(p, c, '(')))
		return read_redir(p, maker, fd);
	p->pos = from;
	return FALSE;
}

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

	if (read_numbered(p, maker))
		return !lex_failed(p);
	if (c == '<' || c == '>' || c == '&') {
		gboolean process = !p->posix && c != '&' && at_two(p, c, '(');

		if (!process && (c != '&' || at_two(p, '&', '>')) &&
		    read_redir(p, maker, -1))
			return !lex_failed(p);
		if (!process)
			return FALSE;
	}
	word = lex_word(p, takes_arrays(maker->words) ? LEX_ASSIGN : LEX_WORD);
	if (!word)
		return FALSE;
	say_word(p, word);
	if (!maker->words->len && spk_shell_assigned(word, &value))
		g_ptr_array_add(maker->assigns, word);
	else
		g_ptr_array_add(maker->words, word);
	return TRUE;
}

/* "NAME ()" and what it stands for. */
static void read_function(Parser *p, const char *name)
{
	const char *around = p->way;
	g_autofree char *way = NULL;
	g_autofree char *clean = g_strndup(name, 40);
	gboolean sure = p->sure, simple;

	way = g_strconcat("function ", clean, NULL);
	p->way = lex_way(p, spk_shell_dup(p->out, way, strlen(way)));
	p->sure = FALSE;
	skip_lines(p);
	/* bash wants a compound command there */
	simple = at_keyword(p) == KW_NONE && lex_peek(p) != '(';
	p->out->dialect |= simple;
	if (lex_peek(p) < 0 || (simple && !p->posix))
		unexpected(p);
	else
		read_command(p);
	p->way = around;
	p->sure = sure;
}

static gboolean is_function(Parser *p, const Maker *maker)
{
	lex_blanks(p);
	return maker->words->len == 1 && !maker->assigns->len && !maker->redirs->len &&
	       lex_peek(p) == '(';
}

static void read_simple(Parser *p)
{
	Maker maker;
	const SpkShellWord *name;
	guint index = p->out->commands->len;

	begin(p, &maker);
	while (read_word(p, &maker)) {
		if (is_function(p, &maker))
			break;
	}
	name = maker.words->len ? maker.words->pdata[0] : NULL;
	if (!lex_failed(p) && !maker.words->len && !maker.assigns->len &&
	    !maker.redirs->len)
		unexpected(p);
	if (!lex_failed(p) && is_function(p, &maker)) {
		end(p, &maker);
		g_ptr_array_remove_index(p->out->commands, index);
		p->pos++;
		lex_blanks(p);
		if (!take(p, ')'))
			unexpected(p);
		say(p, "()");
		read_function(p, name->text);
		return;
	}
	end(p, &maker);
}

/* ---- compound commands ---- */

/* A list that may not be empty. */
static void read_body(Parser *p)
{
	guint before = p->print->len;

	read_list(p);
	if (!lex_failed(p) && p->print->len == before)
		unexpected(p);
}

static void read_loop_body(Parser *p)
{
	skip_lines(p);
	if (at_keyword(p) == KW_OPEN) {
		take_keyword(p, KW_OPEN);
		read_body(p);
		say(p, ";");
		expect(p, KW_CLOSE);
		return;
	}
	expect(p, KW_DO);
	read_body(p);
	say(p, ";");
	expect(p, KW_DONE);
}

static void read_if(Parser *p)
{
	Keyword next;

	do {
		read_body(p);
		say(p, ";");
		expect(p, KW_THEN);
		read_body(p);
		say(p, ";");
		next = lex_failed(p) ? KW_NONE : at_keyword(p);
		if (next == KW_ELIF)
			take_keyword(p, KW_ELIF);
	} while (next == KW_ELIF);
	if (next == KW_ELSE) {
		take_keyword(p, KW_ELSE);
		read_body(p);
		say(p, ";");
	}
	expect(p, KW_FI);
}

/* A command that none is: its words are looked at all the same. */
static void begin_pseudo(Parser *p, Maker *maker)
{
	begin(p, maker);
	maker->command->pseudo = TRUE;
}

static void skip_semicolon(Parser *p)
{
	lex_blanks(p);
	if (!at_two(p, ';', ';') && take(p, ';'))
		say(p, ";");
}

static void read_arithmetic_command(Parser *p)
{
	Maker maker;
	guint from = p->pos;

	p->out->dialect = TRUE;
	begin_pseudo(p, &maker);
	p->pos += 2;
	if (!lex_arithmetic(p))
		lex_fail(p, "has a (( that is not closed");
	say(p, lex_slice(p, from, p->pos));
	end(p, &maker);
}

static void read_for(Parser *p)
{
	Maker maker;
	SpkShellWord *word;

	lex_blanks(p);
	if (!p->posix && at_two(p, '(', '(')) {
		read_arithmetic_command(p);
		skip_semicolon(p);
		read_loop_body(p);
		return;
	}
	begin_pseudo(p, &maker);
	word = lex_word(p, LEX_WORD);
	if (!word) {
		unexpected(p);
	} else {
		say_word(p, word);
		g_ptr_array_add(p->out->names, g_strdup(word->text));
	}
	skip_lines(p);
	if (!lex_failed(p) && at_keyword(p) == KW_IN) {
		take_keyword(p, KW_IN);
		for (lex_blanks(p); (word = lex_word(p, LEX_WORD)); lex_blanks(p)) {
			say_word(p, word);
			g_ptr_array_add(maker.extra, word);
		}
		if (!lex_failed(p) && lex_peek(p) != ';' && lex_peek(p) != '\n')
			unexpected(p);
		say(p, ";");
	}
	end(p, &maker);
	lex_blanks(p);
	if (!at_two(p, ';', ';'))
		(void)take(p, ';');
	read_loop_body(p);
}

static void read_case_item(Parser *p)
{
	SpkShellWord *word;

	lex_blanks(p);
	(void)take(p, '(');
	do {
		lex_blanks(p);
		word = lex_word(p, LEX_COND);
		if (!word)
			unexpected(p);
		else
			say_word(p, word);
		lex_blanks(p);
		if (lex_peek(p) == '|')
			say(p, "|");
	} while (take(p, '|'));
	if (!take(p, ')'))
		unexpected(p);
	say(p, ")");
	read_list(p);
	lex_blanks(p);
	say(p, ";;");
	if (take(p, ';')) {
		if (take(p, '&') || (take(p, ';') && take(p, '&')))
			p->out->dialect = TRUE;
		return;
	}
	if (!lex_failed(p) && at_keyword(p) != KW_ESAC)
		unexpected(p);
}

static void read_case(Parser *p)
{
	Maker maker;
	SpkShellWord *word;

	lex_blanks(p);
	begin_pseudo(p, &maker);
	word = lex_word(p, LEX_WORD);
	if (word) {
		say_word(p, word);
		g_ptr_array_add(maker.extra, word);
	} else
		unexpected(p);
	end(p, &maker);
	skip_lines(p);
	expect(p, KW_IN);
	for (skip_lines(p); !lex_failed(p) && at_keyword(p) != KW_ESAC; skip_lines(p))
		read_case_item(p);
	expect(p, KW_ESAC);
}

/* One token of [[ ]]; the regular expression after =~ has its own rules. */
static void read_cond_token(Parser *p, Maker *maker, gboolean *regex)
{
	static const char *const signs[] = { "&&", "||", "(", ")", "<", ">", NULL };
	SpkShellWord *word;

	for (guint i = 0; signs[i] && !*regex; i++) {
		if (signs[i][1] ? at_two(p, signs[i][0], signs[i][1])
				: lex_peek(p) == signs[i][0]) {
			for (const char *c = signs[i]; *c; c++)
				(void)take(p, *c);
			say(p, signs[i]);
			return;
		}
	}
	word = lex_word(p, *regex ? LEX_REGEX : LEX_COND);
	if (!word) {
		unexpected(p);
		return;
	}
	say_word(p, word);
	*regex = !strcmp(word->text, "=~");
	g_ptr_array_add(maker->extra, word);
}

static gboolean at_cond_end(Parser *p)
{
	guint from = p->pos;
	gboolean found = take(p, ']') && take(p, ']') &&
			 (lex_peek(p) < 0 || strchr(" \t\n;&|<>()", lex_peek(p)));

	if (!found)
		p->pos = from;
	return found;
}

static void read_cond(Parser *p)
{
	Maker maker;
	gboolean regex = FALSE;

	begin_pseudo(p, &maker);
	for (skip_lines(p); !lex_failed(p) && !at_cond_end(p); skip_lines(p))
		read_cond_token(p, &maker, &regex);
	if (!maker.extra->len)
		unexpected(p);
	say(p, "]]");
	end(p, &maker);
}

static void read_subshell(Parser *p)
{
	const char *way = p->way;
	gboolean sure = p->sure;

	p->way = lex_way(p, "subshell");
	p->sure = FALSE;
	p->pos++;
	say(p, "(");
	read_body(p);
	if (!take(p, ')'))
		unexpected(p);
	say(p, ")");
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

	if (!at_two(p, '(', '(') || p->posix) {
		p->out->dialect |= at_two(p, '(', '(');
		read_subshell(p);
		return;
	}
	p->out->dialect = TRUE;
	begin_pseudo(p, &maker);
	p->pos += 2;
	if (lex_arithmetic(p)) {
		say(p, lex_slice(p, from, p->pos));
		end(p, &maker);
		return;
	}
	end(p, &maker);
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
		unexpected(p);
		return;
	}
	say_word(p, word);
	lex_blanks(p);
	if (take(p, '(')) {
		lex_blanks(p);
		if (!take(p, ')'))
			unexpected(p);
	}
	say(p, "()");
	read_function(p, word->text);
}

/* coproc [NAME] COMMAND: a name only before a compound one. */
static void read_coproc(Parser *p)
{
	guint from;

	lex_blanks(p);
	p->in = SPK_STDIN_PIPE;
	p->from = -1;
	from = p->pos;
	if (at_keyword(p) == KW_NONE && lex_peek(p) != '(') {
		SpkShellWord *name = lex_word(p, LEX_WORD);

		lex_blanks(p);
		if (name && (at_keyword(p) != KW_NONE || lex_peek(p) == '('))
			say_word(p, name);
		else if (!lex_failed(p))
			p->pos = from;
	}
	read_command(p);
}

/* After the first word of it; FALSE: it opens no compound command. */
static gboolean read_by_keyword(Parser *p, Keyword keyword)
{
	switch (keyword) {
	case KW_OPEN:
		read_body(p);
		say(p, ";");
		expect(p, KW_CLOSE);
		return TRUE;
	case KW_IF:
		read_if(p);
		return TRUE;
	case KW_WHILE:
	case KW_UNTIL:
		read_body(p);
		say(p, ";");
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
		read_cond(p);
		return TRUE;
	case KW_FUNCTION:
		read_named_function(p);
		return TRUE;
	case KW_COPROC:
		read_coproc(p);
		return TRUE;
	default:
		unexpected(p);
		return TRUE;
	}
}

/* Redirections after a compound command hold for all that is in it. */
static void read_compound_redirs(Parser *p, guint first)
{
	Maker maker;
	guint index = p->out->commands->len;
	int c;

	begin_pseudo(p, &maker);
	for (lex_blanks(p); !lex_failed(p); lex_blanks(p)) {
		c = lex_peek(p);
		if (read_numbered(p, &maker))
			continue;
		if (c != '<' && c != '>' && !(c == '&' && at_two(p, '&', '>')))
			break;
		if (!read_redir(p, &maker, -1))
			break;
	}
	end(p, &maker);
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

static void read_command(Parser *p)
{
	Keyword keyword;
	guint first = p->out->commands->len;
	SpkShellStdin in = p->in;
	int from = p->from;
	gboolean sure = p->sure;

	if (!lex_enter(p))
		return;
	lex_blanks(p);
	keyword = at_keyword(p);
	if (keyword == KW_NONE && lex_peek(p) != '(') {
		read_simple(p);
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
			take_keyword(p, keyword);
		(void)read_by_keyword(p, keyword);
	}
	p->in = in;
	p->from = from;
	p->sure = sure;
	if (!lex_failed(p))
		read_compound_redirs(p, first);
	p->depth--;
}

/* ---- pipes and lists ---- */

static gboolean at_end_of_command(Parser *p)
{
	int c = lex_peek(p);

	return c < 0 || strchr(";\n)", c) ||
	       (c == '&' && !at_two(p, '&', '>') && !at_two(p, '&', '&'));
}

/* What stands before the first command of a pipeline: "!", "time -p". For bash it may be all;
 * FALSE: no command follows. */
static gboolean read_prefixes(Parser *p)
{
	Keyword keyword;
	gboolean any = FALSE;

	for (;; any = TRUE) {
		lex_blanks(p);
		keyword = at_keyword(p);
		if (keyword != KW_NOT && keyword != KW_TIME)
			return !any || p->posix || !at_end_of_command(p);
		take_keyword(p, keyword);
		lex_blanks(p);
		if (keyword == KW_TIME && at_two(p, '-', 'p')) {
			p->pos += 2;
			say(p, "-p");
		}
	}
}

static void set_tails(Parser *p, guint first, guint last, const char *tail)
{
	for (guint i = first; i < last && i < p->out->commands->len; i++) {
		SpkShellCommand *command = p->out->commands->pdata[i];

		command->sure = FALSE;
		if (!*command->tail)
			command->tail = tail;
	}
}

typedef struct {
	guint first;   /* command */
	guint printed; /* where it ends in what is printed */
} Stage;

/* Each command learns what its output goes through. */
static void end_pipeline(Parser *p, const GArray *stages)
{
	guint from = g_array_index(stages, Stage, 0).printed;
	const char *print =
		spk_shell_dup(p->out, p->print->str + from, p->print->len - from);

	for (guint i = 0; i < stages->len; i++) {
		const Stage *stage = &g_array_index(stages, Stage, i);
		gboolean last = i + 1 == stages->len;
		guint until = last ? p->out->commands->len : stage[1].first;

		set_tails(p, stage->first, until,
			  last ? "" : print + stage->printed - from);
	}
}

/* Just one command: what it prints is all that the next one reads. */
static int only_command(Parser *p, guint first, gboolean simple)
{
	return simple && first < p->out->commands->len ? (int)first : -1;
}

static gboolean take_pipe(Parser *p)
{
	lex_blanks(p);
	if (lex_peek(p) != '|' || at_two(p, '|', '|'))
		return FALSE;
	p->pos++;
	if (at_two(p, '&', '&') || lex_peek(p) != '&') {
		say(p, "|");
		return TRUE;
	}
	p->out->dialect = TRUE;
	if (p->posix)
		unexpected(p);
	else
		p->pos++;
	say(p, "|&");
	return TRUE;
}

static void read_pipeline(Parser *p)
{
	g_autoptr(GArray) stages = NULL;
	SpkShellStdin in = p->in;
	int from = p->from;
	const char *way = p->way;
	Stage stage;
	gboolean simple;

	if (!read_prefixes(p))
		return;
	for (;;) {
		lex_blanks(p);
		stage.first = p->out->commands->len;
		simple = at_keyword(p) == KW_NONE && lex_peek(p) != '(';
		read_command(p);
		stage.printed = p->print->len;
		if (stages)
			g_array_append_val(stages, stage);
		if (lex_failed(p) || !take_pipe(p))
			break;
		if (!stages) {
			stages = g_array_new(FALSE, FALSE, sizeof stage);
			g_array_append_val(stages, stage);
			p->way = lex_way(p, "pipe");
		}
		p->in = SPK_STDIN_PIPE;
		p->from = only_command(p, stage.first, simple);
		skip_lines(p);
		/* "a | ! b" is none, "a | time b" is */
		if (at_keyword(p) == KW_TIME)
			(void)read_prefixes(p);
	}
	p->in = in;
	p->from = from;
	p->way = way;
	if (stages)
		end_pipeline(p, stages);
}

static void read_and_or(Parser *p)
{
	gboolean sure = p->sure, more;

	do {
		read_pipeline(p);
		lex_blanks(p);
		more = at_two(p, '&', '&') || at_two(p, '|', '|');
		if (more && !lex_failed(p)) {
			say(p, lex_peek(p) == '&' ? "&&" : "||");
			p->pos++;
			(void)lex_peek(p); /* joins what goes on */
			p->pos++;
			skip_lines(p);
			p->sure = FALSE;
		}
	} while (more && !lex_failed(p));
	p->sure = sure;
}

static gboolean closes(Keyword keyword)
{
	static const Keyword closers[] = { KW_THEN, KW_ELIF, KW_ELSE, KW_FI,
					   KW_DO,   KW_DONE, KW_ESAC, KW_CLOSE };

	for (gsize i = 0; i < G_N_ELEMENTS(closers); i++)
		if (closers[i] == keyword)
			return TRUE;
	return FALSE;
}

/* What ends a command of a list; FALSE: the list ends, too. */
static gboolean take_separator(Parser *p, guint first, const char **ret_say)
{
	int c;

	lex_blanks(p);
	c = lex_peek(p);
	if (c < 0 || c == ')' || at_two(p, ';', ';') || at_two(p, ';', '&'))
		return FALSE;
	if (c == '&') {
		set_tails(p, first, p->out->commands->len, "");
		*ret_say = "&";
	} else
		*ret_say = ";";
	if (c == ';' || c == '&')
		p->pos++;
	else if (c == '\n') {
		p->pos++;
		lex_heredoc_texts(p);
	} else if (!closes(at_keyword(p)))
		unexpected(p);
	return TRUE;
}

/* Up to ")", ";;", a reserved word that closes, or the end; none of them is taken. */
static void read_list(Parser *p)
{
	const char *between = NULL;

	for (;;) {
		guint first;
		int c;

		skip_lines(p);
		c = lex_peek(p);
		if (c < 0 || c == ')' || lex_failed(p))
			break;
		if (c == ';' && (at_two(p, ';', ';') || at_two(p, ';', '&')))
			break;
		if (closes(at_keyword(p)))
			break;
		if (between)
			say(p, between);
		first = p->out->commands->len;
		read_and_or(p);
		if (lex_failed(p) || !take_separator(p, first, &between))
			break;
	}
	if (between && *between == '&')
		say(p, "&");
}

/* The list of $(…). */
static void read_inside(Parser *p)
{
	read_list(p);
	if (!lex_failed(p) && lex_peek(p) >= 0 && lex_peek(p) != ')')
		unexpected(p);
}

SpkShell *spk_shell_parse(const char *text, gsize len, gboolean posix)
{
	SpkShell *shell = g_new0(SpkShell, 1);
	g_autoptr(GString) print = g_string_new(NULL);
	g_autoptr(GPtrArray) extra = g_ptr_array_new();
	Parser p = { .out = shell,
		     .len = len,
		     .posix = posix,
		     .print = print,
		     .extra = extra,
		     .way = "",
		     .from = -1,
		     .sure = TRUE,
		     .list = read_inside };

	shell->commands = g_ptr_array_new();
	shell->names = g_ptr_array_new_with_free_func(g_free);
	p.most = (guint64)SPK_SHELL_WORK * len + 1024;
	if (len > SPK_SHELL_MAX_TEXT || memchr(text, 0, len)) {
		shell->error = g_strdup(len > SPK_SHELL_MAX_TEXT
						? "is too long to be read"
						: "holds a NUL");
		shell->normal = g_strdup("");
		return shell;
	}
	p.s = spk_shell_dup(shell, text, len);
	p.heredocs = g_ptr_array_new();
	read_list(&p);
	if (!lex_failed(&p) && p.pos < p.len)
		unexpected(&p);
	lex_heredoc_texts(&p);
	g_ptr_array_unref(p.heredocs);
	shell->normal = g_strdup(print->str);
	return shell;
}
