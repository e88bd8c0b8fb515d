/* Files of ~/.sparks/ghosts: each is a [[ghosts]] of its own, over those of the config file. */
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "conf/load_priv.h"

enum { MAX_FILES = 200, MAX_LEFT_OUT = 8 };

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the files, in their order. */
static GPtrArray *find_files(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL); /* most people have none */
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".toml") && *name != '.')
			g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	return names;
}

static void leave_out(SpkConfLoad *load, const char *folder, GPtrArray *names)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint n = MIN(names->len, MAX_FILES + MAX_LEFT_OUT);

	if (names->len <= MAX_FILES)
		return;
	for (guint i = MAX_FILES; i < n; i++)
		g_string_append_printf(text, "%s%s", i > MAX_FILES ? ", " : "",
				       (const char *)names->pdata[i]);
	if (names->len > n)
		g_string_append_printf(text, " and %u more", names->len - n);
	spk_load_warning(
		load,
		"%s: no more than %d files are read, in the order of their names: "
		"without effect are %s",
		folder, MAX_FILES, text->str);
	g_ptr_array_set_size(names, MAX_FILES);
}

static gboolean is_of_list(const char *key)
{
	return !strcmp(key, "ghosts") || g_str_has_prefix(key, "ghosts[");
}

/* "name" of a file of its own becomes "ghosts[0].name", which one that is written like a
 * config file has already. */
static char *key_of(const char *key)
{
	return is_of_list(key) ? g_strdup(key) : g_strconcat("ghosts[0].", key, NULL);
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

	if (!strcmp(key, "ghosts") && entry->type != SPK_TOML_TABLES) {
		spk_load_problem(load, "write [[ghosts]] over each spark",
				 "%s:%u:%u: ghosts must be a list of tables", path,
				 entry->line, entry->column);
		return FALSE;
	}
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

/* Keys of one spark and a list of them would be two sparks with half of what was meant. */
static gboolean is_either(SpkConfLoad *load, const char *path, const GPtrArray *entries)
{
	const SpkConfEntry *plain = NULL, *listed = NULL;

	for (guint i = 0; i < entries->len; i++) {
		const SpkConfEntry *entry = entries->pdata[i];

		*(is_of_list(entry->key) ? &listed : &plain) = entry;
	}
	if (plain && listed)
		spk_load_problem(load, "put each spark under a [[ghosts]] of its own",
				 "%s:%u: %s beside [[ghosts]], of line %u", path,
				 plain->line, plain->key, listed->line);
	else if (!plain && !listed)
		spk_load_warning(load, "%s is empty: no spark", path);
	return !plain || !listed;
}

void spk_load_profile(SpkConfLoad *load, const char *path, const char *text, gsize len)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = spk_toml_parse(text, len, path, &error);
	SpkConfLayer layer = { .path = path, .mine = TRUE, .trusted = TRUE };
	gboolean known = TRUE;

	if (error)
		spk_load_problem(load, spk_error_hint(error), "%s", error->message);
	if (!entries || !is_either(load, path, entries))
		return;
	for (guint i = 0; i < entries->len; i++) {
		SpkConfEntry *entry = entries->pdata[i];
		char *key = key_of(entry->key);

		known &= is_known(load, path, entry, key);
		g_free(entry->key);
		entry->key = key;
	}
	layer.entries = entries;
	if (known)
		spk_load_layer(load, &layer);
}

static void load_file(SpkConfLoad *load, const char *path)
{
	g_autoptr(GError) error = NULL;
	gsize len = 0;
	g_autofree char *text = spk_conf_read(path, SPK_CONF_MAX_BYTES, &len, &error);

	if (error)
		spk_load_problem(load, spk_error_hint(error), "%s", error->message);
	if (text)
		spk_load_profile(load, path, text, len);
}

void spk_load_profiles(SpkConfLoad *load)
{
	const char *off = g_getenv("SPARKS_DISABLE_HOME_PROFILES");
	g_autofree char *folder = spk_fs_expand("~/.sparks/ghosts");
	g_autoptr(GPtrArray) names = NULL;
	guint first = load->conf->tables->len;

	if (off && *off && strcmp(off, "0") != 0)
		return;
	names = find_files(folder);
	leave_out(load, folder, names);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);

		load_file(load, path);
	}
	spk_load_check_names(load, first);
}
