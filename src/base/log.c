#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "base/veil.h"

static const char *const names[] = { "error", "warn", "info", "debug", NULL };

static SpkLogLevel threshold(void)
{
	static gsize level;

	if (g_once_init_enter(&level)) {
		const char *word = g_getenv("SPARKS_LOG");
		gsize found = 0;

		while (word && names[found] && g_ascii_strcasecmp(word, names[found]))
			found++;
		if (word && !names[found])
			fputs("sparks: SPARKS_LOG is none of error, warn, info, debug; "
			      "taking warn\n",
			      stderr);
		g_once_init_leave(&level,
				  (word && names[found] ? found : SPK_LOG_WARN) + 1);
	}
	return (SpkLogLevel)(level - 1);
}

void spk_log(SpkLogLevel level, const char *room, const char *format, ...)
{
	g_autofree char *text = NULL, *veiled = NULL;
	g_autofree char *line = NULL;
	va_list args;

	if (level > threshold())
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	veiled = spk_veil_text(text);
	line = spk_text_clean(veiled, -1, SPK_CLEAN_LINE);
	fprintf(stderr, "sparks: %s: %s: %s\n", names[level], room, line);
}
