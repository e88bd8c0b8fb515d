/* Markdown to a terminal: whatever comes, only our own escapes go out, colours are closed on
 * their line, and without style there is no escape at all. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "cmd/chat/markdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(const char *text, gsize len, gpointer user)
{
	g_string_append_len(user, text, len);
}

/* CSI with digits, then one of m A J. */
static const char *skip_escape(const char *p, gboolean *ret_open)
{
	const char *from = p;

	g_assert(*p++ == '\033' && *p++ == '[');
	p += strspn(p, "0123456789;");
	g_assert(*p && strchr("mAJ", *p));
	if (*p == 'm')
		*ret_open = strncmp(from, "\033[0m", 4) != 0;
	return p + 1;
}

static void check(const char *out, gboolean style)
{
	gboolean open = FALSE;

	for (const char *p = out; *p;) {
		g_assert((guchar)*p >= ' ' || strchr("\n\r\t\033", *p));
		if (*p == '\n')
			g_assert(!open);
		if (*p != '\033') {
			p++;
			continue;
		}
		g_assert(style);
		p = skip_escape(p, &open);
	}
	g_assert(!open);
}

static void run(const char *text, gsize len, gboolean style, gsize step)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(SpkMarkdown) markdown = spk_markdown_new(style, keep, out);

	spk_markdown_screen(markdown, 40, 10);
	for (gsize at = 0; at < len; at += step) {
		g_autofree char *piece = g_strndup(text + at, MIN(step, len - at));

		spk_markdown_feed(markdown, piece);
	}
	spk_markdown_finish(markdown);
	check(out->str, style);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	gsize len = strlen(text);

	run(text, len, TRUE, 1);
	run(text, len, TRUE, MAX(len, 1));
	run(text, len, FALSE, 3);
	return 0;
}
