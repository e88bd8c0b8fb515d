/* Cleaned text holds nothing that a terminal would act on, and cuts end between characters. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean is_bidi(gunichar c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	       c == 0x200e || c == 0x200f || c == 0x061c;
}

static void check_clean(const char *bytes, size_t size, SpkCleanMode mode)
{
	g_autofree char *clean = spk_text_clean(bytes, size, mode);
	g_autofree char *again = spk_text_clean(clean, -1, mode);
	gboolean blank = TRUE;

	g_assert(g_utf8_validate(clean, -1, NULL));
	g_assert(strlen(clean) <= 3 * size); /* U+FFFD for a byte at worst */
	g_assert_cmpstr(clean, ==, again);
	for (const char *p = clean; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_assert(mode == SPK_CLEAN_TEXT && (c == '\n' || c == '\t') ? TRUE
									    : c >= 0x20);
		g_assert(!(c >= 0x7f && c < 0xa0) && !is_bidi(c));
		g_assert(mode == SPK_CLEAN_TEXT || !(blank && c == ' '));
		blank = c == ' ';
	}
	g_assert(spk_text_width(clean) >= 0);
}

static void check_cuts(const char *bytes, size_t size, size_t max)
{
	g_autofree char *clean = spk_text_clean(bytes, size, SPK_CLEAN_TEXT);
	g_autofree char *clip = spk_text_clip(clean, max);
	g_autofree char *middle = spk_text_clip_middle(clean, strlen(clean), max);

	g_assert(strlen(clip) <= max && g_utf8_validate(clip, -1, NULL));
	g_assert(strlen(middle) <= max && g_utf8_validate(middle, -1, NULL));
	g_assert(spk_text_prefix_len(bytes, size, max) <= MIN(size, max));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	check_clean(bytes, size, SPK_CLEAN_TEXT);
	check_clean(bytes, size, SPK_CLEAN_LINE);
	if (size)
		check_cuts(bytes + 1, size - 1, data[0]);
	return 0;
}
