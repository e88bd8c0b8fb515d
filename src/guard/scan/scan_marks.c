/* What is no word: marks of prompts and shells, images, addresses, ends of sentences. */
#include <string.h>

#include "guard/scan/scan_match_priv.h"

static gboolean literal_fits(const guint8 *text, gsize len, const char *literal,
			     guint *ret_size)
{
	gsize i = 0;

	for (const char *p = literal; *p; p++) {
		if (*p == ' ') {
			for (guint blanks = 0; i < len && blanks < 16 &&
					       strchr(" \t\r\n", text[i]) && text[i];
			     blanks++)
				i++;
			continue;
		}
		if (*p == '\1' && i + 1 < len && text[i] == '.')
			return !g_ascii_isalnum((char)text[i + 1]);
		if (*p == '\1')
			return i >= len || !g_ascii_isalnum((char)text[i]);
		if (*p == '\2')
			return i >= len ||
			       (text[i] && strchr(" \t\r\n\"'`;&|)<", text[i]));
		if (i >= len || g_ascii_tolower((char)text[i]) != *p)
			return FALSE;
		*ret_size = (guint)++i;
	}
	return TRUE;
}

static void literals(Match *m, gsize i)
{
	const guint8 *text = m->layer->text + i;
	const guint8 *rows = m->dict->literals[text[0] & 127];

	for (guint k = 0; rows[k]; k++) {
		const ScanLiteral *one = &scan_literals[rows[k] - 1];
		guint size = 1;

		if (literal_fits(text, m->layer->len - i, one->text, &size))
			scan_meaning(m, one->group, (guint32)i, (guint32)(i + size));
	}
}

/* "![…](http…?x=…)" with a place for something in it. */
static void image(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	gsize end = MIN(m->layer->len, i + 400), k = i + 2;
	gboolean query = FALSE, data = FALSE;

	while (k < end && text[k] != ']' && text[k] != '[' && text[k] != '\n')
		k++;
	if (k + 6 >= end || memcmp(text + k, "](http", 6) != 0)
		return;
	for (k += 6; k < end && text[k] != ')' && text[k] != '\n'; k++) {
		query |= text[k] == '?';
		data |= query && text[k] && strchr("{<$[%", text[k]);
	}
	if (data)
		scan_meaning(m, SCAN_IMGX, (guint32)i, (guint32)k);
}

static gboolean is_mail(const Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	gsize end = MIN(m->layer->len, i + 64), k = i + 1;

	if (!i || !g_ascii_isalnum((char)text[i - 1]))
		return FALSE;
	while (k < end && (g_ascii_isalnum((char)text[k]) || text[k] == '-'))
		k++;
	return k > i + 1 && k + 1 < end && text[k] == '.' &&
	       g_ascii_isalpha((char)text[k + 1]);
}

/* Whether a line begins at `start`, but for marks of a list, a quotation or a heading. */
static gboolean begins_line(const Match *m, gsize start)
{
	const guint8 *text = m->layer->text;

	for (guint back = 0; start > 0 && back < 8; back++, start--)
		if (text[start - 1] == '\n')
			return TRUE;
		else if (!strchr(" \t#*>[-<|", text[start - 1]) || !text[start - 1])
			return FALSE;
	return start == 0;
}

static void colon(Match *m, gsize i)
{
	/* "SYSTEM:", "**Assistant**:", "[system]:" */
	if (m->role_end && i >= m->role_end && i - m->role_end <= 3 &&
	    begins_line(m, m->starts[0]))
		scan_meaning(m, SCAN_DELIM, m->starts[0], (guint32)i + 1);
}

void scan_next_sentence(Match *m, guint halves)
{
	m->pos += halves;
	m->sentence++;
}

/* "Claude, ...", "LLM: ...", "@bot ..." */
static void spoken_to(Match *m, gsize i)
{
	if (m->weak_pos && m->weak_end <= i && i - m->weak_end <= 2 &&
	    m->pos - m->weak_pos <= 2)
		scan_meaning(m, SCAN_ADDR, m->weak_start, (guint32)i);
}

/* alt="...", title='...' */
static void attribute(Match *m, gsize i)
{
	static const char *const names[] = { "alt",	    "title",
					     "aria-label",  "aria-description",
					     "placeholder", "content" };
	const guint8 *text = m->layer->text;

	for (gsize k = 0; k < G_N_ELEMENTS(names); k++) {
		gsize len = strlen(names[k]);

		if (i <= len || memcmp(text + i - len, names[k], len) != 0 ||
		    !g_ascii_isspace((char)text[i - len - 1]))
			continue;
		/* one in a comment ends nothing */
		if (!m->hidden_pos || m->pos - m->hidden_pos >= 120) {
			m->attribute = text[i + 1];
			m->attribute_at = (guint32)i + 1;
		}
		scan_meaning(m, SCAN_HIDDEN, (guint32)(i - len), (guint32)i);
	}
}

/* What stands behind the end of a comment, or of an attribute, is seen. */
static void end_hidden(Match *m)
{
	m->hidden_pos = 0;
	for (guint i = 0; i < m->dict->n_uses[SCAN_HIDDEN]; i++)
		memset(m->parts[m->dict->uses[SCAN_HIDDEN][i].rule], 0,
		       sizeof(m->parts[0]));
}

static void sign(Match *m, guint8 c, gsize i)
{
	ScanSign found = c == '"'   ? SCAN_SIGN_QUOTE
			 : c == '`' ? SCAN_SIGN_CODE
			 : c == '?' ? SCAN_SIGN_ASKS
			 : c == '!' ? SCAN_SIGN_SHOUTS
			 : c == '{' ? SCAN_SIGN_BRACE
				    : SCAN_N_SIGNS;

	if (found != SCAN_N_SIGNS)
		scan_weigh_sign(m, found, (guint32)i);
}

void scan_quotation(Match *m, gunichar c)
{
	if (c == 0x201c || c == 0x201e || c == 0xab || c == 0x300c || c == 0x300e)
		m->quoted = c != 0x201c || !m->quoted; /* “ ends what „ began */
	else if (c == 0x201d || c == 0xbb || c == 0x300d || c == 0x300f)
		m->quoted = FALSE;
}

/* What the matcher knows of quotations as it goes: marks in pairs, until the paragraph ends. */
static void quotation_of(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	guint8 c = text[i], next = i + 1 < m->layer->len ? text[i + 1] : 0;

	if (c == '"') {
		m->keyed |= m->quoted && next == ':';
		m->quoted = !m->quoted;
	} else if (c == '`' && next == '`' && i + 2 < m->layer->len &&
		   text[i + 2] == '`' && (!i || text[i - 1] != '`')) {
		m->fenced = !m->fenced;
	} else if (c == '`' && next != '`' && (!i || text[i - 1] != '`')) {
		m->coded = !m->coded;
	} else if (c == '\n' && next == '\n') {
		m->quoted = m->coded = FALSE;
	}
}

/* "</title>" */
static gboolean ends_title(const Match *m, gsize i)
{
	static const char end[] = "</title";

	return i + sizeof(end) - 1 <= m->layer->len &&
	       !g_ascii_strncasecmp((const char *)m->layer->text + i, end,
				    sizeof(end) - 1);
}

void scan_pass_tag(Match *m, gsize i)
{
	if (ends_title(m, i))
		end_hidden(m);
}

void scan_mark(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	guint8 c = text[i], next = i + 1 < m->layer->len ? text[i + 1] : '\n';

	sign(m, c, i);
	quotation_of(m, i);
	if (m->attribute && c == m->attribute && i > m->attribute_at) {
		m->attribute = 0;
		end_hidden(m);
	}
	switch (c) {
	case ' ':
		return;
	case ',':
		spoken_to(m, i);
		return;
	case '=':
		if (next == '"' || next == '\'')
			attribute(m, i);
		break;
	case '\n':
		if (next == '\n')
			scan_next_sentence(m, 6);
		return;
	case '.':
	case '!':
	case '?':
		if (g_ascii_isspace((char)next))
			scan_next_sentence(m, 3);
		break;
	case ':':
		spoken_to(m, i);
		colon(m, i);
		break;
	case ')': /* "TODO(ai): ..." */
		spoken_to(m, i);
		break;
	case '`': /* in Markdown it begins code */
		if (!i || (!g_ascii_isalnum((char)text[i - 1]) && text[i - 1] != '/'))
			return;
		break;
	case '@':
		if (is_mail(m, i))
			scan_meaning(m, SCAN_URLD, (guint32)i, (guint32)i + 1);
		break;
	default:
		break;
	}
	if (c == '!' && next == '[')
		image(m, i);
	if (c == '-' && next == '-' && i + 2 < m->layer->len && text[i + 2] == '>')
		end_hidden(m);
	if (c == '<')
		scan_pass_tag(m, i);
	literals(m, i);
}
