#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const char *const names[] = { "error", "warn", "info", "debug", NULL };

static SpkLogLevel threshold(void)
{
	static gsize level;

	if (g_once_init_enter(&level)) {
		const char *word = g_getenv("SPARKS_LOG");
		gsize found = SPK_LOG_WARN;

		for (gsize i = 0; word && names[i]; i++)
			if (!g_ascii_strcasecmp(word, names[i]))
				found = i;
		g_once_init_leave(&level, found + 1);
	}
	return (SpkLogLevel)(level - 1);
}

void spk_log(SpkLogLevel level, const char *room, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *line = NULL;
	va_list args;

	if (level > threshold())
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	line = spk_text_clean(text, -1, SPK_CLEAN_LINE);
	fprintf(stderr, "sparks: %s: %s: %s\n", names[level], room, line);
}
