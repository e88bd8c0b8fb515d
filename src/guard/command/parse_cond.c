/* The words of [[ ]], as those of a command that none is. */
#include <string.h>

#include "guard/command/parse_priv.h"

/* One token of [[ ]]; the regular expression after =~ has its own rules. */
static void read_cond_token(Parser *p, Maker *maker, gboolean *regex)
{
	static const char *const signs[] = { "&&", "||", "(", ")", "<", ">", NULL };
	SpkShellWord *word;

	for (guint i = 0; signs[i] && !*regex; i++) {
		if (signs[i][1] ? parse_at_two(p, signs[i][0], signs[i][1])
				: lex_peek(p) == signs[i][0]) {
			for (const char *c = signs[i]; *c; c++)
				(void)parse_take(p, *c);
			parse_say(p, signs[i]);
			return;
		}
	}
	word = lex_word(p, *regex ? LEX_REGEX : LEX_COND);
	if (!word) {
		parse_unexpected(p);
		return;
	}
	parse_say_word(p, word);
	*regex = !strcmp(word->text, "=~");
	g_ptr_array_add(maker->extra, word);
}

static gboolean at_cond_end(Parser *p)
{
	guint from = p->pos;
	gboolean found = parse_take(p, ']') && parse_take(p, ']') &&
			 (lex_peek(p) < 0 || strchr(" \t\n;&|<>()", lex_peek(p)));

	if (!found)
		p->pos = from;
	return found;
}

void parse_cond(Parser *p)
{
	Maker maker;
	gboolean regex = FALSE;

	parse_begin_pseudo(p, &maker);
	for (parse_skip_lines(p); !lex_failed(p) && !at_cond_end(p); parse_skip_lines(p))
		read_cond_token(p, &maker, &regex);
	if (!maker.extra->len)
		parse_unexpected(p);
	parse_say(p, "]]");
	parse_end(p, &maker);
}
