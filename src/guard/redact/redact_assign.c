/* NAME = VALUE where the name says "secret": of code, JSON, YAML, environments and headers. */
#include <string.h>

#include "guard/redact/redact_priv.h"

enum { LONGEST_NAME = 64, BLANKS_MAX = 16, VALUE_MIN = 8, VALUE_MAX = 512 };

/* Ends of a name, small letters without "_", "-" and ".". */
static const char *const secret_ends[] = {
	"password",    "passwd",	"passphrase", "passwort",  "pwd",
	"secret",      "token",		"apikey",     "accesskey", "secretkey",
	"privatekey",  "authkey",	"signingkey", "masterkey", "credential",
	"credentials", "encryptionkey", "accountkey", "sharedkey", "storagekey",
};
/* Tokens that open nothing. */
static const char *const harmless_ends[] = {
	"nexttoken",	     "pagetoken",   "continuationtoken", "synctoken", "maxtoken",
	"cancellationtoken", "publictoken", "eostoken",		 "bostoken",  "padtoken",
};

static gboolean ends_in(const char *name, const char *const *ends, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (g_str_has_suffix(name, ends[i]))
			return TRUE;
	return FALSE;
}

static gboolean is_name_char(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
}

/* The name that ends at p, small and without marks; its beginning in *ret_start. */
static void read_name(const char *text, const char *p, char *name, const char **ret_start)
{
	const char *start = p;
	gsize n = 0;

	while (start > text && p - start < LONGEST_NAME && is_name_char(start[-1]))
		start--;
	for (const char *from = start; from < p; from++)
		if (g_ascii_isalnum(*from))
			name[n++] = g_ascii_tolower(*from);
	while (n && g_ascii_isdigit(name[n - 1]))
		n--;
	name[n] = '\0';
	*ret_start = start;
}

static gboolean is_word_pass(const char *start, const char *end)
{
	return end - start >= 4 && !g_ascii_strncasecmp(end - 4, "pass", 4) &&
	       (end - start == 4 || strchr("_-.", end[-5]) || end[-4] == 'P');
}

/* Nearly every `=` follows a name that ends in other letters. */
static guint8 last_three[32768 / 8];

static guint three_of(const char *end)
{
	return (guint)(end[-3] & 31) << 10 | (guint)(end[-2] & 31) << 5 | (end[-1] & 31);
}

static void add_three(const char *word)
{
	guint three = three_of(word + strlen(word));

	last_three[three >> 3] |= (guint8)(1u << (three & 7));
}

static gboolean may_be_name(const char *text, const char *p)
{
	static gsize done;
	guint three;

	if (g_once_init_enter(&done)) {
		for (gsize i = 0; i < G_N_ELEMENTS(secret_ends); i++)
			add_three(secret_ends[i]);
		add_three("authorization");
		add_three("pass");
		add_three("auth");
		g_once_init_leave(&done, 1);
	}
	if (p - text < 3)
		return FALSE;
	/* what is numbered or marked is looked at in full */
	if (!g_ascii_isalpha(p[-1]))
		return g_ascii_isdigit(p[-1]) || p[-1] == '_';
	three = three_of(p);
	return last_three[three >> 3] & (1u << (three & 7));
}

typedef enum { NAME_NONE, NAME_SECRET, NAME_HEADER } NameKind;

static NameKind kind_of_name(const char *text, const char *p, const char **ret_start)
{
	char name[LONGEST_NAME + 1];

	if (!may_be_name(text, p))
		return NAME_NONE;
	read_name(text, p, name, ret_start);
	if (!*name)
		return NAME_NONE;
	if (g_str_has_suffix(name, "authorization"))
		return NAME_HEADER;
	if (ends_in(name, harmless_ends, G_N_ELEMENTS(harmless_ends)))
		return NAME_NONE;
	if (ends_in(name, secret_ends, G_N_ELEMENTS(secret_ends)) ||
	    is_word_pass(*ret_start, p) || !strcmp(name, "auth"))
		return NAME_SECRET;
	return NAME_NONE;
}

static const char *skip_blanks(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && p - start < BLANKS_MAX && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Where the name ends that stands before the sign. */
static const char *name_end(const char *text, const char *p)
{
	const char *start = p;

	while (p > text && start - p < BLANKS_MAX && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	if (p > text && p[-1] == ']')
		p--;
	if (p > text && strchr("\"'`", p[-1]))
		p--;
	if (p > text && p[-1] == '\\')
		p--;
	return p;
}

/* `name: type = value` */
static const char *before_type(const char *text, const char *p)
{
	const char *start = p;

	while (p > text && start - p < 32 &&
	       (g_ascii_isalnum(p[-1]) || strchr("_.<>[]|? ", p[-1])))
		p--;
	return p > text + 1 && p < start && p[-1] == ':' ? p - 1 : NULL;
}

/* The sign itself, of several characters: `:=`, `=>`, `==`. NULL: the second one of these, or
 * none that gives. */
static const char *sign_end(const char *text, const char *at, const char *end)
{
	if (at > text && strchr("=!<>:+-*|&", at[-1]))
		return NULL;
	at++;
	if (at < end && at[-1] == ':' && *at == ':')
		return NULL;
	while (at < end && (*at == '=' || *at == '>'))
		at++;
	return at;
}

/* ---- values ---- */

static gboolean holds_word(const char *p, gsize len)
{
	static const char *const words[] = {
		"example", "placeholder", "changeme", "change-me", "your",     "dummy",
		"sample",  "redacted",	  "insert",   "replace",   "fixme",    "xxxx",
		"....",	   "****",	  "todo",     "undefined", "12345678",
	};
	g_autofree char *small = g_ascii_strdown(p, (gssize)len);

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strstr(small, words[i]))
			return TRUE;
	return FALSE;
}

/* A variable, a template or a path instead of a value. */
static gboolean is_reference(const char *p, gsize len)
{
	if ((*p == '$' || *p == '%' || *p == '@' || *p == '&') && !g_ascii_isdigit(p[1]))
		return TRUE;
	if (*p == '/' || *p == '.' || *p == '~' || *p == '<' || *p == '{' || *p == '[')
		return *p != '/' || memchr(p + 1, '/', len - 1) || memchr(p, '.', len);
	return g_strstr_len(p, (gssize)len, "${") || g_strstr_len(p, (gssize)len, "{{") ||
	       g_strstr_len(p, (gssize)len, "$(") || g_strstr_len(p, (gssize)len, "://");
}

/* Without quotes it may as well be code: a name, a member, a call. */
static gboolean looks_like_code(const char *p, gsize len, const char *end)
{
	gboolean name = g_ascii_isalpha(*p) || *p == '_';

	if (p + len < end && strchr("([{", p[len]))
		return TRUE;
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isalnum(p[i]) && p[i] != '_' && p[i] != '.' && p[i] != '>' &&
		    p[i] != '-')
			name = FALSE;
	return name && (memchr(p, '.', len) || memchr(p, '>', len)) &&
	       g_ascii_isalpha(*p) && !g_ascii_isdigit(p[1]);
}

static gboolean is_plain_name(const char *p, gsize len)
{
	if (!g_ascii_isalpha(*p) && *p != '_')
		return FALSE;
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isalnum(p[i]) && p[i] != '_')
			return FALSE;
	return TRUE;
}

static gboolean is_environment(const char *text, gsize at)
{
	return at && text[at] == '=' &&
	       (g_ascii_isupper(text[at - 1]) || text[at - 1] == '_');
}

static gsize quoted_len(const char *p, const char *end, char quote)
{
	const char *start = p;

	while (p < end && p - start < VALUE_MAX && *p != quote && *p != '\n' &&
	       *p != ' ' && *p != '\t' && !(*p == '\\' && p + 1 < end && p[1] == quote))
		p++;
	return p < end && *p != quote && *p != '\\' && *p != '\n' ? 0
								  : (gsize)(p - start);
}

static gsize bare_len(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && p - start < VALUE_MAX &&
	       (g_ascii_isalnum(*p) || (*p && strchr("+/=_.~!@#$%^*?-{<>:&", *p))))
		p++;
	while (p > start && strchr(".:?!", p[-1])) /* of the sentence round it */
		p--;
	return (gsize)(p - start);
}

static const char *scheme_end(const char *p, const char *end)
{
	static const char *const schemes[] = { "bearer ", "basic ", "token ", "apikey " };

	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
		gsize len = strlen(schemes[i]);

		if ((gsize)(end - p) > len && !g_ascii_strncasecmp(p, schemes[i], len))
			return skip_blanks(p + len, end);
	}
	return NULL;
}

static void take_header(const char *text, const char *p, const char *end, GArray *spans)
{
	const char *value = scheme_end(p, end);
	gsize len = value ? bare_len(value, end) : 0;

	if (len >= VALUE_MIN && !is_reference(value, len) && !holds_word(value, len) &&
	    !memchr(value, '<', len) && !memchr(value, '{', len))
		redact_span_add(spans, value - text, value - text + len, "authorization");
}

/* Where the value begins, with its quote in *ret_quote. */
static const char *value_start(const char *p, const char *end, char *ret_quote)
{
	*ret_quote = 0;
	p = skip_blanks(p, end);
	if (p + 1 < end && *p == '\\' && strchr("\"'", p[1]))
		p++;
	if (p + 1 < end && strchr("bBrRfFuUL@", *p) && strchr("\"'", p[1]))
		p++;
	if (p < end && strchr("\"'`", *p))
		*ret_quote = *p++;
	return p;
}

void redact_assign_find(const char *text, gsize len, gsize at, GArray *spans, gsize *open)
{
	const char *end = text + len, *p = sign_end(text, text + at, end);
	const char *name = name_end(text, text + at), *start;
	NameKind kind = p ? kind_of_name(text, name, &start) : NAME_NONE;
	char quote;
	gsize n;

	if (kind == NAME_NONE && p && text[at] == '=') {
		name = before_type(text, name);
		kind = name ? kind_of_name(text, name, &start) : NAME_NONE;
	}
	if (kind == NAME_NONE)
		return;
	p = value_start(p, end, &quote);
	n = quote ? quoted_len(p, end, quote) : bare_len(p, end);
	if (p + n == end || (kind == NAME_HEADER && end - p < VALUE_MAX))
		*open = MIN(*open, (gsize)(start - text));
	if (kind == NAME_HEADER) {
		take_header(text, p, end, spans);
		return;
	}
	if (n < VALUE_MIN || is_reference(p, n) || holds_word(p, n))
		return;
	if (!quote && looks_like_code(p, n, end))
		return;
	/* NAME=value of an environment is no code */
	if (redact_is_random(p, n,
			     !quote && !is_environment(text, at) && is_plain_name(p, n)))
		redact_span_add(spans, p - text, p - text + n, "password");
}

/* `--password VALUE`, and `"--password", "VALUE"` of a list of arguments. */
void redact_option_find(const char *text, gsize len, gsize at, GArray *spans, gsize *open)
{
	const char *end = text + len, *name = text + at + 2, *p = name, *start;
	gboolean quoted;
	gsize n;

	while (p < end && p - name < LONGEST_NAME && is_name_char(*p))
		p++;
	if (kind_of_name(text, p, &start) != NAME_SECRET)
		return;
	name = p;
	while (p < end && p - name < BLANKS_MAX && strchr(" \t\\\"',", *p))
		p++;
	if (p == name)
		return;
	quoted = strchr("\"'", p[-1]) != NULL;
	n = quoted ? quoted_len(p, end, p[-1]) : bare_len(p, end);
	if (p + n == end)
		*open = MIN(*open, at);
	if (n >= VALUE_MIN && *p != '-' && !is_reference(p, n) && !holds_word(p, n) &&
	    redact_is_random(p, n, !quoted && is_plain_name(p, n)))
		redact_span_add(spans, p - text, p - text + n, "password");
}

gboolean redact_assigns(const char *name, const char *value)
{
	gsize len = strlen(value);
	const char *start;

	return len >= VALUE_MIN && len <= VALUE_MAX && !strpbrk(value, " \t\n") &&
	       kind_of_name(name, name + strlen(name), &start) == NAME_SECRET &&
	       !is_reference(value, len) && !holds_word(value, len) &&
	       redact_is_random(value, len, FALSE);
}

gboolean redact_name_at_end(const char *text, gsize len, gsize *ret_start)
{
	const char *start;

	if (kind_of_name(text, name_end(text, text + len), &start) == NAME_NONE)
		return FALSE;
	*ret_start = (gsize)(start - text);
	return TRUE;
}
