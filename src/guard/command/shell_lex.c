/* Characters to words: quotes, and what is expanded inside of words. */
#include <string.h>

#include "guard/command/shell_priv.h"

/* ---- substitutions ---- */

typedef struct {
	GString *print;
	GPtrArray *extra;
	const char *way;
	gboolean sure;
} Around;

static Around go_inside(Parser *p, const char *way)
{
	Around around = { p->print, p->extra, p->way, p->sure };

	p->print = g_string_new(NULL);
	p->extra = g_ptr_array_new();
	p->way = lex_way(p, way);
	p->sure = FALSE;
	return around;
}

/* Gives what was printed inside. */
static const char *go_outside(Parser *p, const Around *around)
{
	const char *print = spk_shell_dup(p->out, p->print->str, p->print->len);

	g_string_free(p->print, TRUE);
	g_ptr_array_unref(p->extra);
	p->print = around->print;
	p->extra = around->extra;
	p->way = around->way;
	p->sure = around->sure;
	return print;
}

/* Commands to the ")", which is taken; `open` is how the text begins. */
static const char *commands_inside(Parser *p, const char *open, const char *way)
{
	Around around;
	const char *inside;
	g_autofree char *whole = NULL;

	if (!lex_enter(p))
		return "";
	around = go_inside(p, way);
	p->list(p);
	if (lex_peek(p) == ')')
		p->pos++;
	else
		lex_fail(p, "has a parenthesis that is not closed");
	inside = go_outside(p, &around);
	p->depth--;
	whole = g_strconcat(open, inside, ")", NULL);
	return spk_shell_dup(p->out, whole, strlen(whole));
}

/* A text of its own (what stood between backticks), read with all that holds for p. */
static const char *commands_of(Parser *p, const char *text, gsize len)
{
	Parser inner = *p;
	Around around;
	const char *inside;
	g_autofree char *whole = NULL;

	if (!lex_enter(p))
		return "";
	inner.depth = p->depth;
	inner.at = lex_place(p);
	inner.base = -1;
	inner.s = spk_shell_dup(p->out, text, len);
	inner.len = len;
	inner.pos = 0;
	inner.heredocs = g_ptr_array_new();
	around = go_inside(&inner, "substitution");
	p->list(&inner);
	if (lex_peek(&inner) == ')')
		lex_fail(&inner, "has a parenthesis too much");
	inside = go_outside(&inner, &around);
	g_ptr_array_unref(inner.heredocs);
	p->depth--;
	if (lex_failed(p))
		p->pos = p->len;
	whole = g_strconcat("$(", inside, ")", NULL);
	return spk_shell_dup(p->out, whole, strlen(whole));
}

/* At the "`". */
static void backticks(Parser *p, WordMaker *maker, gboolean quoted)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (p->pos++; p->pos < p->len && p->s[p->pos] != '`'; p->pos++) {
		char next = p->s[p->pos] == '\\' ? p->s[p->pos + 1] : 0;

		if (next && (strchr("$`\\", next) || (next == '"' && quoted)))
			p->pos++;
		g_string_append_c(text, p->s[p->pos]);
		p->out->work++;
	}
	if (p->pos >= p->len) {
		lex_fail(p, "has a ` that is not closed");
		return;
	}
	p->pos++;
	maker_open(p->out, maker, quoted, NULL, commands_of(p, text->str, text->len));
}

/* ---- quotes ---- */

static void single_quotes(Parser *p, WordMaker *maker)
{
	const char *from = p->s + p->pos + 1,
		   *to = memchr(from, '\'', p->len - p->pos - 1);

	maker->quoted = TRUE;
	if (!to) {
		lex_fail(p, "has a ' that is not closed");
		return;
	}
	maker_add_text(p->out, maker, from, to - from, SPK_SHELL_QUOTED);
	p->out->work += to - from;
	p->pos = to - p->s + 1;
}

static guint take_number(Parser *p, guint base, guint most)
{
	guint value = 0;

	for (guint i = 0; i < most && p->pos < p->len; i++) {
		int digit = g_ascii_xdigit_value(p->s[p->pos]);

		if (digit < 0 || digit >= (int)base)
			break;
		value = value * base + digit;
		p->pos++;
	}
	return value;
}

static void add_code(Parser *p, WordMaker *maker, gunichar code)
{
	char bytes[6];

	if (code && code <= 0x10ffff)
		maker_add_text(p->out, maker, bytes, g_unichar_to_utf8(code, bytes),
			       SPK_SHELL_QUOTED);
}

/* After the "\" in $'…'. */
static void ansi_escape(Parser *p, WordMaker *maker)
{
	static const char from[] = "abeEfnrtv\\'\"?",
			  to[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
	char c = p->s[p->pos++];
	const char *known = c ? strchr(from, c) : NULL;
	guint value;

	if (known) {
		maker_add(p->out, maker, to[known - from], SPK_SHELL_QUOTED);
		return;
	}
	if (c == 'x' || (c >= '0' && c <= '7')) {
		if (c != 'x')
			p->pos--;
		value = c == 'x' ? take_number(p, 16, 2) : take_number(p, 8, 3);
		if (value & 0xff)
			maker_add(p->out, maker, (char)value, SPK_SHELL_QUOTED);
	} else if (c == 'u' || c == 'U')
		add_code(p, maker, take_number(p, 16, c == 'u' ? 4 : 8));
	else if (c == 'c' && p->pos < p->len)
		maker_add(p->out, maker, MAX(p->s[p->pos] & 0x1f, 1), SPK_SHELL_QUOTED),
			p->pos++;
	else {
		maker_add(p->out, maker, '\\', SPK_SHELL_QUOTED);
		p->pos -= c == '\0';
		if (c)
			maker_add(p->out, maker, c, SPK_SHELL_QUOTED);
	}
}

/* At the "'" of $'…'. */
static void ansi_quotes(Parser *p, WordMaker *maker)
{
	maker->quoted = TRUE;
	p->pos++;
	while (p->pos < p->len && p->s[p->pos] != '\'') {
		char c = p->s[p->pos++];

		p->out->work++;
		if (c == '\\' && p->pos < p->len)
			ansi_escape(p, maker);
		else
			maker_add(p->out, maker, c, SPK_SHELL_QUOTED);
	}
	if (p->pos >= p->len)
		lex_fail(p, "has a $' that is not closed");
	else
		p->pos++;
}

static void expand(Parser *p, WordMaker *maker, gboolean quoted);

/* A "\" that may take the meaning of the next character in double quotes. */
static void quoted_backslash(Parser *p, WordMaker *maker, const char *takes)
{
	char next = p->s[p->pos + 1];

	if (next && strchr(takes, next)) {
		maker_add(p->out, maker, next, SPK_SHELL_QUOTED);
		p->pos += 2;
		return;
	}
	maker_add(p->out, maker, '\\', SPK_SHELL_QUOTED);
	p->pos++;
}

void lex_quoted(Parser *p, WordMaker *maker, int end, const char *takes)
{
	for (int c = lex_peek(p); c >= 0 && c != end && !lex_failed(p); c = lex_peek(p)) {
		if (c == '$')
			expand(p, maker, TRUE);
		else if (c == '`')
			backticks(p, maker, TRUE);
		else if (c == '\\')
			quoted_backslash(p, maker, takes);
		else {
			maker_add(p->out, maker, c, SPK_SHELL_QUOTED);
			p->pos++;
		}
	}
}

/* At the first '"'. */
static void double_quotes(Parser *p, WordMaker *maker)
{
	maker->quoted = TRUE;
	p->pos++;
	lex_quoted(p, maker, '"', "$`\"\\");
	if (lex_peek(p) == '"')
		p->pos++;
	else
		lex_fail(p, "has a \" that is not closed");
}

/* ---- $… ---- */

gboolean lex_arithmetic(Parser *p)
{
	WordMaker inside = { NULL };
	guint parens = 0;
	int c;

	while ((c = lex_peek(p)) >= 0) {
		if (c == '\'')
			single_quotes(p, &inside);
		else if (c == '"')
			double_quotes(p, &inside);
		else if (c == '$')
			expand(p, &inside, TRUE);
		else if (c == '`')
			backticks(p, &inside, TRUE);
		else {
			if (c == ')' && !parens) {
				if (lex_peek_second(p) != ')')
					return FALSE;
				p->pos++;
				(void)lex_peek(p); /* joins what goes on */
				p->pos++;
				return TRUE;
			}
			if (c == '\\' && p->s[p->pos + 1])
				p->pos++;
			parens += c == '(';
			parens -= c == ')';
			p->pos++;
		}
	}
	return FALSE;
}

/* At "$(": arithmetic, or commands. */
static void parenthesis(Parser *p, WordMaker *maker, gboolean quoted)
{
	guint dollar = p->pos - 1, open, commands = p->out->commands->len;
	const GPtrArray *docs = p->heredocs;
	guint n_docs = docs->len;
	const char *print = NULL;

	p->pos++;
	open = p->pos;
	if (lex_peek(p) == '(' && lex_enter(p)) {
		p->pos++;
		if (lex_arithmetic(p))
			print = lex_slice(p, dollar, p->pos);
		else if (p->heredocs != docs || p->heredocs->len < n_docs)
			lex_fail(p, "is too tangled to be read");
		else if (p->out->work <= p->most) {
			/* "$((a) | (b))" */
			g_ptr_array_set_size(p->out->commands, commands);
			g_ptr_array_set_size(p->heredocs, n_docs);
			g_clear_pointer(&p->out->error, g_free);
			p->pos = open;
		}
		p->depth--;
	}
	if (!print)
		print = commands_inside(p, "$(", "substitution");
	maker_open(p->out, maker, quoted, NULL, print);
}

static gboolean is_name(int c, gboolean first)
{
	return g_ascii_isalpha(c) || c == '_' || (!first && g_ascii_isdigit(c));
}

static gboolean is_special(int c)
{
	return c > 0 && (g_ascii_isdigit(c) || strchr("@*#?$!-", c));
}

static const char *take_name(Parser *p)
{
	g_autoptr(GString) name = g_string_new(NULL);

	while (is_name(lex_peek(p), !name->len))
		g_string_append_c(name, p->s[p->pos++]);
	return spk_shell_dup(p->out, name->str, name->len);
}

/* What follows the name in ${…}, to the "}": a word of its own. */
static void param_word(Parser *p, gboolean quoted, gboolean single)
{
	WordMaker inside = { NULL };
	guint from = lex_place(p);
	int c;

	while ((c = lex_peek(p)) != '}') {
		if (c < 0) {
			lex_fail(p, "has a ${ that is not closed");
			return;
		}
		if (c == '\'' && single)
			single_quotes(p, &inside);
		else if (c == '"')
			double_quotes(p, &inside);
		else if (c == '$')
			expand(p, &inside, quoted);
		else if (c == '`')
			backticks(p, &inside, quoted);
		else if (c == '\\' && p->s[p->pos + 1]) {
			maker_add(p->out, &inside, p->s[p->pos + 1], SPK_SHELL_QUOTED);
			p->pos += 2;
		} else {
			maker_add(p->out, &inside, c, SPK_SHELL_PLAIN);
			p->pos++;
		}
	}
	p->pos++;
	if (inside.len)
		g_ptr_array_add(p->extra, maker_end(p->out, &inside, from, lex_place(p)));
}

/* After "${". */
static void param(Parser *p, WordMaker *maker, gboolean quoted)
{
	guint dollar = p->pos - 2;
	const char *name = "";
	gboolean plain;
	int c = lex_peek(p);

	if (!lex_enter(p))
		return;
	if ((c == '!' || c == '#') && lex_peek_second(p) != '}') {
		p->pos++;
		c = 0;
	}
	if (is_name(lex_peek(p), TRUE))
		name = take_name(p);
	else if (is_special(lex_peek(p)))
		p->pos++;
	else {
		lex_fail(p, "has a ${ without the name of a variable");
		return;
	}
	plain = lex_peek(p) == '}' && c != 0;
	c = lex_peek(p);
	if (c == '=' || (c == ':' && lex_peek_second(p) == '='))
		g_ptr_array_add(p->out->names, g_strdup(name));
	c = c == ':' ? lex_peek_second(p) : c;
	param_word(p, quoted, !quoted || (c > 0 && strchr("#%/^,", c)));
	p->depth--;
	maker_open(p->out, maker, quoted, plain && *name ? name : NULL,
		   lex_slice(p, dollar, p->pos));
}

/* At the "$". */
static void expand(Parser *p, WordMaker *maker, gboolean quoted)
{
	guint dollar = p->pos;
	const char *name;
	int c;

	p->pos++;
	c = lex_peek(p);
	if (c == '(')
		parenthesis(p, maker, quoted);
	else if (c == '{') {
		p->pos++;
		param(p, maker, quoted);
	} else if (is_name(c, TRUE)) {
		name = take_name(p);
		maker_open(p->out, maker, quoted, name, lex_slice(p, dollar, p->pos));
	} else if (is_special(c)) {
		p->pos++;
		maker_open(p->out, maker, quoted, NULL, lex_slice(p, dollar, p->pos));
	} else if ((c == '\'' || c == '"') && !quoted) {
		p->out->dialect = TRUE;
		if (p->posix)
			maker_add(p->out, maker, '$', SPK_SHELL_QUOTED);
		else if (c == '\'')
			ansi_quotes(p, maker);
	} else
		maker_add(p->out, maker, '$', SPK_SHELL_QUOTED);
}

/* ---- words ---- */

/* "NAME=(": the words of an array. */
static void array(Parser *p, WordMaker *maker)
{
	int c;

	p->out->dialect = TRUE;
	if (!lex_enter(p))
		return;
	p->pos++;
	for (;;) {
		SpkShellWord *word;

		lex_blanks(p);
		c = lex_peek(p);
		if (c == '\n') {
			p->pos++;
			lex_heredoc_texts(p);
			continue;
		}
		if (c == ')')
			break;
		word = c < 0 ? NULL : lex_word(p, LEX_WORD);
		if (!word) {
			lex_fail(p, "has an array that is not closed");
			return;
		}
		g_ptr_array_add(p->extra, word);
	}
	p->pos++;
	p->depth--;
	maker_open(p->out, maker, TRUE, NULL, "(...)");
}

static gboolean opens_array(const WordMaker *maker, LexMode mode)
{
	SpkShellWord word = { maker->text, maker->classes, maker->len, 0, 0, NULL, 0 };
	guint value;

	return mode == LEX_ASSIGN && maker->len && maker->text[maker->len - 1] == '=' &&
	       spk_shell_assigned(&word, &value) && value == maker->len;
}

/* In [[ ]]: "(" belongs to a pattern or a regular expression, up to its ")". */
static void take_group(Parser *p, WordMaker *maker)
{
	guint parens = 0;
	int c;

	do {
		c = lex_peek(p);
		if (c == '\'')
			single_quotes(p, maker);
		else if (c == '"')
			double_quotes(p, maker);
		else if (c == '$')
			expand(p, maker, FALSE);
		else if (c == '`')
			backticks(p, maker, FALSE);
		else if (c < 0)
			lex_fail(p, "has a parenthesis that is not closed");
		else {
			parens += c == '(';
			parens -= c == ')';
			maker_add(p->out, maker, c, SPK_SHELL_PLAIN);
			p->pos++;
		}
	} while (parens && !lex_failed(p));
}

static gboolean opens_group(const WordMaker *maker, LexMode mode)
{
	return mode == LEX_REGEX || (mode == LEX_COND && maker->len &&
				     strchr("?*+@!", maker->text[maker->len - 1]));
}

/* At "<(" or ">(". */
static void process(Parser *p, WordMaker *maker)
{
	gboolean reads = p->s[p->pos] == '<';
	SpkShellStdin in = p->in;
	int from = p->from;

	p->out->dialect = TRUE;
	p->pos++;
	(void)lex_peek(p); /* joins what goes on */
	p->pos++;
	if (!reads) {
		p->in = SPK_STDIN_PIPE;
		p->from = -1;
	}
	maker_open(p->out, maker, TRUE, NULL,
		   commands_inside(p, reads ? "<(" : ">(", "process substitution"));
	p->in = in;
	p->from = from;
}

/* Takes one character or construct of a word; FALSE: the word ends. */
static gboolean take_piece(Parser *p, WordMaker *maker, LexMode mode)
{
	int c = lex_peek(p);

	if (c < 0 || strchr(" \t\n", c))
		return FALSE;
	if (c == '(' && opens_group(maker, mode))
		take_group(p, maker);
	else if (c == '(' && !p->posix && opens_array(maker, mode))
		array(p, maker);
	else if ((c == '<' || c == '>') && !p->posix && lex_peek_second(p) == '(' &&
		 mode <= LEX_ASSIGN)
		process(p, maker);
	else if (strchr(mode == LEX_REGEX ? "" : ";&|<>()", c))
		return FALSE;
	else if (c == '\'')
		single_quotes(p, maker);
	else if (c == '"')
		double_quotes(p, maker);
	else if (c == '$')
		expand(p, maker, FALSE);
	else if (c == '`')
		backticks(p, maker, FALSE);
	else if (c == '\\') {
		maker->quoted = TRUE;
		p->pos++;
		if (p->pos < p->len)
			maker_add(p->out, maker, p->s[p->pos++], SPK_SHELL_QUOTED);
		else
			maker_add(p->out, maker, '\\', SPK_SHELL_QUOTED);
	} else {
		maker_add(p->out, maker, c, SPK_SHELL_PLAIN);
		p->pos++;
	}
	return !lex_failed(p);
}

SpkShellWord *lex_word(Parser *p, LexMode mode)
{
	WordMaker maker = { NULL };
	guint at, from;

	(void)lex_peek(p);
	from = p->pos;
	at = lex_place(p);
	while (take_piece(p, &maker, mode))
		;
	if (lex_failed(p) || p->pos == from)
		return NULL;
	return maker_end(p->out, &maker, at, lex_place(p));
}

/* ---- here-documents ---- */

typedef struct {
	SpkShellRedir *redir;
	const char *end;
	gsize len;
	gboolean quoted, tabs;
	const char *way;
	SpkShellStdin in;
	int from;
} Heredoc;

void lex_heredoc(Parser *p, SpkShellRedir *redir, const SpkShellWord *end,
		 gboolean quoted, gboolean tabs)
{
	Heredoc *doc = spk_shell_alloc(p->out, sizeof *doc);

	*doc =
		(Heredoc){ redir, end->text, end->len, quoted,
			   tabs,  p->way,    p->in,    p->from };
	redir->target = end;
	g_ptr_array_add(p->heredocs, doc);
}

/* The next line of the text, joined with what follows where it goes on; FALSE: none is left. */
static gboolean take_line(Parser *p, const Heredoc *doc, GString *line)
{
	gboolean more;

	g_string_truncate(line, 0);
	if (p->pos >= p->len)
		return FALSE;
	do {
		const char *from = p->s + p->pos;
		const char *to = memchr(from, '\n', p->len - p->pos);
		guint slashes = 0;

		if (!to)
			to = p->s + p->len;
		while (doc->tabs && from < to && *from == '\t' && !line->len)
			from++;
		while (to - slashes > from && to[-1 - (int)slashes] == '\\')
			slashes++;
		more = !doc->quoted && slashes % 2 && to < p->s + p->len;
		g_string_append_len(line, from, to - from - more);
		p->out->work += to - from + 1;
		p->pos = MIN((guint)(to - p->s) + 1, p->len);
	} while (more && p->pos < p->len);
	return TRUE;
}

/* Expands the text as between double quotes, but for these themselves. */
static SpkShellWord *text_word(Parser *p, const char *text, gsize len)
{
	Parser inner = *p;
	WordMaker maker = { NULL };

	inner.at = lex_place(p);
	inner.base = -1;
	inner.s = spk_shell_dup(p->out, text, len);
	inner.len = len;
	inner.pos = 0;
	lex_quoted(&inner, &maker, -1, "$`\\");
	if (lex_failed(p))
		p->pos = p->len;
	return maker_end(p->out, &maker, inner.at, inner.at);
}

static void heredoc_text(Parser *p, const Heredoc *doc)
{
	g_autoptr(GString) text = g_string_new(NULL), line = g_string_new(NULL);
	WordMaker maker = { NULL };
	const char *way = p->way;
	SpkShellStdin in = p->in;
	int from = p->from;

	while (take_line(p, doc, line)) {
		if (line->len == doc->len && !memcmp(line->str, doc->end, doc->len))
			break;
		g_string_append_len(text, line->str, line->len);
		g_string_append_c(text, '\n');
	}
	p->way = doc->way;
	p->in = doc->in;
	p->from = doc->from;
	if (doc->quoted) {
		maker_add_text(p->out, &maker, text->str, text->len, SPK_SHELL_QUOTED);
		doc->redir->target =
			maker_end(p->out, &maker, lex_place(p), lex_place(p));
	} else
		doc->redir->target = text_word(p, text->str, text->len);
	p->way = way;
	p->in = in;
	p->from = from;
}

void lex_heredoc_texts(Parser *p)
{
	while (p->heredocs->len && !lex_failed(p)) {
		g_autoptr(GPtrArray) docs = p->heredocs;

		p->heredocs = g_ptr_array_new();
		for (guint i = 0; i < docs->len && !lex_failed(p); i++)
			heredoc_text(p, docs->pdata[i]);
	}
}
