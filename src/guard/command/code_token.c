/* Code of any of the languages to names, strings and signs. */
#include <string.h>

#include "guard/command/code_priv.h"

#define MAX_TOKENS 20000 /* of a code */

static void add_token(Reading *reading, TokenKind kind, const char *text, gsize len)
{
	Token token = { kind };

	if (kind == TOKEN_SIGN)
		token.sign = *text;
	else
		token.text = g_string_chunk_insert_len(reading->chunk, text, len);
	g_array_append_val(reading->tokens, token);
}

static gboolean skips_comment(Reading *reading)
{
	const char *at = reading->at;
	gboolean hash = reading->lang != LANG_JS && reading->lang != LANG_LUA &&
			reading->lang != LANG_SQL;
	gboolean slashes = reading->lang == LANG_JS || reading->lang == LANG_PHP;

	if ((*at == '#' && hash && at[1] != '{') ||
	    (slashes && at[0] == '/' && at[1] == '/') ||
	    (reading->lang == LANG_LUA && at[0] == '-' && at[1] == '-')) {
		while (reading->at < reading->end && *reading->at != '\n')
			reading->at++;
		return TRUE;
	}
	if (slashes && at[0] == '/' && at[1] == '*') {
		const char *close = strstr(at + 2, "*/");

		reading->at = close ? close + 2 : reading->end;
		return TRUE;
	}
	return FALSE;
}

static char unescape(char c)
{
	static const char from[] = "ntre0", to[] = "\n\t\r\033 ";
	const char *known = c ? strchr(from, c) : NULL;

	return known ? to[known - from] : c;
}

/* "\x2e", "\u002e", "\056": what is hidden so is plain text for the program. */
static gboolean take_code_point(Reading *reading, GString *text)
{
	const char *at = reading->at;
	gsize n = 0;
	gunichar c = 0;

	if (*at == 'x' || *at == 'u') {
		gsize most = *at == 'x' ? 2 : 4;

		for (at++; n < most && g_ascii_isxdigit(*at); n++, at++)
			c = c * 16 + g_ascii_xdigit_value(*at);
	} else
		for (; n < 3 && *at >= '0' && *at <= '7'; n++, at++)
			c = c * 8 + (*at - '0');
	if (!n || !c)
		return FALSE;
	g_string_append_unichar(text, c);
	reading->at = at;
	return TRUE;
}

static gboolean opens_value(const Reading *reading, char quote, gboolean format)
{
	const char *at = reading->at;

	if (format && *at == '{')
		return at[1] != '{';
	if (quote == '\'' || reading->lang == LANG_PYTHON)
		return FALSE;
	if (reading->lang == LANG_JS)
		return quote == '`' && at[0] == '$' && at[1] == '{';
	if (reading->lang == LANG_RUBY)
		return at[0] == '#' && at[1] == '{';
	if (reading->lang == LANG_PERL || reading->lang == LANG_PHP)
		return (*at == '$' || *at == '@') &&
		       (g_ascii_isalpha(at[1]) || at[1] == '{');
	return FALSE;
}

/* At the quote. */
static void take_string(Reading *reading, gboolean format, gboolean raw)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char quote = *reading->at;
	gboolean triple = reading->lang == LANG_PYTHON && reading->at[1] == quote &&
			  reading->at[2] == quote;
	Token *token;
	gboolean open = FALSE;

	reading->at += triple ? 3 : 1;
	while (reading->at < reading->end) {
		const char *at = reading->at;

		if (*at == quote && (!triple || (at[1] == quote && at[2] == quote))) {
			reading->at += triple ? 3 : 1;
			break;
		}
		open |= opens_value(reading, quote, format);
		reading->at++;
		if (*at != '\\' || raw || reading->at >= reading->end)
			g_string_append_c(text, *at);
		else if (!take_code_point(reading, text))
			g_string_append_c(text, unescape(*reading->at++));
	}
	add_token(reading, TOKEN_STRING, text->str, text->len);
	token = &g_array_index(reading->tokens, Token, reading->tokens->len - 1);
	token->open = open;
	token->shell = quote == '`' && reading->lang != LANG_JS;
}

static gboolean is_name_char(char c)
{
	return g_ascii_isalnum(c) || c == '_' || (guchar)c >= 0x80;
}

static void take_code_name(Reading *reading)
{
	const char *from = reading->at;
	gsize len;

	while (reading->at < reading->end &&
	       (is_name_char(*reading->at) ||
		(*reading->at == '.' && is_name_char(reading->at[1])) ||
		(*reading->at == ':' && reading->at[1] == ':')))
		reading->at += *reading->at == ':' ? 2 : 1;
	len = reading->at - from;
	if (reading->lang == LANG_PYTHON && len <= 2 && strchr("'\"", *reading->at) &&
	    *reading->at) {
		take_string(reading, memchr(from, 'f', len) || memchr(from, 'F', len),
			    memchr(from, 'r', len) || memchr(from, 'R', len));
		return;
	}
	add_token(reading, TOKEN_NAME, from, len);
}

/* qx{…}, %x(…), qx/…/: run by a shell. */
static gboolean takes_quoted_command(Reading *reading)
{
	static const char opens[] = "({[<", closes[] = ")}]>";
	const char *at = reading->at, *known, *end;
	gboolean perl = reading->lang == LANG_PERL && at[0] == 'q' && at[1] == 'x';
	gboolean ruby = reading->lang == LANG_RUBY && at[0] == '%' && at[1] == 'x';
	Token *token;

	if ((!perl && !ruby) || is_name_char(at[2]) || !at[2])
		return FALSE;
	at += 2 + (at[2] == ' ');
	known = strchr(opens, *at);
	end = strchr(at + 1, known ? closes[known - opens] : *at);
	if (!end)
		return FALSE;
	add_token(reading, TOKEN_STRING, at + 1, end - at - 1);
	token = &g_array_index(reading->tokens, Token, reading->tokens->len - 1);
	token->shell = TRUE;
	token->open = strpbrk(token->text, "$@#") != NULL;
	reading->at = end + 1;
	return TRUE;
}

void code_read_tokens(Reading *reading)
{
	while (reading->at < reading->end && reading->tokens->len < MAX_TOKENS) {
		char c = *reading->at;

		if (g_ascii_isspace(c))
			reading->at++;
		else if (skips_comment(reading) || takes_quoted_command(reading))
			continue;
		else if (c == '"' || c == '\'' || c == '`')
			take_string(reading, FALSE, FALSE);
		else if (is_name_char(c))
			take_code_name(reading);
		else {
			add_token(reading, TOKEN_SIGN, reading->at, 1);
			reading->at++;
		}
	}
}
