/*
 * [[ghosts]] and [[prompt_scanner.mode_overrides]] of a file become tables: each keeps its
 * keys, for table.c to read.
 */
#include <string.h>

#include "conf/load_priv.h"

#define MODES "prompt_scanner.mode_overrides"

static void free_value(gpointer data)
{
	SpkConfValue *value = data;

	g_free(value->text);
	g_free(value);
}

gboolean spk_load_is_table(const SpkConfEntry *entry)
{
	const char *end = strchr(entry->key, ']');

	return entry->type == SPK_TOML_TABLE && end && !end[1] &&
	       (g_str_has_prefix(entry->key, "ghosts[") ||
		g_str_has_prefix(entry->key, MODES "["));
}

static SpkConfTable *new_table(const SpkConfLayer *layer, const char *name, guint line)
{
	SpkConfTable *table = g_new0(SpkConfTable, 1);
	g_autofree char *folder = NULL;

	table->name = g_strdup(name);
	table->file = g_strdup(layer->path);
	table->line = line;
	if (layer->mine) {
		folder = g_path_get_dirname(layer->path);
		table->folder = g_canonicalize_filename(folder, NULL);
	}
	table->values =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
	return table;
}

SpkConfTable *spk_load_table(SpkConfLoad *load, const SpkConfLayer *layer,
			     const SpkConfEntry *entry)
{
	const char *digits = strchr(entry->key, '[') + 1;
	g_autofree char *name =
		g_strndup(entry->key, (gsize)(strchr(digits, ']') + 1 - entry->key));
	guint64 index = g_ascii_strtoull(digits, NULL, 10);
	gboolean ghosts = g_str_has_prefix(entry->key, "ghosts[");
	GPtrArray *tables = ghosts ? load->conf->tables : load->conf->modes;
	SpkConfTable *table = tables->len ? tables->pdata[tables->len - 1] : NULL;

	if (table && !strcmp(table->name, name) && !strcmp(table->file, layer->path))
		return table;
	if (index >= SPK_CONF_MAX_TABLES) {
		if (index == SPK_CONF_MAX_TABLES && spk_load_is_table(entry))
			spk_load_problem(
				load,
				ghosts ? "take some out, or put them into files of "
					 "~/.sparks/ghosts"
				       : "take some out",
				"%s:%u: more than %u [[%s]]", layer->path, entry->line,
				SPK_CONF_MAX_TABLES, ghosts ? "ghosts" : MODES);
		return NULL;
	}
	table = new_table(layer, name, entry->line);
	g_ptr_array_add(tables, table);
	return table;
}

void spk_load_check_names(SpkConfLoad *load, guint first)
{
	const GPtrArray *tables = load->conf->tables;
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = first; i < tables->len; i++) {
		SpkConfTable *table = tables->pdata[i];
		const char *name = spk_conf_table_str(table, "name");
		const SpkConfTable *other = g_hash_table_lookup(seen, name);

		if (!other)
			g_hash_table_insert(seen, (gpointer)name, table);
		else if (*name)
			spk_load_problem(
				load, "rename one of them, or take it out",
				"%s:%u: \"%s\" is the name of the spark at %s:%u already",
				table->file, spk_conf_table_line(table, "name"), name,
				other->file, spk_conf_table_line(other, "name"));
	}
}

void spk_load_keep(SpkConfTable *table, const SpkConfEntry *entry, SpkConfValue *value)
{
	if (!table) {
		g_free(value->text);
		return;
	}
	value->line = entry->line;
	g_hash_table_replace(table->values, g_strdup(strchr(entry->key, ']') + 2),
			     g_memdup2(value, sizeof(*value)));
}
