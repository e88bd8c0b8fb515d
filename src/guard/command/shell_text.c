/* The text that a parser reads: its next character, blanks, and why it can't be read. */
#include <string.h>

#include "guard/command/shell_priv.h"

gboolean lex_failed(const Parser *p)
{
	return p->out->error != NULL;
}

guint lex_place(const Parser *p)
{
	return p->base < 0 ? p->at : p->base + p->pos;
}

void lex_fail(Parser *p, const char *why)
{
	if (!lex_failed(p)) {
		p->out->error = g_strdup(why);
		p->out->error_at = lex_place(p);
	}
	p->pos = p->len;
}

gboolean lex_enter(Parser *p)
{
	if (++p->depth <= SPK_SHELL_MAX_DEPTH)
		return TRUE;
	lex_fail(p, "is nested too deeply");
	return FALSE;
}

int lex_peek(Parser *p)
{
	while (p->s[p->pos] == '\\' && p->s[p->pos + 1] == '\n')
		p->pos += 2;
	if (++p->out->work > p->most)
		lex_fail(p, "is too tangled to be read");
	return p->pos < p->len ? (guchar)p->s[p->pos] : -1;
}

int lex_peek_second(Parser *p)
{
	guint at;

	if (lex_peek(p) < 0)
		return -1;
	at = p->pos + 1;
	while (p->s[at] == '\\' && p->s[at + 1] == '\n')
		at += 2;
	return at < p->len ? (guchar)p->s[at] : -1;
}

const char *lex_way(Parser *p, const char *way)
{
	g_autofree char *longer = NULL;

	if (!*p->way)
		return way;
	longer = g_strconcat(p->way, ", ", way, NULL);
	return spk_shell_dup(p->out, longer, strlen(longer));
}

const char *lex_slice(Parser *p, guint from, guint to)
{
	guint end = MIN(to, p->len);
	char *copy = spk_shell_dup(p->out, p->s + from, end - from);

	const char *bad;

	for (char *c = copy; *c; c++)
		if ((guchar)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	for (const char *at = copy; !g_utf8_validate(at, -1, &bad); at = bad + 1)
		copy[bad - copy] = '?';
	return copy;
}

void lex_blanks(Parser *p)
{
	int c = lex_peek(p);

	while (c == ' ' || c == '\t') {
		p->pos++;
		c = lex_peek(p);
	}
	if (c != '#')
		return;
	while (p->pos < p->len && p->s[p->pos] != '\n') {
		p->pos++;
		p->out->work++;
	}
}
