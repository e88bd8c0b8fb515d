#include "memory/pip_conf.h"

#include <string.h>

#include "base/fs.h"

#define FILE_MAX (256u << 10)
#define DEFAULT	 "https://pypi.org/simple"
#define URLS_MAX 16

/* ---- files ---- */

static gboolean is_our_section(const char *line)
{
	return g_str_has_prefix(line, "[global]") || g_str_has_prefix(line, "[download]");
}

static void add_line(GHashTable *values, const char *key, const char *more)
{
	const char *old = g_hash_table_lookup(values, key);

	g_hash_table_replace(values, g_strdup(key), g_strconcat(old, "\n", more, NULL));
}

/* "key = value" or "key: value"; returns the key. */
static char *take_pair(GHashTable *values, const char *line)
{
	gsize n = strcspn(line, "=:");
	g_autofree char *key = g_strstrip(g_ascii_strdown(line, (gssize)n));

	if (!line[n] || !*key)
		return NULL;
	g_strdelimit(key, "_", '-');
	g_hash_table_replace(values, g_strdup(key), g_strstrip(g_strdup(line + n + 1)));
	return g_steal_pointer(&key);
}

void spk_pip_conf_parse(const char *text, GHashTable *values)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *key = NULL;
	gboolean ours = FALSE;

	for (char **line = lines; *line; line++) {
		gboolean inside = g_ascii_isspace(**line);

		g_strstrip(*line);
		if (!**line || **line == '#' || **line == ';')
			continue;
		if (**line == '[')
			ours = is_our_section(*line);
		else if (ours && inside && key)
			add_line(values, key, *line);
		else if (ours) {
			g_free(key);
			key = take_pair(values, *line);
			continue;
		}
		if (**line == '[')
			g_clear_pointer(&key, g_free);
	}
}

static void read_file(const char *folder, const char *name, GHashTable *values)
{
	g_autofree char *path = folder ? g_build_filename(folder, name, NULL) : NULL;
	g_autofree char *text = path ? spk_fs_read(path, FILE_MAX, NULL, NULL) : NULL;

	if (text)
		spk_pip_conf_parse(text, values);
}

static void read_files(GHashTable *values)
{
	const char *named = g_getenv("PIP_CONFIG_FILE");
	const char *home = g_getenv("HOME");

	if (named && !strcmp(named, "/dev/null"))
		return;
	read_file("/etc/xdg", "pip/pip.conf", values);
	read_file("/etc", "pip.conf", values);
	read_file(home ? home : g_get_home_dir(), ".pip/pip.conf", values);
	read_file(g_get_user_config_dir(), "pip/pip.conf", values);
	read_file(g_getenv("VIRTUAL_ENV"), "pip.conf", values);
	read_file(named, "", values);
}

/* ---- values ---- */

static const char *value_of(GHashTable *values, const char *variable, const char *key)
{
	const char *set = g_getenv(variable);

	if (!set)
		set = g_hash_table_lookup(values, key);
	return set ? set : "";
}

static gboolean is_yes(const char *text)
{
	static const char *const words[] = { "1", "true", "yes", "on", "y", "t", NULL };
	g_autofree char *lower = g_ascii_strdown(text, -1);

	return g_strv_contains(words, lower);
}

static void add_words(GPtrArray *to, const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n", -1);

	for (char **word = words; *word; word++)
		if (**word && to->len < URLS_MAX)
			g_ptr_array_add(to, g_strdup(*word));
}

static char **end_list(GPtrArray *take_list)
{
	g_ptr_array_add(take_list, NULL);
	return (char **)g_ptr_array_free(take_list, FALSE);
}

void spk_pip_conf_read(SpkPipConf *conf)
{
	g_autoptr(GHashTable)
		values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	GPtrArray *indexes = g_ptr_array_new(), *links = g_ptr_array_new();
	const char *first;

	read_files(values);
	if (!is_yes(value_of(values, "PIP_NO_INDEX", "no-index"))) {
		first = value_of(values, "PIP_INDEX_URL", "index-url");
		add_words(indexes, *first ? first : DEFAULT);
		add_words(indexes,
			  value_of(values, "PIP_EXTRA_INDEX_URL", "extra-index-url"));
	}
	add_words(links, value_of(values, "PIP_FIND_LINKS", "find-links"));
	conf->indexes = end_list(indexes);
	conf->links = end_list(links);
}

void spk_pip_conf_clear(SpkPipConf *conf)
{
	g_clear_pointer(&conf->indexes, g_strfreev);
	g_clear_pointer(&conf->links, g_strfreev);
}
