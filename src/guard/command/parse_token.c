/* Single tokens, reserved words, and the normalised line that grows as they are read. */
#include <string.h>

#include "guard/command/parse_priv.h"

void parse_say(Parser *p, const char *text)
{
	GString *out = p->print;

	if (*text == ';' && out->len && out->str[out->len - 1] == '&')
		text++; /* "a & }" */
	if (out->len && !strchr(" (", out->str[out->len - 1]) && *text != ';' &&
	    *text != ')')
		g_string_append_c(out, ' ');
	g_string_append(out, text);
}

void parse_say_word(Parser *p, const SpkShellWord *word)
{
	parse_say(p, "");
	spk_shell_print_word(p->print, word);
}

gboolean parse_take(Parser *p, int c)
{
	if (lex_peek(p) != c)
		return FALSE;
	p->pos++;
	return TRUE;
}

gboolean parse_at_two(Parser *p, int a, int b)
{
	guint from = p->pos;
	gboolean found = parse_take(p, a) && lex_peek(p) == b;

	p->pos = from;
	return found;
}

void parse_unexpected(Parser *p)
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

void parse_skip_lines(Parser *p)
{
	for (;;) {
		lex_blanks(p);
		if (!parse_take(p, '\n'))
			return;
		lex_heredoc_texts(p);
	}
}

static const char *const keyword_texts[] = { NULL,
#define X(sym, text) text,
					     KEYWORDS(X)
#undef X
};

/* Those from here on are bash's own. */
#define FIRST_OF_BASH KW_SELECT

Keyword parse_at_keyword(Parser *p)
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
	if ((c == '<' || c == '>') && !p->posix && parse_at_two(p, c, '('))
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

void parse_take_keyword(Parser *p, Keyword keyword)
{
	for (gsize n = strlen(keyword_texts[keyword]); n > 0; n--) {
		(void)lex_peek(p); /* joins what goes on */
		p->pos++;
	}
	parse_say(p, keyword_texts[keyword]);
}

void parse_expect(Parser *p, Keyword keyword)
{
	lex_blanks(p);
	if (parse_at_keyword(p) == keyword)
		parse_take_keyword(p, keyword);
	else
		parse_unexpected(p);
}
