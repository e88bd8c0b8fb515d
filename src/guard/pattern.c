#include "guard/guard_priv.h"

#include <fnmatch.h>
#include <string.h>

/* Past the nth "/" after `from`: where a run of n components ends, or NULL if it is shorter. */
static const char *run_end(const char *from, guint n)
{
	const char *end = from;

	for (; n > 0; n--) {
		if (*from == '\0')
			return NULL;
		end = strchrnul(from, '/');
		from = *end ? end + 1 : end;
	}
	return end;
}

gboolean pattern_finds(const char *pattern, const char *path, gboolean leaf)
{
	gsize len = strlen(pattern);
	gboolean folder = len > 0 && pattern[len - 1] == '/';
	g_autofree char *glob = g_strndup(pattern, len - folder);
	guint n = 1;

	for (const char *p = glob; *p; p++)
		n += *p == '/';
	for (const char *from = path; from; from = strchr(from, '/')) {
		const char *end;
		g_autofree char *run = NULL;

		from += *from == '/';
		end = run_end(from, n);
		if (!end)
			return FALSE;
		if (folder ? *end == '\0' : leaf && *end != '\0')
			continue;
		run = g_strndup(from, end - from);
		if (fnmatch(glob, run, FNM_PATHNAME | FNM_CASEFOLD) == 0)
			return TRUE;
	}
	return FALSE;
}
