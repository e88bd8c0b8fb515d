/* The lines that the file holds once it is open. */
#include <string.h>

#include "conf/secret_priv.h"

/* The line of `key`, or NULL; *ret_len without its end. */
static const char *line_of(const char *text, const char *key, gsize *ret_len)
{
	gsize len = strlen(key);

	while (*text) {
		gsize n = strcspn(text, "\n");

		if (n > len && !strncmp(text, key, len) && text[len] == '=') {
			*ret_len = n;
			return text;
		}
		text += n + (text[n] == '\n');
	}
	return NULL;
}

char *spk_secret_text_get(const char *text, const char *key)
{
	gsize n, skip = strlen(key) + 1;
	const char *line = line_of(text, key, &n);

	return line && n > skip ? g_strndup(line + skip, n - skip) : NULL;
}

char *spk_secret_text_put(const char *text, const char *key, const char *value)
{
	gsize n = 0, room = strlen(text) + strlen(key) + (value ? strlen(value) : 0) + 4;
	const char *line = line_of(text, key, &n);
	gsize before = line ? (gsize)(line - text) : strlen(text);
	char *out = g_malloc0(room);

	memcpy(out, text, before);
	if (before && out[before - 1] != '\n')
		out[before++] = '\n';
	if (value) {
		g_strlcat(out, key, room);
		g_strlcat(out, "=", room);
		g_strlcat(out, value, room);
		g_strlcat(out, "\n", room);
	}
	if (line)
		g_strlcat(out, line + n + (line[n] == '\n'), room);
	return out;
}

char **spk_secret_text_keys(const char *text)
{
	GPtrArray *keys = g_ptr_array_new();

	while (*text) {
		gsize n = strcspn(text, "\n");
		const char *equals = memchr(text, '=', n);

		if (*text != '#' && equals && equals > text)
			g_ptr_array_add(keys, g_strndup(text, equals - text));
		text += n + (text[n] == '\n');
	}
	g_ptr_array_add(keys, NULL);
	return (char **)g_ptr_array_free(keys, FALSE);
}
