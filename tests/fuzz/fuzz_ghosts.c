/* Profiles of sparks: what a text gives is a table that can be read, or a problem with its place. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every key of the option table, with its value or its default. */
static void check_table(const SpkConfTable *table)
{
	static const char prefix[] = "ghosts[].";

	g_assert_cmpstr(spk_conf_table_file(table), ==, "f");
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
		const char *key = opt->name + strlen(prefix);
		g_autofree char *why = NULL;
		g_auto(GStrv) list = NULL;
		const char *text;

		if (!g_str_has_prefix(opt->name, prefix) || strchr(key, '['))
			continue;
		text = spk_conf_table_str(table, key);
		why = spk_conf_unfit(opt, text);
		g_assert(!why && g_utf8_validate(text, -1, NULL));
		g_assert(spk_conf_table_line(table, key) > 0);
		if (opt->type == SPK_OPT_LIST)
			list = spk_conf_table_list(table, key);
		g_assert(spk_conf_table_has(table, key) || !strcmp(text, opt->fallback));
	}
}

static void check_names(const GPtrArray *tables, gboolean refused)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < tables->len; i++) {
		const char *name = spk_conf_table_str(tables->pdata[i], "name");

		g_assert(g_hash_table_add(names, (gpointer)name) || refused || !*name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(SpkConf) conf = spk_conf_of_profile(
		"f", (const char *)data, MIN(size, SPK_CONF_MAX_BYTES), &problems);
	const GPtrArray *tables = spk_conf_tables(conf);

	for (guint i = 0; i < problems->len; i++) {
		g_assert(spk_error_is(problems->pdata[i], SPK_ERR_CONFIG));
		g_assert(g_str_has_prefix(((GError *)problems->pdata[i])->message, "f:"));
	}
	g_assert(tables->len <= SPK_CONF_MAX_TABLES);
	g_assert(tables->len || problems->len || *spk_conf_warnings(conf));
	for (guint i = 0; i < tables->len; i++)
		check_table(tables->pdata[i]);
	check_names(tables, problems->len > 0);
	return 0;
}
