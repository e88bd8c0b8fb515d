/* Columns on a terminal. What a reader takes for one character is counted as one (Unicode's
 * grapheme clusters, as far as they matter to widths), as present terminals draw it. */
#include "base/text.h"

#define VARIATION_EMOJI 0xfe0f
#define ZWJ		0x200d
#define MAX_CLUSTER	32 /* characters; more marks on one base begin another */

typedef struct {
	gunichar first, last;
} Range;

/* Emoji_Modifier_Base: what a skin tone merges with. */
static const Range takes_tone[] = {
	{ 0x261d, 0x261d },   { 0x26f9, 0x26f9 },   { 0x270a, 0x270d },
	{ 0x1f385, 0x1f385 }, { 0x1f3c2, 0x1f3c4 }, { 0x1f3c7, 0x1f3c7 },
	{ 0x1f3ca, 0x1f3cc }, { 0x1f442, 0x1f443 }, { 0x1f446, 0x1f450 },
	{ 0x1f466, 0x1f478 }, { 0x1f47c, 0x1f47c }, { 0x1f481, 0x1f483 },
	{ 0x1f485, 0x1f487 }, { 0x1f48f, 0x1f48f }, { 0x1f491, 0x1f491 },
	{ 0x1f4aa, 0x1f4aa }, { 0x1f574, 0x1f575 }, { 0x1f57a, 0x1f57a },
	{ 0x1f590, 0x1f590 }, { 0x1f595, 0x1f596 }, { 0x1f645, 0x1f647 },
	{ 0x1f64b, 0x1f64f }, { 0x1f6a3, 0x1f6a3 }, { 0x1f6b4, 0x1f6b6 },
	{ 0x1f6c0, 0x1f6c0 }, { 0x1f6cc, 0x1f6cc }, { 0x1f90c, 0x1f90c },
	{ 0x1f90f, 0x1f90f }, { 0x1f918, 0x1f91f }, { 0x1f926, 0x1f926 },
	{ 0x1f930, 0x1f939 }, { 0x1f93c, 0x1f93e }, { 0x1f977, 0x1f977 },
	{ 0x1f9b5, 0x1f9b6 }, { 0x1f9b8, 0x1f9b9 }, { 0x1f9bb, 0x1f9bb },
	{ 0x1f9cd, 0x1f9cf }, { 0x1f9d1, 0x1f9dd }, { 0x1fac3, 0x1fac5 },
	{ 0x1faf0, 0x1faf8 },
};

static gboolean may_take_tone(gunichar c)
{
	for (gsize i = 0; i < G_N_ELEMENTS(takes_tone); i++)
		if (c >= takes_tone[i].first && c <= takes_tone[i].last)
			return TRUE;
	return FALSE;
}

static gboolean is_tone(gunichar c)
{
	return c >= 0x1f3fb && c <= 0x1f3ff;
}

static gboolean is_flag_half(gunichar c)
{
	return c >= 0x1f1e6 && c <= 0x1f1ff;
}

/* Blocks that hold the pictures; what else is in them is never written before U+FE0F or ZWJ. */
static gboolean is_picture(gunichar c)
{
	return (c >= 0x203c && c <= 0x3299) || (c >= 0x1f000 && c <= 0x1faff) ||
	       c == 0xa9 || c == 0xae;
}

static gboolean has_emoji_form(gunichar c)
{
	return is_picture(c) || g_ascii_isdigit(c < 128 ? (char)c : 0) || c == '#' ||
	       c == '*';
}

static int char_width(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

static gboolean get(const char *p, gunichar *ret_c)
{
	gunichar c = g_utf8_get_char_validated(p, -1);

	if (c == (gunichar)-1 || c == (gunichar)-2)
		return FALSE;
	*ret_c = c;
	return TRUE;
}

/* Whether `next` goes on with the cluster, whose present picture or letter is *base. */
static gboolean joins(gunichar *base, gunichar last, gunichar next, int *width)
{
	if (is_flag_half(next)) {
		if (last != *base || !is_flag_half(*base))
			return FALSE;
		*base = 0; /* a third one begins the next flag */
		*width = 2;
	} else if (is_tone(next)) {
		if (!may_take_tone(*base) || (last != *base && last != VARIATION_EMOJI))
			return FALSE;
		*width = 2;
	} else if (last == ZWJ && is_picture(*base) && is_picture(next)) {
		*base = next;
		*width = 2;
	} else if (next == VARIATION_EMOJI && last == *base && has_emoji_form(*base)) {
		*width = 2;
	} else {
		return g_unichar_iszerowidth(next);
	}
	return TRUE;
}

gsize spk_text_cluster(const char *text, int *ret_width)
{
	const char *p = text;
	gunichar base, last, next;
	int width;

	*ret_width = *text != '\0';
	if (!*text)
		return 0;
	if ((guchar)text[0] < 0x80 && (guchar)text[1] < 0x80)
		return 1;
	if (!get(p, &base))
		return 1;
	p = g_utf8_next_char(p);
	last = base;
	width = char_width(base);
	for (guint n = 1; base >= ' ' && n < MAX_CLUSTER && *p && get(p, &next); n++) {
		if (!joins(&base, last, next, &width))
			break;
		last = next;
		p = g_utf8_next_char(p);
	}
	*ret_width = width;
	return p - text;
}

int spk_text_width(const char *text)
{
	int width = 0, one;

	while (*text) {
		text += spk_text_cluster(text, &one);
		width += one;
	}
	return width;
}
