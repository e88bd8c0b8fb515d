/* Markdown to a terminal: whatever comes, only our own escapes go out, colours are closed on
 * their line, no line is wider than the screen, and without style it is the clean text. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "cmd/chat/markdown.h"

#define ROWS 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(const char *text, gsize len, gpointer user)
{
	g_string_append_len(user, text, len);
}

/* CSI with digits, then one of m A J; never up beyond the screen, where the cursor would stop. */
static const char *skip_escape(const char *p, gboolean *ret_open)
{
	const char *from = p;
	guint64 count = g_ascii_strtoull(p + 2, NULL, 10);

	g_assert(*p++ == '\033' && *p++ == '[');
	p += strspn(p, "0123456789;");
	g_assert(*p && strchr("mAJ", *p));
	g_assert(*p != 'A' || (count > 0 && count < ROWS));
	if (*p == 'm')
		*ret_open = strncmp(from, "\033[0m", 4) != 0;
	return p + 1;
}

/* Of what stands on the line; the last column stays free, so that no terminal wraps. */
static void check_width(GString *line, int columns)
{
	g_assert_cmpint(spk_text_width(line->str), <, columns);
	g_string_truncate(line, 0);
}

static void check_styled(const char *out, int columns)
{
	g_autoptr(GString) line = g_string_new(NULL);
	gboolean open = FALSE;

	for (const char *p = out; *p;) {
		g_assert((guchar)*p >= ' ' || strchr("\n\r\033", *p));
		if (*p == '\033') {
			p = skip_escape(p, &open);
			continue;
		}
		if (*p == '\n')
			g_assert(!open);
		if (*p == '\n' || *p == '\r')
			check_width(line, columns);
		else
			g_string_append_c(line, *p);
		p++;
	}
	g_assert(!open);
	check_width(line, columns);
}

/* Wherever the pieces were cut: the clean text, and a line end. */
static void check_plain(const char *out, const char *text, gsize len)
{
	g_autofree char *clean = spk_text_clean(text, (gssize)len, SPK_CLEAN_TEXT);
	g_autofree char *line = g_strconcat(clean, "\n", NULL);

	g_assert_cmpstr(out, ==, !*clean || g_str_has_suffix(clean, "\n") ? clean : line);
}

static void run(const char *text, gsize len, int columns, gsize step)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(SpkMarkdown) markdown = spk_markdown_new(columns > 0, keep, out);

	spk_markdown_screen(markdown, columns, ROWS);
	for (gsize at = 0; at < len; at += step) {
		g_autofree char *piece = g_strndup(text + at, MIN(step, len - at));

		spk_markdown_feed(markdown, piece);
	}
	spk_markdown_finish(markdown);
	if (columns > 0)
		check_styled(out->str, columns);
	else
		check_plain(out->str, text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	gsize len = strlen(text);

	run(text, len, 40, 1);
	run(text, len, 20 + (int)(len % 61), MAX(len, 1));
	run(text, len, 0, 1);
	run(text, len, 0, 3);
	return 0;
}
