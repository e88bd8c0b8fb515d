#include "memory/pypi.h"

#include <string.h>

#include "base/json.h"

#define HREF_MAX 8192

const char *const spk_pypi_accept =
	"Accept: application/vnd.pypi.simple.v1+json, "
	"application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.1";

char *spk_pypi_page(const char *index, const char *project)
{
	gsize n = strlen(index);

	while (n && index[n - 1] == '/')
		n--;
	return g_strdup_printf("%.*s/%s/", (int)n, index, project);
}

/* The last part of its path is that name. */
static gboolean is_of_file(const char *href, const char *file)
{
	g_autofree char *path = g_strndup(href, strcspn(href, "?#"));
	const char *slash = strrchr(path, '/');
	g_autofree char *name = g_uri_unescape_string(slash ? slash + 1 : path, NULL);

	return name && !strcmp(name, file);
}

/* Without its fragment, which holds a check sum: ours counts. */
static char *resolve(const char *page, const char *href)
{
	g_autofree char *bare = g_strndup(href, strcspn(href, "#"));
	g_autofree char *whole =
		g_uri_resolve_relative(page, bare, G_URI_FLAGS_ENCODED, NULL);

	if (!whole ||
	    !(g_str_has_prefix(whole, "https://") || g_str_has_prefix(whole, "http://")))
		return NULL;
	return g_steal_pointer(&whole);
}

static char *find_in_json(const json_t *body, const char *page, const char *file)
{
	const json_t *files = json_object_get(body, "files"), *one;
	size_t i;

	json_array_foreach(files, i, one) {
		const char *name = spk_json_str(one, "filename");
		const char *url = spk_json_str(one, "url");

		if (name && url && !strcmp(name, file))
			return resolve(page, url);
	}
	return NULL;
}

/* What HTML writes otherwise in an address. */
static char *unescape(const char *text, gsize n)
{
	static const char *const names[][2] = { { "&amp;", "&" },
						{ "&#38;", "&" },
						{ "&quot;", "\"" } };
	GString *out = g_string_new_len(text, (gssize)n);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_string_replace(out, names[i][0], names[i][1], 0);
	return g_string_free(out, FALSE);
}

/* The value of the attribute href in a tag's text, up to `end`; NULL: it has none. */
static char *href_of(const char *tag, const char *end)
{
	for (const char *at = tag; at + 6 < end; at++) {
		const char *value, *close;

		if (!g_ascii_isspace(*at) || g_ascii_strncasecmp(at + 1, "href=", 5) != 0)
			continue;
		value = at + 6;
		if (*value != '"' && *value != '\'')
			return NULL;
		close = memchr(value + 1, *value, (gsize)(end - value - 1));
		if (!close || close - value > HREF_MAX)
			return NULL;
		return unescape(value + 1, (gsize)(close - value - 1));
	}
	return NULL;
}

static char *find_in_html(const char *text, gsize len, const char *page, const char *file)
{
	const char *end = text + len, *at = text;

	while ((at = memchr(at, '<', (gsize)(end - at))) != NULL) {
		const char *close = memchr(at, '>', (gsize)(end - at));
		g_autofree char *href = NULL;

		if (!close)
			return NULL;
		if (close - at > 2 && g_ascii_tolower(at[1]) == 'a')
			href = href_of(at + 2, close);
		if (href && is_of_file(href, file))
			return resolve(page, href);
		at = close;
	}
	return NULL;
}

char *spk_pypi_find(const char *text, gsize len, const char *page, const char *file)
{
	g_autoptr(json_t) body = spk_json_parse(text, len, SPK_PYPI_PAGE_MAX, NULL);

	return json_is_object(body) ? find_in_json(body, page, file)
				    : find_in_html(text, len, page, file);
}
