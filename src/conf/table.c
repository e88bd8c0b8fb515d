/* Tables of lists, as [[ghosts]]: the values of each, from the file that has them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "conf/conf_priv.h"

void spk_conf_table_free(SpkConfTable *table)
{
	g_free(table->name);
	g_free(table->file);
	g_free(table->folder);
	g_hash_table_unref(table->values);
	g_free(table);
}

const GPtrArray *spk_conf_tables(const SpkConf *conf)
{
	return conf->tables;
}

const GPtrArray *spk_conf_scan_modes(const SpkConf *conf)
{
	return conf->modes;
}

const char *spk_conf_table_file(const SpkConfTable *table)
{
	return table->file;
}

const char *spk_conf_table_folder(const SpkConfTable *table)
{
	return table->folder;
}

guint spk_conf_table_line(const SpkConfTable *table, const char *key)
{
	const SpkConfValue *value = g_hash_table_lookup(table->values, key);

	return value ? value->line : table->line;
}

gboolean spk_conf_table_has(const SpkConfTable *table, const char *key)
{
	return g_hash_table_contains(table->values, key);
}

const char *spk_conf_table_str(const SpkConfTable *table, const char *key)
{
	const SpkConfValue *value = g_hash_table_lookup(table->values, key);
	g_autofree char *list = spk_conf_row_name(table->name);
	g_autofree char *row = g_strconcat(list, ".", key, NULL);
	const SpkOpt *opt = spk_conf_find_later(row);

	g_assert(opt);
	return value ? value->text : opt->fallback;
}

char **spk_conf_table_list(const SpkConfTable *table, const char *key)
{
	return spk_conf_list_items(spk_conf_table_str(table, key));
}
