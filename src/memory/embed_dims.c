#include "memory/embed_dims.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "memory/embedder.h"

#define FILE_MAX (256u << 10)
#define MOST	 1000

char *spk_embed_dims_path(const char *home)
{
	return home ? g_build_filename(home, "models", "servers.json", NULL) : NULL;
}

static char *key_of(const char *provider, const char *url, const char *model)
{
	return g_strjoin(" ", provider, url, model, NULL);
}

static json_t *read_all(const char *path)
{
	gsize len = 0;
	g_autofree char *text = path ? spk_fs_read(path, FILE_MAX, &len, NULL) : NULL;
	g_autoptr(json_t) all = text ? spk_json_parse(text, len, FILE_MAX, NULL) : NULL;

	return json_is_object(all) ? g_steal_pointer(&all) : json_object();
}

guint spk_embed_dims_get(const char *path, const char *provider, const char *url,
			 const char *model)
{
	g_autoptr(json_t) all = read_all(path);
	g_autofree char *key = key_of(provider, url, model);
	gint64 dims = spk_json_int(all, key, 0);

	return dims >= 1 && dims <= SPK_EMBED_DIMS_MAX ? (guint)dims : 0;
}

void spk_embed_dims_set(const char *path, const char *provider, const char *url,
			const char *model, guint dims)
{
	g_autoptr(json_t) all = read_all(path);
	g_autofree char *key = key_of(provider, url, model);
	g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;
	g_autofree char *text = NULL;

	if (!path || !spk_fs_mkdirs(folder, 0700, NULL))
		return;
	if (json_object_size(all) >= MOST)
		json_object_clear(all);
	if (dims)
		spk_json_set(all, key, json_integer(dims));
	else
		json_object_del(all, key);
	text = spk_json_dump(all);
	(void)spk_fs_write_atomic(path, text, strlen(text), 0600, NULL); /* a cache */
}
