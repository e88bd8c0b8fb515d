#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bidi controls and other invisible characters that can make text read differently from
 * what it is. */
static gboolean is_deceptive(gunichar c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	       c == 0x200e || c == 0x200f || c == 0x061c || c == 0x2028 || c == 0x2029 ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || c == 0x00ad ||
	       c == 0x200b || (c >= 0x2060 && c <= 0x2065) ||
	       (c >= 0x206a && c <= 0x206f) || c == 0x180e || c == 0x115f ||
	       c == 0x1160 || c == 0x3164 || c == 0xffa0 ||
	       (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0x1d173 && c <= 0x1d17a) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

static gboolean is_selector(gunichar c)
{
	return c >= 0xfe00 && c <= 0xfe0f;
}

static gboolean is_joiner(gunichar c)
{
	return c == 0x200c || c == 0x200d;
}

/* Scripts and emoji need some that can't be seen, one behind what it is for; where text may
 * begin in the middle of such a thing, it does. */
static gboolean is_stray(gunichar c, gunichar before)
{
	if (!is_selector(c) && !is_joiner(c))
		return FALSE;
	if (!before)
		return FALSE;
	if (is_joiner(before) || (is_selector(c) && is_selector(before)))
		return TRUE;
	return before < 0x80 && !(is_selector(c) && (g_ascii_isdigit((char)before) ||
						     before == '#' || before == '*'));
}

static gboolean is_white(gunichar c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0x2028 ||
	       c == 0x2029;
}

static gboolean is_control(gunichar c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* From after "ESC ]" and its like: up to ST, BEL, CAN or SUB; one line at most. */
static gsize string_len(const char *p, gsize left, gboolean *ret_open)
{
	gsize i = 2;

	for (; i < left && p[i] != '\n'; i++) {
		if (p[i] == '\a' || p[i] == 0x18 || p[i] == 0x1a)
			return i + 1;
		if (i + 1 < left && p[i] == '\xc2' && p[i + 1] == '\x9c')
			return i + 2;
		if (i + 1 < left && p[i] == '\033')
			return p[i + 1] == '\\' ? i + 2 : i;
	}
	*ret_open = i == left;
	/* a last ESC is looked at again by itself */
	return i == left && i > 2 && p[i - 1] == '\033' ? i - 1 : i;
}

/* Length of the escape sequence at p, at least 1. It starts with ESC and a letter, or with
 * the C1 control that means the same: U+009B is ESC [. Both take two bytes. *ret_open: it would
 * be another one if more followed. */
static gsize escape_len(const char *p, gsize left, gboolean *ret_open)
{
	gboolean c1 = *p != '\033';
	gsize i = 2;

	*ret_open = left < 2;
	if (left < 2)
		return 1;
	switch (c1 ? (guchar)p[1] - 0x40 : p[1]) {
	case '[': /* CSI: parameters, then one final byte */
		while (i < left && p[i] >= 0x20 && p[i] <= 0x3f)
			i++;
		*ret_open = i == left;
		return i < left && p[i] >= 0x40 && p[i] <= 0x7e ? i + 1 : i;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_': /* OSC, DCS, SOS, PM, APC */
		return string_len(p, left, ret_open);
	default:
		if (c1)
			return 2;
		while (i - 1 < left && p[i - 1] >= 0x20 && p[i - 1] <= 0x2f)
			i++;
		*ret_open = i - 1 == left;
		return i - 1 < left && (guchar)p[i - 1] >= 0x30 && (guchar)p[i - 1] < 0x7f
			       ? i
			       : i - 1;
	}
}

static gboolean begins_escape(gunichar c)
{
	return c == 0x1b || (c >= 0x80 && c < 0xa0);
}

gsize spk_text_settled_len(const char *text, gsize len)
{
	gboolean open = FALSE;
	gsize at = 0, step;

	for (; at < len; at += step) {
		gunichar c = g_utf8_get_char_validated(text + at, len - at);

		if (c == (gunichar)-2 && text[at])
			return at;
		step = c == (gunichar)-1 || !text[at] ? 1 : g_utf8_skip[(guchar)text[at]];
		if (begins_escape(c))
			step = escape_len(text + at, len - at, &open);
		if (open)
			return at;
	}
	return at;
}

char *spk_text_clean(const char *text, gssize len, SpkCleanMode mode)
{
	gsize left = len < 0 ? strlen(text) : (gsize)len;
	GString *out = g_string_sized_new(left);
	gboolean blank = FALSE, open;
	gunichar before = 0;

	while (left) {
		gunichar c = g_utf8_get_char_validated(text, left);
		gsize step = 1;

		if (*text == '\0' || c == (gunichar)-1 || c == (gunichar)-2)
			c = *text == '\0' ? 0 : 0xfffd;
		else
			step = g_utf8_next_char(text) - text;
		if (begins_escape(c))
			step = escape_len(text, left, &open);
		text += step;
		left -= step;
		if (mode == SPK_CLEAN_LINE && is_white(c)) {
			blank = out->len > 0;
			continue;
		}
		if ((is_control(c) && c != '\n' && c != '\t') || is_deceptive(c) ||
		    is_stray(c, blank ? ' ' : before))
			continue;
		if (blank)
			g_string_append_c(out, ' ');
		blank = FALSE;
		before = c;
		g_string_append_unichar(out, c);
	}
	return g_string_free(out, FALSE);
}

char *spk_text_json_for_screen(const char *json)
{
	GString *out = g_string_sized_new(strlen(json));

	for (const char *p = json; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c < 0x7f || !(is_control(c) || is_deceptive(c) || is_joiner(c)))
			g_string_append_unichar(out, c);
		else if (c < 0x10000)
			g_string_append_printf(out, "\\u%04x", c);
		else
			g_string_append_printf(out, "\\u%04x\\u%04x",
					       0xd800 + ((c - 0x10000) >> 10),
					       0xdc00 + ((c - 0x10000) & 0x3ff));
	}
	return g_string_free(out, FALSE);
}

gsize spk_text_prefix_len(const char *text, gsize len, gsize max_bytes)
{
	if (len <= max_bytes)
		return len;
	len = max_bytes;
	while (len > 0 && ((guchar)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

char *spk_text_clip(const char *text, gsize max_bytes)
{
	gsize len = strlen(text);
	gsize keep;

	if (len <= max_bytes)
		return g_strdup(text);
	keep = spk_text_prefix_len(text, len, max_bytes >= 3 ? max_bytes - 3 : 0);
	return g_strdup_printf("%.*s%s", (int)keep, text, max_bytes >= 3 ? "…" : "");
}

char *spk_text_clip_middle(const char *text, gsize len, gsize max_bytes)
{
	const gsize note = 48;
	gsize room = max_bytes > note ? max_bytes - note : 0;
	gsize head, tail;
	GString *out;

	if (len <= max_bytes || !room)
		return g_strndup(text, spk_text_prefix_len(text, len, max_bytes));
	head = spk_text_prefix_len(text, len, room / 2);
	tail = len - (room - room / 2);
	while (tail < len && ((guchar)text[tail] & 0xc0) == 0x80)
		tail++;
	out = g_string_new_len(text, head);
	g_string_append_printf(out, "\n[… %" G_GSIZE_FORMAT " bytes left out …]\n",
			       tail - head);
	g_string_append_len(out, text + tail, len - tail);
	return g_string_free(out, FALSE);
}

#define WORD_MAX 63

static gboolean is_same(const char *a, gsize i, const char *b, gsize j)
{
	return g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j - 1]);
}

/* Edit distance of two short ASCII words, ignoring case; two neighbours swapped count as one
 * edit (optimal string alignment). */
static guint edit_distance(const char *a, const char *b)
{
	gsize na = MIN(strlen(a), WORD_MAX), nb = MIN(strlen(b), WORD_MAX);
	guint rows[3][WORD_MAX + 1];

	for (gsize j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (gsize i = 1; i <= na; i++) {
		guint *row = rows[i % 3];
		const guint *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (gsize j = 1; j <= nb; j++) {
			row[j] = MIN(above[j], row[j - 1]) + 1;
			row[j] = MIN(row[j], above[j - 1] + !is_same(a, i, b, j));
			if (i > 1 && j > 1 && is_same(a, i, b, j - 1) &&
			    is_same(a, i - 1, b, j))
				row[j] = MIN(row[j], above2[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

const char *spk_text_nearest(const char *word, const char *const *words)
{
	guint best = MAX(1, MIN(strlen(word), WORD_MAX) / 3) + 1;
	const char *nearest = NULL;

	for (; *words; words++) {
		guint distance = edit_distance(word, *words);

		if (distance < best) {
			best = distance;
			nearest = *words;
		}
	}
	return nearest;
}

char *spk_text_did_you_mean(const char *word, const char *const *words)
{
	const char *nearest = spk_text_nearest(word, words);

	return nearest ? g_strdup_printf(" (did you mean \"%s\"?)", nearest)
		       : g_strdup("");
}

char *spk_text_sha256(const void *data, gsize len)
{
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, len);
}

char *spk_text_bytes(guint64 n)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = n;
	gsize unit = 0;

	if (n < 1000)
		return g_strdup_printf("%u B", (guint)n);
	for (value /= 1000; value >= 999.95 && unit < G_N_ELEMENTS(units) - 1; unit++)
		value /= 1000;
	return g_strdup_printf("%.1f %s", value, units[unit]);
}

gboolean spk_text_to_int(const char *text, gint64 min, gint64 max, gint64 *ret_value)
{
	return g_ascii_string_to_signed(text, 10, min, max, ret_value, NULL);
}
