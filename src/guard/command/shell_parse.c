/*
 * Words to commands: the grammar, by recursive descent, and the normalised line on the way.
 * Pipes and lists are here; what stands in them is read by the files parse_*.c, which call for
 * the lists and commands inside by the functions of the Parser.
 */
#include <string.h>

#include "guard/command/parse_priv.h"

static gboolean at_end_of_command(Parser *p)
{
	int c = lex_peek(p);

	return c < 0 || strchr(";\n)", c) ||
	       (c == '&' && !parse_at_two(p, '&', '>') && !parse_at_two(p, '&', '&'));
}

/* What stands before the first command of a pipeline: "!", "time -p". For bash it may be all;
 * FALSE: no command follows. */
static gboolean read_prefixes(Parser *p)
{
	Keyword keyword;
	gboolean any = FALSE;

	for (;; any = TRUE) {
		lex_blanks(p);
		keyword = parse_at_keyword(p);
		if (keyword != KW_NOT && keyword != KW_TIME)
			return !any || p->posix || !at_end_of_command(p);
		parse_take_keyword(p, keyword);
		lex_blanks(p);
		if (keyword == KW_TIME && parse_at_two(p, '-', 'p')) {
			p->pos += 2;
			parse_say(p, "-p");
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
	if (lex_peek(p) != '|' || parse_at_two(p, '|', '|'))
		return FALSE;
	p->pos++;
	if (parse_at_two(p, '&', '&') || lex_peek(p) != '&') {
		parse_say(p, "|");
		return TRUE;
	}
	p->out->dialect = TRUE;
	if (p->posix)
		parse_unexpected(p);
	else
		p->pos++;
	parse_say(p, "|&");
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
		simple = parse_at_keyword(p) == KW_NONE && lex_peek(p) != '(';
		parse_command(p);
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
		parse_skip_lines(p);
		/* "a | ! b" is none, "a | time b" is */
		if (parse_at_keyword(p) == KW_TIME)
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
		more = parse_at_two(p, '&', '&') || parse_at_two(p, '|', '|');
		if (more && !lex_failed(p)) {
			parse_say(p, lex_peek(p) == '&' ? "&&" : "||");
			p->pos++;
			(void)lex_peek(p); /* joins what goes on */
			p->pos++;
			parse_skip_lines(p);
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
	if (c < 0 || c == ')' || parse_at_two(p, ';', ';') || parse_at_two(p, ';', '&'))
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
	} else if (!closes(parse_at_keyword(p)))
		parse_unexpected(p);
	return TRUE;
}

/* Up to ")", ";;", a reserved word that closes, or the end; none of them is taken. */
static void read_list(Parser *p)
{
	const char *between = NULL;

	for (;;) {
		guint first;
		int c;

		parse_skip_lines(p);
		c = lex_peek(p);
		if (c < 0 || c == ')' || lex_failed(p))
			break;
		if (c == ';' && (parse_at_two(p, ';', ';') || parse_at_two(p, ';', '&')))
			break;
		if (closes(parse_at_keyword(p)))
			break;
		if (between)
			parse_say(p, between);
		first = p->out->commands->len;
		read_and_or(p);
		if (lex_failed(p) || !take_separator(p, first, &between))
			break;
	}
	if (between && *between == '&')
		parse_say(p, "&");
}

/* The list of $(…). */
static void read_inside(Parser *p)
{
	read_list(p);
	if (!lex_failed(p) && lex_peek(p) >= 0 && lex_peek(p) != ')')
		parse_unexpected(p);
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
		     .list = read_inside,
		     .body = read_list,
		     .command = parse_command };

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
		parse_unexpected(&p);
	lex_heredoc_texts(&p);
	g_ptr_array_unref(p.heredocs);
	shell->normal = g_strdup(print->str);
	return shell;
}
