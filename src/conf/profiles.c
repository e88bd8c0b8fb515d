/* Files of ~/.sparks/ghosts: each is a [[ghosts]] of its own, over those of the config file. */
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "conf/load_priv.h"

#define MAX_FILES 200
#define STRIDE	  1000 /* tables of the config file come before it */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *find_files(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL); /* most people have none */
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while (dir && paths->len < MAX_FILES && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".toml") && *name != '.')
			g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
	g_ptr_array_sort(paths, by_name);
	return paths;
}

/* "name" of a file of its own and "ghosts[0].name" of one that is written like a config file
 * become the same key. NULL: the heading of the list itself. */
static char *key_of(const char *key, guint number)
{
	guint64 index = 0;
	char *end;

	if (!strcmp(key, "ghosts"))
		return NULL;
	if (!g_str_has_prefix(key, "ghosts["))
		return g_strdup_printf("ghosts[%u].%s", (number + 1) * STRIDE, key);
	index = g_ascii_strtoull(key + strlen("ghosts["), &end, 10);
	return g_strdup_printf("ghosts[%u%s",
			       (guint)((number + 1) * STRIDE + index % STRIDE), end);
}

static char *nearest_key(const char *key)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++)
		if (g_str_has_prefix(opt->name, "ghosts[].") &&
		    !strchr(opt->name + strlen("ghosts[]."), '['))
			g_ptr_array_add(names,
					(gpointer)(opt->name + strlen("ghosts[].")));
	g_ptr_array_add(names, NULL);
	return spk_text_did_you_mean(key, (const char *const *)names->pdata);
}

static gboolean is_known(SpkConfLoad *load, const char *path, const SpkConfEntry *entry,
			 const char *key)
{
	g_autofree char *nearest = NULL, *shown = NULL;

	if (entry->type == SPK_TOML_TABLE || entry->type == SPK_TOML_TABLES ||
	    spk_conf_find_later(key))
		return TRUE;
	nearest = nearest_key(entry->key);
	shown = spk_text_clip(entry->key, 80);
	spk_load_problem(load, "put this line right, or take it out",
			 "%s:%u:%u: unknown key %s%s", path, entry->line, entry->column,
			 shown, nearest);
	return FALSE;
}

static void load_profile(SpkConfLoad *load, const char *path, guint number)
{
	g_autoptr(GError) error = NULL;
	gsize len = 0;
	g_autofree char *text = spk_conf_read(path, SPK_CONF_MAX_BYTES, &len, &error);
	g_autoptr(GPtrArray) entries = text ? spk_toml_parse(text, len, path, &error)
					    : NULL;
	SpkConfLayer layer = { .path = path, .mine = TRUE, .trusted = TRUE };
	gboolean known = TRUE;

	if (error)
		spk_load_problem(load, spk_error_hint(error), "%s", error->message);
	for (guint i = 0; entries && i < entries->len; i++) {
		SpkConfEntry *entry = entries->pdata[i];
		char *key = key_of(entry->key, number);

		if (!key)
			key = g_strdup("ghosts");
		known &= is_known(load, path, entry, key);
		g_free(entry->key);
		entry->key = key;
	}
	layer.entries = entries;
	if (entries && known)
		spk_load_layer(load, &layer);
}

void spk_load_profiles(SpkConfLoad *load)
{
	const char *off = g_getenv("SPARKS_DISABLE_HOME_PROFILES");
	g_autofree char *folder = spk_fs_expand("~/.sparks/ghosts");
	g_autoptr(GPtrArray) paths = NULL;

	if (off && *off && strcmp(off, "0") != 0)
		return;
	paths = find_files(folder);
	for (guint i = 0; i < paths->len; i++)
		load_profile(load, paths->pdata[i], i);
}
