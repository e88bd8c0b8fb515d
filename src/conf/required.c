/* What each table of a list must have: without it, it would never do anything. */
#include <string.h>

#include "conf/load_priv.h"

static const struct {
	const char *list, *key;
	const char *with, *value,
		*usual; /* only where that key has this value; or NULL */
} rows[] = {
	{ "mcp.servers", "name", NULL, NULL, NULL },
	{ "mcp.servers", "command", "transport", "stdio", "stdio" },
	{ "ticket_intake.sources", "provider", NULL, NULL, NULL },
	{ "ticket_intake.sources", "repo", NULL, NULL, NULL },
};

static const char *value_of(GHashTable *values, const char *table, const char *key,
			    const char *usual)
{
	g_autofree char *name = g_strconcat(table, ".", key, NULL);
	const SpkConfEntry *entry = g_hash_table_lookup(values, name);

	if (!entry)
		return usual;
	/* What is no string was told by its own row of the table of options. */
	return entry->type == SPK_TOML_STRING ? entry->text : "(no string)";
}

/* "mcp.servers[3]" is one of "mcp.servers". */
static gboolean is_of(const SpkConfEntry *entry, const char *list)
{
	gsize len = strlen(list);

	return entry->type == SPK_TOML_TABLE && !strncmp(entry->key, list, len) &&
	       entry->key[len] == '[' && !strchr(entry->key + len, '.');
}

static void check_table(SpkConfLoad *load, const SpkConfLayer *layer, GHashTable *values,
			const SpkConfEntry *table)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *key = rows[i].key;
		g_autofree char *hint = NULL;

		if (!is_of(table, rows[i].list) ||
		    (rows[i].with &&
		     strcmp(value_of(values, table->key, rows[i].with, rows[i].usual),
			    rows[i].value) != 0) ||
		    *value_of(values, table->key, key, ""))
			continue;
		hint = g_strdup_printf(
			"write %s = \"...\" into it, or take the table out", key);
		/* One that came with a folder keeps nobody from working there. */
		if (layer->trusted)
			spk_load_problem(load, hint, "%s:%u: this [[%s]] has no %s",
					 layer->path, table->line, rows[i].list, key);
		else
			spk_load_warning(load, "%s:%u: this [[%s]] has no %s",
					 layer->path, table->line, rows[i].list, key);
	}
}

static GHashTable *by_key(const GPtrArray *entries)
{
	GHashTable *values = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < entries->len; i++) {
		SpkConfEntry *entry = entries->pdata[i];

		g_hash_table_insert(values, entry->key, entry);
	}
	return values;
}

void spk_load_check_required(SpkConfLoad *load, const SpkConfLayer *layer)
{
	g_autoptr(GHashTable) values = NULL; /* most files have no such table */

	for (guint i = 0; i < layer->entries->len; i++) {
		const SpkConfEntry *entry = layer->entries->pdata[i];

		if (entry->type != SPK_TOML_TABLE || !g_str_has_suffix(entry->key, "]"))
			continue;
		if (!values)
			values = by_key(layer->entries);
		check_table(load, layer, values, entry);
	}
}
